package keyfob_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
	"github.com/keyfob-dev/keyfob/store/sqlite"
)

func TestOpenRefusesBadConfig(t *testing.T) {
	rk := newRootKey(t)
	if _, err := keyfob.Open(t.Context(), keyfob.Config{RootKey: rk}); !errors.Is(err, keyfob.ErrInput) {
		t.Errorf("no store: %v", err)
	}
	if _, err := keyfob.Open(t.Context(), keyfob.Config{Store: memory.Open()}); !errors.Is(err, keyfob.ErrRootKey) {
		t.Errorf("no root key: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := keyfob.Open(ctx, keyfob.Config{Store: memory.Open(), RootKey: rk}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// unopenable is a store that fails in the midst of Open.
type unopenable struct {
	store.Store
	mark, space error
}

func (u *unopenable) Mark(ctx context.Context) (time.Time, error) {
	if u.mark != nil {
		return time.Time{}, u.mark
	}
	return u.Store.Mark(ctx)
}

func (u *unopenable) Space(ctx context.Context, name string) (store.Space, error) {
	if u.space != nil {
		return store.Space{}, u.space
	}
	return u.Store.Space(ctx, name)
}

// An Open that fails leaves nothing running: synctest fails else.
func TestFailedOpenLeavesNothing(t *testing.T) {
	for _, st := range []*unopenable{{mark: store.ErrUnavailable}, {space: store.ErrUnavailable}} {
		synctest.Test(t, func(t *testing.T) {
			st.Store = memory.Open()
			if _, err := keyfob.Open(t.Context(), keyfob.Config{Store: st, RootKey: newRootKey(t)}); !errors.Is(err, keyfob.ErrUnavailable) {
				t.Errorf("Open: %v, want ErrUnavailable", err)
			}
		})
	}
}

func TestWrongRootKey(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		k := issue(t, a, keyfob.APIKey{})
		_, err := keyfob.Open(t.Context(), keyfob.Config{Store: st, RootKey: newRootKey(t)})
		if !errors.Is(err, keyfob.ErrRootKey) {
			t.Errorf("another root key: %v", err)
		}
		text := "keyfob-root-2:" + strings.Repeat("A", 43) + "="
		rk, err := keyfob.ParseRootKey(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := keyfob.Open(t.Context(), keyfob.Config{Store: st, RootKey: rk}); !errors.Is(err, keyfob.ErrRootKey) {
			t.Errorf("a root key without the number in use: %v", err)
		}
		wantVerdict(t, a, k.Secret.Reveal(), "ok")
	})
}

func TestReopen(t *testing.T) {
	dir := t.TempDir()
	path, keyPath := filepath.Join(dir, "keyfob.db"), filepath.Join(dir, "root.key")
	first, err := keyfob.CreateRootKey(keyPath)
	if err != nil {
		t.Fatal(err)
	}
	session := func(rk keyfob.RootKey, work func(a *keyfob.Authority)) {
		t.Helper()
		st, err := sqlite.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		a, err := keyfob.Open(t.Context(), keyfob.Config{Store: st, RootKey: rk})
		if err != nil {
			t.Fatal(err)
		}
		work(a)
	}
	var live, revoked keyfob.Issued
	session(first, func(a *keyfob.Authority) {
		createSpace(t, a, "acme", "acme_live")
		live, revoked = issue(t, a.In("acme"), keyfob.APIKey{}), issue(t, a, keyfob.APIKey{})
		if err := a.Revoke(t.Context(), revoked.Credential.ID, "leaked"); err != nil {
			t.Fatal(err)
		}
	})
	// A second version of the key is carried along, and not used until it is made active.
	text := readFile(t, keyPath) + "keyfob-root-2:" + strings.Repeat("B", 42) + "A=\n"
	if err := os.WriteFile(keyPath, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := keyfob.ReadRootKey(keyPath)
	if err != nil {
		t.Fatal(err)
	}
	session(again, func(a *keyfob.Authority) {
		wantVerdict(t, a.In("acme"), live.Secret.Reveal(), "ok")
		wantVerdict(t, a, revoked.Secret.Reveal(), "revoked")
		live = issue(t, a, keyfob.APIKey{})
	})
	session(first, func(a *keyfob.Authority) { wantVerdict(t, a, live.Secret.Reveal(), "ok") })
}

// Two that open an empty store at once agree on the root key and the spaces.
func TestConcurrentOpen(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		right, wrong := newRootKey(t), newRootKey(t)
		var wg sync.WaitGroup
		results := make([]error, 16)
		for i := range results {
			wg.Go(func() {
				rk := right
				if i%2 == 1 {
					rk = wrong
				}
				_, results[i] = keyfob.Open(t.Context(), keyfob.Config{Store: st, RootKey: rk})
			})
		}
		wg.Wait()
		for i, err := range results {
			if (err == nil) != (results[i%2] == nil) || err != nil && !errors.Is(err, keyfob.ErrRootKey) {
				t.Errorf("opening %d: %v", i, err)
			}
		}
		if (results[0] == nil) == (results[1] == nil) {
			t.Errorf("of two root keys exactly one must win: %v, %v", results[0], results[1])
		}
		for _, space := range []string{"default", "keyfob"} {
			if types := eventTypes(events(t, st, space)); !slices.Equal(types, []string{"space.created"}) {
				t.Errorf("events of %s: %v", space, types)
			}
		}
	})
}

func TestSpaces(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		ctx := t.Context()
		made, err := a.Spaces().Create(ctx, keyfob.Space{Name: "acme-1", Prefix: "acme_live"})
		want := keyfob.Space{Name: "acme-1", Prefix: "acme_live", Revision: 1, Created: clock.Now()}
		if err != nil || made != want {
			t.Fatalf("%+v, %v; want %+v", made, err, want)
		}
		if _, err := a.Spaces().Create(ctx, keyfob.Space{Name: "acme-1", Prefix: "x"}); !errors.Is(err, keyfob.ErrExists) {
			t.Errorf("the same name again: %v", err)
		}
		old := issue(t, a.In("acme-1"), keyfob.APIKey{})
		changed, err := a.Spaces().Update(ctx, keyfob.Space{Name: "acme-1", Prefix: "acme_test", Revision: 1})
		want.Prefix, want.Revision = "acme_test", 2
		if err != nil || changed != want {
			t.Fatalf("%+v, %v; want %+v", changed, err, want)
		}
		if got, err := a.Spaces().Get(ctx, "acme-1"); err != nil || got != want {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
		if _, err := a.Spaces().Update(ctx, keyfob.Space{Name: "acme-1", Prefix: "x", Revision: 1}); !errors.Is(err, keyfob.ErrConflict) {
			t.Errorf("a stale revision: %v", err)
		}
		// A prefix is copied into each version: a change concerns new ones.
		wantVerdict(t, a.In("acme-1"), old.Secret.Reveal(), "ok")
		r, err := a.In("acme-1").Rotate(ctx, old.Credential.ID, 0)
		if err != nil || !strings.HasPrefix(r.Secret.Reveal(), "acme_test_") {
			t.Errorf("after the change a rotation gives another prefix: %v", err)
		}
		wantVerdict(t, a.In("acme-1"), r.Secret.Reveal(), "ok")
		for _, e := range []error{
			second(a.Spaces().Get(ctx, "nowhere")), second(a.Spaces().Update(ctx, keyfob.Space{Name: "nowhere", Prefix: "x", Revision: 1})),
			second(a.In("nowhere").Verify(ctx, old.Secret.Reveal(), keyfob.Check{})), second(a.In("nowhere").List(ctx, keyfob.Filter{})),
			second(a.In("nowhere").Get(ctx, old.Credential.ID)), a.In("nowhere").Revoke(ctx, old.Credential.ID, ""),
			second(a.In("nowhere").Rotate(ctx, old.Credential.ID, 0)), second(a.In("Default").Get(ctx, old.Credential.ID)),
		} {
			if !errors.Is(e, keyfob.ErrSpace) || !errors.Is(e, keyfob.ErrNotFound) || errors.Is(e, keyfob.ErrInvalid) {
				t.Errorf("unknown space: %v", e)
			}
		}
		names := func(after string, limit int) (got []string) {
			all, err := a.Spaces().List(ctx, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range all {
				got = append(got, s.Name)
			}
			return got
		}
		if got := names("", 10); !slices.Equal(got, []string{"acme-1", "default", "keyfob"}) {
			t.Errorf("spaces %v", got)
		}
		if got := names("acme-1", 1); !slices.Equal(got, []string{"default"}) {
			t.Errorf("spaces after acme-1 %v", got)
		}
		if got := eventTypes(events(t, st, "acme-1")); !slices.Equal(got, []string{"space.created", "apikey.issued", "space.updated", "apikey.rotated"}) {
			t.Errorf("events %v", got)
		}
	})
}

func TestSpacesRefuseBadInput(t *testing.T) {
	a, _ := open(t, memory.Open())
	for _, name := range []string{"", "Acme", "acme_1", "1acme", "-acme", "acme-", "a b", "a:b", "a/b", "..", "é", "a\n", strings.Repeat("a", 64)} {
		if _, err := a.Spaces().Create(t.Context(), keyfob.Space{Name: name, Prefix: "x"}); !errors.Is(err, keyfob.ErrInput) {
			t.Errorf("name %q: %v", name, err)
		}
	}
	for _, prefix := range []string{"", "Acme", "acme_", "_acme", "1acme", "ac me", "ac-me", "é", "a\n", "keyfob", strings.Repeat("a", 33)} {
		if _, err := a.Spaces().Create(t.Context(), keyfob.Space{Name: "acme", Prefix: prefix}); !errors.Is(err, keyfob.ErrInput) {
			t.Errorf("prefix %q: %v", prefix, err)
		}
		if _, err := a.Spaces().Update(t.Context(), keyfob.Space{Name: "default", Prefix: prefix, Revision: 1}); !errors.Is(err, keyfob.ErrInput) {
			t.Errorf("new prefix %q: %v", prefix, err)
		}
	}
	if _, err := a.Spaces().Update(t.Context(), keyfob.Space{Name: "keyfob", Prefix: "x", Revision: 1}); !errors.Is(err, keyfob.ErrInput) {
		t.Errorf("another prefix for keyfob's own space: %v", err)
	}
	for _, limit := range []int{-1, 0, 1001} {
		if _, err := a.Spaces().List(t.Context(), "", limit); !errors.Is(err, keyfob.ErrInput) {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
	for _, long := range []string{strings.Repeat("a", 63), "a", "a-1"} {
		if _, err := a.Spaces().Create(t.Context(), keyfob.Space{Name: long, Prefix: strings.Repeat("a", 32)}); err != nil {
			t.Errorf("%q: %v", long, err)
		}
	}
}
