package keyfob_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
)

func TestRollback(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		k := issue(t, a, keyfob.APIKey{Expires: clock.Now().Add(48 * time.Hour)})
		id := k.Credential.ID
		rollBack := func() (keyfob.Credential, error) { return a.Rollback(t.Context(), id) }
		if _, err := rollBack(); !errors.Is(err, keyfob.ErrConflict) {
			t.Errorf("with nothing to go back to: %v, want ErrConflict", err)
		}
		second, err := a.Rotate(t.Context(), id, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		clock.Add(time.Hour - time.Millisecond)
		c, err := rollBack()
		if err != nil || len(c.Versions) != 2 || c.Versions[0].Number != 1 || c.Versions[0].State != keyfob.VersionActive ||
			!c.Versions[0].Ends.IsZero() || c.Versions[1].Number != 2 || c.Versions[1].State != keyfob.VersionEnded {
			t.Fatalf("Rollback: %+v, %v", c, err)
		}
		wantVerdict(t, a, second.Secret.Reveal(), "replaced")
		clock.Add(24 * time.Hour) // the first lives on, beyond the grace that it had
		wantVerdict(t, a, k.Secret.Reveal(), "ok")
		if _, err := rollBack(); !errors.Is(err, keyfob.ErrConflict) {
			t.Errorf("a second time: %v, want ErrConflict", err)
		}

		// Numbers are never used again.
		third, err := a.Rotate(t.Context(), id, time.Hour)
		if err != nil || third.Credential.Versions[0].Number != 3 || third.Credential.Versions[1].Number != 1 {
			t.Fatalf("Rotate after a rollback: %+v, %v", third.Credential, err)
		}
		if c, err = rollBack(); err != nil || c.Versions[0].Number != 1 {
			t.Fatalf("Rollback: %+v, %v", c, err)
		}
		fourth, err := a.Rotate(t.Context(), id, time.Hour)
		if err != nil || fourth.Credential.Versions[0].Number != 4 {
			t.Fatalf("Rotate after two rollbacks: %+v, %v", fourth.Credential, err)
		}
		clock.Add(time.Hour)
		if _, err := rollBack(); !errors.Is(err, keyfob.ErrConflict) {
			t.Errorf("after the grace: %v, want ErrConflict", err)
		}
		wantVerdict(t, a, fourth.Secret.Reveal(), "ok")
		for _, tok := range []keyfob.Secret{k.Secret, second.Secret, third.Secret} {
			wantVerdict(t, a, tok.Reveal(), "replaced")
		}
		clock.Add(24 * time.Hour) // P12: the expiry is what it was
		wantVerdict(t, a, fourth.Secret.Reveal(), "expired")
		e := events(t, st, "default")
		if e[3].Type != "apikey.rolled_back" || e[3].Version != k.Credential.Versions[0].ID || e[3].Credential != id {
			t.Errorf("event %+v", e[3])
		}
	})
}

// A rollback and a rotation that both saw the same credential do not both happen.
func TestRollbackAgainstRotate(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		for range 50 {
			k := issue(t, a, keyfob.APIKey{})
			if _, err := a.Rotate(t.Context(), k.Credential.ID, time.Hour); err != nil {
				t.Fatal(err)
			}
			var group sync.WaitGroup
			var done atomic.Int64
			for range 8 {
				group.Go(func() {
					if _, err := a.Rollback(t.Context(), k.Credential.ID); err == nil {
						done.Add(1)
					} else if !errors.Is(err, keyfob.ErrConflict) {
						t.Error(err)
					}
				})
			}
			group.Wait()
			c, err := a.Get(t.Context(), k.Credential.ID)
			if done.Load() != 1 || err != nil || c.Revision != 3 {
				t.Fatalf("%d rollbacks, %+v, %v", done.Load(), c, err)
			}
		}
	})
}

// P12: limits belong to the credential. Neither rotation nor rollback gives back
// what was used.
func TestRotationKeepsUses(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		k := issue(t, a, keyfob.APIKey{Uses: 3})
		wantVerdict(t, a, k.Secret.Reveal(), "ok")
		r, err := a.Rotate(t.Context(), k.Credential.ID, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		wantVerdict(t, a, r.Secret.Reveal(), "ok")
		if _, err := a.Rollback(t.Context(), k.Credential.ID); err != nil {
			t.Fatal(err)
		}
		wantVerdict(t, a, k.Secret.Reveal(), "ok")
		wantVerdict(t, a, k.Secret.Reveal(), "exhausted")
	})
}
