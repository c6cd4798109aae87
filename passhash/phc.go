package passhash

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The sizes that a hash may have, in bytes: those that the PHC string format gives for
// Argon2.
const (
	minSalt, maxSalt = 8, 48
	minSum, maxSum   = 12, 64
)

// maxText is more than the longest hash.
const maxText = 256

// unpadded refuses bits beyond the last byte that are not 0.
var unpadded = base64.RawStdEncoding.Strict()

// format writes a hash as a PHC string.
func format(p Params, salt, sum []byte) string {
	return p.head(len(sum)) + "$" + unpadded.EncodeToString(salt) + "$" + unpadded.EncodeToString(sum)
}

// parse reads a PHC string: if it accepts a text, then format writes that text. Its
// error wraps ErrMalformed or ErrCostly, and repeats none of salt and output.
func parse(text string) (p Params, salt, sum []byte, err error) {
	if len(text) > maxText {
		return nil, nil, nil, malformed("it has %d characters; at most %d are possible", len(text), maxText)
	}
	p, parts, err := parseHead(text)
	if err != nil {
		return nil, nil, nil, err
	}
	if len(parts) != 2 {
		return nil, nil, nil, malformed("after the parameters come the salt and the output, and nothing else")
	}
	if salt, err = decode("salt", parts[0], minSalt, maxSalt); err != nil {
		return nil, nil, nil, err
	}
	if sum, err = decode("output", parts[1], minSum, maxSum); err != nil {
		return nil, nil, nil, err
	}
	if format(p, salt, sum) != text {
		return nil, nil, nil, malformed("l is not the length of the output, which has %d bytes", len(sum))
	}
	return p, salt, sum, nil
}

// parseHead reads the algorithm and the parameters, judges these, and returns the
// parts of the text that follow.
func parseHead(text string) (Params, []string, error) {
	parts := strings.Split(text, "$")
	if parts[0] != "" || len(parts) < 3 {
		return nil, nil, malformed("it is not of the form $algorithm$parameters$salt$output")
	}
	algorithm, parts := parts[1], parts[2:]
	if algorithm == "argon2id" {
		if parts[0] != fmt.Sprint("v=", argon2.Version) || len(parts) < 2 {
			return nil, nil, malformed("argon2id has the version v=%d, before the parameters", argon2.Version)
		}
		parts = parts[1:]
	}
	var p Params
	switch algorithm {
	case "argon2id":
		n, err := numbers(parts[0], "m", "t", "p")
		if err != nil {
			return nil, nil, err
		}
		p = Argon2id{n[0], n[1], n[2]}
	case "scrypt":
		n, err := numbers(parts[0], "ln", "r", "p")
		if err != nil {
			return nil, nil, err
		}
		p = Scrypt{n[0], n[1], n[2]}
	case "pbkdf2-sha256", "pbkdf2-sha512":
		n, err := numbers(parts[0], "i", "l")
		if err != nil {
			return nil, nil, err
		}
		p = PBKDF2{algorithm == "pbkdf2-sha512", n[0]} // l, parse compares with the output
	case "2a", "2b", "2x", "2y":
		return nil, nil, malformed("it is one of bcrypt, which is not read here")
	default:
		return nil, nil, malformed("the algorithm is none of argon2id, scrypt, pbkdf2-sha256 and pbkdf2-sha512")
	}
	if err := p.check(); errors.Is(err, ErrParams) {
		return nil, nil, malformed("%w", err)
	} else if err != nil {
		return nil, nil, err
	}
	return p, parts[1:], nil
}

// numbers reads parameters: whole numbers in their one spelling, in this order.
func numbers(text string, names ...string) ([]int, error) {
	parts := strings.Split(text, ",")
	if len(parts) != len(names) {
		return nil, malformed("it has %d parameters; they are %s, each once", len(parts), strings.Join(names, ", "))
	}
	n := make([]int, len(names))
	for i, part := range parts {
		name, value, ok := strings.Cut(part, "=")
		if !ok || name != names[i] {
			return nil, malformed("parameter %d is not %s=; they are %s, in this order", i+1, names[i], strings.Join(names, ", "))
		}
		v, err := strconv.ParseUint(value, 10, 31)
		if err != nil || strconv.FormatUint(v, 10) != value {
			return nil, malformed("%s is not a whole number below 2^31, without leading zeros", names[i])
		}
		n[i] = int(v)
	}
	return n, nil
}

// decode reads base64, and not the line ends that the encoding would skip.
func decode(what, text string, least, most int) ([]byte, error) {
	b, err := unpadded.DecodeString(text)
	switch {
	case err != nil || strings.ContainsAny(text, "\r\n"):
		return nil, malformed("the %s is not base64 of the alphabet A-Z, a-z, 0-9, + and /, without padding", what)
	case len(b) < least || len(b) > most:
		return nil, malformed("the %s has %d bytes; %d to %d are possible", what, len(b), least, most)
	}
	return b, nil
}

func malformed(text string, args ...any) error {
	return fmt.Errorf("%w: "+text, append([]any{ErrMalformed}, args...)...)
}
