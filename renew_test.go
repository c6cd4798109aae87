package keyfob_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

func renew(t *testing.T, a *keyfob.Authority, id string) keyfob.Issued {
	t.Helper()
	r, err := a.Renew(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// After Renew the old secret is dead at once, however well it was known; all else
// is as it was, and nothing lasts longer (P12).
func TestRenew(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		s := mustIssue(t, a, keyfob.Session{Subject: "alice", Idle: 7 * time.Hour, Attributes: map[string]string{"cart": "7"}})
		first := s
		clock.Add(6 * time.Hour)
		for n := range 5 {
			for range 2 {
				wantSession(t, a, s, "ok")
			}
			clock.Add(time.Minute)
			before, err := a.Get(t.Context(), s.Credential.ID)
			if err != nil {
				t.Fatal(err)
			}
			id := s.Credential.ID
			if n%2 == 0 {
				id = versionOf(s)
			}
			r := renew(t, a, id)
			wantSession(t, a, s, "replaced")
			wantSession(t, a, r, "ok")
			if d := cmp.Diff(before, r.Credential, cmpopts.IgnoreFields(keyfob.Credential{}, "Versions", "Revision", "Updated")); d != "" {
				t.Errorf("Renew changed (-was +is):\n%s", d)
			}
			v := r.Credential.Versions
			if len(v) != 2 || v[0].Number != int64(n+2) || v[0].State != keyfob.VersionActive || !v[0].Ends.IsZero() ||
				v[1].ID != versionOf(s) || v[1].State != keyfob.VersionEnded || !v[1].Ends.Equal(clock.Now()) || r.Credential.Revision != int64(n+2) {
				t.Errorf("versions %+v at revision %d", v, r.Credential.Revision)
			}
			got, err := a.Get(t.Context(), s.Credential.ID)
			if d := cmp.Diff(r.Credential, got, cmpopts.IgnoreFields(keyfob.Version{}, "FirstUsed", "LastUsed", "From")); err != nil || d != "" {
				t.Errorf("Get: %v (-renewed +got):\n%s", err, d)
			}
			all := events(t, st, "default")
			if e := all[len(all)-1]; e.Type != "session.renewed" || e.Credential != got.ID || e.Version != versionOf(r) || e.Subject != "alice" {
				t.Errorf("event %+v", e)
			}
			s = r
		}
		wantSession(t, a, first, "replaced")
		clock.Add(first.Credential.Expires.Sub(clock.Now()))
		wantSession(t, a, s, "expired")
	})
}

// With a version's id only who holds the newest secret renews.
func TestRenewRefuses(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		createSpace(t, a, "acme", "acme")
		s, k, link := mustIssue(t, a, ofAlice), issue(t, a, keyfob.APIKey{}), mustIssue(t, a, reset)
		r := renew(t, a, versionOf(s))
		suspended, revoked, replaced := mustIssue(t, a, ofAlice), mustIssue(t, a, ofAlice), mustIssue(t, a, ofAlice)
		if _, err := a.Suspend(t.Context(), suspended.Credential.ID, ""); err != nil {
			t.Fatal(err)
		}
		if err := a.Revoke(t.Context(), revoked.Credential.ID, ""); err != nil {
			t.Fatal(err)
		}
		mustIssue(t, a, keyfob.Session{Subject: "alice", From: versionOf(replaced)})
		before := len(events(t, st, "default"))
		for what, c := range map[string]struct {
			id   string
			want error
		}{
			"an old version":        {versionOf(s), keyfob.ErrConflict},
			"an API key":            {k.Credential.ID, keyfob.ErrConflict},
			"a version of one":      {versionOf(k), keyfob.ErrConflict},
			"a link":                {link.Credential.ID, keyfob.ErrConflict},
			"what is revoked":       {revoked.Credential.ID, keyfob.ErrConflict},
			"what is replaced":      {versionOf(replaced), keyfob.ErrConflict},
			"of another space":      {mustIssue(t, a.In("acme"), ofAlice).Credential.ID, keyfob.ErrNotFound},
			"nothing":               {"", keyfob.ErrNotFound},
			"an id of nothing":      {"0123456789abcdef", keyfob.ErrNotFound},
			"a token":               {r.Secret.Reveal(), keyfob.ErrNotFound},
			"an old version, again": {versionOf(s), keyfob.ErrConflict},
		} {
			if _, err := a.Renew(t.Context(), c.id); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", what, err, c.want)
			}
		}
		if n := len(events(t, st, "default")); n != before {
			t.Errorf("what was refused made %d events", n-before)
		}
		for _, verb := range []func(context.Context, string) error{
			func(ctx context.Context, id string) error { return second(a.Rotate(ctx, id, 0)) },
			func(ctx context.Context, id string) error { return second(a.Rollback(ctx, id)) },
		} {
			if err := verb(t.Context(), r.Credential.ID); !errors.Is(err, keyfob.ErrConflict) {
				t.Errorf("a session is rotated or rolled back: %v", err)
			}
		}
		wantSession(t, a, r, "ok")
		// One that is suspended stays so, also with a new secret.
		wantSession(t, a, renew(t, a, suspended.Credential.ID), "suspended")
	})
}

