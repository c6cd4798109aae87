package keyfob_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

func withKey(ctx context.Context, key string) context.Context {
	return keyfob.WithIdempotencyKey(ctx, key)
}

// A lost answer never loses the key: the same request has the same answer.
func TestIdempotency(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		createSpace(t, a, "acme", "acme")
		ctx := withKey(t.Context(), "0123456789abcdef")
		request := keyfob.APIKey{Subject: "alice", Scopes: []string{"read"}, Expires: clock.Now().Add(day), CIDRs: cidrs("192.0.2.0/24"),
			Limit: keyfob.Limit{Rate: 5, Per: time.Minute}, Attributes: map[string]string{"b": "1", "a": "2"}}
		first, err := a.Issue(ctx, request)
		if err != nil {
			t.Fatal(err)
		}
		same := func(what string, got keyfob.Issued, err error, want keyfob.Issued) {
			t.Helper()
			if err != nil || got.Secret.Reveal() != want.Secret.Reveal() {
				t.Fatalf("%s: another secret, %v", what, err)
			}
			if d := cmp.Diff(want.Credential, got.Credential, cmp.Comparer(samePrefix)); d != "" {
				t.Errorf("%s (-want +got):\n%s", what, d)
			}
		}
		clock.Add(10*time.Minute - time.Millisecond)
		again, err := a.Issue(ctx, request)
		same("Issue", again, err, first)

		id := first.Credential.ID
		rotated, err := a.Rotate(ctx, id, time.Hour) // the key is one verb's
		if err != nil {
			t.Fatal(err)
		}
		clock.Add(time.Minute) // what was kept of Issue is over now
		againRotated, err := a.Rotate(ctx, id, time.Hour)
		same("Rotate", againRotated, err, rotated)
		if c, err := a.Get(t.Context(), id); err != nil || c.Revision != 2 || c.Versions[0].Number != 2 {
			t.Errorf("after two rotations with one key: %+v, %v", c, err)
		}

		other := func(what string, issue func() (keyfob.Issued, error)) {
			t.Helper()
			got, err := issue()
			if err != nil || got.Credential.ID == first.Credential.ID {
				t.Errorf("%s: %v, the first one's answer", what, err)
			}
		}
		other("after ten minutes", func() (keyfob.Issued, error) { return a.Issue(ctx, request) })
		other("another key", func() (keyfob.Issued, error) { return a.Issue(withKey(ctx, "0123456789abcdeg"), request) })
		other("another actor", func() (keyfob.Issued, error) { return a.Issue(keyfob.WithActor(ctx, "bob"), request) })
		other("another space", func() (keyfob.Issued, error) { return a.In("acme").Issue(ctx, request) })
		other("no key", func() (keyfob.Issued, error) { return a.Issue(t.Context(), request) })

		if _, err := a.Rotate(ctx, id, 2*time.Hour); !errors.Is(err, keyfob.ErrKeyReused) {
			t.Errorf("another grace with the same key: %v, want ErrKeyReused", err)
		}
		request.Scopes = nil
		if _, err := a.Issue(ctx, request); !errors.Is(err, keyfob.ErrKeyReused) {
			t.Errorf("other scopes with the same key: %v, want ErrKeyReused", err)
		}
		for _, key := range []string{"", "0123456789abcde", "0123456789 abcdef", "0123456789abcdef\n", "0123456789abcdé", fmt.Sprintf("%0256d", 0)} {
			_, err := a.Issue(withKey(t.Context(), key), request)
			wantInput(t, fmt.Sprintf("the key %q", key), err, "idempotency key", "")
		}
	})
}

// What is refused keeps nothing: the request may be mended and sent again.
func TestIdempotencyOfRefused(t *testing.T) {
	a, _ := open(t, openSQLite(t))
	ctx := withKey(t.Context(), "0123456789abcdef")
	if _, err := a.Issue(ctx, keyfob.APIKey{Subject: "alice", Uses: -1}); !errors.Is(err, keyfob.ErrInput) {
		t.Fatal(err)
	}
	if _, err := a.Issue(ctx, keyfob.APIKey{Subject: "alice", Uses: 1}); err != nil {
		t.Error(err)
	}
}

