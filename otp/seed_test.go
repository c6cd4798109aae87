package otp_test

import (
	"encoding/base32"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/otp"
)

func TestSeedSizes(t *testing.T) {
	if got := otp.NewSeed(); got.Size() != 20 || len(got.Base32()) != 32 || got.Equal(otp.NewSeed()) {
		t.Errorf("NewSeed makes %d bytes, %d characters", got.Size(), len(got.Base32()))
	}
	for n := -2; n <= 140; n++ {
		good := n >= otp.MinSeed && n <= otp.MaxSeed
		if n >= 0 {
			b := []byte(strings.Repeat("x", n))
			s, err := otp.SeedOf(b)
			if good != (err == nil) || !good && (!errors.Is(err, otp.ErrSeed) || s.Size() != 0) {
				t.Errorf("SeedOf of %d bytes: %v", n, err)
			}
			clear(b) // the seed has a copy
			if good && string(s.Bytes()) != strings.Repeat("x", n) {
				t.Errorf("SeedOf of %d bytes is %q", n, s.Bytes())
			}
		}
		if !good {
			if got := panicOf(func() { otp.NewSeedSize(n) }); got != fmt.Sprintf("otp: NewSeedSize(%d): a seed has 16 to 128 bytes", n) {
				t.Errorf("NewSeedSize(%d) panics with %q", n, got)
			}
			continue
		}
		s := otp.NewSeedSize(n)
		back, err := otp.ParseSeed(s.Base32())
		if s.Size() != n || err != nil || !back.Equal(s) || string(back.Bytes()) != string(s.Bytes()) {
			t.Errorf("a seed of %d bytes: %d, and back %v", n, s.Size(), err)
		}
		b := s.Bytes()
		clear(b) // a copy
		if !back.Equal(s) {
			t.Error("Bytes gives the seed away to be changed")
		}
	}
	for _, n := range []int{math.MinInt, math.MaxInt} {
		if panicOf(func() { otp.NewSeedSize(n) }) == "" {
			t.Errorf("NewSeedSize(%d) does not panic", n)
		}
	}
	var zero otp.Seed
	if zero.Size() != 0 || zero.Base32() != "" || len(zero.Bytes()) != 0 || !zero.Equal(otp.Seed{}) || zero.Equal(otp.NewSeed()) {
		t.Error("the zero Seed is not empty")
	}
}

// TestParseSeed: one spelling.
func TestParseSeed(t *testing.T) {
	const good = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for text, want := range map[string]string{
		good:                               "",
		strings.Repeat("A", 26):            "", // 16 bytes
		strings.Repeat("A", 205):           "", // 128 bytes
		strings.Repeat("7", 32):            "",
		"":                                 "it is empty",
		strings.ToLower(good):              "it holds lower-case letters; base32 is written in upper case",
		good[:31] + "q":                    "it holds lower-case letters; base32 is written in upper case",
		good + " ":                         "it holds white space",
		" " + good:                         "it holds white space",
		good + "\n":                        "it holds white space",
		good[:16] + "\r\n" + good[16:]:     "it holds white space",
		good[:4] + " " + good[4:]:          "it holds white space",
		good[:4] + "-" + good[4:]:          "it holds a character other than A-Z and 2-7",
		good[:31] + "1":                    "it holds a character other than A-Z and 2-7",
		good[:31] + "0":                    "it holds a character other than A-Z and 2-7",
		good[:31] + "8":                    "it holds a character other than A-Z and 2-7",
		good[:31] + "\uff21":               "it holds a character other than A-Z and 2-7",
		good[:31] + "\x00":                 "it holds a character other than A-Z and 2-7",
		good[:31] + "\xff":                 "it holds a character other than A-Z and 2-7",
		strings.Repeat("A", 26) + "======": "it is padded; leave the = out",
		good + "=":                         "it is padded; leave the = out",
		strings.Repeat("A", 25):            "it is not whole: its last character cannot be the end of base32",
		good + "A":                         "it is not whole: its last character cannot be the end of base32",
		good + "AAA":                       "it is not whole: its last character cannot be the end of base32",
		good + "AAAAAA":                    "it is not whole: its last character cannot be the end of base32",
		good + "AB":                        "it is not whole: its last character cannot be the end of base32", // bits beyond the last byte
		good + "AAAB":                      "it is not whole: its last character cannot be the end of base32",
		good + "AAAAB":                     "it is not whole: its last character cannot be the end of base32",
		good + "AAAAAAB":                   "it is not whole: its last character cannot be the end of base32",
		"JBSWY3DPEHPK3PXP":                 "it has 10 bytes; 16 to 128 are allowed (128 to 1024 bits)",
		strings.Repeat("A", 24):            "it has 15 bytes; 16 to 128 are allowed (128 to 1024 bits)",
		strings.Repeat("A", 207):           "it has 207 characters; at most 205 are allowed",
		strings.Repeat("A", 10<<20):        "it has 10485760 characters; at most 205 are allowed",
		"otpauth://totp/x?secret=" + good:  "it holds a character other than A-Z and 2-7",
	} {
		s, err := otp.ParseSeed(text)
		switch {
		case want == "" && (err != nil || s.Base32() != text):
			t.Errorf("%q: %v", text, err)
		case want != "" && (!errors.Is(err, otp.ErrSeed) || err.Error() != "not a seed: "+want || s.Size() != 0):
			t.Errorf("%.60q: %v; want %s", text, err, want)
		}
	}
}

// notSeed has every sentence there is, so that none can hold part of a seed.
var notSeed = regexp.MustCompile(`\Anot a seed: (it is empty|it holds white space|it holds a character other than A-Z and 2-7|` +
	`it holds lower-case letters; base32 is written in upper case|it is padded; leave the = out|` +
	`it is not whole: its last character cannot be the end of base32|it has [0-9]+ characters; at most 205 are allowed|` +
	`it has [0-9]+ bytes; 16 to 128 are allowed \(128 to 1024 bits\))\z`)

func FuzzParseSeed(f *testing.F) {
	for _, text := range []string{
		"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "gezdgnbvgy3tqojqgezdgnbvgy3tqojq", strings.Repeat("A", 26), strings.Repeat("7", 205),
		"JBSWY3DPEHPK3PXP", "MZXW6YTBOI======", "AAAA AAAA", "A\nA", "", "\xff",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := otp.ParseSeed(text)
		if err != nil {
			if !errors.Is(err, otp.ErrSeed) || !notSeed.MatchString(err.Error()) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if s.Base32() != text || s.Size() < otp.MinSeed || s.Size() > otp.MaxSeed {
			t.Fatalf("%q is spelled %q", text, s.Base32())
		}
		b, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text)
		if err != nil || string(b) != string(s.Bytes()) {
			t.Fatalf("%q is %x", text, s.Bytes())
		}
	})
}
