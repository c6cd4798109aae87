package passphrase_test

import (
	"errors"
	"math"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"
	"unicode"

	"github.com/keyfob-dev/keyfob/passphrase"
)

// panicOf returns what f panics with.
func panicOf(f func()) (what any) {
	defer func() { what = recover() }()
	f()
	return nil
}

// recipes has one of each kind.
func recipes(t testing.TB) []passphrase.Recipe {
	own, err := passphrase.ParseList("the\nrapist\ntherapist\n")
	if err != nil {
		t.Fatal(err)
	}
	return []passphrase.Recipe{
		{}, {Words: 1}, {Words: 2, Separator: " "}, {Words: 100}, {NoRepeats: true}, {Digit: true}, {Capitalize: true},
		{NoSeparator: true}, {NoSeparator: true, Capitalize: true, Digit: true}, {List: passphrase.EFFShort(), Words: 9, Separator: "äöü"},
		{List: own, Words: 20}, {List: own, Words: 3, NoRepeats: true, Digit: true}, {Words: 1024, Separator: strings.Repeat("=", 32), Digit: true},
	}
}

// TestForm takes phrases of the large list apart.
func TestForm(t *testing.T) {
	known := map[string]bool{}
	for _, word := range passphrase.EFFLarge().All() {
		known[word] = true
	}
	for range 2000 {
		for _, word := range strings.Split(passphrase.Recipe{Separator: " "}.New(), " ") {
			if !known[word] {
				t.Fatalf("%q is no word", word)
			}
		}
		text := passphrase.Recipe{Words: 4, Separator: " ", Capitalize: true, Digit: true, NoRepeats: true}.New()
		digits := 0
		seen := map[string]bool{}
		for _, word := range strings.Split(text, " ") {
			bare := strings.TrimRight(word, "0123456789")
			digits += len(word) - len(bare)
			if !unicode.IsUpper(rune(bare[0])) || !known[strings.ToLower(bare)] || seen[bare] {
				t.Fatalf("%q in %q", word, text)
			}
			seen[bare] = true
		}
		if digits != 1 || len(seen) != 4 {
			t.Fatalf("%q", text)
		}
	}
	for n := 1; n < 50; n++ {
		if got := strings.Count(strings.NewReplacer("drop-down", "", "felt-tip", "", "t-shirt", "", "yo-yo", "").Replace(passphrase.Random(n)), "-"); got != n-1 {
			t.Errorf("Random(%d) has %d separators", n, got)
		}
	}
}

// TestBits freezes the figures that the documentation gives, and holds Bits
// against a sum of logarithms.
func TestBits(t *testing.T) {
	own := parse(t, "a\nb\nc\nd\n")
	for _, c := range []struct {
		r     passphrase.Recipe
		bits  float64
		count string
	}{
		{passphrase.Recipe{Words: 1}, 12.924812503605781, "7776"},
		{passphrase.Recipe{}, 77.54887502163469, "221073919720733357899776"},
		{passphrase.Recipe{Words: 7}, 90.47368752524047, ""},
		{passphrase.Recipe{Words: 8}, 103.39850002884625, ""},
		{passphrase.Recipe{Capitalize: true, Separator: " "}, 77.54887502163469, "221073919720733357899776"},
		{passphrase.Recipe{Digit: true}, 77.54887502163469 + 5.906890595608519, "13264435183244001473986560"},
		{passphrase.Recipe{Words: 2, NoRepeats: true}, math.Log2(7776 * 7775), "60458400"},
		{passphrase.Recipe{NoRepeats: true}, 77.54609138872223, ""},
		{passphrase.Recipe{List: passphrase.EFFShort(), Words: 4}, 41.359400011538494, "2821109907456"},
		{passphrase.Recipe{List: own, Words: 3}, 6, "64"},
		{passphrase.Recipe{List: own, Words: 4, NoRepeats: true}, math.Log2(24), "24"},
		{passphrase.Recipe{List: own, Words: 1, Digit: true}, math.Log2(40), "40"},
		{passphrase.Recipe{Words: 1024}, 1024 * 12.924812503605781, ""},
	} {
		if got := c.r.Bits(); math.Abs(got-c.bits) > 1e-8 {
			t.Errorf("%v: %v bits; want %v", c.r, got, c.bits)
		}
		if got := c.r.Count(); c.count != "" && got.String() != c.count {
			t.Errorf("%v: %v phrases; want %s", c.r, got, c.count)
		}
	}
	if gain := (passphrase.Recipe{}).Bits() - (passphrase.Recipe{NoRepeats: true}).Bits(); math.Abs(gain-0.0028) > 0.00005 {
		t.Errorf("repeats are worth %v bits", gain)
	}
}

