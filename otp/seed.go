package otp

import (
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"io"
	"log/slog"
	"unicode"

	"github.com/keyfob-dev/keyfob/random"
)

// How long a seed can be, in bytes. RFC 4226, section 4, R6, asks for at least 128
// bits and recommends 160, the size of NewSeed. HMAC hashes a key that is longer than
// a block of its hash function (64 bytes, with SHA512 128), so that more adds nothing.
const (
	MinSeed     = 16
	DefaultSeed = 20
	MaxSeed     = 128
)

const redacted = "[REDACTED]"

// A Seed is the secret that a server shares with an authenticator app or token: the K
// of RFC 4226.
//
// Whatever prints it prints [REDACTED]: every verb of fmt, also from within a struct,
// slice or map that holds it; encoding/json, encoding/xml and every other encoder
// that takes a TextMarshaler; log/slog. [Seed.Base32], [Seed.Bytes] and the URI of a
// [Key] are the only ways out. A server has to keep it as it is, not as a digest, so
// it keeps it encrypted: whoever has it makes every code.
//
// A Seed is immutable. It cannot be compared with ==; see [Seed.Equal]. The zero Seed
// is empty, and no code can be made of it.
type Seed struct {
	// A function hides the bytes even from printers that walk unexported fields and
	// follow pointers, and makes == a compile-time error.
	reveal func() string
}

// NewSeed returns a new seed of 20 bytes: 160 bits of entropy.
func NewSeed() Seed { return NewSeedSize(DefaultSeed) }

// NewSeedSize returns a new seed of n bytes: 8n bits of entropy. RFC 6238, section
// 5.1, recommends the length of the HMAC, which is 20 bytes with SHA1, 32 with SHA256
// and 64 with SHA512. It panics unless n is MinSeed to MaxSeed.
func NewSeedSize(n int) Seed {
	if n < MinSeed || n > MaxSeed {
		panic(fmt.Sprintf("otp: NewSeedSize(%d): a seed has %d to %d bytes", n, MinSeed, MaxSeed))
	}
	b := random.Bytes(n)
	defer clear(b)
	return newSeed(b)
}

// SeedOf returns a seed of the bytes, which are copied. The error wraps ErrSeed and
// says how many there must be.
func SeedOf(b []byte) (Seed, error) {
	if err := checkSize(len(b)); err != nil {
		return Seed{}, err
	}
	return newSeed(b), nil
}

// ParseSeed reads a seed in base32 (RFC 4648, section 6): 26 to 205 characters of A-Z
// and 2-7. There is one spelling: if ParseSeed accepts a text, then Base32 returns
// that text. Lower-case letters, padding, white space, "-" between groups, and bits
// beyond the last byte that are not 0 are refused.
//
// The error wraps ErrSeed and says which problem there is. It never repeats any of
// the text.
func ParseSeed(text string) (Seed, error) {
	b, problem := decode(text)
	if problem != "" {
		return Seed{}, fmt.Errorf("%w: %s", ErrSeed, problem)
	}
	defer clear(b)
	return SeedOf(b)
}

func newSeed(b []byte) Seed {
	text := string(b)
	return Seed{reveal: func() string { return text }}
}

// checkSize says whether a seed can have n bytes.
func checkSize(n int) error {
	if n < MinSeed || n > MaxSeed {
		return fmt.Errorf("%w: it has %d bytes; %d to %d are allowed (128 to 1024 bits)", ErrSeed, n, MinSeed, MaxSeed)
	}
	return nil
}

// text returns the bytes, in a string.
func (s Seed) text() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// Base32 returns the seed in upper-case base32 without padding (RFC 4648, section 6),
// as people type it into an app, and other programs read it. 20 bytes make 32
// characters.
func (s Seed) Base32() string { return unpadded.EncodeToString([]byte(s.text())) }

// Bytes returns a copy of the seed's bytes.
func (s Seed) Bytes() []byte { return []byte(s.text()) }

// Size returns the number of bytes: MinSeed to MaxSeed, or 0 for the zero Seed. A
// seed that NewSeed or NewSeedSize made has 8 bits of entropy for each.
func (s Seed) Size() int { return len(s.text()) }

// Equal reports whether two seeds are the same. The time it takes depends on their
// sizes alone.
func (s Seed) Equal(other Seed) bool {
	return subtle.ConstantTimeCompare([]byte(s.text()), []byte(other.text())) == 1
}

// String returns [REDACTED].
func (s Seed) String() string { return redacted }

// GoString returns [REDACTED].
func (s Seed) GoString() string { return redacted }

// Format writes [REDACTED], whatever the verb.
func (s Seed) Format(f fmt.State, verb rune) { io.WriteString(f, redacted) }

// MarshalText returns [REDACTED]. A Seed that was marshaled cannot be read back.
func (s Seed) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns [REDACTED].
func (s Seed) LogValue() slog.Value { return slog.StringValue(redacted) }

// maxBase32 is the number of characters that MaxSeed bytes take.
const maxBase32 = (8*MaxSeed + 4) / 5

var unpadded = base32.StdEncoding.WithPadding(base32.NoPadding)

// decode returns the bytes that base32 stands for, or the problem to tell of.
//
// encoding/base32 skips line ends, and ignores the bits beyond the last byte; so the
// characters are looked at before, and the whole text is compared after.
func decode(text string) (b []byte, problem string) {
	var space, lower, padding, foreign bool
	for _, r := range text[:min(len(text), maxBase32)] {
		switch {
		case 'A' <= r && r <= 'Z', '2' <= r && r <= '7':
		case unicode.IsSpace(r):
			space = true
		case 'a' <= r && r <= 'z':
			lower = true
		case r == '=':
			padding = true
		default:
			foreign = true
		}
	}
	switch {
	case text == "":
		return nil, "it is empty"
	case len(text) > maxBase32:
		return nil, fmt.Sprintf("it has %d characters; at most %d are allowed", len(text), maxBase32)
	case space:
		return nil, "it holds white space"
	case foreign:
		return nil, "it holds a character other than A-Z and 2-7"
	case lower:
		return nil, "it holds lower-case letters; base32 is written in upper case"
	case padding:
		return nil, "it is padded; leave the = out"
	}
	b, err := unpadded.DecodeString(text)
	if err != nil || unpadded.EncodeToString(b) != text {
		clear(b)
		return nil, "it is not whole: its last character cannot be the end of base32"
	}
	return b, ""
}
