package password

import (
	"math/bits"
	"unicode/utf8"
)

// A writer writes out the password of a number. It keeps where it is.
type writer struct {
	*table
	dst   []byte
	state int32
	last  int32 // the last character, or none
}

// unrank appends the password with the number u, which is below the count of the
// start, and uses u up; spare is as long as u.
//
// Passwords are numbered in the order of the edges of each state, and of the
// characters of each edge. An edge of w characters, from whose end a password is
// completed in c ways, stands for w*c numbers: it is the one whose numbers u is
// among, and then u/c tells the character, and u mod c the completion.
func (t *table) unrank(dst []byte, u, spare []uint64) []byte {
	w := writer{table: t, dst: dst, last: none}
	i := 0
	for ; i < t.length && t.layers[i].width > 2; i++ {
		u, spare = w.step(i, u[:t.layers[i].width], spare[:t.layers[i].width])
	}
	var hi, lo uint64
	if i < t.length {
		lo = u[0]
		if t.layers[i].width == 2 {
			hi = u[1]
		}
	}
	for ; i < t.length && t.layers[i+1].width == 2; i++ {
		hi, lo = w.step2(i, hi, lo)
	}
	if i < t.length && t.layers[i].width == 2 {
		lo = w.stepDown(i, hi, lo)
		i++
	}
	for ; i < t.length; i++ {
		lo = w.step1(i, lo)
	}
	return w.dst
}

// step writes the character at place i, and returns the number of the completion.
// It returns the two slices in either order.
func (w *writer) step(i int, u, spare []uint64) (rest, other []uint64) {
	next := &w.layers[i+1]
	st := &w.states[w.state]
	edges, ex := w.edgesOf(st, w.length-i)
	for j := range edges {
		e := &edges[j]
		ways := e.without(j, ex)
		count := next.at(e.to)
		if ways == 0 || len(count) == 0 {
			continue
		}
		if subMul(spare, u, count, ways) {
			w.write(e, int(divMod(u, count)), int32(j) == ex)
			return u, spare
		}
		u, spare = spare, u
	}
	w.again(st)
	return u, spare
}

// step1 is step for counts of one word.
func (w *writer) step1(i int, u uint64) uint64 {
	next := &w.layers[i+1]
	st := &w.states[w.state]
	edges, ex := w.edgesOf(st, w.length-i)
	for j := range edges {
		e := &edges[j]
		ways := e.without(j, ex)
		at := uint32(e.to - next.first)
		if at >= uint32(len(next.words)) || ways == 0 {
			continue
		}
		// The product is at most the count of the state, which has one word.
		count := next.words[at]
		if all := ways * count; u < all {
			q := u / count
			w.write(e, int(q), int32(j) == ex)
			return u - q*count
		} else {
			u -= all
		}
	}
	w.again(st)
	return u
}

// step2 is step for counts of two words.
func (w *writer) step2(i int, hi, lo uint64) (uint64, uint64) {
	next := &w.layers[i+1]
	st := &w.states[w.state]
	edges, ex := w.edgesOf(st, w.length-i)
	for j := range edges {
		e := &edges[j]
		ways := e.without(j, ex)
		count := next.at(e.to)
		if ways == 0 || len(count) == 0 {
			continue
		}
		if h, l, below := sub128(hi, lo, count[1], count[0], ways); !below {
			hi, lo = h, l
			continue
		}
		q := divide128(&hi, &lo, count[1], count[0])
		w.write(e, int(q), int32(j) == ex)
		return hi, lo
	}
	w.again(st)
	return hi, lo
}

// stepDown is step for counts of two words that are followed by counts of one.
func (w *writer) stepDown(i int, hi, lo uint64) uint64 {
	next := &w.layers[i+1]
	st := &w.states[w.state]
	edges, ex := w.edgesOf(st, w.length-i)
	for j := range edges {
		e := &edges[j]
		ways := e.without(j, ex)
		count := next.at(e.to)
		if ways == 0 || len(count) == 0 {
			continue
		}
		if h, l, below := sub128(hi, lo, 0, count[0], ways); !below {
			hi, lo = h, l
			continue
		}
		// hi is below the count, since the quotient is below 2^64.
		q, rest := bits.Div64(hi, lo, count[0])
		w.write(e, int(q), int32(j) == ex)
		return rest
	}
	w.again(st)
	return lo
}

// without returns how many of the edge's characters can follow, if it is the j-th
// edge and the last character is of the one at ex.
func (e *edge) without(j int, ex int32) uint64 {
	if int32(j) == ex {
		return uint64(e.ways - 1)
	}
	return uint64(e.ways)
}

// sub128 subtracts m times c from u, and reports whether that is negative.
func sub128(hi, lo, chi, clo, m uint64) (h, l uint64, negative bool) {
	phi, plo := bits.Mul64(clo, m)
	// The product is at most the count of the state, which has two words.
	phi += chi * m
	l, borrow := bits.Sub64(lo, plo, 0)
	h, borrow = bits.Sub64(hi, phi, borrow)
	return h, l, borrow != 0
}

// divide128 sets u to u mod c and returns the quotient, as divMod does.
func divide128(hi, lo *uint64, chi, clo uint64) uint64 {
	q := uint64((float64(*hi)*two64 + float64(*lo)) / (float64(chi)*two64 + float64(clo)))
	h, l, negative := sub128(*hi, *lo, chi, clo, q)
	if negative {
		var carry uint64
		q--
		l, carry = bits.Add64(l, clo, 0)
		h, _ = bits.Add64(h, chi, carry)
	} else if h2, l2, less := sub128(h, l, chi, clo, 1); !less {
		q++
		h, l = h2, l2
	}
	*hi, *lo = h, l
	return q
}

// write appends the q-th character of an edge; with but, not counting the last
// character, which is of that edge.
func (w *writer) write(e *edge, q int, but bool) {
	spans := w.spans[e.from : e.from+e.n]
	if but && q >= place(spans, w.last) {
		q++
	}
	for _, s := range spans {
		if q < int(s.n) {
			w.last = s.from + int32(q)
			break
		}
		q -= int(s.n)
	}
	w.state = e.to
	w.dst = utf8.AppendRune(w.dst, w.chars[w.last])
}

// again appends the last character once more.
func (w *writer) again(st *state) {
	w.state = st.repeat
	w.dst = utf8.AppendRune(w.dst, w.chars[w.last])
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
