package random

import (
	"crypto/rand"
	"encoding/binary"
	mathrand "math/rand/v2"
)

// Source is the operating system's generator as a source of math/rand/v2:
//
//	r := rand.New(random.Source{})
//	r.NormFloat64()
//
// Every value costs a read of the system's generator, which makes it some ten
// times slower than the generators of math/rand/v2, and unpredictable. There is
// nothing to seed and no state: a Source is safe for concurrent use, and no value
// tells anything about another.
//
// The bounded integers, shuffles and permutations of math/rand/v2 are uniform.
// Its floating-point numbers are approximations of at most 53 bits; use them for
// simulations and delays, and not for secrets.
type Source struct{}

var _ mathrand.Source = Source{}

// Uint64 returns 64 random bits.
func (Source) Uint64() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.LittleEndian.Uint64(b[:])
}