func TestForBits(t *testing.T) {
	own := parse(t, "a\nb\nc\nd\n")
	for _, c := range []struct {
		r     passphrase.Recipe
		bits  float64
		words int
	}{
		{passphrase.Recipe{}, 1, 1},
		{passphrase.Recipe{}, 77.5, 6},
		{passphrase.Recipe{}, 77.55, 7},
		{passphrase.Recipe{Words: 99}, 128, 10},
		{passphrase.Recipe{Digit: true}, 128, 10},
		{passphrase.Recipe{Digit: true}, 83, 6},
		{passphrase.Recipe{List: passphrase.EFFShort()}, 128, 13},
		{passphrase.Recipe{List: own}, 2, 1},
		{passphrase.Recipe{List: own}, 2.0000001, 2},
		{passphrase.Recipe{List: own}, 128, 64},
		{passphrase.Recipe{List: own}, 2048, 1024},
		{passphrase.Recipe{List: own, NoRepeats: true}, math.Log2(12), 2},
		{passphrase.Recipe{List: own, NoRepeats: true}, 4.5, 3},
	} {
		r, err := c.r.ForBits(c.bits)
		if err != nil || r.Words != c.words {
			t.Errorf("%v for %v bits has %d words, %v; want %d", c.r, c.bits, r.Words, err, c.words)
			continue
		}
		if r.Bits() < c.bits {
			t.Errorf("%v has %v bits; %v were asked for", r, r.Bits(), c.bits)
		}
		if r.Words--; r.Words > 0 && r.Bits() >= c.bits {
			t.Errorf("%v has %v bits, which would do for %v", r, r.Bits(), c.bits)
		}
		if c.r.Words = c.words; r.List != c.r.List || r.Digit != c.r.Digit || r.NoRepeats != c.r.NoRepeats {
			t.Errorf("%v becomes %v", c.r, r)
		}
	}
	for _, bits := range []float64{0, -1, math.NaN(), math.Inf(1), math.Inf(-1), 13236, 1e300} {
		if r, err := (passphrase.Recipe{}).ForBits(bits); !errors.Is(err, passphrase.ErrWords) || r != (passphrase.Recipe{}) {
			t.Errorf("for %v bits: %v, %v", bits, r, err)
		}
	}
	if _, err := (passphrase.Recipe{List: own, NoRepeats: true}).ForBits(4.6); err == nil ||
		err.Error() != "wrong number of words: 4.6 bits are more than 4 words of this list can have, 4.58; ask for at most that" {
		t.Error(err)
	}
	if _, err := (passphrase.Recipe{Separator: "\n"}).ForBits(60); !errors.Is(err, passphrase.ErrSeparator) {
		t.Error(err)
	}
}

