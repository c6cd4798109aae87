package draw

import (
	"encoding/binary"
	"math/big"
	"math/bits"
)

// Width returns the number of bytes that one attempt of [Stream.Below](n) takes:
// 0 to 8. n is 1 or more.
func Width(n uint64) int {
	return (bits.Len64(n-1) + 7) / 8
}

// Below returns a uniform integer of 0 to n-1; n is 1 or more. An attempt takes
// the fewest bytes that can tell n values apart and keeps the fewest bits; each
// value of those bits that is below n is accepted, the others are rejected.
// More than half of all attempts are accepted.
func (s *Stream) Below(n uint64) uint64 {
	if n == 0 {
		panic("draw: an integer below 0 was asked for; the bound is 1 or more")
	}
	width := Width(n)
	mask := uint64(1)<<bits.Len64(n-1) - 1
	for {
		if v := s.word(width) & mask; v < n {
			return v
		}
	}
}

// word returns the next k bytes, 0 to 8, as an integer, the first the least
// significant. Bits beyond those bytes may be set.
func (s *Stream) word(k int) uint64 {
	if len(s.block)-s.at >= 8 {
		w := binary.LittleEndian.Uint64(s.block[s.at:])
		s.at += k
		return w
	}
	var w uint64
	for i, b := range s.Next(k) {
		w |= uint64(b) << (8 * i)
	}
	return w
}

// Big returns a uniform integer of 0 to n-1, as Below does for integers of any
// size. n is 1 or more, and is not changed.
func (s *Stream) Big(n *big.Int) *big.Int {
	if n.Sign() <= 0 {
		panic("draw: an integer below 0 was asked for; the bound is 1 or more")
	}
	top := new(big.Int).Sub(n, big.NewInt(1))
	return s.big(top.BitLen(), top)
}

// Bits returns a uniform integer of k bits: 0 to 2^k-1. k is 0 or more.
func (s *Stream) Bits(k int) *big.Int {
	return s.big(k, nil)
}

// big draws integers of k bits until one is at most top; nil accepts all.
func (s *Stream) big(k int, top *big.Int) *big.Int {
	buf := make([]byte, (k+7)/8)
	defer clear(buf)
	v := new(big.Int)
	for {
		s.Read(buf)
		if k%8 != 0 {
			buf[0] &= 1<<(k%8) - 1
		}
		v.SetBytes(buf)
		if top == nil || v.Cmp(top) <= 0 {
			return v
		}
	}
}
