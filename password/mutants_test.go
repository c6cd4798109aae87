package password

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/internal/draw"
)

// These are the mistakes that generators of passwords are made with. Each must
// fail the checks that the real one passes; if one passes, the checks have lost
// their teeth.

// TestMutantSamplers replaces the draw.
func TestMutantSamplers(t *testing.T) {
	// Of length 4, since of length 3 "fill, shuffle" is right: one class comes twice
	// and the other once, whichever is which.
	p := Policy{Length: 4, Classes: AtLeast(1, "ab", "cd")}
	g := p.MustCompile()
	allowed := oracle(p, p.Length)
	n := uint64(len(allowed)) // 256 - 16 - 16
	if err := exact(2, 256, allowed, g.sample); err != nil || n != 224 {
		t.Fatalf("the sampler as it should be, of %d: %v", n, err)
	}
	tooMany := *g
	tooMany.parts++
	word := func(s *draw.Stream) uint64 {
		b := s.Next(2)
		return uint64(b[0]) | uint64(b[1])<<8
	}
	one := func(s *draw.Stream, class string) string {
		return string(class[s.Below(uint64(len(class)))])
	}
	plain := func(s *draw.Stream, n int) (text string) {
		for range n {
			text += one(s, "abcd")
		}
		return text
	}
	for _, m := range []struct {
		what           string
		bytes, symbols int
		sample         func(*draw.Stream) string
	}{
		{"remainder", 2, 256, func(s *draw.Stream) string { return g.numbered(word(s) % n) }},
		{"remainder of one byte", 1, 256, func(s *draw.Stream) string { return g.numbered(uint64(s.Next(1)[0]) % n) }},
		{"product without rejection", 2, 256, func(s *draw.Stream) string { return g.numbered(word(s) * n >> 16) }},
		{"one part too many", 2, 256, tooMany.sample},
		{"the last number left out", 1, 256, func(s *draw.Stream) string { return g.numbered(s.Below(n - 1)) }},
		{"clamp in place of rejection", 1, 256, func(s *draw.Stream) string { return g.numbered(min(uint64(s.Next(1)[0]), n-1)) }},
		{"plain draw", 4, 4, func(s *draw.Stream) string { return plain(s, 4) }},
		{"fill, no shuffle", 4, 4, func(s *draw.Stream) string { return one(s, "ab") + one(s, "cd") + plain(s, 2) }},
		{"fill, shuffle", 7, 4, func(s *draw.Stream) string {
			text := []byte(one(s, "ab") + one(s, "cd") + plain(s, 2))
			s.Shuffle(4, func(i, j int) { text[i], text[j] = text[j], text[i] })
			return string(text)
		}},
		{"repair", 6, 4, func(s *draw.Stream) string {
			text := []byte(plain(s, 4))
			for _, class := range []string{"ab", "cd"} {
				if !strings.ContainsAny(string(text), class) {
					text[s.Below(4)] = one(s, class)[0]
				}
			}
			return string(text)
		}},
	} {
		if err := exact(m.bytes, m.symbols, allowed, m.sample); err == nil {
			t.Errorf("the mutant %q passes for exact", m.what)
		}
	}
}

