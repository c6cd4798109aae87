package otp

import (
	"crypto/subtle"
	"fmt"
)

// The digits of HOTP and TOTP codes. RFC 4226, section 5.3, asks for at least 6, and
// 31 bits make no more than 9, of which the first would be biased.
const (
	minCode, usualCode, maxCode = 6, 6, 8
)

// decimal returns the last digits of a value. Each divisor is a constant, which
// compiles into a multiplication: a division may take a time that depends on the
// value.
func decimal(value uint32, digits int) uint32 {
	switch digits {
	case 6:
		return value % 1_000_000
	case 7:
		return value % 10_000_000
	default:
		return value % 100_000_000
	}
}

// spell returns the digits of a decimal, leading zeros included.
func spell(decimal uint32, digits int) string {
	var buf [maxCode]byte
	for i := digits - 1; i >= 0; i-- {
		buf[i] = '0' + byte(decimal%10)
		decimal /= 10
	}
	return string(buf[:digits])
}

// number returns the value of digits, whose form was checked.
func number(code string) uint32 {
	var n uint32
	for i := range len(code) {
		n = 10*n + uint32(code[i]-'0')
	}
	return n
}

// A window is what a code is compared with: count numbers, the first of them first
// and then one up, or one down, at a time. Those above top, and those not after last,
// are compared and do not match.
type window struct {
	first uint64
	down  bool
	count int
	top   uint64
	last  Last
}

// A result is what a search has found: the number of the last match in the window's
// order, and whether there is one; and whether a number matches that lies within the
// window and not after last.
type result struct {
	number   uint64
	matched  bool
	replayed bool
}

// search computes every code of the window and compares each with the one presented.
// How much it computes, and in which order, depends on the window alone: there is
// no early exit, and no branch on whether a code is equal.
func search(code func(n uint64) uint32, w window, presented uint32) result {
	var found uint64
	var matched, replayed int
	for i := range uint64(w.count) {
		n := w.first + i
		if w.down {
			n = w.first - i
		}
		inside := 0
		if n <= w.top {
			inside = 1
		}
		equal := subtle.ConstantTimeEq(int32(code(n)), int32(presented)) & inside
		fresh := equal & w.last.before(n)
		mask := -uint64(fresh)
		found = found&^mask | n&mask
		matched |= fresh
		replayed |= equal &^ fresh
	}
	return result{number: found, matched: matched == 1, replayed: replayed == 1}
}

// verify compares a code with those of a window.
func verify(a Algorithm, digits int, seed Seed, code string, w window) (uint64, error) {
	var r result
	if a == SHA1 {
		var m mac1
		m.key(seed)
		r = search(func(n uint64) uint32 { return decimal(m.value(n), digits) }, w, number(code))
		m.clear()
	} else {
		m := newMAC2(a, seed)
		r = search(func(n uint64) uint32 { return decimal(m.value(n), digits) }, w, number(code))
		m.clear()
	}
	switch {
	case r.matched:
		return r.number, nil
	case r.replayed:
		return 0, errReplayed
	default:
		return 0, ErrMismatch
	}
}

var errReplayed = fmt.Errorf("%w: %w", ErrMismatch, ErrReplayed)

// generate returns the code of a counter.
func generate(a Algorithm, digits int, seed Seed, counter uint64) string {
	var value uint32
	if a == SHA1 {
		var m mac1
		m.key(seed)
		value = m.value(counter)
		m.clear()
	} else {
		m := newMAC2(a, seed)
		value = m.value(counter)
		m.clear()
	}
	return spell(decimal(value, digits), digits)
}

// checkCommon judges what HOTP and TOTP have in common. 0 digits stand for 6.
func checkCommon(a Algorithm, digits int) error {
	if a.new() == nil {
		return fmt.Errorf("%w: %w: %s is none of sha1, sha256 and sha512", ErrConfig, ErrAlgorithm, a)
	}
	if digits != 0 && (digits < minCode || digits > maxCode) {
		return fmt.Errorf("%w: %d digits; %d to %d are allowed", ErrConfig, digits, minCode, maxCode)
	}
	return nil
}

// ready judges all that has to hold before an HMAC is computed.
func ready(a Algorithm, seed Seed) error {
	if seed.Size() == 0 {
		return fmt.Errorf("%w: it is empty", ErrSeed)
	}
	return a.allowed()
}
