package otp

import (
	"fmt"
	"strings"
	"unicode"
)

// checkForm is Recipe.CheckForm for a code of so many characters.
func checkForm(f Format, length int, code string) error {
	if len(code) == length {
		good := true
		for i := range len(code) {
			if f == FormatRecovery && i%(recoveryGroup+1) == recoveryGroup {
				good = good && code[i] == '-'
			} else {
				good = good && f.has(code[i])
			}
		}
		if good {
			return nil
		}
	}
	return malformed(f, length, code)
}

// has reports whether c is of the format's alphabet.
func (f Format) has(c byte) bool {
	if f == FormatDigits {
		return '0' <= c && c <= '9'
	}
	return '2' <= c && c <= '9' || 'A' <= c && c <= 'Z' && c != 'I' && c != 'O'
}

// malformed finds the problem to tell of: the one that helps most. A code that is far
// too long is not looked into.
func malformed(f Format, length int, code string) error {
	if len(code) > 4*maxUnambiguous {
		return fmt.Errorf("%w: the code has %d bytes; it must have %d", ErrMalformed, len(code), length)
	}
	var space, lower, foreign bool
	for _, r := range code {
		switch {
		case r < 0x80 && f.has(byte(r)), f == FormatRecovery && r == '-':
		case unicode.IsSpace(r):
			space = true
		case f != FormatDigits && 'a' <= r && r <= 'z' && f.has(byte(r)-'a'+'A'):
			lower = true
		default:
			foreign = true
		}
	}
	allowed := "0-9"
	switch f {
	case FormatUnambiguous:
		allowed = "A-Z without I and O, and 2-9"
	case FormatRecovery:
		allowed = "A-Z without I and O, 2-9 and -"
	}
	problem := fmt.Sprintf("a - is missing or misplaced: groups of %d have one between them", recoveryGroup)
	switch {
	case code == "":
		problem = "the code is empty"
	case space:
		problem = "the code holds white space"
	case foreign:
		problem = "the code holds a character other than " + allowed
	case lower:
		problem = "the code holds lower-case letters; they are written in upper case"
	case f == FormatRecovery && len(strings.ReplaceAll(code, "-", "")) == recoveryChars:
	case len(code) != length:
		problem = fmt.Sprintf("the code has %d characters; it must have %d", len(code), length)
	}
	return fmt.Errorf("%w: %s", ErrMalformed, problem)
}
