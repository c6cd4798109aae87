package password

import (
	"math"
	"slices"
)

// A layer has, for the states in which a password can be after some number of
// characters, in how many ways it can be completed to the length.
type layer struct {
	first int32 // the first state; others follow
	width int   // words of each count
	words []uint64
}

// at returns the count of a state: no words for one that is never reached.
func (l *layer) at(state int32) []uint64 {
	from := int(state-l.first) * l.width
	if from < 0 || from >= len(l.words) {
		return nil
	}
	return l.words[from : from+l.width]
}

// A table has the counts of all layers: layers[i] is that after i characters.
type table struct {
	*automaton
	length int
	layers []layer
	plan   *plan
}

// width returns how many words hold the number of all texts of so many characters,
// which bounds the counts.
func (a *automaton) width(characters int) int {
	bits := float64(characters) * math.Log2(float64(len(a.chars)))
	return int(bits*(1+1e-9))/64 + 1
}

// edgesOf returns the edges of a state with so many characters left, and which of
// them the last character is of.
func (a *automaton) edgesOf(st *state, left int) (edges []edge, ex int32) {
	if left == 1 {
		return a.bases[st.base].final, st.exFinal
	}
	return a.bases[st.base].edges, st.ex
}

// repeats returns the state after the last character once more, with so many
// characters left, or dead.
func (st *state) repeats(left int) int32 {
	if left == 1 && st.exFinal == none {
		return dead
	}
	return st.repeat
}

// reach lists, for each layer of passwords of so many characters, the states from
// which such a password can be completed, in ascending order; layers that are
// equal may share a list. The lists are empty if there is no such password. It
// reports false if there are too many states for a table.
func (a *automaton) reach(length int) (lists [][]int32, ok bool) {
	lists = make([][]int32, length+1)
	lists[0] = []int32{0}
	in := make([]int32, len(a.states)) // the last layer in which a state was found, or 0
	total := 0
	for i := 1; i <= length; i++ {
		if total += len(lists[i-1]); total > maxReach || a.work(total) > maxWork {
			return nil, false
		}
		if left := length - i + 1; i > 2 && left > 1 && slices.Equal(lists[i-1], lists[i-2]) {
			lists[i] = lists[i-1]
		} else {
			lists[i] = a.follow(lists[i-1], left, in, int32(i))
		}
	}
	a.prune(lists, in)
	return lists, true
}

// maxReach bounds the states of all layers together.
const maxReach = 1 << 22

// follow lists the states that follow those of a list, with so many characters
// left. It marks them in in, where no other mark is the same.
func (a *automaton) follow(list []int32, left int, in []int32, mark int32) []int32 {
	lo, hi, n := int32(len(a.states)), int32(0), 0
	add := func(to int32) {
		if in[to] != mark {
			in[to] = mark
			lo, hi, n = min(lo, to), max(hi, to+1), n+1
		}
	}
	for _, from := range list {
		st := &a.states[from]
		edges, ex := a.edgesOf(st, left)
		for j := range edges {
			if int32(j) != ex || edges[j].ways > 1 {
				add(edges[j].to)
			}
		}
		if to := st.repeats(left); to != dead {
			add(to)
		}
	}
	next := make([]int32, 0, n)
	for to := lo; to < hi; to++ {
		if in[to] == mark {
			next = append(next, to)
		}
	}
	return next
}

// prune takes off the lists states from which no password can be completed.
func (a *automaton) prune(lists [][]int32, in []int32) {
	clear(in)
	length := len(lists) - 1
	for i := length; i >= 0; i-- {
		left, mark := length-i, int32(length-i+1)
		alive := func(n int32) bool {
			st := &a.states[n]
			if left == 0 {
				return a.bases[st.base].accepts
			}
			// An edge that has only the last character may lead nowhere. Where that
			// keeps a state too many, its count will be 0.
			edges, _ := a.edgesOf(st, left)
			for j := range edges {
				if in[edges[j].to] == mark-1 {
					return true
				}
			}
			to := st.repeats(left)
			return to != dead && in[to] == mark-1
		}
		// They are marked after all have been judged by the marks of the layer after.
		kept := make([]int32, 0, len(lists[i]))
		for _, n := range lists[i] {
			if alive(n) {
				kept = append(kept, n)
			}
		}
		for _, n := range kept {
			in[n] = mark
		}
		if len(kept) < len(lists[i]) {
			lists[i] = kept
		}
	}
}

