package otp_test

import (
	"io"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/otp"
)

// BenchmarkVerify is the figure to set beside other libraries: skew 1, so that three
// codes are computed. bench/ has the peers.
func BenchmarkVerify(b *testing.B) {
	seed := otp.NewSeed()
	at := time.Unix(1_700_000_000, 0)
	for _, a := range []otp.Algorithm{otp.SHA1, otp.SHA256, otp.SHA512} {
		t := otp.TOTP{Algorithm: a}
		code, err := t.Generate(seed, at)
		if err != nil {
			b.Fatal(err)
		}
		wrong := "000000"
		if code == wrong {
			wrong = "000001"
		}
		for _, c := range []struct{ name, code string }{{"hit", code}, {"miss", wrong}, {"malformed", code + "0"}} {
			b.Run(a.String()+"/"+c.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					t.Verify(seed, c.code, at, otp.Never())
				}
			})
		}
		// As a server does it: the seed comes from a database, as bytes.
		raw := seed.Bytes()
		b.Run(a.String()+"/hit with SeedOf", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s, _ := otp.SeedOf(raw)
				t.Verify(s, code, at, otp.Never())
			}
		})
	}
	b.Run("HOTP, window 10", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			otp.HOTP{}.Verify(seed, "000000", otp.Never())
		}
	})
}

func BenchmarkGenerate(b *testing.B) {
	seed := otp.NewSeed()
	b.ReportAllocs()
	for b.Loop() {
		otp.HOTP{}.Generate(seed, 1)
	}
}

func BenchmarkOne(b *testing.B) {
	for _, one := range []struct {
		name string
		make func()
	}{
		{"Random", func() { otp.Random(6) }},
		{"Unambiguous", func() { otp.Unambiguous(8) }},
		{"Recovery", func() { otp.Recovery() }},
		{"NewSeed", func() { otp.NewSeed() }},
	} {
		b.Run(one.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				one.make()
			}
		})
	}
}

// BenchmarkMany makes 1024 codes a loop.
func BenchmarkMany(b *testing.B) {
	const count = 1024
	for _, r := range []otp.Recipe{{}, {Format: otp.FormatUnambiguous}, {Format: otp.FormatRecovery}} {
		b.Run(r.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for code := range r.Each(count) {
					io.Discard.Write(code)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/count, "ns/code")
		})
	}
}

func BenchmarkURI(b *testing.B) {
	k := otp.Key{Issuer: "Acme", Account: "alice@example.com", Seed: otp.NewSeed()}
	uri, err := k.URI()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("make", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			k.URI()
		}
	})
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			otp.ParseURI(uri)
		}
	})
}
