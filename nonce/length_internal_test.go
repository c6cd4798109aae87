package nonce

import (
	"errors"
	"testing"
)

// The limits of a message, from SP 800-38D, section 5.2.1.1 (2^39-256 bits), and RFC
// 8439, section 2.8 (2^32-1 blocks of 64 bytes).
func TestLengths(t *testing.T) {
	for a, most := range map[Algorithm]uint64{AES256GCM: (1<<39 - 256) / 8, XChaCha20Poly1305: (1<<32 - 1) * 64} {
		for _, n := range []uint64{0, 1, most - 1, most} {
			if err := a.checkLength(n); err != nil {
				t.Errorf("%v: %d bytes: %v", a, n, err)
			}
		}
		for _, n := range []uint64{most + 1, 2 * most, 1<<64 - 1} {
			if err := a.checkLength(n); !errors.Is(err, ErrLong) {
				t.Errorf("%v: %d bytes: %v", a, n, err)
			}
		}
	}
}
