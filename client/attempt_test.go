package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/client"
	"github.com/keyfob-dev/keyfob/otp"
	"github.com/keyfob-dev/keyfob/store/memory"
	"github.com/keyfob-dev/keyfob/token"
)

// link issues one behind the server's back, and is what redeems it.
func (e *env) link(subject, purpose string) keyfob.Attempt {
	e.Helper()
	l, err := e.a.Issue(e.Context(), keyfob.Link{Subject: subject, Purpose: purpose})
	e.must(err)
	return keyfob.Attempt{Kind: keyfob.KindLink, Secret: l.Secret, Purpose: purpose}
}

// code issues one behind the server's back, and is what redeems it.
func (e *env) code(subject string) keyfob.Attempt {
	e.Helper()
	c, err := e.a.Issue(e.Context(), keyfob.Code{Subject: subject, Purpose: "login", Format: otp.FormatUnambiguous, Chars: 16})
	e.must(err)
	return keyfob.Attempt{Kind: keyfob.KindCode, Secret: c.Secret, Subject: subject, Purpose: "login"}
}

// enrol issues a TOTP behind the server's back, and is what confirms it.
func (e *env) enrol(subject string) keyfob.Attempt {
	e.Helper()
	k, err := e.a.Issue(e.Context(), keyfob.TOTP{Subject: subject, Account: subject})
	e.must(err)
	return keyfob.Attempt{Kind: keyfob.KindTOTP, Secret: e.shown(k), Subject: subject}
}

// shown is what an authenticator shows now.
func (e *env) shown(k keyfob.Issued) keyfob.Secret {
	e.Helper()
	key, err := otp.ParseURI(k.URI.Reveal())
	e.must(err)
	totp, err := key.TOTP()
	e.must(err)
	text, err := totp.Generate(key.Seed, e.clock.Now())
	e.must(err)
	return keyfob.NewSecret(text)
}

// wrong is an attempt with another secret of the same form.
func wrong(a keyfob.Attempt) keyfob.Attempt {
	a.Secret = keyfob.NewSecret(otp.Unambiguous(len(a.Secret.Reveal())))
	return a
}

// TestOneTimeLives lives through the life of each kind by the Client, and has the
// Authority tell what became of it.
func TestOneTimeLives(t *testing.T) {
	eachStore(t, func(e *env) {
		ctx, c := e.Context(), e.client(client.Config{})
		now := func(id string) keyfob.Credential {
			e.Helper()
			got, err := e.a.Get(ctx, id)
			e.must(err)
			return got
		}
		attributes := map[string]string{"to": "/inbox"}
		link, err := c.Issue(ctx, keyfob.Link{Subject: "alice", Purpose: "login", TTL: 90 * time.Second, Binding: "cookie", Attributes: attributes})
		e.must(err)
		same(e.T, "Issue of a link", link.Credential, now(link.Credential.ID))
		try := keyfob.Attempt{Kind: keyfob.KindLink, Secret: link.Secret, Purpose: "login"}
		if got, err := c.Inspect(ctx, try); !errors.Is(err, keyfob.ErrBinding) || got.Subject != "alice" {
			e.Errorf("another browser: %+v, %v", got, err)
		}
		if got, err := c.Redeem(ctx, try); !errors.Is(err, keyfob.ErrBinding) || got.ID != "" {
			e.Errorf("another browser: %+v, %v", got, err)
		}
		try.Binding, try.IP = "cookie", netip.MustParseAddr("fe80::1%eth0")
		for range 3 {
			got, err := c.Inspect(ctx, try)
			e.must(err)
			same(e.T, "Inspect", got, now(link.Credential.ID))
		}
		got, err := c.Redeem(ctx, try)
		e.must(err)
		same(e.T, "Redeem of a link", got, now(link.Credential.ID))
		e.pause(c)

		code, err := c.Issue(ctx, &keyfob.Code{Subject: "alice", Purpose: "login", Chars: 8, TTL: time.Minute, Attributes: attributes})
		e.must(err)
		same(e.T, "Issue of a code", code.Credential, now(code.Credential.ID))
		_, err = c.Issue(ctx, keyfob.Code{Subject: "alice", Purpose: "login"})
		if !errors.Is(err, keyfob.ErrTooSoon) || keyfob.RetryAfter(err) != 30*time.Second || errors.Is(err, keyfob.ErrInvalid) {
			e.Errorf("a second code: %v, after %v", err, keyfob.RetryAfter(err))
		}
		got, err = c.Redeem(ctx, keyfob.Attempt{Kind: keyfob.KindCode, Secret: code.Secret, Subject: "alice", Purpose: "login"})
		e.must(err)
		same(e.T, "Redeem of a code", got, now(code.Credential.ID))
		if len(code.Secret.Reveal()) != 8 {
			e.Errorf("a code of %d digits", len(code.Secret.Reveal()))
		}
		e.totp(c, now)
		e.recovery(c, now)
	})
}

