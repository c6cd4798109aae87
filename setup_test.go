package keyfob_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
	"github.com/keyfob-dev/keyfob/store/sqlite"
)

// clock is a time that only moves when a test moves it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock {
	return &clock{now: time.Date(2030, 1, 2, 3, 4, 5, 678_000_000, time.UTC)}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// onEachStore runs a test on every store.
func onEachStore(t *testing.T, test func(t *testing.T, st store.Store)) {
	t.Run("memory", func(t *testing.T) { test(t, memory.Open()) })
	t.Run("sqlite", func(t *testing.T) { test(t, openSQLite(t)) })
}

func openSQLite(t *testing.T) store.Store {
	t.Helper()
	st, err := sqlite.Open(filepath.Join(t.TempDir(), "keyfob.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

func newRootKey(t *testing.T) keyfob.RootKey {
	t.Helper()
	rk, err := keyfob.CreateRootKey(filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	return rk
}

func open(t *testing.T, st store.Store) (*keyfob.Authority, *clock) {
	t.Helper()
	c := newClock()
	return openWith(t, keyfob.Config{Store: st, RootKey: newRootKey(t), Now: c.Now}), c
}

func openWith(t *testing.T, config keyfob.Config) *keyfob.Authority {
	t.Helper()
	a, err := keyfob.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close(context.Background()) }) // some tests close or break the store before
	return a
}

func issue(t *testing.T, a *keyfob.Authority, k keyfob.APIKey) keyfob.Issued {
	t.Helper()
	if k.Subject == "" {
		k.Subject = "alice"
	}
	i, err := a.Issue(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func createSpace(t *testing.T, a *keyfob.Authority, name, prefix string) {
	t.Helper()
	if _, err := a.Spaces().Create(t.Context(), keyfob.Space{Name: name, Prefix: prefix}); err != nil {
		t.Fatal(err)
	}
}

// verdict is what Verify says of a token, in one word; "undecided" when it is
// an error without ErrInvalid.
func verdict(t *testing.T, a *keyfob.Authority, token string, scopes ...string) string {
	t.Helper()
	_, err := a.Verify(t.Context(), token, keyfob.Check{Scopes: scopes})
	if err != nil && !errors.Is(err, keyfob.ErrInvalid) {
		t.Logf("undecided: %v", err)
		return "undecided"
	}
	return keyfob.Reason(err)
}

func wantVerdict(t *testing.T, a *keyfob.Authority, token, want string, scopes ...string) {
	t.Helper()
	if got := verdict(t, a, token, scopes...); got != want {
		t.Errorf("Verify says %q, want %q", got, want)
	}
}

// events returns all events of a space of the store.
func events(t *testing.T, st store.Store, space string) []store.Event {
	t.Helper()
	s, err := st.Space(context.Background(), space)
	if err != nil {
		t.Fatal(err)
	}
	all, err := st.Events(context.Background(), store.EventQuery{Space: s.ID, Limit: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func eventTypes(all []store.Event) (types []string) {
	for _, e := range all {
		types = append(types, e.Type)
	}
	return types
}
