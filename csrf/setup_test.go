package csrf_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/csrf"
)

// An app is an application behind a Guard. In its requests the header Session stands for
// what a middleware before it has found: the id of the session.
type app struct {
	csrf.Protection
	http.Handler

	guard  *csrf.Guard
	now    time.Time
	passed *http.Request // the last that its handler got
	err    error         // of the last that was refused

	// serve answers what was let through; nil is 204.
	serve http.HandlerFunc
}

// newApp protects an application. The Protection lacks keys, session, clock and log,
// unless the test wants others.
func newApp(tb testing.TB, p csrf.Protection) *app {
	tb.Helper()
	a := &app{Protection: p, now: start}
	if a.Keys == nil {
		a.Keys = []csrf.Key{newKey(tb, csrf.Config{})}
	}
	if a.Session == nil {
		a.Session = func(r *http.Request) string { return r.Header.Get("Session") }
	}
	if a.Log == nil {
		a.Log = slog.New(slog.DiscardHandler)
	}
	a.Now = func() time.Time { return a.now }
	if a.Refused == nil {
		a.Refused = func(w http.ResponseWriter, _ *http.Request, err error) {
			a.err = err
			w.WriteHeader(http.StatusForbidden)
		}
	}
	a.guard = csrf.Protect(a.Protection)
	a.Handler = a.guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.passed = r
		if a.serve != nil {
			a.serve(w, r)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	return a
}

// browser is what a browser has from its visits.
type browser struct {
	session string // empty: nobody has signed in
	cookie  string // the Cookie header
	token   string
}

// visit has a browser load a page with a token, as one that sends the cookies it has.
func (a *app) visit(tb testing.TB, b browser) browser {
	tb.Helper()
	serve := a.serve
	defer func() { a.serve = serve }()
	a.serve = func(w http.ResponseWriter, r *http.Request) {
		var err error
		if b.token, err = a.guard.Token(w, r); err != nil {
			tb.Fatal(err)
		}
	}
	w := a.send(b.request("GET", "/form", nil))
	for _, c := range w.Result().Cookies() {
		b.cookie = c.Name + "=" + c.Value
	}
	return b
}

// request is what the browser sends to https://app.example, without a token and without
// a word where it comes from.
func (b browser) request(method, target string, body io.Reader) *http.Request {
	r := httptest.NewRequest("POST", "https://app.example"+target, body)
	r.Method = method // also what NewRequest would not take
	if b.session != "" {
		r.Header.Set("Session", b.session)
	}
	if b.cookie != "" {
		r.Header.Set("Cookie", b.cookie)
	}
	return r
}

// post is a request from a page of the application itself, with its token in the header.
func (b browser) post(target string) *http.Request {
	r := b.request("POST", target, nil)
	own(r)
	r.Header.Set("X-CSRF-Token", b.token)
	return r
}

// postForm is that request as the form of a page, its token in the field.
func (b browser) postForm(target, body string) *http.Request {
	r := b.request("POST", target, strings.NewReader("csrf_token="+b.token+body))
	own(r)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// own has a request come from a page of the application.
func own(r *http.Request) {
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Origin", "https://app.example")
}

func (a *app) send(r *http.Request) *httptest.ResponseRecorder {
	a.passed, a.err = nil, nil
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}