func (e *env) pause(c *client.Client) {
	e.Helper()
	link := keyfob.Link{Subject: "alice", Purpose: "invite", Pause: time.Minute}
	_, err := c.Issue(e.Context(), link)
	e.must(err)
	e.clock.Advance(59 * time.Second)
	if _, err := c.Issue(e.Context(), link); !errors.Is(err, keyfob.ErrTooSoon) || keyfob.RetryAfter(err) != time.Second {
		e.Errorf("a second link: %v, after %v", err, keyfob.RetryAfter(err))
	}
	e.clock.Advance(time.Second)
	_, err = c.Issue(e.Context(), link)
	e.must(err)
	link.Pause += time.Millisecond // finer than the API's
	if _, err := c.Issue(e.Context(), link); !errors.Is(err, keyfob.ErrInput) {
		e.Errorf("a pause of %v: %v", link.Pause, err)
	}
}

func (e *env) totp(c *client.Client, now func(id string) keyfob.Credential) {
	e.Helper()
	ctx := e.Context()
	for range 10 {
		k, err := c.Issue(ctx, keyfob.TOTP{Subject: "alice", Account: "a", Issuer: "Example", Algorithm: otp.SHA256, Name: "phone"})
		e.must(err)
		same(e.T, "Issue of a TOTP", k.Credential, now(k.Credential.ID))
		if key, err := otp.ParseURI(k.URI.Reveal()); err != nil || key.Seed.Base32() != k.Secret.Reveal() || key.Algorithm != otp.SHA256 || key.Issuer != "Example" {
			e.Errorf("the URI has %+v, %v", key, err)
		}
		e.clock.Advance(time.Minute)
		try := keyfob.Attempt{Kind: keyfob.KindTOTP, Secret: e.shown(k), Subject: "alice"}
		got, err := c.Confirm(ctx, try)
		e.must(err)
		same(e.T, "Confirm", got, now(k.Credential.ID))
		if _, err := c.Redeem(ctx, try); !errors.Is(err, keyfob.ErrRedeemed) {
			e.Errorf("the code that confirmed: %v", err)
		}
		e.clock.Advance(30 * time.Second)
		try.Secret, try.Strict = e.shown(k), true
		got, err = c.Redeem(ctx, try)
		e.must(err)
		same(e.T, "Redeem of a TOTP", got, now(k.Credential.ID))
		e.clock.Advance(time.Hour)
	}
	if _, err := c.Issue(ctx, keyfob.TOTP{Subject: "alice", Account: "a"}); !errors.Is(err, keyfob.ErrConflict) || !strings.Contains(err.Error(), "it has 10 of the kind totp") {
		e.Errorf("the eleventh: %v", err)
	}
}

