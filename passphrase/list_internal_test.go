package passphrase

import (
	"strings"
	"testing"
)

// TestFormsAppend: words of every length around that of the quick copy, at every
// place of the list, into room of every size.
func TestFormsAppend(t *testing.T) {
	var words []string
	for n := 1; n <= 2*chunk+3; n++ {
		words = append(words, strings.Repeat(string(rune('A'+n)), n))
	}
	for _, order := range [][]string{words, words[chunk-2:], words[:chunk+1]} {
		f := newForms(order)
		for i, word := range order {
			for room := range 3 * chunk {
				dst := append(make([]byte, 0, 1+room), '>')
				if got := string(f.append(dst, i)); got != ">"+word {
					t.Fatalf("%q becomes %q with room for %d", word, got, room)
				}
			}
		}
	}
}

// TestNextRoll counts through the numbers of two dice.
func TestNextRoll(t *testing.T) {
	roll, count := 11, 1
	for next := nextRoll(roll); next != 0; next = nextRoll(next) {
		if next <= roll || next%10 < 1 || next%10 > 6 || next/10 < 1 || next/10 > 6 {
			t.Fatalf("%d is followed by %d", roll, next)
		}
		roll = next
		count++
	}
	if roll != 66 || count != 36 {
		t.Errorf("%d numbers, the last %d", count, roll)
	}
}
