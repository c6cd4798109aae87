package main

import (
	"math"
	"math/big"
	"math/bits"
)

// The entropy of what is drawn from lines is the logarithm to base 2 of one over
// the probability of the likeliest outcome: where all are equally likely, of their
// number. When lines are alike, some outcomes are likelier than others, and this
// is the figure that a guesser who knows the lines has to beat.

// bitsOf returns log2(n), for n of 1 and more.
func bitsOf(n *big.Int) float64 {
	part := new(big.Float)
	exponent := new(big.Float).SetInt(n).MantExp(part)
	x, _ := part.Float64()
	return math.Log2(x) + float64(exponent)
}

// choiceBits returns the entropy of one of the lines. Without weights each counts 1.
func choiceBits(lines []string, weights []int) float64 {
	totals := make(map[string]uint64, len(lines))
	total, most := uint64(0), uint64(0)
	for i, line := range lines {
		w := uint64(1)
		if weights != nil {
			w = uint64(weights[i])
		}
		total += w
		totals[line] += w
		most = max(most, totals[line])
	}
	a, b := most, total
	for a != 0 {
		a, b = b%a, a
	}
	return math.Log2(float64(total/b)) - math.Log2(float64(most/b))
}

// sequenceBits returns the entropy of k of the lines in random order.
func sequenceBits(lines []string, k int) float64 {
	counts := make(map[string]int, len(lines))
	most := 0
	for _, line := range lines {
		counts[line]++
		most = max(most, counts[line])
	}
	if most == len(lines) {
		return 0 // all are alike
	}
	var sum logSum
	for i := range k {
		sum.times(uint64(len(lines) - i))
	}
	bits := sum.bits()
	if most == 1 {
		return bits
	}
	// The likeliest sequence takes, again and again, one of the lines of which most
	// are left: a line that comes m times adds the factors m, m-1, … 1.
	factors := make([]int, most+1) // how many there are of each
	for _, m := range counts {
		for ; m > 1; m-- {
			factors[m]++
		}
	}
	var alike logSum
	for m := most; m > 1 && k > 0; m-- {
		n := min(k, factors[m])
		for range n {
			alike.times(uint64(m))
		}
		k -= n
	}
	return bits - alike.bits()
}

// logSum is the logarithm of a product of many factors. It multiplies exactly
// while it can, and keeps what adding rounds away.
type logSum struct {
	product    uint64 // not yet in total; 0 stands for 1
	total, off float64
}

func (s *logSum) times(factor uint64) {
	if high, low := bits.Mul64(max(1, s.product), factor); high == 0 {
		s.product = low
		return
	}
	s.add()
	s.product = factor
}

func (s *logSum) add() {
	y := math.Log2(float64(max(1, s.product))) - s.off
	t := s.total + y
	s.off = t - s.total - y
	s.total = t
	s.product = 0
}

func (s *logSum) bits() float64 {
	s.add()
	return s.total
}
