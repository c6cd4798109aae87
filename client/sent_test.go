package client_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/client"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// TestNotSent: what the API could not carry as it is, and what is in the wrong
// place and may be a secret, goes nowhere.
func TestNotSent(t *testing.T) {
	e := newEnv(t, memory.Open())
	ctx, c := t.Context(), e.client(client.Config{})
	text := e.key(keyfob.APIKey{}).Secret.Reveal()
	const bad, id = "\xff", "0000000000000000"
	issue := func(k keyfob.APIKey) error { _, err := c.Issue(ctx, k); return err }
	update := func(k keyfob.Credential) error { k.ID = id; _, err := c.Update(ctx, k); return err }
	list := func(f keyfob.Filter) error { _, err := c.List(ctx, f); return err }
	events := func(f keyfob.EventFilter) error { _, err := c.Events().List(ctx, f); return err }
	judge := func(check keyfob.Check) error { _, err := c.Judge(ctx, text, check); return err }
	prove := func(p keyfob.Checkpoint) error { _, err := c.Events().Verify(ctx, p); return err }
	second := func(_ any, err error) error { return err }
	for name, err := range map[string]error{
		"subject":            issue(keyfob.APIKey{Subject: bad}),
		"attribute's name":   issue(keyfob.APIKey{Subject: "a", Attributes: map[string]string{bad: "x"}}),
		"attribute":          issue(keyfob.APIKey{Subject: "a", Attributes: map[string]string{"x": bad}}),
		"scope":              issue(keyfob.APIKey{Subject: "a", Scopes: []string{bad}}),
		"per":                issue(keyfob.APIKey{Subject: "a", Limit: keyfob.Limit{Rate: 1, Per: 1500 * time.Millisecond}}),
		"update, name":       update(keyfob.Credential{Name: bad}),
		"update, scope":      update(keyfob.Credential{Scopes: []string{bad}}),
		"update, per":        update(keyfob.Credential{Limit: keyfob.Limit{Rate: 1, Per: 1500 * time.Millisecond}}),
		"update, no id":      second(c.Update(ctx, keyfob.Credential{ID: text})),
		"session, subject":   second(c.Issue(ctx, keyfob.Session{Subject: bad})),
		"session, attribute": second(c.Issue(ctx, keyfob.Session{Attributes: map[string]string{"x": bad}})),
		"session, from":      second(c.Issue(ctx, keyfob.Session{From: bad})),
		"session, idle":      second(c.Issue(ctx, keyfob.Session{Idle: 1500 * time.Millisecond})),
		"session, lifetime":  second(c.Issue(ctx, keyfob.Session{Lifetime: time.Hour + time.Millisecond})),
		"session, rewritten": update(keyfob.Credential{Kind: keyfob.KindSession, Attributes: map[string]string{bad: "x"}}),
		"session, no id":     second(c.Update(ctx, keyfob.Credential{Kind: keyfob.KindSession, ID: text})),
		"renew, no id":       second(c.Renew(ctx, text)),
		"whose":              c.RevokeSubject(ctx, bad, "", keyfob.KindSession),
		"whose, reason":      c.RevokeSubject(ctx, "a", bad, keyfob.KindSession),
		"whose, kind":        c.RevokeSubject(ctx, "a", "", keyfob.KindSession, bad),
		"whose, no space":    c.In(text).RevokeSubject(ctx, "a", "", keyfob.KindSession),
		"get, no id":         second(c.Get(ctx, text)),
		"grace":              second(c.Rotate(ctx, id, 1500*time.Millisecond)),
		"reason":             c.Revoke(ctx, id, bad),
		"suspend, reason":    second(c.Suspend(ctx, id, bad)),
		"list, kind":         list(keyfob.Filter{Kind: bad}),
		"list, subject":      list(keyfob.Filter{Subject: bad}),
		"list, name":         list(keyfob.Filter{NameContains: bad}),
		"list, scope":        list(keyfob.Filter{Scope: bad}),
		"list, state":        list(keyfob.Filter{States: []keyfob.State{bad}}),
		"list, after":        list(keyfob.Filter{After: bad}),
		"list, below":        list(keyfob.Filter{Limit: -1}),
		"list, beyond":       list(keyfob.Filter{Limit: 1<<32 + 5}),
		"purge, kind":        second(c.Purge(ctx, bad, time.Now())),
		"events, credential": events(keyfob.EventFilter{Credential: text}),
		"events, type":       events(keyfob.EventFilter{Type: text}),
		"events, types":      events(keyfob.EventFilter{Type: "a&order=newest"}),
		"events, after":      events(keyfob.EventFilter{After: text}),
		"events, afters":     events(keyfob.EventFilter{After: "a b"}),
		"events, limit":      events(keyfob.EventFilter{Limit: -1}),
		"checkpoint's space": prove(keyfob.Checkpoint{Space: bad}),
		"checkpoint's id":    prove(keyfob.Checkpoint{SpaceID: bad}),
		"verify, scope":      judge(keyfob.Check{Scopes: []string{bad}}),
		"verify, kind":       judge(keyfob.Check{Kind: bad}),
		"verify, in a token": second(c.In(text).Verify(ctx, text, keyfob.Check{})),
		"space":              second(c.Spaces().Create(ctx, keyfob.Space{Name: bad, Prefix: "x"})),
		"prefix":             second(c.Spaces().Create(ctx, keyfob.Space{Name: "x", Prefix: bad})),
		"space, prefix":      second(c.Spaces().Update(ctx, keyfob.Space{Name: "default", Prefix: bad})),
		"spaces, limit":      second(c.Spaces().List(ctx, "", 1001)),
		"spaces, after":      second(c.Spaces().List(ctx, text, 9)),
		"space, a token":     second(c.Spaces().Get(ctx, text)),
	} {
		if !errors.Is(err, keyfob.ErrInput) && !errors.Is(err, keyfob.ErrNotFound) || errors.Is(err, keyfob.ErrInvalid) || strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := e.asked.Load(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// TestSpaceNames: what is none is no part of a URL.
func TestSpaceNames(t *testing.T) {
	e := newEnv(t, memory.Open())
	for name, sent := range map[string]int64{
		"a": 1, "a-1": 1, strings.Repeat("a", 63): 1,
		"": 0, strings.Repeat("a", 64): 0, "a-": 0, "-a": 0, "1a": 0, "A": 0, "a_b": 0, "a.b": 0, "a/b": 0, "é": 0,
	} {
		before := e.asked.Load()
		c := e.client(client.Config{}).In(name)
		// Text that is no token is judged after the space, as an Authority does.
		_, malformed := c.Verify(t.Context(), "x", keyfob.Check{})
		_, err := c.Get(t.Context(), "0000000000000000")
		if got := e.asked.Load() - before; got != sent || !errors.Is(err, keyfob.ErrSpace) || errors.Is(malformed, keyfob.ErrSpace) != (sent == 0) {
			t.Errorf("%q: %d requests, %v, %v", name, got, err, malformed)
		}
	}
}

// TestRequest: what a request is made of.
func TestRequest(t *testing.T) {
	e := newEnv(t, memory.Open())
	var got *http.Request
	c := e.client(client.Config{URL: "https://keyfob.example.com/base/", Transport: answers(func(r *http.Request) (*http.Response, error) {
		got = r
		return inProcess{e.handler}.RoundTrip(r)
	})})
	_, _ = c.Get(t.Context(), "0000000000000000")
	if url := got.URL.String(); url != "https://keyfob.example.com/base/v1/spaces/default/credentials/0000000000000000" {
		t.Errorf("the URL is %s", url)
	}
	issued, err := e.client(client.Config{}).Issue(t.Context(), &keyfob.APIKey{Subject: "alice"})
	if err != nil || issued.Credential.Subject != "alice" {
		t.Errorf("by a pointer: %+v, %v", issued.Credential, err)
	}
	suspended, err := e.client(client.Config{}).Suspend(t.Context(), issued.Credential.ID, "seen in public")
	if err != nil || suspended.Reason != "seen in public" {
		t.Errorf("Suspend: %q, %v", suspended.Reason, err)
	}
}

// TestOwnTransport: a proxy only where it cannot read along, no other machine
// than was said, no compression, and bounded headers.
func TestOwnTransport(t *testing.T) {
	for _, test := range []struct {
		url          string
		plain, proxy bool
	}{
		{"https://keyfob.example.com", false, true}, {"http://localhost", false, false},
		{"http://10.0.0.1", true, false}, {"unix:///run/keyfob.sock", false, false},
	} {
		transport, err := client.TransportOf(test.url, test.plain)
		if err != nil || (transport.Proxy != nil) != test.proxy {
			t.Errorf("%s: a proxy: %v, %v", test.url, transport.Proxy != nil, err)
		}
	}
	transport, err := client.TransportOf("http://localhost", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := transport.DialContext(t.Context(), "tcp", "192.0.2.1:80"); err == nil || !strings.Contains(err.Error(), "leads to another machine") {
		t.Errorf("localhost leads elsewhere: %v", err)
	}

	e := newEnv(t, memory.Open())
	asked, closed := 0, 0
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if encoding := r.Header["Accept-Encoding"]; encoding != nil {
			t.Errorf("it asks for %q", encoding)
		}
		w.Header().Set("X-Filler", strings.Repeat("x", 100_000))
		http.NotFound(w, r)
	}))
	defer ts.Close()
	if _, err := e.client(client.Config{URL: ts.URL, Retries: -1}).Get(t.Context(), "0000000000000000"); !errors.Is(err, keyfob.ErrUnavailable) || asked != 1 {
		t.Errorf("100 kB of headers: %v", err)
	}
	c := e.client(client.Config{Transport: answers(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: closing{endless{}, &closed}}, nil
	})})
	if _, err := c.Get(t.Context(), "0000000000000000"); !errors.Is(err, client.ErrServer) || closed != 1 {
		t.Errorf("%v, and the body was closed %d times", err, closed)
	}
}

