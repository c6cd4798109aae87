package client_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/client"
	"github.com/keyfob-dev/keyfob/keyfobtest"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// cached is a Client with a cache of ten seconds, on a clock of its own, of a
// server in the same process.
type cached struct {
	*env
	*client.Client
	clock *keyfobtest.Clock
}

func newCached(t *testing.T, config client.Config) *cached {
	t.Helper()
	e := newEnv(t, memory.Open())
	c := &cached{env: e, clock: &keyfobtest.Clock{}}
	c.clock.Set(e.clock.Now())
	config.MaxStaleness, config.Now = 10*time.Second, c.clock.Now
	if config.Transport == nil {
		config.Transport = inProcess{e.handler}
	}
	c.Client = e.client(config)
	return c
}

// verify verifies, and says whether the server was asked.
func (c *cached) verify(text string, check keyfob.Check) (bool, error) {
	before := c.asked.Load()
	_, err := c.Verify(c.Context(), text, check)
	return c.asked.Load() != before, err
}

func (c *cached) wantAsked(what string, want bool, text string, check keyfob.Check, wantErr error) {
	c.Helper()
	asked, err := c.verify(text, check)
	if asked != want || !errors.Is(err, wantErr) {
		c.Errorf("%s: asked %v, %v; want %v, %v", what, asked, err, want, wantErr)
	}
}

// TestCacheBound: what somebody else revoked is accepted for as long as
// MaxStaleness says and not a moment longer.
func TestCacheBound(t *testing.T) {
	c := newCached(t, client.Config{})
	k := c.key(keyfob.APIKey{})
	text := k.Secret.Reveal()
	c.wantAsked("first", true, text, keyfob.Check{}, nil)
	c.clock.Advance(4 * time.Second)
	v, err := c.Judge(t.Context(), text, keyfob.Check{})
	if err != nil || v.Staleness != 4*time.Second {
		t.Errorf("%v, %v", v.Staleness, err)
	}
	c.must(c.a.Revoke(t.Context(), k.Credential.ID, ""))
	c.clock.Advance(6*time.Second - time.Millisecond)
	c.wantAsked("within the bound", false, text, keyfob.Check{}, nil)
	c.clock.Advance(time.Millisecond)
	c.wantAsked("at the bound", true, text, keyfob.Check{}, keyfob.ErrRevoked)
	c.clock.Advance(-time.Hour)
	c.wantAsked("a clock that goes back", true, text, keyfob.Check{}, keyfob.ErrRevoked)
}

// TestCacheIsNotRevived: a clock that goes back revives no verdict.
func TestCacheIsNotRevived(t *testing.T) {
	c := newCached(t, client.Config{})
	text := c.key(keyfob.APIKey{}).Secret.Reveal()
	c.wantAsked("first", true, text, keyfob.Check{}, nil)
	c.clock.Advance(-time.Millisecond)
	c.wantAsked("from the future", true, text, keyfob.Check{}, nil)
}

// TestCacheAddsStaleness: the server's part of the bound counts.
func TestCacheAddsStaleness(t *testing.T) {
	e := newEnv(t, memory.Open())
	api := e.handler
	old := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		api.ServeHTTP(rec, r)
		w.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
		w.WriteHeader(rec.Code)
		fmt.Fprint(w, strings.Replace(rec.Body.String(), `"staleness_ms":0`, `"staleness_ms":7000`, 1))
	})
	clock := &keyfobtest.Clock{}
	clock.Set(time.Now())
	c := &cached{env: e, clock: clock, Client: e.client(client.Config{Transport: inProcess{old}, MaxStaleness: 10 * time.Second, Now: clock.Now})}
	text := e.key(keyfob.APIKey{}).Secret.Reveal()
	c.wantAsked("first", true, text, keyfob.Check{}, nil)
	clock.Advance(3*time.Second - time.Millisecond)
	c.wantAsked("within the bound", false, text, keyfob.Check{}, nil)
	if v, _ := c.Judge(t.Context(), text, keyfob.Check{}); v.Staleness != 10*time.Second-time.Millisecond {
		t.Errorf("its staleness is %v", v.Staleness)
	}
	clock.Advance(time.Millisecond)
	c.wantAsked("at the bound", true, text, keyfob.Check{}, nil)
}

