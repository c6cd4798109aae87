package password

import (
	"fmt"
	"slices"
)

// builder makes an automaton.
type builder struct {
	*automaton
	spec     *spec
	counters []counter
	trie     *trie
	trieUnit uint64

	keys    []uint64         // of each base: the counts, and the node of the trie
	byKey   map[uint64]int32 // the base of a key
	nexts   []int32          // of each base, by atom: the base that follows, or dead
	unknown []int32          // what is appended for a new base

	kinds   []kind
	byKind  map[kind]int32
	kindsOf []int32 // of each base, by atom
	byState map[[3]int32]int32
	plain   []int32 // of each base: its state without a kind, or none

	arena   []edge  // where edges are kept
	index   []int32 // by base or kind: the edge that it has in the group at hand, plus 1
	edgeOf  []int32 // by atom: its edge in the group at hand
	grouped []int32 // the atoms of the group at hand, edge by edge
}

// build makes the automaton of a policy, as far as passwords of at most depth
// characters go.
func (s *spec) build(depth int) (*automaton, error) {
	b := &builder{
		automaton: &automaton{}, spec: s, counters: s.counters(),
		byKey: map[uint64]int32{}, byKind: map[kind]int32{}, byState: map[[3]int32]int32{},
	}
	b.atoms = s.partition(b.counters)
	if b.trie = s.avoid(b.atoms, maxSteps); b.trie == nil || !b.setUnits() {
		return nil, b.tooLarge()
	}

	// The start is a base of its own, since not every character may be first.
	b.unknown = slices.Repeat([]int32{unknown}, b.number())
	b.edgeOf, b.grouped = make([]int32, b.number()), make([]int32, b.number())
	b.addBase(0)
	b.state(0, none, 0)
	// Breadth first, so that the states that are reached after a few characters
	// have low numbers.
	done := 0
	for range depth {
		for end := len(b.states); done < end; done++ {
			b.expand(int32(done))
			if b.full() {
				return nil, b.tooLarge()
			}
		}
	}
	b.finish()
	return b.automaton, nil
}

// setUnits gives each counter its unit in the keys, and reports whether there is
// room for all.
func (b *builder) setUnits() bool {
	unit := uint64(1)
	for i := range b.counters {
		c := &b.counters[i]
		c.unit = unit
		if unit *= uint64(c.cap + 1); unit >= 1<<48 {
			return false
		}
	}
	b.trieUnit = unit
	return true
}

// runs reports whether the last character is part of a state.
func (b *builder) runs() bool {
	return b.spec.run > 0 && (b.spec.length == 0 || b.spec.run < b.spec.length)
}

// step returns the key after one more character, of the atom a.
func (b *builder) step(key uint64, a int32) (next uint64, alive bool) {
	next = key
	for _, j := range b.in[a] {
		c := &b.counters[j]
		switch count := int(key / c.unit % uint64(c.cap+1)); {
		case count < c.cap:
			next += c.unit
		case c.max > 0:
			return 0, false
		}
	}
	node := int(key / b.trieUnit)
	to := b.trie.next[node*b.trie.symbols+int(b.symbol[a])]
	if to == dead {
		return 0, false
	}
	return next%b.trieUnit + uint64(to)*b.trieUnit, true
}

// next returns the base that follows a base after a character of the atom a.
func (b *builder) next(from, a int32) int32 {
	at := int(from)*b.number() + int(a)
	if to := b.nexts[at]; to != unknown {
		return to
	}
	to := int32(dead)
	if from != 0 || b.first[a] {
		if key, alive := b.step(b.keys[from], a); alive {
			n, ok := b.byKey[key]
			if !ok {
				n = b.addBase(key)
				b.byKey[key] = n
			}
			to = n
		}
	}
	b.nexts[at] = to
	return to
}

func (b *builder) addBase(key uint64) int32 {
	b.keys, b.bases, b.plain = append(b.keys, key), append(b.bases, base{}), append(b.plain, none)
	b.nexts = append(b.nexts, b.unknown...)
	if b.runs() {
		b.kindsOf = append(b.kindsOf, b.unknown...)
	}
	return int32(len(b.keys) - 1)
}

// full reports whether there are more bases than allowed. They are looked for until
// then only.
func (b *builder) full() bool {
	return len(b.states) > maxStates || len(b.keys)*b.number() > maxSteps || len(b.spans) > maxSteps
}

// kind returns the kind of the characters of atom a at a base: none if they cannot
// follow. Counts grow to an end and a trie's node repeats or gets deeper,
// so that a repeated character comes to stay at one base, or to a dead end.
func (b *builder) kind(from, a int32) int32 {
	at := int(from)*b.number() + int(a)
	if k := b.kindsOf[at]; k != unknown {
		return k
	}
	k := int32(none)
	switch to := b.next(from, a); {
	case to == dead, b.full():
	case to == from:
		k = b.intern(kind{to: to, next: itself, last: b.last[a]})
	default:
		k = b.intern(kind{to: to, next: b.kind(to, a), last: b.last[a]})
	}
	b.kindsOf[at] = k
	return k
}

const (
	unknown = -2 // a base or kind that is not computed yet
	itself  = -3 // the next kind of one whose base stays, before it has a number
)

func (b *builder) intern(k kind) int32 {
	n, ok := b.byKind[k]
	if !ok {
		n = int32(len(b.kinds))
		b.byKind[k] = n
		if k.next == itself {
			k.next = n
		}
		b.kinds = append(b.kinds, k)
	}
	return n
}