func (e *env) recovery(c *client.Client, now func(id string) keyfob.Credential) {
	e.Helper()
	ctx := e.Context()
	set, err := c.Issue(ctx, keyfob.Recovery{Subject: "alice"})
	e.must(err)
	same(e.T, "Issue of a recovery set", set.Credential, now(set.Credential.ID))
	for i, secret := range set.Secrets {
		got, err := c.Redeem(ctx, keyfob.Attempt{Kind: keyfob.KindRecovery, Secret: secret, Subject: "alice"})
		e.must(err)
		if got.Used != int64(i+1) || len(got.Versions) != 1 || got.Versions[0].State != keyfob.VersionEnded {
			e.Errorf("%+v", got)
		}
		e.clock.Advance(time.Minute)
	}
	if len(set.Secrets) != 10 || now(set.Credential.ID).State != keyfob.StateExhausted {
		e.Errorf("%d codes, and %+v", len(set.Secrets), now(set.Credential.ID))
	}
	for _, filter := range []keyfob.Filter{{Kind: keyfob.KindTOTP, Limit: 3}, {Purpose: "login"}, {States: []keyfob.State{keyfob.StateRedeemed}}, {Kind: keyfob.KindRecovery}} {
		want, err := e.a.List(ctx, filter)
		e.must(err)
		got, err := c.List(ctx, filter)
		e.must(err)
		if same(e.T, "List", got.Items, want.Items); len(got.Items) == 0 {
			e.Errorf("%+v lists nothing", filter)
		}
	}
	e.must(c.Revoke(ctx, set.Credential.ID, "lost"))
	got, err := c.Get(ctx, set.Credential.ID)
	e.must(err)
	if same(e.T, "Revoke", got, now(set.Credential.ID)); got.State != keyfob.StateRevoked {
		e.Errorf("%+v", got)
	}
	e.clock.Advance(time.Minute)
	if n, err := c.Purge(ctx, keyfob.KindRecovery, e.clock.Now()); n != 1 || err != nil {
		e.Errorf("Purge: %d, %v", n, err)
	}
	if _, err := c.Suspend(ctx, e.idOf("bob"), ""); !errors.Is(err, keyfob.ErrNotFound) {
		e.Errorf("Suspend of a link: %v", err)
	}
}

// idOf is the id of a link.
func (e *env) idOf(subject string) string {
	e.link(subject, "login")
	page, err := e.a.List(e.Context(), keyfob.Filter{Subject: subject, Limit: 1})
	e.must(err)
	return page.Items[0].ID
}

// TestAttemptReasons: each way of being refused has its own error, and the same one
// with the same time to wait.
func TestAttemptReasons(t *testing.T) {
	eachStore(t, func(e *env) {
		ctx := e.Context()
		for who, v := range map[string]keyfob.Verbs{"Authority": e.a, "Client": e.client(client.Config{})} {
			want := func(what string, reason string, wait time.Duration, a keyfob.Attempt) {
				e.Helper()
				got, err := v.Redeem(ctx, a)
				if keyfob.Reason(err) != reason || errors.Is(err, keyfob.ErrInvalid) == (reason == "ok") || keyfob.RetryAfter(err) != wait || (got.ID == "") == (reason == "ok") {
					e.Errorf("%s, %s: %v after %v, want %s after %v", who, what, err, keyfob.RetryAfter(err), reason, wait)
				}
				if err != nil && a.Secret.Reveal() != "" && strings.Contains(err.Error(), a.Secret.Reveal()) {
					e.Errorf("%s, %s: %v repeats the secret", who, what, err)
				}
			}
			link := e.link(who, "login")
			other := link
			other.Purpose = "reset"
			want("another purpose", "purpose", 0, other)
			want("a link", "ok", 0, link)
			want("it again", "redeemed", 0, link)
			for _, text := range []string{"", "x", "a\xff", strings.Repeat("x", 100_000), token.New("x").Reveal() + "x"} {
				a := link
				a.Secret = keyfob.NewSecret(text)
				want("no token", "malformed", 0, a)
				a = keyfob.Attempt{Kind: keyfob.KindRecovery, Subject: who, Secret: a.Secret}
				want("no code", "malformed", 0, a)
			}
			code := e.code(who)
			for range 3 {
				want("a wrong code", "unknown", 0, wrong(code))
			}
			want("after three", "locked", time.Second, code)
			e.clock.Advance(500 * time.Millisecond)
			_, err := v.Redeem(ctx, code)
			if wait := keyfob.RetryAfter(err); !errors.Is(err, keyfob.ErrLocked) || wait < 500*time.Millisecond || wait > time.Second {
				e.Errorf("%s: %v after %v", who, err, wait)
			}
			e.must(v.Unlock(ctx, who, "seen in person"))
			for range 2 {
				want("a wrong code", "unknown", 0, wrong(code))
			}
			want("the sixth", "exhausted", 0, code)
			e.must(v.Unlock(ctx, who, ""))
			want("nobody's", "unknown", 0, keyfob.Attempt{Kind: keyfob.KindTOTP, Subject: "nobody of " + who, Secret: keyfob.NewSecret("000000")})
		}
	})
}

