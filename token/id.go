package token

import (
	"fmt"

	"github.com/keyfob-dev/keyfob/internal/draw"
)

// NewID returns a new public id, as in a keyed token: 16 uniform characters of
// 0-9, A-Z and a-z, 95.27 bits. Two of a billion ids are equal with a probability
// of less than 1 in 10^10. It is for naming things; it is too short to be a secret
// for good, and made to be seen.
func NewID() string {
	var block [32]byte
	var id [idLength]byte
	s := draw.System(block[:idLength+idLength/16+4])
	s.Chars(id[:], base62)
	s.Clear()
	return string(id[:])
}

// CheckID says whether text has the form of an id: 16 characters of 0-9, A-Z and
// a-z. The error wraps ErrMalformed. It never repeats any of the text, which may
// be a token that was pasted by mistake.
func CheckID(text string) error {
	if len(text) != idLength {
		return fmt.Errorf("%w: the id has %d characters; an id has %d", ErrMalformed, len(text), idLength)
	}
	if !isBase62(text) {
		return fmt.Errorf("%w: the id holds a character other than A-Z, a-z and 0-9", ErrMalformed)
	}
	return nil
}
