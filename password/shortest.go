package password

import (
	"fmt"
	"math"
	"math/big"
)

// shortest returns the shortest length whose passwords have at least so many bits.
func (s *spec) shortest(bits float64) (int, error) {
	most := math.Log2(float64(len(s.alphabet)))
	if bits > most*float64(s.max) {
		return 0, fmt.Errorf("%w: %v bits are more than %s of %d can have, %.2f; use at most that", ErrUnsatisfiable,
			bits, counted(s.max, "character"), len(s.alphabet), most*float64(s.max))
	}
	a, err := s.build(s.max)
	if err != nil {
		return 0, err
	}
	best, at := new(big.Int), s.max
	c := a.newCounting(a.width(s.max))
	all := make([]int32, len(a.states))
	for i := range all {
		all[i] = int32(i)
	}
	src := &layer{width: 1, words: make([]uint64, len(a.states))}
	for n := range a.states {
		if a.bases[a.states[n].base].accepts {
			src.words[n] = 1
		}
	}
	words := 0
	for length := 1; length <= s.max; length++ {
		dst := &layer{width: a.width(length)}
		if words += dst.width * len(a.states); a.work(words) > maxWork {
			return 0, fmt.Errorf("%w: no length up to %d has %v bits, and counting more takes too long; leave out a rule with many states (%s)",
				ErrTooLarge, length-1, bits, s.largest())
		}
		dst.words = make([]uint64, dst.width*len(a.states))
		c.fill(dst, src, length, all)
		src = dst
		if length < s.min {
			continue
		}
		n := toBig(dst.at(0))
		if n.Cmp(best) > 0 {
			best, at = n, length
		}
		if reaches(n, bits) {
			return length, nil
		}
	}
	return 0, s.outOfReach(bits, best, at)
}

// outOfReach is the error for bits that no allowed length has.
func (s *spec) outOfReach(bits float64, best *big.Int, at int) error {
	if best.Sign() == 0 {
		c := *s
		c.length = s.max
		return c.contradiction()
	}
	return fmt.Errorf("%w: no length of %d to %d has %v bits; the most are %.2f, of %s", ErrUnsatisfiable,
		s.min, s.max, bits, log2(best), counted(at, "character"))
}

// reaches reports whether log2 of n is at least so many bits. Against a whole
// number of bits that is decided exactly, also where log2 would be rounded up.
func reaches(n *big.Int, bits float64) bool {
	if n.Sign() == 0 {
		return false
	}
	whole, fraction := split(n)
	wanted, part := math.Modf(bits)
	if float64(whole) != wanted {
		return float64(whole) > wanted
	}
	return fraction >= part
}

// log2 returns the logarithm of a positive integer. The integer part is that of
// its bits, and the rest is the logarithm of a mantissa that is exact to 53 bits,
// so that only the sum is rounded in a place that counts.
func log2(n *big.Int) float64 {
	whole, part := split(n)
	return float64(whole) + part
}

// split returns log2 of n as an integer and a fraction.
func split(n *big.Int) (whole int, fraction float64) {
	whole = n.BitLen() - 1
	mantissa := new(big.Float).SetInt(n)
	mantissa.SetMantExp(mantissa, -whole)
	m, _ := mantissa.Float64()
	return whole, math.Log2(m)
}