// TestRedeemOnce: of many Clients that race for one link one gets it.
func TestRedeemOnce(t *testing.T) {
	eachStore(t, func(e *env) {
		c := e.client(client.Config{})
		for range 5 {
			link := e.link("alice", "login")
			var won atomic.Int64
			var all sync.WaitGroup
			for range 32 {
				all.Go(func() {
					if _, err := c.Redeem(e.Context(), link); err == nil {
						won.Add(1)
					} else if !errors.Is(err, keyfob.ErrRedeemed) {
						e.Errorf("a loser: %v", err)
					}
				})
			}
			all.Wait()
			if won.Load() != 1 {
				e.Errorf("%d won", won.Load())
			}
		}
	})
}

// TestRedeemIsNotRepeated: whatever comes back in the place of an answer, a request
// that may have been read is not sent again; where nothing was done, it is.
func TestRedeemIsNotRepeated(t *testing.T) {
	e := newEnv(t, memory.Open())
	link := e.link("alice", "login")
	var asked atomic.Int64
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if asked.Add(1) == 1 { // so that there is a connection to use again
			e.handler.ServeHTTP(w, r)
			return
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		e.must(err)
		conn.Close()
	}))
	defer ts.Close()
	c := e.client(client.Config{URL: ts.URL})
	c.Sleep(new(waits).sleep)
	if _, err := c.Get(e.Context(), "0000000000000000"); !errors.Is(err, keyfob.ErrNotFound) {
		t.Fatal(err)
	}
	if _, err := c.Redeem(e.Context(), link); !errors.Is(err, keyfob.ErrUnavailable) || errors.Is(err, keyfob.ErrInvalid) || asked.Load() != 2 {
		t.Errorf("a connection that ends: %v, %d requests", err, asked.Load())
	}
	for _, test := range []struct {
		answer answers
		tries  int
	}{
		{canned(503, "application/problem+json", problem(kind{"unavailable", 503}, "d", "")), 1},
		{canned(503, "application/problem+json", problem(kind{"busy", 503}, "d", "")), 3},
		{canned(500, "application/problem+json", problem(kind{"internal", 500}, "d", "")), 1},
		{canned(502, "text/html", ""), 1}, {canned(504, "text/html", ""), 1}, {canned(503, "text/html", ""), 1},
		{canned(200, "application/json", "{"), 1}, {canned(429, "text/html", ""), 1},
		{func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }, 1},
		{func(*http.Request) (*http.Response, error) { return nil, context.DeadlineExceeded }, 1},
	} {
		tries := 0
		c := e.client(client.Config{Transport: answers(func(r *http.Request) (*http.Response, error) { tries++; return test.answer(r) })})
		c.Sleep(new(waits).sleep)
		if _, err := c.Redeem(e.Context(), link); err == nil || errors.Is(err, keyfob.ErrInvalid) || tries != test.tries {
			t.Errorf("%v: %d tries, want %d", err, tries, test.tries)
		}
	}
	if _, err := e.a.Redeem(e.Context(), link); err != nil {
		t.Errorf("the link was consumed: %v", err)
	}
}

