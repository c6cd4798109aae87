package keyfob_test

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
	"github.com/keyfob-dev/keyfob/store/sqlite"
)

func TestUses(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		k := issue(t, a, keyfob.APIKey{Uses: 2, Scopes: []string{"read"}})
		tok := k.Secret.Reveal()
		wantVerdict(t, a, tok, "scope", "write") // what is refused uses nothing
		c, err := a.Verify(t.Context(), tok, keyfob.Check{})
		if err != nil || c.Used != 1 || c.Uses != 2 || c.Revision != 1 {
			t.Errorf("first use: %+v, %v", c, err)
		}
		wantVerdict(t, a, tok, "ok")
		wantVerdict(t, a, tok, "exhausted")
		if c, err = a.Get(t.Context(), c.ID); err != nil || c.State != keyfob.StateExhausted || c.Used != 2 || c.Revision != 1 {
			t.Errorf("Get: %+v, %v", c, err)
		}
		c.Uses = 3
		if c, err = a.Update(t.Context(), c); err != nil || c.State != keyfob.StateActive || c.Used != 2 {
			t.Errorf("Update: %+v, %v", c, err)
		}
		wantVerdict(t, a, tok, "ok")
		wantVerdict(t, a, tok, "exhausted")
	})
}

// Whatever races, a key of one use is accepted once.
func TestOneUse(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		const rounds, racers = 200, 64
		total := 0
		for range rounds {
			tok := issue(t, a, keyfob.APIKey{Uses: 1}).Secret.Reveal()
			var accepted, exhausted atomic.Int64
			var group sync.WaitGroup
			for range racers {
				group.Go(func() {
					switch _, err := a.Verify(t.Context(), tok, keyfob.Check{}); keyfob.Reason(err) {
					case "ok":
						accepted.Add(1)
					case "exhausted":
						exhausted.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			group.Wait()
			if accepted.Load() != 1 || exhausted.Load() != racers-1 {
				t.Fatalf("%d of %d racers were accepted, %d exhausted", accepted.Load(), racers, exhausted.Load())
			}
			total += int(accepted.Load())
		}
		t.Logf("%d rounds of %d racers for one use: %d accepted", rounds, racers, total)
	})
}

// A revocation that was acknowledged is not overtaken by a use.
func TestUsesAgainstRevoke(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		for range 50 {
			k := issue(t, a, keyfob.APIKey{Uses: 1000})
			var revoked atomic.Bool
			var group sync.WaitGroup
			for range 8 {
				group.Go(func() {
					for range 20 {
						late := revoked.Load()
						_, err := a.Verify(t.Context(), k.Secret.Reveal(), keyfob.Check{})
						if late && err == nil {
							t.Error("accepted after the revocation was acknowledged")
						}
					}
				})
			}
			group.Go(func() {
				if err := a.Revoke(t.Context(), k.Credential.ID, ""); err != nil {
					t.Error(err)
				}
				revoked.Store(true)
			})
			group.Wait()
		}
	})
}

// The first and last use of each version is known after some seconds, tells who
// still uses the old one, and changes no revision.
func TestLastUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memory.Open()
		a, err := keyfob.Open(t.Context(), keyfob.Config{Store: st, RootKey: newRootKey(t)})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close(t.Context())
		k := issue(t, a, keyfob.APIKey{})
		r, err := a.Rotate(t.Context(), k.Credential.ID, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		first := time.Now().UTC().Truncate(time.Millisecond)
		wantVerdict(t, a, k.Secret.Reveal(), "ok")
		time.Sleep(2 * time.Second)
		if _, err := a.Verify(t.Context(), k.Secret.Reveal(), keyfob.Check{IP: netip.MustParseAddr("192.0.2.1")}); err != nil {
			t.Fatal(err)
		}
		last := time.Now().UTC().Truncate(time.Millisecond)
		wantVerdict(t, a, k.Secret.Reveal()[1:], "malformed")
		time.Sleep(10 * time.Second)
		c, err := a.Get(t.Context(), k.Credential.ID)
		if err != nil || c.Revision != 2 {
			t.Fatalf("%+v, %v", c, err)
		}
		if old := c.Versions[1]; !old.FirstUsed.Equal(first) || !old.LastUsed.Equal(last) {
			t.Errorf("the old version was used from %v to %v, want %v to %v", old.FirstUsed, old.LastUsed, first, last)
		}
		if from := c.Versions[1].From; len(from) != 1 || from[0].IP != netip.MustParseAddr("192.0.2.1") || !from[0].First.Equal(last) || !from[0].Last.Equal(last) {
			t.Errorf("the old version was used from %v", from)
		}
		if newest := c.Versions[0]; !newest.FirstUsed.IsZero() || !newest.LastUsed.IsZero() {
			t.Errorf("the new version was used: %+v", newest)
		}
		wantVerdict(t, a, r.Secret.Reveal(), "ok")
		if err := a.Close(t.Context()); err != nil { // which writes what is left
			t.Fatal(err)
		}
		space, _ := st.Space(t.Context(), "default")
		item, err := st.Credential(t.Context(), space.ID, c.ID)
		if err != nil || item.Versions[0].LastUsed.IsZero() {
			t.Errorf("after Close: %+v, %v", item.Versions, err)
		}
	})
}

// What was used is on the disk when Close returns.
func TestLastUseSurvivesClose(t *testing.T) {
	path, rk := filepath.Join(t.TempDir(), "keyfob.db"), newRootKey(t)
	reopen := func() (*keyfob.Authority, *sqlite.Store) {
		st, err := sqlite.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		a, err := keyfob.Open(t.Context(), keyfob.Config{Store: st, RootKey: rk})
		if err != nil {
			t.Fatal(err)
		}
		return a, st
	}
	a, st := reopen()
	k := issue(t, a, keyfob.APIKey{})
	wantVerdict(t, a, k.Secret.Reveal(), "ok")
	if err := fmt.Errorf("%v %v", a.Close(t.Context()), st.Close()); err.Error() != "<nil> <nil>" {
		t.Fatal(err)
	}
	a, st = reopen()
	defer st.Close()
	defer a.Close(t.Context())
	if c, err := a.Get(t.Context(), k.Credential.ID); err != nil || c.Versions[0].LastUsed.IsZero() {
		t.Errorf("%+v, %v", c.Versions, err)
	}
}
