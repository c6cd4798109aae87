package password

import (
	"math"
	"math/bits"
	"unicode/utf8"
)

// maxHops bounds a plan to about a megabyte.
const maxHops = 1 << 14

// A plan is what unrank does at the end of a password, where the counts have at
// most two words, laid out for speed. Each state of each layer is a node; a node
// is a row of hops, one for each edge, with sums and reciprocals that are computed
// beforehand, and with a last one that only ends it. It makes the same passwords.
//
// What has more than maxHops hops is left to unrank.
type plan struct {
	*table
	from int // the first layer that is planned; -1 for none
	one  int // the first layer whose hops lead to counts of one word
	node []int32

	two   []hop2
	ones  []hop1
	texts []int32 // all characters, and then those of edges that are not in a row
	slow  []slow

	textOf map[*edge]int32 // only while it is made
}

// A hop1 is an edge of one state in one layer, for counts of one word.
type hop1 struct {
	begin      uint64 // how many numbers come before it in its node
	count      uint64 // of completions of each character
	reciprocal uint64 // 2^64-1 divided by the count
	next       int32  // the first hop of the node that follows
	char       int32  // place of its characters in texts, or the complement of one in slow
}

// A hop2 is the same for counts of two words.
type hop2 struct {
	beginHi, beginLo uint64
	hi, lo           uint64 // the count
	reciprocal       uint64 // 2^64-1 divided by the leading 47 bits of the count, rounded up
	next, char       int32
	shift            uint32 // by which those bits are shifted
}

// slow is for a hop whose characters are not looked up in texts.
type slow struct {
	edge *edge // nil: the last character once more
	but  bool  // without the last character, which is of the edge
}

// newPlan lays out the layers from the end that are narrow enough, as far as they
// fit.
func (t *table) newPlan(lists [][]int32) *plan {
	p := &plan{table: t, from: -1, textOf: map[*edge]int32{}}
	total := 0
	for i := t.length - 1; i >= 0 && t.layers[i].width <= 2; i-- {
		for _, n := range lists[i] {
			edges, _ := t.edgesOf(&t.states[n], t.length-i)
			total += len(edges) + 2
		}
		if total > maxHops || len(t.chars) > maxHops {
			break
		}
		p.from = i
		if t.layers[i].width == 1 {
			p.one = i
		}
	}
	if p.from < 0 {
		return p
	}
	for c := range t.chars {
		p.texts = append(p.texts, int32(c))
	}
	// From the end, so that a hop finds the node that it leads to.
	p.node = make([]int32, len(t.states))
	for i := t.length - 1; i >= p.from; i-- {
		row := make([]int32, len(t.states))
		for _, n := range lists[i] {
			if !isZero(t.layers[i].at(n)) {
				row[n] = p.add(i, n)
			}
		}
		p.node = row
	}
	p.textOf = nil
	return p
}

// add adds the node of a state in layer i, and returns its first hop.
func (p *plan) add(i int, n int32) int32 {
	next := &p.layers[i+1]
	st := &p.states[n]
	edges, ex := p.edgesOf(st, p.length-i)
	var hi, lo uint64
	hop := func(to int32, ways uint64, char int32) {
		count := next.at(to)
		if ways == 0 || isZero(count) {
			return
		}
		h := hop2{beginHi: hi, beginLo: lo, lo: count[0], next: p.node[to], char: char}
		if len(count) > 1 {
			h.hi = count[1]
		}
		p.put(i, h)
		phi, plo := bits.Mul64(h.lo, ways)
		var carry uint64
		lo, carry = bits.Add64(lo, plo, 0)
		hi += phi + h.hi*ways + carry
	}
	first := int32(len(p.two))
	if i >= p.one {
		first = int32(len(p.ones))
	}
	for j := range edges {
		e := &edges[j]
		if int32(j) == ex {
			hop(e.to, uint64(e.ways-1), p.slowly(slow{e, true}))
		} else {
			hop(e.to, uint64(e.ways), p.text(e))
		}
	}
	if to := st.repeats(p.length - i); to != dead {
		hop(to, 1, p.slowly(slow{}))
	}
	p.put(i, hop2{beginHi: math.MaxUint64, beginLo: math.MaxUint64, hi: 1, lo: 1})
	return first
}

// put adds a hop of layer i.
func (p *plan) put(i int, h hop2) {
	if i >= p.one {
		p.ones = append(p.ones, hop1{h.beginLo, h.lo, math.MaxUint64 / h.lo, h.next, h.char})
		return
	}
	h.setReciprocal()
	p.two = append(p.two, h)
}

