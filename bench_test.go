package keyfob_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
	"github.com/keyfob-dev/keyfob/store/sqlite"
)

// BenchmarkVerify measures Verify from the cache beside what it cannot do
// without: one HMAC-SHA-256 over as many bytes, by a hash that is used again.
func BenchmarkVerify(b *testing.B) {
	b.Run("bare HMAC", func(b *testing.B) {
		h, message, sum := hmac.New(sha256.New, make([]byte, 32)), make([]byte, digestInput), make([]byte, 0, 32)
		b.ReportAllocs()
		for b.Loop() {
			h.Write(message)
			sum = h.Sum(sum[:0])
			h.Reset()
		}
	})
	for _, n := range []int{1, 10_000} {
		b.Run(fmt.Sprintf("cached, %d keys", n), func(b *testing.B) { benchmarkVerify(b, memory.Open(), n, 0) })
	}
	b.Run("SQLite, no cache", func(b *testing.B) {
		st, err := sqlite.Open(b.TempDir() + "/keyfob.db")
		if err != nil {
			b.Fatal(err)
		}
		defer st.Close()
		benchmarkVerify(b, st, 10_000, -1)
	})
}

// digestInput is the length of what the digest of these keys is made over: ten
// fields with their lengths.
const digestInput = 10*4 + len("keyfob/digest/v1") + len("apikey") + 3*16 + len("default") + len("alice") + 43

func benchmarkVerify(b *testing.B, st store.Store, keys int, stale time.Duration) {
	rk, err := keyfob.CreateRootKey(b.TempDir() + "/root.key")
	if err != nil {
		b.Fatal(err)
	}
	a, err := keyfob.Open(b.Context(), keyfob.Config{Store: st, RootKey: rk, MaxStaleness: stale})
	if err != nil {
		b.Fatal(err)
	}
	defer a.Close(b.Context())
	tokens := make([]string, keys)
	for i := range tokens {
		k, err := a.Issue(b.Context(), keyfob.APIKey{Subject: "alice", Scopes: []string{"read"}})
		if err != nil {
			b.Fatal(err)
		}
		tokens[i] = k.Secret.Reveal()
	}
	check := keyfob.Check{Scopes: []string{"read"}}
	verify := func(i int) {
		if _, err := a.Verify(b.Context(), tokens[i%keys], check); err != nil {
			b.Fatal(err)
		}
	}
	for i := range keys {
		verify(i)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		verify(i)
		i++
	}
}
