package passphrase

import (
	"sort"
	"strings"
)

// A code is what the phrases of a recipe are written in. Its elements are the
// words, each followed by the separator, and for recipes with a digit also the
// words followed by one digit and the separator. A phrase is a sequence of
// elements, of which one has a digit if the recipe says so. (Behind its last word
// the separator is left out; putting it there makes no two phrases alike that were
// not.)
//
// Whether two phrases read the same is decided as Sardinas and Patterson did it:
// lay two sequences over one another that begin with different elements. As long
// as they agree, one is ahead of the other by a rest, which is the end of an
// element. There are finitely many rests. All that can be reached are tried; if
// one of them is empty, the sequences before it read the same, and if none is, no
// two do. What is added to the method here is that each sequence has at most one
// digit, which is two bits of the state.
type code struct {
	sorted    []string // the words
	index     map[string]bool
	longest   int // word, in bytes
	separator string
	digit     bool

	states []state
	known  map[stateKey]bool
	budget int // of steps
}

// An element is a word, and its digit or 0.
type element struct {
	word  string
	digit byte
}

// A stateKey is what the future of two sequences depends on.
type stateKey struct {
	rest           string // by which one sequence leads
	leads, trailed bool   // whether it, and whether the other, has had its digit
}

// A state is one that was reached, with the way that led to it.
type state struct {
	stateKey
	from     int32      // the state before; -1: none
	added    element    // to the sequence that trailed
	swapped  bool       // whether that took the lead
	openings [2]element // of the first state: what the leader and the other begin with
}

const (
	// maxSteps and maxStates bound the search, to some seconds and some hundred MB.
	// Lists that were made for people come nowhere near.
	maxSteps  = 1 << 25
	maxStates = 1 << 20
)

func newCode(f *forms, separator string, digit bool) *code {
	c := &code{
		sorted: f.sorted, index: make(map[string]bool, len(f.sorted)), longest: f.longest, separator: separator, digit: digit,
		known: map[stateKey]bool{}, budget: maxSteps,
	}
	for _, word := range f.sorted {
		c.index[word] = true
	}
	return c
}

// collision finds two different sequences that read the same, or none. It returns
// false if it gave up.
func (c *code) collision() (one, other []element, decided bool) {
	for _, word := range c.sorted {
		c.open(element{word: word})
		if c.digit {
			for d := byte('0'); d <= '9'; d++ {
				c.open(element{word, d})
			}
		}
	}
	for at := 0; at < len(c.states) && c.within(); at++ {
		s := c.states[at]
		if s.rest == "" {
			one, other = c.sequences(at)
			return one, other, true
		}
		c.extend(s.rest, c.digit && !s.trailed, func(e element, rest string, swap bool) {
			next := state{from: int32(at), added: e, swapped: swap}
			next.stateKey = stateKey{rest, s.leads, s.trailed || e.digit != 0}
			if swap {
				next.leads, next.trailed = next.trailed, next.leads
			}
			c.reach(next)
		})
	}
	return nil, nil, c.within()
}

func (c *code) within() bool { return c.budget > 0 && len(c.states) < maxStates }

// open reaches the states in which the leader has begun with first, and the other
// sequence with another element that first begins with.
func (c *code) open(first element) {
	if !c.within() {
		return
	}
	c.extend(c.write(first), c.digit, func(e element, rest string, swap bool) {
		if swap || e == first {
			return // the case where the other leads is opened by that one
		}
		c.reach(state{
			stateKey: stateKey{rest, first.digit != 0, e.digit != 0},
			from:     -1, openings: [2]element{first, e},
		})
	})
}

func (c *code) reach(s state) {
	if !c.known[s.stateKey] {
		c.known[s.stateKey] = true
		c.states = append(c.states, s)
	}
}

// write returns the text of an element.
func (c *code) write(e element) string {
	if e.digit != 0 {
		return e.word + string(rune(e.digit)) + c.separator
	}
	return e.word + c.separator
}

// extend calls add with every element that agrees with rest: that rest begins
// with, or that begins with rest and then leads by what is left.
func (c *code) extend(rest string, digit bool, add func(e element, left string, swap bool)) {
	// The word ends within rest, or with it.
	for end := 1; end <= min(len(rest), c.longest); end++ {
		c.budget--
		word := rest[:end]
		if !c.index[word] {
			continue
		}
		after := rest[end:]
		c.separate(element{word: word}, after, add)
		if !digit {
			continue
		}
		if after == "" {
			for d := byte('0'); d <= '9'; d++ {
				add(element{word, d}, string(rune(d))+c.separator, true)
			}
		} else if isDigit(after[0]) {
			c.separate(element{word, after[0]}, after[1:], add)
		}
	}
	// The word goes on beyond rest.
	for i := sort.SearchStrings(c.sorted, rest); i < len(c.sorted) && strings.HasPrefix(c.sorted[i], rest) && c.within(); i++ {
		c.budget--
		word := c.sorted[i]
		if word == rest {
			continue
		}
		add(element{word: word}, word[len(rest):]+c.separator, true)
		if digit {
			for d := byte('0'); d <= '9'; d++ {
				add(element{word, d}, word[len(rest):]+string(rune(d))+c.separator, true)
			}
		}
	}
}

// separate adds an element whose separator meets what is left of the rest.
func (c *code) separate(e element, after string, add func(e element, left string, swap bool)) {
	if left, ok := strings.CutPrefix(after, c.separator); ok {
		add(e, left, false)
	} else if left, ok := strings.CutPrefix(c.separator, after); ok {
		add(e, left, true)
	}
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// sequences returns the two that led to a state in which they read the same.
func (c *code) sequences(at int) (leader, other []element) {
	var way []state
	for i := int32(at); i >= 0; i = c.states[i].from {
		way = append(way, c.states[i])
	}
	first := way[len(way)-1]
	leader, other = []element{first.openings[0]}, []element{first.openings[1]}
	for i := len(way) - 2; i >= 0; i-- {
		other = append(other, way[i].added)
		if way[i].swapped {
			leader, other = other, leader
		}
	}
	if end := c.states[at]; end.leads != end.trailed {
		// One has a digit and the other has none. One after the other, in both orders,
		// they read the same and have one each.
		leader, other = append(leader[:len(leader):len(leader)], other...), append(other[:len(other):len(other)], leader...)
	}
	return leader, other
}
