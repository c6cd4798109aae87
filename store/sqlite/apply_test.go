package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ncruces/go-sqlite3"

	"github.com/keyfob-dev/keyfob/store"
)

// A stop is a context that stops the writer, in the transaction that it is the
// first of.
type stop struct {
	context.Context
	calls            atomic.Int32
	stopped, proceed chan struct{}
}

// Err is called by Apply, and then by the writer.
func (s *stop) Err() error {
	if s.calls.Add(1) == 2 {
		close(s.stopped)
		<-s.proceed
	}
	return s.Context.Err()
}

// stopWriter has the writer wait in a transaction of an empty change, until the
// function that it returns is called. That waits for the end of the transaction.
func stopWriter(t *testing.T, s *Store) (proceed func()) {
	st := &stop{Context: background, stopped: make(chan struct{}), proceed: make(chan struct{})}
	done := make(chan error)
	go func() { done <- s.Apply(st, store.Change{}) }()
	<-st.stopped
	proceed = sync.OnceFunc(func() {
		close(st.proceed)
		<-done
	})
	t.Cleanup(proceed) // or Close would wait for ever
	return proceed
}

// applyTogether applies changes in one transaction, and returns what each was
// answered.
func applyTogether(t *testing.T, s *Store, changes []store.Change) []error {
	t.Helper()
	proceed := stopWriter(t, s)
	errs := make([]error, len(changes))
	var wg sync.WaitGroup
	for i, change := range changes {
		wg.Go(func() { errs[i] = s.Apply(background, change) })
		waitFor(t, "a change in the queue", func() bool { return len(s.queue) == i+1 })
	}
	proceed()
	transactions := s.transactions()
	wg.Wait()
	if n := s.transactions() - transactions; n > 1 {
		t.Fatalf("%d transactions; want at most 1", n)
	}
	return errs
}

// transactions counts commits.
func (s *Store) transactions() int64 {
	s.readers.mu.Lock()
	defer s.readers.mu.Unlock()
	return (s.readers.generation + 1) / 2
}

func waitFor(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !cond(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// TestBatch applies changes that share a transaction: those that are refused, at
// whichever step, leave nothing and do not touch the others.
func TestBatch(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "keyfob.db"))
	taken := mustIssue(t, s, 1)[0]
	again := store.CreateCredential{Credential: taken.Credential}
	const n = 60
	changes, items := make([]store.Change, n), make([]store.Item, n)
	for i := range changes {
		items[i], changes[i] = newIssue()
		switch i % 6 {
		case 1, 2, 3: // at the first, the second and the last step
			changes[i].Steps = slices.Insert(changes[i].Steps, i%6-1, store.Step(again))
		case 4: // by a constraint that is no condition
			bad := items[i].Credential
			bad.ID, bad.State = newID(), "nonsense"
			changes[i].Steps = append(changes[i].Steps, store.CreateCredential{Credential: bad})
		case 5: // the one before it again, which is in the same transaction
			if i%12 == 5 {
				changes[i] = changes[i-5]
			}
		}
	}
	errs := applyTogether(t, s, changes)
	applied := 0
	for i, err := range errs {
		var conflict *store.ConflictError
		ok, step := false, 0
		switch {
		case i%6 == 0 || i%12 == 11:
			ok = err == nil
			applied++
		case i%6 == 4:
			ok = err != nil && !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrUnavailable)
		case i%12 == 5:
			ok = errors.As(err, &conflict) && conflict.Step == 0
		default:
			step = i%6 - 1
			ok = errors.As(err, &conflict) && conflict.Step == step
		}
		if !ok {
			t.Errorf("change %d: %v", i, err)
		}
		item, err := s.Credential(background, someSpace, items[i].Credential.ID)
		if errs[i] == nil && (err != nil || !cmp.Equal(item, items[i])) {
			t.Errorf("change %d: %v, %v; want %v", i, item, err, items[i])
		}
		if errs[i] != nil && !errors.Is(err, store.ErrNotFound) {
			t.Errorf("change %d was refused and left %v, %v", i, item, err)
		}
	}
	events, err := s.Events(background, store.EventQuery{Space: someSpace, Limit: 1000})
	if err != nil || len(events) != applied+1 {
		t.Errorf("%d events, %v; want %d", len(events), err, applied+1)
	}
}

