package session_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/keyfobtest"
	"github.com/keyfob-dev/keyfob/session"
)

// judging are verbs that judge so.
type judging struct {
	keyfob.Verbs
	verify func(text string, check keyfob.Check) error
}

func (j judging) Verify(_ context.Context, text string, check keyfob.Check) (keyfob.Credential, error) {
	return keyfob.Credential{Subject: "alice", Versions: make([]keyfob.Version, 1)}, j.verify(text, check)
}

// What is and what is not a cookie of ours, and what never comes to the Authority.
func TestCookieHeader(t *testing.T) {
	const ours = "__Host-session="
	long := strings.Repeat("x", 98)
	for _, test := range []struct {
		lines  []string
		asked  string // empty: nothing is asked for
		logged error
	}{
		{nil, "", nil},
		{[]string{""}, "", nil},
		{[]string{";;; ;"}, "", nil},
		{[]string{"a=b"}, "", nil},
		{[]string{ours + "x"}, "x", nil},
		{[]string{"a=b; " + ours + "x; c=d"}, "x", nil},
		{[]string{"a=b;" + ours + "x"}, "x", nil},
		{[]string{"a=b", ours + "x"}, "x", nil}, // HTTP/2 may split it (RFC 9113, section 8.2.3)
		{[]string{ours}, "", nil},
		{[]string{"__Host-session"}, "", nil},
		{[]string{"__Host-sessions=x; __host-session=x; session=x; a__Host-session=x; a=__Host-session=x"}, "", nil},
		{[]string{"a=" + ours + "x"}, "", nil},
		{[]string{ours + `"x"`}, `"x"`, nil},
		{[]string{ours + "x=y"}, "x=y", nil},
		{[]string{ours + long}, long, nil},
		{[]string{ours + long + "x"}, "", session.ErrTooLong},
		{[]string{ours + strings.Repeat("x", 900_000)}, "", session.ErrTooLong},
		{[]string{ours + "x; " + ours + "y"}, "", session.ErrTwice},
		{[]string{ours + "x; " + ours + "x"}, "", session.ErrTwice},
		{[]string{ours + "x", ours + "y"}, "", session.ErrTwice},
		{[]string{ours + "; " + ours + "x"}, "", session.ErrTwice},
	} {
		asked, logged := "", error(nil)
		h := session.New(judging{verify: func(text string, check keyfob.Check) error {
			if asked = text; check.Kind != keyfob.KindSession {
				t.Errorf("asked for the kind %q", check.Kind)
			}
			return nil
		}}, session.Config{Log: func(_ *http.Request, err error) { logged = err }})
		r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
		r.Header["Cookie"] = test.lines
		got := "not called"
		h.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = session.Subject(r) })).ServeHTTP(w, r)
		want := map[bool]string{true: "alice", false: ""}[test.asked != ""]
		if asked != test.asked || logged != test.logged || got != want || len(w.Header()["Set-Cookie"]) > 0 {
			t.Errorf("%.99q: %.20q was asked, %v logged, and it is %q; want %q, %v, %q", test.lines, asked, logged, got, test.asked, test.logged, want)
		}
	}
}

// An error that is no verdict is no session, and the handler is not called.
func TestUndecided(t *testing.T) {
	for _, err := range []error{
		keyfob.ErrUnavailable, keyfob.ErrSpace, keyfob.ErrRootKey, keyfob.ErrRevoked, context.Canceled,
		&keyfob.InputError{Field: "kind", Problem: "is wrong"}, errors.New("another"),
	} {
		for _, custom := range []bool{false, true} {
			var logged error
			config := session.Config{Log: func(_ *http.Request, err error) { logged = err }}
			if custom {
				config.Failed = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.WriteHeader(503)
					io.WriteString(w, "a page of ours")
				})
			}
			h := session.New(judging{verify: func(string, keyfob.Check) error { return err }}, config)
			r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
			r.Header.Set("Cookie", "__Host-session=x")
			h.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Errorf("%v: the handler was called", err) })).ServeHTTP(w, r)
			if w.Code != 503 || w.Header().Get("Retry-After") != "1" || w.Header().Get("Cache-Control") != "no-store" || !errors.Is(logged, err) {
				t.Errorf("%v: %d, %v, logged %v", err, w.Code, w.Header(), logged)
			}
			if body := w.Body.String(); custom != (body == "a page of ours") || len(w.Header()["Set-Cookie"]) > 0 {
				t.Errorf("%v: %q, %v", err, body, w.Header())
			}
		}
	}
}

