package storetest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyfob-dev/keyfob/store"
)

// An env is what a check works with: a store, which it shares with other
// checks, and makers of records that are not those of any other check. It
// remembers the names that it has given out, so that snapshot can look
// everything up.
type env struct {
	testing.TB
	store store.Store
	open  func() store.Store // opens another store; a durable one, the same again
	name  string
	alone bool // no other check has the store

	mu       sync.Mutex
	made     int      // how many names and times it has made
	ids      []string // of whatever
	spaces   []string // ids of spaces
	names    []string // of spaces
	settings []string // names of settings
	replays  []string // names of replays
	budgets  []string // names of budgets
}

func newEnv(t testing.TB, name string, s store.Store, open func() store.Store) *env {
	return &env{TB: t, name: name, store: s, open: open}
}

// with returns an env for another store that nobody shares. It remembers
// nothing.
func (e *env) with(s store.Store) *env {
	other := newEnv(e.TB, e.name, s, e.open)
	other.alone = true
	return other
}

// unique makes 16 base62 characters that no other call makes. They are the same
// in every run, and their order has nothing to do with that of the calls.
func (e *env) unique() string {
	const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	e.made++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", e.name, e.made))
	id := make([]byte, 16)
	for i := range id {
		id[i] = base62[int(sum[i])%len(base62)]
	}
	return string(id)
}

// space creates a space.
func (e *env) space() store.Space {
	e.Helper()
	space := e.newSpace()
	e.apply(store.CreateSpace{Space: space})
	return space
}

// issue creates a credential with one version.
func (e *env) issue(space string) store.Item {
	e.Helper()
	item, change := e.newIssue(space)
	e.applyChange(change)
	return item
}

// rotate gives a credential a new version.
func (e *env) rotate(item store.Item) store.Item {
	e.Helper()
	item, change := e.newRotation(item)
	e.applyChange(change)
	return item
}

// apply applies steps without events.
func (e *env) apply(steps ...store.Step) {
	e.Helper()
	e.applyChange(store.Change{Steps: steps})
}

// applyChange applies a change whose conditions hold.
func (e *env) applyChange(change store.Change) {
	e.Helper()
	if err := e.store.Apply(background, change); err != nil {
		e.Fatalf("Apply of a change whose conditions hold: %v", err)
	}
}

// refused applies a change whose condition of the given step does not hold, and
// sees that nothing of it remains.
func (e *env) refused(what string, step int, change store.Change) {
	e.Helper()
	before := e.snapshot()
	err := e.store.Apply(background, change)
	if problem := notConflict(err, step); problem != "" {
		e.Errorf("%s: Apply: %s", what, problem)
	}
	if diff := cmp.Diff(before, e.snapshot()); diff != "" {
		e.Fatalf("%s: the refused change left something (-before +after):\n%s", what, diff)
	}
}

// notConflict says why err is not the conflict of a step; it is empty when err
// is.
func notConflict(err error, step int) string {
	var conflict *store.ConflictError
	switch {
	case err == nil:
		return fmt.Sprintf("done; want a conflict at step %d", step)
	case !errors.As(err, &conflict):
		return fmt.Sprintf("%v (%T); want a *store.ConflictError", err, err)
	case conflict.Step != step:
		return fmt.Sprintf("%v; want one at step %d", err, step)
	case !errors.Is(err, store.ErrConflict):
		return fmt.Sprintf("%v, which does not match store.ErrConflict", err)
	case errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrUnavailable):
		return fmt.Sprintf("%v, which matches another error as well", err)
	}
	return ""
}

// equal compares what a store returned with what it should have.
func (e *env) equal(what string, got, want any) {
	e.Helper()
	if !same(got, want) {
		e.Errorf("%s (-want +got):\n%s", what, cmp.Diff(want, got))
	}
}

// mustEqual does so, and ends the check when they differ: what comes after would
// say no more.
func (e *env) mustEqual(what string, got, want any) {
	e.Helper()
	if !same(got, want) {
		e.Fatalf("%s (-want +got):\n%s", what, cmp.Diff(want, got))
	}
}

// same reports whether two answers are equal.
func same(got, want any) bool { return reflect.DeepEqual(got, want) || cmp.Equal(got, want) }
