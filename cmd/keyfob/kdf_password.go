package main

import (
	"math"
	"strings"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/kdf"
)

const saltRequired = "salt: 8 bytes or more; 16 random ones are good (required)"

// passwordKDF derives a key from the password on stdin.
type passwordKDF interface {
	Check() error
	Key(password, salt []byte, n int) ([]byte, error)
}

// fromPassword is what the commands do that take a password; params are known once
// the flags are read.
func fromPassword(u *ui, f *keyFlags, params func() passwordKDF, required ...string) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		if err := f.check(u, cmd, append([]string{"salt-hex"}, required...)...); err != nil {
			return err
		}
		if err := params().Check(); err != nil {
			return f.write(u, nil, err)
		}
		password, err := u.password("Password")
		if err != nil {
			return err
		}
		if strings.HasSuffix(password, "\x00") {
			return wrong("the password ends in a zero byte, and PBKDF2 and scrypt make the same key without it; leave it out")
		}
		key, err := params().Key([]byte(password), f.salt.b, int(f.bytes.n))
		return f.write(u, key, err)
	}
}

func newPBKDF2(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pbkdf2 --salt-hex HEX --iterations N [flags] < FILE",
		Short: "Derive a key from a password with PBKDF2",
		Long: `Derive a key with PBKDF2-HMAC (RFC 8018) from the password on stdin: one line, of which
nothing but the newline is cut. It is the one that FIPS 140 approves, and the weakest,
since guessing takes no memory. OWASP asks for 600000 iterations with sha256 or more,
and 220000 with sha512.`,
		Example: `  keyfob passphrase > disk.pw && keyfob token --bytes 16 --format hex > disk.salt
  keyfob kdf pbkdf2 --salt-hex $(cat disk.salt) --iterations 600000 < disk.pw`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := addKey(cmd, saltRequired)
	iterations := wholeValue{least: 1, most: math.MaxInt32}
	cmd.Flags().Var(&iterations, "iterations", "how often the hash is computed (required)")
	hash := addChoice(cmd, "hash", "hash function of the HMAC: sha256 or sha512", "sha256", "sha512")
	cmd.RunE = fromPassword(u, f, func() passwordKDF {
		p := kdf.PBKDF2{Hash: kdf.SHA256, Iterations: int(iterations.n)}
		if hash.text == "sha512" {
			p.Hash = kdf.SHA512
		}
		return p
	}, "iterations")
	return cmd
}

func newScrypt(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "scrypt --salt-hex HEX --n N --r N --p N [flags] < FILE",
		Short: "Derive a key from a password with scrypt",
		Long: `Derive a key with scrypt (RFC 7914) from the password on stdin: one line, of which
nothing but the newline is cut. It takes 128 times n times r bytes of memory, at most 2
GiB. OWASP asks for 131072, 8 and 1 (128 MiB) or more.`,
		Example: `  keyfob passphrase > disk.pw && keyfob token --bytes 16 --format hex > disk.salt
  keyfob kdf scrypt --salt-hex $(cat disk.salt) --n 131072 --r 8 --p 1 < disk.pw`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := addKey(cmd, saltRequired)
	n, r, p := wholeValue{least: 2, most: math.MaxInt32}, wholeValue{least: 1, most: math.MaxInt32}, wholeValue{least: 1, most: math.MaxInt32}
	cmd.Flags().Var(&n, "n", "cost, a power of two (required)")
	cmd.Flags().Var(&r, "r", "size of a block, in 128 bytes (required)")
	cmd.Flags().Var(&p, "p", "how often, one after the other (required)")
	cmd.RunE = fromPassword(u, f, func() passwordKDF {
		return kdf.Scrypt{N: int(n.n), R: int(r.n), P: int(p.n)}
	}, "n", "r", "p")
	return cmd
}

func newArgon2id(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "argon2id --salt-hex HEX --time N --memory KIB --threads N [flags] < FILE",
		Short: "Derive a key from a password with Argon2id",
		Long: `Derive a key with Argon2id (RFC 9106) from the password on stdin: one line, of which
nothing but the newline is cut. The RFC recommends 1 pass over 2097152 KiB (2 GiB) with
4 threads or, where memory is short, 3 passes over 65536 KiB (64 MiB) with 4.`,
		Example: `  keyfob passphrase > disk.pw && keyfob token --bytes 16 --format hex > disk.salt
  keyfob kdf argon2id --salt-hex $(cat disk.salt) --time 3 --memory 65536 --threads 4 < disk.pw`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := addKey(cmd, saltRequired)
	time, memory, threads := wholeValue{least: 1, most: math.MaxInt32}, wholeValue{least: 8, most: kdf.MaxMemory}, wholeValue{least: 1, most: 255}
	cmd.Flags().Var(&time, "time", "passes over the memory (required)")
	cmd.Flags().Var(&memory, "memory", "memory in KiB, 8 for each thread or more (required)")
	cmd.Flags().Var(&threads, "threads", "threads, 1 to 255 (required)")
	cmd.RunE = fromPassword(u, f, func() passwordKDF {
		return kdf.Argon2id{Time: int(time.n), Memory: int(memory.n), Threads: int(threads.n)}
	}, "time", "memory", "threads")
	return cmd
}
