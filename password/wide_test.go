package password

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
)

// tally counts the passwords of a policy in another way, for policies that are
// too large to list: character by character over the plain facts that its rules
// are about, without atoms, trie or kinds.
func tally(p Policy) *big.Int {
	alphabet := oracleAlphabet(p)
	keep := 0
	for _, w := range p.Forbidden {
		keep = max(keep, len([]rune(w)))
	}
	sets := slices.Clone(p.Variety.Of)
	for _, c := range p.Classes {
		sets = append(sets, c.Chars)
	}
	type fact struct {
		counts string // of each set, as bytes
		tail   string // what a forbidden substring could begin with
		last   rune   // and how often in a row, if that matters
		run    int
	}
	layer := map[fact]*big.Int{{counts: strings.Repeat("\x00", len(sets))}: big.NewInt(1)}
	for place := range p.Length {
		next := map[fact]*big.Int{}
		for f, n := range layer {
			for _, r := range alphabet {
				g := fact{}
				if p.MaxRun > 0 {
					if g.last, g.run = r, 1; r == f.last {
						g.run = f.run + 1
					}
				}
				text := f.tail + string(r)
				if g.run > p.MaxRun || !endsAllow(p, place, r) ||
					slices.ContainsFunc(p.Forbidden, func(w string) bool { return strings.Contains(text, w) }) {
					continue
				}
				tail := []rune(text)
				g.tail = string(tail[max(0, len(tail)-max(0, keep-1)):])
				counts := []byte(f.counts)
				for i, set := range sets {
					if strings.ContainsRune(set, r) {
						counts[i]++
					}
				}
				g.counts = string(counts)
				if next[g] == nil {
					next[g] = new(big.Int)
				}
				next[g].Add(next[g], n)
			}
		}
		layer = next
	}
	total := new(big.Int)
	for f, n := range layer {
		if countsAllow(p, f.counts) {
			total.Add(total, n)
		}
	}
	return total
}

// endsAllow reports whether a character may be at a place as far as the rules for
// the first and the last go.
func endsAllow(p Policy, place int, r rune) bool {
	if place == 0 && (p.First != "" && !strings.ContainsRune(p.First, r) || strings.ContainsRune(p.NotFirst, r)) {
		return false
	}
	return place < p.Length-1 || (p.Last == "" || strings.ContainsRune(p.Last, r)) && !strings.ContainsRune(p.NotLast, r)
}

// countsAllow judges the numbers of characters of each set.
func countsAllow(p Policy, counts string) bool {
	variety, classes := 0, counts[len(p.Variety.Of):]
	seen := counts[:len(p.Variety.Of)]
	if p.Variety.Of == nil {
		seen = classes
	}
	for _, n := range []byte(seen) {
		if n > 0 {
			variety++
		}
	}
	for i, c := range p.Classes {
		if n := int(classes[i]); n < c.Min || c.Max > 0 && n > c.Max {
			return false
		}
	}
	return variety >= p.Variety.Min
}

// TestCountsOfLargerPolicies counts random policies of up to 7 characters and up
// to 10 places in two ways.
func TestCountsOfLargerPolicies(t *testing.T) {
	d := newDice(t)
	policies := 60
	if testing.Short() {
		policies = 10
	}
	for done := 0; done < policies; {
		p := d.policy([]rune("abcdé1O"), 10)
		if p.Length < 6 {
			continue
		}
		done++
		want := tally(p)
		g, err := p.Compile()
		switch {
		case err != nil && want.BitLen() > 1 && len(oracleAlphabet(p)) > 1:
			t.Fatalf("%+v\nis refused: %v\nand allows %v passwords", p, err, want)
		case err == nil && g.Count().Cmp(want) != 0:
			t.Fatalf("%+v\ncounts %v; want %v", p, g.Count(), want)
		}
	}
}

