// Package kdf derives keys from secrets: from a key with [HKDF], from a password
// with [Argon2id], [Scrypt] or [PBKDF2].
//
//	key, err := kdf.HKDF(secret, nil, "myapp/cookies/v1", 32)
//
//	key, err := kdf.Argon2id{Time: 3, Memory: 64 << 10, Threads: 4}.Key(password, salt, 32)
//
// # Which one
//
// HKDF makes many keys of one that nobody can guess, one a label. It is fast, so it
// is wrong for passwords: whoever has a derived key tries billions a second. The
// others are slow on purpose. Take Argon2id; Scrypt where that is what there is; and
// PBKDF2 where a standard asks for it, as FIPS 140 does. To store passwords, take
// package passhash, which keeps salt and parameters with each hash.
//
// # Parameters
//
// They are part of what a key is derived from: whoever wants the same key again needs
// the same ones, and the same salt. So nothing here has a default, which could change
// under what is encrypted already. Store parameters and salt beside it; neither is
// secret. The salt is random, 16 bytes, and another for each password.
//
// Each type has a Check, for parameters that come from a file or a user. It bounds
// memory, at MaxMemory (2 GiB), and not time: whoever takes parameters from strangers must
// say how long a derivation may take.
//
// # What every function here promises
//
//   - Bytes are taken as they are: nothing is trimmed, cut, padded or normalized.
//   - What cannot be is refused with an error, before any work is done, and no error
//     repeats a secret, a salt or a label.
//   - Everything is safe for concurrent use, and changes none of its arguments. Nothing
//     bounds how many derivations run at a time, and so how much memory they take.
//
// # FIPS 140
//
// Argon2id and Scrypt are not approved, nor is PBKDF2 with a salt under 16 bytes or
// a key under 14. Under GODEBUG=fips140=only they return [ErrFIPS]. HKDF works.
package kdf

import (
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
)

// The bounds of what is derived, and of what it is derived from.
const (
	MaxBytes  = 255 * sha256.Size // of a key: what HKDF-SHA-256 can make (RFC 5869, section 2.3)
	MinSecret = 16                // bytes of the secret of HKDF; what has fewer can be guessed
	MinSalt   = 8                 // bytes of the salt of a password (RFC 8018, section 4.1)
	MaxMemory = 2 << 20           // KiB: what RFC 9106, section 4, recommends where there is plenty

	maxInput = 1 << 30 // bytes of a secret, salt or label; Argon2 counts them in 32 bits
)

var (
	// ErrSecret is wrapped by the error for a secret or password that is none.
	ErrSecret = errors.New("wrong secret")

	// ErrSalt is wrapped by the error for a salt that is too short.
	ErrSalt = errors.New("wrong salt")

	// ErrParams is wrapped by the error for parameters that cannot be.
	ErrParams = errors.New("wrong parameters")

	// ErrSize is wrapped by the error for a length that a key cannot have.
	ErrSize = errors.New("wrong size")

	// ErrFIPS is wrapped by the error for what GODEBUG=fips140=only forbids.
	ErrFIPS = errors.New("not allowed in FIPS 140-only mode")
)

// HKDF returns a key of n bytes, 1 to MaxBytes, derived with HKDF-SHA-256 (RFC 5869).
//
// The secret is a key: 16 bytes or more that nobody can guess. It may be uneven, as
// what a key agreement returns is; it may not be a password. The label, the RFC's
// info, says what the key is for, as "myapp/cookies/v1" does: another label gives
// another key, from which nothing can be learnt about this one. Give each use a
// label of its own, and none to two. The salt may be nil; a random one, which need
// not be secret, helps where the secret is uneven (RFC 5869, section 3.1).
//
// n is not part of what the key is derived from: a longer key begins with the shorter.
func HKDF(secret, salt []byte, label string, n int) ([]byte, error) {
	switch {
	case len(secret) < MinSecret:
		return nil, fmt.Errorf("%w: it has %d bytes; HKDF needs %d or more that nobody can guess", ErrSecret, len(secret), MinSecret)
	case len(secret) > maxInput || len(label) > maxInput || len(salt) > maxInput:
		return nil, fmt.Errorf("%w: it, its salt or its label has over 2^30 bytes", ErrSecret)
	}
	if err := checkSize(n, 1); err != nil {
		return nil, err
	}
	return hkdf.Key(sha256.New, secret, salt, label, n)
}

// checkSize says whether a key can have n bytes.
func checkSize(n, least int) error {
	if n < least || n > MaxBytes {
		return fmt.Errorf("%w: a key of %d bytes; %d to %d are possible", ErrSize, n, least, MaxBytes)
	}
	return nil
}