// A kept answer that ends in the midst of the request that asks for it does not
// become an answer without a key.
func TestIdempotencyAtTheEnd(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		clock := newClock()
		step := time.Duration(0)
		now := func() time.Time {
			clock.Add(step)
			return clock.Now()
		}
		a := openWith(t, keyfob.Config{Store: st, RootKey: newRootKey(t), Now: now})
		ctx := withKey(t.Context(), "0123456789abcdef")
		request := keyfob.APIKey{Subject: "alice"}
		for range 3 {
			first, err := a.Issue(ctx, request)
			if err != nil {
				t.Fatal(err)
			}
			clock.Add(10*time.Minute - 3*time.Millisecond)
			step = time.Millisecond
			again, err := a.Issue(ctx, request)
			step = 0
			if err != nil || again.Credential.ID == "" || len(again.Secret.Reveal()) != len(first.Secret.Reveal()) {
				t.Fatalf("%+v, %v", again, err)
			}
			clock.Add(time.Hour)
		}
	})
}

// Of twins at once one is carried out, and all get its answer.
func TestIdempotentTwins(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		const rounds, twins = 20, 16
		for round := range rounds {
			ctx := withKey(t.Context(), fmt.Sprintf("twins-%012d", round))
			var mu sync.Mutex
			secrets := map[string]int{}
			var group sync.WaitGroup
			for range twins {
				group.Go(func() {
					k, err := a.Issue(ctx, keyfob.APIKey{Subject: "alice"})
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					defer mu.Unlock()
					secrets[k.Secret.Reveal()]++
				})
			}
			group.Wait()
			if len(secrets) != 1 {
				t.Fatalf("%d secrets of one request", len(secrets))
			}
		}
		page, err := a.List(t.Context(), keyfob.Filter{Limit: 1000})
		if err != nil || len(page.Items) != rounds {
			t.Errorf("%d keys of %d requests, %v", len(page.Items), rounds, err)
		}
	})
}

// plaintexts is all that an Issued hands out.
func plaintexts(i keyfob.Issued) string {
	all := []string{i.Secret.Reveal(), i.URI.Reveal()}
	for _, s := range i.Secrets {
		all = append(all, s.Reveal())
	}
	return strings.Join(all, " ")
}

// Of each kind the same request has the same answer, whole; and it takes the place
// of one.
func TestIdempotencyOfEachKind(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		for n, request := range onePerKind {
			ctx := withKey(t.Context(), fmt.Sprintf("of-kind-%016d", n))
			first, err := a.Issue(ctx, request)
			if err != nil {
				t.Fatal(err)
			}
			clock.Add(time.Second)
			again, err := a.Issue(ctx, request)
			if err != nil || plaintexts(again) != plaintexts(first) || len(plaintexts(first)) < 7 {
				t.Errorf("%s: another answer, %v", first.Credential.Kind, err)
			}
			if d := cmp.Diff(first.Credential, again.Credential); d != "" {
				t.Errorf("%s (-first +again):\n%s", first.Credential.Kind, d)
			}
			if n := live(t, a, first.Credential.Kind, "alice"); n != 1 {
				t.Errorf("%d of the kind %s are live", n, first.Credential.Kind)
			}
			if _, err := a.Issue(ctx, keyfob.Link{Subject: "bob", Purpose: "login"}); !errors.Is(err, keyfob.ErrKeyReused) {
				t.Errorf("another request with the key of a %s: %v", first.Credential.Kind, err)
			}
		}
		key := withKey(t.Context(), "a-code-that-is-too-soon")
		if _, err := a.Issue(key, login); !errors.Is(err, keyfob.ErrTooSoon) {
			t.Errorf("a second code with another key: %v", err)
		}
		clock.Add(time.Minute)
		if _, err := a.Issue(key, login); err != nil {
			t.Errorf("the same key, later: %v", err)
		}
	})
}

