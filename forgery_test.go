package keyfob_test

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/audit"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
	"github.com/keyfob-dev/keyfob/token"
)

// P6: who has the root key and the database can write an event as keyfob does.
// One alone does not fit into the chain; a chain that is linked anew to its end
// does not go through a checkpoint that was kept.
func TestForgeryWithTheRootKey(t *testing.T) {
	root := make([]byte, 32)
	rand.Read(root)
	key, err := hkdf.Key(sha256.New, root, nil, "keyfob/subkey/v1/audit", sha256.Size)
	if err != nil {
		t.Fatal(err)
	}
	rk, err := keyfob.ParseRootKey("keyfob-root-1:" + base64.StdEncoding.EncodeToString(root))
	if err != nil {
		t.Fatal(err)
	}
	// forge changes event 5 of a log of 10, and links it and those after it, up to
	// the number last, anew.
	forge := func(t *testing.T, last int, head bool) (*auditedDB, keyfob.Checkpoint) {
		d := &auditedDB{t: t, path: filepath.Join(t.TempDir(), "keyfob.db"), rk: rk}
		d.open()
		t.Cleanup(d.close)
		kept := d.grow(9)
		all := events(t, d.st, "default")
		all[4].Actor = "somebody else"
		all[4].MAC = audit.MAC(key, &all[4])
		var sql strings.Builder
		for i := 4; i < last; i++ {
			all[i].Link = audit.Link(all[i-1].Link, int64(i+1), &all[i])
			fmt.Fprintf(&sql, "UPDATE events SET actor = '%s', mac = x'%x', link = x'%x' WHERE id = '%s';",
				all[i].Actor, all[i].MAC, all[i].Link, all[i].ID)
		}
		if head {
			fmt.Fprintf(&sql, "UPDATE heads SET link = x'%x' WHERE space = '%s';", all[9].Link, all[9].Space)
		}
		d.edit(sql.String())
		return d, kept
	}
	t.Run("one event", func(t *testing.T) {
		d, kept := forge(t, 5, false)
		d.wantFindings(d.report(), keyfob.FoundEdited)
		d.wantFindings(d.report(kept), keyfob.FoundEdited)
	})
	t.Run("all but the head", func(t *testing.T) {
		d, kept := forge(t, 10, false)
		d.wantFindings(d.report(), keyfob.FoundEdited)
		d.wantFindings(d.report(kept), keyfob.FoundEdited, keyfob.FoundRolledBack)
	})
	t.Run("all", func(t *testing.T) {
		d, kept := forge(t, 10, true)
		d.wantFindings(d.report())
		d.wantFindings(d.report(kept), keyfob.FoundRolledBack)
		later := d.grow(3)
		d.wantFindings(d.report(later))
		d.wantFindings(d.report(kept, later), keyfob.FoundRolledBack)
	})
}

// P6: more events than one page of the store has, and more problems than a report
// keeps, are all counted.
func TestLongLog(t *testing.T) {
	d := newAuditedDB(t)
	for range 25 { // many at once, which is faster
		var made []store.Event
		space := spaceID(t, d.st, "default")
		for range 100 {
			e := store.Event{ID: token.NewID(), Space: space, Time: newClock().Now(), Actor: "x", Type: "x", RootKey: 1, MAC: make([]byte, 32)}
			made = append(made, e)
		}
		if err := d.st.Apply(t.Context(), store.Change{Events: made}); err != nil {
			t.Fatal(err)
		}
	}
	d.grow(1)
	r := d.report()
	if r.Events != 2502 || r.Sealed != 2502 || len(r.Problems) != 100 || r.More != 2400 {
		t.Errorf("%d events, %d sealed, %d problems and %d more; want 2502, 2502, 100 and 2400", r.Events, r.Sealed, len(r.Problems), r.More)
	}
}

// P6: an event that was edited before it was sealed is found by its MAC alone.
func TestEditBeforeTheSeal(t *testing.T) {
	d := newAuditedDB(t)
	d.grow(9)
	const inDefault = " AND space = (SELECT id FROM spaces WHERE name = 'default')"
	d.edit("UPDATE heads SET (seq, link) = (SELECT seq, link FROM events WHERE seq = 9" + inDefault + ") WHERE 1" + inDefault + ";" +
		"UPDATE events SET actor = 'bob', seq = NULL, link = NULL WHERE seq = 10" + inDefault)
	d.grow(2) // which seals it, as it is
	r := d.report()
	d.wantFindings(r, keyfob.FoundEdited)
	if r.Sealed != 12 || len(r.Problems) != 1 || r.Problems[0].Seq != 10 {
		t.Errorf("%d sealed, problems %+v; want 12, and one at 10", r.Sealed, r.Problems)
	}
}

// growing is a store whose log grows when its head has been read, once.
type growing struct {
	store.Store
	grow atomic.Pointer[func()] // the sealer reads heads as well
}

func (g *growing) Head(ctx context.Context, space string) (store.Head, error) {
	head, err := g.Store.Head(ctx, space)
	if grow := g.grow.Swap(nil); grow != nil {
		(*grow)()
	}
	return head, err
}

// A log that grows while it is verified is as whole as one that does not.
func TestVerifyOfAGrowingLog(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		g := &growing{Store: st}
		a, _ := open(t, g)
		for sealed := range 2 {
			issue(t, a, keyfob.APIKey{})
			grow := func() {
				issue(t, a, keyfob.APIKey{})
				if sealed == 1 {
					if _, err := a.Events().Checkpoint(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}
			g.grow.Store(&grow)
			if r, err := a.Events().Verify(t.Context()); err != nil || len(r.Problems) != 0 {
				t.Errorf("%+v, %v", r, err)
			}
		}
	})
}

// rewritten is a store whose newest event somebody edited.
type rewritten struct{ store.Store }

func (r rewritten) Events(ctx context.Context, query store.EventQuery) ([]store.Event, error) {
	all, err := r.Store.Events(ctx, query)
	if len(all) > 0 {
		all[len(all)-1].Subject = "mallory"
	}
	return all, err
}

// P6: an edit of what is not sealed yet is found as well.
func TestEditOfTheUnsealed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := openWith(t, keyfob.Config{Store: rewritten{memory.Open()}, RootKey: newRootKey(t)})
		defer a.Close(t.Context())
		time.Sleep(time.Second)
		synctest.Wait() // what was there first is sealed; from here on no time passes
		k := issue(t, a, keyfob.APIKey{})
		r, err := a.Events().Verify(t.Context())
		if err != nil || r.Events != 2 || r.Sealed != 1 || len(r.Problems) != 1 || r.Problems[0].Found != keyfob.FoundEdited || r.Problems[0].Seq != 0 {
			t.Errorf("%+v, %v; want one event that was edited, of %s", r, err, k.Credential.ID)
		}
	})
}
