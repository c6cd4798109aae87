package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyfob-dev/keyfob/store"
)

// firstSchema makes a database of schema 1 with what newIssue makes, and returns
// that: credentials in each state, the last one with two versions.
func firstSchema(t *testing.T, path string) []store.Item {
	t.Helper()
	if err := ensure(path, ""); err != nil {
		t.Fatal(err)
	}
	if err := runMigrations(path, "", true, 1); err != nil {
		t.Fatal(err)
	}
	mustExec(t, path, fmt.Sprintf(`
		INSERT INTO spaces (id, name, prefix, revision, created) VALUES ('%s', 'default', 'acme_live', 3, %d);
		INSERT INTO settings (name, value) VALUES ('check', x'00ff')`, someSpace, someTime.UnixMilli()))
	var items []store.Item
	for i, state := range states {
		item, change := newIssue()
		c := &item.Credential
		c.State, c.Revision, c.Expires = state, 2, someTime.Add(time.Duration(i)*time.Hour)
		if i == len(states)-1 {
			next, _ := newIssue()
			v := next.Versions[0]
			v.Credential, v.Number = c.ID, 2
			item.Versions[0].Ends = someTime
			c.Current, c.Previous = v.ID, c.Current
			item.Versions = []store.Version{v, item.Versions[0]}
		}
		mustExec(t, path, fmt.Sprintf(`
			INSERT INTO credentials (id, space, kind, subject, purpose, binding, name, scopes, attributes,
				expires, state, reason, revision, created, current, previous)
			VALUES ('%s', '%s', 'apikey', '%s', '', '', '%s', '["read","write"]', '{"team":"blue"}',
				%d, '%s', '', 2, %d, '%s', '%s')`,
			c.ID, c.Space, c.Subject, c.Name, c.Expires.UnixMilli(), state, c.Created.UnixMilli(), c.Current, c.Previous))
		for _, v := range item.Versions {
			ends := "NULL"
			if !v.Ends.IsZero() {
				ends = fmt.Sprint(v.Ends.UnixMilli())
			}
			mustExec(t, path, fmt.Sprintf(`
				INSERT INTO versions (id, credential, space, number, prefix, digest, root_key, created, ends)
				SELECT '%s', serial, space, %d, '%s', x'%x', 1, %d, %s FROM credentials WHERE id = '%s'`,
				v.ID, v.Number, v.Prefix, v.Digest, v.Created.UnixMilli(), ends, c.ID))
		}
		e := change.Events[0]
		mustExec(t, path, fmt.Sprintf(`
			INSERT INTO events (id, space, time, actor, type, credential, version, subject, reason, root_key, mac)
			VALUES ('%s', '%s', %d, '%s', '%s', '%s', '%s', '%s', '', 1, x'%x')`,
			e.ID, e.Space, e.Time.UnixMilli(), e.Actor, e.Type, e.Credential, e.Version, e.Subject, e.MAC))
		items = append(items, item)
	}
	return items
}

// seeFirst sees that all of a database of schema 1 is there, and that what is
// new is zero.
func seeFirst(t *testing.T, s *Store, items []store.Item) {
	t.Helper()
	for _, item := range items {
		got, err := s.Credential(background, someSpace, item.Credential.ID)
		if diff := cmp.Diff(item, got); err != nil || diff != "" {
			t.Errorf("%v; the credential (-want +got):\n%s", err, diff)
		}
		for _, v := range item.Versions {
			found, err := s.Version(background, someSpace, v.ID)
			if diff := cmp.Diff(store.Found{Credential: item.Credential, Version: v}, found); err != nil || diff != "" {
				t.Errorf("%v; the version (-want +got):\n%s", err, diff)
			}
			if uses, err := s.Uses(background, someSpace, v.ID); err != nil || uses != nil {
				t.Errorf("Uses: %v, %v; want none", uses, err)
			}
		}
	}
	events, err := s.Events(background, store.EventQuery{Space: someSpace, Limit: 99})
	if err != nil || len(events) != len(items) {
		t.Fatalf("Events: %d, %v; want %d", len(events), err, len(items))
	}
	for i, e := range events {
		if e.Credential != items[i].Credential.ID || e.Seq != 0 || e.Link != nil {
			t.Errorf("event %d: %+v; want one of %s, not sealed", i, e, items[i].Credential.ID)
		}
	}
	unsealed, err := s.Unsealed(background, 99)
	if diff := cmp.Diff(events, unsealed); err != nil || diff != "" {
		t.Errorf("%v; what is not sealed (-want +got):\n%s", err, diff)
	}
	head, headErr := s.Head(background, someSpace)
	mark, markErr := s.Mark(background)
	space, spaceErr := s.Space(background, "default")
	value, valueErr := s.Setting(background, "check")
	if err := errors.Join(headErr, markErr, spaceErr, valueErr); err != nil || head.Seq != 0 || !mark.IsZero() ||
		space != (store.Space{ID: someSpace, Name: "default", Prefix: "acme_live", Revision: 3, Created: someTime}) ||
		string(value) != "\x00\xff" {
		t.Errorf("head %v, mark %v, space %v, setting %x, %v", head, mark, space, value, err)
	}
}

