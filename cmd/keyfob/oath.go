package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/otp"
)

func newOATH(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "oath COMMAND",
		Short: "Make seeds and codes of authenticator apps",
		Long: `Make seeds for authenticator apps and tokens, compute their codes, and verify them:
TOTP (RFC 6238) and HOTP (RFC 4226), as oathtool does.

A seed is a secret: whoever has it makes every code. So it comes in by a file or by
stdin, never as an argument. The file holds what keyfob oath seed prints: a seed in
base32, its otpauth URI, or both, one a line. From a URI the commands also take the
algorithm, the digits and the period.`,
		Example: `  keyfob oath seed --issuer Acme --account alice@example.com > alice.seed
  keyfob oath totp --seed-file alice.seed`,
		GroupID: groupMake,
	}
	cmd.AddCommand(newOATHSeed(u), newOATHTOTP(u), newOATHHOTP(u), newOATHVerify(u))
	return cmd
}

// codeFlags are the flags that say how codes are computed, and of which seed.
type codeFlags struct {
	seedFile  *string
	digits    wholeValue
	algorithm *choiceValue
	period    wholeValue
}

// addSeedFile adds the flag for the file with the seed.
func (f *codeFlags) addSeedFile(cmd *cobra.Command, usage string) {
	f.seedFile = addText(cmd, "seed-file", "FILE", "", usage)
}

// addDigits adds the flags that HOTP and TOTP have in common.
func (f *codeFlags) addDigits(cmd *cobra.Command) {
	f.digits = wholeValue{n: 6, least: 6, most: 8}
	cmd.Flags().Var(&f.digits, "digits", "digits of a code, 6 to 8")
	f.algorithm = addChoice(cmd, "algorithm", "hash function of the HMAC: sha1, sha256 or sha512", "sha1", "sha256", "sha512")
}

// addPeriod adds the flag for the step of TOTP.
func (f *codeFlags) addPeriod(cmd *cobra.Command) {
	f.period = wholeValue{n: 30, least: 1, most: 3600}
	cmd.Flags().Var(&f.period, "period", "seconds of a step of TOTP")
}

// key is what the flags say of a seed.
func (f *codeFlags) key(typ otp.Type, seed otp.Seed) (otp.Key, error) {
	k := otp.Key{Type: typ, Seed: seed, Digits: int(f.digits.n)}
	if typ == otp.TypeTOTP {
		k.Period = time.Duration(f.period.n) * time.Second
	}
	if err := k.Algorithm.UnmarshalText([]byte(f.algorithm.text)); err != nil {
		return k, wrong("--algorithm: %v", err)
	}
	return k, nil
}

// read reads the seed, and how its codes are computed: as the flags say, or as the
// URI beside it does, to which the flags then have nothing to add.
func (f *codeFlags) read(u *ui, cmd *cobra.Command, typ otp.Type) (otp.Key, error) {
	seed, uri, err := u.readSeed(*f.seedFile)
	if err != nil {
		return otp.Key{}, err
	}
	if uri == nil {
		return f.key(typ, seed)
	}
	for _, name := range []string{"digits", "algorithm", "period"} {
		if cmd.Flags().Changed(name) {
			return otp.Key{}, wrong("the otpauth URI says what --%s does; leave one out", name)
		}
	}
	return *uri, nil
}

// readSeed reads what oath seed prints, from a file, or from stdin where there is
// no path: a seed, an otpauth URI, or a seed and its URI. No error repeats any of it,
// nor the path, which may be a seed that somebody took for one.
func (u *ui) readSeed(path string) (seed otp.Seed, uri *otp.Key, err error) {
	var text string
	if path == "" {
		text, err = u.seedText()
	} else {
		text, err = seedFile(path)
	}
	if err != nil {
		return seed, nil, err
	}
	first, second, two := strings.Cut(text, "\n")
	if strings.HasPrefix(first, "otpauth:") {
		if two {
			return seed, nil, wrong("there is more than an otpauth URI; give it alone, or a seed and its URI in the next line")
		}
		uri, err = parseURI(first)
		if err != nil {
			return seed, nil, err
		}
		return uri.Seed, uri, nil
	}
	if seed, err = otp.ParseSeed(first); err != nil {
		return seed, nil, wrong("%v; give a seed in base32, or an otpauth URI", err)
	}
	if !two {
		return seed, nil, nil
	}
	if uri, err = parseURI(second); err != nil {
		return seed, nil, err
	}
	if !uri.Seed.Equal(seed) {
		return seed, nil, wrong("the seed is not that of the otpauth URI in the next line; give one of them")
	}
	return seed, uri, nil
}

func parseURI(text string) (*otp.Key, error) {
	k, err := otp.ParseURI(text)
	if err != nil {
		return nil, wrong("%v", err)
	}
	return &k, nil
}

// seedText reads a seed from stdin. At a terminal it asks for it.
func (u *ui) seedText() (string, error) {
	if isTerminal(u.stdin) {
		return u.secretLine("Seed")
	}
	return seedLines(u.stdin, "stdin")
}

func seedFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", wrong("--seed-file cannot be read: %v; give a file with a seed", bare(err))
	}
	defer f.Close()
	return seedLines(f, "--seed-file")
}

// seedLines reads all of r, and cuts the newline at its end.
func seedLines(r io.Reader, source string) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxLine+2))
	text = bytes.TrimSuffix(text, []byte("\n"))
	switch {
	case err != nil:
		return "", wrong("%s cannot be read: %v; give a seed in base32, or an otpauth URI", source, bare(err))
	case len(text) == 0:
		return "", wrong("%s is empty; give a seed in base32, or an otpauth URI", source)
	case len(text) > maxLine:
		return "", wrong("%s has over %d bytes; that is no seed", source, maxLine)
	}
	return string(text), nil
}

// notComputed is the error of a code that cannot be computed or compared.
func notComputed(err error) error {
	if errors.Is(err, otp.ErrFIPS) {
		return wrong("%v; give --algorithm sha256 or sha512", err)
	}
	return wrong("%v", err)
}
