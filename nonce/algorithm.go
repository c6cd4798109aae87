package nonce

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/fips140"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"unsafe"

	"golang.org/x/crypto/chacha20poly1305"
)

// An Algorithm is an AEAD: a cipher that also authenticates. The zero value is
// AES256GCM. Its text is aes-256-gcm or xchacha20-poly1305.
type Algorithm uint8

const (
	// AES256GCM is AES-GCM (NIST SP 800-38D) with a key of 256 bits and nonces of 96: the
	// fastest where the processor has instructions for it, for 2^32 messages of up to
	// 64 GiB less 32 bytes.
	AES256GCM Algorithm = iota

	// XChaCha20Poly1305 is ChaCha20-Poly1305 (RFC 8439) with nonces of 192 bits
	// (draft-irtf-cfrg-xchacha-03): for more messages than anybody sends, of up to
	// 256 GiB less 64 bytes.
	XChaCha20Poly1305
)

const (
	tagSize   = 16
	gcmNonce  = 12
	gcmMax    = 1<<36 - 32 // bytes of a message: NIST SP 800-38D, section 5.2.1.1
	chachaMax = 1<<38 - 64 // RFC 8439, section 2.8
)

var algorithms = [...]struct {
	name     string
	overhead int
	most     uint64 // bytes of a message
	messages uint64 // that one key bears
	new      func(key []byte) (cipher.AEAD, error)
}{
	AES256GCM: {"aes-256-gcm", gcmNonce + tagSize, gcmMax, 1 << 32, newGCM},

	// MaxMessages says 2^80, which no count of 64 bits reaches.
	XChaCha20Poly1305: {"xchacha20-poly1305", chacha20poly1305.NonceSizeX + tagSize, chachaMax, math.MaxUint64, newXChaCha},
}

// String returns the algorithm's name.
func (a Algorithm) String() string {
	if int(a) < len(algorithms) {
		return algorithms[a].name
	}
	return fmt.Sprintf("Algorithm(%d)", uint8(a))
}

// MarshalText returns the algorithm's name. The error, for a value that is none of the
// constants, wraps ErrAlgorithm.
func (a Algorithm) MarshalText() ([]byte, error) {
	if int(a) >= len(algorithms) {
		return nil, fmt.Errorf("%w: %s is none of aes-256-gcm and xchacha20-poly1305", ErrAlgorithm, a)
	}
	return []byte(algorithms[a].name), nil
}

// UnmarshalText sets the algorithm that text names, exactly so spelled. Its error
// wraps ErrAlgorithm.
func (a *Algorithm) UnmarshalText(text []byte) error {
	for i, about := range algorithms {
		if about.name == string(text) {
			*a = Algorithm(i)
			return nil
		}
	}
	return fmt.Errorf("%w: %.30q is none of aes-256-gcm and xchacha20-poly1305", ErrAlgorithm, text)
}

// Overhead returns how many bytes a sealed message is longer than what it holds: 28,
// or 40 with XChaCha20Poly1305. It panics for a value that is none of the constants.
func (a Algorithm) Overhead() int { return algorithms[a].overhead }

// checkLength says whether a message can have n bytes.
func (a Algorithm) checkLength(n uint64) error {
	if most := algorithms[a].most; n > most {
		return fmt.Errorf("%w: %d bytes; with %s at most %d are possible", ErrLong, n, a, most)
	}
	return nil
}

// newGCM returns AES-GCM that draws its nonces by itself, the form that FIPS 140
// approves.
func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func newXChaCha(key []byte) (cipher.AEAD, error) {
	if fips140.Enforced() {
		return nil, ErrFIPS
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	return xchacha{aead}, nil
}

// xchacha is XChaCha20-Poly1305 that draws its nonces and puts them before the
// message, as cipher.NewGCMWithRandomNonce does for AES-GCM.
type xchacha struct{ aead cipher.AEAD }

var errOpen = errors.New("not authentic")

func (x xchacha) NonceSize() int { return 0 }
func (x xchacha) Overhead() int  { return algorithms[XChaCha20Poly1305].overhead }

// Seal lets plaintext lie where the result grows: then it moves to where it is
// encrypted in place.
func (x xchacha) Seal(dst, _, plaintext, additionalData []byte) []byte {
	const before = chacha20poly1305.NonceSizeX
	sealed, out := extend(dst, before+len(plaintext)+tagSize)
	if overlap(out, additionalData) || begin(plaintext) != begin(out) && overlap(out, plaintext) {
		panic("nonce: Seal: the message or its additional data lies across the result")
	}
	if begin(plaintext) == begin(out) {
		text := out[before : before+len(plaintext)]
		copy(text, plaintext)
		plaintext = text
	}
	rand.Read(out[:before])
	x.aead.Seal(out[before:before], out[:before], plaintext, additionalData)
	return sealed
}

// Open lets sealed lie where the result grows: then it moves to where it is decrypted
// in place.
func (x xchacha) Open(dst, _, sealed, additionalData []byte) ([]byte, error) {
	if len(sealed) < x.Overhead() {
		return nil, errOpen
	}
	plaintext, out := extend(dst, len(sealed)-x.Overhead())
	nonce, sealed := sealed[:chacha20poly1305.NonceSizeX], sealed[chacha20poly1305.NonceSizeX:]
	if begin(nonce) == begin(out) {
		nonce = bytes.Clone(nonce)
		sealed = out[:copy(out[:len(sealed)], sealed)]
	}
	if _, err := x.aead.Open(out[:0], nonce, sealed, additionalData); err != nil {
		return nil, errOpen
	}
	return plaintext, nil
}

// overlap reports whether a and b share memory.
func overlap(a, b []byte) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	first := func(s []byte) uintptr { return uintptr(unsafe.Pointer(&s[0])) }
	last := func(s []byte) uintptr { return uintptr(unsafe.Pointer(&s[len(s)-1])) }
	return first(a) <= last(b) && first(b) <= last(a)
}

// begin returns where b lies in memory, or nil if it has no room.
func begin(b []byte) *byte {
	if cap(b) == 0 {
		return nil
	}
	return &b[:1][0]
}

// extend returns b with n bytes more, and these. It reallocates only where b has no
// room.
func extend(b []byte, n int) (whole, more []byte) {
	if cap(b)-len(b) >= n {
		whole = b[:len(b)+n]
	} else {
		whole = make([]byte, len(b)+n)
		copy(whole, b)
	}
	return whole, whole[len(b):]
}