// TestFirstSchema opens a database that was made before there was schema 2, and
// has its old rows do all that is new.
func TestFirstSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyfob.db")
	items := firstSchema(t, path)
	for range 2 { // the second time there is nothing to do
		s := mustOpen(t, path)
		seeFirst(t, s, items)
		s.Close()
	}
	s := mustOpen(t, path)
	events, err := s.Events(background, store.EventQuery{Space: someSpace, Newest: true, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	c, old := items[0].Credential, items[len(items)-1].Credential
	c.Uses = 1
	err = s.Apply(background, store.Change{Steps: []store.Step{
		store.UpdateCredential{Credential: c},
		store.UseCredential{Space: someSpace, ID: c.ID, Revision: c.Revision + 1},
		store.RecordUse{Space: someSpace, Version: old.Current, Address: "192.0.2.1", First: someTime, Last: someTime},
		store.RecordUse{Space: someSpace, Version: c.Current, Address: "192.0.2.1", First: someTime, Last: someTime},
		store.DeleteCredential{Space: someSpace, ID: old.ID, Revision: old.Revision},
		store.SealEvents{Space: someSpace, Seals: []store.Seal{{Event: events[0].Number, Link: []byte("link")}}},
		store.RaiseMark{To: someTime},
		store.CreateReplay{Replay: store.Replay{Space: someSpace, Name: "replay", Expires: someTime}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	found, err := s.Version(background, someSpace, c.Current)
	if err != nil || found.Credential.Used != 1 || found.Version.LastUsed != someTime {
		t.Errorf("%+v, %v; want one that was used", found, err)
	}
	if _, err := s.Version(background, someSpace, old.Previous); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a version of what was removed: %v; want ErrNotFound", err)
	}
	rows, err := s.writer.value(`SELECT count(*) FROM versions LEFT JOIN uses ON version = id`)
	if err != nil || rows != fmt.Sprint(len(items)-1) {
		t.Errorf("%s versions and uses, %v; want %d", rows, err, len(items)-1)
	}
}

// secondSchema makes a database of schema 2, from one of schema 1, in which all
// that is new in it is in use, and returns what seeSecond looks for.
func secondSchema(t *testing.T, path string) []store.Item {
	t.Helper()
	items := firstSchema(t, path)
	if err := runMigrations(path, "", false, 2); err != nil {
		t.Fatal(err)
	}
	c, v := &items[0].Credential, &items[0].Versions[0]
	c.Kind, c.Purpose = store.KindLink, "login"
	c.NotBefore, c.Updated, c.CIDRs = someTime, someTime.Add(time.Hour), []string{"192.0.2.0/24"}
	c.Uses, c.Used, c.Limit = 7, 3, store.Limit{Rate: 5, Per: time.Minute, Burst: 9}
	v.FirstUsed, v.LastUsed = someTime, someTime.Add(time.Minute)
	mustExec(t, path, fmt.Sprintf(`
		UPDATE credentials SET kind = 'link', purpose = 'login', not_before = %[2]d, updated = %[2]d + 3600000, cidrs = '["192.0.2.0/24"]',
			uses = 7, used = 3, limit_rate = 5, limit_per = 60000, limit_burst = 9 WHERE id = '%[3]s';
		UPDATE versions SET first_used = %[2]d, last_used = %[2]d + 60000 WHERE id = '%[4]s';
		INSERT INTO uses (version, address, first, last) VALUES ('%[4]s', '192.0.2.1', %[2]d, %[2]d + 60000);
		UPDATE events SET seq = 1, link = x'beef' WHERE number = 1;
		INSERT INTO heads (space, seq, link) VALUES ('%[1]s', 1, x'beef');
		UPDATE mark SET time = %[2]d;
		INSERT INTO replays (space, name, request, sealed, expires) VALUES ('%[1]s', 'replay', x'01', x'02', %[2]d)`,
		someSpace, someTime.UnixMilli(), c.ID, v.ID))
	return items
}

// seeSecond sees that all of a database of schema 2 is there, and that what is
// new is zero.
func seeSecond(t *testing.T, s *Store, items []store.Item) {
	t.Helper()
	for _, item := range items {
		got, err := s.Credential(background, someSpace, item.Credential.ID)
		if diff := cmp.Diff(item, got); err != nil || diff != "" {
			t.Errorf("%v; the credential (-want +got):\n%s", err, diff)
		}
		versions, err := s.Versions(background, someSpace, item.Credential.ID)
		slices.Reverse(versions)
		if diff := cmp.Diff(item.Versions, versions); err != nil || diff != "" {
			t.Errorf("%v; its versions (-want +got):\n%s", err, diff)
		}
	}
	v := items[0].Versions[0]
	uses, usesErr := s.Uses(background, someSpace, v.ID)
	head, headErr := s.Head(background, someSpace)
	mark, markErr := s.Mark(background)
	replay, replayErr := s.Replay(background, someSpace, "replay")
	unsealed, unsealedErr := s.Unsealed(background, 99)
	if err := errors.Join(usesErr, headErr, markErr, replayErr, unsealedErr); err != nil || len(unsealed) != len(items)-1 {
		t.Fatalf("%d events are not sealed, %v; want %d", len(unsealed), err, len(items)-1)
	}
	type rest struct {
		Uses   []store.Use
		Head   store.Head
		Mark   time.Time
		Replay store.Replay
	}
	want := rest{
		Uses: []store.Use{{Address: "192.0.2.1", First: v.FirstUsed, Last: v.LastUsed}},
		Head: store.Head{Seq: 1, Link: []byte{0xbe, 0xef}}, Mark: someTime,
		Replay: store.Replay{Space: someSpace, Name: "replay", Request: []byte{1}, Sealed: []byte{2}, Expires: someTime},
	}
	if diff := cmp.Diff(want, rest{uses, head, mark, replay}); diff != "" {
		t.Errorf("the rest (-want +got):\n%s", diff)
	}
}

// TestSecondSchema opens a database that was made before there was schema 3, and
// has its old rows do all that is new.
func TestSecondSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyfob.db")
	items := secondSchema(t, path)
	for range 2 { // the second time there is nothing to do
		s := mustOpen(t, path)
		seeSecond(t, s, items)
		s.Close()
	}
	s := mustOpen(t, path)
	c, ended := items[0].Credential, items[len(items)-1].Credential
	budget := store.Budget{Space: someSpace, Name: "budget", Guesses: 1}
	live := store.RequireLive{Space: someSpace, Kind: c.Kind, Subject: c.Subject, Purpose: c.Purpose, IDs: []string{c.ID}}
	none := store.RequireLive{Space: someSpace, Kind: ended.Kind, Subject: ended.Subject}
	err := s.Apply(background, store.Change{Steps: []store.Step{
		live, none, // also of rows that were there before the index
		store.ClaimStep{Space: someSpace, ID: c.ID, Revision: c.Revision, Step: 41},
		store.CreateVersion{Version: store.Version{
			ID: newID(), Credential: c.ID, Space: someSpace, Number: 2, Digest: []byte("digest"), Sealed: []byte("sealed"),
			Created: someTime,
		}},
		store.WriteBudget{Budget: budget},
	}})
	if err != nil {
		t.Fatal(err)
	}
	item, err := s.Credential(background, someSpace, c.ID)
	if err != nil || item.Credential.NextStep != 42 {
		t.Errorf("%+v, %v; want one whose NextStep is 42", item.Credential, err)
	}
	versions, err := s.Versions(background, someSpace, c.ID)
	if err != nil || len(versions) != 2 || versions[0].Sealed != nil || string(versions[1].Sealed) != "sealed" {
		t.Errorf("%+v, %v; want two, the second one with what was sealed", versions, err)
	}
	budget.Revision = 1
	if got, err := s.Budget(background, someSpace, "budget"); err != nil || got != budget {
		t.Errorf("%+v, %v; want %+v", got, err, budget)
	}
}

// thirdSchema makes a database of schema 3, from one of schema 2, in which all that
// is new in it is in use, and all credentials but the first are sessions of alice. It
// returns what seeThird looks for.
func thirdSchema(t *testing.T, path string) []store.Item {
	t.Helper()
	items := secondSchema(t, path)
	if err := runMigrations(path, "", false, 3); err != nil {
		t.Fatal(err)
	}
	c, v := &items[0].Credential, &items[0].Versions[0]
	c.NextStep, v.Sealed = 42, []byte("sealed")
	for i := range items[1:] {
		items[i+1].Credential.Kind, items[i+1].Credential.Subject = store.KindSession, "alice"
	}
	mustExec(t, path, fmt.Sprintf(`
		UPDATE credentials SET kind = 'session', subject = 'alice' WHERE id <> '%[2]s';
		UPDATE credentials SET next_step = 42 WHERE id = '%[2]s';
		UPDATE versions SET sealed = CAST('sealed' AS BLOB) WHERE id = '%[3]s';
		INSERT INTO budgets (space, name, window, guesses, consecutive, last, expires, revision)
		VALUES ('%[1]s', 'budget', NULL, 1, 2, NULL, NULL, 3)`, someSpace, c.ID, v.ID))
	return items
}

// seeThird sees that all of a database of schema 3 is there, and that what is new
// is zero.
func seeThird(t *testing.T, s *Store, items []store.Item) {
	t.Helper()
	seeSecond(t, s, items)
	want := store.Budget{Space: someSpace, Name: "budget", Guesses: 1, Consecutive: 2, Revision: 3}
	if got, err := s.Budget(background, someSpace, "budget"); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

// TestThirdSchema opens a database that was made before there was schema 4, and
// has its old rows do all that is new.
func TestThirdSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyfob.db")
	items := thirdSchema(t, path)
	for range 2 { // the second time there is nothing to do
		s := mustOpen(t, path)
		seeThird(t, s, items)
		s.Close()
	}
	s := mustOpen(t, path)
	c := &items[0].Credential
	live := store.RequireLive{Space: someSpace, Kind: c.Kind, Subject: c.Subject, Purpose: c.Purpose, IDs: []string{c.ID}}
	list := store.Query{
		Space: someSpace, Kind: c.Kind, Subject: c.Subject, States: []store.State{store.StateActive, store.StateSuspended}, Limit: 9,
	}
	unrevoked := store.RequireUnrevoked{Space: someSpace, Kind: store.KindSession, Subject: "alice"}
	err := s.Apply(background, store.Change{Steps: []store.Step{
		live, unrevoked, // also of rows that were there before
		store.TouchCredential{Space: someSpace, ID: c.ID, Revision: c.Revision, At: someTime},
	}})
	if err != nil {
		t.Fatal(err)
	}
	c.Seen = someTime
	listed, err := s.Credentials(background, list)
	if diff := cmp.Diff(items[:1], listed); err != nil || diff != "" {
		t.Errorf("%v; what is live (-want +got):\n%s", err, diff)
	}
	live.IDs = nil
	by := store.RevokeSubject{Space: someSpace, Kind: store.KindSession, Subject: "alice", Reason: "over", At: someTime}
	ofLinks := by
	ofLinks.Kind, ofLinks.Subject = c.Kind, c.Subject
	young, change := newIssue()
	young.Credential.Kind, young.Credential.Subject, young.Credential.Idle = by.Kind, by.Subject, time.Hour
	change.Steps[0] = store.CreateCredential{Credential: young.Credential}
	change.Steps = append([]store.Step{by, ofLinks, live}, change.Steps...)
	if err := s.Apply(background, change); err != nil {
		t.Fatal(err)
	}
	for i := range items {
		if c := &items[i].Credential; !c.State.Final() {
			c.State, c.Reason, c.Updated = store.StateRevoked, by.Reason, by.At
		}
	}
	for _, item := range append(items, young) {
		got, err := s.Credential(background, someSpace, item.Credential.ID)
		if diff := cmp.Diff(item, got); err != nil || diff != "" {
			t.Errorf("%v; the credential after the revocations (-want +got):\n%s", err, diff)
		}
	}
	if listed, err := s.Credentials(background, list); err != nil || len(listed) > 0 {
		t.Errorf("%v, %v; want none that is live", listed, err)
	}
	if err := s.Apply(background, store.Change{Steps: []store.Step{unrevoked}}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("%v; want a conflict", err)
	}
}

// TestPowerLossWhileMigrating lets the power go at each flush while a database
// of schema 1 is opened.
func TestPowerLossWhileMigrating(t *testing.T) {
	first := filepath.Join(t.TempDir(), "keyfob.db")
	items := firstSchema(t, first)
	whole, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	for at := 1; ; at++ {
		path := filepath.Join(t.TempDir(), "keyfob.db")
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		d := newDisk(t)
		d.fault, d.at, d.sizes = "sync", at, at%2 == 0
		s, err := open(path, d.name)
		if err == nil {
			s.Close()
		}
		if !d.hit() {
			if at < 3 {
				t.Errorf("there were only %d flushes", at-1)
			}
			return
		}
		d.losePower(t)
		s = mustOpen(t, path)
		seeFirst(t, s, items)
		s.Close()
	}
}
