package sqlite

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/keyfob-dev/keyfob/store"
)

// TestBatchOfLive makes in one transaction many changes that each issue the only
// live link of a subject: one of them is applied. For the others the condition is
// tried after a statement that has written a row.
func TestBatchOfLive(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "keyfob.db"))
	none := store.RequireLive{Space: someSpace, Kind: store.KindLink, Subject: "alice", Purpose: "login"}
	changes := make([]store.Change, 20)
	for i := range changes {
		item, change := newIssue()
		link, other := item.Credential, item.Credential
		link.Kind, link.Subject, link.Purpose = none.Kind, none.Subject, none.Purpose
		other.ID = newID()
		changes[i] = store.Change{Steps: []store.Step{
			store.CreateCredential{Credential: other}, none, store.CreateCredential{Credential: link},
		}, Events: change.Events}
	}
	applied := 0
	for i, err := range applyTogether(t, s, changes) {
		var conflict *store.ConflictError
		switch {
		case err == nil:
			applied++
		case !errors.As(err, &conflict) || conflict.Step != 1:
			t.Errorf("change %d: %v; want a conflict of step 1", i, err)
		}
	}
	items, err := s.Credentials(background, store.Query{Space: someSpace, Limit: 99})
	if err != nil || applied != 1 || len(items) != 2 {
		t.Errorf("%d applied, %d credentials, %v; want 1 and 2", applied, len(items), err)
	}
}

// TestRequireLiveWritesNothing sees that a change of conditions alone adds nothing
// to the log.
func TestRequireLiveWritesNothing(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "keyfob.db"))
	c := mustIssue(t, s, 1)[0].Credential
	frames := s.frames
	for i, ids := range [][]string{{c.ID}, nil, {newID()}, {c.ID, newID()}, {c.ID, c.ID}} {
		err := s.Apply(background, store.Change{Steps: []store.Step{
			store.RequireLive{Space: someSpace, Kind: c.Kind, Subject: c.Subject, IDs: ids},
		}})
		if (err == nil) != (i == 0) || err != nil && !errors.Is(err, store.ErrConflict) {
			t.Errorf("%q: %v", ids, err)
		}
	}
	if s.frames != frames {
		t.Errorf("the log grew by %d pages; want 0", s.frames-frames)
	}
}

// vmSteps returns how many steps of SQLite's machine a statement takes, and takes
// back what it writes.
func vmSteps(t *testing.T, s *Store, sql string, args []any) int {
	t.Helper()
	if err := s.writer.Exec(sqlBegin); err != nil {
		t.Fatal(err)
	}
	stmt, err := s.writer.prepare(sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	stmt.Status(sqlite3.STMTSTATUS_VM_STEP, true) // those of before
	for stmt.Step() {
	}
	if err := errors.Join(stmt.Err(), stmt.Reset(), s.writer.Exec(sqlUndo)); err != nil {
		t.Fatal(err)
	}
	return stmt.Status(sqlite3.STMTSTATUS_VM_STEP, true)
}

// TestEndedCostNothing sees that what is asked before a link is issued takes no
// more steps of SQLite's machine when the subject has had many.
func TestEndedCostNothing(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "keyfob.db"))
	link := func(state store.State) store.Step {
		item, _ := newIssue()
		c := item.Credential
		c.Kind, c.Subject, c.Purpose, c.State = store.KindLink, "alice", "login", state
		return store.CreateCredential{Credential: c}
	}
	var ended store.Change
	for range 1000 {
		ended.Steps = append(ended.Steps, link(store.StateReplaced))
	}
	condition, args, err := requireLive(store.RequireLive{
		Space: someSpace, Kind: store.KindLink, Subject: "alice", Purpose: "login",
	})
	if err != nil {
		t.Fatal(err)
	}
	list, listArgs := statementOf(store.Query{
		Space: someSpace, Kind: store.KindLink, Subject: "alice", Purpose: "login", Limit: 9,
		States: []store.State{store.StateActive, store.StateSuspended},
	})
	steps := func(sql string, args []any) int { return vmSteps(t, s, sql, args) }
	conditionSteps, listSteps := steps(condition, args), steps(list, listArgs)
	if err := s.Apply(background, ended); err != nil {
		t.Fatal(err)
	}
	if n := steps(condition, args); n > conditionSteps || n == 0 {
		t.Errorf("the condition takes %d steps after 1000 links, and %d before", n, conditionSteps)
	}
	if n := steps(list, listArgs); n > listSteps || n == 0 {
		t.Errorf("the list takes %d steps after 1000 links, and %d before", n, listSteps)
	}
}

// BenchmarkRequireLive asks what is asked before a link is issued, of a subject
// that has had none or many.
func BenchmarkRequireLive(b *testing.B) {
	for _, ended := range []int{0, 10_000} {
		b.Run(fmt.Sprintf("ended=%d", ended), func(b *testing.B) {
			s := mustOpen(b, newDatabase(b))
			link := func(state store.State) store.Credential {
				item, _ := newIssue()
				c := item.Credential
				c.Kind, c.Subject, c.Purpose, c.State = store.KindLink, "alice", "login", state
				return c
			}
			for range ended / 1000 {
				var change store.Change
				for range 1000 {
					change.Steps = append(change.Steps, store.CreateCredential{Credential: link(store.StateReplaced)})
				}
				if err := s.Apply(background, change); err != nil {
					b.Fatal(err)
				}
			}
			live := store.RequireLive{Space: someSpace, Kind: store.KindLink, Subject: "alice", Purpose: "login"}
			change := store.Change{Steps: []store.Step{live}}
			query := store.Query{Space: someSpace, Kind: live.Kind, Subject: live.Subject, Purpose: live.Purpose, Limit: 1}
			states := []store.State{store.StateActive, store.StateSuspended}
			b.Run("condition", func(b *testing.B) {
				for b.Loop() {
					if err := s.Apply(background, change); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("live", func(b *testing.B) {
				query := query
				query.States = states
				for b.Loop() {
					if _, err := s.Credentials(background, query); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("latest", func(b *testing.B) {
				for b.Loop() {
					if _, err := s.Credentials(background, query); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
