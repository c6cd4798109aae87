package password

import "unicode/utf8"

// A cursor is where the writing of a password is: the state, and the last
// character or none.
type cursor struct {
	state, last int32
}

// unrank appends the password with the number u, which is below the count of the
// start, and uses u up; spare is as long as u.
//
// Passwords are numbered in the order of the edges of each state, and of the
// characters of each edge. An edge of w characters, from whose end a password is
// completed in c ways, stands for w*c numbers: it is the one whose numbers u is
// among, and then u/c tells the character, and u mod c the completion.
func (t *table) unrank(dst []byte, u, spare []uint64) []byte {
	at := cursor{last: none}
	for i := range t.length {
		if i == t.plan.from {
			var hi uint64
			if t.layers[i].width == 2 {
				hi = u[1]
			}
			return t.plan.unrank(dst, at, hi, u[0])
		}
		width := t.layers[i].width
		if t.step(&at, i, u[:width], spare[:width]) {
			u, spare = spare, u
		}
		dst = utf8.AppendRune(dst, t.chars[at.last])
	}
	return dst
}

// step goes over the character at place i, and leaves the number of the completion
// in u, or in spare if it returns true.
func (t *table) step(at *cursor, i int, u, spare []uint64) (swapped bool) {
	next := &t.layers[i+1]
	st := &t.states[at.state]
	edges, ex := t.edgesOf(st, t.length-i)
	for j := range edges {
		e := &edges[j]
		ways, but := uint64(e.ways), int32(j) == ex
		if but {
			ways--
		}
		count := next.at(e.to)
		if ways == 0 || len(count) == 0 {
			continue
		}
		if subMul(spare, u, count, ways) {
			q := int(divMod(u, count))
			*at = cursor{e.to, t.pick(e, q, but, at.last)}
			return swapped
		}
		u, spare, swapped = spare, u, !swapped
	}
	at.state = st.repeat
	return swapped
}

// pick returns the q-th character of an edge; with but, not counting the last
// character, which is of that edge.
func (a *automaton) pick(e *edge, q int, but bool, last int32) int32 {
	spans := a.spans[e.from : e.from+e.n]
	if but && q >= place(spans, last) {
		q++
	}
	for _, s := range spans {
		if q < int(s.n) {
			return s.from + int32(q)
		}
		q -= int(s.n)
	}
	panic("password: a number beyond the end of its edge") // a mistake of this package
}

// place returns how many characters of the spans come before one of them.
func place(spans []span, char int32) int {
	n := 0
	for _, s := range spans {
		if char >= s.from && char < s.from+s.n {
			return n + int(char-s.from)
		}
		n += int(s.n)
	}
	return n
}
