package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/passhash"
)

func newPasshashVerify(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify --hash-file FILE [flags] < FILE",
		Short: "Verify the password on stdin against a hash",
		Long: `Verify the password on stdin, one line, of which nothing but the newline is cut, against
a PHC string in a file: argon2id, scrypt, pbkdf2-sha256 or pbkdf2-sha512. It prints ok,
and the exit code is 0; or wrong, and the exit code is 1.

Where the hash was made with other parameters than keyfob passhash takes now, or with
another --algorithm, it says so on stderr: hash the password anew.`,
		Example: `  echo correct horse | keyfob passhash > alice.hash
  echo correct horse | keyfob passhash verify --hash-file alice.hash`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	file := addText(cmd, "hash-file", "FILE", "", "file with the hash, one line (required)")
	algorithm := addAlgorithm(cmd)
	asJSON := cmd.Flags().Bool("json", false, "print an object")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		hash, err := hashFile(*file)
		if err != nil {
			return err
		}
		password, err := u.password("Password")
		if err != nil {
			return err
		}
		h := algorithm.hasher(cmd)
		err = h.Verify(cmd.Context(), password, hash)
		if err != nil && !errors.Is(err, passhash.ErrMismatch) {
			return wrong("--hash-file: %v", err)
		}
		return u.passwordVerdict(err == nil, err == nil && h.NeedsRehash(hash), *asJSON)
	}
	return cmd
}

// hashFile reads a hash. Its path is not repeated: it may be the hash itself.
func hashFile(path string) (string, error) {
	if path == "" {
		return "", wrong("--hash-file is missing; name the file with the hash, since the password comes from stdin")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", wrong("--hash-file cannot be read: %v; give a file with what keyfob passhash prints", bare(err))
	}
	defer f.Close()
	return readLine(f, "--hash-file", "hash")
}

// passwordVerdict tells what was found.
func (u *ui) passwordVerdict(valid, rehash, asJSON bool) error {
	if rehash {
		u.note("keyfob: the hash is not as keyfob passhash makes it now; hash the password anew, unless it was made stronger on purpose")
	}
	u.out.spare = true
	var err error
	switch {
	case asJSON:
		err = u.out.json(struct {
			Valid  bool `json:"valid"`
			Rehash bool `json:"needs_rehash"`
		}{valid, rehash})
	case valid:
		err = u.out.line("ok")
	default:
		err = u.out.line("wrong")
	}
	if err == nil && !valid {
		err = &failure{code: exitNo}
	}
	return err
}
