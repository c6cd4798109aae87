package otp

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// How long the names in a Key can be, in bytes of UTF-8: RFC 5321 leaves 254 to an
// e-mail address.
const (
	MaxIssuer  = 100
	MaxAccount = 254
)

// A Type is the kind of codes that a Key is for. The zero value is TypeTOTP.
type Type uint8

const (
	TypeTOTP Type = iota // codes of a TOTP
	TypeHOTP             // codes of a HOTP
)

var typeNames = [...]string{"totp", "hotp"}

// String returns the type's name.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return fmt.Sprintf("Type(%d)", uint8(t))
}

// A Key is a seed with all that an authenticator app shows and has to know, as an
// otpauth URI carries it. With an Account and a Seed, it is a key for what a zero
// TOTP verifies. Its Seed prints as [REDACTED]; its other fields are no secrets.
type Key struct {
	// Issuer names the service: what CheckIssuer accepts, or empty. Give one: apps
	// mix up the accounts of services that have none.
	Issuer string

	// Account names the account at the service: what CheckAccount accepts.
	Account string

	// Seed is what the codes are computed from.
	Seed Seed

	// Type says whether by TOTP or HOTP.
	Type Type

	// Algorithm and Digits are those of TOTP or HOTP.
	Algorithm Algorithm
	Digits    int

	// Period is that of TOTP. With TypeHOTP it must be 0.
	Period time.Duration

	// Counter is the first that a HOTP app uses. With TypeTOTP it must be 0.
	Counter uint64
}

// CheckIssuer says whether name can be an issuer: 1 to 100 bytes of UTF-8, all of
// them printable characters other than ":", and no space at either end. Controls,
// marks that change the direction of text, invisible characters and spaces other
// than " " are not printable. The error wraps ErrName. It repeats none of the name.
func CheckIssuer(name string) error { return checkName("the issuer", name, MaxIssuer) }

// CheckAccount says whether name can be an account: 1 to 254 bytes, otherwise as with
// CheckIssuer.
func CheckAccount(name string) error { return checkName("the account", name, MaxAccount) }

func checkName(what, name string, most int) error {
	problem := ""
	switch {
	case name == "":
		problem = "is empty"
	case len(name) > most:
		problem = fmt.Sprintf("has %d bytes; 1 to %d are allowed", len(name), most)
	case !utf8.ValidString(name):
		problem = "is not valid UTF-8"
	case strings.Contains(name, ":"):
		problem = "holds a colon, which separates issuer and account"
	case strings.TrimSpace(name) != name:
		problem = "has a space at an end"
	case strings.ContainsFunc(name, unseen):
		problem = "holds a character that is not printed: a control, an invisible character, or a space other than the usual"
	default:
		return nil
	}
	return fmt.Errorf("%w: %s %s", ErrName, what, problem)
}

// unseen reports whether a character, other than the space, shows nothing by itself
// or changes how others are shown.
func unseen(r rune) bool {
	const blankBraille = '\u2800'
	return !unicode.IsPrint(r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || r == blankBraille
}

// Check says whether the key can be written as a URI. The error wraps ErrName,
// ErrSeed or ErrConfig.
func (k Key) Check() error {
	if k.Issuer != "" {
		if err := CheckIssuer(k.Issuer); err != nil {
			return err
		}
	}
	if err := CheckAccount(k.Account); err != nil {
		return err
	}
	if err := checkSize(k.Seed.Size()); err != nil {
		return err
	}
	switch k.Type {
	case TypeTOTP:
		if k.Counter != 0 {
			return fmt.Errorf("%w: a key for TOTP has no counter", ErrConfig)
		}
		return TOTP{Algorithm: k.Algorithm, Digits: k.Digits, Period: k.Period}.Check()
	case TypeHOTP:
		if k.Period != 0 {
			return fmt.Errorf("%w: a key for HOTP has no period", ErrConfig)
		}
		return HOTP{Algorithm: k.Algorithm, Digits: k.Digits}.Check()
	default:
		return fmt.Errorf("%w: %s is none of totp and hotp", ErrConfig, k.Type)
	}
}

// TOTP returns how the key's codes are computed and verified, with the usual skew. The
// error, for a key that is for HOTP, wraps ErrConfig.
func (k Key) TOTP() (TOTP, error) {
	if k.Type != TypeTOTP {
		return TOTP{}, fmt.Errorf("%w: the key is for %s, not for totp", ErrConfig, k.Type)
	}
	return TOTP{Algorithm: k.Algorithm, Digits: k.Digits, Period: k.Period}, nil
}

// HOTP returns how the key's codes are computed and verified, with the usual window.
// The error, for a key that is for TOTP, wraps ErrConfig.
func (k Key) HOTP() (HOTP, error) {
	if k.Type != TypeHOTP {
		return HOTP{}, fmt.Errorf("%w: the key is for %s, not for hotp", ErrConfig, k.Type)
	}
	return HOTP{Algorithm: k.Algorithm, Digits: k.Digits}, nil
}

// URI returns the key as an otpauth URI, which authenticator apps read from a QR code:
//
//	otpauth://totp/Acme:alice@example.com?secret=…&issuer=Acme&algorithm=SHA1&digits=6&period=30
//
// It holds the seed, and is as secret. All parameters are written, those included
// that have their usual values. A space is %20, which every app understands, and
// never "+". [ParseURI] reads it back. The error wraps ErrName, ErrSeed or ErrConfig.
func (k Key) URI() (string, error) {
	if err := k.Check(); err != nil {
		return "", err
	}
	k = k.resolve()
	var b strings.Builder
	b.WriteString(scheme + k.Type.String() + "/")
	if k.Issuer != "" {
		escape(&b, k.Issuer)
		b.WriteByte(':')
	}
	escape(&b, k.Account)
	b.WriteString("?secret=" + k.Seed.Base32())
	if k.Issuer != "" {
		b.WriteString("&issuer=")
		escape(&b, k.Issuer)
	}
	b.WriteString("&algorithm=" + algorithmURINames[k.Algorithm] + "&digits=" + strconv.Itoa(k.Digits))
	if k.Type == TypeHOTP {
		b.WriteString("&counter=" + strconv.FormatUint(k.Counter, 10))
	} else {
		b.WriteString("&period=" + strconv.FormatInt(int64(k.Period/time.Second), 10))
	}
	return b.String(), nil
}

// resolve fills in what 0 stands for.
func (k Key) resolve() Key {
	if k.Digits == 0 {
		k.Digits = usualCode
	}
	if k.Period == 0 && k.Type == TypeTOTP {
		k.Period = usualPeriod
	}
	return k
}

// escape writes text with everything percent-encoded that is not unreserved (RFC
// 3986, section 2.3), but for "@", which may stand in a path and in a query, and is
// in most account names.
func escape(b *strings.Builder, text string) {
	for i := range len(text) {
		c := text[i]
		if unreserved(c) || c == '@' {
			b.WriteByte(c)
		} else {
			const hex = "0123456789ABCDEF"
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}