func TestCheckRefuses(t *testing.T) {
	own := parse(t, "the\nrapist\ntherapist\nThe\n")
	digits := parse(t, "a\na1\nb\n")
	for _, c := range []struct {
		r    passphrase.Recipe
		is   error
		says string
	}{
		{passphrase.Recipe{Words: -1}, passphrase.ErrWords, "-1; 1 to 1024 are allowed"},
		{passphrase.Recipe{Words: 1e9}, passphrase.ErrWords, "1000000000; 1 to 1024 are allowed"},
		{passphrase.Recipe{List: own, Words: 5, NoRepeats: true}, passphrase.ErrWords, "5 different words of a list of 4; use at most as many as there are"},
		{passphrase.Recipe{Separator: "-", NoSeparator: true}, passphrase.ErrSeparator, `there is one, "-", and there is to be none`},
		{passphrase.Recipe{Separator: strings.Repeat("-", 33)}, passphrase.ErrSeparator, "it has 33 bytes; 32 are allowed"},
		{passphrase.Recipe{Separator: "\n"}, passphrase.ErrSeparator, "it holds a control character (U+000A)"},
		{passphrase.Recipe{Separator: "\t"}, passphrase.ErrSeparator, "it holds white space (U+0009)"},
		{passphrase.Recipe{Separator: "\xff"}, passphrase.ErrSeparator, "it is not UTF-8"},
		{passphrase.Recipe{Separator: "\u200b"}, passphrase.ErrSeparator, "it holds U+200B, which cannot be seen"},
		{passphrase.Recipe{Separator: "\u0301"}, passphrase.ErrSeparator, "it holds a combining mark (U+0301)"},
		{passphrase.Recipe{List: own, NoSeparator: true}, passphrase.ErrAmbiguous, `"therapist" and "the" + "rapist" both read "therapist"; use a separator`},
		{passphrase.Recipe{List: own, Capitalize: true}, passphrase.ErrAmbiguous, `the words "the" and "The" are both "The" with a capital; leave one out`},
		{passphrase.Recipe{List: own, Capitalize: true, Words: 1}, passphrase.ErrAmbiguous, `the words "the" and "The" are both "The"`},
		{passphrase.Recipe{List: digits, Digit: true}, passphrase.ErrAmbiguous,
			`"a" with the digit 1 + "a1" and "a1" + "a" with the digit 1 both read "a1-a1"; leave the digit out`},
		{passphrase.Recipe{List: parse(t, "drop\ndown\ndrop-down\n")}, passphrase.ErrAmbiguous, `"drop-down" and "drop" + "down" both read "drop-down"`},
		{passphrase.Recipe{List: parse(t, "a\nb\naxb\n"), Separator: "x"}, passphrase.ErrAmbiguous, `"axb" and "a" + "b" both read "axb"`},
		{passphrase.Recipe{List: parse(t, "ıt\nit\n"), Capitalize: true}, passphrase.ErrAmbiguous, `the words "ıt" and "it" are both "It"`},
	} {
		err := c.r.Check()
		if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: %v; want %v: %s", c.r, err, c.is, c.says)
			continue
		}
		for name, f := range map[string]func(){
			"New": func() { c.r.New() }, "Many": func() { c.r.Many(0) }, "Each": func() { c.r.Each(1) }, "Bits": func() { c.r.Bits() }, "Count": func() { c.r.Count() },
		} {
			if got, _ := panicOf(f).(string); got != "passphrase: Recipe: "+err.Error() {
				t.Errorf("%v: %s panics with %q", c.r, name, got)
			}
		}
	}
}

// TestCheckAccepts: what looks as if it could be mistaken, and cannot.
func TestCheckAccepts(t *testing.T) {
	for _, r := range []passphrase.Recipe{
		{List: parse(t, "the\nrapist\ntherapist\n"), NoSeparator: true, Words: 1},
		{List: parse(t, "the\nrapist\ntherapist\n"), NoSeparator: true, Capitalize: true},
		{List: parse(t, "a\nab\nbb\n"), NoSeparator: true}, // read from the end
		{List: parse(t, "a\na1\n"), Words: 1, Digit: true},
		{List: parse(t, "a1\nb1\n"), Digit: true},
		{List: parse(t, "a\nb\n"), Digit: true, Separator: "1"},
		{List: parse(t, "The\nthe\n")},
		{Separator: "e"}, {Separator: "zoom"}, {Separator: "-1-", Digit: true}, {NoSeparator: true, Digit: true},
	} {
		if err := r.Check(); err != nil {
			t.Errorf("%v: %v", r, err)
		}
	}
}

func TestPanics(t *testing.T) {
	for _, n := range []int{0, -1, 1025, 1e9} {
		got, _ := panicOf(func() { passphrase.Random(n) }).(string)
		if !strings.HasPrefix(got, "passphrase: Random: wrong number of words: ") || !strings.HasSuffix(got, "; 1 to 1024 are allowed") {
			t.Errorf("Random(%d) panics with %q", n, got)
		}
	}
	if got, _ := panicOf(func() { passphrase.Recipe{}.Many(-1) }).(string); got != "passphrase: -1 phrases: the number must be 0 or more" {
		t.Errorf("Many(-1) panics with %q", got)
	}
}

