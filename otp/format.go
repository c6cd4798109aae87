package otp

import "fmt"

// A Format is the form of a drawn code. The zero value is FormatDigits. Its text, as
// a flag or in JSON, is digits, unambiguous or recovery.
type Format uint8

const (
	FormatDigits      Format = iota // decimal digits, as [Random] draws them
	FormatUnambiguous               // characters that are not mistaken, as [Unambiguous] draws them
	FormatRecovery                  // groups of such characters, as [Recovery] makes them
)

var formatNames = [...]string{"digits", "unambiguous", "recovery"}

const (
	digits      = "0123456789"
	unambiguous = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
)

// log2of10 is the entropy of a digit, in bits.
const log2of10 = 3.321928094887362

// How many characters a code can have.
const (
	minDigits, defaultDigits, maxDigits                = 6, 6, 10
	minUnambiguous, defaultUnambiguous, maxUnambiguous = 4, 8, 64

	recoveryGroup  = 4
	recoveryChars  = 24
	recoveryLength = recoveryChars + recoveryChars/recoveryGroup - 1
)

// String returns the format's name.
func (f Format) String() string {
	if int(f) < len(formatNames) {
		return formatNames[f]
	}
	return fmt.Sprintf("Format(%d)", uint8(f))
}

// MarshalText returns the format's name. The error, for a value that is none of the
// constants, wraps ErrFormat.
func (f Format) MarshalText() ([]byte, error) {
	if int(f) >= len(formatNames) {
		return nil, fmt.Errorf("%w: %s is none of digits, unambiguous and recovery", ErrFormat, f)
	}
	return []byte(formatNames[f]), nil
}

// UnmarshalText sets the format that text names, exactly so spelled. Its error wraps
// ErrFormat.
func (f *Format) UnmarshalText(text []byte) error {
	for i, name := range formatNames {
		if name == string(text) {
			*f = Format(i)
			return nil
		}
	}
	return fmt.Errorf("%w: %.20q is none of digits, unambiguous and recovery", ErrFormat, text)
}

// limits returns how many drawn characters a code of the format can have, and how
// many it has where nothing is said.
func (f Format) limits() (least, usual, most int) {
	switch f {
	case FormatDigits:
		return minDigits, defaultDigits, maxDigits
	case FormatUnambiguous:
		return minUnambiguous, defaultUnambiguous, maxUnambiguous
	default:
		return recoveryChars, recoveryChars, recoveryChars
	}
}

// alphabet returns what each drawn character is one of.
func (f Format) alphabet() string {
	if f == FormatDigits {
		return digits
	}
	return unambiguous
}
