package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/storetest"
)

// mustOpen opens a store that is closed when the test ends.
func mustOpen(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		return mustOpen(t, newDatabase(t))
	})
}

func TestDurable(t *testing.T) {
	storetest.RunDurable(t, func(t *testing.T) func(t *testing.T) store.Store {
		path := filepath.Join(t.TempDir(), "keyfob.db")
		return func(t *testing.T) store.Store { return mustOpen(t, path) }
	})
}
