package password

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestBadPolicies refuses what cannot be, each with what is wrong and what would
// be right.
func TestBadPolicies(t *testing.T) {
	for _, c := range badPolicies {
		g, err := c.policy.Compile()
		if err == nil || !strings.Contains(err.Error(), c.want) || g != nil {
			t.Errorf("error %v; want %q", err, c.want)
			continue
		}
		if text := err.Error(); strings.ContainsAny(text, "\n\r\x00") || len(text) > 500 {
			t.Errorf("error %q; want one short line", text)
		}
	}
}

// A refusal is a policy and a part of the error that it gets.
type refusal struct {
	policy Policy
	want   string
}

func chars(sets ...string) []Class { return AtLeast(0, sets...) }
func lower(c Class) []Class        { c.Chars = Lower; return []Class{c, {Chars: Upper}} }

var badPolicies = []refusal{
	{Policy{Length: -1}, "length -1: a password has 1 to 1024 characters"},
	{Policy{Length: 1025}, "length 1025: a password has 1 to 1024 characters"},
	{Policy{Length: 1e9}, "length 1000000000: a password has 1 to 1024 characters"},
	{Policy{Length: 20, Bits: 128}, "length 20 and 128 bits: give one of them"},
	{Policy{Bits: -1}, "-1 bits: use a number above 0"},
	{Policy{Bits: math.NaN()}, "NaN bits: use a number above 0"},
	{Policy{Bits: math.Inf(1)}, "+Inf bits: use a number above 0"},
	{Policy{Bits: 6712}, "6712 bits are more than 1024 characters of 94 can have, 6711.90"},
	{Policy{MinLength: -1}, "minimum length -1: use 1 to 1024, or 0 for no bound"},
	{Policy{MinLength: 1025}, "minimum length 1025: use 1 to 1024"},
	{Policy{MaxLength: -1}, "maximum length -1: use 1 or more, or 0 for no bound"},
	{Policy{MinLength: 9, MaxLength: 8}, "minimum length 9: is more than the maximum length 8"},
	{Policy{Length: 7, MinLength: 8}, "length 7: the policy allows 8 to 1024 characters"},
	{Policy{Length: 17, MaxLength: 16}, "length 17: the policy allows 1 to 16 characters"},
	{Policy{MaxLength: 16, Bits: 128}, "128 bits are more than 16 characters of 94 can have, 104.87; use at most that"},
	{Policy{MaxRun: -1}, "longest run -1: use 1 or more, or 0 for no such rule"},

	{Policy{Classes: []Class{}}, "alphabet: has no characters; give classes"},
	{Policy{Classes: chars("a")}, "alphabet: has one character, 'a'"},
	{Policy{Classes: chars("abc"), Exclude: "bc"}, "alphabet: has one character, 'a'"},
	{Policy{Classes: chars("0O1Il|"), NoLookAlikes: true}, "alphabet: has no characters"},
	{Policy{Classes: chars(Lower, "")}, "class 2: has no characters; give some, or leave the class out"},
	{Policy{Classes: chars("abca")}, "\"abca\": has 'a' twice; give each character once"},
	{Policy{Classes: chars("ae\u0301")}, "has U+0301, a combining mark; give characters that are printed by themselves"},
	{Policy{Classes: chars("ab\xff")}, "is not valid UTF-8 at byte 3; give text in UTF-8"},
	{Policy{Classes: chars("a\x00b")}, "has U+0000, a control character"},
	{Policy{Classes: chars("a\tb")}, "has U+0009, a control character"},
	{Policy{Classes: chars("a\u00a0b")}, "has U+00A0, a space other than U+0020"},
	{Policy{Classes: chars("a\u200db")}, "has U+200D, which is not printed"},
	{Policy{Classes: chars("a\u202eb")}, "has U+202E, which is not printed"},
	{Policy{Classes: chars("a\U0001f3fdb")}, "has U+1F3FD, which joins with its neighbours"},
	{Policy{Classes: chars("a\u1160b")}, "has U+1160, which joins with its neighbours"},
	{Policy{Classes: chars("a\u3164b")}, "has U+3164, which is not seen"},
	{Policy{Classes: chars("a\ue000b")}, "has U+E000, which is not printed"},
	{Policy{Classes: chars(wideAlphabet(1<<16 + 1))}, "alphabet: has 65537 characters; at most 65536 are allowed"},
	{Policy{Classes: chars(strings.Repeat("a", 1<<18+1))}, "has more than 65536 characters; give fewer"},
	{Policy{Classes: slices.Repeat(chars("ab"), 65)}, "classes: there are 65; at most 64 are allowed"},
	{Policy{Classes: lower(Class{Name: "a\nb"})}, "class 1: its name is not text of at most 64 printed characters"},
	{Policy{Classes: lower(Class{Min: -1})}, "lower: minimum -1, maximum 0; use 0 or more"},
	{Policy{Classes: lower(Class{Max: -1})}, "lower: minimum 0, maximum -1; use 0 or more"},
	{Policy{Classes: lower(Class{Min: 3, Max: 2})}, "lower: the minimum 3 is more than the maximum 2"},
	{Policy{Classes: lower(Class{Name: "letters", Min: 1}), Exclude: Lower}, "letters: at least 1 are asked for, and all of its characters are excluded"},

	{Policy{Exclude: "\u0308"}, "excluded characters: has U+0308, a combining mark"},
	{Policy{First: "a\n"}, "first character: has U+000A, a control character"},
	{Policy{NotLast: "\xc0"}, "last character: is not valid UTF-8 at byte 1"},
	{Policy{First: "é"}, "first character: no character of the alphabet may be there; allow at least one"},
	{Policy{Last: "ab", NotLast: "ab"}, "last character: no character of the alphabet may be there"},
	{Policy{Forbidden: []string{"ok", ""}}, "forbidden substring 2: is empty, and so in every password"},
	{Policy{Forbidden: []string{"e\u0301"}}, "forbidden substring 1: has U+0301, a combining mark"},
	{Policy{Forbidden: slices.Repeat([]string{"ab"}, 1025)}, "forbidden substrings: there are 1025; at most 1024 are allowed"},
	{Policy{Forbidden: []string{strings.Repeat("a", 8193)}}, "forbidden substrings: have more than 8192 characters together"},
	{Policy{Variety: Variety{Min: -1}}, "variety: at least -1 of 4 sets; use 1 to 4"},
	{Policy{Variety: Variety{Min: 5}}, "variety: at least 5 sets are asked for, and 4 have characters of the alphabet"},
	{Policy{Variety: Variety{Of: []string{Lower}}}, "variety: at least 0 of 1 sets; use 1 to 1"},
	{Policy{Variety: Variety{Min: 2, Of: []string{Lower, "é"}}}, "variety: at least 2 sets are asked for, and 1 have"},
	{Policy{Variety: Variety{Min: 1, Of: []string{"a\x01"}}}, "variety, set 1: has U+0001, a control character"},
	{Policy{Variety: Variety{Min: 1, Of: slices.Repeat([]string{"ab"}, 65)}}, "variety: has 65 sets; at most 64 are allowed"},
}

