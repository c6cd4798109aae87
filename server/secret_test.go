package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ogen-go/ogen/ogenerrors"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

// TestCanaries puts a token wherever a careless client might, with answers of
// every sort, and looks for it in all answers (env.look) and in the log
// (env.checkLog).
func TestCanaries(t *testing.T) {
	e := newEnv(t, Limits{})
	victim := e.key("acme", "read")
	canary := victim.Secret.Reveal()
	short := e.hide("CANARY_password_1")
	for _, secret := range []string{canary, short} {
		for _, token := range []string{e.owner, "", secret, e.callerKey("acme:verify")} {
			for _, path := range []string{
				"/" + secret, "/v1/" + secret, "/v1/spaces/" + secret, "/v1/spaces/" + secret + "/verify", "/v1/spaces/acme/" + secret,
				"/v1/spaces/acme/apikeys/" + secret, "/v1/spaces/acme/apikeys/" + secret + "/rotate", "/v1/spaces/acme/apikeys/" + secret + "/revoke",
				"/v1/spaces/acme/verify?token=" + secret, "/v1/spaces?after=" + secret, "/v1/spaces/acme/apikeys/" + secret + "/suspend", "/v1/spaces/acme/apikeys/" + secret + "/rollback",
				"/v1/spaces/acme/links?token=" + secret, "/v1/spaces/acme/links/inspect?token=" + secret, "/v1/spaces/acme/links/redeem?token=" + secret, "/v1/spaces/acme/links/" + secret,
				"/v1/spaces/acme/codes/" + secret, "/v1/spaces/acme/totp/check?code=" + secret, "/v1/spaces/acme/recovery/" + secret, "/v1/spaces/acme/subjects/unlock?subject=" + secret,
				"/v1/spaces/acme/credentials/" + secret, "/v1/spaces/acme/credentials/" + secret + "/revoke", "/v1/spaces/acme/credentials/search?kind=" + secret,
				"/v1/spaces/acme/events?after=" + secret, "/v1/spaces/acme/events?credential=" + secret, "/v1/spaces/acme/events?type=" + secret,
				"/v1/spaces/acme/events?order=" + secret, "/v1/spaces?limit=" + secret, "/v1/spaces?" + secret, "/v1/spaces?" + secret + "=1",
			} {
				for _, method := range []string{"GET", "POST", secret} {
					e.ask(token, method, path, map[string]any{"token": secret, "kind": secret, "scopes": []string{secret}})
				}
			}
			for _, r := range readSpec(t).routes {
				for _, f := range operations[r.name].body {
					path, sample := samples[r.name](e, "acme")
					for _, text := range literals(e, sample, f, `"`+secret+` \n"`) {
						e.ask(token, r.method, path, text)
						e.ask(token, r.method, path, text[:len(text)-1])
						e.ask(token, r.method, path, text+secret)
						e.ask(token, r.method, path, strings.Replace(text, `"`+f.Name+`"`, `"`+secret+`"`, 1))
						e.ask(token, r.method, path, strings.Replace(text, `\n`, `\ud800`, 1))
						e.ask(token, r.method, path, strings.Replace(text, `\n`, "\xff", 1))
					}
				}
			}
			for _, name := range []string{"Content-Type", "Content-Encoding", "Authorization", "Idempotency-Key", "X-Request-Id", RequestIDHeader, "User-Agent", "Cookie", "Host"} {
				e.ask(token, "POST", "/v1/spaces/acme/verify", `{"token":"x"}`, func(r *http.Request) {
					r.Header.Set(name, secret)
					if name == "Host" {
						r.Host = strings.ToLower(strings.ReplaceAll(secret, "_", "-")) + ".example"
					}
				})
			}
		}
	}
	broken := e.dial()
	broken.send("GET /" + canary + " HTTP/9.9\nHost: x\n\n")
	broken.next()
	broken = e.dial()
	broken.send(canary + " " + canary + " " + canary + "\n\n")
	broken.next()
}

