package sqlite

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// newSession makes the change that issues a session to alice.
func newSession() (store.Credential, store.Change) {
	item, change := newIssue()
	c := item.Credential
	c.Kind, c.Subject = store.KindSession, "alice"
	change.Steps[0] = store.CreateCredential{Credential: c}
	return c, change
}

// manySessions makes a database in which alice has n sessions, all but one of them
// without versions, and opens it.
func manySessions(t *testing.T, n int) *Store {
	t.Helper()
	path := newDatabase(t)
	s := mustOpen(t, path)
	_, change := newSession()
	if err := s.Apply(background, change); err != nil {
		t.Fatal(err)
	}
	columns, err := s.writer.value(`SELECT group_concat(name) FROM pragma_table_info('credentials') WHERE name NOT IN ('serial', 'id')`)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	mustExec(t, path, fmt.Sprintf(`
		PRAGMA synchronous = OFF;
		PRAGMA cache_size = -200000;
		WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < %[2]d)
		INSERT INTO credentials (id, %[1]s) SELECT printf('%%016d', n), %[1]s FROM credentials, n WHERE n < %[2]d`, columns, n))
	return mustOpen(t, path)
}

// revokeAlice makes the step that revokes the sessions of alice.
func revokeAlice(reason string, at time.Time) store.RevokeSubject {
	return store.RevokeSubject{Space: someSpace, Kind: store.KindSession, Subject: "alice", Reason: reason, At: at}
}

// TestRevokeSubjectCost sees that to revoke 100,000 sessions takes as many steps of
// SQLite's machine as to revoke one, and writes as many rows and pages.
func TestRevokeSubjectCost(t *testing.T) {
	type cost struct {
		steps        int
		rows, frames int64
	}
	costs := map[int]cost{}
	for _, n := range []int{1, 100_000} {
		s := manySessions(t, n)
		writes, err := appendStep(nil, revokeAlice("over", someTime), 0)
		if err != nil || len(writes) != 1 {
			t.Fatal(writes, err)
		}
		c := cost{steps: vmSteps(t, s, writes[0].sql, writes[0].args)}
		rows, frames := s.writer.TotalChanges(), s.frames
		if err := s.Apply(background, store.Change{Steps: []store.Step{revokeAlice("over", someTime)}}); err != nil {
			t.Fatal(err)
		}
		c.rows, c.frames = s.writer.TotalChanges()-rows, int64(s.frames-frames)
		costs[n] = c
		live := store.RequireLive{Space: someSpace, Kind: store.KindSession, Subject: "alice"}
		if err := s.Apply(background, store.Change{Steps: []store.Step{live}}); err != nil {
			t.Errorf("some of %d are live: %v", n, err)
		}
		query := store.Query{Space: someSpace, Subject: "alice", States: []store.State{store.StateRevoked}, Limit: 5}
		items, err := s.Credentials(background, query)
		if err != nil || len(items) != min(n, 5) {
			t.Errorf("%v, %v; want %d that are revoked", items, err, min(n, 5))
		}
	}
	if one, many := costs[1], costs[100_000]; one != many || one.rows != 1 || one.steps == 0 {
		t.Errorf("one session costs %+v, and 100,000 cost %+v; want the same, and one row", one, many)
	}
}

