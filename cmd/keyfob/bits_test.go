package main

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-14*max(1, math.Abs(b)) }

func TestBitsOf(t *testing.T) {
	for text, want := range map[string]float64{
		"1": 0, "2": 1, "3": math.Log2(3), "6": math.Log2(6), "10": math.Log2(10), "1024": 10, "1025": math.Log2(1025),
		"9007199254740993": 53, "18446744073709551615": 64, "18446744073709551616": 64,
		"1" + strings.Repeat("0", 40): 40 * math.Log2(10), "1" + strings.Repeat("0", 3000): 3000 * math.Log2(10),
	} {
		n, _ := new(big.Int).SetString(text, 10)
		if got := bitsOf(n); !near(got, want) {
			t.Errorf("bitsOf(%.50s) = %v, want %v", text, got, want)
		}
	}
	for _, k := range []uint{0, 1, 63, 64, 128, 5000} { // to the last digit
		if got := bitsOf(new(big.Int).Lsh(big.NewInt(1), k)); got != float64(k) {
			t.Errorf("bitsOf(2^%d) = %v", k, got)
		}
	}
}

// likeliest looks at every sequence of k lines, and returns one over the
// probability of the likeliest text, as a logarithm.
func likeliest(lines []string, k int) float64 {
	texts := map[string]int{}
	total, most := 0, 0
	var walk func(left []string, text string, k int)
	walk = func(left []string, text string, k int) {
		if k == 0 {
			total++
			texts[text]++
			most = max(most, texts[text])
			return
		}
		for i := range left {
			rest := append(append([]string{}, left[:i]...), left[i+1:]...)
			walk(rest, text+left[i], k-1)
		}
	}
	walk(lines, "", k)
	return math.Log2(float64(total)) - math.Log2(float64(most))
}

func TestSequenceBits(t *testing.T) {
	for _, text := range []string{"a", "aa", "ab", "abc", "aab", "aaab", "aabb", "aabbc", "abcdef", "aaabbc", "aaabbb", "abcccc", "aaaaaa"} {
		lines := strings.Split(text, "")
		for k := 1; k <= len(lines); k++ {
			if got, want := sequenceBits(lines, k), likeliest(lines, k); !near(got, want) {
				t.Errorf("%d of %s: %v bits, want %v", k, text, got, want)
			}
		}
	}
}

// A million different lines have log2(1000000!) bits:
// the many logarithms are added without loss.
func TestSequenceBitsOfMany(t *testing.T) {
	const n = 1_000_000
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprint(i)
	}
	const want = 18488884.81996768 // the logarithm of the gamma function, to 40 digits
	if got := sequenceBits(lines, n); math.Abs(got-want) > 1e-8 {
		t.Errorf("%.8f bits, want %.8f", got, want)
	}
}

func TestChoiceBits(t *testing.T) {
	for _, c := range []struct {
		text    string
		weights []int
		want    float64
	}{
		{"a", nil, 0}, {"ab", nil, 1}, {"abc", nil, math.Log2(3)}, {"aa", nil, 0}, {"aab", nil, math.Log2(3) - 1}, {"aaabcd", nil, 1},
		{"abc", []int{1, 1, 1}, math.Log2(3)}, {"abc", []int{2, 1, 1}, 1}, {"abc", []int{0, 5, 0}, 0}, {"aba", []int{1, 2, 1}, 1},
		{"ab", []int{math.MaxInt, math.MaxInt}, 1}, {"ab", []int{9, 1}, math.Log2(10) - math.Log2(9)},
	} {
		if got := choiceBits(strings.Split(c.text, ""), c.weights); !near(got, c.want) {
			t.Errorf("one of %s, weights %d: %v bits, want %v", c.text, c.weights, got, c.want)
		}
	}
}
