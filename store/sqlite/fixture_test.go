package sqlite

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

var (
	background = context.Background()
	someTime   = time.Date(2026, time.March, 4, 5, 6, 7, 89e6, time.UTC)
)

const someSpace = "space00000000000"

// newID makes 16 characters that nobody else makes.
func newID() string { return rand.Text()[:16] }

// empty is a new database, once it has been made.
var empty = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "keyfob")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "keyfob.db")
	s, err := Open(path)
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// newDatabase returns the path of a new database, which is a copy of another:
// that takes less time than to make one.
func newDatabase(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keyfob.db")
	b, err := empty()
	if err == nil {
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// newIssue makes the change that issues an API key, and what is there then.
func newIssue() (store.Item, store.Change) {
	c := store.Credential{
		ID: newID(), Space: someSpace, Kind: store.KindAPIKey,
		Subject: "user:" + newID(), Name: "deploy key of the build server",
		Scopes: []string{"read", "write"}, Attributes: map[string]string{"team": "blue"},
		State: store.StateActive, Revision: 1, Created: someTime, Current: newID(),
	}
	v := store.Version{
		ID: c.Current, Credential: c.ID, Space: c.Space, Number: 1, Prefix: "acme_live",
		Digest: fmt.Append(nil, c.ID, c.Current), RootKey: 1, Created: someTime,
	}
	e := store.Event{
		ID: newID(), Space: c.Space, Time: someTime, Actor: "process", Type: "apikey.issued",
		Credential: c.ID, Version: v.ID, Subject: c.Subject, RootKey: 1, MAC: fmt.Append(nil, v.ID, c.ID),
	}
	item := store.Item{Credential: c, Versions: []store.Version{v}}
	return item, store.Change{
		Steps:  []store.Step{store.CreateCredential{Credential: c}, store.CreateVersion{Version: v}},
		Events: []store.Event{e},
	}
}

// mustIssue issues API keys, many in a change.
func mustIssue(t testing.TB, s *Store, n int) []store.Item {
	t.Helper()
	var items []store.Item
	for len(items) < n {
		var all store.Change
		for range min(1000, n-len(items)) {
			item, change := newIssue()
			items = append(items, item)
			all.Steps = append(all.Steps, change.Steps...)
			all.Events = append(all.Events, change.Events...)
		}
		if err := s.Apply(background, all); err != nil {
			t.Fatal(err)
		}
	}
	return items
}
