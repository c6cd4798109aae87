package password

import (
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"

	"github.com/keyfob-dev/keyfob/internal/draw"
)

// TestNumbersOfTapes draws numbers of random bytes, for counts of one word to more
// than a hundred, and computes them once more: the bytes as an integer, whose
// place in its part it is, and none of those beyond the last part.
func TestNumbersOfTapes(t *testing.T) {
	d := newDice(t)
	for _, length := range []int{1, 2, 8, 9, 10, 15, 16, 17, 18, 19, 20, 23, 24, 25, 40, 60, 100, 1024} {
		g := Policy{Length: length, Classes: AtLeast(min(1, length-1), Lower, Digits)}.MustCompile()
		rejected := 0
		for range 2000 {
			tape := make([]byte, g.draw)
			for i := range tape {
				tape[i] = byte(d.Uint64())
			}
			if d.oneIn(4) { // near the end, where draws are rejected
				for i := range tape[len(tape)/2:] {
					tape[len(tape)/2+i] = 0xff
				}
			}
			u := make([]uint64, max((g.draw+7)/8, g.table.layers[0].width))
			_, ok := draw.Replay(tape, func(s *draw.Stream) { g.number(u, s) })

			bytes := slices.Clone(tape)
			slices.Reverse(bytes)
			part, want := new(big.Int).DivMod(new(big.Int).SetBytes(bytes), g.count, new(big.Int))
			if ok != (part.Uint64() < g.parts) || ok && toBig(u).Cmp(want) != 0 {
				t.Fatalf("length %d: tape %x makes %x, %v; want %x of part %v", length, tape, u, ok, want, part)
			}
			if !ok {
				rejected++
			}
			if g.short {
				var hi, lo uint64
				_, again := draw.Replay(tape, func(s *draw.Stream) { hi, lo = g.shortNumber(s) })
				if again != ok || ok && toBig([]uint64{lo, hi}).Cmp(want) != 0 {
					t.Fatalf("length %d: tape %x makes %x %x in short, %v; want %x", length, tape, hi, lo, again, want)
				}
			}
		}
		if rejected == 0 {
			t.Errorf("length %d: no tape was rejected", length)
		}
	}
}

// TestRandomnessOfTheSystem finds that passwords follow from what crypto/rand
// gives, and from nothing else.
func TestRandomnessOfTheSystem(t *testing.T) {
	for what, makes := range map[string]func() string{
		"Random":   func() string { return Random(20) },
		"plain":    (Policy{}).MustCompile().New,
		"policy":   (Policy{Classes: AtLeast(1, Lower, Digits)}).MustCompile().New,
		"long":     everyRule.MustCompile().New,
		"longer":   (Policy{Length: 1024, MaxRun: 1}).MustCompile().New,
		"sequence": func() string { return strings.Join(slices.Collect(everyRule.MustCompile().Many(5)), "\n") },
	} {
		t.Run(what, func(t *testing.T) {
			cryptotest.SetGlobalRandom(t, 1)
			first := makes()
			second := makes()
			cryptotest.SetGlobalRandom(t, 1)
			if again := makes(); again != first {
				t.Errorf("of the same bytes %q and %q", first, again)
			}
			cryptotest.SetGlobalRandom(t, 2)
			if other := makes(); other == first || second == first {
				t.Errorf("of other bytes %q again", first)
			}
		})
	}
}

// TestManyAndEach counts, stops, and starts again.
func TestManyAndEach(t *testing.T) {
	for _, p := range []Policy{{}, everyRule, {Length: 300, Classes: AtLeast(1, "aé€😀", Digits)}} {
		g := p.MustCompile()
		for _, n := range []int{0, 1, 2, 1000} {
			many := g.Many(n)
			list := slices.Collect(many)
			other := slices.Collect(many)
			seen := map[string]bool{}
			for _, text := range append(list, other...) {
				seen[text] = true
				if len([]rune(text)) != g.Length() {
					t.Errorf("%v: makes %q", g, text)
				}
			}
			if len(list) != n || len(other) != n || len(seen) != 2*n {
				t.Errorf("%v: %d and %d passwords, %d of them different; want %d", g, len(list), len(other), len(seen), n)
			}
		}
		var kept []byte
		for text := range g.Each(1 << 60) {
			kept = text
			break
		}
		if strings.Trim(string(kept), "\x00") != "" {
			t.Errorf("%v: after the loop %q is left", g, kept)
		}
	}
}

func TestPanics(t *testing.T) {
	for what, c := range map[string]struct {
		f    func()
		want string
	}{
		"Random(0)":    {func() { Random(0) }, "password: Random: length 0: a password has 1 to 1024 characters"},
		"Random(-1)":   {func() { Random(-1) }, "password: Random: length -1: a password has 1 to 1024 characters"},
		"Random(1e9)":  {func() { Random(1e9) }, "password: Random: length 1000000000: a password has 1 to 1024 characters"},
		"Many(-1)":     {func() { (Policy{}).MustCompile().Many(-1) }, "password: -1 passwords: the number must be 0 or more"},
		"Each(-1)":     {func() { (Policy{}).MustCompile().Each(-1) }, "password: -1 passwords: the number must be 0 or more"},
		"MustCompile":  {func() { (Policy{Length: -1}).MustCompile() }, "password: MustCompile: length -1: a password has 1 to 1024 characters"},
		"AtLeast(1, )": {func() { (Policy{Classes: AtLeast(1)}).MustCompile() }, "password: MustCompile: alphabet: has no characters; give classes with characters that are not excluded"},
	} {
		func() {
			defer func() {
				if got := recover(); got != c.want {
					t.Errorf("%s panics with %v; want %q", what, got, c.want)
				}
			}()
			c.f()
		}()
	}
}