// TestBatchOfUses uses a credential in one transaction more often than it may be,
// by turns with changes that use it, record that, seal and remove, and then are
// refused: these take back all of it and nothing else.
func TestBatchOfUses(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "keyfob.db"))
	item, change := newIssue()
	c := item.Credential
	c.Uses = 10
	change.Steps[0] = store.CreateCredential{Credential: c}
	other := mustIssue(t, s, 1)[0].Credential
	if err := s.Apply(background, change); err != nil {
		t.Fatal(err)
	}
	events, err := s.Unsealed(background, 9)
	if err != nil || len(events) != 2 {
		t.Fatal(events, err)
	}
	use := store.UseCredential{Space: someSpace, ID: c.ID, Revision: 1}
	record := store.RecordUse{Space: someSpace, Version: c.Current, Address: "192.0.2.1", First: someTime, Last: someTime}
	steps := []store.Step{
		record, use,
		store.SealEvents{Space: someSpace, Seals: []store.Seal{{Event: events[0].Number, Link: []byte("refused")}}},
		store.RaiseMark{To: someTime},
		store.DeleteCredential{Space: someSpace, ID: c.ID, Revision: 1},
	}
	bad := []store.Step{ // each after a part of its own that could be done
		store.SealEvents{Space: someSpace, After: 1, Seals: []store.Seal{{Event: events[1].Number}, {Event: events[0].Number}}},
		store.DeleteCredential{Space: someSpace, ID: other.ID, Revision: 2},
	}
	changes := make([]store.Change, 60)
	for i := range changes {
		_, change := newIssue()
		changes[i] = store.Change{Steps: []store.Step{use}, Events: change.Events}
		if i%2 == 1 {
			changes[i].Steps = append(slices.Clone(steps), bad[i/2%2])
		}
	}
	applied := 0
	for i, err := range applyTogether(t, s, changes) {
		var conflict *store.ConflictError
		switch {
		case err == nil && i%2 == 0:
			applied++
		case !errors.As(err, &conflict), i%2 == 0 && conflict.Step != 0, i%2 == 1 && conflict.Step != len(steps) && conflict.Step != 1:
			t.Errorf("change %d: %v", i, err)
		}
	}
	found, err := s.Version(background, someSpace, c.Current)
	if err != nil || applied != 10 || found.Credential.Used != 10 || !found.Version.LastUsed.IsZero() {
		t.Errorf("%d uses were applied: %+v, %v; want 10, none recorded", applied, found, err)
	}
	uses, usesErr := s.Uses(background, someSpace, c.Current)
	unsealed, unsealedErr := s.Unsealed(background, 99)
	head, headErr := s.Head(background, someSpace)
	mark, markErr := s.Mark(background)
	if err := errors.Join(usesErr, unsealedErr, headErr, markErr); err != nil || len(uses) > 0 ||
		len(unsealed) != 2+applied || head.Seq != 0 || !mark.IsZero() {
		t.Errorf("uses %v, %d unsealed, head %v, mark %v, %v", uses, len(unsealed), head, mark, err)
	}
	if _, err := s.Version(background, someSpace, other.Current); err != nil {
		t.Errorf("a version of a credential whose removal was refused: %v", err)
	}
}

// TestBatchOfRefused applies changes none of which can be applied.
func TestBatchOfRefused(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "keyfob.db"))
	taken := mustIssue(t, s, 1)[0]
	changes := slices.Repeat([]store.Change{{Steps: []store.Step{store.CreateCredential{Credential: taken.Credential}}}}, 20)
	for i, err := range applyTogether(t, s, changes) {
		if !errors.Is(err, store.ErrConflict) {
			t.Errorf("change %d: %v; want a conflict", i, err)
		}
	}
	mustIssue(t, s, 1)
}

// TestContextInQueue ends the context of a change that waits for its turn: it is
// answered at once and never carried out.
func TestContextInQueue(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "keyfob.db"))
	proceed := stopWriter(t, s)
	ctx, cancel := context.WithCancel(background)
	item, change := newIssue()
	_, other := newIssue()
	answer, otherAnswer := make(chan error, 1), make(chan error, 1)
	go func() { answer <- s.Apply(ctx, change) }()
	waitFor(t, "the change", func() bool { return len(s.queue) == 1 })
	go func() { otherAnswer <- s.Apply(background, other) }()
	waitFor(t, "the other change", func() bool { return len(s.queue) == 2 })
	cancel()
	select {
	case err := <-answer:
		if err != context.Canceled {
			t.Errorf("%v; want the context's error", err)
		}
	case <-time.After(soon / 2):
		t.Error("Apply does not return at once when its context ends")
	}
	proceed()
	if err := <-otherAnswer; err != nil {
		t.Errorf("another change: %v", err)
	}
	if _, err := s.Credential(background, someSpace, item.Credential.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a change that was taken back: %v; want ErrNotFound", err)
	}
}

