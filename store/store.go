// Package store is the contract between keyfob and the places where its
// records live. Programs open a concrete store, such as the one of package
// store/sqlite, and hand it to keyfob.Open; they call none of the methods
// themselves.
//
// A store keeps facts and judges nothing. It knows no digest key, never sees
// plaintext, reads no clock, and does not know whether a credential is expired
// or whether a caller may see it. All of that is the Authority's. What a store
// promises is that a [Change] happens wholly or not at all, that the conditions
// of its steps held at that moment, and that what it has acknowledged stays.
//
// # What an implementation MUST do
//
// Atomicity. Apply carries out all steps of a change, in order, and appends its
// events, in one transaction; or it changes nothing. A step sees what the steps
// before it wrote. When the condition of a step does not hold, Apply MUST
// return a [*ConflictError] that names that step, and nothing of the change may
// remain.
//
// Concurrency. All methods are called from many goroutines at once, and
// through several processes where the implementation allows that. Changes MUST
// be serializable: of two changes whose conditions exclude one another exactly
// one is applied. A condition MUST hold when the change commits, not only when
// it was looked at; in SQL, each condition is the WHERE clause of the write,
// whose affected rows are counted, or a constraint, or a locked read. No write
// may insert a row in the place of one that exists. A read that begins after
// Apply has returned MUST see the change. Each read sees one moment: never a half of a change, and
// whoever follows the events by their numbers misses none.
//
// Durability. When Apply returns nil the change MUST survive the death of the
// process, and power loss where the storage honours its flush. An
// implementation that cannot promise this (store/memory) says so. When a flush
// has failed, what is on the storage is unknown: from then on the store MUST
// answer [ErrUnavailable] to everything until it is opened again.
//
// Context. A method whose context has ended before it began MUST return the
// context's error and do nothing. Once begun, it MUST return soon after the
// context ends. A change whose Apply returned the context's error or
// ErrUnavailable may have taken effect: wholly, or not at all.
//
// Errors. Reads answer [ErrNotFound] for what is not there, and for what is in
// another space. Each failure of the storage itself wraps ErrUnavailable. A
// store never answers "not found" because it could not look. No error holds a
// digest, a sealed secret, a MAC, a setting's value or what a replay holds.
//
// Time. All times are the caller's; none is the database's. They come in UTC
// with whole milliseconds and MUST come back equal, the zero time as the zero
// time.
//
// Memory. An implementation MUST NOT keep what the caller passed, nor return
// memory that a later call changes: slices and maps are copied on both ways. A
// nil and an empty slice or map are the same to it; it returns nil.
//
// Text. Valid UTF-8 MUST come back byte for byte; nothing is folded, trimmed or
// normalized, and "a" and "A" differ. What the Authority never writes, such as
// NUL, may be refused, but not changed.
//
// Order. Lists are by keyset, never by offset: what is added or removed while
// somebody pages through a list neither repeats nor hides another row. A page is
// shorter than its limit only at the end of the list; the list of a space that
// does not exist is empty. Limits are 1 or more, and there is no largest: another
// limit is an error.
//
// Package store/storetest holds every implementation to this text.
package store

import (
	"context"
	"time"
)

// A Store keeps the records of keyfob. The package comment says what an
// implementation must do.
type Store interface {
	// Apply carries out a change: all of it or nothing. A condition that does
	// not hold is a *ConflictError.
	Apply(ctx context.Context, change Change) error

	// Space returns the space of that name.
	Space(ctx context.Context, name string) (Space, error)

	// Spaces returns up to limit spaces, in ascending order of their names
	// (bytewise), beginning after the name after. Limit is at least 1.
	Spaces(ctx context.Context, after string, limit int) ([]Space, error)

	// Credential returns the credential in the space (an id) whose id, or one
	// of whose versions' id, is id.
	Credential(ctx context.Context, space, id string) (Item, error)

	// Version returns the version with that id in the space (an id), and its
	// credential, whole: Used and LastUsed are what the last change made them. It
	// is what every verification asks.
	Version(ctx context.Context, space, id string) (Found, error)

	// Versions returns all versions of the credential with that id in the space (an
	// id), in ascending order of their numbers. Of a credential that is not there
	// it returns none.
	Versions(ctx context.Context, space, credential string) ([]Version, error)

	// Credentials returns a page of credentials, the newest first.
	Credentials(ctx context.Context, query Query) ([]Item, error)

	// Uses returns from where the version with that id in the space (an id) was
	// used, the last used first; of one time the bytewise higher address first.
	// They are MaxAddresses at most. Of a version that is not there it returns
	// none.
	Uses(ctx context.Context, space, version string) ([]Use, error)

	// Events returns a page of a space's events, in the order of their numbers.
	Events(ctx context.Context, query EventQuery) ([]Event, error)

	// LastEvent returns the highest number of an event in any space; 0 where there
	// is none.
	LastEvent(ctx context.Context) (int64, error)

	// EventsAfter returns up to limit events of all spaces whose number is higher
	// than number, in ascending order of their numbers. Limit is at least 1.
	EventsAfter(ctx context.Context, number int64, limit int) ([]Event, error)

	// Unsealed returns up to limit events of all spaces that have no Seq, in
	// ascending order of their numbers. Limit is at least 1.
	Unsealed(ctx context.Context, limit int) ([]Event, error)

	// Head returns the head of the chain of the space (an id); the zero Head
	// where nothing was sealed.
	Head(ctx context.Context, space string) (Head, error)

	// Mark returns the store's mark, the highest time that it was told of. It is
	// zero where there is none.
	Mark(ctx context.Context) (time.Time, error)

	// Replay returns the replay of that name in the space (an id), expired or
	// not.
	Replay(ctx context.Context, space, name string) (Replay, error)

	// Budget returns the budget of that name in the space (an id), expired or not.
	Budget(ctx context.Context, space, name string) (Budget, error)

	// Setting returns the value of a setting.
	Setting(ctx context.Context, name string) ([]byte, error)

	// Close frees what the store holds, after the calls that are under way. It
	// may be called more than once. Later calls answer ErrUnavailable.
	Close() error
}
