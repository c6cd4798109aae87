package nonce

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
)

// KeySize is how many bytes a secret of [CreateKey] has: 256 bits, as with
// random.Bytes(32).
const KeySize = 32

const redacted = "[REDACTED]"

// A KeyConfig says how a [Key] encrypts, and where its count is kept. Store must be
// set.
type KeyConfig struct {
	// Algorithm is AES256GCM unless it is set. Sealed messages do not say which it was.
	Algorithm Algorithm

	// Store keeps the count, of this key alone.
	Store Store

	// Limit is how many messages may be sealed, where that is to be less than what the
	// algorithm bears: 2^32 with AES256GCM, and 2^64-1 with XChaCha20Poly1305, which
	// bears 2^80. 0 stands for that.
	Limit uint64

	// Warn is called by the Seal that first finds 7/8 of the limit used, once for each
	// Key. Without it, slog.Warn tells of it.
	Warn func(used, limit uint64)

	// Block is how many messages are reserved at a time, where 0 stands for 65536. As
	// many are lost when a process ends. A greater one stores more seldom.
	Block uint64

	// AtLeast refuses a stored count that is lower: what Reserved returned, if that is
	// known from elsewhere.
	AtLeast uint64
}

// A Key seals messages, so that nobody without the secret can read or change them. It
// draws the nonces, and counts the messages in its store.
//
// A sealed message is the nonce, the encrypted message and a tag of 16 bytes, as other
// programs have it, too. It hides the length of the message no better than its own
// length does.
//
// A Key prints as [REDACTED].
type Key struct {
	algorithm Algorithm
	aead      func() cipher.AEAD // hidden even from printers that walk unexported fields
	count     *count             // nil if it only opens
	limit     uint64
	warnFrom  uint64
	warn      func(used, limit uint64)
	warned    atomic.Bool
}

// CreateKey returns the Key of a secret that was never used. The store must not have a
// count, or the error wraps [ErrExists]. The secret is copied.
func CreateKey(secret []byte, c KeyConfig) (*Key, error) {
	k, err := newKey(secret, c)
	if err != nil {
		return nil, err
	}
	if c.AtLeast != 0 {
		return nil, fmt.Errorf("%w: AtLeast is for a key that has a count", ErrConfig)
	}
	if err := k.count.create(); err != nil {
		return nil, fmt.Errorf("create key: %w", err)
	}
	return k, nil
}

// OpenKey returns the Key of a secret that CreateKey was called with. The error wraps
// [ErrMissing], [ErrDamaged], [ErrForeign] or [ErrWentBack] for a stored count that
// cannot be relied on; then the key has to be replaced.
func OpenKey(secret []byte, c KeyConfig) (*Key, error) {
	k, err := newKey(secret, c)
	if err != nil {
		return nil, err
	}
	if err := k.count.open(c.AtLeast); err != nil {
		return nil, fmt.Errorf("open key: %w", err)
	}
	return k, nil
}

// OpenOnly returns a Key that opens messages, and has no count: its Seal returns
// [ErrOpenOnly].
func OpenOnly(secret []byte, a Algorithm) (*Key, error) {
	if _, err := a.MarshalText(); err != nil {
		return nil, err
	}
	if len(secret) != KeySize {
		return nil, fmt.Errorf("%w: it has %d bytes, and has to have %d", ErrKey, len(secret), KeySize)
	}
	aead, err := algorithms[a].new(secret)
	if err != nil {
		return nil, err
	}
	return &Key{algorithm: a, aead: func() cipher.AEAD { return aead }}, nil
}

func newKey(secret []byte, c KeyConfig) (*Key, error) {
	k, err := OpenOnly(secret, c.Algorithm)
	if err != nil {
		return nil, err
	}
	most := algorithms[c.Algorithm].messages
	k.limit = c.Limit
	if k.limit == 0 {
		k.limit = most
	}
	if k.limit > most {
		return nil, fmt.Errorf("%w: a limit of %d messages; with %s at most %d are safe", ErrConfig, k.limit, c.Algorithm, most)
	}
	owner, err := keyOwner(secret, c.Algorithm)
	if err != nil {
		return nil, err
	}
	k.count, err = newCount(c.Store, owner, c.Block, k.limit)
	if err != nil {
		return nil, err
	}
	k.warnFrom, k.warn = k.limit-max(1, k.limit/8), c.Warn
	if k.warn == nil {
		k.warn = func(used, limit uint64) {
			slog.Warn("a key nears its limit of messages and has to be replaced", "key", owner, "used", used, "limit", limit)
		}
	}
	return k, nil
}

// keyOwner names a key in its record: by 64 bits that follow from the secret, and from
// which the secret does not follow.
func keyOwner(secret []byte, a Algorithm) (string, error) {
	id, err := hkdf.Key(sha256.New, secret, nil, "keyfob/nonce/owner/v1", 8)
	if err != nil {
		return "", err
	}
	return a.String() + "-" + hex.EncodeToString(id), nil
}

// Seal encrypts and authenticates a message, authenticates additional data, which may
// be nil and is not part of the result, and appends the sealed message to dst. To use
// the plaintext's memory for it, give plaintext[:0] as dst; the additional data must
// not be in what dst grows into.
//
// The error wraps [ErrExhausted] when the key must not be used further, [ErrLong], or
// says what is wrong with the stored count. Nothing was sealed then.
func (k *Key) Seal(dst, plaintext, additionalData []byte) ([]byte, error) {
	if err := k.algorithm.checkLength(uint64(len(plaintext))); err != nil {
		return nil, err
	}
	if k.count == nil {
		return nil, ErrOpenOnly
	}
	n, err := k.count.next()
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if n >= k.warnFrom && k.warned.CompareAndSwap(false, true) {
		k.warn(n+1, k.limit)
	}
	return k.aead().Seal(dst, nil, plaintext, additionalData), nil
}

// Open decrypts what Seal returned, with the same additional data, and appends the
// message to dst. To use the sealed message's memory for it, give sealed[:0] as dst.
// The error is [ErrOpen], whatever is wrong, and the memory in dst was overwritten.
//
// Open counts nothing, and a key that is used up still opens.
func (k *Key) Open(dst, sealed, additionalData []byte) ([]byte, error) {
	overhead := k.algorithm.Overhead()
	if len(sealed) < overhead || k.algorithm.checkLength(uint64(len(sealed)-overhead)) != nil {
		return nil, ErrOpen
	}
	plaintext, err := k.aead().Open(dst, nil, sealed, additionalData)
	if err != nil {
		return nil, ErrOpen
	}
	return plaintext, nil
}

// Overhead returns how many bytes a sealed message is longer than what it holds.
func (k *Key) Overhead() int { return k.algorithm.Overhead() }

// Limit returns how many messages may be sealed in all, or 0 for a Key that only opens.
func (k *Key) Limit() uint64 { return k.limit }

// Reserved returns how many messages are sealed or reserved, as far as this process
// knows: the stored count, for [KeyConfig.AtLeast].
func (k *Key) Reserved() uint64 {
	if k.count == nil {
		return 0
	}
	return k.count.reserved()
}

// String returns [REDACTED].
func (k *Key) String() string { return redacted }

// GoString returns [REDACTED].
func (k *Key) GoString() string { return redacted }

// Format writes [REDACTED], whatever the verb.
func (k *Key) Format(f fmt.State, verb rune) { io.WriteString(f, redacted) }

// MarshalText returns [REDACTED]. A Key that was marshaled cannot be read back.
func (k *Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns [REDACTED].
func (k *Key) LogValue() slog.Value { return slog.StringValue(redacted) }
