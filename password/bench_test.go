package password_test

import (
	"crypto/rand"
	"math/big"
	"testing"

	"github.com/keyfob-dev/keyfob/password"
)

// The policies of the benchmarks.
var (
	loose   = password.Policy{Length: 16}
	oneEach = password.Policy{Length: 16, Classes: password.AtLeast(1, password.Lower, password.Upper, password.Digits, password.Symbols)}
	tight   = password.Policy{Length: 16, Classes: []password.Class{
		{Chars: password.Lower, Min: 1}, {Chars: password.Upper, Min: 1}, {Chars: password.Digits, Min: 8}, {Chars: password.Symbols, Min: 1},
	}}
	standard = password.Policy{Classes: oneEach.Classes}
	every    = password.Policy{
		Length: 64,
		Classes: []password.Class{
			{Chars: password.Lower, Min: 2}, {Chars: password.Upper, Min: 2}, {Chars: password.Digits, Min: 2}, {Chars: password.Symbols, Min: 1, Max: 6},
		},
		Variety: password.Variety{Min: 3}, NoLookAlikes: true, Exclude: "{}", MaxRun: 2,
		First: password.Lower + password.Upper, NotLast: password.Symbols,
		Forbidden: []string{"password", "admin", "qwerty", "1234", "keyfob"},
	}
)

var benchmarks = []struct {
	name   string
	policy password.Policy
}{
	{"16 of 94", loose}, {"16, one of each", oneEach}, {"16, tight", tight}, {"20, one of each", standard}, {"64, every rule", every},
}

// BenchmarkNew makes one password a loop, and sets it beside what a user would
// write with the standard library alone.
func BenchmarkNew(b *testing.B) {
	b.Run("Random", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			password.Random(16)
		}
	})
	for _, c := range benchmarks {
		g := c.policy.MustCompile()
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				g.New()
			}
		})
	}
	b.Run("peer/rand.Int for each of 16", func(b *testing.B) {
		b.ReportAllocs()
		const chars = password.Digits + password.Upper + password.Lower + password.Symbols
		n := big.NewInt(int64(len(chars)))
		for b.Loop() {
			text := make([]byte, 16)
			for i := range text {
				c, _ := rand.Int(rand.Reader, n)
				text[i] = chars[c.Int64()]
			}
			_ = string(text)
		}
	})
	b.Run("peer/rand.Text", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			rand.Text()
		}
	})
}

// BenchmarkEach makes a thousand passwords a loop.
func BenchmarkEach(b *testing.B) {
	const count = 1000
	for _, c := range benchmarks {
		g := c.policy.MustCompile()
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for range g.Each(count) {
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/count, "ns/password")
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, c := range benchmarks {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.policy.MustCompile()
			}
		})
	}
}

func BenchmarkExplain(b *testing.B) {
	for _, c := range benchmarks {
		g := c.policy.MustCompile()
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				g.Explain()
			}
		})
	}
}

func BenchmarkParseRules(b *testing.B) {
	const text = "minlength: 8; maxlength: 32; required: lower, upper; required: digit; allowed: [-_./\\@$*&!#];"
	b.ReportAllocs()
	for b.Loop() {
		password.ParseRules(text)
	}
}