// wideAlphabet returns n characters, by skipping what is none.
func wideAlphabet(n int) string {
	var b strings.Builder
	for r := rune('!'); n > 0; r++ {
		if unfit(r) == "" {
			b.WriteRune(r)
			n--
		}
	}
	return b.String()
}

// TestContradictions names the rules that contradict each other, and no others.
func TestContradictions(t *testing.T) {
	for _, c := range contradictions {
		_, err := c.policy.Compile()
		if !errors.Is(err, ErrUnsatisfiable) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v; want %q", err, c.want)
		}
	}
}

var contradictions = []refusal{
	{
		Policy{Length: 10, Classes: []Class{{Chars: Lower, Min: 5}, {Chars: Digits, Min: 6}, {Chars: Upper, Min: 1}}, MaxRun: 2},
		"no password of 10 characters can have: at least 5 of lower; at least 6 of digits; relax one of these, or change the length",
	},
	{
		Policy{Length: 3, Classes: []Class{{Chars: Lower, Min: 5}}},
		"no password of 3 characters can have: at least 5 of lower;",
	},
	{ // two reasons: one is given
		Policy{Length: 3, Classes: []Class{{Chars: Lower, Min: 5}, {Chars: Digits, Min: 6}}},
		"no password of 3 characters can have: at least 6 of digits; relax",
	},
	{
		Policy{Length: 3, Classes: []Class{{Chars: "ab", Max: 1}, {Chars: "abc", Max: 2}, {Chars: "def", Max: 1}}, NotFirst: "abcde", MaxRun: 1, Forbidden: []string{"fa", "fb", "fc"}},
		`can have: at most 1 of "def"; the first character one of "f"; without "fa", "fb", "fc"; relax`,
	},
	{ // two contradictions: one is given
		Policy{Length: 2, Classes: []Class{{Chars: "ab", Max: 1}}, First: "a", Last: "b", Forbidden: []string{"ab", "ba"}},
		`can have: at most 1 of "ab"; relax`,
	},
	{ // many characters and rules, found before anything is built
		Policy{Length: 100, Classes: append(manyClasses(40), Class{Chars: Lower, Min: 90}, Class{Chars: Upper, Min: 20}), MaxRun: 5},
		"no password of 100 characters can have: at least 90 of lower; at least 20 of upper; relax",
	},
	{
		Policy{Length: 20, Classes: AtLeast(0, "ab"), First: "a", Last: "a", Forbidden: []string{"aaaaaaaaaaaaaaaaaaaa", "ab", "aab"}},
		`can have: the first character one of "a"; without "aaaaaaaaaaaaaaaa"…, "ab", "aab"; relax`,
	},
	{
		Policy{Length: 8, Classes: []Class{{Chars: Lower, Max: 4}, {Chars: Digits, Max: 3}}, First: Lower},
		"can have: at most 4 of lower; at most 3 of digits;",
	},
	{
		Policy{Length: 5, Classes: []Class{{Chars: "abc"}, {Name: "a's", Chars: "a", Min: 4}}, MaxRun: 1, Forbidden: []string{"bb"}},
		"can have: at least 4 of a's; no character more than once in a row;",
	},
	{
		Policy{Length: 2, Classes: AtLeast(0, Lower, Upper, Digits), Variety: Variety{Min: 3}},
		"can have: characters of at least 3 of 3 sets;",
	},
	{
		Policy{Length: 4, Classes: []Class{{Chars: "ab"}}, First: "a", Last: "b", Forbidden: []string{"ab"}},
		`can have: the first character one of "a"; the last character one of "b"; without "ab";`,
	},
	{
		Policy{Length: 6, Classes: []Class{{Name: "letters", Chars: "ab", Max: 2}, {Name: "numbers", Chars: "12", Max: 9}}, Forbidden: []string{"1", "21", "22"}},
		`can have: at most 2 of letters; without "1", "21", "22";`,
	},
	{
		Policy{MinLength: 3, MaxLength: 30, Bits: 20, Classes: []Class{{Chars: Lower, Min: 31}}},
		"no password of 30 characters can have: at least 31 of lower;",
	},
	{
		Policy{Length: 4, Classes: []Class{{Chars: "ab"}, {Chars: "b", Max: 1}}, First: "b", MaxRun: 3},
		"only one password of 4 characters satisfies it",
	},
	{
		Policy{MaxLength: 12, Bits: 50, Classes: []Class{{Chars: Lower, Max: 2}, {Chars: Digits}}},
		"no length of 1 to 12 has 50 bits; the most are 48.77, of 12 characters",
	},
}

