package kdf

import (
	"crypto/fips140"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"math"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/scrypt"
)

// Argon2id derives keys from passwords with Argon2id, version 1.3 (RFC 9106). All
// its fields must be set. RFC 9106, section 4, recommends one pass over 2 GiB with 4
// threads or, where memory is short, 3 passes over 64 MiB with 4 threads.
type Argon2id struct {
	Time    int // passes over the memory
	Memory  int // KiB that it takes: 8 for each thread or more, at most MaxMemory
	Threads int // 1 to 255
}

// Check says what is wrong with the parameters. Its error wraps ErrParams.
func (a Argon2id) Check() error {
	switch {
	case a.Time < 1 || a.Time > math.MaxInt32:
		return fmt.Errorf("%w: time is %d; 1 to %d passes are possible", ErrParams, a.Time, math.MaxInt32)
	case a.Threads < 1 || a.Threads > math.MaxUint8:
		return fmt.Errorf("%w: threads are %d; 1 to %d are possible", ErrParams, a.Threads, math.MaxUint8)
	case a.Memory < 8*a.Threads || a.Memory > MaxMemory || a.Memory > math.MaxInt>>10:
		return fmt.Errorf("%w: memory is %d KiB; with so many threads %d to %d are possible", ErrParams, a.Memory, 8*a.Threads, MaxMemory)
	}
	return nil
}

// Key returns a key of n bytes, 4 to MaxBytes. The salt has MinSalt bytes or more.
func (a Argon2id) Key(password, salt []byte, n int) ([]byte, error) {
	if err := check(a.Check(), password, salt, n, 4); err != nil {
		return nil, err
	}
	if fips140.Enforced() {
		return nil, fmt.Errorf("%w: Argon2id; PBKDF2 is", ErrFIPS)
	}
	return a.derive(password, salt, n), nil
}

func (a Argon2id) derive(password, salt []byte, n int) []byte {
	return argon2.IDKey(password, salt, uint32(a.Time), uint32(a.Memory), uint8(a.Threads), uint32(n))
}

// Scrypt derives keys from passwords with scrypt (RFC 7914). All its fields must be
// set. It takes 128·R·(N+P+2) bytes of memory: 128 MiB for 2^17, 8 and 1. Zero bytes
// at the end of a password do not count, as with PBKDF2, which is a part of it.
type Scrypt struct {
	N int // cost: a power of two, 2 or more
	R int // size of a block, in 128 bytes
	P int // how often, one after the other
}

// Check says what is wrong with the parameters. Its error wraps ErrParams.
func (s Scrypt) Check() error {
	const most = MaxMemory * 1024 / 128 // so that memory cannot overflow
	switch {
	case s.N < 2 || s.N&(s.N-1) != 0:
		return fmt.Errorf("%w: n is %d; it is a power of two, 2 or more", ErrParams, s.N)
	case s.R < 1 || s.P < 1:
		return fmt.Errorf("%w: r is %d and p is %d; each is 1 or more", ErrParams, s.R, s.P)
	case s.N > most || s.R > most || s.P > most || s.memory() > MaxMemory<<10 || s.memory() > math.MaxInt:
		return fmt.Errorf("%w: n, r and p take more than %d KiB of memory", ErrParams, MaxMemory)
	}
	return nil
}

func (s Scrypt) memory() int64 { return 128 * int64(s.R) * (int64(s.N) + int64(s.P) + 2) }

// Key returns a key of n bytes, 1 to MaxBytes. The salt has MinSalt bytes or more.
func (s Scrypt) Key(password, salt []byte, n int) ([]byte, error) {
	if err := check(s.Check(), password, salt, n, 1); err != nil {
		return nil, err
	}
	if fips140.Enforced() {
		return nil, fmt.Errorf("%w: scrypt; PBKDF2 is", ErrFIPS)
	}
	return s.derive(password, salt, n)
}

func (s Scrypt) derive(password, salt []byte, n int) ([]byte, error) {
	return scrypt.Key(password, salt, s.N, s.R, s.P, n)
}

// A Hash is the hash function under the HMAC of PBKDF2. The zero value is none.
type Hash uint8

const (
	SHA256 Hash = iota + 1
	SHA512
)

// PBKDF2 derives keys from passwords with PBKDF2-HMAC (RFC 8018, section 5.2). All
// its fields must be set. A key that is longer than the hash, 32 or 64 bytes, costs
// its owner a derivation for each such block, and a guesser only one. The password is
// the key of the HMAC, which is padded with zero bytes to 64 or 128 (RFC 2104): so a
// shorter password and the same with zero bytes at its end give one key.
type PBKDF2 struct {
	Hash       Hash
	Iterations int // 1 to 2^31 - 1
}

// Check says what is wrong with the parameters. Its error wraps ErrParams.
func (p PBKDF2) Check() error {
	switch {
	case p.Hash != SHA256 && p.Hash != SHA512:
		return fmt.Errorf("%w: the hash is neither SHA256 nor SHA512", ErrParams)
	case p.Iterations < 1 || p.Iterations > math.MaxInt32:
		return fmt.Errorf("%w: iterations are %d; 1 to %d are possible", ErrParams, p.Iterations, math.MaxInt32)
	}
	return nil
}

// Key returns a key of n bytes, 1 to MaxBytes. The salt has MinSalt bytes or more.
func (p PBKDF2) Key(password, salt []byte, n int) ([]byte, error) {
	if err := check(p.Check(), password, salt, n, 1); err != nil {
		return nil, err
	}
	if fips140.Enforced() && (len(salt) < 16 || n < 14) {
		return nil, fmt.Errorf("%w: PBKDF2 with a salt of %d bytes for a key of %d; it needs 16 and 14 or more", ErrFIPS, len(salt), n)
	}
	return p.derive(password, salt, n)
}

func (p PBKDF2) derive(password, salt []byte, n int) ([]byte, error) {
	if p.Hash == SHA512 {
		return pbkdf2.Key(sha512.New, string(password), salt, p.Iterations, n)
	}
	return pbkdf2.Key(sha256.New, string(password), salt, p.Iterations, n)
}

// check says what is wrong with what a key is to be derived from. The first error is
// that of the parameters.
func check(params error, password, salt []byte, n, least int) error {
	switch {
	case params != nil:
		return params
	case len(password) == 0:
		return fmt.Errorf("%w: the password is empty", ErrSecret)
	case len(salt) < MinSalt:
		return fmt.Errorf("%w: it has %d bytes; %d or more are needed, and 16 that are random are good", ErrSalt, len(salt), MinSalt)
	case len(password) > maxInput || len(salt) > maxInput:
		return fmt.Errorf("%w: it or its salt has over 2^30 bytes", ErrSecret)
	}
	return checkSize(n, least)
}
