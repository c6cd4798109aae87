package bearer

import (
	"fmt"
	"strings"
)

// presented returns the token in the values of the Authorization header. Errors
// repeat none of them.
func presented(values []string) (string, error) {
	switch {
	case len(values) == 0:
		return "", ErrNoToken
	case len(values) > 1:
		return "", fmt.Errorf("%w: it is there %d times", ErrHeader, len(values))
	}
	scheme, rest, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		// Another scheme says nothing to us (RFC 6750, section 3.1).
		return "", fmt.Errorf("%w: the header Authorization is of another scheme", ErrNoToken)
	}
	text := strings.TrimLeft(rest, " ")
	if !isB64Token(text) {
		return "", fmt.Errorf("%w: what follows Bearer is not a token", ErrHeader)
	}
	return text, nil
}

// isB64Token reports whether text is a b64token (RFC 6750, section 2.1): letters,
// digits and -._~+/ and then any number of =.
func isB64Token(text string) bool {
	text = strings.TrimRight(text, "=")
	if text == "" {
		return false
	}
	for _, b := range []byte(text) {
		letter := 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
		if !letter && strings.IndexByte("-._~+/", b) < 0 {
			return false
		}
	}
	return true
}
