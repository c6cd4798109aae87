package password

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/internal/draw"
)

// TestSmallPolicies compiles random policies with rules of all kinds, and compares
// each with the list of all passwords that it allows.
func TestSmallPolicies(t *testing.T) {
	d := newDice(t)
	policies := 3000
	if testing.Short() {
		policies = 500
	}
	refused, single := 0, 0
	for range policies {
		p := d.policy(smallAlphabets[d.IntN(len(smallAlphabets))], 6)
		g, err := p.Compile()
		if err != nil {
			n := len(oracle(p, p.Length))
			only := strings.Contains(err.Error(), "only one password")
			if len(oracleAlphabet(p)) >= 2 && (n > 1 || only != (n == 1) || only && !errors.Is(err, ErrUnsatisfiable)) {
				t.Fatalf("%+v\nis refused: %v\nand allows %d passwords", p, err, n)
			}
			refused++
			if n == 1 {
				single++
			}
			continue
		}
		if err := againstOracle(p, g); err != nil {
			t.Fatalf("%+v\n%v", p, err)
		}
	}
	t.Logf("%d of %d policies refused, %d of them since one password is left", refused, policies, single)
	if refused < policies/100 || refused > policies*9/10 {
		t.Errorf("%d of %d random policies were refused: too few to test that, or to test the others", refused, policies)
	}
}

// exact feeds a sampler all tapes of so many bytes, each below symbols, and counts
// what it makes of them. A tape that is too short, since a draw was rejected, does
// not count; among the others all passwords that are allowed must come up equally
// often.
func exact(bytes, symbols int, allowed map[string]bool, sample func(*draw.Stream) string) error {
	counts := map[string]int{}
	accepted, tapes := 0, 1
	for range bytes {
		tapes *= symbols
	}
	tape := make([]byte, bytes)
	for n := range tapes {
		for i := range tape {
			tape[i] = byte(n % symbols)
			n /= symbols
		}
		var text string
		if _, ok := draw.Replay(tape, func(s *draw.Stream) { text = sample(s) }); ok {
			accepted++
			counts[text]++
		}
	}
	if accepted == 0 {
		return fmt.Errorf("no tape of %d bytes is long enough", bytes)
	}
	for text, n := range counts {
		if !allowed[text] {
			return fmt.Errorf("makes %q, which is not allowed", text)
		}
		if n*len(allowed) != accepted {
			return fmt.Errorf("makes %q of %d in %d draws; there are %d passwords", text, n, accepted, len(allowed))
		}
	}
	if len(counts) != len(allowed) {
		return fmt.Errorf("makes %d of %d passwords", len(counts), len(allowed))
	}
	return nil
}

// sample is a generator as a function of a stream, also where a policy has no
// rules and would draw character by character.
func (g *Generator) sample(s *draw.Stream) string {
	other := *g
	other.batch = nil
	return string(other.append(nil, s))
}

// TestAllDraws feeds generators every draw that there is. Counts below 4096 take
// 2 bytes, so that 65,536 tapes are all.
func TestAllDraws(t *testing.T) {
	d := newDice(t)
	policies := 60
	if testing.Short() {
		policies = 5
	}
	for done := 0; done < policies; {
		p := d.policy(smallAlphabets[d.IntN(len(smallAlphabets))], 6)
		g, err := p.Compile()
		if err != nil || g.draw > 2 || g.Count().Int64() < 10 && !d.oneIn(10) {
			continue
		}
		done++
		if err := exact(g.draw, 256, oracle(p, p.Length), g.sample); err != nil {
			t.Fatalf("%+v\n%v", p, err)
		}
	}
}

