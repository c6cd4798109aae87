package main

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"iter"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/nonce"
)

func newNonce(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "nonce [flags]",
		Short: "Make random nonces, one for each message",
		Long: `Make random nonces of 12, 16, 24 or 32 bytes, as ciphers take them: one for each message
that is encrypted with a key, and never one for two. A nonce is no secret.

The number of messages with one key has a bound, up to which the chance that two nonces
are equal stays below 2^-32 (NIST SP 800-38D, section 8):

  12 bytes  2^32 messages   AES-GCM, AES-CCM, ChaCha20-Poly1305
  16 bytes  2^48 messages   AES-CBC, AES-EAX, Ascon-AEAD128
  24 bytes  2^80 messages   XChaCha20-Poly1305, XSalsa20-Poly1305
  32 bytes  2^112 messages  AEGIS-256`,
		Example: `  keyfob nonce
  keyfob nonce --bytes 24
  keyfob nonce -n 1000 > nonces
  keyfob nonce --json
  keyfob nonce --bytes 16 --format raw > iv.bin`,
		GroupID:           groupMake,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	size := &nonceSize{wholeValue{n: 12}}
	cmd.Flags().Var(size, "bytes", "size of each: 12, 16, 24 or 32")
	format := addChoice(cmd, "format", "form of the text: hex, urlsafe, or raw, which is the bytes alone, without newlines, and not for a terminal",
		"hex", "urlsafe", "raw")
	f := addMake(cmd)
	cmd.RunE = func(*cobra.Command, []string) error {
		if format.text == "raw" {
			return f.rawNonces(u, int(size.n))
		}
		return f.generate(u, generator{
			name: "nonce", many: "nonces", bits: 8 * float64(size.n), recipe: format.text + ", " + count(int(size.n), "byte"),
			each: func(n int) iter.Seq[[]byte] { return nonceTexts(n, int(size.n), format.text) },
		})
	}
	return cmd
}

// nonceTexts makes n nonces in hex or base64url. Each is valid until the next.
func nonceTexts(n, size int, format string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		var text []byte
		for range n {
			b := nonce.Random(size)
			if format == "hex" {
				text = hex.AppendEncode(text[:0], b)
			} else {
				text = base64.RawURLEncoding.AppendEncode(text[:0], b)
			}
			if !yield(text) {
				return
			}
		}
	}
}

// rawNonces writes nonces as bytes.
func (f *makeFlags) rawNonces(u *ui, size int) error {
	switch {
	case *f.json:
		return wrong("--format raw writes bytes, and --json text; leave one out, or take --format hex")
	case u.out.isTerminal():
		return wrong("--format raw does not write bytes to a terminal; send stdout to a file or a program, or take --format hex")
	}
	if err := u.out.mustBeOpen(); err != nil {
		return err
	}
	bar := u.progress(int(f.count.n), "nonces")
	defer bar.end()
	for range f.count.n {
		if err := u.out.bytes(nonce.Random(size)); err != nil {
			return err
		}
		bar.step()
	}
	return nil
}

// nonceSize is the flag for a size that nonces have.
type nonceSize struct{ wholeValue }

func (v *nonceSize) Set(text string) error {
	n := wholeValue{least: 1, most: 1 << 10}
	if n.Set(text) != nil || nonce.CheckSize(int(n.n)) != nil {
		return errors.New("is no size of a nonce; give 12, 16, 24 or 32")
	}
	v.n = n.n
	return nil
}
