package nonce_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"math"
	"testing"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/keyfob-dev/keyfob/nonce"
)

// bareSeal returns what a program does without this package: a nonce from crypto/rand,
// before what the AEAD makes of the message.
func bareSeal(tb testing.TB, a nonce.Algorithm, secret []byte) (seal func(dst, plaintext []byte) []byte, aead cipher.AEAD) {
	tb.Helper()
	var err error
	if a == nonce.AES256GCM {
		block, berr := aes.NewCipher(secret)
		if berr != nil {
			tb.Fatal(berr)
		}
		aead, err = cipher.NewGCM(block)
	} else {
		aead, err = chacha20poly1305.NewX(secret)
	}
	if err != nil {
		tb.Fatal(err)
	}
	size := aead.NonceSize()
	return func(dst, plaintext []byte) []byte {
		dst = dst[:size]
		rand.Read(dst)
		return aead.Seal(dst, dst, plaintext, nil)
	}, aead
}

// BenchmarkSeal seals 1 KiB with a Key and with the bare AEAD, by turns, and prints
// how the times compare. "times-bare" is to be at most 1.1.
//
//	go test -run '^$' -bench 'Seal|Open' ./nonce
func BenchmarkSeal(b *testing.B) {
	for _, a := range algorithms {
		b.Run(a.String(), func(b *testing.B) {
			k, secret := newKey(b, nonce.KeyConfig{Algorithm: a})
			bare, _ := bareSeal(b, a, secret)
			plaintext := make([]byte, 1024)
			buf := make([]byte, 0, 2048)
			byTurns(b, func() { k.Seal(buf, plaintext, nil) }, func() { bare(buf, plaintext) })
		})
	}
}

// BenchmarkOpen does the same with opening.
func BenchmarkOpen(b *testing.B) {
	for _, a := range algorithms {
		b.Run(a.String(), func(b *testing.B) {
			k, secret := newKey(b, nonce.KeyConfig{Algorithm: a})
			_, aead := bareSeal(b, a, secret)
			sealed := seal(b, k, make([]byte, 1024), "")
			size := aead.NonceSize()
			buf := make([]byte, 0, 2048)
			byTurns(b, func() { k.Open(buf, sealed, nil) }, func() { aead.Open(buf, sealed[:size], sealed[size:], nil) })
		})
	}
}

// byTurns runs both in short rounds, and compares the fastest round of each: what else
// the machine does only makes a round slower.
func byTurns(b *testing.B, ours, bare func()) {
	const round = 200
	best := [2]time.Duration{math.MaxInt64, math.MaxInt64}
	b.ReportAllocs()
	for b.Loop() {
		for i, f := range []func(){ours, bare} {
			start := time.Now()
			for range round {
				f()
			}
			best[i] = min(best[i], time.Since(start))
		}
	}
	b.ReportMetric(float64(best[0].Nanoseconds())/round, "ns-ours")
	b.ReportMetric(float64(best[1].Nanoseconds())/round, "ns-bare")
	b.ReportMetric(float64(best[0])/float64(best[1]), "times-bare")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkCount is what the counting takes.
func BenchmarkCount(b *testing.B) {
	c, err := nonce.CreateCounter(nonce.CounterConfig{Store: new(nonce.Memory)})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("one", func(b *testing.B) {
		var buf [12]byte
		for b.Loop() {
			c.Append(buf[:0])
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			var buf [12]byte
			for pb.Next() {
				c.Append(buf[:0])
			}
		})
	})
}

func BenchmarkRandom(b *testing.B) {
	for b.Loop() {
		nonce.Random(12)
	}
}

// BenchmarkFile is what a reservation in a file takes, at every 65536th message.
func BenchmarkFile(b *testing.B) {
	c, err := nonce.CreateCounter(nonce.CounterConfig{Store: nonce.File(b.TempDir() + "/count"), Block: 1})
	if err != nil {
		b.Skip(err)
	}
	for b.Loop() {
		if _, err := c.Next(); err != nil {
			b.Fatal(err)
		}
	}
}