// Of twins at once all get the answer of the one that was made, also where there is
// no room for two.
func TestIdempotentTwinsOfEachKind(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		for range 9 { // so that there is room for one more
			mustIssue(t, a, onePerKind[2])
		}
		for n, request := range onePerKind {
			for round := range 10 {
				ctx := withKey(t.Context(), fmt.Sprintf("twins-%d-%012d", n, round))
				answers := race(t, 16, func() string {
					i, err := a.Issue(ctx, request)
					if err != nil {
						t.Error(err)
					}
					return plaintexts(i)
				})
				if len(answers) != 1 {
					t.Fatalf("%T: %d answers", request, len(answers))
				}
				page, err := a.List(t.Context(), keyfob.Filter{Limit: 1})
				if err != nil {
					t.Fatal(err)
				}
				if err := a.Revoke(t.Context(), page.Items[0].ID, ""); err != nil {
					t.Fatal(err)
				}
				clock.Add(time.Second)
			}
		}
	})
}

// watching is a store that notes the replays that are kept, and how often some
// are removed on their own.
type watching struct {
	store.Store
	mu      sync.Mutex
	kept    []store.Replay
	removed int
}

func (w *watching) Apply(ctx context.Context, change store.Change) error {
	w.mu.Lock()
	for _, step := range change.Steps {
		switch step := step.(type) {
		case store.CreateReplay:
			w.kept = append(w.kept, step.Replay)
		case store.DeleteReplays:
			if len(change.Steps) == 1 {
				w.removed++
			}
		}
	}
	w.mu.Unlock()
	return w.Store.Apply(ctx, change)
}

// left is how many replays are there, and how often some were removed.
func (w *watching) left(t *testing.T) (n, removed int) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.kept {
		_, err := w.Replay(t.Context(), r.Space, r.Name)
		if err == nil {
			n++
		} else if !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
	}
	return n, w.removed
}

// Answers that are over go by themselves, also those of a process that is gone;
// where there are none, nothing is asked of the store.
func TestReplaysGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, rk := &watching{Store: memory.Open()}, newRootKey(t)
		open := func() *keyfob.Authority { return openWith(t, keyfob.Config{Store: st, RootKey: rk}) }
		issueOnce := func(a *keyfob.Authority, key string) {
			t.Helper()
			if _, err := a.Issue(withKey(t.Context(), key), keyfob.APIKey{Subject: "alice"}); err != nil {
				t.Fatal(err)
			}
		}
		want := func(when string, left, removed int) {
			t.Helper()
			synctest.Wait()
			if n, m := st.left(t); n != left || m != removed {
				t.Errorf("%s: %d are there after %d removals, want %d after %d", when, n, m, left, removed)
			}
		}
		a := open()
		issueOnce(a, "of-a-process-that-is-gone")
		a.Close(context.Background())

		a = open()
		defer a.Close(context.Background())
		time.Sleep(10 * time.Minute)
		want("ten minutes after a start", 0, 1)
		time.Sleep(time.Hour)
		want("an hour at rest", 0, 1)
		time.Sleep(time.Minute)
		issueOnce(a, "0123456789abcdef")
		time.Sleep(9*time.Minute + 59*time.Second)
		want("before the answer is over", 1, 2)
		time.Sleep(10 * time.Minute)
		want("when it is", 0, 3)
		time.Sleep(time.Hour)
		want("at rest again", 0, 3)
	})
}

// An answer that ends while it is asked for anew is in nobody's way.
func TestReplayEndsMeanwhile(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		clock, steps := newClock(), 0
		now := func() time.Time {
			if steps > 0 {
				clock.Add(time.Millisecond)
				steps--
			}
			return clock.Now()
		}
		a := openWith(t, keyfob.Config{Store: st, RootKey: newRootKey(t), Now: now})
		ctx := withKey(t.Context(), "0123456789abcdef")
		for before := range 5 {
			first, err := a.Issue(ctx, keyfob.APIKey{Subject: "alice"})
			if err != nil {
				t.Fatal(err)
			}
			clock.Add(10*time.Minute - time.Duration(before)*time.Millisecond)
			steps = 4
			limited, cancel := context.WithTimeout(ctx, 5*time.Second) // real time: else it would never end
			again, err := a.Issue(limited, keyfob.APIKey{Subject: "alice"})
			cancel()
			if err != nil || again.Credential.Subject != first.Credential.Subject {
				t.Fatalf("%d ms before its end: %v", before, err)
			}
			steps = 0
			clock.Add(time.Hour)
		}
	})
}
