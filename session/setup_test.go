package session_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/client"
	"github.com/keyfob-dev/keyfob/keyfobtest"
	"github.com/keyfob-dev/keyfob/random"
	"github.com/keyfob-dev/keyfob/server"
	"github.com/keyfob-dev/keyfob/session"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
	"github.com/keyfob-dev/keyfob/store/sqlite"
)

const cookieName = "__Host-session"

// A hooked store calls before, where that is set, before a change is made.
type hooked struct {
	store.Store
	mu     sync.Mutex
	before func(store.Change) error
}

func (h *hooked) Apply(ctx context.Context, change store.Change) error {
	h.mu.Lock()
	before := h.before
	h.mu.Unlock()
	if before != nil {
		if err := before(change); err != nil {
			return err
		}
	}
	return h.Store.Apply(ctx, change)
}

func (h *hooked) hook(before func(store.Change) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.before = before
}

// An app is an application with sessions, served over TLS.
type app struct {
	*testing.T
	st     *hooked
	path   string // of the database file; empty: in memory
	a      *keyfob.Authority
	verbs  keyfob.Verbs // that the application has
	clock  *keyfobtest.Clock
	server *httptest.Server

	mu       sync.Mutex
	logged   []error
	handlers map[string]http.HandlerFunc
}

// each runs a test in the process and through a client of a server, on both kinds of
// store.
func each(t *testing.T, test func(p *app)) { eachWith(t, session.Config{}, test) }

func eachWith(t *testing.T, config session.Config, test func(p *app)) {
	for _, kind := range []string{"memory", "sqlite"} {
		for _, remote := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, remote %v", kind, remote), func(t *testing.T) {
				test(newApp(t, kind, remote, config))
			})
		}
	}
}

func newApp(t *testing.T, kind string, remote bool, config session.Config) *app {
	t.Helper()
	p := &app{T: t, clock: &keyfobtest.Clock{}, handlers: map[string]http.HandlerFunc{}}
	p.clock.Set(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC))
	p.st = &hooked{Store: memory.Open()}
	if kind == "sqlite" {
		p.path = filepath.Join(t.TempDir(), "keyfob.db")
		st, err := sqlite.Open(p.path)
		p.must(err)
		p.st.Store = st
	}
	rk, err := keyfob.ParseRootKey("keyfob-root-1:" + base64.StdEncoding.EncodeToString(random.Bytes(32)))
	p.must(err)
	p.a, err = keyfob.Open(t.Context(), keyfob.Config{Store: p.st, RootKey: rk, Now: p.clock.Now})
	p.must(err)
	t.Cleanup(func() {
		p.st.hook(nil)
		if err := p.a.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := p.st.Close(); err != nil {
			t.Error(err)
		}
	})
	p.verbs = p.a
	if remote {
		p.verbs = p.remote()
	}
	if config.Now == nil {
		config.Now = p.clock.Now
	}
	config.Log = func(_ *http.Request, err error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.logged = append(p.logged, err)
	}
	p.server = httptest.NewUnstartedServer(session.New(p.verbs, config).Handler(http.HandlerFunc(p.serve)))
	p.server.Config.ErrorLog = log.New(io.Discard, "", 0) // of connections that nobody needed
	p.server.StartTLS()
	t.Cleanup(p.server.Close)
	p.handle("/who", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, who(r)) })
	p.handle("/in", func(w http.ResponseWriter, r *http.Request) {
		p.check(session.SignIn(w, r, session.User{Subject: r.URL.Query().Get("subject"), Remembered: r.URL.Query().Has("remembered")}))
	})
	p.handle("/out", func(w http.ResponseWriter, r *http.Request) { p.check(session.SignOut(w, r)) })
	p.handle("/start", func(w http.ResponseWriter, r *http.Request) { p.check(session.Start(w, r)) })
	p.handle("/renew", func(w http.ResponseWriter, r *http.Request) { p.check(session.Renew(w, r)) })
	p.handle("/everywhere", func(w http.ResponseWriter, r *http.Request) {
		p.check(session.SignOutEverywhere(w, r, r.URL.Query().Get("subject"), "asked for it"))
	})
	return p
}

// who is what a request knows of its session, and must agree in.
func who(r *http.Request) string {
	c, ok := session.From(r.Context())
	subject, binding := session.Subject(r), session.Binding(r)
	switch {
	case !ok && subject == "" && binding == "":
		return "no session"
	case ok && c.Subject == subject && len(c.Versions) == 1 && c.Versions[0].ID == binding && subject == "":
		return "nobody"
	case ok && c.Subject == subject && len(c.Versions) == 1 && c.Versions[0].ID == binding:
		return subject
	}
	return fmt.Sprintf("From, Subject and Binding disagree: %+v, %q, %q", c, subject, binding)
}

