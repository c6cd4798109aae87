package password

import (
	"math"
	"math/big"
	"strings"
	"testing"
	"time"
)

// fillShuffle returns the exact probability of each text by "one of each, then
// shuffle", by trying all of its choices.
func fillShuffle(p Policy) map[string]*big.Rat {
	alphabet := string(oracleAlphabet(p))
	var pools []string
	for _, c := range p.Classes {
		left := strings.Map(func(r rune) rune {
			if strings.ContainsRune(alphabet, r) {
				return r
			}
			return -1
		}, c.Chars)
		for range c.Min {
			pools = append(pools, left)
		}
	}
	for len(pools) < p.Length {
		pools = append(pools, alphabet)
	}
	chances := map[string]*big.Rat{}
	// Take the pools in every order, each as likely: that is to fill and to shuffle.
	var place func(text string, used int, chance *big.Rat)
	place = func(text string, used int, chance *big.Rat) {
		if len(text) == p.Length {
			if chances[text] == nil {
				chances[text] = new(big.Rat)
			}
			chances[text].Add(chances[text], chance)
			return
		}
		for i, pool := range pools {
			if used>>i&1 == 1 {
				continue
			}
			each := new(big.Rat).Mul(chance, big.NewRat(1, int64((p.Length-len(text))*len(pool))))
			for _, r := range pool {
				place(text+string(r), used|1<<i, each)
			}
		}
	}
	place("", 0, big.NewRat(1, 1))
	return chances
}

// TestShuffle computes distance and ratio for small policies from all choices of
// the procedure, in exact fractions.
func TestShuffle(t *testing.T) {
	for _, p := range []Policy{
		{Length: 3, Classes: AtLeast(1, "ab", "cd")},
		{Length: 4, Classes: AtLeast(1, "ab", "cd")},
		{Length: 4, Classes: AtLeast(1, "a", "bc", "de")},
		{Length: 5, Classes: []Class{{Chars: "ab", Min: 2}, {Chars: "c", Min: 1}}},
		{Length: 5, Classes: []Class{{Chars: "abx", Min: 3}, {Chars: "cy"}}, Exclude: "xy"},
		{Length: 4, Classes: []Class{{Chars: "abc", Min: 1}, {Chars: "bcd"}}},
		{Length: 4, Classes: []Class{{Chars: "ab", Min: 4}, {Chars: "cd"}}},
		{Length: 5, Classes: []Class{{Chars: "ab", Min: 1, Max: 9}, {Chars: "cd"}}},
		{Length: 4, Classes: AtLeast(0, "ab", "cd")},
		{Length: 4, Classes: AtLeast(1, "abcd")},
	} {
		g := p.MustCompile()
		allowed := oracle(p, p.Length)
		uniform := big.NewRat(1, int64(len(allowed)))
		distance, low, high := new(big.Rat), (*big.Rat)(nil), (*big.Rat)(nil)
		chances := fillShuffle(p)
		for text := range allowed {
			c := chances[text]
			if c == nil {
				t.Fatalf("%v: shuffling does not make %q", g, text)
			}
			if d := new(big.Rat).Sub(uniform, c); d.Sign() > 0 {
				distance.Add(distance, d)
			}
			if low == nil || c.Cmp(low) < 0 {
				low = c
			}
			if high == nil || c.Cmp(high) > 0 {
				high = c
			}
		}
		wantDistance, _ := distance.Float64()
		wantRatio, _ := new(big.Rat).Quo(high, low).Float64()
		e := g.Explain()
		if s := e.Shuffle; s.Reason != "" || math.Abs(s.Distance-wantDistance) > 1e-12 || s.Ratio != wantRatio {
			t.Errorf("%v: %+v; want distance %v, ratio %v", g, s, wantDistance, wantRatio)
		}
		texts := math.Pow(float64(e.Alphabet), float64(e.Length))
		if e.Plain != float64(len(allowed))/texts || e.Count.Int64() != int64(len(allowed)) || e.Bits != g.Bits() {
			t.Errorf("%v: %+v; want plain %d in %v", g, e, len(allowed), texts)
		}
	}
}

