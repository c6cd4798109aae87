package nonce_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"testing/cryptotest"

	"github.com/keyfob-dev/keyfob/nonce"
)

func TestRandom(t *testing.T) {
	for _, n := range []int{12, 16, 24, 32} {
		const rounds = 256
		seen := map[string]bool{}
		var ones, zeros [32]byte // bits that were seen so, at each place
		for range rounds {
			b := nonce.Random(n)
			if len(b) != n {
				t.Fatalf("Random(%d) has %d bytes", n, len(b))
			}
			seen[string(b)] = true
			for i, c := range b {
				ones[i] |= c
				zeros[i] |= ^c
			}
		}
		if len(seen) != rounds {
			t.Errorf("of %d nonces of %d bytes only %d are different", rounds, n, len(seen))
		}
		// A bit stays the same in 256 random nonces with a chance of 2^-255.
		if full := bytes.Repeat([]byte{0xff}, n); !bytes.Equal(ones[:n], full) || !bytes.Equal(zeros[:n], full) {
			t.Errorf("Random(%d) has bits that never change: %x %x", n, ones[:n], zeros[:n])
		}
	}
}

// The bytes are those of crypto/rand, all of them and in order.
func TestRandomIsTheSystems(t *testing.T) {
	cryptotest.SetGlobalRandom(t, 1)
	a := nonce.Random(24)
	cryptotest.SetGlobalRandom(t, 1)
	if b := nonce.Random(24); !bytes.Equal(a, b) {
		t.Errorf("%x and %x of one source", a, b)
	}
}

func TestSizes(t *testing.T) {
	for n := -1; n <= 65; n++ {
		good := n == 12 || n == 16 || n == 24 || n == 32
		err := nonce.CheckSize(n)
		if good != (err == nil) || !good && !errors.Is(err, nonce.ErrSize) {
			t.Errorf("CheckSize(%d) = %v", n, err)
		}
		for name, f := range map[string]func(){
			"Random":      func() { nonce.Random(n) },
			"MaxMessages": func() { nonce.MaxMessages(n) },
		} {
			want := ""
			if !good {
				want = fmt.Sprintf("nonce: %s(%d): wrong size of a nonce: %d bytes; ciphers take 12, 16, 24 or 32", name, n, n)
			}
			if got := panicOf(f); got != want {
				t.Errorf("%s(%d) panics with %q, want %q", name, n, got, want)
			}
		}
	}
}

func panicOf(f func()) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint(r)
		}
	}()
	f()
	return ""
}

// The bound is the largest power of 2 with which m(m-1)/2 pairs of nonces, each equal
// with a chance of 2^-8n, keep the chance within 2^-32.
func TestMaxMessages(t *testing.T) {
	one := big.NewInt(1)
	safe := func(m *big.Int, n int) bool {
		pairs := new(big.Int).Mul(m, new(big.Int).Sub(m, one))
		pairs.Rsh(pairs, 1)
		return pairs.Lsh(pairs, 32).Cmp(new(big.Int).Lsh(one, uint(8*n))) <= 0
	}
	for n, log := range map[int]int{12: 32, 16: 48, 24: 80, 32: 112} {
		m := nonce.MaxMessages(n)
		if m.BitLen() != log+1 || m.TrailingZeroBits() != uint(log) {
			t.Errorf("MaxMessages(%d) = %v, want 2^%d", n, m, log)
		}
		if !safe(m, n) {
			t.Errorf("MaxMessages(%d) is too many", n)
		}
		if safe(new(big.Int).Lsh(m, 1), n) {
			t.Errorf("MaxMessages(%d): twice as many are safe as well", n)
		}
		m.SetInt64(0) // is the caller's own
		if nonce.MaxMessages(n).Sign() == 0 {
			t.Error("MaxMessages returns one number to all")
		}
	}
	// NIST SP 800-38D, section 8.3, and what keys keep to.
	k, _ := newKey(t, nonce.KeyConfig{})
	if limit := nonce.MaxMessages(12); !limit.IsUint64() || limit.Uint64() != 1<<32 || k.Limit() != limit.Uint64() {
		t.Errorf("a key bears %d messages, and its nonces %v", k.Limit(), limit)
	}
}

func TestAlgorithmNames(t *testing.T) {
	for a, name := range map[nonce.Algorithm]string{nonce.AES256GCM: "aes-256-gcm", nonce.XChaCha20Poly1305: "xchacha20-poly1305"} {
		text, err := a.MarshalText()
		var back nonce.Algorithm = 7
		if err != nil || string(text) != name || a.String() != name || back.UnmarshalText(text) != nil || back != a {
			t.Errorf("%v: %q, %v, %v", a, text, err, back)
		}
	}
	none := nonce.Algorithm(2)
	if _, err := none.MarshalText(); !errors.Is(err, nonce.ErrAlgorithm) || none.String() != "Algorithm(2)" {
		t.Errorf("%v: %v", none, err)
	}
	for _, name := range []string{"", "AES-256-GCM", "aes-256-gcm ", "aes-128-gcm", strings.Repeat("x", 1000)} {
		a := none
		if err := a.UnmarshalText([]byte(name)); !errors.Is(err, nonce.ErrAlgorithm) || a != none || len(err.Error()) > 200 {
			t.Errorf("%.40q: %v, %v", name, a, err)
		}
	}
}