// state returns the number of a state.
func (b *builder) state(from, kind, run int32) int32 {
	if kind == none {
		// The last character cannot come again anyway, or there is no longest run.
		if b.plain[from] == none {
			b.plain[from] = b.addState(from, none, 0)
		}
		return b.plain[from]
	}
	id := [3]int32{from, kind, run}
	n, ok := b.byState[id]
	if !ok {
		n = b.addState(from, kind, run)
		b.byState[id] = n
	}
	return n
}

func (b *builder) addState(from, kind, run int32) int32 {
	b.states = append(b.states, state{base: from, kind: kind, run: run, ex: none, exFinal: none, repeat: dead})
	return int32(len(b.states) - 1)
}

// expand finds what follows a state.
func (b *builder) expand(n int32) {
	st := b.states[n]
	if bs := &b.bases[st.base]; !bs.expanded {
		all := b.group(st.base, false)
		final := all
		if b.spec.last != nil {
			final = b.group(st.base, true)
		}
		b.bases[st.base] = base{edges: all, final: final, expanded: true}
	}
	if st.kind != none && int(st.run) < b.spec.run {
		k := b.kinds[st.kind]
		b.states[n].repeat = b.state(k.to, k.next, st.run+1)
	}
}

// group makes the edges of a base, of all atoms or of those that may be last. The
// edge of the most characters comes first, since it is the likeliest.
func (b *builder) group(from int32, final bool) []edge {
	var edges []edge
	if cap(b.arena)-len(b.arena) >= b.number() {
		edges = b.arena[len(b.arena):len(b.arena)]
	} else {
		b.arena = make([]edge, 0, max(min(2*cap(b.arena), arenaSize), 8*b.number()))
		edges = b.arena
	}
	for a := range int32(b.number()) {
		b.edgeOf[a] = none
		to := b.next(from, a)
		if to == dead || final && !b.last[a] {
			continue
		}
		id := to
		if b.runs() {
			id = b.kind(from, a)
		}
		if id == none { // there are too many anyway
			continue
		}
		for int(id) >= len(b.index) {
			b.index = append(b.index, 0)
		}
		if b.index[id] == 0 {
			e := edge{kind: id}
			if b.runs() {
				e.to = b.state(to, b.kinds[id].next, 1)
			} else {
				e.to = b.state(to, none, 0)
			}
			edges = append(edges, e)
			b.index[id] = int32(len(edges))
		}
		b.edgeOf[a] = b.index[id] - 1
		e := &edges[b.edgeOf[a]]
		e.ways += uint32(b.size(a))
		e.n++ // atoms, for now
	}
	for i := range edges {
		b.index[edges[i].kind] = 0
	}
	b.setSpans(edges)
	slices.SortStableFunc(edges, func(x, y edge) int { return int(y.ways) - int(x.ways) })
	b.arena = b.arena[:len(b.arena)+len(edges)]
	return edges[:len(edges):len(edges)]
}

// arenaSize is how many edges are made room for at a time, in the end.
const arenaSize = 1 << 12

// setSpans finds the spans of edges, whose n is the number of their atoms.
func (b *builder) setSpans(edges []edge) {
	at := int32(0)
	for i := range edges {
		edges[i].from, at = at, at+edges[i].n
	}
	for a := range int32(b.number()) {
		if i := b.edgeOf[a]; i != none {
			e := &edges[i]
			b.grouped[e.from] = a
			e.from++
		}
	}
	for i := range edges {
		e := &edges[i]
		atoms := b.grouped[e.from-e.n : e.from]
		e.from = int32(len(b.spans))
		b.span(atoms)
		e.n = int32(len(b.spans)) - e.from
	}
}

// span adds the characters of some atoms, in ascending order, as few spans.
func (b *builder) span(list []int32) {
	for i, a := range list {
		s := span{b.start[a], b.size(a)}
		if last := len(b.spans) - 1; i > 0 && b.spans[last].from+b.spans[last].n == s.from {
			b.spans[last].n += s.n
		} else {
			b.spans = append(b.spans, s)
		}
	}
}

// finish settles what needs all edges.
func (b *builder) finish() {
	find := func(edges []edge, kind int32) int32 {
		return int32(slices.IndexFunc(edges, func(e edge) bool { return e.kind == kind }))
	}
	for i := range b.states {
		if st := &b.states[i]; st.kind != none && b.bases[st.base].expanded {
			st.ex = find(b.bases[st.base].edges, st.kind)
			st.exFinal = find(b.bases[st.base].final, st.kind)
		}
	}
	for i := range b.bases {
		b.bases[i].accepts = b.accepts(b.keys[i])
		b.edges += len(b.bases[i].edges)
	}
}

// accepts reports whether the counts in a key are enough.
func (b *builder) accepts(key uint64) bool {
	variety := 0
	for _, c := range b.counters {
		count := int(key / c.unit % uint64(c.cap+1))
		if count < c.min {
			return false
		}
		if count > 0 {
			variety += c.kinds
		}
	}
	return variety >= b.spec.variety
}

// tooLarge is the error for an automaton of too many states.
func (b *builder) tooLarge() error {
	return fmt.Errorf("%w: its automaton has too many states; most come from %s: relax that, or leave a rule out", ErrTooLarge, b.spec.largest())
}

// largest names the rule that multiplies the states the most.
func (s *spec) largest() string {
	rule, part := "the length", 0
	for _, c := range s.counters() {
		if c.cap > part {
			rule, part = c.rule, c.cap
		}
	}
	beginnings := 0
	for _, w := range s.words {
		beginnings += len(w)
	}
	if beginnings > part {
		rule, part = "the forbidden substrings", beginnings
	}
	if s.run > 0 && 4*s.run > part {
		rule = "the longest run"
	}
	return rule
}
