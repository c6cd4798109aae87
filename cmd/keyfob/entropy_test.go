package main

import (
	"math"
	"testing"

	"github.com/keyfob-dev/keyfob/password"
	"github.com/keyfob-dev/keyfob/token"
)

// Every form that is named has the text, with the bits of its characters or bytes;
// what a text could have been drawn as is never above the highest bound.
func TestBounds(t *testing.T) {
	log2 := math.Log2
	for _, c := range []struct {
		text string
		want []bound
	}{
		{"123456", []bound{{"digits", 6 * log2(10)}, {"hexadecimal", 24}, {"base62", 6 * log2(62)}, {"base64url", 36}, {"printable ASCII", 6 * log2(95)}}},
		{"DEADBEEF01", []bound{{"hexadecimal", 40}, {"base62", 10 * log2(62)}, {"base64url", 60}, {"printable ASCII", 10 * log2(95)}}},
		{"JBSWY3DP", []bound{{"base32", 40}, {"base62", 8 * log2(62)}, {"base64url", 48}, {"printable ASCII", 8 * log2(95)}}},
		{"MY", []bound{{"base32 of 1 byte", 8}, {"upper-case letters", 2 * log2(26)}, {"base32", 10}, {"base62", 2 * log2(62)}, {"base64url", 12}, {"printable ASCII", 2 * log2(95)}}},
		{"MZ", []bound{{"upper-case letters", 2 * log2(26)}, {"base32", 10}, {"base62", 2 * log2(62)}, {"base64url", 12}, {"printable ASCII", 2 * log2(95)}}}, // the last 2 bits are not 0
		{"MY======", []bound{{"base32 of 1 byte", 8}, {"printable ASCII", 8 * log2(95)}}},
		{"Passw0", []bound{{"base62", 6 * log2(62)}, {"base64url", 36}, {"printable ASCII", 6 * log2(95)}}},
		{"Pass-w0_A", []bound{{"base64url", 54}, {"printable ASCII", 9 * log2(95)}}}, // no bytes are so long
		{"-_A", []bound{{"base64url of 2 bytes", 16}, {"base64url", 18}, {"printable ASCII", 3 * log2(95)}}},
		{"-_B", []bound{{"base64url", 18}, {"printable ASCII", 3 * log2(95)}}}, // the last 2 bits are not 0
		{"+/A=", []bound{{"base64 of 2 bytes", 16}, {"base64", 18}, {"printable ASCII", 4 * log2(95)}}},
		{"+/B=", []bound{{"base64", 18}, {"printable ASCII", 4 * log2(95)}}},
		{"correct horse", []bound{{"printable ASCII", 13 * log2(95)}}},
		{password.Symbols, []bound{{"printable ASCII", 32 * log2(95)}}},
		{"a\tb", []bound{{"ASCII", 21}}},
		{"ä", []bound{{"Unicode", log2(0x110000 - 0x800)}}},
		{"\xff", []bound{{"bytes", 8}}},
		{"550e8400-e29b-41d4-a716-446655440000", []bound{{"UUID of version 4", 122}}},
		{"550e8400-e29b-11d4-a716-446655440000", []bound{{"UUID", 128}}},
		{token.New("sk").Reveal(), []bound{{"keyed token", 43 * log2(62)}}},
	} {
		got := bounds(c.text)
		if len(got) != len(c.want) {
			t.Errorf("%q: %v, want %v", c.text, got, c.want)
			continue
		}
		for i, b := range got {
			if b.Form != c.want[i].Form || math.Abs(b.Bits-c.want[i].Bits) > 1e-9 {
				t.Errorf("%q: %v, want %v", c.text, b, c.want[i])
			}
		}
	}
}

// No bound is below what a recipe put in, and the forms of the recipes are found.
func TestBoundsOfRecipes(t *testing.T) {
	for _, r := range []struct {
		token.Recipe
		form string
	}{
		{token.Recipe{}, "base64url of 32 bytes"},
		{token.Recipe{Bytes: 20}, "base64url of 20 bytes"},
		{token.Recipe{Format: token.FormatHex}, "hexadecimal"},
		{token.Recipe{Format: token.FormatBase32}, "base32 of 32 bytes"},
		{token.Recipe{Format: token.FormatBase62}, "base62"},
		{token.Recipe{Prefix: "sk_live"}, "keyed token"},
	} {
		for text := range r.Many(100) {
			exact := false
			for _, b := range bounds(text) {
				exact = exact || b.Form == r.form && math.Abs(b.Bits-r.Bits()) < 1e-9
			}
			if all := bounds(text); !exact || all[len(all)-1].Bits < r.Bits() {
				t.Fatalf("%v of %s: no %s of %v bits in %v", r.Recipe, text, r.form, r.Bits(), all)
			}
		}
	}
}