// The same with an Authority that is down; who has no cookie needs none.
func TestStoreDown(t *testing.T) {
	each(t, func(p *app) {
		b, stranger := p.signedIn("alice"), p.browser()
		p.causes()
		p.must(p.a.Close(context.Background()))
		if a := b.get("/who"); a.status != 503 || strings.Contains(a.body, "alice") || len(a.setCookies()) > 0 {
			t.Errorf("%d %q", a.status, a.body)
		}
		if logged := p.causes(); len(logged) != 1 || !errors.Is(logged[0], keyfob.ErrUnavailable) {
			t.Errorf("logged %v", logged)
		}
		stranger.want("no session")
	})
}

// A cookie that is not accepted stays, and the cause is logged, without the secret.
func TestRefused(t *testing.T) {
	each(t, func(p *app) {
		key, err := p.a.Issue(t.Context(), keyfob.APIKey{Subject: "alice"})
		p.must(err)
		b := p.signedIn("alice")
		good := b.cookie()
		for value, reason := range map[string]string{
			"x": "malformed", good + "x": "malformed", good[:len(good)-1]: "malformed", "default_" + strings.Repeat("0", 65): "malformed",
			key.Secret.Reveal(): "unknown",
		} {
			p.causes()
			a := p.browser().plant(value).get("/who")
			logged := p.causes()
			if a.body != "no session" || len(a.setCookies()) > 0 || len(logged) != 1 || keyfob.Reason(logged[0]) != reason {
				t.Errorf("%s: %q, %v", reason, a.body, logged)
			}
			if len(value) > 1 && strings.Contains(fmt.Sprint(logged), value) {
				t.Errorf("the log has the secret")
			}
		}
		b.want("alice")
	})
}

// No http.ResponseWriter is wrapped, and what a server's can do goes on working.
func TestStreams(t *testing.T) {
	p := newApp(t, "memory", false, session.Config{})
	goOn := make(chan struct{})
	p.handle("/stream", func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		p.check(c.SetWriteDeadline(time.Time{}))
		p.check(session.SignIn(w, r, session.User{Subject: "alice"}))
		io.WriteString(w, "first\n")
		w.(http.Flusher).Flush()
		<-goOn
		if _, ok := w.(io.ReaderFrom); !ok {
			t.Error("it reads from nothing any more")
		}
		io.WriteString(w, session.Subject(r)+"\n")
		p.check(c.Flush())
	})
	b := p.browser()
	resp, err := b.client.Get(b.server.URL + "/stream")
	p.must(err)
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	if !lines.Scan() || lines.Text() != "first" {
		t.Errorf("first %q", lines.Text())
	}
	b.want("alice") // before the end of the answer
	close(goOn)
	if !lines.Scan() || lines.Text() != "alice" {
		t.Errorf("second %q", lines.Text())
	}
	p.handle("/hijack", func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		p.must(err)
		defer conn.Close()
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n%s", session.Subject(r))
	})
	if a := b.get("/hijack"); a.body != "alice" {
		t.Errorf("hijacked: %q", a.body)
	}
	w := httptest.NewRecorder()
	same := session.New(p.a, session.Config{}).Handler(http.HandlerFunc(func(got http.ResponseWriter, _ *http.Request) {
		if got != http.ResponseWriter(w) {
			t.Errorf("the handler gets a %T", got)
		}
	}))
	same.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
}

// Require sends away who has not signed in, also with a session of nobody.
func TestRequire(t *testing.T) {
	for _, target := range []string{"", "/sign-in", "https://id.example/sign-in"} {
		eachWith(t, session.Config{SignIn: target}, func(p *app) {
			p.handle("/mine", session.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, session.Subject(r))
			})).ServeHTTP)
			p.handle("/cached", session.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Cache-Control", "private, max-age=60")
			})).ServeHTTP)
			stranger, nobody, alice := p.browser(), p.browser(), p.signedIn("alice")
			nobody.get("/start")
			for _, b := range []*browser{stranger, nobody} {
				for _, test := range []struct {
					method, mode string
					visit        bool
				}{{"GET", "", true}, {"HEAD", "", true}, {"GET", "navigate", true}, {"GET", "cors", false}, {"POST", "", false}, {"POST", "navigate", false}} {
					r, err := http.NewRequestWithContext(t.Context(), test.method, p.server.URL+"/mine", nil)
					p.must(err)
					r.Header.Set("Sec-Fetch-Mode", test.mode)
					a := b.do(r)
					sent := test.visit && target != ""
					if want := map[bool]int{true: 303, false: 401}[sent]; a.status != want || sent && a.header.Get("Location") != target {
						t.Errorf("%v: %d, %v; want %d", test, a.status, a.header, want)
					}
					if a.header.Get("Cache-Control") != "no-store" || sent == (a.header.Get("WWW-Authenticate") == `Cookie cookie-name="__Host-session"`) {
						t.Errorf("%v: %v", test, a.header)
					}
				}
			}
			if a := alice.get("/mine"); a.status != 200 || a.body != "alice" || a.header.Get("Cache-Control") != "no-store" || a.header.Get("Vary") != "Cookie" {
				t.Errorf("%d %q %v", a.status, a.body, a.header)
			}
			if a := alice.get("/cached"); a.header.Get("Cache-Control") != "private, max-age=60" {
				t.Errorf("%v", a.header)
			}
		})
	}
}

