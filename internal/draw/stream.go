// Package draw samples: bounded integers, characters of an alphabet, orders and
// subsets, each exactly uniform.
//
// Every sampler is a function of the bytes of a [Stream] and of nothing else. On
// a stream of the system's generator it draws; on a tape ([Replay]) it computes
// what it would have drawn, so that a test can feed it every input there is and
// count that all outputs come out equally often. That is the proof that a
// sampler is exact, and every sampler here has such a test.
//
// A draw whose range does not divide the range of its bytes rejects: it discards
// the bytes that would favour some outputs, and takes the next. No sampler
// reduces by a remainder, and none computes in floating point.
//
// How many bytes a draw takes tells how often it rejected, which says nothing
// about what it returned.
package draw

import "crypto/rand"

// A Stream hands out random bytes, each of them once. It is good for one call of
// one caller: not for concurrent use, and not to be kept, since the bytes that it
// has read ahead would lie in memory until they become a secret.
type Stream struct {
	block []byte // read ahead
	at    int    // of which so many are used
	tape  bool   // block is all there is
}

// System returns a stream of the operating system's generator, as crypto/rand
// reads it. It reads ahead into block, the whole of it at a time; its length
// bounds what [Stream.Next] can hand out at once. A block on the caller's stack
// stays there. Call [Stream.Clear] when done.
func System(block []byte) Stream {
	return Stream{block: block, at: len(block)}
}

// Block returns the beginning of buf, in the size that suits System for so many
// draws of [Stream.Below](n): long enough that a few reads serve them all, and
// not much longer than they need. buf has at least 8 bytes.
func Block(buf []byte, draws int, n uint64) []byte {
	if draws >= len(buf) {
		return buf
	}
	// A draw takes less than two attempts on average.
	return buf[:min(len(buf), max(1, Width(n)*2*draws))]
}

// Next returns the next k bytes. They are valid until the next use of the
// stream. k is at most the length of the block.
func (s *Stream) Next(k int) []byte {
	if k > len(s.block)-s.at {
		s.refill(k)
	}
	b := s.block[s.at : s.at+k]
	s.at += k
	return b
}

// refill reads a new block, of which k bytes are wanted. What is left of the old
// one is too short, and is dropped unseen.
func (s *Stream) refill(k int) {
	if s.tape {
		panic(spent{})
	}
	if k > len(s.block) {
		panic("draw: more bytes wanted than the block holds")
	}
	rand.Read(s.block)
	s.at = 0
}

// Read fills p, of any length.
func (s *Stream) Read(p []byte) {
	n := copy(p, s.block[s.at:])
	s.at += n
	p = p[n:]
	switch {
	case len(p) == 0:
	case !s.tape && len(p) >= len(s.block):
		rand.Read(p)
	default:
		copy(p, s.Next(len(p)))
	}
}

// Clear overwrites the block with zeros. The stream can be used further.
func (s *Stream) Clear() {
	clear(s.block)
	s.at = len(s.block)
}

// spent is what a stream panics with when a tape has no more bytes.
type spent struct{}

// Replay calls sample with a stream that consists of the bytes of tape. It
// returns how many of them sample used, and false if it wanted more than there
// are. It is for tests.
func Replay(tape []byte, sample func(*Stream)) (used int, ok bool) {
	s := Stream{block: tape, tape: true}
	defer func() {
		if r := recover(); r != nil {
			if _, over := r.(spent); !over {
				panic(r)
			}
			used, ok = s.at, false
		}
	}()
	sample(&s)
	return s.at, true
}
