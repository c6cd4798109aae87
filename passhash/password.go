package passhash

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxPassword is the longest password, in bytes of UTF-8 as it is given: a thousand
// characters or more. NIST asks for at least 64.
const MaxPassword = 4096

// joiner is the combining grapheme joiner, which package norm puts into what has
// more than 30 combining characters in a row, and which NFC never makes or takes.
const joiner = "\u034F"

// prepare returns the bytes to hash: the password in NFC by the process for stabilized
// strings (Unicode Standard Annex 15, section 12.1). That refuses characters that are
// not assigned, since only for those the composed form may change.
func prepare(password string) ([]byte, error) {
	switch {
	case password == "":
		return nil, fmt.Errorf("%w: it is empty", ErrPassword)
	case len(password) > MaxPassword:
		return nil, fmt.Errorf("%w: it has %d bytes; at most %d are allowed", ErrPassword, len(password), MaxPassword)
	case !utf8.ValidString(password):
		return nil, fmt.Errorf("%w: it is not valid UTF-8", ErrPassword)
	case strings.HasSuffix(password, "\x00"): // HMAC pads its key with them, so that they would not count
		return nil, fmt.Errorf("%w: it ends in a zero byte", ErrPassword)
	case strings.ContainsFunc(password, func(r rune) bool { return unicode.Is(unicode.Cn, r) }):
		return nil, fmt.Errorf("%w: it holds a character that Unicode %s does not assign", ErrPassword, unicode.Version)
	}
	composed := norm.NFC.String(password)
	if strings.Count(composed, joiner) != strings.Count(password, joiner) {
		return nil, fmt.Errorf("%w: it has more than 30 combining characters in a row", ErrPassword)
	}
	return []byte(composed), nil
}
