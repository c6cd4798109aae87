package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
)

// TestEveryProblem asks for each kind of problem over HTTP, but the few that
// other tests here ask for.
func TestEveryProblem(t *testing.T) {
	e := newEnv(t, Limits{Requests: 1, Read: time.Second})
	id := e.key("acme").Credential.ID
	e.want(e.ask(e.owner, "POST", "/v1/spaces", `{"name":"acme"}`), 400, "input")
	e.want(e.ask("", "GET", "/v1/spaces", nil), 401, "unauthenticated")
	e.want(e.ask(e.callerKey("acme:read"), "GET", "/v1/spaces", nil), 403, "forbidden")
	e.want(e.ask(e.owner, "GET", "/v1/spaces/acme/apikeys/0000000000000000", nil), 404, "not-found")
	e.want(e.ask(e.owner, "GET", "/v1/spaces/nowhere", nil), 404, "space-not-found")
	e.want(e.ask(e.owner, "GET", "/v1/nowhere", nil), 404, "route-not-found")
	e.want(e.ask(e.owner, "DELETE", "/v1/spaces/acme", nil), 405, "method-not-allowed")
	stale := e.want(e.ask(e.owner, "PATCH", "/v1/spaces/acme", `{"prefix":"p","revision":7}`), 409, "conflict")
	if !strings.Contains(stale.detail(), "revision 7 is not the newest") {
		t.Errorf("%v", stale)
	}
	e.want(e.ask(e.owner, "POST", "/v1/spaces", `{"name":"acme","prefix":"p"}`), 409, "exists")
	code := map[string]any{"subject": "alice", "purpose": "login"}
	e.want(e.ask(e.owner, "POST", "/v1/spaces/acme/codes", code), 201, "")
	e.want(e.ask(e.owner, "POST", "/v1/spaces/acme/codes", code), 429, "too-soon")
	e.want(e.ask(e.owner, "POST", "/v1/spaces", strings.Repeat(" ", 100_000)), 413, "body-too-large")
	e.want(e.ask(e.owner, "POST", "/v1/spaces", "{}", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }), 415, "media-type")
	slow := e.dial()
	slow.send("POST /v1/spaces HTTP/1.1\nHost: x\nAuthorization: Bearer " + e.owner + "\nContent-Type: application/json\nContent-Length: 9\n\n{")
	slow.wantNext(408)
	e.kinds["body-timeout"] = true
	e.st.set(func(context.Context, string) error { return errors.New("no kind of error that there is") })
	e.want(e.ask(e.owner, "GET", "/v1/spaces", nil), 500, "internal")
	e.st.set(func(context.Context, string) error { return fmt.Errorf("disk on fire: %w", store.ErrUnavailable) })
	a := e.want(e.ask(e.owner, "GET", "/v1/spaces", nil), 503, "unavailable")
	if strings.Contains(a.text, "disk") || a.header.Get("Retry-After") != "1" {
		t.Errorf("%v %v", a, a.header)
	}
	line := e.log.of(t, a.header.Get(RequestIDHeader))
	if line["level"] != "ERROR" || !strings.Contains(fmt.Sprint(line["error"]), "disk on fire") {
		t.Errorf("logged as %v", line)
	}
	e.st.set(nil)
	e.busy(id)
	for _, k := range []*kind{keyReused, clockBehind, callerLimited} { // TestIdempotencyKey, TestReadyClock, TestCallersPolicy
		e.kinds[k.name] = true
	}
	for _, k := range allKinds {
		if !e.kinds[k.name] {
			t.Errorf("no problem %s was seen", k.name)
		}
	}
}

// busy fills the one place there is for requests.
func (e *env) busy(id string) {
	e.Helper()
	began, end := make(chan struct{}), make(chan struct{})
	e.st.set(func(_ context.Context, call string) error {
		if call == "Credential" {
			close(began)
			<-end
		}
		return nil
	})
	done := make(chan *answer)
	go func() { done <- e.ask(e.owner, "GET", "/v1/spaces/acme/apikeys/"+id, nil) }()
	<-began
	a := e.want(e.ask(e.owner, "GET", "/v1/spaces", nil), 503, "busy")
	if a.header.Get("Retry-After") != "1" {
		e.Errorf("%v", a.header)
	}
	e.want(e.ask("", "GET", "/healthz", nil), 200, "") // who watches the server is not turned away
	e.want(e.ask("", "GET", "/readyz", nil), 200, "")
	close(end)
	e.want(<-done, 200, "")
	e.st.set(nil)
	e.want(e.ask(e.owner, "GET", "/v1/spaces", nil), 200, "")
}

// TestStoreDown is P8: without the store no token is valid, and none invalid;
// the process is alive and not ready; a route says 503 and not what is wrong.
func TestStoreDown(t *testing.T) {
	e := newEnvWith(t, Limits{}, keyfob.Config{MaxStaleness: -1}) // each look-up goes to the store
	good := e.key("acme").Secret.Reveal()
	e.want(e.ask("", "GET", "/readyz", nil), 200, "")
	e.withFault(good, func(context.Context, string) error { return fmt.Errorf("%w: secret path /x", store.ErrUnavailable) })
	e.st.set(nil)
	if a := e.ask(e.owner, "POST", "/v1/spaces/acme/verify", map[string]any{"token": good}); a.json["valid"] != true {
		t.Errorf("afterwards: %v", a)
	}
}

// TestStoreHangs is the same for a store that does not answer at all.
func TestStoreHangs(t *testing.T) {
	e := newEnvWith(t, Limits{Work: 100 * time.Millisecond}, keyfob.Config{MaxStaleness: -1})
	e.withFault(e.key("acme").Secret.Reveal(), func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() })
}

// withFault asks for everything while the store has a fault: from the first
// look-up on, and from the one after that of the caller's token on.
func (e *env) withFault(good string, fault func(ctx context.Context, call string) error) {
	e.Helper()
	for _, r := range readSpec(e.T).routes {
		e.st.set(nil)
		path, body := samples[r.name](e, "acme")
		if r.name == "Verify" {
			body = map[string]any{"token": good}
		}
		for _, callersWork := range []bool{false, true} {
			versions := 0
			e.st.set(func(ctx context.Context, call string) error {
				if call == "Version" {
					versions++
				}
				if callersWork && call == "Version" && versions == 1 {
					return nil
				}
				return fault(ctx, call)
			})
			want := 503
			if r.name == "Healthz" {
				want = 200
			}
			a := e.ask(e.owner, r.method, path, body)
			if a.status != want || strings.Contains(a.text, "secret path") || strings.Contains(a.text, "valid\":") {
				e.Errorf("%s, callers work %v: %v", r.name, callersWork, a)
			}
		}
	}
}

// TestKindOf: the table finds the right row for errors that match several.
func TestKindOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		kind *kind
	}{
		{fmt.Errorf("x: %w", keyfob.ErrSpace), spaceNotFound},
		{fmt.Errorf("x: %w", keyfob.ErrNotFound), notFound},
		{fmt.Errorf("x: %w: %w", keyfob.ErrUnavailable, context.Canceled), unavailable},
		{&store.ConflictError{}, conflict},
		{&keyfob.InputError{Field: "a", Problem: "b"}, badInput},
		{fmt.Errorf("x: %w", keyfob.ErrTooSoon), tooSoon},
		{keyfob.ErrRootKey, internal},
		{keyfob.ErrInvalid, internal},
		{errors.New("x"), internal},
		{&refusal{kind: busy}, busy},
	} {
		if got := kindOf(c.err); got != c.kind {
			t.Errorf("%v is the problem %s, want %s", c.err, got.name, c.kind.name)
		}
	}
}
