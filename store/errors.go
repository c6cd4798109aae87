package store

import (
	"errors"
	"fmt"
)

// Errors of a store. They come wrapped; test with errors.Is.
var (
	// ErrNotFound: what was asked for is not in the store or not in the space.
	ErrNotFound = errors.New("not found")

	// ErrConflict: the condition of a step did not hold; see ConflictError.
	ErrConflict = errors.New("conflict")

	// ErrUnavailable: the storage failed or is closed. A change may have taken
	// effect, wholly.
	ErrUnavailable = errors.New("store unavailable")

	// ErrInUse: another process, or another Store of this one, holds the file.
	ErrInUse = errors.New("store in use")

	// ErrNewerSchema: the database was written by a newer version of keyfob.
	ErrNewerSchema = errors.New("database of a newer schema")

	// ErrForeign: the file is not a database, or one of another program.
	ErrForeign = errors.New("not a keyfob database")
)

// A ConflictError says which step's condition did not hold. It matches
// ErrConflict.
type ConflictError struct {
	Step int // index into Change.Steps
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("conflict: the condition of step %d does not hold", e.Step)
}

// Is reports whether target is ErrConflict.
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }
