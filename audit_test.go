package keyfob_test

import (
	"context"
	"crypto/ed25519"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store/memory"
	"github.com/keyfob-dev/keyfob/store/sqlite"
)

// An auditedDB is a database with a log, that a test closes, edits and opens.
type auditedDB struct {
	t    *testing.T
	path string
	rk   keyfob.RootKey
	st   *sqlite.Store
	a    *keyfob.Authority
}

func newAuditedDB(t *testing.T) *auditedDB {
	d := &auditedDB{t: t, path: filepath.Join(t.TempDir(), "keyfob.db"), rk: newRootKey(t)}
	d.open()
	t.Cleanup(d.close)
	return d
}

func (d *auditedDB) open() {
	d.t.Helper()
	var err error
	if d.st, err = sqlite.Open(d.path); err != nil {
		d.t.Fatal(err)
	}
	if d.a, err = keyfob.Open(d.t.Context(), keyfob.Config{Store: d.st, RootKey: d.rk}); err != nil {
		d.t.Fatal(err)
	}
}

func (d *auditedDB) close() {
	d.t.Helper()
	ctx := context.WithoutCancel(d.t.Context())
	if err := d.a.Close(ctx); err != nil {
		d.t.Fatal(err)
	}
	if err := d.st.Close(); err != nil {
		d.t.Fatal(err)
	}
}

// edit runs SQL on the closed database, as somebody who can write to its file.
func (d *auditedDB) edit(sql string) {
	d.t.Helper()
	d.close()
	c, err := sqlite3.Open(d.path)
	if err != nil {
		d.t.Fatal(err)
	}
	if err := c.Exec(sql); err != nil {
		d.t.Fatal(err)
	}
	changed := c.Changes()
	if err := c.Close(); err != nil {
		d.t.Fatal(err)
	}
	if changed == 0 {
		d.t.Fatalf("%s changed nothing", sql)
	}
	d.open()
}

