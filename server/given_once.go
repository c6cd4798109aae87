package server

import (
	"fmt"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
	"github.com/keyfob-dev/keyfob/otp"
)

// Bounds of what is given in other units than the Authority's, which it names in
// its own.
const (
	maxLinkTTL   = 30 * 24 * 60 * 60 // seconds
	maxCodeTTL   = 10 * 60           // seconds
	maxLinkPause = 24 * 60 * 60      // seconds

	maxLifetime = 400 * 24 * 60 * 60 // seconds, of a session

	minChars, maxDigits, maxLength = 6, 10, 16 // of a code
)

// givenOr is the text in a field, or empty where there is none; otherwise says what
// leaving it out means.
func givenOr(field string, text oas.OptString, otherwise string) (string, error) {
	if given, ok := text.Get(); ok && given == "" {
		return "", &keyfob.InputError{Field: field, Problem: "is empty; leave it out " + otherwise}
	}
	return text.Value, nil
}

// givenSeconds is the time in a field, or 0 where there is none.
func givenSeconds(field string, seconds oas.OptInt64, most int64) (time.Duration, error) {
	n, given := seconds.Get()
	if given && (n < 1 || n > most) {
		return 0, &keyfob.InputError{Field: field, Problem: fmt.Sprintf("is out of range; it is 1 to %d seconds", most)}
	}
	return time.Duration(n) * time.Second, nil
}

// givenChars is the number of a code's characters in a field, or 0 where there is
// none.
func givenChars(field string, n oas.OptInt32, most int32) (int, error) {
	if n.Set && (n.Value < minChars || n.Value > most) {
		return 0, &keyfob.InputError{Field: field, Problem: fmt.Sprintf("is out of range; it is %d to %d", minChars, most)}
	}
	return int(n.Value), nil
}

// givenFormat is the form of a code in the fields digits, alphabet and length.
func givenFormat(req *oas.IssueCodeRequest) (format otp.Format, chars int, err error) {
	alphabet, given := req.Alphabet.Get()
	switch {
	case !given && req.Length.Set:
		return 0, 0, &keyfob.InputError{Field: "length", Problem: "is that of an alphabet; give alphabet as well, or digits in its place"}
	case !given:
		chars, err = givenChars("digits", req.Digits, maxDigits)
		return otp.FormatDigits, chars, err
	case alphabet != otp.FormatUnambiguous.String():
		return 0, 0, &keyfob.InputError{Field: "alphabet", Problem: "is none that there is: unambiguous; leave it out for digits"}
	case req.Digits.Set:
		return 0, 0, &keyfob.InputError{Field: "digits", Problem: "is not for a code of an alphabet; give length in its place"}
	}
	chars, err = givenChars("length", req.Length, maxLength)
	return otp.FormatUnambiguous, chars, err
}

// givenAlgorithm is the one in the field algorithm.
func givenAlgorithm(text oas.OptString) (a otp.Algorithm, err error) {
	if name, given := text.Get(); given && a.UnmarshalText([]byte(name)) != nil {
		return a, &keyfob.InputError{Field: "algorithm", Problem: "is none that there is: sha1, sha256 or sha512; leave it out for sha1"}
	}
	return a, nil
}
