package otp

import "strconv"

// A Last says which step or counter was matched last. It is made by [Never] or
// [After]; the zero Last says nothing, and Verify panics when it is given one: a
// field that somebody forgot to fill must not turn the protection against replays
// off. A Last can be copied and compared.
type Last struct {
	n    uint64
	said said
}

type said uint8

const (
	nothing said = iota
	never
	after
)

// Never is for the first verification of a seed: nothing was matched yet.
func Never() Last { return Last{said: never} }

// After is for every further verification: n is the step or counter that the last
// successful one returned, and only what comes after it can match.
func After(n uint64) Last { return Last{n: n, said: after} }

// String returns "never", or as in "after 42".
func (l Last) String() string {
	switch l.said {
	case never:
		return "never"
	case after:
		return "after " + strconv.FormatUint(l.n, 10)
	default:
		return "unsaid"
	}
}

// before returns 1 if n comes after the last match, otherwise 0. Neither is secret.
func (l Last) before(n uint64) int {
	if l.said == never || n > l.n {
		return 1
	}
	return 0
}

// must panics if nothing was said.
func (l Last) must() {
	if l.said == nothing {
		panic("otp: Verify with a zero Last: give Never() for a new seed, and otherwise After(what the last Verify returned)")
	}
}