// TestRandom makes passwords of every length.
func TestRandom(t *testing.T) {
	for n := 1; n <= MaxLength; n += 1 + n/16 {
		text := Random(n)
		if len(text) != n || strings.Trim(text, printable) != "" {
			t.Errorf("Random(%d) = %q", n, text)
		}
	}
	if len(printable) != 94 {
		t.Errorf("there are %d printable characters", len(printable))
	}
	for c := '!'; c <= '~'; c++ {
		if strings.Count(printable, string(c)) != 1 {
			t.Errorf("%q is not once among the printable characters", c)
		}
	}
}

// TestConcurrentUse uses one generator from many goroutines; the race detector
// looks on.
func TestConcurrentUse(t *testing.T) {
	g := everyRule.MustCompile()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				if text := g.New(); !oracleAllows(everyRule, text) {
					t.Errorf("makes %q", text)
				}
			}
			for text := range g.Each(20) {
				if !oracleAllows(everyRule, string(text)) {
					t.Errorf("makes %q", text)
				}
			}
			if e := g.Explain(); e.Count.Cmp(g.Count()) != 0 {
				t.Errorf("explains %v", e)
			}
		})
	}
	all.Wait()
}

// TestCountIsACopy changes what Count returns.
func TestCountIsACopy(t *testing.T) {
	g := (Policy{}).MustCompile()
	want := g.Count()
	g.Count().SetInt64(5)
	g.Explain().Count.SetInt64(6)
	if g.Count().Cmp(want) != 0 {
		t.Error("a generator lets its count be changed")
	}
}

// TestPolicyIsACopy changes a policy after it was compiled.
func TestPolicyIsACopy(t *testing.T) {
	classes := AtLeast(1, "ab", "cd")
	words := []string{"ab"}
	p := Policy{Length: 5, Classes: classes, Forbidden: words}
	g := p.MustCompile()
	recipe, count := g.String(), g.Count()
	classes[0], words[0] = Class{Chars: "xyz", Min: 5}, "cd"
	if g.String() != recipe || g.Count().Cmp(count) != 0 || !oracleAllows(Policy{Length: 5, Classes: AtLeast(1, "ab", "cd")}, g.New()) {
		t.Errorf("%v was %s", g, recipe)
	}
}

// TestAllocations: what is on the heap cannot be wiped for sure, and takes time.
func TestAllocations(t *testing.T) {
	// Under the race detector, reading the system's generator allocates.
	reading := testing.AllocsPerRun(100, func() {
		var block [16]byte
		s := draw.System(block[:])
		s.Next(3)
	})
	for what, f := range map[string]func(){
		"Random": func() { Random(20) },
		"plain":  func() { loose16.New() },
		"each":   func() { each16.New() },
		"every":  func() { every64.New() },
	} {
		if n := testing.AllocsPerRun(100, f); n != reading+1 {
			t.Errorf("%s: %v allocations; want the one of the string", what, n-reading)
		}
	}
}

var (
	loose16 = (Policy{Length: 16}).MustCompile()
	each16  = (Policy{Length: 16, Classes: AtLeast(1, Lower, Upper, Digits, Symbols)}).MustCompile()
	every64 = everyRule.MustCompile()
)

// TestString describes policies.
func TestString(t *testing.T) {
	for _, c := range []struct {
		policy Policy
		want   string
	}{
		{Policy{}, "20 characters of 94"},
		{Policy{Length: 1, Classes: AtLeast(0, Digits)}, "1 character of 10"},
		{Policy{Length: 16, Classes: AtLeast(1, Lower, Upper, SafeSymbols)}, "16 characters of 64: at least 1 of lower, at least 1 of upper, at least 1 of safe symbols"},
		{everyRule, "64 characters of 86: at least 2 of lower, at least 2 of upper, at least 2 of digits, at least 1 of symbols, at most 6 of symbols, " +
			"characters of at least 3 of 4 sets, no character more than 2 times in a row, the first character one of 49, the last character one of 57, " +
			"without 4 forbidden substrings"}, // "1234" has a look-alike
		{Policy{Length: 8, Classes: []Class{{Chars: "abcdefghijklmnopqrs", Min: 2, Max: 4}, {Chars: "xyz", Min: 1}, {Name: "numbers", Chars: "12", Max: 1}}, NotFirst: "a", Last: "xyz", MaxRun: 1, Forbidden: []string{"ab", "x1"}},
			`8 characters of 24: at least 2 of "abcdefghijklmnop"…, at most 4 of "abcdefghijklmnop"…, at least 1 of "xyz", at most 1 of numbers, ` +
				`no character more than once in a row, the first character none of "a", the last character one of "xyz", without "ab", "x1"`},
	} {
		if got := c.policy.MustCompile().String(); got != c.want {
			t.Errorf("%s; want %s", got, c.want)
		}
	}
}
