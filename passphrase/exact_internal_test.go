package passphrase

import (
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/internal/draw"
)

// listOf makes a list of words that a test vouches for.
func listOf(words ...string) *List { return newList("", 0, words) }

// A drawer appends one phrase, as maker.append does.
type drawer func(m *maker, dst []byte, s *draw.Stream) []byte

// exact feeds the drawer all tapes that are as long as a phrase takes when nothing
// is rejected. Each byte of them is below the power of two that its draw does not
// look beyond. With more than 0, all bytes are below that many, and there is one
// byte more, so that what follows a rejection is seen. A tape that is too short,
// since it holds too many rejected bytes, does not count. Among the others every
// text that the recipe counts must come, and all equally often.
func exact(r Recipe, more int, draws drawer) error {
	m, err := r.maker()
	if err != nil {
		return err
	}
	var symbols []int
	for _, n := range bounds(&m) {
		if n > 1 {
			symbols = append(symbols, max(more, 1<<bits.Len(uint(n-1))))
		}
	}
	if more > 0 {
		symbols = append(symbols, more)
	}
	counts := map[string]int{}
	tape := make([]byte, len(symbols))
	for again := true; again; again = next(tape, symbols) {
		var text []byte
		if _, ok := draw.Replay(tape, func(s *draw.Stream) { text = draws(&m, nil, s) }); ok {
			counts[string(text)]++
		}
	}
	if want := m.count(); want.Cmp(big.NewInt(int64(len(counts)))) != 0 {
		return fmt.Errorf("%v: %d texts come; %v were counted", r, len(counts), want)
	}
	first := -1
	for text, n := range counts {
		if first < 0 {
			first = n
		}
		if n != first {
			return fmt.Errorf("%v: %q comes %d times, and another %d times", r, text, n, first)
		}
	}
	return nil
}

// bounds are those of the draws for a phrase, in their order.
func bounds(m *maker) []int {
	var all []int
	if m.digit {
		all = append(all, m.words, 10)
	}
	for i := range m.words {
		if m.noRepeats {
			all = append(all, m.forms.len()-i)
		} else {
			all = append(all, m.forms.len())
		}
	}
	return all
}

// next counts the tape up, each byte of it below its number of symbols.
func next(tape []byte, symbols []int) bool {
	for i := len(tape) - 1; i >= 0; i-- {
		if int(tape[i])+1 < symbols[i] {
			tape[i]++
			return true
		}
		tape[i] = 0
	}
	return false
}

var letters = []string{"ab", "b", "ca", "d", "ea", "fee", "g", "h"}

// TestExact feeds recipes with tiny lists all there is.
func TestExact(t *testing.T) {
	for _, c := range []struct {
		r    Recipe
		more int
	}{
		{Recipe{List: listOf(letters[:2]...), Words: 1}, 256},
		{Recipe{List: listOf(letters[:3]...), Words: 1}, 256},
		{Recipe{List: listOf(letters[:5]...), Words: 1}, 256},
		{Recipe{List: listOf(letters[:3]...), Words: 2}, 64},
		{Recipe{List: listOf(letters[:3]...), Words: 3}, 16},
		{Recipe{List: listOf(letters[:5]...), Words: 4}, 8},
		{Recipe{List: listOf(letters[:8]...), Words: 4}, 0},
		{Recipe{List: listOf(letters[:3]...), Words: 2, NoRepeats: true}, 32},
		{Recipe{List: listOf(letters[:4]...), Words: 4, NoRepeats: true}, 4},
		{Recipe{List: listOf(letters[:5]...), Words: 3, NoRepeats: true, Capitalize: true}, 8},
		{Recipe{List: listOf(letters[:8]...), Words: 4, NoRepeats: true}, 0},
		{Recipe{List: listOf(letters[:3]...), Words: 1, Digit: true}, 64},
		{Recipe{List: listOf(letters[:2]...), Words: 2, Digit: true}, 16},
		{Recipe{List: listOf(letters[:3]...), Words: 3, Digit: true}, 0},
		{Recipe{List: listOf(letters[:5]...), Words: 3, Digit: true, Capitalize: true}, 0},
		{Recipe{List: listOf(letters[:2]...), Words: 5, Digit: true}, 0},
		{Recipe{List: listOf(letters[:4]...), Words: 3, Digit: true, NoRepeats: true}, 0},
		{Recipe{List: listOf("a", "b1"), Words: 2, Digit: true}, 16},
		{Recipe{List: listOf("a", "b1", "c2"), Words: 3, Digit: true, Separator: "b"}, 0},
		{Recipe{List: listOf("a", "b"), Words: 3, Digit: true, Separator: "1"}, 0},
		{Recipe{List: listOf("a", "b"), Words: 3, Digit: true, NoSeparator: true}, 0},
		{Recipe{List: listOf("a", "1"), Words: 3, Separator: "1"}, 0},
		{Recipe{List: listOf("a", "ba", "bb"), Words: 3, NoSeparator: true, Capitalize: true}, 4},
		{Recipe{List: listOf("élan", "ßa", "ŝi"), Words: 2, Capitalize: true}, 4},
	} {
		if err := exact(c.r, c.more, (*maker).append); err != nil {
			t.Error(err)
		}
	}
}