// TestCacheEnds: no verdict outlives its credential or its version.
func TestCacheEnds(t *testing.T) {
	c := newCached(t, client.Config{})
	expires := c.key(keyfob.APIKey{Expires: c.clock.Now().Add(5 * time.Second)}).Secret.Reveal()
	rotated := c.key(keyfob.APIKey{})
	_, err := c.a.Rotate(t.Context(), rotated.Credential.ID, 5*time.Second)
	c.must(err)
	for what, text := range map[string]string{"credential": expires, "version": rotated.Secret.Reveal()} {
		c.wantAsked(what, true, text, keyfob.Check{}, nil)
		c.wantAsked(what, false, text, keyfob.Check{}, nil)
	}
	c.clock.Advance(5*time.Second - time.Millisecond)
	c.wantAsked("before its expiry", false, expires, keyfob.Check{}, nil)
	c.clock.Advance(time.Millisecond)
	c.env.clock.Advance(5 * time.Second)
	c.wantAsked("at its expiry", true, expires, keyfob.Check{}, keyfob.ErrExpired)
	c.wantAsked("at its version's end", true, rotated.Secret.Reveal(), keyfob.Check{}, keyfob.ErrReplaced)
}

// TestCacheAnswersTheQuestion: a verdict answers the question that it was given on.
func TestCacheAnswersTheQuestion(t *testing.T) {
	c := newCached(t, client.Config{})
	here, there := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.1")
	text := c.key(keyfob.APIKey{Scopes: []string{"a", "b"}}).Secret.Reveal()
	ab := keyfob.Check{Scopes: []string{"a", "b"}, IP: here}
	c.wantAsked("first", true, text, ab, nil)
	c.wantAsked("the same", false, text, ab, nil)
	c.wantAsked("in another order, from elsewhere", false, text, keyfob.Check{Scopes: []string{"b", "a"}, IP: there}, nil)
	backwards := []string{"b", "a"}
	c.wantAsked("in another order", false, text, keyfob.Check{Scopes: backwards}, nil)
	if backwards[0] != "b" {
		t.Errorf("the caller's scopes are now %q", backwards)
	}
	c.wantAsked("of another kind", true, text, keyfob.Check{Kind: "session", Scopes: ab.Scopes}, keyfob.ErrUnknown)
	c.wantAsked("of another scope", true, text, keyfob.Check{Scopes: []string{"c"}}, keyfob.ErrScope)
	c.wantAsked("of two scopes run together", true, text, keyfob.Check{Scopes: []string{"ab"}}, keyfob.ErrScope)
	if _, err := c.In("keyfob").Verify(t.Context(), text, ab); !errors.Is(err, keyfob.ErrUnknown) {
		t.Errorf("in another space: %v", err)
	}
	other := text[:len(text)-8] + "00000000"
	c.wantAsked("of another token", false, other, ab, keyfob.ErrMalformed)

	local := c.key(keyfob.APIKey{CIDRs: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}).Secret.Reveal()
	c.wantAsked("from its network", true, local, keyfob.Check{IP: here}, nil)
	c.wantAsked("from its network", false, local, keyfob.Check{IP: here}, nil)
	c.wantAsked("from elsewhere", true, local, keyfob.Check{IP: there}, keyfob.ErrIP)
	c.wantAsked("from nowhere", true, local, keyfob.Check{}, keyfob.ErrIP)
}