// TestContextOfFullQueue ends the context of a change for which there is no room.
func TestContextOfFullQueue(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "keyfob.db"))
	proceed := stopWriter(t, s)
	var wg sync.WaitGroup
	for range maxBatch {
		wg.Go(func() {
			if err := s.Apply(background, store.Change{}); err != nil {
				t.Error(err)
			}
		})
	}
	waitFor(t, "a full queue", func() bool { return len(s.queue) == maxBatch })
	ctx, cancel := context.WithTimeout(background, 10*time.Millisecond)
	defer cancel()
	if _, change := newIssue(); s.Apply(ctx, change) != context.DeadlineExceeded {
		t.Error("Apply does not return the context's error")
	}
	proceed()
	wg.Wait()
	if items, err := s.Credentials(background, store.Query{Space: someSpace, Limit: 1}); err != nil || len(items) > 0 {
		t.Errorf("%v, %v; want none", items, err)
	}
}

// TestContextMeanwhile ends the context of a change that is being carried out:
// it is waited for, but not without end.
func TestContextMeanwhile(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "keyfob.db"))
	ctx, cancel := context.WithCancel(background)
	st := &stop{Context: background, stopped: make(chan struct{}), proceed: make(chan struct{})}
	item, change := newIssue()
	answer := make(chan error, 1)
	proceed := stopWriter(t, s)
	go func() { answer <- s.Apply(ctx, change) }()
	waitFor(t, "the change", func() bool { return len(s.queue) == 1 })
	go s.Apply(st, store.Change{}) // in the same transaction, after it
	waitFor(t, "what stops the transaction", func() bool { return len(s.queue) == 2 })
	proceed()
	<-st.stopped
	start := time.Now()
	cancel()
	if err := <-answer; err != context.Canceled || time.Since(start) < soon {
		t.Errorf("%v after %v; want the context's error after %v", err, time.Since(start), soon)
	}
	close(st.proceed)
	mustIssue(t, s, 1)
	got, err := s.Credential(background, someSpace, item.Credential.ID)
	if err != nil || !cmp.Equal(got, item) {
		t.Errorf("the change took effect as %v, %v; want %v", got, err, item)
	}
}

// TestContextOfReads ends the context of reads that wait for a connection, and
// of one that has much to read.
func TestContextOfReads(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "keyfob.db"))
	mustIssue(t, s, 2000)
	var taken []*reader
	for range cap(s.readers.slots) {
		r, err := s.readers.take(background)
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, r)
	}
	ctx, cancel := context.WithTimeout(background, 10*time.Millisecond)
	defer cancel()
	if _, err := s.Setting(ctx, "a"); err != context.DeadlineExceeded {
		t.Errorf("without a free connection: %v; want the context's error", err)
	}
	for _, r := range taken {
		s.readers.give(r)
	}
	// In the middle of a statement.
	ended := &endsLater{Context: background, after: 3}
	_, err := s.Credentials(ended, store.Query{Space: someSpace, Limit: 2000})
	if err != context.Canceled {
		t.Errorf("in the middle: %v; want the context's error", err)
	}
	if items, err := s.Credentials(background, store.Query{Space: someSpace, Limit: 5000}); err != nil || len(items) != 2000 {
		t.Errorf("afterwards: %d items, %v; want 2000", len(items), err)
	}
	if err := s.Err(); err != nil {
		t.Error(err)
	}
}

// endsLater is a context that ends when it has been asked so often.
type endsLater struct {
	context.Context
	calls, after int
}

func (c *endsLater) Err() error {
	if c.calls++; c.calls > c.after {
		return context.Canceled
	}
	return nil
}

// TestCloseMeanwhile closes the store while a change is being carried out and
// others wait: all are answered.
func TestCloseMeanwhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyfob.db")
	s := mustOpen(t, path)
	proceed := stopWriter(t, s)
	const n = 20
	errs := make([]error, n)
	ids := make([]string, n)
	var wg sync.WaitGroup
	for i := range n {
		item, change := newIssue()
		ids[i] = item.Credential.ID
		wg.Go(func() { errs[i] = s.Apply(background, change) })
		waitFor(t, "a change in the queue", func() bool { return len(s.queue) == i+1 })
	}
	closed := make(chan error, 2)
	for range 2 {
		go func() { closed <- s.Close() }()
	}
	waitFor(t, "a store that refuses", func() bool {
		_, err := s.Setting(background, "a")
		return errors.Is(err, store.ErrUnavailable)
	})
	select {
	case err := <-closed:
		t.Fatalf("Close returns %v while changes are under way", err)
	default:
	}
	proceed()
	wg.Wait()
	for range 2 {
		if err := <-closed; err != nil {
			t.Error(err)
		}
	}
	for i, err := range errs {
		if err != nil {
			t.Errorf("change %d: %v", i, err)
		}
	}
	select {
	case <-s.Failed():
		t.Error("a store that was closed says that it has failed")
	default:
	}
	checkIssued(t, mustOpen(t, path), ids)
}

