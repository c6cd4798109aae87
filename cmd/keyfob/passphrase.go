package main

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/passphrase"
)

// passphraseFlags are the flags of keyfob passphrase.
type passphraseFlags struct {
	*makeFlags
	words, bits                  wholeValue
	list                         *string
	separator                    *string
	capitalize, digit, noRepeats *bool
}

func newPassphrase(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "passphrase [flags]",
		Short: "Make passphrases of words",
		Long: `Make passphrases: 6 words of the large list of the Electronic Frontier Foundation,
77.5 bits, unless told otherwise.

A list of your own is a file in UTF-8 with one word a line, or with dice numbers and a
word. Words may be joined by nothing, with --separator '', or by something that is in
the words, only where no two phrases then read the same; otherwise two that do are
named, and the list is refused with this separator.`,
		Example: `  keyfob passphrase
  keyfob passphrase --words 8 --separator ' '
  keyfob passphrase --bits 100 --list eff-short --capitalize --digit
  printf '%s\n' red green blue > colors && keyfob passphrase --list colors --words 40
  keyfob passphrase -n 1000 > phrases
  keyfob passphrase --json`,
		GroupID:           groupMake,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := addPassphrase(cmd)
	f.makeFlags = addMake(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		r, err := f.recipe(cmd)
		if err != nil {
			return err
		}
		return f.generate(u, generator{name: "passphrase", many: "passphrases", bits: r.Bits(), recipe: r.String(), each: r.Each})
	}
	cmd.AddCommand(newPassphraseCheckList(u))
	return cmd
}

// addPassphrase adds the flags that say what is to be made.
func addPassphrase(cmd *cobra.Command) *passphraseFlags {
	f := &passphraseFlags{
		words: wholeValue{n: 6, least: 1, most: passphrase.MaxWords},
		bits:  wholeValue{least: 1, most: 32 * passphrase.MaxWords},
	}
	flags := cmd.Flags()
	flags.Var(&f.words, "words", "words of each")
	flags.Var(&f.bits, "bits", "the fewest words that give at least so many bits of entropy, instead of --words")
	f.list = addText(cmd, "list", "LIST", "eff-large", "where the words come from: eff-large, eff-short, or a file")
	f.separator = flags.String("separator", "-", "`TEXT` between the words; '' is none")
	f.capitalize = flags.Bool("capitalize", false, "begin each word with a capital")
	f.digit = flags.Bool("digit", false, "append a digit to one of the words")
	f.noRepeats = flags.Bool("no-repeats", false, "no word twice in a phrase")
	return f
}

// recipe says what is to be made, or what is wrong with the flags.
func (f *passphraseFlags) recipe(cmd *cobra.Command) (passphrase.Recipe, error) {
	r := passphrase.Recipe{
		Words: int(f.words.n), Separator: *f.separator, NoSeparator: *f.separator == "",
		Capitalize: *f.capitalize, Digit: *f.digit, NoRepeats: *f.noRepeats,
	}
	given := cmd.Flags().Changed
	if given("bits") && given("words") {
		return r, wrong("--bits and --words both say how long a passphrase is; give one")
	}
	var err error
	if r.List, err = wordList(*f.list); err != nil {
		return r, err
	}
	if given("bits") {
		r, err = r.ForBits(float64(f.bits.n))
	} else {
		err = r.Check()
	}
	if err != nil {
		return r, wrong("%v", err)
	}
	return r, nil
}

// wordList returns the list of a name or in a file.
func wordList(name string) (*passphrase.List, error) {
	switch name {
	case "eff-large":
		return passphrase.EFFLarge(), nil
	case "eff-short":
		return passphrase.EFFShort(), nil
	}
	text, err := readList(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, wrong("--list is neither eff-large nor eff-short, and there is no such file; give one of the two, or a file with one word a line")
	}
	if err != nil {
		return nil, wrong("--list cannot be read: %v; give eff-large, eff-short, or a file with one word a line", err)
	}
	list, err := passphrase.ParseList(text)
	if err != nil {
		return nil, wrong("--list is %v", err)
	}
	return list, nil
}

// readList reads a file that may be a list, and no more than a list may have. The
// error does not repeat its name.
func readList(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", bare(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, passphrase.MaxListBytes+1))
	return string(text), bare(err)
}

// bare is an error about a file without the file's name.
func bare(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
