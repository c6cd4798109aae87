package sqlite

import (
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// TestKill kills a process that writes, again and again, and looks for all that
// it had acknowledged. What this cannot show is a missing flush: what a process
// has written stays in the system's memory when the process dies. For that there
// is TestPowerLoss.
func TestKill(t *testing.T) {
	const kills, least = 5, 50
	path := filepath.Join(t.TempDir(), "keyfob.db")
	var acknowledged []string
	for n := range kills {
		c := startChild(t, "write", path)
		before := len(acknowledged)
		for len(acknowledged) < before+least {
			id := c.line()
			if len(id) != 16 {
				t.Fatalf("the process that writes says %q", id)
			}
			acknowledged = append(acknowledged, id)
		}
		time.AfterFunc(time.Duration(rand.IntN(100))*time.Millisecond, func() { c.Process.Kill() })
		for id := c.line(); len(id) == 16; id = c.line() {
			acknowledged = append(acknowledged, id)
		}
		c.kill()
		s := mustOpen(t, path)
		checkIssued(t, s, acknowledged)
		if err := s.Close(); err != nil {
			t.Fatalf("after kill %d: %v", n+1, err)
		}
	}
	t.Logf("%d kills, %d acknowledged, 0 lost", kills, len(acknowledged))
}

// checkIssued looks for credentials that were acknowledged, and for the version
// and the event of each credential that is there.
func checkIssued(t *testing.T, s *Store, acknowledged []string) {
	t.Helper()
	there := map[string]bool{}
	query := store.Query{Space: someSpace, Limit: 1000}
	for {
		items, err := s.Credentials(background, query)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range items {
			there[item.Credential.ID] = true
			if len(item.Versions) != 1 || item.Versions[0].ID != item.Credential.Current || len(item.Versions[0].Digest) != 32 {
				t.Errorf("half a change: %v", item)
			}
		}
		if len(items) < query.Limit {
			break
		}
		last := items[len(items)-1].Credential
		query.After = store.Position{Created: last.Created, ID: last.ID}
	}
	lost := 0
	for _, id := range acknowledged {
		if !there[id] {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d acknowledged credentials are lost", lost, len(acknowledged))
	}
	events, err := s.Events(background, store.EventQuery{Space: someSpace, Limit: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range events {
		if !there[e.Credential] {
			t.Errorf("an event of a credential that is not there: %v", e)
		}
		if i > 0 && e.Number <= events[i-1].Number {
			t.Errorf("event %d follows event %d", e.Number, events[i-1].Number)
		}
	}
	if len(events) != len(there) {
		t.Errorf("%d events of %d credentials", len(events), len(there))
	}
}