// TestForeignOutcomes: what is no answer to the attempt accepts nobody.
func TestForeignOutcomes(t *testing.T) {
	e := newEnv(t, memory.Open())
	link := e.link("alice", "login")
	presented, err := token.Parse(link.Secret.Reveal())
	e.must(err)
	good := `{"valid":true,"reason":"ok","staleness_ms":0,"credential":{"id":"0000000000000000","space":"default","kind":"link","subject":"alice","purpose":"login","name":"","scopes":[],
		"attributes":{},"cidrs":[],"state":"redeemed","revision":2,"created_at":"2030-01-02T03:04:05.678Z","versions":[{"id":"` + presented.ID() + `","number":1,"prefix":"default","state":"ended","created_at":"2030-01-02T03:04:05.678Z"}]}}`
	ask := func(body string, attempt keyfob.Attempt, inspect bool) error {
		t.Helper()
		c := e.client(client.Config{Transport: canned(200, "application/json", body), Retries: -1})
		do := c.Redeem
		if inspect {
			do = c.Inspect
		}
		got, err := do(e.Context(), attempt)
		if (got.ID == "") != (err != nil) {
			t.Errorf("%v, and %+v", err, got)
		}
		return err
	}
	if err := ask(good, link, false); err != nil {
		t.Fatalf("the good answer: %v", err)
	}
	active := strings.Replace(good, `"redeemed"`, `"active"`, 1)
	if err := ask(active, link, true); err != nil {
		t.Fatalf("the good answer to Inspect: %v", err)
	}
	refused := `{"valid":false,"reason":"locked","staleness_ms":0,"retry_after":7}`
	if err := ask(refused, link, false); !errors.Is(err, keyfob.ErrLocked) || keyfob.RetryAfter(err) != 7*time.Second {
		t.Fatalf("a good refusal: %v", err)
	}
	for name, change := range map[string][2]string{
		"another token's": {presented.ID(), "0123456789abcdef"}, "another space's": {`"space":"default"`, `"space":"acme"`}, "of another kind": {`"link"`, `"code"`},
		"another purpose": {`"login"`, `"reset"`}, "not consumed": {`"redeemed"`, `"active"`}, "revoked": {`"redeemed"`, `"revoked"`},
		"a reason": {`"ok"`, `"redeemed"`}, "not valid": {"true", "false"}, "old": {`"staleness_ms":0`, `"staleness_ms":1`}, "later": {`"staleness_ms":0`, `"staleness_ms":0,"retry_after":1`},
		"confirmed": {`"name":""`, `"name":"","confirmed":true`},
	} {
		if err := ask(strings.Replace(good, change[0], change[1], 1), link, false); !errors.Is(err, client.ErrServer) || errors.Is(err, keyfob.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, body := range map[string]string{
		"redeemed by Inspect": good, "nobody": `{"valid":true,"reason":"ok","staleness_ms":0}`, "binding without": `{"valid":false,"reason":"binding","staleness_ms":0}`,
		"before now": strings.Replace(refused, "7", "-7", 1), "centuries": strings.Replace(refused, "7", "9223372037", 1), "no reason": `{"valid":false,"reason":"","staleness_ms":0}`,
		"refused with": strings.NewReplacer("true", "false", `"ok"`, `"purpose"`).Replace(active),
	} {
		if err := ask(body, link, true); !errors.Is(err, client.ErrServer) || errors.Is(err, keyfob.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	code := keyfob.Attempt{Kind: keyfob.KindCode, Subject: "alice", Purpose: "login", Secret: keyfob.NewSecret("000000")}
	if err := ask(strings.Replace(good, `"link"`, `"code"`, 1), code, false); err != nil {
		t.Errorf("a code: %v", err)
	}
	if code.Subject = "bob"; !errors.Is(ask(strings.Replace(good, `"link"`, `"code"`, 1), code, false), client.ErrServer) {
		t.Error("alice's code redeemed bob's")
	}
	totp := keyfob.Attempt{Kind: keyfob.KindTOTP, Subject: "alice", Secret: keyfob.NewSecret("000000")}
	shown := strings.NewReplacer(`"link"`, `"totp"`, `"purpose":"login",`, "", `"redeemed"`, `"active"`)
	if err := ask(shown.Replace(good), totp, false); !errors.Is(err, client.ErrServer) {
		t.Errorf("a TOTP that is not confirmed: %v", err)
	}
}
