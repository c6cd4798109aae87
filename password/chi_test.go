package password

import (
	"math"
	"strings"
	"testing"
)

// The tests below draw of the system's generator. A test of chi-square is a false
// alarm now and then; these are so rarely that one is a reason to look.
//
// With k equally likely outcomes, the statistic X of a correct generator is nearly
// distributed as chi-square with d = k-1 degrees of freedom, since each outcome is
// expected more than 100 times. By Laurent and Massart (2000, lemma 1), for any x
//
//	P(X >= d + 2 sqrt(d x) + 2 x) <= exp(-x)
//	P(X <= d - 2 sqrt(d x))       <= exp(-x)
//
// With x = 24 each is 3.8e-11 at the most. There are five statistics here, so that
// all of them together give a false alarm with a probability below
// 5 * 2 * 3.8e-11 = 3.8e-10. In fact it is less by far: by the distribution itself,
// the chance to be above the bound is below 1e-12 for each of 93, 7,799 and 8,835
// degrees of freedom. That leaves room for X being distributed as chi-square only
// nearly.
const alarm = 24

// chiSquare compares counts with equal ones.
func chiSquare(t *testing.T, what string, counts []int) {
	t.Helper()
	total := 0
	for _, n := range counts {
		total += n
	}
	expected := float64(total) / float64(len(counts))
	x := 0.0
	for _, n := range counts {
		x += (float64(n) - expected) * (float64(n) - expected) / expected
	}
	d := float64(len(counts) - 1)
	low, high := d-2*math.Sqrt(d*alarm), d+2*math.Sqrt(d*alarm)+2*alarm
	if expected < 100 || x < low || x > high {
		t.Errorf("%s: chi-square %.1f with %v degrees of freedom, of %.0f expected each; want %.1f to %.1f", what, x, d, expected, low, high)
	}
	t.Logf("%s: chi-square %.1f with %v degrees of freedom", what, x, d)
}

// TestChiSquareOfCharacters counts the characters of two million, and the pairs of
// neighbours.
func TestChiSquareOfCharacters(t *testing.T) {
	const n = 1000
	for what, makes := range map[string]func() string{
		"Random": func() string { return Random(n) },
		"policy": (Policy{Length: n, Classes: AtLeast(0, printable[:50], printable[50:]), Variety: Variety{Min: 1}}).MustCompile().New,
	} {
		chars, pairs := make([]int, 94), make([]int, 94*94)
		for range 2000 {
			text := makes()
			for i := range n {
				c := strings.IndexByte(printable, text[i])
				chars[c]++
				if i%2 == 1 {
					pairs[94*strings.IndexByte(printable, text[i-1])+c]++
				}
			}
		}
		chiSquare(t, what+", characters", chars)
		chiSquare(t, what+", pairs", pairs)
	}
}

// TestChiSquareOf7800 counts all passwords of one lower-case letter and two
// digits, in any order.
func TestChiSquareOf7800(t *testing.T) {
	g := Policy{Length: 3, Classes: []Class{{Chars: Lower, Min: 1, Max: 1}, {Chars: Digits, Min: 2, Max: 2}}}.MustCompile()
	index := map[string]int{}
	for n := range uint64(7800) {
		index[g.numbered(n)] = int(n)
	}
	counts := make([]int, len(index))
	for text := range g.Each(200 * 7800) {
		i, ok := index[string(text)]
		if !ok {
			t.Fatalf("makes %q", text)
		}
		counts[i]++
	}
	if len(counts) != 7800 {
		t.Fatalf("there are %d passwords; want 7800", len(counts))
	}
	chiSquare(t, "passwords", counts)
}
