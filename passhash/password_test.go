package passhash_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/keyfob-dev/keyfob/passhash"
)

// What is one text to Unicode is one password (NIST SP 800-63B-4, section 3.1.1.2:
// NFC), whichever way it was typed, and what is not, is not.
func TestUnicode(t *testing.T) {
	ctx := context.Background()
	h := &passhash.Hasher{Params: tiny[0]}
	for _, c := range []struct {
		name, a, b string
		same       bool
	}{
		{"é composed and decomposed", "caf\u00e9", "cafe\u0301", true},
		{"two accents in either order", "a\u0323\u0307", "a\u0307\u0323", true},
		{"a composed one and an accent in either order", "\u1e61\u0323", "\u1e63\u0307", true},
		{"Hangul and its letters", "\ud55c", "\u1112\u1161\u11ab", true},
		{"Ångström sign and letter", "\u212b", "\u00c5", true},
		{"30 accents", "a" + strings.Repeat("\u0301", 30), "\u00e1" + strings.Repeat("\u0301", 29), true},
		{"full-width and plain: NFKC, not NFC", "\uff21", "A", false},
		{"ligature and letters: NFKC, not NFC", "\ufb01", "fi", false},
		{"superscript and digit: NFKC, not NFC", "\u00b2", "2", false},
		{"two accents of one class in either order", "a\u0301\u0300", "a\u0300\u0301", false},
		{"upper and lower case", "\u00e9", "\u00c9", false},
		{"letter and accented letter", "e", "\u00e9", false},
		{"Latin and Cyrillic", "a", "\u0430", false},
		{"space and no-break space", "a b", "a\u00a0b", false},
		{"joiner that is typed", "a\u034f", "a", false},
	} {
		for _, pair := range [][2]string{{c.a, c.b}, {c.b, c.a}} {
			err := h.Verify(ctx, pair[1], hash(t, h, pair[0]))
			if c.same && err != nil || !c.same && !errors.Is(err, passhash.ErrMismatch) {
				t.Errorf("%s: %+q against the hash of %+q: %v", c.name, pair[1], pair[0], err)
			}
			if errors.Is(err, passhash.ErrPassword) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	}
}

// Which form it is that is hashed: this is what Python's hashlib makes of the composed
// one, in UTF-8.
func TestComposed(t *testing.T) {
	const text = "$pbkdf2-sha256$i=1000,l=32$c29tZXNhbHRzb21lc2FsdA$vyruY6UJ5JC56/etIlCdkk6arxIdCtC4nq2hicv5Kek"
	for _, password := range []string{"caf\u00e9 \ud55c", "cafe\u0301 \u1112\u1161\u11ab"} {
		if err := passhash.Verify(context.Background(), password, text); err != nil {
			t.Errorf("%+q: %v", password, err)
		}
	}
}

// What cannot be hashed whole and for good is refused, and is the password of no hash.
func TestPasswordsRefused(t *testing.T) {
	ctx := context.Background()
	h := &passhash.Hasher{Params: tiny[0]}
	text := hash(t, h, "hunter2")
	for name, password := range map[string]string{
		"empty":                      "",
		"one byte too long":          strings.Repeat("x", passhash.MaxPassword+1),
		"10 MB":                      strings.Repeat("x", 10_000_000),
		"too long where decomposed":  strings.Repeat("e\u0301", 1366),
		"not UTF-8":                  "hunter2\xff",
		"Latin-1":                    "h\xfcnter2",
		"half a character":           "hunter2\xc3",
		"an overlong slash":          "hunter2\xc0\xaf",
		"a surrogate":                "hunter2\xed\xa0\x80",
		"a character beyond Unicode": "hunter2\xf4\x90\x80\x80",
		"not assigned":               "hunter2\u0378",
		"not a character":            "hunter2\uffff",
		"a zero byte at the end":     "hunter2\x00",
		"31 accents":                 "a" + strings.Repeat("\u0301", 31),
		"31 accents, some composed":  "\u00e1" + strings.Repeat("\u0301", 30),
	} {
		made, err := h.Hash(ctx, password)
		if !errors.Is(err, passhash.ErrPassword) || made != "" {
			t.Errorf("%s: made %q, %v", name, made, err)
		}
		if err := h.Verify(ctx, password, text); !errors.Is(err, passhash.ErrMismatch) || !errors.Is(err, passhash.ErrPassword) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v repeats it", name, err)
		}
	}
}

// Which characters are assigned, package unicode says, and what their composed form
// is, package norm: of one version of Unicode.
func TestOneUnicode(t *testing.T) {
	if norm.Version != unicode.Version {
		t.Errorf("package norm is of Unicode %s, package unicode of %s", norm.Version, unicode.Version)
	}
}