// TestNotCached: refusals, failures, and what counts each use.
func TestNotCached(t *testing.T) {
	c := newCached(t, client.Config{})
	uses := c.key(keyfob.APIKey{Uses: 3}).Secret.Reveal()
	for range 3 {
		c.wantAsked("with uses", true, uses, keyfob.Check{}, nil)
	}
	limited := c.key(keyfob.APIKey{Limit: keyfob.Limit{Rate: 2, Per: time.Hour}}).Secret.Reveal()
	for range 2 {
		c.wantAsked("with a limit", true, limited, keyfob.Check{}, nil)
	}
	c.wantAsked("beyond its limit", true, limited, keyfob.Check{}, keyfob.ErrRateLimited)
	c.wantAsked("used up", true, uses, keyfob.Check{}, keyfob.ErrExhausted)
	scoped := c.key(keyfob.APIKey{}).Secret.Reveal()
	for range 2 {
		c.wantAsked("refused", true, scoped, keyfob.Check{Scopes: []string{"read"}}, keyfob.ErrScope)
	}
	if n := c.Cached(); n != 0 {
		t.Errorf("%d verdicts are kept", n)
	}
}

// TestOwnChangesAreKnownAtOnce: what this Client changed, in any space, it does
// not answer from its cache.
func TestOwnChangesAreKnownAtOnce(t *testing.T) {
	c := newCached(t, client.Config{})
	ctx := t.Context()
	for name, change := range map[string]func(k keyfob.Credential) error{
		"Revoke":  func(k keyfob.Credential) error { return c.Revoke(ctx, k.ID, "") },
		"Suspend": func(k keyfob.Credential) error { _, err := c.Suspend(ctx, k.ID, ""); return err },
		"Rotate":  func(k keyfob.Credential) error { _, err := c.Rotate(ctx, k.ID, 0); return err },
		"Update": func(k keyfob.Credential) error {
			k.Scopes = nil
			_, err := c.Update(ctx, k)
			return err
		},
		"RevokeSubject": func(k keyfob.Credential) error { return c.RevokeSubject(ctx, k.Subject, "", keyfob.KindAPIKey) },
		"In":            func(k keyfob.Credential) error { return c.In("keyfob").In("default").Revoke(ctx, k.ID, "") },
	} {
		k := c.key(keyfob.APIKey{Scopes: []string{"read"}})
		check := keyfob.Check{Scopes: []string{"read"}}
		c.wantAsked(name, true, k.Secret.Reveal(), check, nil)
		c.wantAsked(name, false, k.Secret.Reveal(), check, nil)
		c.must(change(k.Credential))
		c.wantAsked("after "+name, true, k.Secret.Reveal(), check, keyfob.ErrInvalid)
	}
}

// TestFillWhileChanging: what is learnt while a change of this Client is on its way
// is not kept beyond it.
func TestFillWhileChanging(t *testing.T) {
	var during func()
	e := newEnv(t, memory.Open())
	c := e.client(client.Config{MaxStaleness: time.Minute, Transport: answers(func(r *http.Request) (*http.Response, error) {
		if do := during; do != nil && !strings.HasSuffix(r.URL.Path, "/verify") {
			during = nil
			do() // before the server has the change
		}
		return inProcess{e.handler}.RoundTrip(r)
	})})
	ctx := t.Context()
	for name, change := range map[string]func(k keyfob.Credential) error{
		"Revoke":        func(k keyfob.Credential) error { return c.Revoke(ctx, k.ID, "") },
		"Suspend":       func(k keyfob.Credential) error { _, err := c.Suspend(ctx, k.ID, ""); return err },
		"Rotate":        func(k keyfob.Credential) error { _, err := c.Rotate(ctx, k.ID, 0); return err },
		"Update":        func(k keyfob.Credential) error { k.Scopes = nil; _, err := c.Update(ctx, k); return err },
		"RevokeSubject": func(k keyfob.Credential) error { return c.RevokeSubject(ctx, k.Subject, "", keyfob.KindAPIKey) },
		"Purge": func(k keyfob.Credential) error {
			e.must(e.a.Revoke(ctx, k.ID, "")) // behind the Client's back
			e.clock.Advance(time.Second)
			_, err := c.Purge(ctx, keyfob.KindAPIKey, e.clock.Now())
			return err
		},
	} {
		k := e.key(keyfob.APIKey{Scopes: []string{"read"}})
		verify := func() error {
			_, err := c.Verify(ctx, k.Secret.Reveal(), keyfob.Check{Scopes: []string{"read"}})
			return err
		}
		during = func() { _ = verify() }
		if name == "Purge" { // by then it is revoked
			e.must(verify())
		}
		e.must(change(k.Credential))
		if err := verify(); !errors.Is(err, keyfob.ErrInvalid) {
			t.Errorf("after %s: %v", name, err)
		}
	}
}

