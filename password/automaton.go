package password

import (
	"fmt"
	"slices"
)

// Bounds of what is built for a policy.
const (
	maxStates = 1 << 18 // states of the automaton
	maxSteps  = 1 << 22 // their transitions, one for each atom
	maxTable  = 1 << 23 // words of 8 bytes in the table of counts
)

// An automaton reads passwords. It has one start, and transitions by character;
// those that lead nowhere are left out.
//
// What the classes and the forbidden substrings need to know of the text so far
// is its base. A state is a base and, where a longest run is set, the last
// character's kind and how often it came in a row.
type automaton struct {
	*atoms
	states []state // by the fewest characters after which they are reached; 0 is the start
	level  []int32 // level[n]: how many states are reached after at most n characters
	bases  []base
	spans  []span
	edges  []edge
}

// A base has the transitions that its states share.
type base struct {
	edges, final []edge // final: of the last character of a password
	accepts      bool
}

// An edge is the transitions of some characters to one state.
type edge struct {
	to   int32
	ways uint32 // how many characters
	// Which characters: spans[from:from+n].
	from, n int32
	kind    int32
}

// A span is characters that are in a row in atoms.chars.
type span struct{ from, n int32 }

// A state's transitions are the edges of its base, except that the last
// character does not go along with the others of its edge: it leads to repeat,
// or nowhere.
type state struct {
	base      int32
	kind, run int32 // of the last character; none without a longest run
	ex        int32 // the edge that the last character is of, or none
	exFinal   int32 // the same among the final edges
	repeat    int32 // or dead
}

// none stands for no edge and no kind.
const none = -1

// A kind is what repeating a character leads to from some base: two characters
// are of the same kind there if the next one leads to the same base, and are of
// the same kind there again.
type kind struct {
	to, next int32 // base and kind; next is the kind itself where the base stays
	last     bool  // may be at the end
}

// builder makes an automaton.
type builder struct {
	*automaton
	spec     *spec
	counters []counter
	trie     *trie
	trieUnit uint64

	keys     []uint64         // of each base: the counts, and the node of the trie
	byKey    map[uint64]int32 // the base of a key
	rows     [][]int32        // of each base, by atom: the base that follows, or dead
	expanded []bool           // whether the base has its edges

	kinds    []kind
	byKind   map[kind]int32
	kindRows [][]int32 // of each base, by atom
	byState  map[[3]int32]int32
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
	b.keys, b.rows, b.kindRows = []uint64{0}, [][]int32{nil}, [][]int32{nil}
	b.bases, b.expanded = []base{{}}, []bool{false}
	b.state(0, none, 0)
	for n, done := 0, 0; ; n++ {
		b.level = append(b.level, int32(len(b.states)))
		if n == depth || done == len(b.states) {
			break
		}
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
	if b.rows[from] == nil {
		b.rows[from] = slices.Repeat([]int32{unknown}, b.number())
	}
	to := b.rows[from][a]
	if to != unknown {
		return to
	}
	to = dead
	if from != 0 || b.first[a] {
		if key, alive := b.step(b.keys[from], a); alive {
			to = b.base(key)
		}
	}
	b.rows[from][a] = to
	return to
}

// base returns the number of the base with a key.
func (b *builder) base(key uint64) int32 {
	n, ok := b.byKey[key]
	if !ok {
		n = int32(len(b.keys))
		b.byKey[key] = n
		b.keys = append(b.keys, key)
		b.rows, b.kindRows = append(b.rows, nil), append(b.kindRows, nil)
		b.bases, b.expanded = append(b.bases, base{}), append(b.expanded, false)
	}
	return n
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
	row := b.kindRows[from]
	if row == nil {
		row = slices.Repeat([]int32{unknown}, b.number())
		b.kindRows[from] = row
	}
	if row[a] != unknown {
		return row[a]
	}
	switch to := b.next(from, a); {
	case to == dead, b.full():
		row[a] = none
	case to == from:
		row[a] = b.intern(kind{to: to, next: itself, last: b.last[a]})
	default:
		row[a] = b.intern(kind{to: to, next: b.kind(to, a), last: b.last[a]})
	}
	return row[a]
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
		run = 0 // the last character cannot come again anyway
	}
	id := [3]int32{from, kind, run}
	n, ok := b.byState[id]
	if !ok {
		n = int32(len(b.states))
		b.byState[id] = n
		b.states = append(b.states, state{base: from, kind: kind, run: run, ex: none, exFinal: none, repeat: dead})
	}
	return n
}

// expand finds what follows a state.
func (b *builder) expand(n int32) {
	st := b.states[n]
	if !b.expanded[st.base] {
		b.expanded[st.base] = true
		all := b.group(st.base, func(a int32) bool { return true })
		final := all
		if b.spec.last != nil {
			final = b.group(st.base, func(a int32) bool { return b.last[a] })
		}
		b.bases[st.base].edges, b.bases[st.base].final = all, final
	}
	if st.kind != none && int(st.run) < b.spec.run {
		k := b.kinds[st.kind]
		b.states[n].repeat = b.state(k.to, k.next, st.run+1)
	}
}

// group makes the edges of a base for some of the atoms. The edge of the most
// characters comes first, since it is the likeliest.
func (b *builder) group(from int32, use func(a int32) bool) []edge {
	var edges []edge
	var members [][]int32
	index := map[int32]int{} // by kind or base
	for a := range int32(b.number()) {
		to := b.next(from, a)
		if to == dead || !use(a) {
			continue
		}
		e, id := edge{kind: none}, to
		if b.runs() {
			id = b.kind(from, a)
			e.kind = id
		}
		i, ok := index[id]
		if !ok {
			i = len(edges)
			index[id] = i
			if e.kind == none {
				e.to = b.state(to, none, 0)
			} else {
				e.to = b.state(to, b.kinds[id].next, 1)
			}
			edges, members = append(edges, e), append(members, nil)
		}
		edges[i].ways += uint32(b.size(a))
		members[i] = append(members[i], a)
	}
	for i, m := range members {
		edges[i].from = int32(len(b.spans))
		b.span(m)
		edges[i].n = int32(len(b.spans)) - edges[i].from
	}
	slices.SortStableFunc(edges, func(x, y edge) int { return int(y.ways) - int(x.ways) })
	return edges
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
		if st := &b.states[i]; st.kind != none {
			st.ex = find(b.bases[st.base].edges, st.kind)
			st.exFinal = find(b.bases[st.base].final, st.kind)
		}
	}
	for i := range b.bases {
		b.bases[i].accepts = b.accepts(b.keys[i])
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
