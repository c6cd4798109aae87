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
	ascii    bool   // all of it
	size     int    // characters from one word, and its bytes: 1 to batchMost
	need     int    // bytes for 4096 characters on average
	floor    [batchMost + 1]uint32
}

// printed94 draws what [Random] draws.
var printed94 = newBatch([]rune(printable))

// newBatch chooses the size that takes the fewest bytes for a character.
func newBatch(alphabet []rune) *batch {
	b := &batch{alphabet: alphabet, ascii: true}
	for _, r := range alphabet {
		b.ascii = b.ascii && r < utf8.RuneSelf
	}
	for size, all := 1, 1; size <= batchMost; size++ {
		all *= len(alphabet) // outcomes of a word of so many bytes
		words := 1 << (8 * size)
		b.floor[size] = uint32(words % all)
		// Each size takes one byte for a character, and is accepted so often.
		need := 4096 * words / (words - words%all)
		if size == 1 || need < b.need {
			b.size, b.need = size, need
		}
	}
	return b
}

// block returns how many bytes to read for a password of n characters: enough in
// most cases, and few.
func (b *batch) block(n int) int {
	return min(batchBlock, (n+b.size-1)*b.need/4096+b.size)
}

// append appends n characters to dst.
func (b *batch) append(dst []byte, n int, s *draw.Stream) []byte {
	for n > 0 {
		size := min(b.size, n)
		var word uint32
		if v := s.Next(size); size == 3 {
			word = uint32(v[0]) | uint32(v[1])<<8 | uint32(v[2])<<16
		} else {
			for i, v := range v {
				word |= uint32(v) << (8 * i)
			}
		}
		digits, ok := b.split(word, size)
		if !ok {
			continue
		}
		n -= size
		if size == 3 && b.ascii {
			dst = append(dst, byte(b.alphabet[digits&0xff]), byte(b.alphabet[digits>>8&0xff]), byte(b.alphabet[digits>>16]))
			continue
		}
		for range size {
			dst = utf8.AppendRune(dst, b.alphabet[digits&0xff])
			digits >>= 8
		}
	}
	return dst
}

// split makes a word of so many bytes into as many characters, in the bytes of
// digits, or rejects it.
//
// With k characters, the word w of m values stands for the number w*k^size/m,
// rounded down, whose digits to base k are the characters. They come out one by
// one, the first as w*k/m and the next from what is left of that product, so
// that nothing is divided. What is left at the end is w*k^size mod m. Each number
// is that of as many words, rounded down or up, and rejecting the words that
// leave less than m mod k^size takes away just those that are too many. (It is
// Lemire's multiplication, with Brackett-Rozinsky, for several digits at once.)
func (b *batch) split(word uint32, size int) (digits uint32, ok bool) {
	k, shift := uint32(len(b.alphabet)), 8*uint32(size)
	mask := uint32(1)<<shift - 1
	for i := range uint32(size) {
		word *= k // below 2^24 times 2^8
		digits |= word >> shift << (8 * i)
		word &= mask
	}
	return digits, word >= b.floor[size]
}