// TestTooLarge refuses what takes too much, and names a rule. Without bounds these
// would take hours, and all memory.
func TestTooLarge(t *testing.T) {
	words := func(n, length int) (list []string) {
		d := newDice(t)
		for range n {
			word := make([]byte, length)
			for i := range word {
				word[i] = printable[d.IntN(len(printable))]
			}
			list = append(list, string(word))
		}
		return list
	}
	for _, c := range []struct {
		what   string
		policy Policy
		want   string
	}{
		{"maxima", Policy{Length: 200, Classes: []Class{{Chars: Lower, Max: 60}, {Chars: Upper, Max: 80}, {Chars: Digits, Max: 70}, {Chars: Symbols}}}, "the bounds of upper"},
		{"minima", Policy{Length: 1000, Classes: AtLeast(60, Lower, Upper, Digits, Symbols)}, "the bounds of lower"},
		{"minima and bits", Policy{Bits: 5000, Classes: AtLeast(40, Lower, Upper, Digits, Symbols)}, "the bounds of lower"},
		{"many classes", Policy{Length: 100, Classes: manyClasses(60)}, "the bounds of"},
		{"words", Policy{Length: 100, Forbidden: words(1000, 8), Classes: AtLeast(3, Lower, Upper, Digits, Symbols)}, "the forbidden substrings"},
		{"words of many characters", Policy{Length: 1024, Classes: AtLeast(0, wideAlphabet(8000)), Forbidden: cutUp(wideAlphabet(8000), 1000)}, "the forbidden substrings"},
		{"length", Policy{Length: 1024, Classes: AtLeast(0, wideAlphabet(1<<16)), MaxRun: 1000}, "the longest run"},
		{"runs", Policy{Length: 1024, Classes: AtLeast(2, Lower, Upper, Digits, Symbols), MaxRun: 500}, "the longest run"},
		{"words and bits", Policy{Bits: 6000, Forbidden: words(1000, 8)}, "the forbidden substrings"},
	} {
		start := time.Now()
		_, err := c.policy.Compile()
		if !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v; want %q", c.what, err, c.want)
		}
		t.Logf("%s: refused after %v", c.what, time.Since(start))
	}
}

