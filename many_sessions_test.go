package keyfob_test

import (
	"context"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// Signing out everywhere takes one step, however many sessions there are, and ends
// them all, also those that are in the cache.
func TestSignOutOfMany(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		n, rest := 100_000, 1
		if _, ok := st.(*memory.Store); !ok {
			n, rest = 500, 7 // each is a flush; 100,000 are in bench/
		}
		a, clock := open(t, st)
		ofBob := mustIssue(t, a, keyfob.Session{Subject: "bob"})
		tokens := make([]string, n)
		check := keyfob.Check{Kind: keyfob.KindSession}
		for i := range tokens {
			clock.Add(time.Millisecond)
			s := mustIssue(t, a, ofAlice)
			tokens[i] = s.Secret.Reveal()
			if i%3 == 0 {
				wantSession(t, a, s, "ok")
			}
		}
		revoke := func(subject string) time.Duration {
			t.Helper()
			begun := time.Now()
			if err := a.RevokeSubject(t.Context(), subject, "", keyfob.KindSession); err != nil {
				t.Fatal(err)
			}
			return time.Since(begun)
		}
		of1, ofN := revoke("carol"), time.Duration(0)
		for range 20 { // the best of each, for the figure
			mustIssue(t, a, keyfob.Session{Subject: "carol"})
			of1 = min(of1, revoke("carol"))
		}
		ofN = revoke("alice")
		for i := 0; i < n; i += rest {
			if _, err := a.Verify(t.Context(), tokens[i], check); keyfob.Reason(err) != "revoked" {
				t.Fatalf("session %d of %d: %v", i, n, err)
			}
		}
		for range 20 { // again: there are as many, and they have ended
			ofN = min(ofN, revoke("alice"))
		}
		wantSession(t, a, ofBob, "ok")
		wantSession(t, a, mustIssue(t, a, ofAlice), "ok")
		if got := live(t, a, keyfob.KindSession, "alice"); got != 1 {
			t.Errorf("%d are live after one more sign-in", got)
		}
		t.Logf("%d sessions: %v; one: %v; ratio %.2f", n, ofN, of1, float64(ofN)/float64(of1))
	})
}

// It writes one row a kind, and reads none.
func TestSignOutIsOneStep(t *testing.T) {
	a, _ := open(t, spied{memory.Open()})
	for range 100 {
		mustIssue(t, a, ofAlice)
	}
	c := &calls{}
	if err := a.RevokeSubject(context.WithValue(t.Context(), callsKey{}, c), "alice", "", keyfob.KindSession, keyfob.KindLink); err != nil {
		t.Fatal(err)
	}
	steps := 0
	for _, change := range c.changes {
		for _, step := range change.Steps {
			if _, is := step.(store.RaiseMark); !is {
				steps++
			}
		}
	}
	if c.n != 1 || steps != 2 {
		t.Errorf("%d calls to the store, %d steps; want 1 and 2", c.n, steps)
	}
}
