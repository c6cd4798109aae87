package token

import (
	"errors"
	"fmt"
)

// ErrFormat is wrapped by the error for a name that is no format's.
var ErrFormat = errors.New("unknown format")

// A Format is the form that a token's entropy is written in. The zero value is
// FormatURLSafe. Its text, as a flag or in JSON, is urlsafe, hex, base32, base62
// or raw.
type Format uint8

const (
	FormatURLSafe Format = iota // base64url without padding, as [URLSafe] writes it
	FormatHex                   // lower-case hexadecimal, as [Hex] writes it
	FormatBase32                // upper-case base32 without padding, as [Base32] writes it
	FormatBase62                // uniform characters of 0-9, A-Z and a-z, as [Base62] draws them
	FormatRaw                   // the bytes themselves, as [Bytes] returns them
)

var formatNames = [...]string{"urlsafe", "hex", "base32", "base62", "raw"}

// base62 is the alphabet of FormatBase62 and of what follows a keyed token's
// prefix; the place of a character is its value in the checksum.
const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// log2of62 is the entropy of one such character, in bits.
const log2of62 = 5.954196310386875

// String returns the format's name.
func (f Format) String() string {
	if int(f) < len(formatNames) {
		return formatNames[f]
	}
	return fmt.Sprintf("Format(%d)", uint8(f))
}

// MarshalText returns the format's name. The error, for a value that is none of
// the constants, wraps ErrFormat.
func (f Format) MarshalText() ([]byte, error) {
	if int(f) >= len(formatNames) {
		return nil, fmt.Errorf("%w: %s is none of urlsafe, hex, base32, base62 and raw", ErrFormat, f)
	}
	return []byte(formatNames[f]), nil
}

// UnmarshalText sets the format that text names, exactly so spelled. Its error
// wraps ErrFormat.
func (f *Format) UnmarshalText(text []byte) error {
	for i, name := range formatNames {
		if name == string(text) {
			*f = Format(i)
			return nil
		}
	}
	return fmt.Errorf("%w: %.20q is none of urlsafe, hex, base32, base62 and raw", ErrFormat, text)
}

// length returns the number of characters that n bytes of entropy take.
func (f Format) length(n int) int {
	switch f {
	case FormatURLSafe:
		return (8*n + 5) / 6
	case FormatHex:
		return 2 * n
	case FormatBase32:
		return (8*n + 4) / 5
	case FormatBase62:
		return base62Length(n)
	default:
		return n
	}
}

// Two fractions on either side of 8/log2(62), the characters that a byte takes.
// They are neighbours (upperNum*lowerDen - lowerNum*upperDen is 1), so a fraction
// strictly between them has a denominator of upperDen+lowerDen or more.
const (
	upperNum, upperDen = 451754, 336229
	lowerNum, lowerDen = 1256449, 935143
)

// base62Length returns ceil(8n/log2(62)), exactly, for n of 1 to MaxBytes: the
// least m with 62^m > 2^8n (they are never equal). Rounding up n*upperNum/upperDen
// gives no more: otherwise m/n, with that least m, would lie strictly between the
// two fractions, and n be at least upperDen+lowerDen.
func base62Length(n int) int {
	return int((int64(n)*upperNum + upperDen - 1) / upperDen)
}