// remote is a client of a server of the Authority.
func (p *app) remote() *client.Client {
	p.Helper()
	s, err := server.New(server.Config{Authority: p.a, Logger: slog.New(slog.DiscardHandler)})
	p.must(err)
	ts := httptest.NewServer(s.Handler())
	p.Cleanup(ts.Close)
	scopes := []string{"default:issue", "default:verify", "default:read", "default:revoke"}
	caller, err := p.a.In(keyfob.OwnSpace).Issue(p.Context(), keyfob.APIKey{Subject: "test", Scopes: scopes})
	p.must(err)
	c, err := client.New(client.Config{URL: ts.URL, Token: caller.Secret, Retries: -1})
	p.must(err)
	return c
}

func (p *app) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// check is must within a handler.
func (p *app) check(err error) {
	p.Helper()
	if err != nil {
		p.Error(err)
	}
}

// handle serves a path from now on.
func (p *app) handle(path string, h http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handlers[path] = h
}

func (p *app) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	h := p.handlers[r.URL.Path]
	p.mu.Unlock()
	if h == nil {
		http.NotFound(w, r)
		return
	}
	h(w, r)
}

// causes are what was logged since they were asked for last.
func (p *app) causes() []error {
	p.mu.Lock()
	defer p.mu.Unlock()
	logged := p.logged
	p.logged = nil
	return logged
}

// A browser has cookies.
type browser struct {
	*app
	client *http.Client
}

func (p *app) browser() *browser {
	jar, err := cookiejar.New(nil)
	p.must(err)
	c := *p.server.Client()
	c.Jar = jar
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{p, &c}
}

// signedIn is a browser of somebody who has signed in.
func (p *app) signedIn(subject string) *browser {
	p.Helper()
	b := p.browser()
	b.get("/in?subject=" + subject)
	return b
}

// An answer is one that was read.
type answer struct {
	status int
	header http.Header
	body   string
}

func (b *browser) get(path string) answer {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), "GET", b.server.URL+path, nil)
	b.must(err)
	return b.do(r)
}

func (b *browser) do(r *http.Request) answer {
	b.Helper()
	resp, err := b.client.Do(r)
	if err != nil {
		b.Error(err) // it may be beside the test
		return answer{}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.Error(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// want asks who the browser is.
func (b *browser) want(who string) {
	b.Helper()
	if got := b.get("/who"); got.status != 200 || got.body != who {
		b.Errorf("the browser is %q (%d), want %q", got.body, got.status, who)
	}
}

func (b *browser) url() *url.URL {
	u, err := url.Parse(b.server.URL)
	b.must(err)
	return u
}

// cookie is the secret that the browser holds; empty if it has none.
func (b *browser) cookie() string {
	for _, c := range b.client.Jar.Cookies(b.url()) {
		if c.Name == cookieName {
			return c.Value
		}
	}
	return ""
}

// plant gives the browser a cookie.
func (b *browser) plant(value string) *browser {
	b.client.Jar.SetCookies(b.url(), []*http.Cookie{{Name: cookieName, Value: value, Path: "/", Secure: true}})
	return b
}

// with is another browser with this one's cookie, which is all that a thief has.
func (b *browser) with() *browser { return b.browser().plant(b.cookie()) }

// dead checks that a secret is nobody's, and why.
func (p *app) dead(secret, reason string) {
	p.Helper()
	p.causes()
	p.browser().plant(secret).want("no session")
	if logged := p.causes(); len(logged) != 1 || keyfob.Reason(logged[0]) != reason {
		p.Errorf("the cookie was refused for %v, want %s", logged, reason)
	}
}

// setCookies are the lines by which an answer sets our cookie.
func (a answer) setCookies() (lines []string) {
	for _, line := range a.header["Set-Cookie"] {
		if strings.HasPrefix(line, cookieName) {
			lines = append(lines, line)
		}
	}
	return lines
}

// A slow request waits in its handler until it is let go on.
type slow struct {
	arrived chan struct{}
	goOn    chan struct{}
	err     error // of what it did late
	done    chan answer
}

// slowly sends a request whose handler does something late, and returns when it is
// waiting there.
func (b *browser) slowly(late func(http.ResponseWriter, *http.Request) error) *slow {
	b.Helper()
	s := &slow{arrived: make(chan struct{}), goOn: make(chan struct{}), done: make(chan answer, 1)}
	b.handle("/slow", func(w http.ResponseWriter, r *http.Request) {
		close(s.arrived)
		<-s.goOn
		s.err = late(w, r)
	})
	go func() { s.done <- b.get("/slow") }()
	select {
	case <-s.arrived:
	case a := <-s.done:
		b.Fatalf("the slow request was answered before it came to its handler: %d %s", a.status, a.body)
	}
	return s
}

// finish lets it go on, and returns its answer.
func (s *slow) finish() answer {
	close(s.goOn)
	return <-s.done
}
