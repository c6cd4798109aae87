// Package random draws from the operating system's cryptographic generator:
// bytes, integers, choices, samples and orders, each exactly uniform.
//
//	key := random.Bytes(32)
//	die := 1 + random.Int(6)
//	winner := random.Choice(entrants)
//	jury := random.Sample(citizens, 12)
//	random.Shuffle(deck)
//
// For random text see package token.
//
// # What every function here promises
//
//   - The randomness is that of crypto/rand, on every call. Nothing can be seeded,
//     and no random bytes are kept from one call to the next.
//   - The outputs are exactly equally likely, or exactly as likely as integer
//     weights say: draws that would favour some are rejected and repeated, and
//     nothing is computed in floating point.
//   - It cannot fail, so there is no error. When the system's generator is broken,
//     crypto/rand ends the program.
//   - An argument that only a programmer can get wrong panics, with a sentence that
//     says what would be right. Sizes beyond [MaxSize] are among these, so that an
//     absurd one does not exhaust the memory.
//   - It is safe for concurrent use.
//
// Random bytes that a call has read and does not return are overwritten before it
// ends. That keeps copies few; it cannot promise that there are none, since the
// Go runtime may move memory.
//
// # Distributions
//
// [Source] puts the same generator under math/rand/v2, whose Rand then offers
// floating-point, normal and exponential variates.
package random

import (
	"crypto/rand"
	"fmt"
	"math/big"

	"github.com/keyfob-dev/keyfob/internal/draw"
)

// MaxSize is the largest size that can be asked for: bytes of [Bytes], bits of
// [Bits] and of the bound of [BigInt], and eight times the items of [Choices] and
// [Perm]. It is 1 GiB.
const MaxSize = 1 << 30

// maxItems is the largest number of items that a call makes room for by itself.
const maxItems = MaxSize / 8

// Integer is what [Int] draws: any integer type.
type Integer interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
}

// Bytes returns n random bytes: 8n bits of entropy. It panics unless n is 1 to
// MaxSize.
func Bytes(n int) []byte {
	if n < 1 || n > MaxSize {
		panic(fmt.Sprintf("random: Bytes(%d): the size must be 1 to %d bytes", n, MaxSize))
	}
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// Int returns a uniform integer of 0 to n-1: log2(n) bits of entropy. n may be of
// any integer type, so that Int(time.Minute) is a random delay; with int64 it
// reaches 2^63-1. It panics if n is less than 1.
func Int[N Integer](n N) N {
	if n < 1 {
		panic(fmt.Sprintf("random: Int(%d): the bound must be 1 or more; the result is 0 to bound-1", n))
	}
	return N(below(uint64(n)))
}

// below draws one integer of 0 to n-1, and reads no more than that needs.
func below(n uint64) uint64 {
	var block [8]byte
	s := draw.System(block[:draw.Width(n)])
	v := s.Below(n)
	s.Clear()
	return v
}

// BigInt returns a uniform integer of 0 to n-1, for n of any size: log2(n) bits of
// entropy. n is not changed. It panics if n is nil or less than 1, or if n has
// more than MaxSize bits.
func BigInt(n *big.Int) *big.Int {
	switch {
	case n == nil:
		panic("random: BigInt(nil): the bound must be 1 or more; the result is 0 to bound-1")
	case n.Sign() <= 0:
		panic("random: BigInt of a bound less than 1: it must be 1 or more; the result is 0 to bound-1")
	case n.BitLen() > MaxSize:
		panic(fmt.Sprintf("random: BigInt of a bound of %d bits: it must have at most %d", n.BitLen(), MaxSize))
	}
	s := draw.System(nil)
	return s.Big(n)
}

// Bits returns a uniform integer of k bits, 0 to 2^k-1: k bits of entropy. It
// panics unless k is 1 to MaxSize.
//
// For fewer than 64 bits, Int(uint64(1)<<k) gives the same without math/big.
func Bits(k int) *big.Int {
	if k < 1 || k > MaxSize {
		panic(fmt.Sprintf("random: Bits(%d): the size must be 1 to %d bits", k, MaxSize))
	}
	s := draw.System(nil)
	return s.Bits(k)
}
