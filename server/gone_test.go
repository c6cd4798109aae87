package server

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
)

// TestWhoeverFindsTheStoreGone: it does not matter by which request it is found
// that the store is gone, a verification is not decided any more.
func TestWhoeverFindsTheStoreGone(t *testing.T) {
	e := newEnvWith(t, Limits{}, keyfob.Config{Store: openSQLite(t)})
	good := e.key("acme").Secret.Reveal()
	verify := map[string]any{"token": good}
	requests := e.everyRequest(good)
	for _, c := range requests {
		if c.name == "Metrics" || c.name == "Verify" { // which find what is in the cache
			continue
		}
		for range 2 {
			if a := e.ask(e.owner, "POST", "/v1/spaces/acme/verify", verify); a.json["valid"] != true {
				t.Errorf("before %s: %v", c.name, a)
			}
		}
		e.st.set(func(context.Context, string) error { return fmt.Errorf("%w: by the test", store.ErrUnavailable) })
		e.want(e.ask(e.owner, c.method, c.path, c.body), 503, "unavailable")
		if a := e.ask(e.owner, "POST", "/v1/spaces/acme/verify", verify); a.status != 503 {
			t.Errorf("after %s: %v", c.name, a)
		}
		e.st.set(nil)
	}
	t.Logf("found by each of %d requests, known to the next verification", len(requests)-2)
}

// TestStoreGoneAndBack is P8 with a cache that knows the token and its caller: from
// when the store is known to be gone no answer says that a token is valid, however
// fresh the knowledge; every route answers in time; and when the store is back, so
// is the server.
func TestStoreGoneAndBack(t *testing.T) {
	const work, staleness = 50 * time.Millisecond, 300 * time.Millisecond
	for name, c := range map[string]struct {
		fault func(ctx context.Context, back <-chan struct{}) error
		known time.Duration // how long the cache may still decide
	}{
		"fails": {func(context.Context, <-chan struct{}) error {
			return fmt.Errorf("%w: secret path /x", store.ErrUnavailable)
		}, 0},
		"hangs": {func(ctx context.Context, back <-chan struct{}) error {
			select {
			case <-back:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}, staleness},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnvWith(t, Limits{Work: work}, keyfob.Config{Store: openSQLite(t), MaxStaleness: staleness})
			good, unseen := e.key("acme").Secret.Reveal(), e.key("acme").Secret.Reveal()
			requests := e.everyRequest(good)
			verify := func(token string) *answer {
				return e.ask(e.owner, "POST", "/v1/spaces/acme/verify", map[string]any{"token": token})
			}
			verify(good)
			if a := verify(good); a.json["valid"] != true {
				t.Fatalf("before: %v", a)
			}
			back := make(chan struct{})
			release := sync.OnceFunc(func() { close(back) })
			defer release()
			e.st.set(func(ctx context.Context, _ string) error { return c.fault(ctx, back) })
			gone := time.Now()
			var lastValid time.Duration
			e.want(verify(unseen), 503, "unavailable") // the store has to be asked
			for time.Since(gone) <= staleness || lastValid == 0 && time.Since(gone) < 2*staleness {
				before := time.Since(gone)
				if a := verify(good); a.json["valid"] == true {
					lastValid = before
				} else {
					e.want(a, 503, "unavailable")
				}
			}
			if lastValid > c.known {
				t.Errorf("valid %v after the store was gone, and may be for %v", lastValid, c.known)
			}
			slowest := e.allUndecided(requests)
			for range 3 {
				e.want(verify(good), 503, "unavailable")
			}
			t.Logf("gone for %v: last valid after %v; %d routes asked, the slowest answered within %v; limit %v",
				time.Since(gone).Round(time.Millisecond), lastValid.Round(time.Millisecond), len(requests), slowest.Round(10*time.Microsecond), work)
			if slowest > slowTimes*work+2*time.Second {
				t.Errorf("the slowest answer took %v", slowest)
			}
			e.st.set(nil)
			release()
			for _, token := range []string{good, unseen} {
				if a := verify(token); a.json["valid"] != true {
					t.Errorf("the store is back: %v", a)
				}
			}
			fromCache := false
			for range 20 {
				ms, _ := verify(good).json["staleness_ms"].(float64)
				fromCache = fromCache || ms > 0
			}
			if !fromCache {
				t.Error("the store is back, and the cache is not")
			}
			e.want(e.ask("", "GET", "/readyz", nil), 200, "")
			e.want(e.ask(e.owner, "POST", "/v1/spaces/acme/apikeys", map[string]any{"subject": "bob"}), 201, "")
		})
	}
}

// An aCall is a request that can be sent.
type aCall struct {
	name, method, path string
	body               any
}

// everyRequest is a good request to each operation and page that needs the store.
func (e *env) everyRequest(token string) []aCall {
	e.Helper()
	calls := []aCall{{"Metrics", "GET", "/metrics", nil}}
	for _, r := range readSpec(e.T).routes {
		path, body := samples[r.name](e, "acme")
		switch r.name {
		case "Healthz":
			continue
		case "Verify":
			body = map[string]any{"token": token}
		}
		calls = append(calls, aCall{string(r.name), r.method, path, body})
	}
	return calls
}

// allUndecided sends all requests, which must find the server without its store,
// and returns how long the slowest answer took.
func (e *env) allUndecided(calls []aCall) (slowest time.Duration) {
	e.Helper()
	for _, c := range calls {
		start := time.Now()
		a := e.ask(e.owner, c.method, c.path, c.body)
		slowest = max(slowest, time.Since(start))
		if a.status != 503 || a.header.Get("Retry-After") != "1" || strings.Contains(a.text, "secret path") || strings.Contains(a.text, `valid":`) {
			e.Errorf("%s: %v", c.name, a)
		}
	}
	return slowest
}
