package passhash

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"math"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/scrypt"
)

// What no hash may take more of, whoever made it.
const (
	maxMemory     = 1 << 30 // bytes
	maxArgon2id   = 4 << 20 // KiB times passes: 107 times the default
	maxScrypt     = 1 << 30 // bytes times passes: 8 times the default, whose work is greater
	maxFactor     = 1024    // r and p of scrypt
	maxIterations = 10_000_000
)

// Params are the parameters of a hash: an [Argon2id], a [Scrypt] or a [PBKDF2]. A
// field that is 0 stands for the default's. Two that are the same are ==.
type Params interface {
	// String returns what a hash begins with, such as $argon2id$v=19$m=19456,t=2,p=1.
	String() string

	name() string              // of the algorithm
	head(n int) string         // what a hash with n bytes of output begins with
	resolve() Params           // with the default for each 0
	check() error              // wraps ErrParams or ErrCostly; all is bounded after it
	memory() int64             // in bytes
	approved(salt, n int) bool // by FIPS 140, with these sizes
	derive(text, salt []byte, n int) ([]byte, error)
}

// Argon2id is what a password should be hashed with (RFC 9106).
type Argon2id struct {
	Memory  int // in KiB: 8 for each thread, or more; the default is 19456 (19 MiB)
	Time    int // passes over the memory; the default is 2
	Threads int // 1 to 255; the default is 1, which suits a server with many logins
}

func (a Argon2id) String() string { return a.resolve().head(sumSize) }
func (a Argon2id) name() string   { return "argon2id" }

func (a Argon2id) head(int) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d", argon2.Version, a.Memory, a.Time, a.Threads)
}

func (a Argon2id) resolve() Params {
	return Argon2id{orDefault(a.Memory, 19456), orDefault(a.Time, 2), orDefault(a.Threads, 1)}
}

func (a Argon2id) check() error {
	switch {
	case a.Threads < 1 || a.Threads > math.MaxUint8:
		return fmt.Errorf("%w: p is %d; 1 to %d threads are possible", ErrParams, a.Threads, math.MaxUint8)
	case a.Memory < 8*a.Threads:
		return fmt.Errorf("%w: m is %d KiB; p threads need 8 for each", ErrParams, a.Memory)
	case a.Time < 1:
		return fmt.Errorf("%w: t is %d; 1 or more passes are possible", ErrParams, a.Time)
	case a.Memory > maxMemory>>10:
		return fmt.Errorf("%w: m is %d KiB; at most %d are allowed", ErrCostly, a.Memory, maxMemory>>10)
	case a.Time > maxArgon2id/a.Memory:
		return fmt.Errorf("%w: t is %d; with so much memory at most %d passes are allowed", ErrCostly, a.Time, maxArgon2id/a.Memory)
	}
	return nil
}

func (a Argon2id) memory() int64          { return int64(a.Memory) << 10 }
func (a Argon2id) approved(int, int) bool { return false }

func (a Argon2id) derive(text, salt []byte, n int) ([]byte, error) {
	return argon2.IDKey(text, salt, uint32(a.Time), uint32(a.Memory), uint8(a.Threads), uint32(n)), nil
}

// Scrypt is for where Argon2id is not to be had (RFC 7914).
type Scrypt struct {
	LogN int // logarithm of the cost to base 2; the default is 17
	R    int // size of a block, in 128 bytes; the default is 8
	P    int // how often, one after the other; the default is 1
}

func (s Scrypt) String() string  { return s.resolve().head(sumSize) }
func (s Scrypt) name() string    { return "scrypt" }
func (s Scrypt) head(int) string { return fmt.Sprintf("$scrypt$ln=%d,r=%d,p=%d", s.LogN, s.R, s.P) }

func (s Scrypt) resolve() Params {
	return Scrypt{orDefault(s.LogN, 17), orDefault(s.R, 8), orDefault(s.P, 1)}
}

func (s Scrypt) check() error {
	switch {
	case s.LogN < 1 || s.R < 1 || s.P < 1:
		return fmt.Errorf("%w: ln is %d, r is %d and p is %d; each is 1 or more", ErrParams, s.LogN, s.R, s.P)
	case s.LogN > 30 || s.R > maxFactor || s.P > maxFactor || s.memory() > maxMemory:
		return fmt.Errorf("%w: ln is %d, r is %d and p is %d; at most %d bytes of memory are allowed", ErrCostly, s.LogN, s.R, s.P, maxMemory)
	case int64(s.P)*int64(s.R)<<(7+s.LogN) > maxScrypt:
		return fmt.Errorf("%w: ln is %d, r is %d and p is %d; less work is allowed", ErrCostly, s.LogN, s.R, s.P)
	}
	return nil
}

func (s Scrypt) memory() int64          { return 128 * int64(s.R) * (1<<s.LogN + int64(s.P) + 2) }
func (s Scrypt) approved(int, int) bool { return false }

func (s Scrypt) derive(text, salt []byte, n int) ([]byte, error) {
	return scrypt.Key(text, salt, 1<<s.LogN, s.R, s.P, n)
}

// PBKDF2 is for where FIPS 140 is asked for (RFC 8018, section 5.2). It takes no
// memory worth counting, so that guessers with special hardware are not slowed as
// they are by the others.
type PBKDF2 struct {
	SHA512     bool // HMAC-SHA-512; the default is HMAC-SHA-256
	Iterations int  // the default is 600,000, or 220,000 with SHA512
}

func (p PBKDF2) String() string { return p.resolve().head(sumSize) }

func (p PBKDF2) name() string {
	if p.SHA512 {
		return "pbkdf2-sha512"
	}
	return "pbkdf2-sha256"
}

func (p PBKDF2) head(n int) string { return fmt.Sprintf("$%s$i=%d,l=%d", p.name(), p.Iterations, n) }

func (p PBKDF2) resolve() Params {
	if p.SHA512 {
		return PBKDF2{true, orDefault(p.Iterations, 220_000)}
	}
	return PBKDF2{false, orDefault(p.Iterations, 600_000)}
}

func (p PBKDF2) check() error {
	switch {
	case p.Iterations < 1:
		return fmt.Errorf("%w: i is %d; 1 or more iterations are possible", ErrParams, p.Iterations)
	case p.Iterations > maxIterations:
		return fmt.Errorf("%w: i is %d; at most %d iterations are allowed", ErrCostly, p.Iterations, maxIterations)
	}
	return nil
}

func (p PBKDF2) memory() int64             { return 0 }
func (p PBKDF2) approved(salt, n int) bool { return salt >= 16 && n >= 14 }

func (p PBKDF2) derive(text, salt []byte, n int) ([]byte, error) {
	if p.SHA512 {
		return pbkdf2.Key(sha512.New, string(text), salt, p.Iterations, n)
	}
	return pbkdf2.Key(sha256.New, string(text), salt, p.Iterations, n)
}

func orDefault(n, standard int) int {
	if n == 0 {
		return standard
	}
	return n
}
