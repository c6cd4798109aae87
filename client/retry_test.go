package client_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/client"
	"github.com/keyfob-dev/keyfob/store/memory"
	"github.com/keyfob-dev/keyfob/token"
)

// flaky is a proxy that loses answers: the server gets each request and does
// what it says, and of the first ones nobody learns.
type flaky struct {
	e    *env
	url  string
	lose atomic.Int64 // answers that are still to be lost
	keys chan string  // Idempotency-Key of each request, as it passes
}

func newFlaky(e *env) *flaky {
	e.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	e.must(err)
	f := &flaky{e: e, url: "http://" + l.Addr().String(), keys: make(chan string, 100)}
	var running sync.WaitGroup
	e.Cleanup(func() { l.Close(); running.Wait() })
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { f.pass(conn) })
		}
	})
	return f
}

// pass hands one request on. Each has a connection of its own.
func (f *flaky) pass(conn net.Conn) {
	defer conn.Close()
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	f.keys <- r.Header.Get("Idempotency-Key")
	resp, err := inProcess{f.e.handler}.RoundTrip(r.WithContext(context.Background()))
	if err != nil || f.lose.Add(-1) >= 0 {
		return
	}
	resp.Close = true
	resp.Write(conn)
}

// waits notes what a Client waits for, and lets no time pass.
type waits struct {
	mu  sync.Mutex
	all []time.Duration
}

func (w *waits) sleep(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, d)
	return ctx.Err()
}