// mutant is maker.append with its draws in the hands of a test.
func mutant(word, place, digit func(s *draw.Stream, n int) int) drawer {
	return func(m *maker, dst []byte, s *draw.Stream) []byte {
		at, d := -1, byte(0)
		if m.digit {
			at, d = place(s, m.words), '0'+byte(digit(s, 10))
		}
		for i := range m.words {
			if i > 0 {
				dst = append(dst, m.separator...)
			}
			dst = append(dst, m.forms.word(word(s, m.forms.len()))...)
			if i == at {
				dst = append(dst, d)
			}
		}
		return dst
	}
}

// TestMutants makes the mistakes that such code is made with. Each must fail the
// check that the real one passes.
func TestMutants(t *testing.T) {
	right := func(s *draw.Stream, n int) int { return int(s.Below(uint64(n))) }
	modulo := func(s *draw.Stream, n int) int { return int(s.Next(1)[0]) % n }
	clamp := func(s *draw.Stream, n int) int { return min(int(s.Next(1)[0])&15, n-1) }
	short := func(s *draw.Stream, n int) int { return int(s.Below(uint64(n - 1))) }
	shifted := func(s *draw.Stream, n int) int { return 1 + int(s.Below(uint64(n-1))) }
	last := func(s *draw.Stream, n int) int { s.Below(uint64(n)); return n - 1 }
	first := func(s *draw.Stream, n int) int { s.Below(uint64(n)); return 0 }
	// twice as often at the first word as at any other: 0 to n, and n is 0
	skewed := func(s *draw.Stream, n int) int { return int(s.Below(uint64(n+1))) % n }

	plain := Recipe{List: listOf(letters[:3]...), Words: 2}
	digit := Recipe{List: listOf(letters[:3]...), Words: 3, Digit: true}
	for name, c := range map[string]struct {
		r    Recipe
		more int
		f    drawer
	}{
		"none":                          {plain, 64, nil},
		"none, with a digit":            {digit, 0, nil},
		"word by remainder":             {plain, 64, mutant(modulo, right, right)},
		"word by remainder of 2 bits":   {digit, 0, mutant(modulo, right, right)},
		"word that is clamped":          {plain, 64, mutant(clamp, right, right)},
		"last word never":               {plain, 64, mutant(short, right, right)},
		"first word never":              {plain, 64, mutant(shifted, right, right)},
		"digit at the end":              {digit, 0, mutant(right, last, right)},
		"digit at the beginning":        {digit, 0, mutant(right, first, right)},
		"digit's place by remainder":    {digit, 0, mutant(right, modulo, right)},
		"digit's place skewed":          {digit, 0, mutant(right, skewed, right)},
		"digit never at the last word":  {digit, 0, mutant(right, short, right)},
		"digit never at the first word": {digit, 0, mutant(right, shifted, right)},
		"digit by remainder":            {digit, 0, mutant(right, right, modulo)},
		"digit 9 never":                 {digit, 0, mutant(right, right, short)},
		"digit 0 never":                 {digit, 0, mutant(right, right, shifted)},
	} {
		if c.f == nil {
			if err := exact(c.r, c.more, mutant(right, right, right)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		} else if exact(c.r, c.more, c.f) == nil {
			t.Errorf("the mutant %q passes for exact", name)
		}
	}
}

func TestMutantsWithoutRepeats(t *testing.T) {
	right := func(s *draw.Stream, n int) int { return int(s.Below(uint64(n))) }
	repeats := Recipe{List: listOf(letters[:4]...), Words: 2, NoRepeats: true}
	if exact(repeats, 4, mutant(right, right, right)) == nil {
		t.Error("the mutant with repeats passes for one without")
	}
	// A word that was drawn already is replaced by the one after it.
	moved := func(m *maker, dst []byte, s *draw.Stream) []byte {
		a, b := right(s, 4), right(s, 4)
		if a == b {
			b = (b + 1) % 4
		}
		return append(append(append(dst, m.forms.word(a)...), m.separator...), m.forms.word(b)...)
	}
	if exact(repeats, 4, moved) == nil {
		t.Error("the mutant that moves a repeated word on passes for exact")
	}
}

// texts calls f with every phrase of a recipe, as its words and its text.
func texts(r Recipe, m *maker, f func(words []string, text string)) {
	chosen := make([]string, 0, m.words)
	var fill func()
	fill = func() {
		if len(chosen) < m.words {
			for i := range m.forms.len() {
				if r.NoRepeats && slices.Contains(chosen, m.forms.word(i)) {
					continue
				}
				chosen = append(chosen, m.forms.word(i))
				fill()
				chosen = chosen[:len(chosen)-1]
			}
			return
		}
		if !r.Digit {
			f(chosen, strings.Join(chosen, m.separator))
			return
		}
		for place := range chosen {
			for d := range 10 {
				with := slices.Clone(chosen)
				with[place] += fmt.Sprint(d)
				f(with, strings.Join(with, m.separator))
			}
		}
	}
	fill()
}

// TestAcceptedRecipes takes tiny lists and recipes at random, of characters that
// are also digits and separators. What Check accepts has as many different texts
// as Count says. What it refuses as ambiguous has two sequences that read the same.
func TestAcceptedRecipes(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 1))
	accepted, refused := 0, 0
	for range 6000 {
		r := Recipe{
			List: randomList(rng, "ab1A", 4, 3), Words: 1 + rng.IntN(3), Separator: []string{"", "a", "1", "b1", "1a", "-"}[rng.IntN(6)],
			Capitalize: rng.IntN(2) == 0, Digit: rng.IntN(2) == 0, NoRepeats: rng.IntN(3) == 0,
		}
		r.NoSeparator = r.Separator == "" && rng.IntN(2) == 0
		m, err := r.maker()
		var ambiguous *AmbiguousError
		switch {
		case errors.As(err, &ambiguous):
			refused++
			verifyCollision(t, r, ambiguous)
		case errors.Is(err, ErrWords):
		case err != nil:
			t.Fatalf("%v of %q: %v", r, r.List.plain.sorted, err)
		default:
			accepted++
			seen := map[string]bool{}
			texts(r, &m, func(words []string, text string) {
				if seen[text] {
					t.Fatalf("%v of %q is accepted, and %q comes twice, as %q for one", r, r.List.plain.sorted, text, words)
				}
				seen[text] = true
			})
			if m.count().Cmp(big.NewInt(int64(len(seen)))) != 0 {
				t.Fatalf("%v of %q has %d phrases; %v are counted", r, r.List.plain.sorted, len(seen), m.count())
			}
		}
	}
	if accepted < 1000 || refused < 500 {
		t.Errorf("%d recipes were accepted and %d refused: too few of one to say something", accepted, refused)
	}
	t.Logf("%d recipes accepted, %d refused", accepted, refused)
}

