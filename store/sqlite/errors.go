package sqlite

import (
	"errors"
	"fmt"
	"sync"

	"github.com/ncruces/go-sqlite3"

	"github.com/keyfob-dev/keyfob/store"
)

// What is not there. The errors do not repeat what was asked for, which may be a
// token that was pasted in the place of an id.
var (
	errNoSpace      = fmt.Errorf("store/sqlite: space %w", store.ErrNotFound)
	errNoCredential = fmt.Errorf("store/sqlite: credential %w", store.ErrNotFound)
	errNoVersion    = fmt.Errorf("store/sqlite: version %w", store.ErrNotFound)
	errNoReplay     = fmt.Errorf("store/sqlite: replay %w", store.ErrNotFound)
	errNoBudget     = fmt.Errorf("store/sqlite: budget %w", store.ErrNotFound)
	errNoSetting    = fmt.Errorf("store/sqlite: setting %w", store.ErrNotFound)
)

func orNotFound(rows int, err, notFound error) error {
	if err == nil && rows == 0 {
		return notFound
	}
	return err
}

var errClosed = fmt.Errorf("store/sqlite: closed: %w", store.ErrUnavailable)

// unavailable is the error of a storage that failed. SQLite's messages name
// files, tables and columns, and never the values of a row. Its code says more:
// see https://sqlite.org/rescode.html.
func unavailable(cause error) error {
	var code sqlite3.ExtendedErrorCode
	if errors.As(cause, &code) {
		return fmt.Errorf("store/sqlite: %w: %w (SQLite code %d)", store.ErrUnavailable, cause, code)
	}
	return fmt.Errorf("store/sqlite: %w: %w", store.ErrUnavailable, cause)
}

// A failure is what a store remembers of the first thing that went wrong.
type failure struct {
	once sync.Once
	err  error
	done chan struct{} // closed when err is set
}

// fail makes the store answer nothing any more, and returns the error that it
// answers instead: that of the first failure.
func (s *Store) fail(cause error) error {
	s.failure.once.Do(func() {
		s.failure.err = unavailable(cause)
		close(s.failure.done)
	})
	return s.failure.err
}

// isRefusal reports whether SQLite refused a statement for what is in it, rather
// than for the state of the storage: it breaks a constraint, or is too large.
func isRefusal(err error) bool {
	return errors.Is(err, sqlite3.CONSTRAINT) || errors.Is(err, sqlite3.TOOBIG) || errors.Is(err, sqlite3.MISMATCH)
}

func isInterrupt(err error) bool { return errors.Is(err, sqlite3.INTERRUPT) }

// isBusy reports whether another connection was in the way.
func isBusy(err error) bool { return errors.Is(err, sqlite3.BUSY) || errors.Is(err, sqlite3.LOCKED) }

// isMisfit reports whether a row was not written since another is in its place, or
// since what it belongs to is not there.
func isMisfit(err error) bool {
	return errors.Is(err, sqlite3.CONSTRAINT_UNIQUE) || errors.Is(err, sqlite3.CONSTRAINT_PRIMARYKEY) ||
		errors.Is(err, sqlite3.CONSTRAINT_NOTNULL)
}
