package password

// atoms is the partition of the alphabet into sets whose characters no rule tells
// apart. Each character of a forbidden substring is an atom of its own.
//
// Characters are renumbered so that those of an atom are in a row.
type atoms struct {
	chars []rune // by the new numbers
	of    []int32
	start []int32 // the first character of each atom, and len(chars)

	in     [][]int32 // the counters that count each atom
	first  []bool    // may be at the start
	last   []bool    // may be at the end
	symbol []int32   // in the trie of forbidden substrings; 0 for all that are in none
}

func (a *atoms) number() int        { return len(a.in) }
func (a *atoms) size(i int32) int32 { return a.start[i+1] - a.start[i] }

// partition makes the atoms: two characters are of one atom if they are in the
// same sets.
func (s *spec) partition(counters []counter) *atoms {
	symbols := map[rune]int32{}
	for _, w := range s.words {
		for _, r := range w {
			if symbols[r] == 0 {
				symbols[r] = int32(len(symbols) + 1)
			}
		}
	}
	sets := make([]bitset, 0, len(counters)+2)
	for _, c := range counters {
		sets = append(sets, c.set)
	}
	for _, end := range []bitset{s.first, s.last} {
		if end != nil {
			sets = append(sets, end)
		}
	}

	a := &atoms{}
	byKey := map[string]int{}
	var members [][]rune
	key := make([]byte, len(sets)+4)
	for i, r := range s.alphabet {
		for j, set := range sets {
			key[j] = 0
			if set.has(i) {
				key[j] = 1
			}
		}
		sym := symbols[r]
		for j := range 4 {
			key[len(sets)+j] = byte(sym >> (8 * j))
		}
		n, ok := byKey[string(key)]
		if !ok {
			n = len(members)
			byKey[string(key)] = n
			members = append(members, nil)
			a.symbol = append(a.symbol, sym)
			a.first = append(a.first, s.first == nil || s.first.has(i))
			a.last = append(a.last, s.last == nil || s.last.has(i))
			a.in = append(a.in, counted32(counters, i))
		}
		members[n] = append(members[n], r)
	}
	for n, m := range members {
		a.start = append(a.start, int32(len(a.chars)))
		a.chars = append(a.chars, m...)
		for range m {
			a.of = append(a.of, int32(n))
		}
	}
	a.start = append(a.start, int32(len(a.chars)))
	return a
}

// counted32 lists the counters that count the i-th character.
func counted32(counters []counter, i int) []int32 {
	var in []int32
	for j, c := range counters {
		if c.set.has(i) {
			in = append(in, int32(j))
		}
	}
	return in
}

// A counter is what the automaton remembers of one set: how many of its
// characters have been read, up to what makes a difference.
type counter struct {
	set      bitset
	min, max int // max 0: none
	kinds    int // so many sets of the variety are this one
	cap      int // counts from here on are alike, or with a maximum not allowed
	rule     string
	unit     uint64 // of the count in a key of the automaton
}

// counters merges the bounds of equal sets. A bound that every password of the
// length satisfies counts nothing.
func (s *spec) counters() []counter {
	var list []counter
	index := map[string]int{}
	at := func(set bitset, rule string) *counter {
		key := set.key()
		i, ok := index[key]
		if !ok {
			i = len(list)
			index[key] = i
			list = append(list, counter{set: set, rule: rule})
		}
		return &list[i]
	}
	for _, l := range s.limits {
		bounded := l.max > 0 && (s.length == 0 || l.max < s.length)
		if l.set.empty() || l.min == 0 && !bounded {
			continue
		}
		c := at(l.set, "the bounds of "+l.name)
		c.min = max(c.min, l.min)
		if bounded && (c.max == 0 || l.max < c.max) {
			c.max = l.max
		}
	}
	for _, k := range s.kinds {
		if !k.empty() {
			at(k, "the variety of sets").kinds++
		}
	}
	for i := range list {
		c := &list[i]
		c.cap = c.min
		if c.kinds > 0 {
			c.cap = max(c.cap, 1)
		}
		if c.max > 0 {
			c.cap = c.max
		}
	}
	return list
}
