// Package password makes passwords that satisfy a policy, each of them equally
// likely, and knows exactly how many there are.
//
//	p := password.Random(20) // 131.09 bits: 20 of the 94 printable ASCII characters
//
// For everything else there is a [Policy]: which characters, how many of each
// class at least and at most, how often one may come in a row, what may be first
// and last, what may not occur. [ParseRules] reads one from the passwordrules
// syntax of Apple and of HTML.
//
//	g, err := password.Policy{
//		Length:  16,
//		Classes: password.AtLeast(1, password.Lower, password.Upper, password.Digits, password.Symbols),
//	}.Compile()
//	g.New()  // one password
//	g.Bits() // 104.59: log2 of their number
//
// # How it works
//
// A compiled policy is an automaton that reads a password and tells whether the
// policy allows it. Each of its states knows, as an exact integer, how many
// completions of each length it has, so that the start knows the number N of all
// passwords. A password is then drawn as one uniform number below N and written
// out: at each place the counts tell how many passwords go on with which
// character. Every number below N is another password, and every password has its
// number. There is nothing to repair or to shuffle, and no text is made that is
// thrown away, however few of all texts the policy allows. (Of the draws for the
// number, which are below a power of two, less than one in 16 is rejected.)
//
// # What every generator here promises
//
//   - The randomness is that of crypto/rand, on every call. Nothing can be seeded,
//     and no random bytes are kept from one call to the next.
//   - All passwords that the policy allows are exactly equally likely; no others
//     come. The entropy that [Generator.Bits] gives is exact: the logarithm of
//     their number, rounded once.
//   - A policy that nothing satisfies is refused, and the error says which of its
//     rules contradict each other. A policy that would take too much memory to
//     count is refused as well, with the rule that costs the most.
//   - It is safe for concurrent use.
//
// # Characters
//
// A character here is a Unicode code point that is printed by itself. What joins
// with its neighbours or is not seen is refused in every set: combining marks,
// conjoining Hangul letters, emoji modifiers, control and format characters,
// spaces other than U+0020. Nothing is normalised; code points that look alike
// are different characters.
package password

import (
	"fmt"

	"github.com/keyfob-dev/keyfob/internal/draw"
)

// Sets of characters for the classes of a [Policy].
const (
	Lower   = "abcdefghijklmnopqrstuvwxyz"
	Upper   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	Digits  = "0123456789"
	Symbols = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" // the 32 of ASCII, without the space

	// SafeSymbols are 12 symbols that most systems accept.
	SafeSymbols = "!@#$%^&*-_+."

	// LookAlikes are what [Policy.NoLookAlikes] leaves out: zero and capital O; one,
	// capital I, small L and the vertical bar.
	LookAlikes = "0O1Il|"
)

// MaxLength is the longest password, in characters.
const MaxLength = 1024

// printable has the 94 printable ASCII characters without the space.
const printable = Digits + Upper + Lower + Symbols

// Random returns a password of n characters, each drawn uniformly from the 94
// printable ASCII characters without the space: n times 6.554588… bits of
// entropy, that is 104.87 with 16 characters, 131.09 with 20 and 157.31 with 24.
//
// It follows no rules of others: more than one in six of 16 characters has no
// digit, or lacks another class. Where each class must come, see [Policy]. It panics unless
// n is 1 to [MaxLength].
func Random(n int) string {
	if err := CheckLength(n); err != nil {
		panic("password: Random: " + err.Error())
	}
	var block [batchBlock]byte
	s := draw.System(block[:printed94.block(n)])
	var buf [onStack]byte
	dst := printed94.append(buf[:0], n, &s)
	text := string(dst)
	clear(dst)
	s.Clear()
	return text
}

// CheckLength says whether a password can have n characters: 1 to [MaxLength].
// A [Policy] takes the length 0 for its default; who reads a length from somebody
// else asks here first.
func CheckLength(n int) error {
	if n < 1 || n > MaxLength {
		return fmt.Errorf("length %d: a password has 1 to %d characters", n, MaxLength)
	}
	return nil
}
