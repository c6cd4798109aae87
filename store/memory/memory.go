// Package memory is a store in the memory of the process. It is for tests, and
// for programs whose credentials may die with the process.
//
// It keeps nothing: of the promises of package store it makes all but
// durability. An acknowledged change lives as long as the process, and until
// Close.
package memory

import (
	"context"
	"fmt"
	"sync"

	"github.com/keyfob-dev/keyfob/store"
)

// A Store is a [store.Store] in memory. [Open] makes one; the zero value is of
// no use.
//
// Looking up by id or name takes constant time. A page of a list costs a binary
// search and one look at each credential between its first and its last row, so
// that paging through a whole list is linear, whatever the query; a list of one
// subject looks at the credentials of that subject only.
type Store struct {
	mu sync.RWMutex
	t  *tables // nil once closed
}

var _ store.Store = (*Store)(nil)

// Open returns a new, empty store. It is for tests and for programs whose
// credentials may die with the process: it keeps nothing, so it does not
// promise durability.
func Open() *Store {
	return &Store{t: newTables()}
}

// Close forgets everything. Later calls answer [store.ErrUnavailable].
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.t = nil
	return nil
}

// Apply carries out a change: all of it or nothing.
func (s *Store) Apply(ctx context.Context, change store.Change) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.t == nil {
		return errClosed
	}
	tx := &tx{tables: s.t}
	for i, step := range change.Steps {
		ok, err := tx.apply(step)
		if err == nil && !ok {
			err = &store.ConflictError{Step: i}
		}
		if err != nil {
			tx.rollback()
			return fmt.Errorf("store/memory: %w", err)
		}
	}
	for _, e := range change.Events { // no step follows, so that nothing undoes them
		s.t.append(e)
	}
	s.t.passSealed()
	return nil
}

// read runs a function that only reads, on tables that do not change meanwhile.
// What the function returns to the caller must be a copy.
func (s *Store) read(ctx context.Context, fn func(*tables) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.t == nil {
		return errClosed
	}
	return fn(s.t)
}

var errClosed = fmt.Errorf("store/memory: closed: %w", store.ErrUnavailable)
