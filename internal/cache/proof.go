package cache

import (
	"crypto/sha256"
	"crypto/subtle"
	"sync/atomic"
)

// A Proof remembers the one secret that was proved to be a version's, by its
// SHA-256, so that it need not be proved again. It is never stored. Secrets of 256
// random bits cannot be found by it, nor another one with the same hash.
type Proof struct {
	state atomic.Uint32
	sum   [sha256.Size]byte // written by whom takes the state from none to writing
}

// The states of a Proof.
const (
	none = iota
	writing
	there
)

// Keep remembers a secret that was proved. All that are kept in one Proof must be
// the same.
func (p *Proof) Keep(secret string) {
	if p.state.CompareAndSwap(none, writing) {
		p.sum = hash(secret)
		p.state.Store(there)
	}
}

// Holds reports whether the secret is the one that was kept, in a time that does
// not tell how nearly.
func (p *Proof) Holds(secret string) bool {
	if p.state.Load() != there {
		return false
	}
	sum := hash(secret)
	return subtle.ConstantTimeCompare(sum[:], p.sum[:]) == 1
}

// hash clears its copy of the secret, for which no memory is asked if it is short.
func hash(secret string) [sha256.Size]byte {
	text := append(make([]byte, 0, 64), secret...)
	sum := sha256.Sum256(text)
	clear(text)
	return sum
}
