package keyfob_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// touched is a store that counts the touches that it made, and calls before ahead
// of each.
type touched struct {
	store.Store
	n      atomic.Int64
	before atomic.Pointer[func() error]
}

func isTouch(change store.Change) bool {
	return slices.ContainsFunc(change.Steps, func(s store.Step) bool {
		_, is := s.(store.TouchCredential)
		return is
	})
}

func (s *touched) Apply(ctx context.Context, change store.Change) error {
	if !isTouch(change) {
		return s.Store.Apply(ctx, change)
	}
	if before := s.before.Load(); before != nil {
		if err := (*before)(); err != nil {
			return err
		}
	}
	err := s.Store.Apply(ctx, change)
	if err == nil {
		s.n.Add(1)
	}
	return err
}

// That a session is in use is written as soon as a tenth of its idle time has
// passed since, and no sooner: so it ends by a tenth too early at most.
func TestTouchEachTenth(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		counting := &touched{Store: st}
		a, clock := open(t, counting)
		s := mustIssue(t, a, keyfob.Session{Subject: "alice", Idle: time.Hour})
		issued := len(events(t, st, "default"))
		want := func(n int64, seen time.Time) {
			t.Helper()
			wantSession(t, a, s, "ok")
			c, err := a.Get(t.Context(), s.Credential.ID)
			if err != nil || counting.n.Load() != n || !c.Seen.Equal(seen) || c.Revision != 1 {
				t.Errorf("%d touches, seen at %v, revision %d, %v; want %d, %v, 1", counting.n.Load(), c.Seen, c.Revision, err, n, seen)
			}
		}
		seen := clock.Now()
		clock.Add(6*time.Minute - time.Millisecond)
		want(0, seen)
		clock.Add(time.Millisecond)
		seen = clock.Now()
		want(1, seen)
		want(1, seen)
		clock.Add(6*time.Minute - time.Millisecond) // the last use that is not written
		want(1, seen)
		clock.Add(54*time.Minute + time.Millisecond - time.Second)
		want(2, clock.Now())
		clock.Add(59 * time.Minute)
		want(3, clock.Now())
		clock.Add(time.Hour)
		wantSession(t, a, s, "expired")

		// Who uses it each second for two hours writes ten times an hour.
		s = mustIssue(t, a, keyfob.Session{Subject: "alice", Idle: time.Hour})
		counting.n.Store(0)
		for range 7200 {
			clock.Add(time.Second)
			wantSession(t, a, s, "ok")
		}
		if n := counting.n.Load(); n != 20 {
			t.Errorf("%d touches in two hours, want 20", n)
		}
		if n := len(events(t, st, "default")); n != issued+1 {
			t.Errorf("%d events of touches", n-issued-1)
		}
	})
}

// What is refused is not in use.
func TestRefusedIsNotTouched(t *testing.T) {
	counting := &touched{Store: memory.Open()}
	a, clock := open(t, counting)
	s, k := mustIssue(t, a, ofAlice), issue(t, a, keyfob.APIKey{})
	clock.Add(29 * time.Minute)
	for _, check := range []keyfob.Check{{}, {Kind: keyfob.KindSession, Scopes: []string{"read"}}} {
		if _, err := a.Verify(t.Context(), s.Secret.Reveal(), check); err == nil {
			t.Error("accepted")
		}
	}
	wrong := withChecksum(s.Secret.Reveal()[:len("default_")+16] + "0123456789012345678901234567890123456789012")
	wantSession(t, a, keyfob.Issued{Secret: keyfob.NewSecret(wrong)}, "unknown")
	wantSession(t, a, k, "unknown")
	if _, err := a.Suspend(t.Context(), s.Credential.ID, ""); err != nil {
		t.Fatal(err)
	}
	wantSession(t, a, s, "suspended")
	wantVerdict(t, a, k.Secret.Reveal(), "ok")
	if n := counting.n.Load(); n != 0 {
		t.Errorf("%d touches", n)
	}
	if _, err := a.Resume(t.Context(), s.Credential.ID); err != nil {
		t.Fatal(err)
	}
	clock.Add(time.Minute)
	wantSession(t, a, s, "expired")
}

// P8: where a touch cannot be written nobody gets in, whether it took effect or
// not.
func TestTouchFails(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		counting := &touched{Store: st}
		a, clock := open(t, counting)
		s := mustIssue(t, a, keyfob.Session{Subject: "alice", Idle: time.Hour})
		wantSession(t, a, s, "ok")
		clock.Add(6 * time.Minute)
		down := func() error { return store.ErrUnavailable }
		counting.before.Store(&down)
		for range 3 {
			_, err := a.Verify(t.Context(), s.Secret.Reveal(), keyfob.Check{Kind: keyfob.KindSession})
			if !errors.Is(err, keyfob.ErrUnavailable) || errors.Is(err, keyfob.ErrInvalid) {
				t.Errorf("%v, want ErrUnavailable", err)
			}
		}
		counting.before.Store(nil)
		v, err := a.Judge(t.Context(), s.Secret.Reveal(), keyfob.Check{Kind: keyfob.KindSession})
		if err != nil || v.Staleness != 0 || !v.Credential.Seen.Equal(clock.Now()) {
			t.Errorf("%+v, %v", v, err)
		}
	})
}

// Of those that see at once that it is due, one writes it, and all are accepted.
func TestConcurrentTouches(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		counting := &touched{Store: st}
		a, clock := open(t, counting)
		s := mustIssue(t, a, ofAlice)
		for round := range 20 {
			clock.Add(3 * time.Minute)
			if got := race(t, 64, func() string { return session(t, a, s.Secret.Reveal()) }); got["ok"] != 64 {
				t.Fatal(got)
			}
			if n := counting.n.Load(); n != int64(round+1) {
				t.Fatalf("%d touches in %d rounds", n, round+1)
			}
		}
	})
}