// TestReadingForgetsNothing: what changes nothing leaves the cache alone.
func TestReadingForgetsNothing(t *testing.T) {
	c := newCached(t, client.Config{})
	k := c.key(keyfob.APIKey{})
	c.wantAsked("first", true, k.Secret.Reveal(), keyfob.Check{}, nil)
	if _, err := c.Get(t.Context(), k.Credential.ID); err != nil {
		t.Error(err)
	}
	c.wantAsked("after Get", false, k.Secret.Reveal(), keyfob.Check{}, nil)
}

// TestForgetsAllOfIt: a change ends also what was pushed out of the young half.
func TestForgetsAllOfIt(t *testing.T) {
	c := newCached(t, client.Config{CacheSize: 2})
	first := c.key(keyfob.APIKey{})
	c.wantAsked("first", true, first.Secret.Reveal(), keyfob.Check{}, nil)
	c.wantAsked("second", true, c.key(keyfob.APIKey{}).Secret.Reveal(), keyfob.Check{}, nil)
	c.must(c.Revoke(t.Context(), first.Credential.ID, ""))
	c.wantAsked("after Revoke", true, first.Secret.Reveal(), keyfob.Check{}, keyfob.ErrRevoked)
}

// TestAge: the clock that ran further counts, in sleep as when it was set back.
func TestAge(t *testing.T) {
	then := time.Now()
	for what, now := range map[string]time.Time{
		"both ran":           then.Add(time.Hour),
		"the wall clock did": monotonic(then.Add(time.Hour), -time.Hour),
		"the other did":      monotonic(then, time.Hour),
	} {
		if got := client.Since(then, now); got != time.Hour {
			t.Errorf("%s for an hour: the age is %v", what, got)
		}
	}
}

// monotonic moves the monotonic clock's reading in a time, and not that of the
// wall clock.
func monotonic(t time.Time, d time.Duration) time.Time {
	layout := (*struct {
		wall uint64
		ext  int64 // the monotonic reading, where there is one
		loc  *time.Location
	})(unsafe.Pointer(&t))
	layout.ext += int64(d)
	return t
}

// TestCountedIsNotCached: a limit that either part of an answer tells of.
func TestCountedIsNotCached(t *testing.T) {
	e := newEnv(t, memory.Open())
	k := e.key(keyfob.APIKey{})
	text, id := k.Secret.Reveal(), k.Credential.Versions[0].ID
	const limit, meter = `"rate":1,"per":1,"burst":1,`, `,"limit":{"rate":1,"per":1,"burst":1,"remaining":1,"reset":1,"retry":0}`
	for _, test := range []struct {
		limit, meter, staleness string
		kept                    int
	}{{"", "", "0", 1}, {limit, "", "0", 0}, {"", meter, "0", 0}, {"", "", "10000", 0}, {"", "", "9999", 1}} {
		c := e.client(client.Config{MaxStaleness: 10 * time.Second, Transport: canned(200, "application/json", `{"valid":true,"reason":"ok","staleness_ms":`+test.staleness+test.meter+`,
			"credential":{"id":"0000000000000000","space":"default","kind":"apikey","subject":"alice","name":"","scopes":[],"attributes":{},"cidrs":[],`+test.limit+`
			"state":"active","revision":1,"created_at":"2030-01-02T03:04:05.678Z","versions":[{"id":"`+id+`","number":1,"prefix":"default","state":"active","created_at":"2030-01-02T03:04:05.678Z"}]}}`)})
		if _, err := c.Verify(t.Context(), text, keyfob.Check{}); err != nil || c.Cached() != test.kept {
			t.Errorf("%+v: %v, %d are kept", test, err, c.Cached())
		}
	}
}

