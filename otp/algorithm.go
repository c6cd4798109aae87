package otp

import (
	"crypto/fips140"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"
)

// An Algorithm is the hash function that HMAC uses. The zero value is SHA1, the one
// of RFC 4226 and the one that all authenticator apps know; many ignore what a URI
// says and use it always. Collisions of SHA-1 are of no use against HMAC. Its text,
// as a flag or in JSON, is sha1, sha256 or sha512; in an otpauth URI it is in upper
// case.
type Algorithm uint8

const (
	SHA1   Algorithm = iota // HMAC-SHA-1
	SHA256                  // HMAC-SHA-256 (RFC 6238, section 1.2)
	SHA512                  // HMAC-SHA-512 (RFC 6238, section 1.2)
)

var (
	algorithmNames    = [...]string{"sha1", "sha256", "sha512"}
	algorithmURINames = [...]string{"SHA1", "SHA256", "SHA512"}
)

// String returns the algorithm's name.
func (a Algorithm) String() string {
	if int(a) < len(algorithmNames) {
		return algorithmNames[a]
	}
	return fmt.Sprintf("Algorithm(%d)", uint8(a))
}

// MarshalText returns the algorithm's name. The error, for a value that is none of the
// constants, wraps ErrAlgorithm.
func (a Algorithm) MarshalText() ([]byte, error) {
	if int(a) >= len(algorithmNames) {
		return nil, fmt.Errorf("%w: %s is none of sha1, sha256 and sha512", ErrAlgorithm, a)
	}
	return []byte(algorithmNames[a]), nil
}

// UnmarshalText sets the algorithm that text names, exactly so spelled. Its error
// wraps ErrAlgorithm.
func (a *Algorithm) UnmarshalText(text []byte) error {
	for i, name := range algorithmNames {
		if name == string(text) {
			*a = Algorithm(i)
			return nil
		}
	}
	return fmt.Errorf("%w: %.20q is none of sha1, sha256 and sha512", ErrAlgorithm, text)
}

// new returns the hash function, or nil for a value that is none of the constants.
func (a Algorithm) new() func() hash.Hash {
	switch a {
	case SHA1:
		return sha1.New
	case SHA256:
		return sha256.New
	case SHA512:
		return sha512.New
	default:
		return nil
	}
}

// allowed returns ErrFIPS where HMAC with the algorithm would panic. A seed is always
// longer than the 112 bits that FIPS 140 asks for.
func (a Algorithm) allowed() error {
	if a == SHA1 && fips140.Enforced() {
		return ErrFIPS
	}
	return nil
}
