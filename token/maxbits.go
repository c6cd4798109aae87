package token

import (
	"math"
	"strings"
	"unicode/utf8"
)

// MaxBits returns an upper bound on the entropy, in bits, of a secret of which
// only the text is known, and the form that the bound is for, as in "hexadecimal".
//
// It is what a generator of that form could have put in at the most, each
// character drawn uniformly: the number of characters times the logarithm of the
// size of the smallest alphabet, of those listed below, that has all of them.
// Nothing is known about how the text was made. "00000000" and "password" get as
// many bits by this bound as random text of their form, and deserve none; and a
// short text of a large alphabet may be taken for one of a smaller. The entropy of
// a secret is known from its recipe only; see [Recipe.Bits].
//
// The forms: "empty", "keyed token" (its secret only), "UUID" (122 bits in version
// 4, RFC 9562; otherwise 128), "digits", "hexadecimal", "lower-case letters",
// "upper-case letters", "base32", "lower-case letters and digits", "upper-case
// letters and digits", "letters", "base62", "base64url", "base64" (padding not
// counted), "printable ASCII", "ASCII", "Unicode", "bytes" (no valid UTF-8).
func MaxBits(text string) (bits float64, form string) {
	if text == "" {
		return 0, "empty"
	}
	if _, err := Parse(text); err == nil {
		return secretLength * log2of62, "keyed token"
	}
	if isUUID(text) {
		if text[14] == '4' && strings.IndexByte("89abAB", text[19]) >= 0 {
			return 122, "UUID"
		}
		return 128, "UUID"
	}
	for _, f := range forms {
		body := text
		if f.name == "base64" {
			body = trimPadding(text)
		}
		if f.holds(body) {
			return float64(len(body)) * math.Log2(float64(f.size)), f.name
		}
	}
	if utf8.ValidString(text) {
		const scalars = 0x110000 - 0x800 // without the surrogates
		return float64(utf8.RuneCountInString(text)) * math.Log2(scalars), "Unicode"
	}
	return 8 * float64(len(text)), "bytes"
}

const (
	digits = "0123456789"
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// forms lists alphabets by size, the smallest first.
var forms = []alphabet{
	newAlphabet("digits", digits),
	newAlphabet("hexadecimal", digits+"abcdef"),
	newAlphabet("hexadecimal", digits+"ABCDEF"),
	newAlphabet("lower-case letters", lower),
	newAlphabet("upper-case letters", upper),
	newAlphabet("base32", upper+"234567"),
	newAlphabet("base32", lower+"234567"),
	newAlphabet("lower-case letters and digits", lower+digits),
	newAlphabet("upper-case letters and digits", upper+digits),
	newAlphabet("letters", upper+lower),
	newAlphabet("base62", base62),
	newAlphabet("base64url", base62+"-_"),
	newAlphabet("base64", base62+"+/"),
	newAlphabet("printable ASCII", span(' ', '~')),
	newAlphabet("ASCII", span(0, 0x7f)),
}

type alphabet struct {
	name string
	size int
	has  [256]bool
}

func newAlphabet(name, chars string) alphabet {
	a := alphabet{name: name, size: len(chars)}
	for _, c := range []byte(chars) {
		a.has[c] = true
	}
	return a
}

// span returns the bytes from first to last.
func span(first, last byte) string {
	var b []byte
	for c := first; c <= last; c++ {
		b = append(b, c)
	}
	return string(b)
}

// holds reports whether the alphabet has each byte of text.
func (a *alphabet) holds(text string) bool {
	for i := range len(text) {
		if !a.has[text[i]] {
			return false
		}
	}
	return true
}

// trimPadding removes one or two "=" that fill a text to a multiple of 4.
func trimPadding(text string) string {
	if len(text)%4 != 0 {
		return text
	}
	if body, ok := strings.CutSuffix(text, "=="); ok {
		return body
	}
	return strings.TrimSuffix(text, "=")
}

// isUUID reports whether text is hexadecimal in groups of 8-4-4-4-12.
func isUUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i := range len(text) {
		c := text[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F') {
				return false
			}
		}
	}
	return true
}
