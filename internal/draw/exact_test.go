package draw_test

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/internal/draw"
)

// A sampler draws one of a fixed number of outcomes, numbered from 0.
type sampler func(s *draw.Stream) int

// tapes calls f with every sequence of so many bytes, each below symbols.
func tapes(length, symbols int, f func(tape []byte)) {
	tape := make([]byte, length)
	for {
		f(tape)
		i := length - 1
		for ; i >= 0; i-- {
			if int(tape[i])+1 < symbols {
				tape[i]++
				break
			}
			tape[i] = 0
		}
		if i < 0 {
			return
		}
	}
}

// exact feeds the sampler all tapes of so many bytes below symbols. A tape that is
// too short for a draw, since it holds too many rejected bytes, does not count.
// Among the others each outcome must come up in proportion to its weight, exactly.
func exact(length, symbols int, weights []int, sample sampler) error {
	counts := make([]int, len(weights))
	var wrong error
	accepted, sum := 0, 0
	tapes(length, symbols, func(tape []byte) {
		var outcome int
		if _, ok := draw.Replay(tape, func(s *draw.Stream) { outcome = sample(s) }); !ok {
			return
		}
		accepted++
		if outcome < 0 || outcome >= len(counts) {
			wrong = fmt.Errorf("tape %x gives outcome %d, which is not one of %d", tape, outcome, len(counts))
			return
		}
		counts[outcome]++
	})
	for _, w := range weights {
		sum += w
	}
	switch {
	case wrong != nil:
		return wrong
	case accepted == 0:
		return fmt.Errorf("no tape is long enough for a draw")
	}
	for i, n := range counts {
		if n*sum != weights[i]*accepted {
			return fmt.Errorf("outcome %d comes up %d times in %d; its weight is %d in %d", i, n, accepted, weights[i], sum)
		}
	}
	return nil
}

// alike returns n equal weights.
func alike(n int) []int { return slices.Repeat([]int{1}, n) }

func check(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

// refused is check for a mutant: the checker must find it.
func refused(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("the mutant %s passes for exact", what)
	}
}

// bounds of two bytes: all edges of the width and of the mask, and some between.
var bounds = []int{
	257, 258, 300, 511, 512, 513, 1000, 1023, 1024, 1025, 2048, 2049, 4095, 4097, 7776, 8191, 8192,
	10000, 16384, 16385, 32767, 32768, 32769, 40000, 49152, 65521, 65534, 65535, 65536,
}

func below(n int) sampler {
	return func(s *draw.Stream) int { return int(s.Below(uint64(n))) }
}

// TestBelow feeds every bound up to 256 each byte, some of them every pair of
// bytes, so that what follows a rejection is seen as well, and bounds of two bytes
// every pair.
func TestBelow(t *testing.T) {
	for n := 1; n <= 256; n++ {
		check(t, fmt.Sprintf("Below(%d)", n), exact(1, 256, alike(n), below(n)))
	}
	for _, n := range []int{1, 2, 3, 5, 10, 62, 127, 128, 129, 200, 255, 256} {
		check(t, fmt.Sprintf("Below(%d) with a retry", n), exact(2, 256, alike(n), below(n)))
	}
	for _, n := range bounds {
		check(t, fmt.Sprintf("Below(%d)", n), exact(2, 256, alike(n), below(n)))
	}
}

// TestBelowWidths looks at the bounds that no test can exhaust: at each power of
// two and next to it, the smallest and largest outputs and the first rejected
// bytes, and that bits beyond the mask make no difference.
func TestBelowWidths(t *testing.T) {
	at := func(n, v uint64) (got uint64, ok bool) {
		tape := make([]byte, draw.Width(n))
		for i := range tape {
			tape[i] = byte(v >> (8 * i))
		}
		_, ok = draw.Replay(tape, func(s *draw.Stream) { got = s.Below(n) })
		return got, ok
	}
	for k := 1; k <= 64; k++ {
		for _, n := range []uint64{1<<(k-1) + 1, 1<<k - 1, 1 << k} { // 1<<64 is 0
			if n < 2 {
				continue
			}
			bits := k
			if n-1 < 1<<(k-1) {
				bits = k - 1
			}
			if want := (bits + 7) / 8; draw.Width(n) != want {
				t.Errorf("Width(%d) = %d; want %d", n, draw.Width(n), want)
			}
			above := ^uint64(0) << bits // beyond the mask; 0 if bits is 64
			for _, v := range []uint64{0, 1, n - 1} {
				for _, high := range []uint64{0, above} {
					if got, ok := at(n, v|high); !ok || got != v {
						t.Errorf("Below(%d) makes %#x of %#x, %v", n, got, v|high, ok)
					}
				}
			}
			if n < 1<<bits || bits == 64 {
				if got, ok := at(n, n); ok {
					t.Errorf("Below(%d) accepts %#x as %#x", n, n, got)
				}
			}
		}
	}
}