// closing is a body that counts how often it is closed.
type closing struct {
	endless
	times *int
}

func (c closing) Close() error { *c.times++; return nil }

// TestTokenFiles: forms of a file, and what the token of a file is used for.
func TestTokenFiles(t *testing.T) {
	e := newEnv(t, memory.Open())
	path := filepath.Join(t.TempDir(), "token")
	for end, ok := range map[string]bool{"": true, "\n": true, "\r\n": true, "\r": true, "\n\n": false, "\n\r": false, " ": false} {
		e.must(os.WriteFile(path, []byte(e.owner.Secret.Reveal()+end), 0o600))
		if _, err := client.New(client.Config{URL: e.url, TokenFile: path}); (err == nil) != ok {
			t.Errorf("ends with %q: %v", end, err)
		}
	}
	// Over a Unix socket the file counts, too.
	e.must(os.WriteFile(path, []byte("x"), 0o600))
	if _, err := client.New(client.Config{URL: "unix:///run/keyfob.sock", TokenFile: path}); !errors.Is(err, keyfob.ErrInput) {
		t.Errorf("a file without a token, for a Unix socket: %v", err)
	}
	// To take up a new token is no try of its own.
	old := e.callerKey("owner")
	e.must(os.WriteFile(path, []byte(old.Secret.Reveal()), 0o600))
	c := e.client(client.Config{TokenFile: path, Retries: -1})
	e.must(e.a.In(keyfob.OwnSpace).Revoke(t.Context(), old.Credential.ID, ""))
	e.must(os.WriteFile(path, []byte(e.owner.Secret.Reveal()), 0o600))
	if _, err := c.Spaces().Get(t.Context(), "default"); err != nil {
		t.Errorf("with a new token and no retries: %v", err)
	}
}
