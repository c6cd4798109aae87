// Package seal encrypts what the store keeps for keyfob and nobody else may
// read: AES-256-GCM with random nonces (NIST SP 800-38D, section 8.2.2), which
// under one key is good for 2^32 values.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
)

// ErrOpen: a value was not sealed under this key for this use, or was changed.
var ErrOpen = errors.New("sealed value does not open")

// A Key seals and opens values. It is safe for concurrent use.
type Key struct{ aead cipher.AEAD }

// NewKey returns the Key of 32 bytes.
func NewKey(key []byte) (Key, error) {
	if len(key) != 32 {
		return Key{}, errors.New("a sealing key has 32 bytes")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return Key{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return Key{aead}, err
}

// Seal encrypts a value for one use, which use names without ambiguity. The
// result is longer than the value by 28 bytes.
func (k Key) Seal(value, use []byte) []byte { return k.aead.Seal(nil, nil, value, use) }

// Open returns the value of what Seal made for the same use. The error is
// ErrOpen.
func (k Key) Open(sealed, use []byte) ([]byte, error) {
	value, err := k.aead.Open(nil, nil, sealed, use)
	if err != nil {
		return nil, ErrOpen
	}
	return value, nil
}
