package main

import (
	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/otp"
)

// recoverySet is how many recovery codes are made where nothing is said.
const recoverySet = 10

// otpFlags are the flags of keyfob otp.
type otpFlags struct {
	*makeFlags
	digits, length wholeValue
	alphabet       *choiceValue
	recovery       *bool
}

func newOTP(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "otp [flags]",
		Short: "Make one-time codes to type in",
		Long: `Make one-time codes: 6 digits, of which the first may be 0, unless told otherwise.

Nothing records a code, and nothing counts the guesses: 6 digits are safe only where
somebody does, and ends the code after a few. The alphabet unambiguous is
ABCDEFGHJKLMNPQRSTUVWXYZ23456789, without what is mistaken for something else.

With --recovery it makes a set of ten recovery codes, to be kept on paper, of 120 bits
each: 24 such characters in groups of four. The codes of authenticator apps are those
of keyfob oath.`,
		Example: `  keyfob otp
  keyfob otp --digits 8
  keyfob otp --alphabet unambiguous --length 10
  keyfob otp --recovery
  keyfob otp -n 1000 --json`,
		GroupID:           groupMake,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := addOTP(cmd, "make recovery codes, ten unless -n says how many")
	f.makeFlags = addMake(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		r, err := f.recipe(cmd)
		if err != nil {
			return err
		}
		if *f.recovery && !cmd.Flags().Changed("count") {
			f.count.n = recoverySet
		}
		return f.generate(u, generator{name: "otp", many: "codes", bits: r.Bits(), recipe: r.String(), each: r.Each})
	}
	return cmd
}

// addOTP adds the flags that say what is to be made.
func addOTP(cmd *cobra.Command, recovery string) *otpFlags {
	f := &otpFlags{
		digits: wholeValue{n: 6, least: 6, most: 10},
		length: wholeValue{n: 8, least: 4, most: 64},
	}
	flags := cmd.Flags()
	flags.Var(&f.digits, "digits", "digits of each, 6 to 10")
	f.alphabet = addChoice(cmd, "alphabet", "what codes are made of: digits, or unambiguous", "digits", "unambiguous")
	flags.Var(&f.length, "length", "characters of each with --alphabet unambiguous, 4 to 64")
	f.recovery = flags.Bool("recovery", false, recovery)
	return f
}

// recipe says what is to be made, or what is wrong with the flags.
func (f *otpFlags) recipe(cmd *cobra.Command) (otp.Recipe, error) {
	given := cmd.Flags().Changed
	r := otp.Recipe{Chars: int(f.digits.n)}
	switch {
	case *f.recovery:
		for _, name := range []string{"digits", "alphabet", "length"} {
			if given(name) {
				return r, wrong("--recovery makes codes of a fixed form; leave out --%s", name)
			}
		}
		r = otp.Recipe{Format: otp.FormatRecovery}
	case f.alphabet.text == "unambiguous":
		if given("digits") {
			return r, wrong("--digits is for codes of digits; give --length with --alphabet unambiguous")
		}
		r = otp.Recipe{Format: otp.FormatUnambiguous, Chars: int(f.length.n)}
	case given("length"):
		return r, wrong("--length is for --alphabet unambiguous; give --digits for codes of digits")
	}
	if err := r.Check(); err != nil {
		return r, wrong("%v", err)
	}
	return r, nil
}
