package main

import (
	"math/big"
	"strconv"

	"github.com/spf13/cobra"
)

// A recipe says what a generator makes, and knows its exact entropy.
type recipe interface {
	Bits() float64
	String() string
}

func newEntropy(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "entropy [--json] < FILE, or entropy RECIPE [flags]",
		Short: "Say how many bits of entropy a recipe has, or a text at most",
		Long: `Say how many bits of entropy a secret has. The commands below take the flags of the
generators of the same names, make nothing, and print the exact figure: the logarithm
to base 2 of the number of equally likely secrets.

Of a text on stdin, one line, it prints the forms that the text could have, and how many
bits each of them can carry at most. They are upper bounds: how the text was drawn it
cannot tell, and 00000000 gets as many as eight random digits. Entropy is known from the
recipe alone. The text is not repeated.

Of lines that are drawn, keyfob choice, shuffle and sample say it with --json.`,
		Example: `  keyfob entropy password --length 16
  keyfob entropy passphrase --words 4
  keyfob entropy token --bytes 16 --format hex --json
  keyfob token | keyfob entropy`,
		GroupID:           groupMake,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	asJSON := cmd.Flags().Bool("json", false, "print an object")
	cmd.RunE = func(*cobra.Command, []string) error {
		text, err := u.entropyText()
		if err != nil {
			return err
		}
		return u.upperBounds(text, *asJSON)
	}
	cmd.AddCommand(newEntropyToken(u), newEntropyPassword(u), newEntropyPassphrase(u), newEntropyOTP(u), newEntropyInt(u))
	return cmd
}

func newEntropyToken(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token [flags]",
		Short: "Say how many bits a token has",
		Long:  "Say how many bits of entropy a token has that keyfob token makes with the same flags.",
		Example: `  keyfob entropy token --bytes 16 --format base62
  keyfob entropy token --prefix sk_live`,
		Args: takes(),
	}
	f := addToken(cmd)
	return u.entropyOf(cmd, func([]string) (recipe, error) { return f.recipe(cmd) })
}

func newEntropyPassword(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "password [flags]",
		Short: "Say how many bits a password has",
		Long: `Say how many bits of entropy a password has that keyfob password makes with the same
flags. How many passwords that are, keyfob password explain says.`,
		Example: `  keyfob entropy password --length 16
  keyfob entropy password --bits 128 --no-symbols --json`,
		Args: takes(),
	}
	f := addPolicy(cmd)
	return u.entropyOf(cmd, func([]string) (recipe, error) { return f.compile(cmd) })
}

func newEntropyPassphrase(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "passphrase [flags]",
		Short: "Say how many bits a passphrase has",
		Long:  "Say how many bits of entropy a passphrase has that keyfob passphrase makes with the same flags.",
		Example: `  keyfob entropy passphrase --words 7
  keyfob entropy passphrase --list eff-short --capitalize --digit`,
		Args: takes(),
	}
	f := addPassphrase(cmd)
	return u.entropyOf(cmd, func([]string) (recipe, error) { return f.recipe(cmd) })
}

func newEntropyOTP(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "otp [flags]",
		Short: "Say how many bits a one-time code has",
		Long:  "Say how many bits of entropy a one-time code has that keyfob otp makes with the same flags.",
		Example: `  keyfob entropy otp --digits 8
  keyfob entropy otp --recovery`,
		Args: takes(),
	}
	f := addOTP(cmd, "of a recovery code")
	return u.entropyOf(cmd, func([]string) (recipe, error) { return f.recipe(cmd) })
}

func newEntropyInt(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "int N [flags]",
		Short:   "Say how many bits an integer below N has",
		Long:    "Say how many bits of entropy an integer has that keyfob int makes with the same bound.",
		Example: "  keyfob entropy int 6",
		Args:    takes("N"),
	}
	return u.entropyOf(cmd, func(args []string) (recipe, error) {
		bound, err := parseBound(args[0])
		return integers{bound}, err
	})
}

// integers is the recipe of integers below a bound.
type integers struct{ bound *big.Int }

func (r integers) Bits() float64  { return bitsOf(r.bound) }
func (r integers) String() string { return "an integer below " + r.bound.String() }

// entropyOf lets a command print the entropy of a recipe.
func (u *ui) entropyOf(cmd *cobra.Command, read func(args []string) (recipe, error)) *cobra.Command {
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	asJSON := cmd.Flags().Bool("json", false, "print an object")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		r, err := read(args)
		switch {
		case err != nil:
			return err
		case *asJSON:
			return u.out.json(struct {
				Generator string  `json:"generator"`
				Bits      float64 `json:"bits"`
				Recipe    string  `json:"recipe"`
			}{cmd.Name(), r.Bits(), r.String()})
		}
		return u.out.printf("bits    %s\nrecipe  %s\n", bitsText(r.Bits()), r.String())
	}
	return cmd
}

// bitsText writes bits in full, in digits.
func bitsText(bits float64) string { return strconv.FormatFloat(bits, 'f', -1, 64) }
