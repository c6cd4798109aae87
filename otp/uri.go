package otp

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

const scheme = "otpauth://"

// maxURI is more than Key.URI makes of the longest names, all of them escaped.
const maxURI = 2048

// ParseURI reads an otpauth URI, as [Key.URI] writes it and as authenticator apps
// understand it (Google's Key URI Format). Parameters may come in any order;
// algorithm, digits and period may be left out, and then have their usual values,
// which the Key it returns spells out. The issuer may stand before the account, in
// its parameter, or, with the same text, in both places.
//
// Nothing is guessed. It refuses what apps read in different ways or ignore:
// parameters that it does not know, that come twice, or that belong to the other
// type; an issuer in the label that differs from the parameter; scheme, type,
// parameters or algorithm in another case; "+" in a parameter; user, port and
// fragment; a secret that [ParseSeed] refuses, so one shorter than 128 bits as well;
// names that [CheckIssuer] and [CheckAccount] refuse.
//
// The error wraps ErrURI and says which problem there is. It never repeats any of the
// text, which holds a secret.
func ParseURI(text string) (Key, error) {
	k, err := parseURI(text)
	if err != nil {
		return Key{}, fmt.Errorf("%w: %w", ErrURI, err)
	}
	return k, nil
}

// problem is an error's text without a sentinel of its own.
type problem string

func (p problem) Error() string { return string(p) }

func parseURI(text string) (Key, error) {
	if len(text) > maxURI {
		return Key{}, problem(fmt.Sprintf("it has %d characters; at most %d are allowed", len(text), maxURI))
	}
	if err := checkCharacters(text); err != nil {
		return Key{}, err
	}
	rest, ok := strings.CutPrefix(text, scheme)
	if !ok {
		return Key{}, problem("it does not begin with " + scheme + ", in lower case")
	}
	kind, rest, ok := strings.Cut(rest, "/")
	if !ok {
		return Key{}, problem("the label is missing: it is otpauth://totp/ISSUER:ACCOUNT?secret=…")
	}
	var k Key
	switch kind {
	case "totp":
	case "hotp":
		k.Type = TypeHOTP
	default:
		return Key{}, problem("the type is none of totp and hotp, in lower case, without a user or port")
	}
	label, query, ok := strings.Cut(rest, "?")
	if !ok {
		return Key{}, problem("the parameters are missing: ?secret=…")
	}
	p, err := splitQuery(query)
	if err != nil {
		return Key{}, err
	}
	if err := k.readNames(label, p); err != nil {
		return Key{}, err
	}
	if err := k.readParameters(p); err != nil {
		return Key{}, err
	}
	return k.resolve(), nil
}

// checkCharacters says whether text has only characters that a URI can have (RFC
// 3986, appendix A), and no fragment.
func checkCharacters(text string) error {
	for i := range len(text) {
		switch c := text[i]; {
		case unreserved(c):
		case c == '#':
			return problem("it has a fragment")
		case strings.IndexByte("%:/?[]@!$&'()*+,;=", c) < 0:
			return problem("it holds a character that must be percent-encoded")
		}
	}
	return nil
}

// The parameters of a URI, in the order of a parameters value.
const (
	paramSecret = iota
	paramIssuer
	paramAlgorithm
	paramDigits
	paramPeriod
	paramCounter
	paramCount
)

var paramNames = [paramCount]string{"secret", "issuer", "algorithm", "digits", "period", "counter"}

// parameters holds the text of each parameter; nil is one that is not there.
type parameters [paramCount]*string

// splitQuery takes the query apart. It takes a parameter at a time, and refuses a
// seventh, so that a long query costs nothing.
func splitQuery(query string) (parameters, error) {
	var p parameters
	for part := range strings.SplitSeq(query, "&") {
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			return p, problem("a parameter has no value")
		}
		at := -1
		for i, known := range paramNames {
			if name == known {
				at = i
			}
		}
		if at < 0 {
			return p, problem("a parameter is none of " + strings.Join(paramNames[:], ", ") + ", in lower case")
		}
		if p[at] != nil {
			return p, problem("the parameter " + name + " comes twice")
		}
		p[at] = &value
	}
	return p, nil
}

