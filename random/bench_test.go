package random_test

import (
	"crypto/rand"
	"math/big"
	mathrand "math/rand/v2"
	"testing"

	"github.com/keyfob-dev/keyfob/random"
)

// BenchmarkOne sets each draw beside what a user would write without this package.
func BenchmarkOne(b *testing.B) {
	items := make([]int, 1000)
	thousand := big.NewInt(1000)
	for _, one := range []struct {
		name string
		f    func()
	}{
		{"Bytes 32", func() { _ = random.Bytes(32) }},
		{"peer/make+rand.Read 32", func() { p := make([]byte, 32); rand.Read(p); sink = p }},
		{"Int 1000", func() { random.Int(1000) }},
		{"peer/rand.Int 1000", func() { rand.Int(rand.Reader, thousand) }},
		{"BigInt 1000", func() { random.BigInt(thousand) }},
		{"Source", func() { random.Source{}.Uint64() }},
		{"Choices 1000", func() { random.Choices(items, nil, 1000) }},
		{"Sample 10 of 1000", func() { random.Sample(items, 10) }},
		{"Sample 900 of 1000", func() { random.Sample(items, 900) }},
		{"Shuffle 1000", func() { random.Shuffle(items) }},
		{"peer/math/rand/v2 on Source, Shuffle 1000", func() {
			mathrand.New(random.Source{}).Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
		}},
	} {
		b.Run(one.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				one.f()
			}
		})
	}
}

var sink []byte