// cutUp divides a text into pieces of n characters.
func cutUp(text string, n int) (pieces []string) {
	for chunk := range slices.Chunk([]rune(text), n) {
		pieces = append(pieces, string(chunk))
	}
	return pieces
}

// manyClasses returns classes of one letter each and all letters, each with a
// minimum.
func manyClasses(n int) []Class {
	classes := []Class{{Chars: printable}}
	for _, r := range printable[:n] {
		classes = append(classes, Class{Chars: string(r), Min: 1})
	}
	return classes
}

// TestDefaults fills in what a policy leaves open.
func TestDefaults(t *testing.T) {
	for _, c := range []struct {
		policy Policy
		length int
	}{
		{Policy{}, 20},
		{Policy{MinLength: 8}, 20},
		{Policy{MinLength: 24}, 24},
		{Policy{MaxLength: 12}, 12},
		{Policy{MaxLength: 4096}, 20},
		{Policy{Length: 9, MinLength: 8, MaxLength: 10}, 9},
		{Policy{Length: 1024}, 1024},
		{Policy{Length: 1}, 1},
	} {
		g, err := c.policy.Compile()
		if err != nil || g.Length() != c.length {
			t.Errorf("%+v: length %v, %v; want %d", c.policy, g, err, c.length)
		}
	}
	if g := (Policy{}).MustCompile(); len(g.spec.alphabet) != 94 {
		t.Errorf("the zero policy has %d characters", len(g.spec.alphabet))
	}
}

// TestBits finds the shortest length of so many bits: one less has not as many.
func TestBits(t *testing.T) {
	d := newDice(t)
	policies := []Policy{
		{}, {Classes: AtLeast(1, Lower, Upper, Digits, Symbols)}, {Classes: AtLeast(0, "ab")}, {MaxRun: 1, Classes: AtLeast(1, Digits, "abc")},
		{Classes: AtLeast(0, Digits, Lower), First: Lower, Last: Digits, Forbidden: []string{"00", "a1"}}, {MinLength: 30},
	}
	for _, p := range policies {
		for _, bits := range []float64{0.5, 1, 13, 40, 64, 80, 100.25, 128, 256, 1 + 200*d.Float64()} {
			p.Bits = bits
			g, err := p.Compile()
			if err != nil {
				t.Errorf("%+v: %v", p, err)
				continue
			}
			if g.Bits() < bits {
				t.Errorf("%+v: %v has %v bits", p, g, g.Bits())
			}
			if g.Length() > max(1, p.MinLength) {
				shorter := p
				shorter.Bits, shorter.MinLength, shorter.Length = 0, 0, g.Length()-1
				if h, err := shorter.Compile(); err == nil && h.Bits() >= bits {
					t.Errorf("%+v: %v has %v bits, and %v has enough with %v", p, g, g.Bits(), h, h.Bits())
				}
			}
		}
	}
	// log2 of 3^k is no integer, but near one for some k: just below, it is less.
	for _, c := range []struct {
		bits float64
		want int
	}{{128, 128}, {127.5, 128}, {127, 127}, {1, 1}, {1024, 1024}} {
		if g := (Policy{Bits: c.bits, Classes: AtLeast(0, "ab")}).MustCompile(); g.Length() != c.want {
			t.Errorf("%v bits of 2 characters: %d; want %d", c.bits, g.Length(), c.want)
		}
	}
}

// TestCheck holds the checks for who reads numbers from somebody else.
func TestCheck(t *testing.T) {
	for _, n := range []int{1, 20, 1024} {
		if err := CheckLength(n); err != nil {
			t.Errorf("CheckLength(%d) = %v", n, err)
		}
	}
	for _, n := range []int{0, -1, 1025, 1e9, math.MinInt} {
		if CheckLength(n) == nil {
			t.Errorf("CheckLength(%d) accepts", n)
		}
	}
	for _, bits := range []float64{0.1, 128, 1e9} {
		if err := CheckBits(bits); err != nil {
			t.Errorf("CheckBits(%v) = %v", bits, err)
		}
	}
	for _, bits := range []float64{0, -1, math.NaN(), math.Inf(1), math.Inf(-1)} {
		if CheckBits(bits) == nil {
			t.Errorf("CheckBits(%v) accepts", bits)
		}
	}
}
