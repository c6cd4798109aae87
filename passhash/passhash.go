// Package passhash stores passwords: as hashes from which nobody finds the password
// but by guessing, and each guess is made to cost time and memory.
//
//	hash, err := passhash.Hash(ctx, password) // store it
//
//	err = passhash.Verify(ctx, password, hash)
//	if err == nil && passhash.NeedsRehash(hash) {
//		hash, err = passhash.Hash(ctx, password) // and store it anew
//	}
//
// A hash is a PHC string: text that names the algorithm and its parameters, with a
// random salt of 16 bytes and 32 bytes of output.
//
//	$argon2id$v=19$m=19456,t=2,p=1$/aTZ+1KL+ZcEHPpEgwTXwQ$x2RvJ5G9vlh1m8itbAEPXJzZhQytyi1VcE8HkWQThIg
//
// # Parameters
//
// The defaults are those that the OWASP Password Storage Cheat Sheet gives as the
// least (as of its change of 25 June 2026, commit a6eb0c6): Argon2id with 19 MiB and
// 2 passes; scrypt with 2^17, 8 and 1; PBKDF2 with 600,000 iterations of HMAC-SHA-256
// or 220,000 of HMAC-SHA-512. They rise as hardware gets cheaper, with a version of
// this package, and [NeedsRehash] then says which hashes were made before. Higher ones
// are better where the servers bear them: set them in a [Hasher].
//
// # Passwords
//
// Text is hashed in its composed form, NFC, after the process for stabilized strings,
// as NIST SP 800-63B-4, section 3.1.1.2, says: so a password is the same whether a
// keyboard sends é as one character or as e and an accent. Nothing else is done to it:
// no case is folded, no space trimmed, no full-width letter made plain, and nothing
// is ever cut off. What cannot be hashed whole and for good is refused with an error
// that wraps [ErrPassword]: an empty password, one of more than MaxPassword bytes,
// invalid UTF-8, a character that Go's version of Unicode does not assign (with 15.0,
// the newest emoji), more than 30 combining characters in a row, and a zero byte at the
// end, which PBKDF2 and scrypt would not tell from none.
//
// How long a password has to be, and which ones everybody guesses first, is for the
// application to say before it calls [Hash], and so is how many guesses it answers.
//
// # Hashes of others
//
// Verify reads what follows the PHC string format: argon2id version 19 (m, t, p),
// scrypt (ln, r, p), pbkdf2-sha256 and pbkdf2-sha512 (i, l), as RustCrypto writes them
// all, the reference program of Argon2 the first, and passlib the first two, with salts
// of 8 to 48 bytes and outputs of 12 to 64. There is one spelling: parameters in that order, each once,
// without leading zeros, base64 without padding. Others may have hashed passwords
// beyond ASCII in another form than NFC; those do not verify. Hashes of bcrypt are
// not read: verify them with golang.org/x/crypto/bcrypt, and then hash anew.
//
// # Bounds
//
// Hashes come from a database, and that may have been tampered with. One that takes
// more than 1 GiB of memory, or minutes, is refused with [ErrCostly] before any work is
// done: argon2id with over 4 GiB of memory times passes, scrypt with over 1 GiB of
// memory times p, PBKDF2 with over 10,000,000 iterations. All hashing of a [Hasher]
// together takes no more memory than its Memory, 256 MiB by default; the rest waits its
// turn until its context ends. So a flood of logins takes time, and not all the memory
// there is.
//
// # FIPS 140
//
// Argon2id and scrypt are not approved. Under GODEBUG=fips140=only the default is
// PBKDF2 with HMAC-SHA-256, and what is not approved returns [ErrFIPS].
package passhash

import (
	"context"
	"crypto/fips140"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/keyfob-dev/keyfob/random"
)

var (
	// ErrMismatch is wrapped by the error for a password that is not the one.
	ErrMismatch = errors.New("wrong password")

	// ErrPassword is wrapped by the error for what is refused as a password.
	ErrPassword = errors.New("not a password")

	// ErrMalformed is wrapped by the error for a text that is not a hash.
	ErrMalformed = errors.New("malformed hash")

	// ErrCostly is wrapped by the error for what would take too much memory or time.
	ErrCostly = errors.New("too costly")

	// ErrParams is wrapped by the error for parameters that cannot be.
	ErrParams = errors.New("wrong parameters")

	// ErrFIPS is wrapped by the error for what GODEBUG=fips140=only forbids.
	ErrFIPS = errors.New("not allowed in FIPS 140-only mode")
)

// What new hashes are made with, beside the parameters.
const (
	saltSize = 16 // bytes: RFC 9106, section 3.1
	sumSize  = 32 // bytes
)

// standard is the Hasher of the functions.
var standard Hasher

// Hash returns a hash of the password, to be stored. It is [Hasher.Hash] of the zero
// Hasher, which all calls share.
func Hash(ctx context.Context, password string) (string, error) {
	return standard.Hash(ctx, password)
}

