package password

import (
	"math/big"
	"math/bits"
)

// Counts are non-negative integers in words of 64 bits, the least significant
// first, of a length that is fixed for each layer of a table. math/big would
// allocate each of them.

// addMul adds m times v to dst, which is long enough for the sum.
func addMul(dst, v []uint64, m uint64) {
	var carry, c uint64
	for i, w := range v {
		hi, lo := bits.Mul64(w, m)
		lo, c = bits.Add64(lo, carry, 0)
		hi += c
		dst[i], c = bits.Add64(dst[i], lo, 0)
		carry = hi + c
	}
	for i := len(v); carry != 0; i++ {
		dst[i], carry = bits.Add64(dst[i], carry, 0)
	}
}

// subMul sets dst to u minus m times v and reports whether that is negative; then
// dst holds it modulo 2^(64*len(u)). dst and u are of the same length, and may be
// the same; v is not longer, or ends in zeros where it is.
func subMul(dst, u, v []uint64, m uint64) (negative bool) {
	var carry, borrow, c uint64
	v = v[:min(len(v), len(u))]
	for i, w := range v {
		hi, lo := bits.Mul64(w, m)
		lo, c = bits.Add64(lo, carry, 0)
		carry = hi + c
		dst[i], borrow = bits.Sub64(u[i], lo, borrow)
	}
	for i := len(v); i < len(u); i++ {
		dst[i], borrow = bits.Sub64(u[i], carry, borrow)
		carry = 0
	}
	return borrow|carry != 0
}

// compare returns -1, 0 or 1 as u is less than, equal to or more than v.
func compare(u, v []uint64) int {
	for i := max(len(u), len(v)) - 1; i >= 0; i-- {
		var a, b uint64
		if i < len(u) {
			a = u[i]
		}
		if i < len(v) {
			b = v[i]
		}
		if a != b {
			if a < b {
				return -1
			}
			return 1
		}
	}
	return 0
}

const two64 = 1 << 64

// divMod sets u to u mod v and returns the quotient. v is not 0, and the quotient
// is below 2^32.
//
// The quotient is estimated from the leading words. Their ratio is off by less
// than one in 2^48, so that the estimate is off by less than 1, and one
// correction is enough.
func divMod(u, v []uint64) uint64 {
	top := len(v) - 1
	for v[top] == 0 {
		top--
	}
	low := max(top-1, 0)
	var fu, fv float64
	for i := top; i >= low; i-- {
		fv = fv*two64 + float64(v[i])
	}
	for i := len(u) - 1; i >= low; i-- {
		fu = fu*two64 + float64(u[i])
	}
	q := uint64(fu / fv)
	if subMul(u, u, v, q) {
		q--
		addBack(u, v)
	} else if compare(u, v) >= 0 {
		q++
		subMul(u, u, v, 1)
	}
	return q
}

// addBack adds v to u modulo 2^(64*len(u)): it undoes a subtraction that went
// below 0.
func addBack(u, v []uint64) {
	var carry uint64
	for i := range u {
		var w uint64
		if i < len(v) {
			w = v[i]
		}
		u[i], carry = bits.Add64(u[i], w, carry)
	}
}

// toBig returns the integer that v stands for.
func toBig(v []uint64) *big.Int {
	n, word := new(big.Int), new(big.Int)
	for i := len(v) - 1; i >= 0; i-- {
		n.Lsh(n, 64).Or(n, word.SetUint64(v[i]))
	}
	return n
}

// isZero reports whether v stands for 0.
func isZero(v []uint64) bool {
	for _, w := range v {
		if w != 0 {
			return false
		}
	}
	return true
}
