package memory_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
	"github.com/keyfob-dev/keyfob/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return memory.Open() })
}

// TestLimit sees that a limit that only a mistake can be is an error.
func TestLimit(t *testing.T) {
	s := memory.Open()
	for _, limit := range []int{0, -1, math.MinInt} {
		if _, err := s.Spaces(t.Context(), "", limit); err == nil {
			t.Errorf("Spaces with a limit of %d: no error", limit)
		}
		if _, err := s.Credentials(t.Context(), store.Query{Limit: limit}); err == nil {
			t.Errorf("Credentials with a limit of %d: no error", limit)
		}
		if _, err := s.Unsealed(t.Context(), limit); err == nil {
			t.Errorf("Unsealed with a limit of %d: no error", limit)
		}
		if _, err := s.Events(t.Context(), store.EventQuery{Limit: limit}); err == nil {
			t.Errorf("Events with a limit of %d: no error", limit)
		}
	}
}

// BenchmarkPage reads pages from anywhere in a list of 100,000 credentials of
// 1,000 subjects.
func BenchmarkPage(b *testing.B) {
	const n, subjects = 100_000, 1_000
	s := memory.Open()
	at := func(i int) store.Position {
		return store.Position{Created: time.UnixMilli(int64(i / 3)).UTC(), ID: fmt.Sprintf("%016d", i)}
	}
	for i := range n {
		c := store.Credential{
			ID: at(i).ID, Space: "space", Kind: store.KindAPIKey, State: store.StateActive,
			Subject: fmt.Sprint(i % subjects), Created: at(i).Created,
		}
		if err := s.Apply(b.Context(), store.Change{Steps: []store.Step{store.CreateCredential{Credential: c}}}); err != nil {
			b.Fatal(err)
		}
	}
	for name, query := range map[string]store.Query{
		"space":   {Space: "space", Limit: 50},
		"subject": {Space: "space", Limit: 50, Subject: "7"},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				query.After = at(n/2 + i*7919%(n/2))
				if items, err := s.Credentials(b.Context(), query); err != nil || len(items) != 50 {
					b.Fatal(len(items), err)
				}
			}
		})
	}
}