// A store that takes longer than a tenth of the idle time is waited for once, and
// not again and again.
func TestTouchOfASlowStore(t *testing.T) {
	slow := &touched{Store: memory.Open()}
	a, clock := open(t, slow)
	s := mustIssue(t, a, keyfob.Session{Subject: "alice", Idle: time.Second})
	wait := func() error {
		clock.Add(200 * time.Millisecond)
		return nil
	}
	slow.before.Store(&wait)
	for i := range 10 {
		clock.Add(100 * time.Millisecond)
		wantSession(t, a, s, "ok")
		if n := slow.n.Load(); n != int64(i+1) {
			t.Fatalf("%d touches by %d verifications", n, i+1)
		}
	}
	clock.Add(time.Second)
	wantSession(t, a, s, "expired")
}

// What one node knows of a session's use never ends it on another, nor does either
// let it live longer.
func TestTouchesOfTwoNodes(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		rk, clock := newRootKey(t), newClock()
		node := func(stale time.Duration) *keyfob.Authority {
			return openWith(t, keyfob.Config{Store: st, RootKey: rk, Now: clock.Now, MaxStaleness: stale})
		}
		here, there := node(time.Minute), node(time.Minute) // by the real clock: the cache is never too old
		s := mustIssue(t, here, keyfob.Session{Subject: "alice", Idle: time.Hour, Lifetime: day})
		for range 2 {
			wantSession(t, there, s, "ok") // from here on it is in the cache of both
			wantSession(t, here, s, "ok")
		}
		for range 3 {
			for range 3 {
				clock.Add(50 * time.Minute)
				wantSession(t, here, s, "ok")
			}
			clock.Add(59 * time.Minute) // there it was not seen for over three hours
			wantSession(t, there, s, "ok")
			wantSession(t, there, s, "ok")
		}
		clock.Add(time.Hour - time.Millisecond)
		wantSession(t, here, s, "ok")
		clock.Add(59 * time.Minute)
		wantSession(t, there, s, "ok")
		clock.Add(time.Hour)
		for range 3 {
			wantSession(t, here, s, "expired")
			wantSession(t, there, s, "expired")
		}
	})
}

// What is over is asked of the store once each time, and ends nobody else's
// knowledge.
func TestExpiredInTheCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := &reading{Store: memory.Open()}
		a := openWith(t, keyfob.Config{Store: reads, RootKey: newRootKey(t), MaxStaleness: time.Minute})
		defer a.Close(context.Background())
		synctest.Wait()
		idle := mustIssue(t, a, keyfob.Session{Subject: "alice", Idle: time.Second})
		old := mustIssue(t, a, keyfob.Session{Subject: "alice", Lifetime: time.Second})
		wantSession(t, a, idle, "ok")
		wantSession(t, a, old, "ok")
		synctest.Wait()
		time.Sleep(time.Second)
		for name, s := range map[string]keyfob.Issued{"idle": idle, "old": old} {
			n := reads.n.Load()
			for range 100 {
				wantSession(t, a, s, "expired")
			}
			if n := reads.n.Load() - n; n > 100 || name == "old" && n > 1 { // the log is read for the first time
				t.Errorf("%s: %d reads for 100 verifications", name, n)
			}
		}
		n := reads.n.Load()
		if got := race(t, 64, func() string { return session(t, a, idle.Secret.Reveal()) }); got["expired"] != 64 {
			t.Error(got)
		}
		if n := reads.n.Load() - n; n > 64 {
			t.Errorf("%d reads for 64 verifications at once", n)
		}
	})
}

// reading is a store that counts how often a version was read.
type reading struct {
	store.Store
	n atomic.Int64
}

func (r *reading) Version(ctx context.Context, space, id string) (store.Found, error) {
	r.n.Add(1)
	return r.Store.Version(ctx, space, id)
}

// A record that only a damaged store has: Verify returns, and lets nobody in who
// was not seen.
func TestDamagedSession(t *testing.T) {
	clock := newClock()
	now := clock.Now()
	for i, c := range []struct {
		idle time.Duration
		seen time.Time
		want string
	}{
		{time.Hour, time.Time{}, "expired"},
		{1<<63 - 1, time.Time{}, "expired"},
		{1<<63 - 1, now, "ok"},
		{-1 << 63, now, "expired"},
		{-time.Hour, now, "expired"},
		{-time.Hour, now.Add(day), "ok"},
		{1, now, "ok"},
		{1, now.Add(-1), "expired"},
		{time.Millisecond, now, "ok"},
		{time.Hour, time.Unix(1<<40, 0), "ok"}, // a wrong clock; it ends by its lifetime
		{time.Hour, time.Unix(-1<<40, 0), "expired"},
	} {
		st := &edited{Store: memory.Open()}
		a := openWith(t, keyfob.Config{Store: st, RootKey: newRootKey(t), Now: clock.Now})
		s := mustIssue(t, a, ofAlice)
		st.edit = func(f *store.Found) { f.Credential.Idle, f.Credential.Seen = c.idle, c.seen }
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // else it might go on for ever
		_, err := a.Verify(ctx, s.Secret.Reveal(), keyfob.Check{Kind: keyfob.KindSession})
		cancel()
		if got := reasonOf(t, err); got != c.want {
			t.Errorf("%s: %q, want %q", fmt.Sprint(i, ": ", c.idle, c.seen), got, c.want)
		}
	}
}
