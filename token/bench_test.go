package token_test

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/token"
)

// BenchmarkOne sets each form beside what a user would write without this
// package: crypto/rand.Read of the bytes, and an encoder of the standard library.
func BenchmarkOne(b *testing.B) {
	read := func() []byte {
		p := make([]byte, 32)
		rand.Read(p)
		return p
	}
	for _, one := range []struct {
		name string
		make func() string
	}{
		{"Random", token.Random},
		{"URLSafe", func() string { return token.URLSafe(32) }},
		{"Hex", func() string { return token.Hex(32) }},
		{"Base32", func() string { return token.Base32(32) }},
		{"Base62", func() string { return token.Base62(32) }},
		{"Keyed", func() string { return token.New("sk_live").Reveal() }},
		{"NewID", token.NewID},
		{"peer/rand.Read+base64", func() string { return base64.RawURLEncoding.EncodeToString(read()) }},
		{"peer/rand.Read+hex", func() string { return hex.EncodeToString(read()) }},
		{"peer/rand.Read+base32", func() string { return base32.StdEncoding.EncodeToString(read()) }},
		{"peer/rand.Text", rand.Text},
	} {
		b.Run(one.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = one.make()
			}
		})
	}
}

// BenchmarkMany makes 1024 tokens a loop, and sets them beside reading their
// bytes from the system: 32 at a time, and 4096 at a time.
func BenchmarkMany(b *testing.B) {
	const count = 1024
	perToken := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/count, "ns/token")
	}
	for _, r := range []token.Recipe{
		{}, {Format: token.FormatHex}, {Format: token.FormatBase32}, {Format: token.FormatBase62},
		{Format: token.FormatRaw}, {Prefix: "sk_live"},
	} {
		b.Run(fmt.Sprintf("Each/%v", r), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for text := range r.Each(count) {
					io.Discard.Write(text)
				}
			}
			perToken(b)
		})
		b.Run(fmt.Sprintf("Blocks/%v", r), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for lines := range r.Blocks(count, "", "\n") {
					io.Discard.Write(lines)
				}
			}
			perToken(b)
		})
		b.Run(fmt.Sprintf("Many/%v", r), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for text := range r.Many(count) {
					_ = text
				}
			}
			perToken(b)
		})
	}
	for _, size := range []int{32, 4096} {
		b.Run(fmt.Sprintf("peer/rand.Read %d", size), func(b *testing.B) {
			p := make([]byte, size)
			for b.Loop() {
				for range count * 32 / size {
					rand.Read(p)
				}
			}
			perToken(b)
		})
	}
}

func BenchmarkParse(b *testing.B) {
	text := token.New("sk_live").Reveal()
	wrong := text[:len(text)-1] + "!"
	b.Run("good", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			token.Parse(text)
		}
	})
	b.Run("bad", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			token.Parse(wrong)
		}
	})
}

func BenchmarkEqual(b *testing.B) {
	x := strings.Repeat("x", 43)
	y := []byte(x)
	b.ReportAllocs()
	for b.Loop() {
		token.Equal(x, y)
	}
}