// TestRevocationsCostNothing sees that what is read, asked or written takes no more
// steps of SQLite's machine when the subject was revoked 10,000 times.
func TestRevocationsCostNothing(t *testing.T) {
	s := mustOpen(t, newDatabase(t))
	old, change := newSession()
	revoke := func(n int) {
		var change store.Change
		for i := range n {
			change.Steps = append(change.Steps, revokeAlice("over", someTime.Add(time.Duration(i)*time.Second)))
		}
		if err := s.Apply(background, change); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Apply(background, change); err != nil {
		t.Fatal(err)
	}
	steps := func(step store.Step) func() int {
		sql, args, err := statementOfStep(step)
		if err != nil {
			t.Fatal(err)
		}
		return func() int { return vmSteps(t, s, sql, args) }
	}
	young, change := newSession() // issued after all
	create, createErr := createCredential(&young)
	revokes, err := appendStep(nil, revokeAlice("over", someTime), 0)
	if err := errors.Join(createErr, err); err != nil {
		t.Fatal(err)
	}
	counts := map[string]func() int{
		"a look-up":   func() int { return vmSteps(t, s, sqlVersion, []any{someSpace, old.Current}) },
		"a read":      func() int { return vmSteps(t, s, sqlCredential, []any{someSpace, old.ID}) },
		"a touch":     steps(store.TouchCredential{Space: someSpace, ID: old.ID, Revision: 1, At: someTime}),
		"nobody live": steps(store.RequireLive{Space: someSpace, Kind: old.Kind, Subject: old.Subject}),
		"unrevoked":   steps(store.RequireUnrevoked{Space: someSpace, Kind: old.Kind, Subject: old.Subject, Since: someTime}),
		"an issue":    func() int { return vmSteps(t, s, sqlCreateCredential, create) },
		"one more":    func() int { return vmSteps(t, s, revokes[0].sql, revokes[0].args) },
	}
	live := counts["a look-up"]()
	revoke(1)
	before := map[string]int{}
	for what, count := range counts {
		before[what] = count()
	}
	for range 10 {
		revoke(1000)
	}
	for what, count := range counts {
		if n := count(); n > before[what] || n == 0 {
			t.Errorf("%s takes %d steps after 10,001 revocations, and %d after one", what, n, before[what])
		}
	}
	if err := s.Apply(background, change); err != nil {
		t.Fatal(err)
	}
	if n := vmSteps(t, s, sqlVersion, []any{someSpace, young.Current}); n > live {
		t.Errorf("a look-up of a live session takes %d steps after 10,001 revocations, and %d before", n, live)
	}
	found, err := s.Version(background, someSpace, young.Current)
	if err != nil || found.Credential.State != store.StateActive {
		t.Errorf("%+v, %v; want an active session", found.Credential, err)
	}
}

// TestRequireUnrevokedWritesNothing sees that the condition adds nothing to the log,
// whether it holds or not.
func TestRequireUnrevokedWritesNothing(t *testing.T) {
	s := mustOpen(t, newDatabase(t))
	if err := s.Apply(background, store.Change{Steps: []store.Step{revokeAlice("over", someTime)}}); err != nil {
		t.Fatal(err)
	}
	frames, rows := s.frames, s.writer.TotalChanges()
	for _, since := range []time.Time{{}, someTime, someTime.Add(time.Millisecond)} {
		for _, subject := range []string{"alice", "bob"} {
			err := s.Apply(background, store.Change{Steps: []store.Step{
				store.RequireUnrevoked{Space: someSpace, Kind: store.KindSession, Subject: subject, Since: since},
			}})
			if holds := subject == "bob" || since.After(someTime); (err == nil) != holds || err != nil && !errors.Is(err, store.ErrConflict) {
				t.Errorf("%s since %v: %v", subject, since, err)
			}
		}
	}
	if s.frames != frames || s.writer.TotalChanges() != rows {
		t.Errorf("the log grew by %d pages, and %d rows were written; want 0", s.frames-frames, s.writer.TotalChanges()-rows)
	}
}

// TestBatchOfRevocations issues sessions and revokes them by turns in one
// transaction, with changes in between that do both, in either order, or are refused
// when they have done both.
func TestBatchOfRevocations(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "keyfob.db"))
	refused := store.RequireLive{Space: someSpace, Kind: store.KindSession, Subject: "alice", IDs: []string{"nobody"}}
	var changes []store.Change
	var sessions []store.Credential
	var reasons []string // of each session; empty: it stays active
	for round := range 5 {
		reason := fmt.Sprint("round ", round)
		by := revokeAlice(reason, someTime.Add(time.Duration(round)*time.Second))
		next := fmt.Sprint("round ", round+1)
		if round == 4 {
			next = ""
		}
		before, created := newSession()
		within, both := newSession()
		after, createdAfter := newSession()
		lost, undone := newSession()
		both.Steps = append(both.Steps, by)                                               // it revokes what it has issued
		createdAfter.Steps = append([]store.Step{by}, createdAfter.Steps...)              // it issues after it has revoked
		undone.Steps = append(append([]store.Step{by}, undone.Steps...), by, by, refused) // all of it is taken back
		changes = append(changes, created, undone, both, createdAfter, undone)
		sessions = append(sessions, before, within, after, lost)
		reasons = append(reasons, reason, reason, next, "lost")
	}
	for i, err := range applyTogether(t, s, changes) {
		var conflict *store.ConflictError
		if wrong := i%5 == 1 || i%5 == 4; wrong != errors.As(err, &conflict) || wrong && conflict.Step != 5 || !wrong && err != nil {
			t.Errorf("change %d: %v", i, err)
		}
	}
	for i, c := range sessions {
		found, err := s.Version(background, someSpace, c.Current)
		state := store.StateRevoked
		if reasons[i] == "" {
			state = store.StateActive
		}
		switch got := found.Credential; {
		case reasons[i] == "lost":
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("session %d, whose change was refused: %+v, %v; want ErrNotFound", i, got, err)
			}
		case err != nil || got.State != state || got.Reason != reasons[i]:
			t.Errorf("session %d: %s because %q, %v; want %s because %q", i, got.State, got.Reason, err, state, reasons[i])
		}
	}
	if n, err := s.writer.value(`SELECT count(*) FROM revocations`); err != nil || n != "10" {
		t.Errorf("%s revocations, %v; want 10", n, err)
	}
}