// TestNotUTF8 gives scopes, networks and attributes that JSON cannot hold.
func TestNotUTF8(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "keyfob.db"))
	for _, spoil := range []func(*store.Credential){
		func(c *store.Credential) { c.Scopes = []string{"read", "\xff"} },
		func(c *store.Credential) { c.CIDRs = []string{"\xff"} },
		func(c *store.Credential) { c.Attributes = map[string]string{"a": "\xed\xa0\x80"} },
		func(c *store.Credential) { c.Attributes = map[string]string{"\xc0\x80": "a"} },
	} {
		item, change := newIssue()
		spoil(&item.Credential)
		for _, step := range []store.Step{
			store.CreateCredential{Credential: item.Credential}, store.UpdateCredential{Credential: item.Credential},
		} {
			err := s.Apply(background, store.Change{Steps: []store.Step{step}, Events: change.Events})
			if err == nil || errors.Is(err, store.ErrConflict) || !strings.Contains(err.Error(), "not UTF-8") {
				t.Errorf("%v; want an error that says so", err)
			}
		}
	}
	if events, err := s.Events(background, store.EventQuery{Space: someSpace, Limit: 1}); err != nil || len(events) > 0 {
		t.Errorf("%v, %v; want none", events, err)
	}
}

// TestCloseWithFullQueue closes the store while there are changes for which
// there is no room yet, and reads that wait for a connection.
func TestCloseWithFullQueue(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "keyfob.db"))
	var taken []*reader
	for range cap(s.readers.slots) {
		r, err := s.readers.take(background)
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, r)
	}
	proceed := stopWriter(t, s)
	const n = maxBatch + 20
	var begun atomic.Int32
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			begun.Add(1)
			if err := s.Apply(background, store.Change{}); err != nil {
				t.Errorf("Apply: %v", err)
			}
		})
	}
	for range 3 {
		wg.Go(func() {
			begun.Add(1)
			if _, err := s.Setting(background, "a"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("Setting: %v; want ErrNotFound", err)
			}
		})
	}
	waitFor(t, "all calls", func() bool { return begun.Load() == n+3 && len(s.queue) == maxBatch })
	time.Sleep(10 * time.Millisecond) // so that those that begin have begun
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	waitFor(t, "Close", func() bool {
		s.mu.RLock()
		defer s.mu.RUnlock()
		return s.closed
	})
	time.Sleep(10 * time.Millisecond)
	for _, r := range taken {
		s.readers.give(r)
	}
	proceed()
	wg.Wait()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// TestReadsDoNotGoBack reads twice between the moment at which a commit can be
// seen and that at which it is acknowledged. The second read must see what the
// first one has seen, though it is of a connection that is in a transaction.
func TestReadsDoNotGoBack(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "keyfob.db"))
	mustIssue(t, s, 1)
	for _, r := range s.readers.free { // all in a transaction, but for the one that comes first
		if err := r.enter(s.readers.generation); err != nil {
			t.Fatal(err)
		}
		if _, err := r.value(`SELECT count(*) FROM events`); err != nil {
			t.Fatal(err)
		}
	}
	first := s.readers.free[len(s.readers.free)-1]
	first.leave()
	item, change := newIssue()
	reads := 0
	s.writer.WALHook(func(*sqlite3.Conn, string, int) error {
		var taken []*reader
		for range cap(s.readers.slots) {
			if _, err := s.Credential(background, someSpace, item.Credential.ID); err != nil {
				t.Errorf("read %d: %v", reads, err)
			}
			reads++
			r, err := s.readers.take(background)
			if err != nil {
				t.Fatal(err)
			}
			taken = append(taken, r)
		}
		for _, r := range taken {
			s.readers.give(r)
		}
		return nil
	})
	if err := s.Apply(background, change); err != nil || reads == 0 {
		t.Errorf("%d reads, %v", reads, err)
	}
}