// TestFillRacesWithRevoke: a verdict that was on its way while this Client
// revoked the key is not kept.
func TestFillRacesWithRevoke(t *testing.T) {
	var during func()
	e := newEnv(t, memory.Open())
	c := e.client(client.Config{MaxStaleness: time.Minute, Transport: answers(func(r *http.Request) (*http.Response, error) {
		resp, err := inProcess{e.handler}.RoundTrip(r)
		if do := during; do != nil && strings.HasSuffix(r.URL.Path, "/verify") {
			during = nil
			do() // after the server judged, before its answer is here
		}
		return resp, err
	})})
	k := e.key(keyfob.APIKey{})
	during = func() { e.must(c.Revoke(t.Context(), k.Credential.ID, "")) }
	if _, err := c.Verify(t.Context(), k.Secret.Reveal(), keyfob.Check{}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Verify(t.Context(), k.Secret.Reveal(), keyfob.Check{}); !errors.Is(err, keyfob.ErrRevoked) {
		t.Errorf("after Revoke: %v", err)
	}
}

// TestCacheIsBounded: it holds what it is told to, and what is asked for stays.
func TestCacheIsBounded(t *testing.T) {
	c := newCached(t, client.Config{CacheSize: 20})
	often := c.key(keyfob.APIKey{}).Secret.Reveal()
	c.wantAsked("first", true, often, keyfob.Check{}, nil)
	for range 100 {
		c.wantAsked("new", true, c.key(keyfob.APIKey{}).Secret.Reveal(), keyfob.Check{}, nil)
		c.wantAsked("often asked for", false, often, keyfob.Check{}, nil)
	}
	if n := c.Cached(); n > 20 {
		t.Errorf("%d verdicts are kept", n)
	}
}

// TestCacheIsNotShared: whoever changes what was returned changes nothing here.
func TestCacheIsNotShared(t *testing.T) {
	c := newCached(t, client.Config{})
	text := c.key(keyfob.APIKey{Scopes: []string{"read"}, Attributes: map[string]string{"plan": "free"}, CIDRs: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}}).Secret.Reveal()
	check := keyfob.Check{IP: netip.MustParseAddr("192.0.2.1")}
	for range 3 {
		got, err := c.Verify(t.Context(), text, check)
		c.must(err)
		if got.Scopes[0] != "read" || got.Attributes["plan"] != "free" || got.CIDRs[0].Bits() != 0 || got.Versions[0].Number != 1 {
			t.Errorf("%+v", got)
		}
		got.Scopes[0], got.Attributes["plan"], got.CIDRs[0], got.Versions[0].Number = "owner", "pro", netip.Prefix{}, 9
	}
}

// TestConcurrently verifies, revokes and reads at once, for the race detector,
// and that nothing is accepted after its revocation was acknowledged.
func TestConcurrently(t *testing.T) {
	c := newCached(t, client.Config{CacheSize: 10})
	var running sync.WaitGroup
	var revoked [8]atomic.Bool
	for i := range revoked {
		k := c.key(keyfob.APIKey{})
		for range 2 {
			running.Go(func() {
				for range 50 {
					was := revoked[i].Load()
					if _, err := c.Verify(t.Context(), k.Secret.Reveal(), keyfob.Check{}); was && !errors.Is(err, keyfob.ErrRevoked) {
						t.Errorf("after its revocation: %v", err)
					}
				}
			})
		}
		running.Go(func() {
			if err := c.Revoke(t.Context(), k.Credential.ID, ""); err != nil {
				t.Error(err)
			}
			revoked[i].Store(true)
		})
	}
	running.Wait()
}