// TestAllDrawsOfThreeBytes feeds all 16,777,216 tapes for a policy whose count
// needs 3 bytes, and counts the numbers. Each is another password, as
// TestSmallPolicies shows for others, and here.
func TestAllDrawsOfThreeBytes(t *testing.T) {
	p := Policy{Length: 6, Classes: []Class{{Chars: "abc", Min: 1, Max: 4}, {Chars: "cde", Min: 2}}, MaxRun: 2, Forbidden: []string{"ad", "cbc"}}
	g := p.MustCompile()
	if g.draw != 3 {
		t.Fatalf("the policy allows %v passwords, whose draw has %d bytes; the test wants 3", g.Count(), g.draw)
	}
	if err := againstOracle(p, g); err != nil {
		t.Fatal(err)
	}
	counts := make([]uint64, g.Count().Int64())
	tape, u := make([]byte, 3), make([]uint64, 1)
	for n := range 1 << 24 {
		tape[0], tape[1], tape[2] = byte(n), byte(n>>8), byte(n>>16)
		if _, ok := draw.Replay(tape, func(s *draw.Stream) { g.number(u, s) }); ok {
			counts[u[0]]++
		}
	}
	for n, c := range counts {
		if c != g.parts {
			t.Fatalf("number %d comes up %d times; want %d", n, c, g.parts)
		}
	}
}

// TestDrawIsRarelyRejected holds the draws below a count to their bound.
func TestDrawIsRarelyRejected(t *testing.T) {
	for length := 1; length <= 40; length++ {
		for _, alphabet := range []string{"ab", "abc", Lower, printable} {
			g := Policy{Length: length, Classes: []Class{{Chars: alphabet}}}.MustCompile()
			// parts*count of 256^draw are accepted; parts is rounded down.
			if g.parts < 15 {
				t.Errorf("%v: a draw of %d bytes has %d parts", g, g.draw, g.parts)
			}
		}
	}
}

// TestBatch feeds the batches all words: those of one and two bytes for alphabets
// of every size, those of three for some.
func TestBatch(t *testing.T) {
	count := func(k, size int) error {
		b := newBatch(make([]rune, k))
		all := int(math.Pow(float64(k), float64(size)))
		counts := make([]uint32, all)
		accepted := 0
		for word := range uint32(1) << (8 * size) {
			digits, ok := b.split(word, size)
			if !ok {
				continue
			}
			accepted++
			n := 0
			for i := range size {
				d := int(digits >> (8 * i) & 0xff)
				if d >= k {
					return fmt.Errorf("%d characters of %d: word %#x makes the character %d", size, k, word, d)
				}
				n = n*k + d
			}
			counts[n]++
		}
		for n, c := range counts {
			if int(c)*all != accepted || c == 0 {
				return fmt.Errorf("%d characters of %d: number %d comes up %d times in %d", size, k, n, c, accepted)
			}
		}
		return nil
	}
	for k := 2; k <= 256; k++ {
		for size := 1; size <= 2; size++ {
			if err := count(k, size); err != nil {
				t.Error(err)
			}
		}
	}
	if testing.Short() {
		return
	}
	for _, k := range []int{3, 62, 94, 255} {
		if err := count(k, 3); err != nil {
			t.Error(err)
		}
	}
}

// TestBatchSizes makes passwords of all small lengths of one tape, and finds that
// they are the digits of its words, none used twice and none left out.
func TestBatchSizes(t *testing.T) {
	tape := make([]byte, 64)
	for i := range tape {
		tape[i] = byte(i*151 + 7)
	}
	for _, alphabet := range []string{printable, "ab", Lower + Digits, "aé€😀"} {
		b := newBatch([]rune(alphabet))
		for n := 1; n <= 20; n++ {
			var got string
			used, ok := draw.Replay(tape, func(s *draw.Stream) { got = string(b.append(nil, n, s)) })
			want, at := "", 0
			for left := n; left > 0; {
				size := min(left, b.size)
				word := uint32(0)
				for i, v := range tape[at : at+size] {
					word |= uint32(v) << (8 * i)
				}
				at += size
				if digits, ok := b.split(word, size); ok {
					for i := range size {
						want += string(b.alphabet[digits>>(8*i)&0xff])
					}
					left -= size
				}
			}
			if !ok || got != want || used != at {
				t.Errorf("%d of %q: %q of %d bytes, %v; want %q of %d", n, alphabet, got, used, ok, want, at)
			}
		}
	}
}