// readNames reads issuer and account.
func (k *Key) readNames(label string, p parameters) error {
	if strings.Contains(label, "/") {
		return problem("the label holds a /, which must be written %2F")
	}
	label, err := unescape(label)
	if err != nil {
		return err
	}
	// The format allows spaces between the colon and the account.
	issuer, account, prefixed := strings.Cut(label, ":")
	if prefixed {
		account = strings.TrimLeft(account, " ")
		if err := CheckIssuer(issuer); err != nil {
			return err
		}
	} else {
		issuer, account = "", label
	}
	if p[paramIssuer] != nil {
		if strings.Contains(*p[paramIssuer], "+") {
			return problem("the issuer holds a +: a space must be written %20, and a plus %2B")
		}
		named, err := unescape(*p[paramIssuer])
		if err != nil {
			return err
		}
		if err := CheckIssuer(named); err != nil {
			return err
		}
		if prefixed && named != issuer {
			return problem("the label and the parameter name different issuers")
		}
		issuer = named
	}
	k.Issuer, k.Account = issuer, account
	return CheckAccount(account)
}

// readParameters reads all but the issuer.
func (k *Key) readParameters(p parameters) error {
	if p[paramSecret] == nil {
		return problem("the parameter secret is missing")
	}
	var err error
	if k.Seed, err = ParseSeed(*p[paramSecret]); err != nil {
		return err
	}
	if text := p[paramAlgorithm]; text != nil {
		known := false
		for i, name := range algorithmURINames {
			if *text == name {
				k.Algorithm, known = Algorithm(i), true
			}
		}
		if !known {
			return problem("the algorithm is none of " + strings.Join(algorithmURINames[:], ", ") + ", in upper case")
		}
	}
	if n, ok := decimalParameter(p[paramDigits], minCode, maxCode); !ok {
		return problem("the digits are none of 6, 7 and 8")
	} else if n != nil {
		k.Digits = int(*n)
	}
	switch {
	case k.Type == TypeHOTP && p[paramPeriod] != nil:
		return problem("it is for hotp, and has a period")
	case k.Type == TypeTOTP && p[paramCounter] != nil:
		return problem("it is for totp, and has a counter")
	case k.Type == TypeHOTP && p[paramCounter] == nil:
		return problem("it is for hotp, and has no counter")
	}
	if n, ok := decimalParameter(p[paramPeriod], 1, uint64(maxPeriod/time.Second)); !ok {
		return problem(fmt.Sprintf("the period is not a whole number of seconds, 1 to %d", maxPeriod/time.Second))
	} else if n != nil {
		k.Period = time.Duration(*n) * time.Second
	}
	if n, ok := decimalParameter(p[paramCounter], 0, 1<<64-1); !ok {
		return problem("the counter is not a whole number below 2^64")
	} else if n != nil {
		k.Counter = *n
	}
	return nil
}

// decimalParameter reads a number in its one spelling: no sign, no leading zeros. It
// returns nil for a parameter that is not there, and false for one that is wrong.
func decimalParameter(text *string, least, most uint64) (*uint64, bool) {
	if text == nil {
		return nil, true
	}
	n, err := strconv.ParseUint(*text, 10, 64)
	if err != nil || n < least || n > most || strconv.FormatUint(n, 10) != *text {
		return nil, false
	}
	return &n, true
}

// unescape decodes percent-encoding (RFC 3986, section 2.1), and nothing else. What
// it stands for, CheckIssuer and CheckAccount judge.
func unescape(text string) (string, error) {
	if !strings.Contains(text, "%") {
		return text, nil
	}
	b := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			b = append(b, text[i])
			continue
		}
		if i+2 >= len(text) {
			return "", problem("a % is not followed by two hexadecimal digits")
		}
		high, low := hexValue(text[i+1]), hexValue(text[i+2])
		if high < 0 || low < 0 {
			return "", problem("a % is not followed by two hexadecimal digits")
		}
		b = append(b, byte(high<<4|low))
		i += 2
	}
	return string(b), nil
}

func hexValue(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
