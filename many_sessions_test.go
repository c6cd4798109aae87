package keyfob_test

import (
	"context"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
	"github.com/keyfob-dev/keyfob/token"
)

// Signing out everywhere takes one step, however many sessions there are, and ends
// them all, also those that are in the cache.
func TestSignOutOfMany(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		n := 100_000
		if _, ok := st.(*memory.Store); !ok {
			n = 500 // each is a row on the disk; 100,000 are in bench/
		}
		a, clock := open(t, st)
		ofBob := mustIssue(t, a, keyfob.Session{Subject: "bob"})
		some := make([]keyfob.Issued, 200)
		for i := range some {
			clock.Add(time.Millisecond)
			some[i] = mustIssue(t, a, ofAlice)
			if i%2 == 0 { // the others are not in the cache
				wantSession(t, a, some[i], "ok")
			}
		}
		copySession(t, st, clock, some[0].Credential.ID, n-len(some))
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
		for _, s := range some {
			wantSession(t, a, s, "revoked")
		}
		if got := live(t, a, keyfob.KindSession, "alice"); got != 0 {
			t.Errorf("%d are live after it", got)
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

// copySession writes n sessions that are like one, each with an id and a version of
// its own. To issue them all would take most of the test's time.
func copySession(t *testing.T, st store.Store, clock *clock, id string, n int) {
	t.Helper()
	space, err := st.Space(t.Context(), keyfob.DefaultSpace)
	if err != nil {
		t.Fatal(err)
	}
	like, err := st.Credential(t.Context(), space.ID, id)
	if err != nil {
		t.Fatal(err)
	}
	c, v := like.Credential, like.Versions[0]
	for n > 0 {
		var steps []store.Step
		for ; n > 0 && len(steps) < 1000; n-- {
			clock.Add(time.Millisecond)
			c.ID, c.Created, v.ID = token.NewID(), clock.Now(), token.NewID()
			c.Current, v.Credential = v.ID, c.ID
			steps = append(steps, store.CreateCredential{Credential: c}, store.CreateVersion{Version: v})
		}
		if err := st.Apply(t.Context(), store.Change{Steps: steps}); err != nil {
			t.Fatal(err)
		}
	}
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
