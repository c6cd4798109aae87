package main

import (
	"encoding/json"
	"math"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/token"
)

const (
	maxCount  = 1_000_000_000
	safeBytes = 16 // of entropy; what has fewer can be guessed by somebody with time
)

// tokenFlags are the flags of keyfob token.
type tokenFlags struct {
	*makeFlags
	format *choiceValue
	bytes  wholeValue
	bits   wholeValue
	prefix *string
	weak   *bool
}

func newToken(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token [flags]",
		Short: "Make random tokens",
		Long: `Make random tokens: 256 bits from the system's generator unless told otherwise.

With --prefix it makes keyed tokens, as API keys are: the prefix, a public id of 16
characters, a secret of 43 and a checksum of 6, so that people and secret scanners
know one when they see it. A keyed token has a fixed size. Nothing records it; a
server's API keys are made by keyfob apikey issue.

With --json each line is an object with secret, generator, bits and recipe. Bits are
the exact entropy: the logarithm to base 2 of the number of equally likely secrets.`,
		Example: `  keyfob token
  keyfob token --bytes 16 --format hex
  keyfob token --bits 128 --format base62
  keyfob token --prefix sk_live
  keyfob token -n 1000 > tokens
  keyfob token --json
  keyfob token --format raw --bytes 32 > key.bin`,
		GroupID:           groupMake,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := addToken(cmd)
	f.makeFlags = addMake(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		recipe, err := f.recipe(cmd)
		if err != nil {
			return err
		}
		return f.make(u, recipe)
	}
	cmd.AddCommand(newTokenInspect(u))
	return cmd
}

// addToken adds the flags that say what is to be made.
func addToken(cmd *cobra.Command) *tokenFlags {
	f := &tokenFlags{
		bytes: wholeValue{n: 32, least: 1, most: token.MaxBytes},
		bits:  wholeValue{least: 1, most: 8 * token.MaxBytes},
	}
	flags := cmd.Flags()
	flags.Var(&f.bytes, "bytes", "bytes of entropy of each")
	flags.Var(&f.bits, "bits", "the shortest token of at least so many bits of entropy, instead of --bytes")
	f.format = addChoice(cmd, "format", "form of the text: urlsafe, hex, base32, base62, or raw, which is the bytes alone, without newlines, and not for a terminal",
		"urlsafe", "hex", "base32", "base62", "raw")
	f.prefix = addText(cmd, "prefix", "PREFIX", "", "make keyed tokens with this prefix: 1 to 32 of a-z, 0-9 and _")
	f.weak = flags.Bool("weak", false, "allow less than 16 bytes (128 bits), which can be guessed")
	return f
}

// recipe says what is to be made, or what is wrong with the flags.
func (f *tokenFlags) recipe(cmd *cobra.Command) (token.Recipe, error) {
	given := cmd.Flags().Changed
	if given("prefix") {
		for _, name := range []string{"bytes", "bits", "format", "weak"} {
			if given(name) {
				return token.Recipe{}, wrong("--prefix makes a keyed token, which has a fixed form; leave out --%s", name)
			}
		}
		if err := token.CheckPrefix(*f.prefix); err != nil {
			return token.Recipe{}, wrong("--prefix is %v", err)
		}
		return token.Recipe{Prefix: *f.prefix}, nil
	}
	r := token.Recipe{Bytes: int(f.bytes.n)}
	if err := r.Format.UnmarshalText([]byte(f.format.text)); err != nil {
		return r, wrong("--format: %v", err)
	}
	if given("bits") {
		if given("bytes") {
			return r, wrong("--bits and --bytes both say how long a token is; give one")
		}
		var err error
		if r, err = atLeast(r, float64(f.bits.n)); err != nil {
			return r, err
		}
	}
	if r.Bytes < safeBytes && !*f.weak {
		return r, wrong("a token of %s can be guessed by somebody with time; give 16 or more (128 bits), or add --weak", count(r.Bytes, "byte"))
	}
	return r, nil
}

// atLeast is the recipe for the shortest token of at least so many bits.
func atLeast(r token.Recipe, bits float64) (token.Recipe, error) {
	for r.Bytes = max(1, int(math.Ceil(bits/8))-1); r.Check() == nil; r.Bytes++ {
		if r.Bits() >= bits {
			return r, nil
		}
	}
	return r, wrong("--bits is more than a token can have; give at most %d", 8*token.MaxBytes)
}

// make writes the tokens.
func (f *tokenFlags) make(u *ui, r token.Recipe) error {
	if r.Format == token.FormatRaw && *f.json {
		return wrong("--format raw writes bytes, and --json text; leave one out, or take --format hex")
	}
	if err := u.out.mustBeOpen(); err != nil {
		return err
	}
	before, after := "", "\n"
	switch {
	case r.Format == token.FormatRaw:
		if u.out.isTerminal() {
			return wrong("--format raw does not write bytes to a terminal; send stdout to a file or a program, or take --format hex")
		}
		after = ""
	case *f.json:
		about, err := json.Marshal(struct {
			Generator string  `json:"generator"`
			Bits      float64 `json:"bits"`
			Recipe    string  `json:"recipe"`
		}{"token", r.Bits(), r.String()})
		if err != nil {
			return err
		}
		// No format has a character that JSON would want escaped.
		before, after = `{"secret":"`, `",`+string(about[1:])+"\n"
	}
	n := int(f.count.n)
	bar := u.progress(n, "tokens")
	defer bar.end()
	each := len(before) + r.Length() + len(after)
	for block := range r.Blocks(n, before, after) {
		if err := u.out.bytes(block); err != nil {
			return err
		}
		bar.steps(len(block) / each)
	}
	return nil
}