// TestOneOfEach counts by inclusion and exclusion: of all texts take those without
// some class, add those without some two, and so on.
func TestOneOfEach(t *testing.T) {
	sets := []string{Lower, Upper, Digits, Symbols}
	for length := 4; length <= 200; length += 7 {
		want := new(big.Int)
		for without := range 1 << len(sets) {
			left, sign := 94, int64(1)
			for i, set := range sets {
				if without>>i&1 == 1 {
					left, sign = left-len(set), -sign
				}
			}
			texts := new(big.Int).Exp(big.NewInt(int64(left)), big.NewInt(int64(length)), nil)
			want.Add(want, texts.Mul(texts, big.NewInt(sign)))
		}
		if got := (Policy{Length: length, Classes: AtLeast(1, sets...)}).MustCompile().Count(); got.Cmp(want) != 0 {
			t.Errorf("length %d: %v; want %v", length, got, want)
		}
	}
}

// TestLongestRun counts by the last run: a text with no run longer than r ends in
// a run of 1 to r characters, which differ from the one before.
func TestLongestRun(t *testing.T) {
	for _, k := range []int64{2, 26, 94} {
		for _, run := range []int{1, 2, 5} {
			counts := []*big.Int{big.NewInt(1)}
			for n := 1; n <= 150; n++ {
				sum := new(big.Int)
				for i := 1; i <= min(run, n); i++ {
					ways := k - 1
					if i == n {
						ways = k // nothing comes before
					}
					sum.Add(sum, new(big.Int).Mul(counts[n-i], big.NewInt(ways)))
				}
				counts = append(counts, sum)
			}
			for n := 2; n <= 150; n += 37 {
				p := Policy{Length: n, Classes: []Class{{Chars: printable[:k]}}, MaxRun: run}
				if g, err := p.Compile(); err != nil || g.Count().Cmp(counts[n]) != 0 {
					t.Errorf("%d of %d, run %d: %v, %v; want %v", n, k, run, g, err, counts[n])
				}
			}
		}
	}
}

// TestKnownAnswers has figures that others can recompute.
func TestKnownAnswers(t *testing.T) {
	exactly := func(n int, chars string) Class { return Class{Chars: chars, Min: n, Max: n} }
	for _, c := range []struct {
		policy Policy
		count  string
		bits   string
	}{
		{Policy{}, "2901062411314618233730627546741369470976", "131.09"}, // 94^20
		{Policy{Length: 16}, "37157429083410091685945089785856", "104.87"},
		{Policy{Length: 16, Classes: AtLeast(1, Lower, Upper, Digits, Symbols)}, "30583281110353122281067034705920", "104.59"},
		{Policy{Length: 3, Classes: []Class{exactly(1, Lower), exactly(2, Digits)}}, "7800", "12.93"},
		{Policy{Length: 4, Classes: []Class{{Chars: Digits}}}, "10000", "13.29"},
		{Policy{Length: 4, Classes: []Class{{Chars: Digits}}, MaxRun: 1}, "7290", "12.83"},
		{Policy{Length: 4, Classes: []Class{{Chars: Digits}}, Forbidden: []string{"00", "123"}}, "9700", "13.24"},
	} {
		g := c.policy.MustCompile()
		if got := g.Count().String(); got != c.count {
			t.Errorf("%v: %s; want %s", g, got, c.count)
		}
		if got := fmt.Sprintf("%.2f", g.Bits()); got != c.bits {
			t.Errorf("%v: %s bits; want %s", g, got, c.bits)
		}
	}
}

