package passphrase_test

import (
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/keyfob-dev/keyfob/passphrase"
)

// diceLines writes a list with dice numbers, as the EFF does.
func diceLines(l *passphrase.List) string {
	var b strings.Builder
	for i, word := range l.All() {
		number := make([]byte, l.Dice())
		for at := len(number) - 1; at >= 0; at-- {
			number[at] = byte('1' + i%6)
			i /= 6
		}
		fmt.Fprintf(&b, "%s\t%s\n", number, word)
	}
	return b.String()
}

// TestEFFLists freezes the lists. A hash is that of the file that the EFF
// publishes: eff_large_wordlist.txt of 2016-07-18 and eff_short_wordlist_2_0.txt of
// 2016-09-08.
func TestEFFLists(t *testing.T) {
	for _, c := range []struct {
		list              *passphrase.List
		name              string
		dice, size        int
		bits              float64
		first, last       string
		shortest, longest int
		hash              string
	}{
		{passphrase.EFFLarge(), "eff-large", 5, 7776, 12.924812503605781, "abacus", "zoom", 3, 9, "addd35536511597a02fa0a9ff1e5284677b8883b83e986e43f15a3db996b903e"},
		{passphrase.EFFShort(), "eff-short", 4, 1296, 10.339850002884624, "aardvark", "zucchini", 3, 10, "22b45c52e0bd0bbf03aa522240b111eb4c7c0c1d86c4e518e1be2a7eb2a625e4"},
	} {
		l := c.list
		if l.Name() != c.name || l.Len() != c.size || l.Dice() != c.dice || math.Abs(l.Bits()-c.bits) > 1e-14 {
			t.Errorf("%s: %d words of %d dice, %v bits each; want %s: %d, %d, %v", l.Name(), l.Len(), l.Dice(), l.Bits(), c.name, c.size, c.dice, c.bits)
		}
		if l.Word(0) != c.first || l.Word(l.Len()-1) != c.last {
			t.Errorf("%s goes from %q to %q", c.name, l.Word(0), l.Word(l.Len()-1))
		}
		if s, long := utf8.RuneCountInString(l.Shortest()), utf8.RuneCountInString(l.Longest()); s != c.shortest || long != c.longest {
			t.Errorf("%s: words of %d (%s) to %d (%s) characters; want %d to %d", c.name, s, l.Shortest(), long, l.Longest(), c.shortest, c.longest)
		}
		if short, long, found := l.Prefix(); found {
			t.Errorf("%s: %q begins %q", c.name, short, long)
		}
		text := diceLines(l)
		if got := fmt.Sprintf("%x", sha256.Sum256([]byte(text))); got != c.hash {
			t.Errorf("%s has the hash %s; want %s", c.name, got, c.hash)
		}
		read, err := passphrase.ParseList(text)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if !slices.Equal(words(read), words(l)) || read.Dice() != c.dice || read.Name() != "" {
			t.Errorf("%s is read back as another list", c.name)
		}
	}
}

func words(l *passphrase.List) []string {
	var all []string
	for i, word := range l.All() {
		if l.Word(i) != word {
			panic("the places and words of a list differ")
		}
		all = append(all, word)
	}
	return all
}

// TestEFFShortIsItsThree: three characters are enough to know a word of the short
// list.
func TestEFFShortIsItsThree(t *testing.T) {
	seen := map[string]string{}
	for _, word := range passphrase.EFFShort().All() {
		if other, ok := seen[word[:3]]; ok {
			t.Errorf("%q and %q begin alike", word, other)
		}
		seen[word[:3]] = word
	}
}

func parse(t *testing.T, text string) *passphrase.List {
	t.Helper()
	l, err := passphrase.ParseList(text)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestPrefix(t *testing.T) {
	for text, want := range map[string][2]string{
		"a\nb\n":                   {},
		"the\nrapist\ntherapist\n": {"the", "therapist"},
		"ab\nabacus\nb\nabc\n":     {"ab", "abacus"},
		"b\na\nA\n":                {},
	} {
		short, long, found := parse(t, text).Prefix()
		if got := [2]string{short, long}; got != want || found != (want[0] != "") {
			t.Errorf("%q: %q begins %q, %v; want %q", text, short, long, found, want)
		}
	}
}

func TestAllStops(t *testing.T) {
	n := 0
	for range passphrase.EFFShort().All() {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("the range goes on after it was left: %d", n)
	}
}