// Outside of Handler there is no session, and errors say why.
func TestNoHandler(t *testing.T) {
	r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
	if who(r) != "no session" || !session.Arrived(r).IsZero() {
		t.Error("a session out of nowhere")
	}
	_, list := session.List(r)
	_, _, get := theme.Get(r)
	for name, err := range map[string]error{
		"Start": session.Start(w, r), "SignIn": session.SignIn(w, r, session.User{Subject: "alice"}), "SignOut": session.SignOut(w, r),
		"Renew": session.Renew(w, r), "SignOutEverywhere": session.SignOutEverywhere(w, r, "alice", ""), "List": list, "Get": get,
		"Revoke": session.Revoke(r, "x", ""), "Set": theme.Set(w, r, ""), "Delete": theme.Delete(r),
	} {
		if err != session.ErrNoHandler {
			t.Errorf("%s: %v", name, err)
		}
	}
	session.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it came through") })).ServeHTTP(w, r)
	if w.Code != 500 || len(w.Header()["Set-Cookie"]) > 0 {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// The address is the connection's, or what Config.ClientIP says.
func TestClientIP(t *testing.T) {
	var got netip.Addr
	verbs := judging{verify: func(_ string, check keyfob.Check) error { got = check.IP; return nil }}
	ask := func(config session.Config, remote string) string {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = remote
		r.Header = http.Header{"Cookie": {"__Host-session=x"}, "X-Forwarded-For": {"203.0.113.9"}, "Forwarded": {"for=203.0.113.9"}}
		session.New(verbs, config).Handler(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
		return got.String()
	}
	for remote, want := range map[string]string{
		"192.0.2.1:1234": "192.0.2.1", "[::ffff:192.0.2.1]:1": "192.0.2.1", "[fe80::1%eth0]:1": "fe80::1", "@": "invalid IP",
	} {
		if ip := ask(session.Config{}, remote); ip != want {
			t.Errorf("%q is %v, want %s", remote, ip, want)
		}
	}
	proxied := session.Config{ClientIP: func(r *http.Request) netip.Addr { return netip.MustParseAddr(r.Header.Get("X-Forwarded-For")) }}
	if ip := ask(proxied, "192.0.2.1:1"); ip != "203.0.113.9" {
		t.Errorf("by ClientIP it is %v", ip)
	}
}

// What only a programmer can get wrong panics.
func TestWrongConfig(t *testing.T) {
	a, _ := keyfobtest.New(t)
	for name, config := range map[string]session.Config{
		"a space": {Name: "a b"}, "a line": {Name: "a\r\nb"}, "a sign": {Name: "a;b"}, "long": {Name: strings.Repeat("x", 65)},
		"none": {SameSite: http.SameSiteNoneMode}, "default": {SameSite: http.SameSiteDefaultMode}, "no mode": {SameSite: 9},
		"relative": {SignIn: "sign-in"}, "another host": {SignIn: "//evil.example"}, "three slashes": {SignIn: "///evil.example"},
		"backslash": {SignIn: `/\evil.example`},
		"http":      {SignIn: "http://app.example/"}, "script": {SignIn: "javascript:alert(1)"}, "no URL": {SignIn: "/%zz"}, "a new line": {SignIn: "/a\nb"},
	} {
		panics(t, name, func() { session.New(a, config) })
	}
	panics(t, "nobody", func() { session.New(nil, session.Config{}) })
}

// The path that most requests take is short.
func TestAllocations(t *testing.T) {
	ask := readOnly(t)
	ask()
	if n := testing.AllocsPerRun(100, ask); n > 10 {
		t.Errorf("%v allocations for a request that only reads; at most 10", n)
	} else {
		t.Logf("%v allocations for a request that only reads", n)
	}
}