// TestLostAnswers counts what reaches the server when answers are lost: what is
// safe is done again, and all else once.
func TestLostAnswers(t *testing.T) {
	e := newEnv(t, memory.Open())
	f := newFlaky(e)
	ctx, text := e.Context(), e.key(keyfob.APIKey{}).Secret.Reveal()
	keyed := keyfob.WithIdempotencyKey(ctx, token.Random())
	session := func() string { return e.session(keyfob.Session{}).Credential.ID }
	spare := func() string { return e.key(keyfob.APIKey{}).Credential.ID }
	for name, verb := range map[string]struct {
		do   func(c *client.Client) error
		want int64 // requests, when two answers are lost
	}{
		"Get":               {want: 3, do: func(c *client.Client) error { _, err := c.Get(ctx, spare()); return err }},
		"List":              {want: 3, do: func(c *client.Client) error { _, err := c.List(ctx, keyfob.Filter{}); return err }},
		"Verify":            {want: 3, do: func(c *client.Client) error { _, err := c.Verify(ctx, text, keyfob.Check{}); return err }},
		"Revoke":            {want: 3, do: func(c *client.Client) error { return c.Revoke(ctx, spare(), "") }},
		"Spaces.Get":        {want: 3, do: func(c *client.Client) error { _, err := c.Spaces().Get(ctx, "default"); return err }},
		"Spaces.List":       {want: 3, do: func(c *client.Client) error { _, err := c.Spaces().List(ctx, "", 9); return err }},
		"Events.List":       {want: 3, do: func(c *client.Client) error { _, err := c.Events().List(ctx, keyfob.EventFilter{}); return err }},
		"Events.Verify":     {want: 3, do: func(c *client.Client) error { _, err := c.Events().Verify(ctx); return err }},
		"Events.Checkpoint": {want: 3, do: func(c *client.Client) error { _, err := c.Events().Checkpoint(ctx); return err }},
		"Issue, drawn key":  {want: 3, do: func(c *client.Client) error { _, err := c.Issue(ctx, keyfob.APIKey{Subject: "a"}); return err }},
		"Issue, own key":    {want: 3, do: func(c *client.Client) error { _, err := c.Issue(keyed, keyfob.APIKey{Subject: "a"}); return err }},
		"Rotate, own key":   {want: 3, do: func(c *client.Client) error { _, err := c.Rotate(keyed, spare(), 0); return err }},

		"Rotate, drawn key": {want: 3, do: func(c *client.Client) error { _, err := c.Rotate(ctx, spare(), 0); return err }},

		"Issue of a link, drawn key": {want: 3, do: func(c *client.Client) error {
			_, err := c.Issue(ctx, keyfob.Link{Subject: "b", Purpose: "login"})
			return err
		}},
		"Issue of a session, drawn key": {want: 3, do: func(c *client.Client) error {
			before := e.session(keyfob.Session{}).Credential
			_, err := c.Issue(ctx, keyfob.Session{Subject: "e", From: before.Versions[0].ID})
			return err
		}},
		"Renew, drawn key": {want: 3, do: func(c *client.Client) error { _, err := c.Renew(ctx, session()); return err }},
		"Renew, own key":   {want: 3, do: func(c *client.Client) error { _, err := c.Renew(keyed, session()); return err }},
		"Verify, session": {want: 3, do: func(c *client.Client) error {
			_, err := c.Verify(ctx, e.session(keyfob.Session{}).Secret.Reveal(), ofSession)
			return err
		}},
		"RevokeSubject": {want: 1, do: func(c *client.Client) error { return c.RevokeSubject(ctx, "d", "", keyfob.KindSession) }},
		"Update, session": {want: 1, do: func(c *client.Client) error {
			_, err := c.Update(ctx, keyfob.Credential{Kind: keyfob.KindSession, ID: session(), Revision: 1})
			return err
		}},
		"Inspect": {want: 3, do: func(c *client.Client) error { _, err := c.Inspect(ctx, e.link("c", "login")); return err }},
		"Redeem":  {want: 1, do: func(c *client.Client) error { _, err := c.Redeem(ctx, e.link("d", "login")); return err }},
		"Confirm": {want: 1, do: func(c *client.Client) error { _, err := c.Confirm(ctx, e.enrol("d")); return err }},
		"Unlock":  {want: 1, do: func(c *client.Client) error { return c.Unlock(ctx, "d", "") }},

		"Rollback": {want: 1, do: func(c *client.Client) error { _, err := c.Rollback(ctx, spare()); return err }},
		"Suspend":  {want: 1, do: func(c *client.Client) error { _, err := c.Suspend(ctx, spare(), ""); return err }},
		"Resume":   {want: 1, do: func(c *client.Client) error { _, err := c.Resume(ctx, spare()); return err }},
		"Update": {want: 1, do: func(c *client.Client) error {
			_, err := c.Update(ctx, keyfob.Credential{ID: spare(), Revision: 1})
			return err
		}},
		"Purge": {want: 1, do: func(c *client.Client) error { _, err := c.Purge(ctx, keyfob.KindAPIKey, e.clock.Now()); return err }},
		"Spaces.Create": {want: 1, do: func(c *client.Client) error {
			_, err := c.Spaces().Create(ctx, keyfob.Space{Name: "x", Prefix: "x"})
			return err
		}},
		"Spaces.Update": {want: 1, do: func(c *client.Client) error {
			_, err := c.Spaces().Update(ctx, keyfob.Space{Name: "default", Prefix: "x", Revision: 1})
			return err
		}},
	} {
		var w waits
		c := e.client(client.Config{URL: f.url})
		c.Sleep(w.sleep)
		before := e.asked.Load()
		f.lose.Store(2)
		err := verb.do(c)
		got := e.asked.Load() - before
		if got != verb.want {
			t.Errorf("%s: %d requests, want %d", name, got, verb.want)
		}
		if (err == nil) != (verb.want == 3) || err != nil && !errors.Is(err, keyfob.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
		if len(w.all) != int(verb.want)-1 || len(w.all) == 2 && (w.all[0] < 50*time.Millisecond || w.all[1] < 100*time.Millisecond) {
			t.Errorf("%s: waited for %v", name, w.all)
		}
		first := <-f.keys
		for range got - 1 {
			if again := <-f.keys; again != first {
				t.Errorf("%s: the keys %q and %q", name, first, again)
			}
		}
		if strings.Contains(name, "key") != (first != "") {
			t.Errorf("%s: the key %q", name, first)
		}
	}
	if made, err := e.a.List(ctx, keyfob.Filter{Subject: "a"}); len(made.Items) != 2 || err != nil {
		t.Errorf("two Issues whose answers were lost made %d keys, %v", len(made.Items), err)
	}
	if made, err := e.a.List(ctx, keyfob.Filter{Subject: "b"}); len(made.Items) != 1 || err != nil {
		t.Errorf("an Issue whose answers were lost made %d links, %v", len(made.Items), err)
	}
	if made, err := e.a.List(ctx, keyfob.Filter{Subject: "e"}); len(made.Items) != 1 || err != nil {
		t.Errorf("an Issue whose answers were lost made %d sessions, %v", len(made.Items), err)
	}
	// Three lost answers are one too many.
	c := e.client(client.Config{URL: f.url})
	c.Sleep(new(waits).sleep)
	f.lose.Store(3)
	if _, err := c.Verify(ctx, text, keyfob.Check{}); !errors.Is(err, keyfob.ErrUnavailable) || errors.Is(err, keyfob.ErrInvalid) {
		t.Errorf("three lost answers: %v", err)
	}
}

// TestNeverReached: a request that nobody can have got is sent again whatever it
// asks for.
func TestNeverReached(t *testing.T) {
	e := newEnv(t, memory.Open())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	e.must(err)
	address := l.Addr().String()
	e.must(l.Close())
	c := e.client(client.Config{URL: "http://" + address})
	c.Sleep(func(context.Context, time.Duration) error { // now it comes up
		l, err := net.Listen("tcp", address)
		e.must(err)
		ts := &httptest.Server{Listener: l, Config: &http.Server{Handler: e.handler}}
		ts.Start()
		t.Cleanup(ts.Close)
		return nil
	})
	if _, err := c.Suspend(e.Context(), e.key(keyfob.APIKey{}).Credential.ID, ""); err != nil {
		t.Error(err)
	}
	if _, err := e.client(client.Config{URL: "http://127.0.0.1:1", Retries: -1}).Get(e.Context(), "0000000000000000"); !errors.Is(err, keyfob.ErrUnavailable) {
		t.Errorf("nobody there: %v", err)
	}
}

// TestRetryAfter: a server that asks to wait is obeyed, as far as there is time.
func TestRetryAfter(t *testing.T) {
	answer := func(status int, kind, after string) answers {
		return func(*http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			w.Header().Set("Retry-After", after)
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(status)
			io.WriteString(w, `{"type":"urn:keyfob:problem:`+kind+`","title":"t","status":`+strconv.Itoa(status)+`,"detail":"d","instance":"urn:keyfob:request:i"}`)
			return w.Result(), nil
		}
	}
	e := newEnv(t, memory.Open())
	for _, test := range []struct {
		kind, after string
		change      bool
		waits       int
		least       time.Duration
	}{
		{kind: "unavailable", after: "3", waits: 2, least: 3 * time.Second},
		{kind: "unavailable", after: "3", change: true},
		{kind: "busy", after: "2", change: true, waits: 2, least: 2 * time.Second}, // nothing was done
		{kind: "busy", after: "-1", waits: 2},
		{kind: "of-a-later-version", after: "1", waits: 2, least: time.Second},
		{kind: "unavailable", after: "3600"}, // beyond the time there is
	} {
		var w waits
		c := e.client(client.Config{Transport: answer(503, test.kind, test.after)})
		c.Sleep(w.sleep)
		var err error
		if test.change {
			_, err = c.Suspend(e.Context(), "0000000000000000", "")
		} else {
			_, err = c.Get(e.Context(), "0000000000000000")
		}
		if !errors.Is(err, keyfob.ErrUnavailable) || len(w.all) != test.waits || len(w.all) > 0 && slices.Min(w.all) < test.least {
			t.Errorf("%+v: waited for %v, %v", test, w.all, err)
		}
	}
	var w waits
	c := e.client(client.Config{Transport: answer(503, "unavailable", ""), Retries: 100})
	c.Sleep(w.sleep)
	if _, err := c.Get(e.Context(), "0000000000000000"); !errors.Is(err, keyfob.ErrUnavailable) || len(w.all) != 100 || slices.Max(w.all) >= 6400*time.Millisecond {
		t.Errorf("%d tries, %v: waited for up to %v", 1+len(w.all), err, slices.Max(w.all))
	}
}

// TestContexts: a call ends with its context, and after Timeout.
func TestContexts(t *testing.T) {
	e := newEnv(t, memory.Open())
	hang := answers(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	if _, err := e.client(client.Config{Transport: hang, Timeout: time.Millisecond}).Get(e.Context(), "0000000000000000"); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, keyfob.ErrUnavailable) {
		t.Errorf("after Timeout: %v", err)
	}
	ctx, cancel := context.WithCancel(e.Context())
	c := e.client(client.Config{Transport: answers(func(r *http.Request) (*http.Response, error) { cancel(); return nil, io.ErrUnexpectedEOF })})
	if _, err := c.Get(ctx, "0000000000000000"); !errors.Is(err, keyfob.ErrUnavailable) {
		t.Errorf("cancelled while it waits: %v", err)
	}
}

func TestIdempotencyKeyIsChecked(t *testing.T) {
	e := newEnv(t, memory.Open())
	_, err := e.client(client.Config{}).Issue(keyfob.WithIdempotencyKey(e.Context(), "short\r\n"), keyfob.APIKey{Subject: "a"})
	if input, ok := errors.AsType[*keyfob.InputError](err); !ok || input.Field != "idempotency key" || e.asked.Load() != 0 {
		t.Errorf("got %v, %d requests", err, e.asked.Load())
	}
}
