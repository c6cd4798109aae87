package password

import (
	"errors"
	"fmt"
	"math"
)

var (
	// ErrUnsatisfiable is wrapped by the error for a policy that no password, or
	// only one, satisfies.
	ErrUnsatisfiable = errors.New("unsatisfiable policy")

	// ErrTooLarge is wrapped by the error for a policy whose automaton, or the table
	// of its counts, would be too large.
	ErrTooLarge = errors.New("policy too large to count")
)

// Bounds of a policy.
const (
	maxAlphabet  = 1 << 16 // characters of the alphabet, and of each set
	maxClasses   = 64      // classes, and sets of a Variety
	maxName      = 64      // characters of a class's name
	maxForbidden = 1024    // forbidden substrings
	maxAvoided   = 8192    // characters of all forbidden substrings together
)

// defaultLength is the length of a policy that names neither length nor bits.
const defaultLength = 20

// A Policy says which passwords are allowed. The zero value allows all of 20
// characters from the 94 printable ASCII characters without the space, as
// [Random](20) makes them. All fields can be combined.
//
// A Policy is a description; [Policy.Compile] judges it, and copies what it needs.
type Policy struct {
	// Length is the number of characters, 1 to MaxLength. 0 leaves it to Bits; and
	// where that is 0 too it is 20, or the nearest that MinLength and MaxLength
	// allow.
	Length int

	// Bits asks for the shortest length whose passwords have at least so many bits
	// of entropy. 0 is no such wish. It cannot be combined with Length.
	Bits float64

	// MinLength and MaxLength bound the length; 0 is no bound. They are what the
	// receiving system accepts: all passwords of one Generator have one length.
	MinLength, MaxLength int

	// Classes are the sets of characters that passwords are made of, at most 64. The
	// alphabet is their union, without what Exclude and NoLookAlikes leave out. Nil
	// stands for Lower, Upper, Digits and Symbols, without bounds.
	Classes []Class

	// Variety asks for characters of several of the classes, no matter which. The
	// zero value does not.
	Variety Variety

	// Exclude has characters that do not occur, whatever the classes say.
	Exclude string

	// NoLookAlikes excludes the characters of LookAlikes.
	NoLookAlikes bool

	// MaxRun is how often a character may occur in a row, at the most: with 2, "aab"
	// is allowed and "aaab" is not. 0 is no such rule.
	MaxRun int

	// First and Last, unless empty, have the characters that may be first and last;
	// NotFirst and NotLast have characters that may not.
	First, Last       string
	NotFirst, NotLast string

	// Forbidden has substrings that do not occur, exactly as they are spelled: "abc"
	// does not forbid "ABC". At most 1024, of 8192 characters together.
	Forbidden []string
}

// A Class is a set of characters, and how many characters of a password are in it.
// Classes may overlap: a character counts for each class that has it.
type Class struct {
	// Name stands for the class in descriptions and errors. Without one the known
	// sets go by lower, upper, digits, symbols, and others by their characters.
	Name string

	// Chars has the characters of the class, each of them once, in any order.
	Chars string

	// Min is how many characters of a password are in the class at least.
	Min int

	// Max is how many are in it at most; 0 is no maximum. For none of a class, leave
	// it out, or exclude its characters.
	Max int
}

// AtLeast returns a class for each of the sets of characters, with the minimum
// min:
//
//	password.AtLeast(1, password.Lower, password.Upper, password.Digits)
func AtLeast(min int, sets ...string) []Class {
	classes := make([]Class, len(sets))
	for i, chars := range sets {
		classes[i] = Class{Chars: chars, Min: min}
	}
	return classes
}

// Variety asks for characters of at least Min of several sets.
type Variety struct {
	Min int

	// Of has the sets, as characters; nil stands for the classes of the policy. The
	// sets add nothing to the alphabet.
	Of []string
}

// Compile counts the passwords that the policy allows, and makes their generator.
//
// It returns an error that says what is wrong and what would be right: for a
// number out of bounds, for a set with something that is no character or with one
// twice, for an alphabet of fewer than two characters. The error wraps
// [ErrUnsatisfiable] where no password satisfies the policy, and names the rules
// that contradict each other; and where only one does, which would be no secret.
// It wraps [ErrTooLarge] where there are more than 262,144 states, or the table of
// counts would have more than 64 MiB, or counting would take too long; it names
// the rule with the largest part in that. So a policy that somebody else wrote can
// be compiled: the time is bounded to about a second, and the memory to a few
// hundred megabytes while it is compiled.
//
// There are at most as many states as the product, over the classes that have
// bounds, of their maximum plus 1, or without one their minimum plus 1; times the
// characters of the forbidden substrings plus 1; times a few for each character
// that MaxRun allows in a row. A table has one count for each state and each
// place, of as many bits as the rest of the password. A policy of few rules takes
// about 100 microseconds and 100 kilobytes.
func (p Policy) Compile() (*Generator, error) {
	s, err := p.resolve()
	if err != nil {
		return nil, err
	}
	if p.Bits != 0 {
		if s.length, err = s.shortest(p.Bits); err != nil {
			return nil, err
		}
	}
	return s.compile()
}

// MustCompile is Compile for a policy that is part of the program: it panics with
// what Compile returns as an error.
func (p Policy) MustCompile() *Generator {
	g, err := p.Compile()
	if err != nil {
		panic("password: MustCompile: " + err.Error())
	}
	return g
}

// CheckBits says whether a policy can ask for so many bits: more than 0, and
// finite. A [Policy] takes 0 for no such wish; who reads a number of bits from
// somebody else asks here first. How many a policy can reach, Compile says.
func CheckBits(bits float64) error {
	if !(bits > 0) || math.IsInf(bits, 0) {
		return fmt.Errorf("%v bits: use a number above 0", bits)
	}
	return nil
}
