package passphrase

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// collides enumerates all sequences of up to so many elements, each with at most
// one digit, and returns a text that two of them have. Of the digits it tries those
// that occur in the words and the separator, and one other.
func collides(f *forms, separator string, digit bool, most int) (text string, found bool) {
	digits := "7"
	for d := '0'; d <= '9'; d++ {
		if d != '7' && (f.holds[d] || strings.ContainsRune(separator, d)) {
			digits += string(d)
		}
	}
	seen := map[string]bool{}
	var fill func(text string, left int, digit bool)
	fill = func(before string, left int, digit bool) {
		for i := 0; i < f.len() && !found; i++ {
			add := func(element string, digit bool) {
				now := before + element + separator
				if seen[now] {
					text, found = now, true
				}
				seen[now] = true
				if left > 1 {
					fill(now, left-1, digit)
				}
			}
			add(f.word(i), digit)
			for _, d := range digits {
				if digit {
					add(f.word(i)+string(d), false)
				}
			}
		}
	}
	fill("", most, digit)
	return text, found
}

// A decider says whether sequences of the words are told apart.
type decider func(f *forms, separator string, digit bool) bool

func sardinasPatterson(f *forms, separator string, digit bool) bool {
	one, _, decided := newCode(f, separator, digit).collision()
	return decided && one == nil
}

// agree holds a decider against the enumeration, on lists at random: it must not
// pass what collides. What it refuses is verified elsewhere for the real one, whose
// error has the proof; here it must not refuse what is prefix-free.
func agree(lists int, decide decider) (unsafe int, err error) {
	rng := rand.New(rand.NewPCG(7, uint64(lists)))
	for range lists {
		f := randomList(rng, []string{"ab", "a1", "ab1"}[rng.IntN(3)], 4, 4).plain
		separator := []string{"", "", "a", "1", "-", "ab", "1a"}[rng.IntN(7)]
		digit := rng.IntN(3) == 0
		most := 6
		if digit {
			most = 4
		}
		text, found := collides(f, separator, digit, most)
		if found {
			unsafe++
		}
		if safe := decide(f, separator, digit); safe && found {
			return unsafe, fmt.Errorf("%q with %q (digit: %v) is passed, and two read %q", f.sorted, separator, digit, text)
		} else if !safe && !found && f.prefix[0] == "" && !digit {
			return unsafe, fmt.Errorf("%q with %q is refused, and no word begins another", f.sorted, separator)
		}
	}
	return unsafe, nil
}

// TestSardinasPatterson: 4000 tiny lists, of which a good part collides.
func TestSardinasPatterson(t *testing.T) {
	unsafe, err := agree(4000, sardinasPatterson)
	if err != nil {
		t.Error(err)
	}
	if unsafe < 600 || unsafe > 3000 {
		t.Errorf("%d of 4000 lists collide: too few, or too many, to say something", unsafe)
	}
	t.Logf("%d of 4000 lists collide", unsafe)
	if _, err := agree(1000, func(f *forms, separator string, digit bool) bool {
		return f.obvious(separator, digit) || sardinasPatterson(f, separator, digit)
	}); err != nil {
		t.Errorf("with the short cut: %v", err)
	}
}

// TestSardinasPattersonCollides: what is refused is refused with a proof.
func TestSardinasPattersonCollides(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 1))
	found := 0
	for range 4000 {
		r := Recipe{List: randomList(rng, "ab1", 5, 5), NoSeparator: true, Digit: rng.IntN(2) == 0, Words: 9}
		if err := r.Check(); err != nil {
			found++
			verifyCollision(t, r, err.(*AmbiguousError))
		}
	}
	if found < 1000 {
		t.Errorf("%d of 4000 lists were refused: too few to say something", found)
	}
}

