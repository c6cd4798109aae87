package main

import (
	"cmp"
	"encoding/base32"
	"encoding/base64"
	"math"
	"slices"
	"strings"

	"github.com/keyfob-dev/keyfob/password"
	"github.com/keyfob-dev/keyfob/token"
)

// A bound is how many bits a text can carry at most if it has a form.
type bound struct {
	Form string  `json:"form"`
	Bits float64 `json:"bits"`
}

// alphabets are the forms of texts whose characters were drawn one by one. Their
// names are those of token.MaxBits.
var alphabets = []struct{ name, chars string }{
	{"digits", password.Digits},
	{"hexadecimal", password.Digits + "abcdef"},
	{"hexadecimal", password.Digits + "ABCDEF"},
	{"base32", password.Upper + "234567"},
	{"base32", password.Lower + "234567"},
	{"base62", password.Digits + password.Upper + password.Lower},
	{"base64url", password.Digits + password.Upper + password.Lower + "-_"},
	{"printable ASCII", " " + password.Digits + password.Upper + password.Lower + password.Symbols},
}

// encodings are the forms of texts that stand for bytes, where a character can carry
// less than its alphabet has: the last one holds what is left.
var encodings = []struct {
	name   string
	decode func(string) ([]byte, error)
	encode func([]byte) string
}{
	{"base32", base32.StdEncoding.DecodeString, base32.StdEncoding.EncodeToString},
	{"base32", unpadded32.DecodeString, unpadded32.EncodeToString},
	{"base64url", base64.RawURLEncoding.DecodeString, base64.RawURLEncoding.EncodeToString},
	{"base64", base64.StdEncoding.DecodeString, base64.StdEncoding.EncodeToString},
}

var unpadded32 = base32.StdEncoding.WithPadding(base32.NoPadding)

// bounds returns the forms that a text could have, from that of the fewest bits to
// that of the most. Of forms with as many bits it has the first.
func bounds(text string) []bound {
	bits, form := token.MaxBits(text)
	all := []bound{{form, bits}}
	switch { // what has such a form by chance is rarer than 1 in 2^32
	case form == "UUID" && bits == 122:
		return []bound{{"UUID of version 4", bits}}
	case form == "UUID", form == "keyed token":
		return all
	}
	add := func(form string, bits float64) {
		if !slices.ContainsFunc(all, func(b bound) bool { return b.Bits == bits }) {
			all = append(all, bound{form, bits})
		}
	}
	for _, a := range alphabets {
		if strings.Trim(text, a.chars) == "" {
			add(a.name, float64(len(text))*math.Log2(float64(len(a.chars))))
		}
	}
	for _, e := range encodings {
		if b, err := e.decode(text); err == nil && e.encode(b) == text {
			add(e.name+" of "+count(len(b), "byte"), 8*float64(len(b)))
		}
	}
	slices.SortStableFunc(all, func(a, b bound) int { return cmp.Compare(a.Bits, b.Bits) })
	return all
}

// entropyText reads the text whose forms are asked for.
func (u *ui) entropyText() (string, error) {
	text, err := u.secretLine("Text")
	if err == nil && strings.HasSuffix(text, "\r") {
		err = wrong("the text ends in CR; end the line in LF alone")
	}
	return text, err
}

// upperBounds prints the forms of a text.
func (u *ui) upperBounds(text string, asJSON bool) error {
	all := bounds(text)
	if asJSON {
		return u.out.json(struct {
			UpperBounds []bound `json:"upper_bounds"`
		}{all})
	}
	t := newTable(u.out)
	t.row("IF IT IS", "BITS AT MOST")
	for _, b := range all {
		t.row(b.Form, bitsText(b.Bits))
	}
	if err := t.end(); err != nil {
		return err
	}
	return u.out.text("These are upper bounds: a text cannot tell how it was drawn. Its recipe can: keyfob entropy --help\n")
}
