package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
)

// figures reads /metrics: the value of each line, by what stands before it.
func (e *env) figures(token string) map[string]string {
	e.Helper()
	a := e.want(e.ask(token, "GET", "/metrics", nil), 200, "")
	all := map[string]string{}
	for line := range strings.Lines(a.text) {
		if i := strings.LastIndexByte(line, ' '); i > 0 && line[0] != '#' {
			all[line[:i]] = strings.TrimSpace(line[i:])
		}
	}
	return all
}

// await asks until a figure has a value: a request is counted after its answer.
func (e *env) await(token, name, want string) {
	e.Helper()
	got := ""
	for range 200 {
		if got = e.figures(token)[name]; got == want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	e.Errorf("%s is %q, want %s", name, got, want)
}

// TestMetrics: what happens is counted where it belongs.
func TestMetrics(t *testing.T) {
	e := newEnv(t, Limits{})
	scraper := e.callerKey(MetricsScope)
	key := e.key("acme", "read")
	e.want(e.ask(e.owner, "GET", "/v1/spaces/acme", nil), 200, "")
	e.want(e.ask(e.owner, "GET", "/v1/spaces/nowhere", nil), 404, "space-not-found")
	e.want(e.ask(e.owner, "GET", "/v1/spaces/acme/nothing", nil), 404, "route-not-found")
	e.want(e.ask("x", "GET", "/v1/spaces/acme", nil), 401, "unauthenticated")
	for _, scopes := range []string{`["read"]`, `["write"]`, `["read"]`} {
		e.want(e.ask(e.owner, "POST", "/v1/spaces/acme/verify", fmt.Sprintf(`{"token":%q,"scopes":%s}`, key.Secret.Reveal(), scopes)), 200, "")
	}
	e.want(e.ask(e.owner, "POST", "/v1/spaces/acme/verify", `{"token":"x"}`), 200, "")
	e.want(e.ask(e.owner, "POST", "/v1/spaces/nowhere/verify", `{"token":"x"}`), 404, "space-not-found")
	const requests = "keyfob_http_request_duration_seconds_count"
	for name, want := range map[string]string{
		requests + `{method="GET",route="/v1/spaces/{space}",status="2xx"}`:         "1",
		requests + `{method="GET",route="/v1/spaces/{space}",status="4xx"}`:         "2",
		requests + `{method="GET",route="none",status="4xx"}`:                       "1",
		requests + `{method="POST",route="/v1/spaces/{space}/verify",status="2xx"}`: "4",
		requests + `{method="POST",route="/v1/spaces/{space}/verify",status="4xx"}`: "1",
		`keyfob_verifications_total{reason="ok"}`:                                   "2",
		`keyfob_verifications_total{reason="scope"}`:                                "1",
		`keyfob_verifications_total{reason="malformed"}`:                            "1",
		`keyfob_verifications_total{reason="undecided"}`:                            "1",
		`keyfob_callers_refused_total{reason="malformed"}`:                          "1",
		`keyfob_http_requests_at_work`:                                              "1", // this one
		`keyfob_http_requests_refused_busy_total`:                                   "0",
		`keyfob_connections{listener="port"}`:                                       "1",
	} {
		e.await(scraper, name, want)
	}
	if all := e.figures(scraper); all["go_goroutines"] == "" || all["process_start_time_seconds"] == "" {
		t.Error("the figures of the process are missing")
	}
	e.want(e.askWith(e.local, "", "GET", "/metrics", nil), 200, "")
	e.await(e.owner, `keyfob_connections{listener="socket"}`, "1")
	e.local.CloseIdleConnections()
	e.await(e.owner, `keyfob_connections{listener="socket"}`, "0")
	// Another Server has figures of its own.
	other, err := New(Config{Authority: e.a})
	e.must(err)
	var none exposition
	other.metrics.write(&none)
	for name, f := range families(t, string(none.text)) {
		if name != "keyfob_http_requests_at_work" && name != "keyfob_http_requests_refused_busy_total" {
			t.Errorf("a new Server has counted %v", f)
		}
	}
}

// TestMetricsOfOverload: who is turned away is counted.
func TestMetricsOfOverload(t *testing.T) {
	e := newEnv(t, Limits{Requests: 1})
	begun, go_on := make(chan bool), make(chan bool)
	e.st.set(func(_ context.Context, call string) error {
		if call == "Spaces" {
			begun <- true
			<-go_on
		}
		return nil
	})
	done := make(chan bool)
	go func() {
		e.want(e.ask(e.owner, "GET", "/v1/spaces", nil), 200, "")
		close(done)
	}()
	<-begun
	e.want(e.ask(e.owner, "GET", "/v1/spaces/acme", nil), 503, "busy")
	e.want(e.ask(e.owner, "GET", "/metrics", nil), 503, "busy")
	close(go_on)
	<-done
	e.await(e.owner, "keyfob_http_requests_refused_busy_total", "2")
}

// TestMetricsAreBounded: nothing that a request holds becomes a name of a figure
// or one of its labels, however many requests there are.
func TestMetricsAreBounded(t *testing.T) {
	e := newEnv(t, Limits{})
	const odd = "CANARY-7b1d"
	e.createSpace("canary7b1d")
	key := e.key("canary7b1d", odd)
	id := key.Credential.ID
	caller := e.key(keyfob.OwnSpace, "canary7b1d:verify")
	flood := func(from int) {
		for i := range 30 {
			n := fmt.Sprintf("%s-%d", odd, from+i)
			e.ask(e.owner, "GET", "/"+n, nil)
			e.ask(e.owner, "GET", "/v1/spaces/"+strings.ToLower(n), nil)
			e.ask(e.owner, n, "/v1/spaces", nil)
			e.ask(e.owner, "GET", "/v1/spaces/canary7b1d/apikeys/"+id, nil)
			e.ask(caller.Secret.Reveal(), "POST", "/v1/spaces/canary7b1d/verify", map[string]any{"token": key.Secret.Reveal(), "scopes": []string{n}})
			e.ask(n, "POST", "/v1/spaces/canary7b1d/verify", map[string]any{"token": n, "kind": n})
			e.ask(e.owner, "POST", "/v1/spaces/canary7b1d/apikeys", map[string]any{"subject": n, "name": n, "scopes": []string{n}, "attributes": map[string]string{n: n}})
			e.ask(e.owner, "GET", "/openapi.json", nil, func(r *http.Request) { r.Header[n] = []string{n}; r.Host = n })
		}
	}
	flood(0)
	e.figures(e.owner)
	first := e.figures(e.owner)
	flood(1000)
	second := e.figures(e.owner)
	// A line of its own for what was not yet counted when it was read the first time
	// is allowed; a flood is not.
	if len(second) > len(first)+20 {
		t.Errorf("%d figures after 240 requests, %d after 480", len(first), len(second))
	}
	a := e.ask(e.owner, "GET", "/metrics", nil) // env.look finds secrets in it
	for _, forbidden := range []string{"CANARY", "canary", "alice", "acme", id, key.Credential.Versions[0].ID, caller.Credential.ID} {
		if strings.Contains(a.text, forbidden) {
			t.Errorf("/metrics has %s", forbidden)
		}
	}
}