func (h *hop2) setReciprocal() {
	length := bits.Len64(h.lo)
	if h.hi > 0 {
		length = 64 + bits.Len64(h.hi)
	}
	h.shift = uint32(max(length-47, 0))
	leading := shifted(h.hi, h.lo, h.shift)
	if h.shift > 0 {
		leading++
	}
	h.reciprocal = math.MaxUint64 / leading
}

// slowly returns what a hop has for a character that is not in texts.
func (p *plan) slowly(s slow) int32 {
	p.slow = append(p.slow, s)
	return ^int32(len(p.slow) - 1)
}

// text returns the place of an edge's characters in texts.
func (p *plan) text(e *edge) int32 {
	if e.n == 1 {
		return p.spans[e.from].from
	}
	at, ok := p.textOf[e]
	if !ok && len(p.texts)+int(e.ways) > 4*maxHops {
		return p.slowly(slow{edge: e})
	}
	if !ok {
		at = int32(len(p.texts))
		p.textOf[e] = at
		for _, s := range p.spans[e.from : e.from+e.n] {
			for c := range s.n {
				p.texts = append(p.texts, s.from+c)
			}
		}
	}
	return at
}

// shifted returns the low word of a number shifted to the right.
func shifted(hi, lo uint64, by uint32) uint64 {
	// A shift by 64 or more gives 0, and so does one by less than 0, which is one by
	// very much.
	return lo>>by | hi<<(64-by) | hi>>(by-64)
}

// unrank appends the rest of a password from the first layer of the plan on. The
// number is of two words, of which the first is 0 where the plan has none of two.
func (p *plan) unrank(dst []byte, at cursor, hi, lo uint64) []byte {
	k, last := p.node[at.state], at.last
	i := p.from
	for ; i < p.one; i++ {
		h := &p.two[k]
		for end := &p.two[k+1]; !below(hi, lo, end.beginHi, end.beginLo); end = &p.two[k+1] {
			h = end
			k++
		}
		var q uint64
		q, hi, lo = h.divide(hi, lo)
		last = p.pickHop(h.char, q, last)
		k = h.next
		dst = utf8.AppendRune(dst, p.chars[last])
	}
	for n := lo; i < p.length; i++ {
		h := &p.ones[k]
		for end := &p.ones[k+1]; n >= end.begin; end = &p.ones[k+1] {
			h = end
			k++
		}
		// The estimate is the quotient or 1 less.
		n -= h.begin
		q, _ := bits.Mul64(n, h.reciprocal)
		n -= q * h.count
		if n >= h.count {
			n -= h.count
			q++
		}
		last = p.pickHop(h.char, q, last)
		k = h.next
		dst = utf8.AppendRune(dst, p.chars[last])
	}
	return dst
}

// below reports whether one number is less than another.
func below(hi, lo, otherHi, otherLo uint64) bool {
	_, borrow := bits.Sub64(lo, otherLo, 0)
	_, borrow = bits.Sub64(hi, otherHi, borrow)
	return borrow != 0
}

// divide returns the character's place among those of the hop, and the number of
// the completion.
//
// The estimate takes the number rounded down and the count rounded up, so that it
// is not above the quotient, which is at most 2^16. A count of more than 47 bits
// makes it less by one part in 2^46 at the most, and the reciprocal by a half: so
// it is 2 below the quotient at the most.
func (h *hop2) divide(hi, lo uint64) (q, restHi, restLo uint64) {
	lo, borrow := bits.Sub64(lo, h.beginLo, 0)
	hi, _ = bits.Sub64(hi, h.beginHi, borrow)
	q, _ = bits.Mul64(shifted(hi, lo, h.shift), h.reciprocal)
	phi, plo := bits.Mul64(h.lo, q)
	phi += h.hi * q
	lo, borrow = bits.Sub64(lo, plo, 0)
	hi, _ = bits.Sub64(hi, phi, borrow)
	for !below(hi, lo, h.hi, h.lo) {
		lo, borrow = bits.Sub64(lo, h.lo, 0)
		hi, _ = bits.Sub64(hi, h.hi, borrow)
		q++
	}
	return q, hi, lo
}

// pickHop returns the q-th character of a hop.
func (p *plan) pickHop(char int32, q uint64, last int32) int32 {
	if char >= 0 {
		return p.texts[uint64(char)+q]
	}
	return p.pickSlow(char, q, last)
}

func (p *plan) pickSlow(char int32, q uint64, last int32) int32 {
	s := &p.slow[^char]
	if s.edge == nil {
		return last
	}
	return p.pick(s.edge, int(q), s.but, last)
}