func TestRecipeString(t *testing.T) {
	for want, r := range map[string]passphrase.Recipe{
		`6 words of eff-large, joined by "-"`:                                     {},
		`1 word of eff-short, joined by " "`:                                      {Words: 1, List: passphrase.EFFShort(), Separator: " "},
		`4 words of a list of 2, capitalized, not separated, a digit, no repeats`: {Words: 4, List: parse(t, "a\nb\n"), Capitalize: true, NoSeparator: true, Digit: true, NoRepeats: true},
		`-1 words of eff-large, joined by "\n"`:                                   {Words: -1, Separator: "\n"},
	} {
		if got := r.String(); got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
}

func TestMany(t *testing.T) {
	for _, r := range recipes(t) {
		for _, n := range []int{0, 1, 2, 3, 300} {
			all := slices.Collect(r.Many(n))
			if len(all) != n {
				t.Fatalf("%v: Many(%d) makes %d", r, n, len(all))
			}
			slices.Sort(all)
			if r.Bits() > 70 && len(slices.Compact(all)) != n {
				t.Errorf("%v: a phrase comes twice", r)
			}
		}
		count := 0
		for range r.Many(200) {
			if count++; count == 3 {
				break
			}
		}
		if count != 3 {
			t.Errorf("%v: the range goes on after it was left", r)
		}
	}
}

// TestEachWipes keeps a text that Each has handed out, against its contract, and
// finds zeros in it after the loop: also where the loop was left early or panicked.
func TestEachWipes(t *testing.T) {
	for _, r := range recipes(t) {
		for how, loop := range map[string]func(keep func([]byte)){
			"whole": func(keep func([]byte)) {
				for text := range r.Each(5) {
					keep(text)
				}
			},
			"left": func(keep func([]byte)) {
				for text := range r.Each(5) {
					keep(text)
					break
				}
			},
			"panicked": func(keep func([]byte)) {
				panicOf(func() {
					for text := range r.Each(5) {
						keep(text)
						panic("out")
					}
				})
			},
		} {
			var kept [][]byte
			loop(func(text []byte) {
				if cap(text) != len(text) {
					t.Fatalf("%v: the text has %d bytes and room for %d", r, len(text), cap(text))
				}
				kept = append(kept, text)
			})
			for _, text := range kept {
				if strings.Trim(string(text), "\x00") != "" {
					t.Errorf("%v, %s: after the loop %q is left in memory", r, how, text)
				}
			}
		}
	}
}

// TestNothingIsKept makes every recipe twice on the same bytes of the system. If a
// call left random bytes behind for the next, the second would differ.
func TestNothingIsKept(t *testing.T) {
	makers := map[string]func() string{"Random": func() string { return passphrase.Random(6) }}
	for _, r := range recipes(t) {
		makers[r.String()] = r.New
		makers["Many "+r.String()] = func() string { return strings.Join(slices.Collect(r.Many(3)), " ") }
	}
	for what, make := range makers {
		seen := map[string]bool{}
		for seed := range uint64(5) {
			cryptotest.SetGlobalRandom(t, seed)
			first := make()
			cryptotest.SetGlobalRandom(t, seed)
			if again := make(); first != again {
				t.Errorf("%s depends on an earlier call: %q, then %q", what, first, again)
			}
			seen[first] = true
		}
		if len(seen) < 2 { // it does not read crypto/rand at all
			t.Errorf("%s is the same for all states of the system", what)
		}
	}
}

// TestConcurrent: recipes, their lists and what the lists remember, from many sides.
func TestConcurrent(t *testing.T) {
	own := parse(t, "a\nab\nbb\nthe\n")
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for range 50 {
				passphrase.Random(6)
				r := passphrase.Recipe{List: own, Separator: []string{"b", "e", "1", "ab"}[i%4], Digit: i < 4, Capitalize: i%2 == 0}
				if r.Check() == nil {
					for range r.Many(3) {
					}
					r.Count().Add(r.Count(), big.NewInt(1))
				}
			}
		})
	}
	group.Wait()
}
