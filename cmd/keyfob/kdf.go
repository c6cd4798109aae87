package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/kdf"
)

func newKDF(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "kdf COMMAND",
		Short: "Derive keys from a secret or a password",
		Long: `Derive keys: from a key with HKDF, one for each use; from a password with Argon2id,
scrypt or PBKDF2, which are slow so that guessing is. The same input gives the same key,
today and elsewhere. So nothing that a key depends on has a default: keep salt and
parameters beside what the key protects.

To store passwords take keyfob passhash, which does that.`,
		Example: `  keyfob token > root.secret && keyfob kdf hkdf --info myapp/cookies/v1 < root.secret
  keyfob passphrase > disk.pw && keyfob token --bytes 16 --format hex > disk.salt
  keyfob kdf argon2id --salt-hex $(cat disk.salt) --time 3 --memory 65536 --threads 4 < disk.pw`,
		GroupID: groupMake,
	}
	cmd.AddCommand(newHKDF(u), newPBKDF2(u), newScrypt(u), newArgon2id(u))
	return cmd
}

// keyFlags are the flags of every derivation.
type keyFlags struct {
	salt   hexValue
	bytes  wholeValue
	format *choiceValue
}

// addKey adds them.
func addKey(cmd *cobra.Command, salt string) *keyFlags {
	f := &keyFlags{bytes: wholeValue{n: 32, least: 1, most: kdf.MaxBytes}}
	cmd.Flags().Var(&f.salt, "salt-hex", salt)
	cmd.Flags().Var(&f.bytes, "bytes", "bytes of the key")
	f.format = addChoice(cmd, "format", "form of the key: hex, or raw, which is the bytes alone, without a newline, and not for a terminal", "hex", "raw")
	return f
}

// check says what is wrong with the flags, before the secret is read. All that are
// named must be given.
func (f *keyFlags) check(u *ui, cmd *cobra.Command, required ...string) error {
	for _, name := range required {
		if !cmd.Flags().Changed(name) {
			return wrong("--%s is missing; it has no default, since the key depends on it", name)
		}
	}
	if f.format.text == "raw" && u.out.isTerminal() {
		return wrong("--format raw does not write bytes to a terminal; send stdout to a file or a program, or take --format hex")
	}
	return u.out.mustBeOpen()
}

// write prints a key, or tells why there is none.
func (f *keyFlags) write(u *ui, key []byte, err error) error {
	switch {
	case errors.Is(err, kdf.ErrFIPS):
		return wrong("%v; what is approved: keyfob kdf hkdf, and keyfob kdf pbkdf2 with a salt of 16 bytes", err)
	case err != nil:
		return wrong("%v", err)
	case f.format.text == "raw":
		return u.out.bytes(key)
	}
	return u.out.line(hex.EncodeToString(key))
}

// hexValue is a flag for bytes in hex.
type hexValue struct{ b []byte }

func (v *hexValue) String() string { return hex.EncodeToString(v.b) }
func (v *hexValue) Type() string   { return "HEX" }

func (v *hexValue) Set(text string) error {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) == 0 {
		return errors.New("is not hexadecimal; give two of 0-9 and a-f for each byte, as keyfob token --bytes 16 --format hex prints them")
	}
	v.b = b
	return nil
}

// password reads a password from stdin: one line, of which nothing but the newline
// is cut.
func (u *ui) password(what string) (string, error) {
	text, err := u.secretLine(what)
	if err == nil && strings.HasSuffix(text, "\r") {
		err = wrong("the password ends in CR; end the line in LF alone")
	}
	return text, err
}

func newHKDF(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hkdf --info LABEL [flags] < FILE",
		Short: "Derive a key from a secret that nobody can guess (HKDF)",
		Long: `Derive a key with HKDF-SHA-256 (RFC 5869) from the secret on stdin, which has 16 bytes
or more that nobody can guess. A password is none: anybody tries billions a second.

The label says what the key is for, and another label gives a key that is not related.
The secret is one line of text, of which nothing but the newline is cut, unless --input
says that the line is hex, or that every byte of stdin counts.`,
		Example: `  keyfob token > root.secret && keyfob kdf hkdf --info myapp/cookies/v1 < root.secret
  keyfob token --format raw | keyfob kdf hkdf --input raw --info files/v1 --format raw > key`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	info := addText(cmd, "info", "LABEL", "", "what the key is for (required)")
	f := addKey(cmd, "salt, which may be left out")
	input := addChoice(cmd, "input", "form of the secret: text, hex or raw", "text", "hex", "raw")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := f.check(u, cmd, "info"); err != nil {
			return err
		}
		secret, err := u.keyMaterial(input.text)
		if err != nil {
			return err
		}
		key, err := kdf.HKDF(secret, f.salt.b, *info, int(f.bytes.n))
		return f.write(u, key, err)
	}
	return cmd
}

// maxRaw is the most that is read of a secret in bytes.
const maxRaw = 1 << 20

// keyMaterial reads a secret from stdin.
func (u *ui) keyMaterial(form string) ([]byte, error) {
	if form == "raw" {
		return u.rawMaterial()
	}
	text, err := u.secretLine("Secret")
	if err != nil {
		return nil, err
	}
	if form == "hex" {
		b, err := hex.DecodeString(text)
		if err != nil {
			return nil, wrong("the secret is not hexadecimal; it has two of 0-9 and a-f for each byte")
		}
		return b, nil
	}
	// The end of bytes that are taken for text might be cut as a newline is.
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return nil, wrong("the secret is not text; say --input raw, so that every byte counts")
	}
	return []byte(text), nil
}

func (u *ui) rawMaterial() ([]byte, error) {
	if isTerminal(u.stdin) {
		return nil, wrong("--input raw does not read bytes from a terminal; let stdin be a file or a program")
	}
	var b bytes.Buffer
	if _, err := io.Copy(&b, io.LimitReader(u.stdin, maxRaw+1)); err != nil {
		return nil, undecided("cannot read stdin: %v", bare(err))
	}
	if b.Len() > maxRaw {
		return nil, wrong("stdin has over %d bytes; give that or less", maxRaw)
	}
	return b.Bytes(), nil
}