// TestPanics: a handler that panics gives a 500 and a line in the log, both
// without the value, and the server goes on.
func TestPanics(t *testing.T) {
	e := newEnv(t, Limits{})
	canary := e.hide("CANARY_in_a_panic")
	for _, value := range []any{canary, errors.New(canary), fmt.Errorf("x %w", errors.New(canary)), []byte(canary), struct{ s string }{canary}, &oas.VerifyRequest{Token: canary}} {
		e.st.set(func(_ context.Context, call string) error {
			if call == "Credentials" {
				panic(value)
			}
			return nil
		})
		a := e.want(e.ask(e.owner, "POST", "/v1/spaces/acme/apikeys/search", `{"subject":"`+canary+`"}`), 500, "internal")
		id := a.header.Get(RequestIDHeader)
		line := e.log.of(t, id)
		if line["error"] != fmt.Sprintf("panic: a value of type %T", value) || line["level"] != "ERROR" {
			t.Errorf("logged as %v", line)
		}
		stack := ""
		for _, line := range e.log.lines(t) {
			if line["id"] == id && line["msg"] == "panic" {
				stack, _ = line["stack"].(string)
			}
		}
		if !strings.Contains(stack, "SearchAPIKeys") {
			t.Errorf("the log has the stack %q", stack)
		}
	}
	e.st.set(func(context.Context, string) error {
		var nothing []int
		_ = nothing[len(nothing)+2]
		return nil
	})
	a := e.want(e.ask(e.owner, "GET", "/v1/spaces", nil), 500, "internal")
	if line := e.log.of(t, a.header.Get(RequestIDHeader)); line["error"] != "panic: runtime error: index out of range [2] with length 0" {
		t.Errorf("logged as %v", line)
	}
	e.st.set(nil)
	e.want(e.ask(e.owner, "GET", "/v1/spaces", nil), 200, "")
}

// TestPanicInHalfAnAnswer: what was begun and cannot be ended does not pass for
// whole.
func TestPanicInHalfAnAnswer(t *testing.T) {
	log := &logged{}
	s := &Server{log: slog.New(slog.NewJSONHandler(log, nil)), metrics: newMetrics(new(atomic.Int64))}
	half := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{ResponseWriter: w, server: s, id: "x"}
		defer x.end()
		x.Write([]byte(`{"valid":true`))
		panic("CANARY")
	}))
	half.Config.ErrorLog = slog.NewLogLogger(slog.NewJSONHandler(log, nil), slog.LevelError)
	defer half.Close()
	resp, err := half.Client().Get(half.URL)
	if err == nil {
		resp.Body.Close()
		t.Errorf("half an answer came as a whole one: %v", resp.Status)
	}
	if strings.Contains(log.String(), "CANARY") || !strings.Contains(log.String(), "panic") {
		t.Errorf("the log has %s", log)
	}
}

// TestGeneratedErrors: what generated code says of a body that it cannot read
// holds the body. If it ever came to that, nobody would see it.
func TestGeneratedErrors(t *testing.T) {
	const canary = "CANARY_in_a_body"
	body := &ogenerrors.DecodeBodyError{Body: []byte(canary), Err: errors.New(canary)}
	if !strings.Contains(fmt.Sprintf("%+v", body), canary) {
		t.Error("this test is pointless: the error does not show the body any more")
	}
	log := &logged{}
	w := httptest.NewRecorder()
	x := &exchange{ResponseWriter: w, server: &Server{log: slog.New(slog.NewJSONHandler(log, nil)), metrics: newMetrics(new(atomic.Int64))}, id: "x"}
	x.ctx = requestContext{t.Context(), x}
	failed(&x.ctx, x, nil, &ogenerrors.DecodeRequestError{Err: body})
	x.end()
	if w.Code != 400 || strings.Contains(w.Body.String()+fmt.Sprint(w.Header()), "CANARY") || strings.Contains(log.String(), "CANARY") {
		t.Errorf("%d %s %v; the log has %s", w.Code, w.Body, w.Header(), log)
	}
}

