package token_test

import (
	"math"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/token"
)

func TestMaxBits(t *testing.T) {
	log2 := math.Log2
	for _, c := range []struct {
		text string
		form string
		bits float64
	}{
		{"", "empty", 0},
		{"0", "digits", log2(10)},
		{"123456", "digits", 6 * log2(10)},
		{"deadbeef", "hexadecimal", 32},
		{"DEADBEEF00", "hexadecimal", 40},
		{"deadBEEF", "letters", 8 * log2(52)},
		{"password", "lower-case letters", 8 * log2(26)},
		{"PASSWORD", "upper-case letters", 8 * log2(26)},
		{"JBSWY3DP", "base32", 40},
		{"jbswy3dp", "base32", 40},
		{"jbswy3d9", "lower-case letters and digits", 8 * log2(36)},
		{"JBSWY3D9", "upper-case letters and digits", 8 * log2(36)},
		{"Password", "letters", 8 * log2(52)},
		{"Passw0rd", "base62", 8 * log2(62)},
		{"Passw0rd-_", "base64url", 60},
		{"Passw0rd+/", "base64", 60},
		{"Passw0rd+A==", "base64", 60},
		{"Passw0rdAAA=", "base64", 66},
		{"AAA=", "base64", 18},
		{"====", "printable ASCII", 4 * log2(95)},
		{"Passw0rd!", "printable ASCII", 9 * log2(95)},
		{"a b", "printable ASCII", 3 * log2(95)},
		{"a=b", "printable ASCII", 3 * log2(95)},
		{"a\n", "ASCII", 14},
		{"\x00", "ASCII", 7},
		{"\u00e9t\u00e9", "Unicode", 3 * log2(1112064)},
		{"\U0001f511", "Unicode", log2(1112064)},
		{"\xff\xfe", "bytes", 16},
		{"550e8400-e29b-41d4-a716-446655440000", "UUID", 122},
		{"550E8400-E29B-41D4-B716-446655440000", "UUID", 122},
		{"550e8400-e29b-11d4-a716-446655440000", "UUID", 128},
		{"550e8400-e29b-41d4-0716-446655440000", "UUID", 128},
		{"550e8400e29b-41d4-a716-4466554400000", "base64url", 36 * 6},
		{"550e8400-e29b-41d4-a716-44665544000g", "base64url", 36 * 6},
		{token.New("sk").Reveal(), "keyed token", 43 * log2(62)},
	} {
		bits, form := token.MaxBits(c.text)
		if form != c.form || math.Abs(bits-c.bits) > 1e-9 {
			t.Errorf("MaxBits(%q) is %v, %q; want %v, %q", c.text, bits, form, c.bits, c.form)
		}
	}
}

// TestMaxBitsIsABound: for a text that is taken for what it is, the bound is never
// less than what is known to have been put in.
func TestMaxBitsIsABound(t *testing.T) {
	names := map[token.Format]string{
		token.FormatURLSafe: "base64url", token.FormatHex: "hexadecimal", token.FormatBase32: "base32", token.FormatBase62: "base62",
	}
	for _, r := range recipes() {
		recognised := 0
		for text := range r.Many(50) {
			bits, form := token.MaxBits(text)
			if form != names[r.Format] && form != "keyed token" {
				continue // taken for a smaller alphabet, all of whose characters are in this one
			}
			recognised++
			if bits < r.Bits()-1e-9 {
				t.Errorf("%v: at most %v bits, but there are %v", r, bits, r.Bits())
			}
		}
		if r.Bytes >= 241 && r.Format != token.FormatRaw && recognised == 0 { // once in 10^80
			t.Errorf("%v: none is taken for %s", r, names[r.Format])
		}
	}
	if bits, form := token.MaxBits(strings.Repeat("a", 1<<20)); form != "hexadecimal" || bits != 4<<20 {
		t.Errorf("a megabyte has at most %v bits as %s", bits, form)
	}
}