func TestBig(t *testing.T) {
	sample := func(n int) sampler {
		return func(s *draw.Stream) int { return int(s.Big(big.NewInt(int64(n))).Int64()) }
	}
	for n := 1; n <= 256; n++ {
		check(t, fmt.Sprintf("Big(%d)", n), exact(1, 256, alike(n), sample(n)))
	}
	for _, n := range []int{3, 255, 257, 1000, 32769, 65535, 65536} {
		check(t, fmt.Sprintf("Big(%d)", n), exact(2, 256, alike(n), sample(n)))
	}
	for k := 0; k <= 16; k++ {
		bits := func(s *draw.Stream) int { return int(s.Bits(k).Int64()) }
		check(t, fmt.Sprintf("Bits(%d)", k), exact((k+7)/8, 256, alike(1<<k), bits))
	}

	// Beyond 64 bits: 2^100, whose top byte has 4 bits of the mask.
	n := new(big.Int).Lsh(big.NewInt(1), 100)
	tape := []byte(strings.Repeat("\xff", 13))
	var got *big.Int
	draw.Replay(tape, func(s *draw.Stream) { got = s.Big(n) })
	if want := new(big.Int).Sub(n, big.NewInt(1)); got == nil || got.Cmp(want) != 0 {
		t.Errorf("Big(2^100) of all ones is %v; want %v", got, want)
	}
	if n.BitLen() != 101 || n.TrailingZeroBits() != 100 {
		t.Errorf("Big changed its bound to %v", n)
	}
	if _, ok := draw.Replay(tape, func(s *draw.Stream) { s.Big(got) }); ok {
		t.Error("Big(2^100-1) accepts 2^100-1")
	}
}

// letters is an alphabet of n bytes, no two alike.
func letters(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteByte(byte(255 - i))
	}
	return b.String()
}

// chars draws so many characters as one outcome.
func chars(n, count int) sampler {
	alphabet := letters(n)
	return func(s *draw.Stream) int {
		dst := make([]byte, count)
		s.Chars(dst, alphabet)
		outcome := 0
		for _, c := range dst {
			outcome = outcome*n + 255 - int(c)
		}
		return outcome
	}
}

// TestChars feeds alphabets of every size each byte, and some every pair of bytes:
// for one character, so that what follows a rejection is seen, and for two, so
// that their independence is.
func TestChars(t *testing.T) {
	for n := 1; n <= 256; n++ {
		check(t, fmt.Sprintf("1 of %d characters", n), exact(1, 256, alike(n), chars(n, 1)))
	}
	for _, n := range []int{1, 2, 10, 26, 31, 32, 62, 64, 94, 129, 255, 256} {
		check(t, fmt.Sprintf("1 of %d characters with a retry", n), exact(2, 256, alike(n), chars(n, 1)))
		check(t, fmt.Sprintf("2 of %d characters", n), exact(2, 256, alike(n*n), chars(n, 2)))
	}
}

// rank numbers a sequence of different integers of 0 to n-1 among all such.
func rank(n int, items []int) int {
	r := 0
	for i, item := range items {
		smaller := item
		for _, before := range items[:i] {
			if before == item {
				return -1
			}
			if before < item {
				smaller--
			}
		}
		r = r*(n-i) + smaller
	}
	return r
}

// sequences returns n!/(n-k)!.
func sequences(n, k int) int {
	count := 1
	for i := range k {
		count *= n - i
	}
	return count
}

func shuffle(n int) sampler {
	return func(s *draw.Stream) int {
		items := make([]int, n)
		for i := range items {
			items[i] = i
		}
		s.Shuffle(n, func(i, j int) { items[i], items[j] = items[j], items[i] })
		return rank(n, items)
	}
}

// TestShuffle feeds the orders of up to 3 items all bytes. Below looks at the 3
// lowest bits only for bounds of up to 8 (TestBelow shows it), so that for more
// items bytes below 8 stand for all.
func TestShuffle(t *testing.T) {
	check(t, "Shuffle(0)", exact(1, 256, alike(1), shuffle(0)))
	check(t, "Shuffle(1)", exact(1, 256, alike(1), shuffle(1)))
	check(t, "Shuffle(2)", exact(2, 256, alike(2), shuffle(2)))
	check(t, "Shuffle(3)", exact(2, 256, alike(6), shuffle(3)))
	check(t, "Shuffle(4)", exact(4, 8, alike(24), shuffle(4)))
	check(t, "Shuffle(5)", exact(5, 8, alike(120), shuffle(5)))
}

func subset(n, k int) sampler {
	return func(s *draw.Stream) int {
		items := s.Sample(n, k)
		if len(items) != k {
			return -1
		}
		return rank(n, items)
	}
}

func TestSample(t *testing.T) {
	for n := range 6 {
		for k := range n + 1 {
			symbols, length := 8, max(1, k)
			if k <= 2 {
				symbols, length = 256, 2
			}
			check(t, fmt.Sprintf("Sample(%d, %d)", n, k), exact(length, symbols, alike(sequences(n, k)), subset(n, k)))
		}
	}
	// Large against k: what remembers only the moved items.
	for _, n := range []int{31, 100, 256} {
		check(t, fmt.Sprintf("Sample(%d, 1)", n), exact(1, 256, alike(n), subset(n, 1)))
	}
	check(t, "Sample(33, 2)", exact(2, 256, alike(33*32), subset(33, 2)))
}

func TestWeighted(t *testing.T) {
	for _, weights := range [][]int{
		{1}, {1, 1}, {3, 2, 1}, {0, 1}, {1, 0}, {0, 0, 2, 0, 3, 0}, {1, 254, 1}, {100, 0, 156}, {7, 250, 1},
		{1, 65534}, {12345, 0, 53190, 1},
	} {
		var cumulative []uint64
		total := uint64(0)
		for _, w := range weights {
			total += uint64(w)
			cumulative = append(cumulative, total)
		}
		check(t, fmt.Sprintf("Weighted(%d)", weights), exact(max(1, draw.Width(total)), 256, weights,
			func(s *draw.Stream) int { return s.Weighted(cumulative) }))
	}
}
