package password

import (
	"unicode/utf8"

	"github.com/keyfob-dev/keyfob/internal/draw"
)

const (
	batchBlock = 128 // bytes that one password without rules reads at a time at the most
	onStack    = 128 // bytes of a password that need no room on the heap
	batchMost  = 3   // characters of one batch
)

// A batch draws characters of one alphabet, each uniformly and independently,
// several from one word of random bytes.
type batch struct {
	alphabet []rune // 2 to 256
	size     int    // characters from one word: 1 to batchMost
	floor    [batchMost + 1]uint32
}

// ascii draws what [Random] draws.
var ascii = newBatch([]rune(printable))

// newBatch chooses the size that takes the fewest bytes for a character.
func newBatch(alphabet []rune) *batch {
	b := &batch{alphabet: alphabet}
	best := 0.0
	for size, all := 1, 1; size <= batchMost; size++ {
		all *= len(alphabet) // outcomes of a word of so many bytes
		words := 1 << (8 * size)
		b.floor[size] = uint32(words % all)
		accepted := float64(words-words%all) / float64(words)
		// Each size needs one byte for a character, and is accepted so often.
		if accepted > best {
			b.size, best = size, accepted
		}
	}
	return b
}

// block returns how many bytes to read for a password of n characters: enough in
// most cases, and few.
func (b *batch) block(n int) int {
	words := (n + b.size - 1) / b.size
	all := float64(uint32(1) << (8 * b.size))
	accepted := 1 - float64(b.floor[b.size])/all
	return min(batchBlock, int(float64(words*b.size)/accepted)+b.size)
}

// append appends n characters to dst.
func (b *batch) append(dst []byte, n int, s *draw.Stream) []byte {
	for n > 0 {
		size := min(b.size, n)
		var word uint32
		for i, v := range s.Next(size) {
			word |= uint32(v) << (8 * i)
		}
		digits, ok := b.split(word, size)
		if !ok {
			continue
		}
		for _, d := range digits[:size] {
			dst = utf8.AppendRune(dst, b.alphabet[d])
		}
		n -= size
	}
	return dst
}

// split makes a word of so many bytes into as many characters, or rejects it.
//
// With k characters, the word w of m values stands for the number w*k^size/m,
// rounded down, whose digits to base k are the characters. They come out one by
// one, the first as w*k/m and the next from what is left of that product, so
// that nothing is divided. What is left at the end is w*k^size mod m. Each number
// is that of as many words, rounded down or up, and rejecting the words that
// leave less than m mod k^size takes away just those that are too many. (It is
// Lemire's multiplication, with Brackett-Rozinsky, for several digits at once.)
func (b *batch) split(word uint32, size int) (digits [batchMost]uint8, ok bool) {
	k, shift := uint32(len(b.alphabet)), 8*uint(size)
	mask := uint32(1)<<shift - 1
	for i := range size {
		word *= k // below 2^24 times 2^8
		digits[i] = uint8(word >> shift)
		word &= mask
	}
	return digits, word >= b.floor[size]
}
