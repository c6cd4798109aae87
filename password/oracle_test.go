package password

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// What a policy allows, written down once more, as plainly as it can be: the
// tests hold the automaton against this.

// oracleAlphabet lists the characters that may occur.
func oracleAlphabet(p Policy) []rune {
	classes := p.Classes
	if classes == nil {
		classes = AtLeast(0, Lower, Upper, Digits, Symbols)
	}
	var alphabet []rune
	for _, c := range classes {
		for _, r := range c.Chars {
			out := strings.ContainsRune(p.Exclude, r) || p.NoLookAlikes && strings.ContainsRune(LookAlikes, r)
			if !out && !slices.Contains(alphabet, r) {
				alphabet = append(alphabet, r)
			}
		}
	}
	return alphabet
}

// oracleAllows reports whether a text of characters of the alphabet satisfies the
// policy.
func oracleAllows(p Policy, text string) bool {
	chars := []rune(text)
	in := func(set string) (n int) {
		for _, r := range chars {
			if strings.ContainsRune(set, r) {
				n++
			}
		}
		return n
	}
	classes := p.Classes
	if classes == nil {
		classes = AtLeast(0, Lower, Upper, Digits, Symbols)
	}
	for _, c := range classes {
		if n := in(c.Chars); n < c.Min || c.Max > 0 && n > c.Max {
			return false
		}
	}
	sets := p.Variety.Of
	if sets == nil {
		for _, c := range classes {
			sets = append(sets, c.Chars)
		}
	}
	variety := 0
	for _, set := range sets {
		if in(set) > 0 {
			variety++
		}
	}
	if variety < p.Variety.Min {
		return false
	}
	for i, run := 1, 1; i < len(chars) && p.MaxRun > 0; i++ {
		if run++; chars[i] != chars[i-1] {
			run = 1
		}
		if run > p.MaxRun {
			return false
		}
	}
	first, last := chars[0], chars[len(chars)-1]
	if p.First != "" && !strings.ContainsRune(p.First, first) || strings.ContainsRune(p.NotFirst, first) ||
		p.Last != "" && !strings.ContainsRune(p.Last, last) || strings.ContainsRune(p.NotLast, last) {
		return false
	}
	return !slices.ContainsFunc(p.Forbidden, func(w string) bool { return strings.Contains(text, w) })
}

// oracle lists all passwords of a length that the policy allows.
func oracle(p Policy, length int) map[string]bool {
	alphabet := oracleAlphabet(p)
	allowed := map[string]bool{}
	var extend func(text []rune)
	extend = func(text []rune) {
		if len(text) == length {
			if oracleAllows(p, string(text)) {
				allowed[string(text)] = true
			}
			return
		}
		for _, r := range alphabet {
			extend(append(text, r))
		}
	}
	extend(make([]rune, 0, length))
	return allowed
}

// dice makes random policies.
type dice struct{ *rand.Rand }

func newDice(t testing.TB) dice {
	seed := rand.Uint64()
	t.Logf("random policies of seed %d", seed)
	return dice{rand.New(rand.NewPCG(seed, 0))}
}

// oneIn is true once in n.
func (d dice) oneIn(n int) bool { return d.IntN(n) == 0 }

// some returns a random subset of the characters, in random order.
func (d dice) some(chars []rune) string {
	var set []rune
	for _, i := range d.Perm(len(chars)) {
		if !d.oneIn(3) {
			set = append(set, chars[i])
		}
	}
	return string(set)
}

// policy returns a random policy over some of the characters, and sometimes one
// that contradicts itself.
func (d dice) policy(chars []rune, maxLength int) Policy {
	p := Policy{Length: 1 + d.IntN(maxLength)}
	for range 1 + d.IntN(4) {
		c := Class{Chars: d.some(chars)}
		if c.Chars == "" {
			c.Chars = string(chars[:1])
		}
		if d.oneIn(2) {
			c.Min = d.IntN(4)
		}
		if d.oneIn(3) {
			c.Max = max(c.Min, 1+d.IntN(4))
		}
		p.Classes = append(p.Classes, c)
	}
	if d.oneIn(4) {
		p.Variety.Min = 1 + d.IntN(len(p.Classes))
	} else if d.oneIn(6) {
		p.Variety = Variety{Min: 1 + d.IntN(2), Of: []string{d.some(chars), d.some(chars), d.some(chars)}}
	}
	if d.oneIn(5) {
		p.Exclude = string(chars[d.IntN(len(chars))])
	}
	p.NoLookAlikes = d.oneIn(6)
	if d.oneIn(3) {
		p.MaxRun = 1 + d.IntN(3)
	}
	for _, end := range []*string{&p.First, &p.Last, &p.NotFirst, &p.NotLast} {
		if d.oneIn(6) {
			*end = d.some(chars)
		}
	}
	for d.oneIn(3) {
		word := make([]rune, 1+d.IntN(3))
		for i := range word {
			word[i] = chars[d.IntN(len(chars))]
		}
		p.Forbidden = append(p.Forbidden, string(word))
	}
	return p
}

// smallAlphabets are those of random policies: of up to 5 characters, of one to
// four bytes, with characters that look alike.
var smallAlphabets = [][]rune{
	[]rune("abcde"), []rune("ab"), []rune("abc"), []rune("aO01l"), []rune("aé€😀"), []rune("xyzI|"),
}

// againstOracle holds a generator against the oracle for a policy: the same number, and
// every number below it another password that is allowed.
func againstOracle(p Policy, g *Generator) error {
	allowed := oracle(p, g.Length())
	if n := g.Count(); !n.IsInt64() || int(n.Int64()) != len(allowed) {
		return fmt.Errorf("counts %v passwords; there are %d", n, len(allowed))
	}
	seen := map[string]bool{}
	for n := range uint64(len(allowed)) {
		text := g.numbered(n)
		if !allowed[text] {
			return fmt.Errorf("number %d is %q, which is not allowed", n, text)
		}
		if seen[text] {
			return fmt.Errorf("number %d is %q, which came before", n, text)
		}
		seen[text] = true
		if other := g.withoutPlan().numbered(n); other != text {
			return fmt.Errorf("number %d is %q by the plan, and %q without", n, text, other)
		}
	}
	return nil
}

// numbered returns the password of a number.
func (g *Generator) numbered(n uint64) string {
	u := make([]uint64, g.table.layers[0].width)
	u[0] = n
	return string(g.table.unrank(nil, u, make([]uint64, len(u))))
}

// withoutPlan returns a generator that writes all of a password with big counts.
func (g *Generator) withoutPlan() *Generator {
	other, t := *g, *g.table
	t.plan = &plan{from: -1}
	other.table, other.batch, other.short = &t, nil, false
	return &other
}
