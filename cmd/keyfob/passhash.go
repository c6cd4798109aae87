package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/passhash"
)

// passhashParams are what stands for --algorithm.
var passhashParams = map[string]passhash.Params{
	"argon2id": passhash.Argon2id{},
	"scrypt":   passhash.Scrypt{},
	"pbkdf2":   passhash.PBKDF2{},
}

func newPasshash(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "passhash [--algorithm argon2id] < FILE",
		Short: "Hash a password, to be stored",
		Long: `Hash the password on stdin: one line, of which nothing but the newline is cut. It prints
a PHC string, which holds the algorithm, its parameters, a random salt and the output,
and can be stored as it is.

The parameters are those that OWASP gives as the least. Text beyond ASCII is composed
(NFC, as NIST SP 800-63B-4 says), so that it does not matter how a keyboard sends an
accent. Nothing is cut off: what is too long, over 4096 bytes, is refused.`,
		Example: `  echo correct horse | keyfob passhash > alice.hash
  keyfob password > alice.pw && keyfob passhash --algorithm scrypt < alice.pw`,
		GroupID:           groupMake,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	algorithm := addAlgorithm(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := u.out.mustBeOpen(); err != nil {
			return err
		}
		h := algorithm.hasher(cmd)
		if err := h.Check(); err != nil {
			return notHashed(err)
		}
		password, err := u.newPassword()
		if err != nil {
			return err
		}
		text, err := h.Hash(cmd.Context(), password)
		if err != nil {
			return notHashed(err)
		}
		return u.out.line(text)
	}
	cmd.AddCommand(newPasshashVerify(u))
	return cmd
}

// algorithmValue is the flag for what hashes are made with.
type algorithmValue struct{ *choiceValue }

func addAlgorithm(cmd *cobra.Command) algorithmValue {
	return algorithmValue{addChoice(cmd, "algorithm", "argon2id, scrypt or pbkdf2 (HMAC-SHA-256)", "argon2id", "scrypt", "pbkdf2")}
}

// hasher makes hashes as the flag says. Without it they are the default's, which
// depends on FIPS 140.
func (v algorithmValue) hasher(cmd *cobra.Command) *passhash.Hasher {
	if !cmd.Flags().Changed("algorithm") {
		return &passhash.Hasher{}
	}
	return &passhash.Hasher{Params: passhashParams[v.text]}
}

// newPassword reads a password that is to be stored. At a terminal, where nobody sees
// what is typed, it asks twice.
func (u *ui) newPassword() (string, error) {
	password, err := u.password("Password")
	if err != nil || !isTerminal(u.stdin) {
		return password, err
	}
	again, err := u.password("Again")
	if err == nil && again != password {
		err = wrong("the second password is not the first; type the same twice")
	}
	return password, err
}

// notHashed is the error of a password that cannot be hashed.
func notHashed(err error) error {
	if errors.Is(err, passhash.ErrFIPS) {
		return wrong("%v; give --algorithm pbkdf2", err)
	}
	return wrong("%v", err)
}