// TestBodiesAreCleared: a buffer that is used again has nothing of the body
// before.
func TestBodiesAreCleared(t *testing.T) {
	const canary = "CANARY_in_a_body"
	b := body{text: bytes.NewBufferString(canary)}
	b.Reset(b.text.Bytes())
	under := b.text.Bytes()
	b.put()
	if bytes.Contains(under[:cap(under)], []byte("CANARY")) || b.Len() != 0 || b.text != nil {
		t.Errorf("the buffer keeps %q", under[:cap(under)])
	}
}

// TestErrorLog: what net/http has to say comes as one line, and never with the
// value of a panic.
func TestErrorLog(t *testing.T) {
	log := &logged{}
	l := errorLog{slog.New(slog.NewJSONHandler(log, nil))}
	fmt.Fprintf(l, "http: panic serving 1.2.3.4:5: CANARY\ngoroutine 1")
	fmt.Fprintf(l, "http: TLS handshake error from 1.2.3.4:5: \x1b[31mred\u2028\u0085%s\n", strings.Repeat("x", 5000))
	if text := log.String(); strings.Contains(text, "CANARY") || strings.Contains(text, "u001b") || strings.Contains(text, "2028") || len(text) > 1500 {
		t.Errorf("the log has %s", text)
	}
	if lines := log.lines(t); len(lines) != 2 || !strings.HasPrefix(lines[1]["error"].(string), "http: TLS handshake error from 1.2.3.4:5:") {
		t.Errorf("the log has %v", lines)
	}
}

// TestUnadmitted: a handler that is reached past exchange.admit does not run.
func TestUnadmitted(t *testing.T) {
	e := newEnv(t, Limits{})
	a := &api{authority: e.a}
	generated, err := oas.NewServer(a, a)
	e.must(err)
	admitted := &exchange{name: oas.GetSpaceOperation, space: "acme", caller: &caller{scopes: []string{OwnerScope}}}
	unknown := &exchange{name: oas.ListSpacesOperation}
	for _, r := range readSpec(t).routes {
		if operations[r.name].needs == anyone {
			continue
		}
		path, body := samples[r.name](e, "acme")
		for what, x := range map[string]*exchange{"no exchange": nil, "one of another operation": admitted, "one without a caller": unknown} {
			if x != nil && x.name == r.name && x.caller != nil {
				continue
			}
			if panicked := e.serves(generated, r.method, path, body, x); !panicked {
				t.Errorf("%s runs with %s", r.name, what)
			}
		}
	}
}

// serves reports whether a handler panicked.
func (e *env) serves(h http.Handler, method, path string, body any, x *exchange) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	text := []byte("{}")
	if body != nil {
		text = mustJSON(e, body)
	}
	r := httptest.NewRequestWithContext(e.Context(), method, path, bytes.NewReader(text))
	r.Header.Set("Content-Type", "application/json")
	if x != nil {
		r = r.WithContext(&requestContext{r.Context(), x})
	}
	h.ServeHTTP(httptest.NewRecorder(), r)
	return false
}

func mustJSON(e *env, v any) []byte {
	text, err := json.Marshal(v)
	e.must(err)
	return text
}

// TestConfig: what New refuses.
func TestConfig(t *testing.T) {
	if _, err := New(Config{}); err == nil || !strings.Contains(err.Error(), "Authority") {
		t.Errorf("no authority: %v", err)
	}
	e := newEnv(t, Limits{})
	if _, err := New(Config{Authority: e.a, Limits: Limits{Body: -1}}); err == nil || !strings.Contains(err.Error(), "Limits.Body") {
		t.Errorf("a negative limit: %v", err)
	}
	s, err := New(Config{Authority: e.a})
	e.must(err)
	if err := s.Serve(t.Context()); err == nil {
		t.Error("Serve without a listener")
	}
}