// Verify says whether the password is the one of the hash. It is [Hasher.Verify] of
// the zero Hasher, which all calls share.
func Verify(ctx context.Context, password, hash string) error {
	return standard.Verify(ctx, password, hash)
}

// NeedsRehash says whether the hash was made with other parameters than the default.
// It is [Hasher.NeedsRehash] of the zero Hasher.
func NeedsRehash(hash string) bool { return standard.NeedsRehash(hash) }

// A Hasher hashes and verifies passwords with parameters and within bounds of its own.
// The zero Hasher is ready for use. It may be used by many goroutines, and must not be
// copied or changed once it is in use.
type Hasher struct {
	// Params are what new hashes are made with: an [Argon2id], [Scrypt] or [PBKDF2].
	// The default is Argon2id{}, or PBKDF2{} under GODEBUG=fips140=only.
	Params Params

	// Memory is how many bytes all hashing by this Hasher takes at a time. The default
	// is 256 MiB: 13 hashes at a time with the default Params. What is done with is
	// garbage until it is collected, so the process may hold about twice as much.
	Memory int64

	gate gate
}

const defaultMemory = 256 << 20

// Check says whether the Hasher can hash: its error wraps ErrParams, ErrCostly or
// ErrFIPS. Call it at the start where parameters come from a configuration.
func (h *Hasher) Check() error {
	p := h.params()
	if err := p.check(); err != nil {
		return err
	}
	return h.admits(p, saltSize, sumSize)
}

// Hash returns a hash of the password, with a salt of its own, to be stored. It waits
// for memory until ctx ends; the work itself cannot be interrupted.
//
// The error wraps ErrPassword for what is no password, that of ctx, or one of Check.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if err := h.Check(); err != nil {
		return "", err
	}
	text, err := prepare(password)
	if err != nil {
		return "", err
	}
	defer clear(text)
	p, salt := h.params(), random.Bytes(saltSize)
	sum, err := h.derive(ctx, p, text, salt, sumSize)
	if err != nil {
		return "", err
	}
	return format(p, salt, sum), nil
}

// Verify says whether the password is the one of the hash: nil if so, and an error
// that wraps ErrMismatch if not. What Hash would refuse is the password of no hash;
// that error wraps ErrPassword as well.
//
// After any other error nothing was decided, and the password must not pass: it wraps
// ErrMalformed, ErrCostly or ErrFIPS for the hash, or the error of ctx, which bounds
// the wait for memory. No error repeats password or hash. The comparison takes the
// same time wherever the two differ.
//
// To hide who has an account, verify the password of an unknown user too, against a
// hash that was made at the start of a password that nobody knows.
func (h *Hasher) Verify(ctx context.Context, password, hash string) error {
	p, salt, sum, err := parse(hash)
	if err != nil {
		return err
	}
	if err := h.admits(p, len(salt), len(sum)); err != nil {
		return err
	}
	text, err := prepare(password)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMismatch, err)
	}
	defer clear(text)
	got, err := h.derive(ctx, p, text, salt, len(sum))
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(got, sum) != 1 {
		return ErrMismatch
	}
	return nil
}

// NeedsRehash says whether the hash is other than what Hash would make now: another
// algorithm, other parameters, another length of salt or output, or no hash at all.
// Ask it when a password was verified, since only then there is one to hash.
func (h *Hasher) NeedsRehash(hash string) bool {
	p, salt, sum, err := parse(hash)
	return err != nil || p != h.params() || len(salt) != saltSize || len(sum) != sumSize
}

// params returns what new hashes are made with.
func (h *Hasher) params() Params {
	switch {
	case h.Params != nil:
		return h.Params.resolve()
	case fips140.Enforced():
		return PBKDF2{}.resolve()
	}
	return Argon2id{}.resolve()
}

// admits says whether there may ever be memory for the parameters, and whether FIPS
// 140 has them, with a salt and an output of these sizes.
func (h *Hasher) admits(p Params, salt, sum int) error {
	if fips140.Enforced() && !p.approved(salt, sum) {
		return fmt.Errorf("%w: %s; PBKDF2 is, with a salt of 16 bytes and an output of 14 or more", ErrFIPS, p.name())
	}
	if need := p.memory(); need > h.limit() {
		return fmt.Errorf("%w: it takes %d bytes of memory, and all that is allowed is %d", ErrCostly, need, h.limit())
	}
	return nil
}

func (h *Hasher) limit() int64 {
	if h.Memory == 0 {
		return defaultMemory
	}
	return h.Memory
}

// derive computes the output once there is memory for it.
func (h *Hasher) derive(ctx context.Context, p Params, text, salt []byte, n int) ([]byte, error) {
	if err := h.gate.enter(ctx, p.memory(), h.limit()); err != nil {
		return nil, fmt.Errorf("waiting for memory: %w", err)
	}
	defer h.gate.leave(p.memory(), h.limit())
	return p.derive(text, salt, n)
}
