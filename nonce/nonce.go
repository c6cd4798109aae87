// Package nonce makes nonces, the numbers used once that ciphers take beside a key,
// and AEAD keys that look after theirs.
//
// Two messages under one key and one nonce give away both, and with AES-GCM the power
// to forge more. A random nonce repeats by chance, and the chance grows with the
// square of the number of messages; so does what has to be counted. A [Key] does all
// of it:
//
//	k, err := nonce.CreateKey(secret, nonce.KeyConfig{Store: nonce.File("backup.count")})
//	sealed, err := k.Seal(nil, message, nil)
//	message, err := k.Open(nil, sealed, nil)
//
// It draws a nonce for every message, counts them, warns when the count comes near
// what its algorithm bears, and then refuses. The count is kept in a [Store], so that
// a restart does not begin anew: CreateKey is for the first time, and [OpenKey] for
// every other.
//
// # Nonces alone
//
// [Random] draws one nonce for a cipher of your own choice. [MaxMessages] tells for
// how many messages of one key that is safe, if all nonces are random:
//
//	bytes  ciphers                                                     messages
//	12     AES-GCM, AES-GCM-SIV, AES-CCM, ChaCha20-Poly1305            2^32
//	16     AES-CBC, AES-EAX, Ascon-AEAD128, AEGIS-128L                 2^48
//	24     XChaCha20-Poly1305, XSalsa20-Poly1305, XAES-256-GCM         2^80
//	32     AEGIS-256                                                   2^112
//
// Up to there the chance that any two of them are equal is less than 2^-32. That is
// the bound of NIST SP 800-38D, section 8, and for AES-GCM the number of messages is
// what its section 8.3 allows, "all instances … with the given key" taken together. A
// cipher can have other limits besides, such as on the length of its messages.
//
// A [Counter] never repeats at all, for as long as its count is kept. It is for
// protocols that want nonces in order, and for more than 2^32 messages where nonces
// are short.
//
// # The stored count
//
// What is stored is always ahead of what is used: a block of numbers is reserved, and
// the store has confirmed that, before the first of them is taken. So a process that
// is killed at any moment loses numbers and never uses one again. A count that is
// damaged, of another key, missing, or lower than it was is refused with an error, and
// nothing is sealed under it. A Counter has no key: its count is told from another's
// by its prefix alone, so give each its own prefix or its own place.
//
// A store that is put back to an older state, as from a backup, looks like that older
// state: while the process runs it is noticed, and after a restart only if AtLeast
// in the configuration says what the count was. After a restore, replace the key.
//
// # FIPS 140
//
// Under GODEBUG=fips140=only AES256GCM works, in its approved form, and
// XChaCha20Poly1305, which is not approved, returns [ErrFIPS].
//
// Everything is safe for concurrent use.
package nonce

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/keyfob-dev/keyfob/random"
)

var (
	// ErrSize is wrapped by the error for a size that no cipher's nonce has.
	ErrSize = errors.New("wrong size of a nonce")

	// ErrExhausted is wrapped by the error for a key or a counter that must not be
	// used further. A new key has to take its place.
	ErrExhausted = errors.New("used up")

	// ErrMissing is wrapped by the error for a store without a count, where there has
	// to be one.
	ErrMissing = errors.New("no count is stored")

	// ErrExists is wrapped by the error for a store with a count, where a new one was
	// to begin.
	ErrExists = errors.New("a count is stored already")

	// ErrDamaged is wrapped by the error for a stored count that is not as it was
	// written.
	ErrDamaged = errors.New("damaged count")

	// ErrForeign is wrapped by the error for a stored count of another key or counter.
	ErrForeign = errors.New("count of another key or counter")

	// ErrWentBack is wrapped by the error for a stored count that is lower than it was.
	ErrWentBack = errors.New("count went back")

	// ErrChanged is what Swap of a Store returns when the record is not the old one.
	ErrChanged = errors.New("the stored count has changed")

	// ErrConfig is wrapped by the error for a configuration that cannot be.
	ErrConfig = errors.New("wrong configuration")

	// ErrKey is wrapped by the error for what cannot be a key.
	ErrKey = errors.New("not a key")

	// ErrAlgorithm is wrapped by the error for what is no algorithm.
	ErrAlgorithm = errors.New("unknown algorithm")

	// ErrLong is wrapped by the error for a message that is longer than the algorithm
	// allows.
	ErrLong = errors.New("message too long")

	// ErrOpen is returned for a message that was not sealed with this key and this
	// additional data. It does not say more, since who asks may be a forger.
	ErrOpen = errors.New("message is not authentic")

	// ErrOpenOnly is returned by Seal of a Key that OpenOnly made.
	ErrOpenOnly = errors.New("this key only opens messages; CreateKey and OpenKey return one that also seals")

	// ErrFIPS is returned where GODEBUG=fips140=only forbids what is asked for.
	ErrFIPS = errors.New("XChaCha20-Poly1305 is not allowed in FIPS 140-only mode; AES-256-GCM is")
)

// defaultBytes is the size of a nonce where none is given: that of AES-GCM.
const defaultBytes = 12

// Random returns a nonce of n random bytes, for one message. It panics unless n is 12,
// 16, 24 or 32; a nonce of 8 bytes, which some old ciphers take, is too short to be
// drawn at random.
func Random(n int) []byte {
	if err := CheckSize(n); err != nil {
		panic(fmt.Sprintf("nonce: Random(%d): %v", n, err))
	}
	return random.Bytes(n)
}

// MaxMessages returns for how many messages under one key random nonces of n bytes are
// safe: the largest power of 2 with which the chance that any two nonces are equal is
// at most 2^-32. The chance is at most m(m-1)/2 in 2^8n, with m messages, so that it
// is 2^(4n-16). It panics where [Random] does.
func MaxMessages(n int) *big.Int {
	if err := CheckSize(n); err != nil {
		panic(fmt.Sprintf("nonce: MaxMessages(%d): %v", n, err))
	}
	return new(big.Int).Lsh(big.NewInt(1), uint(4*n-16))
}

// CheckSize says whether a nonce can have n bytes. The error wraps ErrSize.
func CheckSize(n int) error {
	switch n {
	case 12, 16, 24, 32:
		return nil
	}
	return fmt.Errorf("%w: %d bytes; ciphers take 12, 16, 24 or 32", ErrSize, n)
}