// Of those that hold one secret one renews it; by the session's id each does, one
// after the other, and one secret is good in the end.
func TestConcurrentRenewals(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		const n = 64
		for round := range 10 {
			s := mustIssue(t, a, ofAlice)
			id := versionOf(s)
			if round%2 == 0 {
				id = s.Credential.ID
			}
			var mu sync.Mutex
			handed := []keyfob.Issued{s}
			got := race(t, n, func() string {
				r, err := a.Renew(t.Context(), id)
				if errors.Is(err, keyfob.ErrConflict) {
					return "conflict"
				}
				if err != nil {
					return err.Error()
				}
				mu.Lock()
				defer mu.Unlock()
				handed = append(handed, r)
				return "ok"
			})
			if want := map[bool]int{true: n, false: 1}[round%2 == 0]; got["ok"] != want || got["conflict"] != n-want {
				t.Fatalf("by %s: %v", map[bool]string{true: "the session's id", false: "the version's"}[round%2 == 0], got)
			}
			good := 0
			for _, r := range handed {
				if session(t, a, r.Secret.Reveal()) == "ok" {
					good++
				}
			}
			if good != 1 {
				t.Fatalf("%d of %d secrets are good", good, len(handed))
			}
		}
	})
}

// Writers of attributes and renewals lose nothing of one another.
func TestRenewAgainstWriters(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		s := mustIssue(t, a, ofAlice)
		const writers, writes = 8, 8
		var group sync.WaitGroup
		var last atomic.Pointer[keyfob.Issued]
		for w := range writers {
			group.Go(func() {
				for i := range writes {
					set(t, a, s.Credential.ID, fmt.Sprintf("%d-%d", w, i), "x")
				}
			})
		}
		group.Go(func() {
			for range 20 {
				r := renew(t, a, s.Credential.ID)
				last.Store(&r)
			}
		})
		group.Wait()
		c, err := a.Verify(t.Context(), last.Load().Secret.Reveal(), keyfob.Check{Kind: keyfob.KindSession})
		if err != nil || len(c.Attributes) != writers*writes || c.Versions[0].Number != 21 || c.Revision != 1+20+writers*writes {
			t.Errorf("%d attributes, version %d, revision %d, %v; want %d, 21, %d", len(c.Attributes), c.Versions[0].Number, c.Revision, err, writers*writes, 21+writers*writes)
		}
	})
}

// set writes one attribute, whatever else is written meanwhile.
func set(t *testing.T, a *keyfob.Authority, id, name, value string) {
	t.Helper()
	for {
		c, err := a.Get(t.Context(), id)
		if err != nil {
			t.Error(err)
			return
		}
		if c.Attributes == nil {
			c.Attributes = map[string]string{}
		}
		c.Attributes[name] = value
		if _, err = a.Update(t.Context(), c); err == nil {
			return
		} else if !errors.Is(err, keyfob.ErrConflict) {
			t.Error(err)
			return
		}
	}
}