// maxWork bounds the multiplications that a table takes: one for each edge and
// each word. It is a few tenths of a second.
const maxWork = 1 << 27

// work returns about how many multiplications layers of so many words take.
func (a *automaton) work(words int) int {
	return words / len(a.states) * (a.edges + 2*len(a.states))
}

// count fills the table of a length, from the end: the number of completions of a
// state is the sum of those of the states that follow. It reports false if the
// table would be too large.
func (a *automaton) count(length int, lists [][]int32) (*table, bool) {
	t := &table{automaton: a, length: length, layers: make([]layer, length+1)}
	total := 0
	for i, list := range lists {
		l := &t.layers[i]
		l.width = a.width(length - i)
		if len(list) > 0 {
			l.first = list[0]
			total += int(list[len(list)-1]-l.first+1) * l.width
		}
	}
	if total > maxTable || a.work(total) > maxWork {
		return nil, false
	}
	words := make([]uint64, total)
	for i, list := range lists {
		if len(list) > 0 {
			l := &t.layers[i]
			n := int(list[len(list)-1]-l.first+1) * l.width
			l.words, words = words[:n:n], words[n:]
		}
	}
	for _, n := range lists[length] {
		if a.bases[a.states[n].base].accepts {
			t.layers[length].at(n)[0] = 1
		}
	}
	c := a.newCounting(a.width(length))
	for i := length - 1; i >= 0; i-- {
		c.fill(&t.layers[i], &t.layers[i+1], length-i, lists[i])
	}
	t.plan = t.newPlan(lists)
	return t, true
}

// counting computes layers.
type counting struct {
	*automaton
	from  []int32 // the states of base n are those of states[from[n]:from[n+1]]
	order []int32
	mark  []int // the layer that a state was last wanted in, by characters left
	sum   []uint64
}

func (a *automaton) newCounting(width int) *counting {
	c := &counting{
		automaton: a, from: make([]int32, len(a.bases)+1), order: make([]int32, len(a.states)),
		mark: make([]int, len(a.states)), sum: make([]uint64, width),
	}
	for _, st := range a.states {
		c.from[st.base+1]++
	}
	for i := range a.bases {
		c.from[i+1] += c.from[i]
	}
	at := slices.Clone(c.from)
	for n, st := range a.states {
		c.order[at[st.base]] = int32(n)
		at[st.base]++
	}
	return c
}

// fill computes the counts of the states in list, with so many characters left.
//
// States of one base differ in their last character only, so that the sum over
// all characters is computed once for all of them: each takes away what its last
// character would do as one among others, and adds what it does when repeated.
func (c *counting) fill(dst, src *layer, left int, list []int32) {
	for _, n := range list {
		c.mark[n] = left
	}
	sum := c.sum[:dst.width]
	for _, first := range list {
		if c.mark[first] != left {
			continue // done with another state of its base
		}
		b := c.states[first].base
		edges, _ := c.edgesOf(&c.states[first], left)
		clear(sum)
		for _, e := range edges {
			addMul(sum, src.at(e.to), uint64(e.ways))
		}
		for _, n := range c.order[c.from[b]:c.from[b+1]] {
			if c.mark[n] != left {
				continue
			}
			c.mark[n] = 0
			st, count := &c.states[n], dst.at(n)
			copy(count, sum)
			if _, ex := c.edgesOf(st, left); ex != none {
				subMul(count, count, src.at(edges[ex].to), 1)
			}
			if to := st.repeats(left); to != dead {
				addMul(count, src.at(to), 1)
			}
		}
	}
}