// mutations change one rule of a policy by one. Each returns false where the policy
// does not have the rule.
var mutations = []struct {
	what   string
	change func(p *Policy) bool
}{
	{"minimum one higher", func(p *Policy) bool { p.Classes[0].Min++; return true }},
	{"minimum one lower", func(p *Policy) bool { p.Classes[0].Min--; return p.Classes[0].Min >= 0 }},
	{"maximum one higher", func(p *Policy) bool { p.Classes[0].Max++; return p.Classes[0].Max > 1 }},
	{"maximum one lower", func(p *Policy) bool { p.Classes[0].Max--; return p.Classes[0].Max > 0 }},
	{"no maximum", func(p *Policy) bool { had := p.Classes[0].Max > 0; p.Classes[0].Max = 0; return had }},
	{"class one character larger", func(p *Policy) bool { p.Classes[0].Chars += "z"; return true }},
	{"class one character smaller", func(p *Policy) bool { p.Classes[0].Chars = p.Classes[0].Chars[1:]; return p.Classes[0].Chars != "" }},
	{"variety one more", func(p *Policy) bool { p.Variety.Min++; return p.Variety.Min > 1 }},
	{"variety one less", func(p *Policy) bool { p.Variety.Min--; return p.Variety.Min > 0 }},
	{"no variety", func(p *Policy) bool { had := p.Variety.Min > 0; p.Variety = Variety{}; return had }},
	{"longest run one more", func(p *Policy) bool { p.MaxRun++; return p.MaxRun > 1 }},
	{"longest run one less", func(p *Policy) bool { p.MaxRun--; return p.MaxRun > 0 }},
	{"no longest run", func(p *Policy) bool { had := p.MaxRun > 0; p.MaxRun = 0; return had }},
	{"first and last exchanged", func(p *Policy) bool { p.First, p.Last = p.Last, p.First; return p.First != p.Last }},
	{"first without its first", func(p *Policy) bool { return cut(&p.First) }},
	{"last without its first", func(p *Policy) bool { return cut(&p.Last) }},
	{"not first without its first", func(p *Policy) bool { return cut(&p.NotFirst) }},
	{"not last without its first", func(p *Policy) bool { return cut(&p.NotLast) }},
	{"first that may not be", func(p *Policy) bool { p.First, p.NotFirst = p.NotFirst, p.First; return p.First != p.NotFirst }},
	{"no exclusion", func(p *Policy) bool { had := p.Exclude != ""; p.Exclude = ""; return had }},
	{"look-alikes", func(p *Policy) bool { p.NoLookAlikes = !p.NoLookAlikes; return true }},
	{"forbidden one shorter", func(p *Policy) bool {
		return len(p.Forbidden) > 0 && cut(&p.Forbidden[0])
	}},
	{"forbidden one longer", func(p *Policy) bool {
		if len(p.Forbidden) == 0 {
			return false
		}
		p.Forbidden[0] += "a"
		return true
	}},
	{"forbidden dropped", func(p *Policy) bool {
		if len(p.Forbidden) == 0 {
			return false
		}
		p.Forbidden = p.Forbidden[1:]
		return true
	}},
	{"one character longer", func(p *Policy) bool { p.Length++; return true }},
}

// cut takes the first character off; it reports false if that leaves nothing.
func cut(set *string) bool {
	if *set == "" {
		return false
	}
	*set = string([]rune(*set)[1:])
	return *set != ""
}

// TestMutantRules compares generators with the list of what a policy allows that
// differs by one in one rule. Where the two allow the same passwords the mutant is
// none; elsewhere it must be found, and each of the mutations often.
func TestMutantRules(t *testing.T) {
	d := newDice(t)
	found := map[string]int{}
	for range 1500 {
		p := d.policy([]rune("abO1"), 5)
		g, err := p.Compile()
		if err != nil {
			continue
		}
		want := oracle(p, p.Length)
		for _, m := range mutations {
			mutant := p
			mutant.Classes, mutant.Forbidden = slices.Clone(p.Classes), slices.Clone(p.Forbidden)
			if !m.change(&mutant) {
				continue
			}
			same := sameKeys(want, oracle(mutant, mutant.Length))
			other, err := mutant.Compile()
			if err == nil {
				err = mistaken(p, other)
			}
			if !same && err == nil {
				t.Fatalf("%+v\n%s: passes for\n%+v", mutant, m.what, p)
			}
			if !same {
				found[m.what]++
			}
		}
		if err := mistaken(p, g); err != nil {
			t.Fatalf("%+v\n%v", p, err)
		}
	}
	for _, m := range mutations {
		if found[m.what] < 5 {
			t.Errorf("%s: made a difference to %d policies; the test wants 5", m.what, found[m.what])
		}
	}
}

// mistaken is againstOracle for a generator of any length.
func mistaken(p Policy, g *Generator) error {
	if p.Length != g.Length() {
		return fmt.Errorf("makes %d characters; want %d", g.Length(), p.Length)
	}
	return againstOracle(p, g)
}

func sameKeys(a, b map[string]bool) bool {
	for k := range a {
		if !b[k] {
			return false
		}
	}
	return len(a) == len(b)
}
