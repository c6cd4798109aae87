package token

import (
	"errors"
	"fmt"
	"unicode"
)

var (
	// ErrMalformed is wrapped by the error for a text that is not a keyed token, or
	// not an id.
	ErrMalformed = errors.New("malformed")

	// ErrPrefix is wrapped by the error for a text that cannot be a prefix.
	ErrPrefix = errors.New("not a token prefix")

	// ErrSize is wrapped by the error for a size that a recipe cannot have.
	ErrSize = errors.New("wrong size")
)

const maxPrefix = 32

// Parse reads a keyed token. It verifies the form and the checksum; whether the
// token was ever issued, only its issuer knows. There is one spelling: if Parse
// accepts a text, then Reveal returns that text, and nothing is trimmed or folded.
//
// The error wraps ErrMalformed and says which problem there is. It never repeats
// any of the text, which may be a secret with a typing error.
func Parse(text string) (Keyed, error) {
	end := len(text) - checksumLength
	at := end - secretLength - idLength
	if at < 2 || at > maxPrefix+1 {
		return Keyed{}, malformed(text)
	}
	// The checksum first: after it, only a text that was made with care fails.
	if sum := checksum(text[:end]); string(sum[:]) != text[end:] {
		return Keyed{}, malformed(text)
	}
	if !isBase62(text[at:]) || text[at-1] != '_' || CheckPrefix(text[:at-1]) != nil {
		return Keyed{}, malformed(text)
	}
	return split(text), nil
}

// malformed finds the problem to tell of: the one that helps most.
func malformed(text string) error {
	at := len(text) - keyedLength
	space, foreign := unexpected(text)
	problem := "the checksum does not match: a character was changed"
	switch {
	case text == "":
		problem = "the token is empty"
	case space:
		problem = "the token holds white space"
	case foreign:
		problem = "the token holds a character other than A-Z, a-z, 0-9 and _"
	case at < 2 || at > maxPrefix+1:
		problem = fmt.Sprintf("the token has %d characters; a keyed token has %d to %d",
			len(text), 2+keyedLength, maxPrefix+1+keyedLength)
	case !isBase62(text[at:]) || text[at-1] != '_':
		problem = fmt.Sprintf("the last _ is not where it belongs, before the last %d characters", keyedLength)
	case CheckPrefix(text[:at-1]) != nil:
		problem = "the prefix is not possible"
	}
	return fmt.Errorf("%w: %s", ErrMalformed, problem)
}

// unexpected reports whether text holds white space, and whether it holds anything
// else that is in no part of a keyed token.
func unexpected(text string) (space, foreign bool) {
	for i, r := range text {
		switch {
		case r == '_' || r < 0x80 && isBase62(text[i:i+1]):
		case unicode.IsSpace(r):
			space = true
		default:
			foreign = true
		}
	}
	return space, foreign
}

// isBase62 reports whether all of text is 0-9, A-Z and a-z.
func isBase62(text string) bool {
	for i := range len(text) {
		if !inBase62[text[i]] {
			return false
		}
	}
	return true
}

var inBase62 = func() (in [256]bool) {
	for i := range len(base62) {
		in[base62[i]] = true
	}
	return in
}()

// CheckPrefix says whether p can be the prefix of keyed tokens: 1 to 32 characters
// of a-z, 0-9 and "_", of which the first is a letter and the last is not "_". The
// error wraps ErrPrefix and says what is wrong; of p it repeats at most one
// character.
func CheckPrefix(p string) error {
	for _, r := range p {
		if !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '_') {
			return wrongPrefix("it holds %q; only a-z, 0-9 and _ are allowed", r)
		}
	}
	switch {
	case p == "":
		return wrongPrefix("it is empty; 1 to %d characters are allowed", maxPrefix)
	case len(p) > maxPrefix:
		return wrongPrefix("it has %d characters; 1 to %d are allowed", len(p), maxPrefix)
	case p[0] < 'a':
		return wrongPrefix("it begins with %q; a letter must be first", p[0])
	case p[len(p)-1] == '_':
		return wrongPrefix("it ends in _; a letter or digit must be last")
	}
	return nil
}

func wrongPrefix(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrPrefix, fmt.Sprintf(format, args...))
}
