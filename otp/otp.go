// Package otp makes and verifies one-time codes: codes that a server draws and sends,
// recovery codes on paper, and the codes of authenticator apps and tokens, HOTP (RFC
// 4226) and TOTP (RFC 6238).
//
//	code := otp.Random(6) // such as 047306
//
// # Drawn codes
//
// [Random], [Unambiguous] and [Recovery] draw codes; a [Recipe] says the same as a
// value, knows its exact entropy, and judges the form of what is presented. A code
// of 6 digits has 19.93 bits: it is safe only for as long as somebody counts the
// guesses, and ends the code after a few. A recovery code has 120 bits, and needs
// no counter.
//
// A code has one spelling. Nothing is trimmed, folded or regrouped, so that nobody
// tries the same guess twice under two counts.
//
// # Authenticator apps
//
// A [TOTP] or [HOTP] says how codes are computed; its zero value is what all apps
// understand. The [Seed] is what the app and the server share, and a [Key] is a
// seed with a name, in the otpauth URI that apps read as a QR code.
//
//	key := otp.Key{Issuer: "Acme", Account: "alice@example.com", Seed: otp.NewSeed()}
//	uri, err := key.URI() // show it once, as a QR code
//
//	step, err := otp.TOTP{}.Verify(key.Seed, code, time.Now(), otp.Never())
//	step, err = otp.TOTP{}.Verify(key.Seed, code, time.Now(), otp.After(step))
//
// Verify takes which step was matched last, and returns the one matched now. The
// caller keeps it, and must claim it by an update that succeeds only while the stored
// step is lower: otherwise two calls at once can accept one code. The caller counts
// failures as well: each try guesses a code of 6 digits with a probability of 3 in a
// million at the default skew, and of 10 in a million at the default window of HOTP.
//
// A Seed prints as [REDACTED], whatever prints it, and so does the seed in a Key.
// [Seed.Base32], [Seed.Bytes] and [Key.URI] are the only exits.
//
// # What every function here promises
//
//   - Codes and seeds are drawn by crypto/rand, on every call, each character without
//     bias. Nothing can be seeded, and no random bytes are kept between calls.
//   - No error repeats a code, a seed or a URI.
//   - A size that only a programmer can get wrong panics in a generator, with a
//     sentence. What judges foreign text, and what computes codes, returns errors;
//     the one exception is a [Last] that nobody has set.
//   - Everything is safe for concurrent use.
//
// # FIPS 140
//
// HMAC-SHA-1, so the default of HOTP and TOTP, is not approved. Under
// GODEBUG=fips140=only it returns [ErrFIPS]; SHA256 and SHA512 work, in the apps that
// know them.
package otp

import (
	"errors"
	"fmt"
)

var (
	// ErrMalformed is wrapped by the error for a code that has not the form that is
	// asked for. It was not compared with anything.
	ErrMalformed = errors.New("malformed code")

	// ErrMismatch is wrapped by the error for a code that is well formed and wrong.
	ErrMismatch = errors.New("wrong code")

	// ErrReplayed is wrapped, together with ErrMismatch, by the error for a code of a
	// step that is not after the last: it was right, and comes too late or again.
	ErrReplayed = errors.New("code of a step that has passed")

	// ErrSize is wrapped by the error for a length that a recipe cannot have.
	ErrSize = errors.New("wrong size")

	// ErrFormat is wrapped by the error for a name that is no format's.
	ErrFormat = errors.New("unknown format")

	// ErrAlgorithm is wrapped by the error for a name that is no algorithm's.
	ErrAlgorithm = errors.New("unknown algorithm")

	// ErrConfig is wrapped by the error for a HOTP, TOTP or Key that cannot be.
	ErrConfig = errors.New("wrong configuration")

	// ErrTime is wrapped by the error for a time before 1970, which has no step.
	ErrTime = errors.New("wrong time")

	// ErrSeed is wrapped by the error for what cannot be a seed.
	ErrSeed = errors.New("not a seed")

	// ErrName is wrapped by the error for what cannot be an issuer or an account.
	ErrName = errors.New("wrong name")

	// ErrURI is wrapped by the error for a text that is not an otpauth URI.
	ErrURI = errors.New("not an otpauth URI")

	// ErrFIPS is returned where GODEBUG=fips140=only forbids what is asked for:
	// HMAC-SHA-1 is not approved, and the standard library would panic.
	ErrFIPS = errors.New("HMAC-SHA-1 is not allowed in FIPS 140-only mode; SHA256 and SHA512 are")
)

// Random returns a code of n uniform decimal digits, leading zeros included: n times
// 3.32 bits of entropy, 19.93 for 6 digits. It panics unless n is 6 to 10: fewer can
// be guessed even by those who have few tries, and where more are wanted
// [Unambiguous] is easier on people.
func Random(n int) string {
	if n < minDigits || n > maxDigits {
		panic(fmt.Sprintf("otp: Random(%d): a code has %d to %d digits", n, minDigits, maxDigits))
	}
	return maker{format: FormatDigits, chars: n}.text()
}

// Unambiguous returns a code of n uniform characters of
// ABCDEFGHJKLMNPQRSTUVWXYZ23456789, which has neither I and 1 nor O and 0: 5n bits of
// entropy. It panics unless n is 4 to 64. 4 characters are a little more than 6
// digits; 8 are the size of a Recipe that names none.
func Unambiguous(n int) string {
	if n < minUnambiguous || n > maxUnambiguous {
		panic(fmt.Sprintf("otp: Unambiguous(%d): a code has %d to %d characters", n, minUnambiguous, maxUnambiguous))
	}
	return maker{format: FormatUnambiguous, chars: n}.text()
}

// Recovery returns a recovery code: 24 characters as [Unambiguous] draws them, in
// groups of four with "-" between, as in
// HQ7F-X2MC-9KWP-TBV4-3NRD-LE8Y. It has 120 bits of entropy. From 112 on, NIST SP
// 800-63B-4 (section 3.1.2.2) lets a look-up secret be kept as a plain digest;
// guesses at it are to be counted all the same. Hand out a set of them:
//
//	codes := slices.Collect(otp.Recipe{Format: otp.FormatRecovery}.Many(10))
func Recovery() string { return maker{format: FormatRecovery, chars: recoveryChars}.text() }