// Of a session the newest secret is the only one, also by a clock by which it is
// not renewed yet.
func TestRenewByAClockAhead(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		rk, clock := newRootKey(t), newClock()
		ahead := func() time.Time { return clock.Now().Add(20 * time.Second) }
		here := openWith(t, keyfob.Config{Store: st, RootKey: rk, Now: clock.Now, MaxStaleness: -1})
		there := openWith(t, keyfob.Config{Store: st, RootKey: rk, Now: ahead})
		s := mustIssue(t, here, ofAlice)
		r := renew(t, there, s.Credential.ID)
		wantSession(t, here, s, "replaced")
		wantSession(t, here, r, "ok")
		c, err := here.Get(t.Context(), s.Credential.ID)
		if err != nil || c.Versions[1].State != keyfob.VersionEnded {
			t.Errorf("%+v, %v", c.Versions, err)
		}
		r2 := renew(t, here, s.Credential.ID)
		for _, a := range []*keyfob.Authority{here, there} {
			wantSession(t, a, r, "replaced")
			wantSession(t, a, r2, "ok")
		}
	})
}

// P3: on another node within the bound.
func TestRenewElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, rk := memory.Open(), newRootKey(t)
		here := openWith(t, keyfob.Config{Store: st, RootKey: rk})
		there := openWith(t, keyfob.Config{Store: st, RootKey: rk})
		defer here.Close(context.Background())
		defer there.Close(context.Background())
		s := mustIssue(t, there, ofAlice)
		for range 100 {
			wantSession(t, here, s, "ok")
			time.Sleep(7 * time.Millisecond)
		}
		renewed := time.Now()
		r := renew(t, there, versionOf(s))
		wantSession(t, here, r, "ok")
		var last time.Duration
		for range 1000 {
			if session(t, here, s.Secret.Reveal()) == "ok" {
				last = time.Since(renewed)
			}
			time.Sleep(7 * time.Millisecond)
		}
		if last > time.Second {
			t.Errorf("accepted %v after it was renewed elsewhere", last)
		}
		t.Logf("accepted for %v after it was renewed elsewhere", last)
	})
}

// An answer of Renew that was lost is given again; of twins all get one answer,
// also those that come when it is done, and the same of Rotate.
func TestRenewOnce(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		s := mustIssue(t, a, ofAlice)
		ctx := withKey(t.Context(), "0123456789abcdef")
		first, err := a.Renew(ctx, versionOf(s))
		if err != nil {
			t.Fatal(err)
		}
		clock.Add(time.Minute)
		again, err := a.Renew(ctx, versionOf(s))
		if err != nil || again.Secret.Reveal() != first.Secret.Reveal() || !cmp.Equal(again.Credential, first.Credential) {
			t.Errorf("again: %v\n%s", err, cmp.Diff(first.Credential, again.Credential))
		}
		wantSession(t, a, first, "ok")
		if _, err := a.Renew(ctx, s.Credential.ID); !errors.Is(err, keyfob.ErrKeyReused) {
			t.Errorf("another id with the same key: %v", err)
		}
		for round := range 30 {
			s, k := mustIssue(t, a, ofAlice), issue(t, a, keyfob.APIKey{})
			ctx := withKey(t.Context(), fmt.Sprintf("twins-%012d", round))
			for what, do := range map[string]func() (keyfob.Issued, error){
				"Renew":  func() (keyfob.Issued, error) { return a.Renew(ctx, versionOf(s)) },
				"Rotate": func() (keyfob.Issued, error) { return a.Rotate(ctx, k.Credential.ID, time.Hour) },
			} {
				answers := race(t, 16, func() string {
					r, err := do()
					return fmt.Sprint(r.Secret.Reveal(), err)
				})
				if len(answers) != 1 {
					t.Fatalf("%s: %d answers to twins", what, len(answers))
				}
			}
		}
	})
}
