package passphrase_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/passphrase"
)

// chiSquare is the statistic of counts that should be equal.
func chiSquare(counts map[string]int, cells int) (statistic float64) {
	total := 0
	for _, n := range counts {
		total += n
	}
	expected := float64(total) / float64(cells)
	for _, n := range counts {
		statistic += (float64(n) - expected) * (float64(n) - expected) / expected
	}
	return statistic + expected*float64(cells-len(counts)) // cells that are empty
}

// limit is a bound that chi-square with k degrees of freedom exceeds with a
// probability below e^-x: k + 2*sqrt(k*x) + 2*x (Laurent and Massart, 2000). It
// holds for chi-square itself, which the statistic follows closely with the 100 and
// more that are expected in each cell here.
func limit(k int, x float64) float64 {
	return float64(k) + 2*math.Sqrt(float64(k)*x) + 2*x
}

// x is what the limits here are computed with; see TestUniform.
const x = 23.5

// TestUniform counts the words of phrases as users get them, at each place of the
// phrase, and where the digit is and which.
//
// False alarms: there are 8 comparisons, each with x = 23.5, and e^-23.5 is
// 6.2e-11: together less than 5e-10, once in two thousand million runs.
//
// What it sees: a generator that takes 16 bits modulo 7776 gives the first 3328
// words 9 times in 65536 and the others 8 times. With 250 expected of each word that
// adds 250*(3328*(9/8.428-1)^2 + 4448*(8/8.428-1)^2), about 6700, to the 7775 of a
// uniform one; the limit is 8677. TestUniformSees plants it.
func TestUniform(t *testing.T) {
	const phrases = 324_000 // six words each: 250 times 7776 words
	all := map[string]int{}
	first, last := map[string]int{}, map[string]int{}
	digits, places := map[string]int{}, map[string]int{}
	for text := range (passphrase.Recipe{Separator: " ", Digit: true}).Each(phrases) {
		for i, word := range strings.Split(string(text), " ") {
			bare := strings.TrimRight(word, "0123456789")
			if bare != word {
				digits[word[len(bare):]]++
				places[string(rune('a'+i))]++
			}
			all[bare]++
			switch i {
			case 0:
				first[bare]++
			case 5:
				last[bare]++
			}
		}
	}
	pairs := map[string]int{} // neighbours in a phrase of a small list: they are independent
	short := map[string]int{}
	own := parse(t, strings.Join([]string{"a", "b", "c", "d", "e", "f", "g"}, "\n"))
	for text := range (passphrase.Recipe{List: own, Words: 2}).Each(49_000) {
		pairs[string(text)]++
	}
	for text := range (passphrase.Recipe{List: passphrase.EFFShort(), Words: 1}).Each(1296 * 250) {
		short[string(text)]++
	}
	different := map[string]int{}
	for range 42_000 {
		different[passphrase.Recipe{List: own, Words: 2, NoRepeats: true}.New()]++
	}
	for name, c := range map[string]struct {
		counts map[string]int
		cells  int
	}{
		"all words": {all, 7776}, "first word": {first, 7776}, "last word": {last, 7776}, "digit": {digits, 10}, "place of the digit": {places, 6},
		"pairs": {pairs, 49}, "short list": {short, 1296}, "different pairs": {different, 42},
	} {
		got, most := chiSquare(c.counts, c.cells), limit(c.cells-1, x)
		if got > most || len(c.counts) > c.cells {
			t.Errorf("%s: chi-square is %.0f with %d cells; the limit is %.0f", name, got, c.cells, most)
		}
	}
}

func TestUniformSees(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	l := passphrase.EFFLarge()
	right, remainder := map[string]int{}, map[string]int{}
	for range 250 * 7776 {
		right[l.Word(rng.IntN(7776))]++
		remainder[l.Word(int(rng.Uint32()>>16)%7776)]++
	}
	most := limit(7775, x)
	if got := chiSquare(right, 7776); got > most {
		t.Errorf("chi-square is %.0f for uniform words; the limit is %.0f", got, most)
	}
	if got := chiSquare(remainder, 7776); got < most*3/2 {
		t.Errorf("chi-square is %.0f for the remainder of 16 bits; the limit is %.0f", got, most)
	}
}