// TestMutantsOfSardinasPatterson: methods that look right, or that leave out a
// case. Each must fail what the real one passes.
func TestMutantsOfSardinasPatterson(t *testing.T) {
	never := func(*forms, string, bool) bool { return false }
	always := func(*forms, string, bool) bool { return true }
	// A word that is made of two others is all that it looks for.
	pairs := func(f *forms, separator string, digit bool) bool {
		for _, a := range f.sorted {
			for _, b := range f.sorted {
				if slices.Contains(f.sorted, a+separator+b) {
					return false
				}
			}
		}
		return true
	}
	// The separator is believed to part what it is put between.
	trusting := func(f *forms, separator string, digit bool) bool {
		return separator != "" || sardinasPatterson(f, "", digit)
	}
	noDigit := func(f *forms, separator string, digit bool) bool { return sardinasPatterson(f, separator, false) }
	// Where words meet without a separator is all that it looks at.
	noSeparator := func(f *forms, separator string, digit bool) bool { return sardinasPatterson(f, "", digit) }
	// The list is free of suffixes or of prefixes: for a code without separators.
	eitherEnd := func(f *forms, separator string, digit bool) bool {
		for _, a := range f.sorted {
			for _, b := range f.sorted {
				if a != b && (strings.HasPrefix(a, b) || strings.HasSuffix(a, b)) {
					return false
				}
			}
		}
		return true
	}
	// A search that stops after so many rests.
	shallow := func(f *forms, separator string, digit bool) bool {
		c := newCode(f, separator, digit)
		c.budget = 10
		one, _, _ := c.collision()
		return one == nil
	}
	for name, decide := range map[string]decider{
		"never": never, "always": always, "pairs": pairs, "trusting": trusting, "without the digit": noDigit,
		"without the separator": noSeparator, "either end": eitherEnd, "shallow": shallow,
	} {
		if _, err := agree(6000, decide); err == nil {
			t.Errorf("the mutant %q passes for Sardinas and Patterson's", name)
		}
	}
}

// TestGivesUp: a search beyond its bounds refuses, and says so.
func TestGivesUp(t *testing.T) {
	c := newCode(listOf("a", "ab", "bb").plain, "", false)
	c.budget = 3
	if one, _, decided := c.collision(); decided || one != nil {
		t.Errorf("a search without steps left decides %v, %v", one, decided)
	}
}

// TestLargeLists: the search stays quick where a list is large and its separator
// the worst. Suffix-free lists are told apart, from the end; every word of this
// one begins others, so that no short cut is taken.
func TestLargeLists(t *testing.T) {
	var words []string
	for i := range 20_000 {
		words = append(words, strings.Repeat("a", i%7)+fmt.Sprintf("%05dx", i))
	}
	for _, f := range []*forms{EFFLarge().plain, EFFLarge().upper(), listOf(words...).plain} {
		for _, separator := range []string{"", "a", "1", "e"} {
			for _, digit := range []bool{false, true} {
				start := time.Now()
				_, _, decided := newCode(f, separator, digit).collision()
				if !decided {
					t.Errorf("%d words, %q, digit %v: no answer", f.len(), separator, digit)
				}
				t.Logf("%d words, %q, digit %v: %v", f.len(), separator, digit, time.Since(start))
			}
		}
	}
}

// BenchmarkSardinasPatterson decides the large list without a separator.
func BenchmarkSardinasPatterson(b *testing.B) {
	f := EFFLarge().plain
	for _, digit := range []bool{false, true} {
		b.Run(fmt.Sprintf("digit=%v", digit), func(b *testing.B) {
			for b.Loop() {
				sardinasPatterson(f, "", digit)
			}
		})
	}
}

// TestAmbiguousErrorIsShort: the error of sequences that are long beyond reading is
// one line that can be read; the sequences are in its fields.
func TestAmbiguousErrorIsShort(t *testing.T) {
	many := slices.Repeat([]string{"ab"}, 1000)
	e := &AmbiguousError{Text: strings.Repeat("ab", 1000), One: many, Other: []string{"x 7"}}
	text := e.Error()
	if len(text) > 1000 || strings.Count(text, `"ab"`) != 24 || !strings.Contains(text, `"ab" + 976 more + "ab"`) ||
		!strings.Contains(text, `and "x" with the digit 7 both read "abab`) || !strings.Contains(text, `ab" … "ab`) {
		t.Errorf("%s", text)
	}
}
