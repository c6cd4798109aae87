package keyfob

import (
	"errors"
	"fmt"
	"time"

	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/token"
)

// Errors of the verbs. They come wrapped; test with errors.Is.
var (
	// ErrInvalid is what every failed verification wraps, together with exactly
	// one of the causes below. An error of Verify that does not wrap ErrInvalid
	// means that nothing was decided: the store could not be asked.
	ErrInvalid = errors.New("invalid")

	// ErrInput: an argument is wrong. The error is an *InputError.
	ErrInput = errors.New("wrong input")

	// ErrNotFound: no such credential in this space.
	ErrNotFound = store.ErrNotFound

	// ErrSpace: no such space. It also matches ErrNotFound.
	ErrSpace = fmt.Errorf("space %w", store.ErrNotFound)

	// ErrExists: something of that name exists already.
	ErrExists = errors.New("exists already")

	// ErrConflict: the credential's state does not allow the verb, or somebody
	// else changed it at the same time. Get it again and judge anew.
	ErrConflict = store.ErrConflict

	// ErrTooSoon: a code or link of this subject and purpose was issued moments ago.
	// RetryAfter says when another may be.
	ErrTooSoon = errors.New("too soon")

	// ErrKeyReused: the idempotency key was used for another request within ten
	// minutes. Draw a new one for each request.
	ErrKeyReused = errors.New("idempotency key used for another request")

	// ErrUnavailable: the store failed or is closed. What was asked for may have
	// taken effect, wholly.
	ErrUnavailable = store.ErrUnavailable

	// ErrInUse: another process holds the database file.
	ErrInUse = store.ErrInUse

	// ErrNewerSchema: a newer version of keyfob wrote the database.
	ErrNewerSchema = store.ErrNewerSchema

	// ErrForeign: the file is no database, or another program's.
	ErrForeign = store.ErrForeign

	// ErrRootKey: a root key is malformed, or not the one that the store's
	// digests were made with.
	ErrRootKey = errors.New("wrong root key")
)

// Causes of a failed verification. Log and count them; tell the end user who
// presented the secret no more than that it is not valid.
var (
	// ErrMalformed: the text is no keyed token.
	ErrMalformed = token.ErrMalformed

	// ErrUnknown: no such secret in this space, or one of another kind.
	ErrUnknown = errors.New("unknown")

	// ErrNotYet: the credential's life has not begun.
	ErrNotYet = errors.New("not yet valid")

	// ErrExpired: the credential's expiry has come.
	ErrExpired = errors.New("expired")

	// ErrSuspended: the credential is suspended, and may be resumed.
	ErrSuspended = errors.New("suspended")

	// ErrRevoked: the credential was revoked.
	ErrRevoked = errors.New("revoked")

	// ErrReplaced: a newer secret has taken this one's place, and its grace is over.
	ErrReplaced = errors.New("replaced")

	// ErrRedeemed: the secret was redeemed; of a TOTP, its time step or a later one.
	ErrRedeemed = errors.New("redeemed")

	// ErrPurpose: the link is for another purpose.
	ErrPurpose = errors.New("other purpose")

	// ErrBinding: the link was asked for by another browser.
	ErrBinding = errors.New("other browser")

	// ErrLocked: too many guesses were made at the subject's secrets.
	ErrLocked = errors.New("locked")

	// ErrScope: the credential lacks a scope that the check wants.
	ErrScope = errors.New("scope missing")

	// ErrIP: the credential may not be used from this address, or the check named
	// none.
	ErrIP = errors.New("address not allowed")

	// ErrRateLimited: the credential was used as often as its Limit allows now, or
	// as many guesses came from an address as may.
	ErrRateLimited = errors.New("rate limited")

	// ErrExhausted: the credential was used as often as it may be, or a code
	// guessed at as often.
	ErrExhausted = errors.New("exhausted")
)

// reasons gives each cause its name in the API, in events and in metrics.
var reasons = []struct {
	cause error
	name  string
}{
	{ErrMalformed, "malformed"},
	{ErrUnknown, "unknown"},
	{ErrNotYet, "not_yet"},
	{ErrExpired, "expired"},
	{ErrSuspended, "suspended"},
	{ErrRevoked, "revoked"},
	{ErrReplaced, "replaced"},
	{ErrRedeemed, "redeemed"},
	{ErrPurpose, "purpose"},
	{ErrBinding, "binding"},
	{ErrLocked, "locked"},
	{ErrScope, "scope"},
	{ErrIP, "ip"},
	{ErrRateLimited, "rate_limited"},
	{ErrExhausted, "exhausted"},
}

// Reason names the cause of a failed verification in one word: malformed,
// unknown, not_yet, expired, suspended, revoked, redeemed, replaced, purpose,
// binding, scope, ip, rate_limited, exhausted or locked. It is "ok" for nil, and empty for an error that does not wrap
// ErrInvalid.
func Reason(err error) string {
	if err == nil {
		return "ok"
	}
	if !errors.Is(err, ErrInvalid) {
		return ""
	}
	for _, r := range reasons {
		if errors.Is(err, r.cause) {
			return r.name
		}
	}
	return ""
}

// invalid is the error of a failed verification.
type invalid struct{ cause error }

func (e *invalid) Error() string   { return "invalid: " + e.cause.Error() }
func (e *invalid) Unwrap() []error { return []error{ErrInvalid, e.cause} }

// A refused is the error of what may be tried again later.
type refused struct {
	cause error
	retry time.Duration // 0: nobody knows when
}

func (e *refused) Error() string   { return "invalid: " + e.cause.Error() }
func (e *refused) Unwrap() []error { return []error{ErrInvalid, e.cause} }

func (e *refused) RetryAfter() time.Duration { return e.retry }

// A tooSoon is the error of what may be asked for again after a time.
type tooSoon struct{ retry time.Duration }

func (e *tooSoon) Error() string {
	return fmt.Sprintf("%v: another may be issued in %v", ErrTooSoon, e.retry.Round(time.Second))
}
func (e *tooSoon) Unwrap() error             { return ErrTooSoon }
func (e *tooSoon) RetryAfter() time.Duration { return e.retry }

// RetryAfter is how long to wait before what failed with ErrLocked, ErrRateLimited
// or ErrTooSoon is tried again; 0 when the error does not say, as when only Unlock
// or a success helps. It asks the error's method of that name.
func RetryAfter(err error) time.Duration {
	if e, ok := errors.AsType[retrier](err); ok {
		return e.RetryAfter()
	}
	return 0
}

type retrier interface {
	error
	RetryAfter() time.Duration
}

// An InputError says which argument is wrong, and what would be right. It
// matches ErrInput. It never holds a secret.
type InputError struct {
	Field   string // as the API spells it: "subject", "expires_at"
	Problem string // a sentence without the field's name: "is empty; give …"
}

func (e *InputError) Error() string { return e.Field + " " + e.Problem }

// Is reports whether target is ErrInput.
func (e *InputError) Is(target error) bool { return target == ErrInput }

func badInput(field, format string, args ...any) error {
	return &InputError{Field: field, Problem: fmt.Sprintf(format, args...)}
}
