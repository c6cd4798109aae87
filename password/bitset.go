package password

import "math/bits"

// A bitset is a set of characters, by their index in the alphabet.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) add(i int)      { b[i/64] |= 1 << (i % 64) }
func (b bitset) remove(i int)   { b[i/64] &^= 1 << (i % 64) }
func (b bitset) has(i int) bool { return b[i/64]>>(i%64)&1 != 0 }
func (b bitset) empty() bool    { return isZero(b) }

func (b bitset) count() int {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// meets reports whether the sets have a character in common.
func (b bitset) meets(c bitset) bool {
	for i, w := range b {
		if w&c[i] != 0 {
			return true
		}
	}
	return false
}

// key is the same for equal sets of one alphabet only.
func (b bitset) key() string {
	k := make([]byte, 0, 8*len(b))
	for _, w := range b {
		for ; len(k)%8 != 7; w >>= 8 {
			k = append(k, byte(w))
		}
		k = append(k, byte(w))
	}
	return string(k)
}
