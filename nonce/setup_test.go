package nonce_test

import (
	"testing"

	"github.com/keyfob-dev/keyfob/nonce"
	"github.com/keyfob-dev/keyfob/random"
)

var algorithms = []nonce.Algorithm{nonce.AES256GCM, nonce.XChaCha20Poly1305}

// newKey returns a new key and its secret. Without a Store its count is in memory.
func newKey(tb testing.TB, c nonce.KeyConfig) (*nonce.Key, []byte) {
	tb.Helper()
	secret := random.Bytes(nonce.KeySize)
	if c.Store == nil {
		c.Store = new(nonce.Memory)
	}
	k, err := nonce.CreateKey(secret, c)
	if err != nil {
		tb.Fatal(err)
	}
	return k, secret
}

func seal(tb testing.TB, k *nonce.Key, message []byte, data string) []byte {
	tb.Helper()
	sealed, err := k.Seal(nil, message, []byte(data))
	if err != nil {
		tb.Fatal(err)
	}
	return sealed
}