// TestShuffleDoesNotApply gives a reason where there are no figures.
func TestShuffleDoesNotApply(t *testing.T) {
	for _, c := range []struct {
		policy Policy
		want   string
	}{
		{Policy{Classes: []Class{{Chars: Lower, Max: 3}, {Chars: Upper}}}, "shuffling does not keep a maximum"},
		{Policy{Classes: AtLeast(1, "abc", "cd")}, "classes with minimums overlap"},
		{Policy{MaxRun: 2}, "shuffling does not keep the rule: no character more than 2 times in a row"},
		{Policy{First: Lower}, "shuffling does not keep the rule: the first character one of 26"},
		{Policy{NotLast: Symbols}, "shuffling does not keep the rule: the last character one of 62"},
		{Policy{Forbidden: []string{"abc"}}, `shuffling does not keep the rule: without "abc"`},
		{Policy{Variety: Variety{Min: 3}}, "shuffling does not keep the rule: characters of at least 3 of 4 sets"},
		{Policy{Length: 400, Classes: AtLeast(1, Lower, Upper, Digits, Symbols)}, "there are more than 4194304 ways to distribute 400 characters over 4 classes"},
	} {
		e := c.policy.MustCompile().Explain()
		if e.Shuffle.Reason != c.want || e.Shuffle.Distance != 0 || e.Shuffle.Ratio != 0 {
			t.Errorf("%+v; want the reason %q", e.Shuffle, c.want)
		}
	}
}

// TestExplainLarge holds the figures of the default of the command, and that those
// of long passwords are computed without loss: a longer password is nearer to
// uniform by the plain draw, and the distance stays a probability.
func TestExplainLarge(t *testing.T) {
	before := 0.0
	for _, length := range []int{4, 8, 16, 20, 64, 128, 250} {
		e := Policy{Length: length, Classes: AtLeast(1, Lower, Upper, Digits, Symbols)}.MustCompile().Explain()
		if e.Plain <= before || e.Plain > 1 || e.Shuffle.Distance < 0 || e.Shuffle.Distance >= 1 {
			t.Errorf("length %d: %+v", length, e)
		}
		before = e.Plain
		t.Logf("length %d: plain %.6g, distance %.6g, ratio %.6g", length, e.Plain, e.Shuffle.Distance, e.Shuffle.Ratio)
	}
	if e := everyRule.MustCompile().Explain(); e.Plain <= 0 || e.Alphabet != 86 || e.Shuffle.Reason == "" {
		t.Errorf("%+v", e)
	}
	// 10^1023 of 94^1024: no float64 is so small.
	if e := (Policy{Length: 1024, Classes: []Class{{Chars: Digits, Min: 1000}, {Chars: Lower}}}).MustCompile().Explain(); e.Plain < 0 || e.Plain > 1e-300 {
		t.Errorf("%+v", e.Plain)
	}
}

// TestCountingIsFasterThanSampling holds the counting and explaining of a policy
// with every rule, of length 64, against ten thousand samples of it. It takes turns
// and looks at the best of each, since other programs run as well.
func TestCountingIsFasterThanSampling(t *testing.T) {
	g := everyRule.MustCompile()
	counting, sampling := time.Hour, time.Hour
	for round := 0; round < 3 || round < 10 && counting > sampling; round++ {
		start := time.Now()
		everyRule.MustCompile().Explain()
		middle := time.Now()
		for range g.Each(10000) {
		}
		counting, sampling = min(counting, middle.Sub(start)), min(sampling, time.Since(middle))
	}
	t.Logf("counting and explaining %v, ten thousand samples %v", counting, sampling)
	if counting > sampling {
		t.Errorf("counting and explaining takes %v, ten thousand samples %v", counting, sampling)
	}
}
