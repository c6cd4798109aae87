package passphrase_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/passphrase"
	"github.com/sethvargo/go-diceware/diceware"
)

// BenchmarkOne sets one phrase of six words beside what go-diceware takes for it,
// which rolls each die with crypto/rand.Int.
func BenchmarkOne(b *testing.B) {
	for _, one := range []struct {
		name string
		make func() string
	}{
		{"Random(6)", func() string { return passphrase.Random(6) }},
		{"Random(20)", func() string { return passphrase.Random(20) }},
		{"Recipe", passphrase.Recipe{}.New},
		{"Recipe with capitals and a digit", passphrase.Recipe{Capitalize: true, Digit: true}.New},
		{"Recipe without repeats", passphrase.Recipe{NoRepeats: true}.New},
		{"peer/go-diceware 6", func() string { return strings.Join(diceware.MustGenerate(6), "-") }},
	} {
		b.Run(one.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = one.make()
			}
		})
	}
}

// BenchmarkMany makes 1024 phrases of six words a loop.
func BenchmarkMany(b *testing.B) {
	const count = 1024
	perPhrase := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/count, "ns/phrase")
		b.ReportMetric(6*count*float64(b.N)/b.Elapsed().Seconds(), "words/s")
	}
	for _, r := range []passphrase.Recipe{
		{}, {List: passphrase.EFFShort()}, {NoSeparator: true, Capitalize: true}, {Digit: true}, {NoRepeats: true},
	} {
		b.Run(fmt.Sprintf("Each/%v", r), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for text := range r.Each(count) {
					io.Discard.Write(text)
				}
			}
			perPhrase(b)
		})
		b.Run(fmt.Sprintf("Many/%v", r), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for text := range r.Many(count) {
					_ = text
				}
			}
			perPhrase(b)
		})
	}
}

// BenchmarkParseList reads the large list, as 7776 lines with dice numbers.
func BenchmarkParseList(b *testing.B) {
	text := diceLines(passphrase.EFFLarge())
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := passphrase.ParseList(text); err != nil {
			b.Fatal(err)
		}
	}
}
