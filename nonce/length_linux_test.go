package nonce_test

import (
	"errors"
	"math/bits"
	"syscall"
	"testing"

	"github.com/keyfob-dev/keyfob/internal/needs"
	"github.com/keyfob-dev/keyfob/nonce"
)

// A message that is too long is refused before anything looks at it: it is memory that
// nobody may read. Nor does it count.
func TestTooLong(t *testing.T) {
	needs.That(t, bits.UintSize == 64, "needs 64-bit addresses")
	for a, most := range map[nonce.Algorithm]int64{nonce.AES256GCM: 1<<36 - 32, nonce.XChaCha20Poly1305: 1<<38 - 64} {
		long, err := syscall.Mmap(-1, 0, int(most+100), syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE|syscall.MAP_NORESERVE)
		needs.That(t, err == nil, "needs 256 GiB of addresses")
		defer syscall.Munmap(long)
		k, _ := newKey(t, nonce.KeyConfig{Algorithm: a, Limit: 1})
		for _, n := range []int64{most + 1, most + 100} {
			if got, err := k.Seal(nil, long[:n], nil); !errors.Is(err, nonce.ErrLong) || got != nil {
				t.Errorf("%v: %d bytes: %v", a, n, err)
			}
		}
		if got, err := k.Open(nil, long[:most+1+int64(k.Overhead())], nil); err != nonce.ErrOpen || got != nil {
			t.Errorf("%v: open: %v", a, err)
		}
		seal(t, k, nil, "")
	}
}
