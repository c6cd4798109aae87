package password

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math/big"

	"github.com/keyfob-dev/keyfob/internal/draw"
)

// A Generator makes the passwords of a compiled [Policy], all exactly equally
// likely. It is immutable and safe for concurrent use.
type Generator struct {
	spec  *spec
	count *big.Int
	bits  float64

	batch *batch // for a policy without rules, of up to 256 characters; else nil
	table *table
	top   []uint64 // the count, as the table has it
	draw  int      // bytes of one draw below it
	parts uint64   // how many times the count goes into 256^draw
	short bool     // the draw has 16 bytes at most, and all of the table has a plan
	root  hop2     // then the count as a divisor
}

// compile makes the generator of a policy of known length.
func (s *spec) compile() (*Generator, error) {
	if err := s.overfull(); err != nil {
		return nil, err
	}
	a, err := s.build(s.length)
	if err != nil {
		return nil, err
	}
	lists, ok := a.reach(s.length)
	if ok && len(lists[0]) == 0 {
		return nil, s.contradiction()
	}
	var t *table
	if ok {
		t, ok = a.count(s.length, lists)
	}
	if !ok {
		return nil, fmt.Errorf("%w: the table of its counts takes too long or more than %d MiB; use fewer than %s, or leave out a rule with many states (%s)",
			ErrTooLarge, maxTable>>17, counted(s.length, "character"), s.largest())
	}
	g := &Generator{spec: s, table: t, top: t.layers[0].at(0)}
	g.count = toBig(g.top)
	if g.count.BitLen() == 1 {
		return nil, fmt.Errorf("%w: only one password of %s satisfies it, so that it is no secret; allow more", ErrUnsatisfiable, counted(s.length, "character"))
	}
	g.bits = log2(g.count)
	g.setDraw()
	if len(s.rules()) == 0 && len(s.alphabet) <= 256 {
		g.batch = newBatch(s.alphabet)
	}
	return g, nil
}

// setDraw settles how many bytes a draw takes: at least 4 bits more than the count
// has, so that less than one draw in 16 is rejected.
func (g *Generator) setDraw() {
	g.draw = (g.count.BitLen() + 4 + 7) / 8
	all := new(big.Int).Lsh(big.NewInt(1), uint(8*g.draw))
	g.parts = all.Div(all, g.count).Uint64()
	if g.short = g.draw <= 16 && g.table.plan.from == 0; g.short {
		g.root = hop2{lo: g.top[0]}
		if len(g.top) > 1 {
			g.root.hi = g.top[1]
		}
		g.root.setReciprocal()
	}
}

// Count returns N, the exact number of passwords that satisfy the policy.
func (g *Generator) Count() *big.Int { return new(big.Int).Set(g.count) }

// Bits returns the entropy of a password in bits: log2 of Count, to the nearest
// float64 or the one next to it.
func (g *Generator) Bits() float64 { return g.bits }

// Length returns the number of characters of each password.
func (g *Generator) Length() int { return g.spec.length }

// String describes the policy in one line, as in "20 characters of 94: at least 1
// of lower". It is not meant to be parsed.
func (g *Generator) String() string { return g.spec.recipe() }

// New returns one password. It takes about as many random bytes as the password
// has bits, divided by 8, and a time in proportion to the length and, beyond 128
// bits, to the bits.
func (g *Generator) New() string {
	var block [batchBlock]byte
	s := draw.System(fit(block[:], g.block()))
	var buf [onStack]byte
	dst := g.append(buf[:0], &s)
	text := string(dst)
	clear(dst)
	s.Clear()
	return text
}

// fit returns n bytes, of the buffer where it has as many.
func fit(buf []byte, n int) []byte {
	if n <= len(buf) {
		return buf[:n]
	}
	return make([]byte, n)
}

// block returns how many bytes to read ahead for one password.
func (g *Generator) block() int {
	if g.batch != nil {
		return g.batch.block(g.spec.length)
	}
	return g.draw
}

// manyBlock is how many random bytes are read at a time for many passwords.
const manyBlock = 4096

// Many returns a sequence of n passwords. Each range over it makes new ones:
//
//	list := slices.Collect(g.Many(1000))
//
// The system's generator is read in blocks of a few kilobytes, which makes a
// password cheaper than one call for each. The bytes read ahead lie in memory
// until their passwords are made, or the loop is left; then they are overwritten.
// It panics if n is negative.
func (g *Generator) Many(n int) iter.Seq[string] {
	each := g.Each(n)
	return func(yield func(string) bool) {
		for text := range each {
			if !yield(string(text)) {
				return
			}
		}
	}
}

// Each is Many without an allocation for each password, for a loop that writes
// them out: the text is valid only until the loop's next step, and is then
// overwritten.
func (g *Generator) Each(n int) iter.Seq[[]byte] {
	if n < 0 {
		panic(fmt.Sprintf("password: %d passwords: the number must be 0 or more", n))
	}
	return func(yield func([]byte) bool) {
		block := g.block()
		if n > 1 {
			block = max(block, min(manyBlock, min(n, manyBlock)*block))
		}
		s := draw.System(make([]byte, block))
		defer s.Clear()
		var dst []byte
		defer func() { clear(dst[:cap(dst)]) }()
		for range n {
			dst = g.append(dst[:0], &s)
			if !yield(dst) {
				return
			}
		}
	}
}

// append appends a password that is a function of the stream.
func (g *Generator) append(dst []byte, s *draw.Stream) []byte {
	if g.batch != nil {
		return g.batch.append(dst, g.spec.length, s)
	}
	if g.short {
		hi, lo := g.shortNumber(s)
		return g.table.plan.unrank(dst, cursor{last: none}, hi, lo)
	}
	const most = 9 // words of 512 bits and a byte
	var words [2 * most]uint64
	buf := words[:]
	n := max((g.draw+7)/8, g.table.layers[0].width)
	if n > most {
		buf = make([]uint64, 2*n)
	}
	u, spare := buf[:n], buf[n:2*n]
	g.number(u, s)
	dst = g.table.unrank(dst, u, spare)
	clear(buf)
	return dst
}

// number draws a number below the count into u.
//
// The numbers of the bytes that are drawn are divided into parts as long as the
// count, and those beyond the last whole part are rejected. What is left of one is
// its place in its part, of which each comes up once in each part.
func (g *Generator) number(u []uint64, s *draw.Stream) {
	for {
		clear(u)
		bytes, i := s.Next(g.draw), 0
		for ; len(bytes) >= 8; i++ {
			u[i], bytes = binary.LittleEndian.Uint64(bytes), bytes[8:]
		}
		if len(bytes) > 0 {
			u[i] = littleEndian(bytes)
		}
		if divMod(u, g.top) < g.parts {
			return
		}
	}
}

// shortNumber is number for two words.
func (g *Generator) shortNumber(s *draw.Stream) (hi, lo uint64) {
	for {
		var q uint64
		if bytes := s.Next(g.draw); len(bytes) < 8 {
			hi, lo = 0, littleEndian(bytes)
		} else {
			hi, lo = littleEndian(bytes[8:]), binary.LittleEndian.Uint64(bytes)
		}
		if q, hi, lo = g.root.divide(hi, lo); q < g.parts {
			return hi, lo
		}
	}
}

// littleEndian returns the integer of up to 8 bytes.
func littleEndian(bytes []byte) (n uint64) {
	for i, b := range bytes {
		n |= uint64(b) << (8 * i)
	}
	return n
}
