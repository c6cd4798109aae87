package token

import "crypto/subtle"

// Equal reports whether a and b hold the same bytes. The time it takes depends on
// their lengths and on nothing else, so that it does not tell a guesser how much
// of a guess was right; different lengths are told at once. It allocates nothing.
//
// To find a token among many, compare digests: a look-up by the token itself takes
// a time that depends on it.
func Equal[A, B ~string | ~[]byte](a A, b B) bool {
	if len(a) != len(b) {
		return false
	}
	var different byte
	for i := range len(a) {
		different |= a[i] ^ b[i]
	}
	return subtle.ConstantTimeByteEq(different, 0) == 1
}