// grow adds n events to the space default, and has them sealed.
func (d *auditedDB) grow(n int) keyfob.Checkpoint {
	d.t.Helper()
	for range n {
		issue(d.t, d.a, keyfob.APIKey{})
	}
	c, err := d.a.Events().Checkpoint(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return c
}

func (d *auditedDB) report(checkpoints ...keyfob.Checkpoint) keyfob.AuditReport {
	d.t.Helper()
	r, err := d.a.Events().Verify(d.t.Context(), checkpoints...)
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

// wantFindings checks what is found, each kind of finding once or more.
func (d *auditedDB) wantFindings(r keyfob.AuditReport, want ...keyfob.Finding) {
	d.t.Helper()
	var got []keyfob.Finding
	for _, p := range r.Problems {
		if !slices.Contains(got, p.Found) {
			got = append(got, p.Found)
		}
		d.t.Logf("%s, %d, %s: %s", p.Found, p.Seq, p.Event, p.Text)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		d.t.Errorf("found %v, want %v", got, want)
	}
}

// P6: whatever is done to rows that are sealed is found and named.
func TestTampering(t *testing.T) {
	const inDefault = " AND space = (SELECT id FROM spaces WHERE name = 'default')"
	for what, c := range map[string]struct {
		sql  string
		want []keyfob.Finding
		seq  int64 // of the first problem
	}{
		"nothing":                   {"", nil, 0},
		"an actor edited":           {"UPDATE events SET actor = 'bob' WHERE seq = 5", []keyfob.Finding{keyfob.FoundEdited}, 5},
		"a reason edited":           {"UPDATE events SET reason = 'x' WHERE seq = 5", []keyfob.Finding{keyfob.FoundEdited}, 5},
		"a subject edited":          {"UPDATE events SET subject = 'x' WHERE seq = 5", []keyfob.Finding{keyfob.FoundEdited}, 5},
		"a time edited":             {"UPDATE events SET time = time + 1 WHERE seq = 5", []keyfob.Finding{keyfob.FoundEdited}, 5},
		"a type edited":             {"UPDATE events SET type = 'apikey.purged' WHERE seq = 5", []keyfob.Finding{keyfob.FoundEdited}, 5},
		"a MAC edited":              {"UPDATE events SET mac = zeroblob(32) WHERE seq = 5", []keyfob.Finding{keyfob.FoundEdited}, 5},
		"a link edited":             {"UPDATE events SET link = zeroblob(32) WHERE seq = 5", []keyfob.Finding{keyfob.FoundEdited}, 5},
		"the root key's number":     {"UPDATE events SET root_key = 2 WHERE seq = 5", []keyfob.Finding{keyfob.FoundEdited}, 5},
		"a row moved to a space":    {"UPDATE events SET space = (SELECT id FROM spaces WHERE name = 'keyfob'), seq = 50 WHERE seq = 5", []keyfob.Finding{keyfob.FoundRemoved}, 5},
		"two rows swapped":          {"UPDATE events SET seq = -seq WHERE seq IN (5, 6); UPDATE events SET seq = 11 + seq WHERE seq IN (-5, -6)", []keyfob.Finding{keyfob.FoundEdited, keyfob.FoundRemoved}, 5},
		"one row's content doubled": {"UPDATE events SET (id, time, actor, type, credential, version, subject, reason, mac) = (SELECT id, time, actor, type, credential, version, subject, reason, mac FROM events WHERE seq = 4" + inDefault + ") WHERE seq = 5", []keyfob.Finding{keyfob.FoundEdited}, 5},
		"a row removed":             {"DELETE FROM events WHERE seq = 5", []keyfob.Finding{keyfob.FoundRemoved}, 5},
		"the first row removed":     {"DELETE FROM events WHERE seq = 1", []keyfob.Finding{keyfob.FoundRemoved}, 1},
		"three rows removed":        {"DELETE FROM events WHERE seq BETWEEN 3 AND 5", []keyfob.Finding{keyfob.FoundRemoved}, 3},
		"an event copied":           {"INSERT INTO events (id, space, time, actor, type, credential, version, subject, reason, root_key, mac) SELECT id, space, time, actor, type, credential, version, subject, reason, root_key, mac FROM events WHERE seq = 5", []keyfob.Finding{keyfob.FoundEdited}, 0},
		"a seal taken off":          {"UPDATE events SET seq = NULL, link = NULL WHERE seq = 5", []keyfob.Finding{keyfob.FoundEdited}, 5},
	} {
		t.Run(what, func(t *testing.T) {
			d := newAuditedDB(t)
			checkpoint := d.grow(9) // with the space's own, 10 events
			if checkpoint.Seq != 10 {
				t.Fatalf("the chain ends at %d, want 10", checkpoint.Seq)
			}
			if c.sql != "" {
				var sql strings.Builder
				for _, statement := range strings.Split(c.sql, ";") {
					sql.WriteString(statement + inDefault + ";")
				}
				d.edit(sql.String())
			}
			r := d.report()
			if what != "a seal taken off" || len(r.Problems) == 0 {
				d.wantFindings(r, c.want...)
			}
			if c.seq != 0 && (len(r.Problems) == 0 || r.Problems[0].Seq != c.seq) {
				t.Errorf("the first problem is not at %d", c.seq)
			}
			if what != "a seal taken off" { // which the sealer gives another one meanwhile
				d.wantFindings(d.report(checkpoint), c.want...) // a checkpoint behind adds nothing
			}
		})
	}
}

func TestTruncation(t *testing.T) {
	const inDefault = " AND space = (SELECT id FROM spaces WHERE name = 'default')"
	const setBack = ";UPDATE heads SET (seq, link) = (SELECT seq, link FROM events WHERE seq = 7" + inDefault + ") WHERE 1" + inDefault
	t.Run("the end removed", func(t *testing.T) {
		d := newAuditedDB(t)
		checkpoint := d.grow(9)
		d.edit("DELETE FROM events WHERE seq > 7" + inDefault)
		d.wantFindings(d.report(), keyfob.FoundTruncated)
		d.wantFindings(d.report(checkpoint), keyfob.FoundTruncated, keyfob.FoundRolledBack)
	})
	t.Run("the end removed, the head set back", func(t *testing.T) {
		d := newAuditedDB(t)
		early, late := d.grow(5), d.grow(4)
		d.edit("DELETE FROM events WHERE seq > 7" + inDefault + setBack)
		d.wantFindings(d.report())
		d.wantFindings(d.report(early))
		d.wantFindings(d.report(late), keyfob.FoundRolledBack)
		d.grow(6) // and the log goes on beyond the checkpoint
		d.wantFindings(d.report())
		d.wantFindings(d.report(early, late), keyfob.FoundRolledBack)
	})
	t.Run("an older copy", func(t *testing.T) {
		d := newAuditedDB(t)
		early := d.grow(5)
		d.close()
		older, err := os.ReadFile(d.path)
		if err != nil {
			t.Fatal(err)
		}
		d.open()
		late := d.grow(4)
		d.close()
		for _, suffix := range []string{"-wal", "-shm"} {
			os.Remove(d.path + suffix)
		}
		if err := os.WriteFile(d.path, older, 0o600); err != nil {
			t.Fatal(err)
		}
		d.open()
		d.wantFindings(d.report())
		d.wantFindings(d.report(early))
		d.wantFindings(d.report(late), keyfob.FoundRolledBack)
		d.grow(9)
		d.wantFindings(d.report(early))
		d.wantFindings(d.report(late), keyfob.FoundRolledBack)
	})
	t.Run("the head set back alone", func(t *testing.T) {
		d := newAuditedDB(t)
		d.grow(9)
		d.edit(setBack[1:])
		d.wantFindings(d.report(), keyfob.FoundEdited)
	})
}

// Who took the root key can make any event and any link, and is found only by a
// checkpoint. Here the log is made anew, whole in itself.
func TestRewrittenLog(t *testing.T) {
	d := newAuditedDB(t)
	checkpoint := d.grow(9)
	d.edit("DELETE FROM events; DELETE FROM heads")
	d.grow(20)
	d.wantFindings(d.report())
	d.wantFindings(d.report(checkpoint), keyfob.FoundRolledBack)
}

func TestCheckpointRefuses(t *testing.T) {
	d := newAuditedDB(t)
	good := d.grow(3)
	other := newAuditedDB(t)
	stranger := other.grow(3)
	_, key, _ := ed25519.GenerateKey(nil)
	for what, change := range map[string]func(c *keyfob.Checkpoint){
		"number":         func(c *keyfob.Checkpoint) { c.Seq-- },
		"link":           func(c *keyfob.Checkpoint) { c.Link = slices.Clone(c.Link); c.Link[0] ^= 1 },
		"time":           func(c *keyfob.Checkpoint) { c.Time = c.Time.Add(time.Millisecond) },
		"space":          func(c *keyfob.Checkpoint) { c.Space = "keyfob" },
		"space's id":     func(c *keyfob.Checkpoint) { c.SpaceID = stranger.SpaceID },
		"signature":      func(c *keyfob.Checkpoint) { c.Signature = slices.Clone(c.Signature); c.Signature[0] ^= 1 },
		"no signature":   func(c *keyfob.Checkpoint) { c.Signature = nil },
		"key":            func(c *keyfob.Checkpoint) { c.Key = key.Public().(ed25519.PublicKey) },
		"no key":         func(c *keyfob.Checkpoint) { c.Key = nil },
		"root key":       func(c *keyfob.Checkpoint) { c.RootKey = 2 },
		"of another":     func(c *keyfob.Checkpoint) { *c = stranger },
		"the zero value": func(c *keyfob.Checkpoint) { *c = keyfob.Checkpoint{} },
	} {
		bad := good
		change(&bad)
		_, err := d.a.Events().Verify(t.Context(), good, bad)
		wantInput(t, what, err, "checkpoint", "")
		if what != "key" && what != "no key" && bad.Verify(good.Key) {
			t.Errorf("%s: Checkpoint.Verify accepts it", what)
		}
	}
	acme := "acme"
	createSpace(t, d.a, acme, acme)
	_, err := d.a.In(acme).Events().Verify(t.Context(), good)
	wantInput(t, "a checkpoint of another space", err, "checkpoint", "another space")
	if !good.Verify(good.Key) {
		t.Error("Checkpoint.Verify refuses a good one")
	}
}

// The log is sealed within a second without anybody asking, in each space apart.
func TestSealing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memory.Open()
		a, err := keyfob.Open(t.Context(), keyfob.Config{Store: st, RootKey: newRootKey(t)})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close(t.Context())
		createSpace(t, a, "acme", "acme")
		for i := range 30 {
			issue(t, a.In([]string{"default", "acme"}[i%2]), keyfob.APIKey{})
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(time.Second)
		for _, space := range []string{"default", "acme"} {
			page, err := a.In(space).Events().List(t.Context(), keyfob.EventFilter{})
			if err != nil || len(page.Items) != 16 {
				t.Fatalf("%d events of %s, %v", len(page.Items), space, err)
			}
			for i, e := range page.Items {
				if e.Seq != int64(i+1) {
					t.Errorf("event %d of %s has the number %d", i+1, space, e.Seq)
				}
			}
			if r, err := a.In(space).Events().Verify(t.Context()); err != nil || len(r.Problems) != 0 || r.Sealed != 16 || r.Events != 16 {
				t.Errorf("%s: %+v, %v", space, r, err)
			}
		}
	})
}