// randomList makes a list of 2 to most words of 1 to longest letters.
func randomList(rng *rand.Rand, letters string, most, longest int) *List {
	size := 2 + rng.IntN(most-1)
	var words []string
	for len(words) < size {
		word := make([]byte, 1+rng.IntN(longest))
		for i := range word {
			word[i] = letters[rng.IntN(len(letters))]
		}
		if !slices.Contains(words, string(word)) {
			words = append(words, string(word))
		}
	}
	return listOf(words...)
}

// verifyCollision holds an error to its word: the two sequences are of words of
// the recipe, differ, have the same number of digits and at most one, and read as
// the same text.
func verifyCollision(t *testing.T, r Recipe, e *AmbiguousError) {
	t.Helper()
	what := fmt.Sprintf("%v of %q: %v", r, r.List.plain.sorted, e)
	if e.list {
		if capitalized(e.One[0]) != e.Text || capitalized(e.Other[0]) != e.Text || e.One[0] == e.Other[0] || !r.Capitalize {
			t.Fatal(what)
		}
		return
	}
	separator := r.Separator
	if separator == "" && !r.NoSeparator {
		separator = "-"
	}
	f := r.List.plain
	if r.Capitalize {
		f = r.List.upper()
	}
	digits := [2]int{}
	for i, sequence := range [][]string{e.One, e.Other} {
		var texts []string
		for _, word := range sequence {
			word, digit, ok := strings.Cut(word, " ")
			if ok {
				digits[i]++
			}
			if _, known := slices.BinarySearch(f.sorted, word); !known || ok != (len(digit) == 1) || ok && !r.Digit {
				t.Fatalf("%s: %q is no word", what, word)
			}
			texts = append(texts, word+digit)
		}
		if got := strings.Join(texts, separator); got != e.Text {
			t.Fatalf("%s: %q reads %q", what, sequence, got)
		}
	}
	if slices.Equal(e.One, e.Other) || digits[0] != digits[1] || digits[0] > 1 {
		t.Fatal(what)
	}
}