// rank returns the number of a password, and before each place the number of the
// first password that begins like it.
func (t *table) rank(text string) (n *big.Int, firsts []*big.Int) {
	n = new(big.Int)
	number := map[rune]int32{}
	for i, r := range t.chars {
		number[r] = int32(i)
	}
	state, last := int32(0), int32(none)
	for i, r := range []rune(text) {
		firsts = append(firsts, new(big.Int).Set(n))
		st, c := &t.states[state], number[r]
		edges, ex := t.edgesOf(st, t.length-i)
		to := st.repeats(t.length - i)
		for j, e := range edges {
			ways, place, found := int64(0), int64(0), false
			for _, s := range t.spans[e.from : e.from+e.n] {
				for x := s.from; x < s.from+s.n; x++ {
					if int32(j) == ex && x == last {
						continue
					}
					if x == c {
						place, found = ways, true
					}
					ways++
				}
			}
			if found {
				ways, to = place, e.to
			}
			count := toBig(t.layers[i+1].at(e.to))
			n.Add(n, count.Mul(count, big.NewInt(ways)))
			if found {
				break
			}
		}
		state, last = to, c
	}
	return n, firsts
}

// everyRule has rules of every kind.
var everyRule = Policy{
	Length: 64,
	Classes: []Class{
		{Chars: Lower, Min: 2}, {Chars: Upper, Min: 2}, {Chars: Digits, Min: 2}, {Chars: Symbols, Min: 1, Max: 6},
	},
	Variety: Variety{Min: 3}, NoLookAlikes: true, Exclude: "{}", MaxRun: 2, First: Lower + Upper, NotLast: Symbols,
	Forbidden: []string{"password", "admin", "qwerty", "1234", "keyfob"},
}

// TestNumbersAndPasswords goes from numbers to passwords and back, at the ends and
// next to where the character at some place changes, for policies whose counts
// have from one to more than a hundred words.
func TestNumbersAndPasswords(t *testing.T) {
	d := newDice(t)
	for _, p := range []Policy{
		{Length: 9},
		{Length: 16, Classes: AtLeast(1, Lower, Upper, Digits, Symbols)},
		{Length: 16, Classes: []Class{{Chars: Lower, Min: 1}, {Chars: Upper, Min: 1}, {Chars: Digits, Min: 8}, {Chars: Symbols, Min: 1}}},
		{Length: 19, Classes: AtLeast(1, Lower, Upper), MaxRun: 1},
		{Length: 24, Classes: []Class{{Chars: "abcé€😀", Min: 3}, {Chars: "c😀xyz", Max: 9}}, MaxRun: 3, Forbidden: []string{"abc", "ca", "xx"}},
		{Length: 40, Classes: AtLeast(8, Lower, Upper, Digits, Symbols), MaxRun: 1, Variety: Variety{Min: 3}},
		{Length: 1024, Classes: AtLeast(3, Lower, Digits), MaxRun: 2},
		everyRule,
	} {
		g := p.MustCompile()
		one := big.NewInt(1)
		numbers := []*big.Int{new(big.Int), new(big.Int).Sub(g.count, one)}
		for range 10 {
			numbers = append(numbers, d.below(g.count))
		}
		for _, n := range slices.Clone(numbers[:3]) {
			_, firsts := g.table.rank(g.unrank(n))
			for i := 1; i < len(firsts); i += 1 + len(firsts)/20 {
				numbers = append(numbers, firsts[i], new(big.Int).Sub(firsts[i], one))
			}
		}
		for _, n := range numbers {
			if n.Sign() < 0 { // before the first password
				continue
			}
			text := g.unrank(n)
			if back, _ := g.table.rank(text); back.Cmp(n) != 0 {
				t.Fatalf("%v: number %v is %q, whose number is %v", g, n, text, back)
			}
			if other := g.withoutPlan().unrank(n); other != text {
				t.Fatalf("%v: number %v is %q by the plan, and %q without", g, n, text, other)
			}
			if !oracleAllows(p, text) || len([]rune(text)) != p.Length {
				t.Fatalf("%v: number %v is %q, which is not allowed", g, n, text)
			}
		}
	}
}

func (g *Generator) unrank(n *big.Int) string {
	width := g.table.layers[0].width
	return string(g.table.unrank(nil, fromBig(n, width), make([]uint64, width)))
}
