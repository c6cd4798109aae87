package main

import (
	"errors"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// A step is a part of the tour: what it shows, and commands of which each reads what
// the one before prints. The first reads lines, if there are any.
type step struct {
	about    string
	lines    []string
	commands [][]string
}

// tour has something of every command that makes secrets, and needs no file.
var tour = []step{
	{about: "A token, for a link, a cookie or a header: 256 random bits.",
		commands: [][]string{{"token"}}},
	{about: "A keyed token, as API keys are: people and scanners know it by its prefix,\nits id is public, and a checksum finds typing errors.",
		commands: [][]string{{"token", "--prefix", "sk_live"}, {"token", "inspect"}}},
	{about: "A password with something of each class. All that there are are equally\nlikely, so its entropy is exact.",
		commands: [][]string{{"password", "--length", "16", "--json"}}},
	{about: "A passphrase, to be remembered: 6 of 7776 words.",
		commands: [][]string{{"passphrase"}}},
	{about: "A one-time code. Count the guesses: 6 digits are a million.",
		commands: [][]string{{"otp"}}},
	{about: "Recovery codes, to be kept on paper.",
		commands: [][]string{{"otp", "--recovery", "-n", "2"}}},
	{about: "A seed for an authenticator app, and the code of this moment.",
		commands: [][]string{{"oath", "seed"}, {"oath", "totp"}}},
	{about: "An integer of 0 to 5.",
		commands: [][]string{{"int", "6"}}},
	{about: "One of some lines, all of them in random order, and two of them.",
		lines: []string{"ada", "bob", "cleo"}, commands: [][]string{{"choice"}}},
	{lines: []string{"ada", "bob", "cleo"}, commands: [][]string{{"shuffle"}}},
	{lines: []string{"ada", "bob", "cleo"}, commands: [][]string{{"sample", "2"}}},
	{about: "Two lines compared, in a time that does not tell where they differ.",
		lines: []string{"guess", "guess"}, commands: [][]string{{"compare"}}},
	{about: "A nonce for AES-GCM. It is no secret, and good for one message.",
		commands: [][]string{{"nonce"}}},
	{about: "A key for one use, from a secret for many.",
		commands: [][]string{{"token"}, {"kdf", "hkdf", "--info", "myapp/cookies/v1"}}},
	{about: "A password as it is stored: Argon2id, a salt, the output.",
		commands: [][]string{{"password"}, {"passhash"}}},
	{about: "What a recipe is worth, exactly.",
		commands: [][]string{{"entropy", "passphrase", "--words", "4"}}},
	{about: "What a text could be worth at most: nobody sees how it was drawn.",
		commands: [][]string{{"token", "--format", "hex"}, {"entropy"}}},
}

// tourEnd is about what needs a file or a server.
const tourEnd = `# Tokens against cross-site request forgery need a key in a file: keyfob csrf --help
# API keys that are checked, replaced and revoked need a server: keyfob serve
# All commands: keyfob --help
`

func newDemo(u *ui) *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Show one of everything",
		Long: `Show one of everything that keyfob makes, in a tour that needs no server and writes no
file: what it is, the command line, and what that prints. The secrets are real, and
since they were shown, not for use.`,
		Example:           "  keyfob demo",
		GroupID:           groupMore,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(*cobra.Command, []string) error { return u.demo() },
	}
}

func (u *ui) demo() error {
	if err := u.out.mustBeOpen(); err != nil {
		return err
	}
	for _, s := range tour {
		printed, err := s.run(u)
		if err != nil {
			return err
		}
		if s.about != "" {
			u.out.line("# " + strings.ReplaceAll(s.about, "\n", "\n# "))
		}
		if err := u.out.text("$ " + s.line() + "\n" + printed + "\n"); err != nil {
			return err
		}
	}
	return u.out.text(tourEnd)
}

// line is the step as it is typed into a shell. It says what run does.
func (s step) line() string {
	var parts []string
	if s.lines != nil {
		parts = append(parts, `printf '`+strings.Join(s.lines, `\n`)+`\n'`)
	}
	for _, args := range s.commands {
		part := "keyfob"
		for _, arg := range args {
			part += " " + shellQuote(arg)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " | ")
}

// run runs the commands of the step, and returns what the last one prints. A refusal
// is a part of that, as of SHA-1 where GODEBUG=fips140=only forbids it.
func (s step) run(u *ui) (string, error) {
	text := ""
	for _, line := range s.lines {
		text += line + "\n"
	}
	for _, args := range s.commands {
		var err error
		text, err = runOn(text, args, u.stderr)
		if f, ok := errors.AsType[*failure](err); ok && f.code == exitWrong {
			return "keyfob: " + f.text + "\n", nil
		}
		if err != nil {
			return "", err
		}
	}
	return text, nil
}

// runOn runs keyfob with a text on stdin, and returns what it prints. Both fit into a
// pipe.
func runOn(stdin string, args []string, stderr *os.File) (string, error) {
	in, err := piped(stdin)
	if err != nil {
		return "", err
	}
	defer in.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return "", undecided("cannot make a pipe: %v", err)
	}
	defer r.Close()
	defer w.Close()
	v := &ui{stdin: in, out: newOutput(w), stderr: stderr}
	root := newRoot(v, args...)
	root.SetArgs(args)
	if err := errors.Join(root.Execute(), v.out.flush()); err != nil {
		return "", err
	}
	w.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		return "", undecided("cannot read from a pipe: %v", err)
	}
	return string(text), nil
}

// piped returns a pipe that holds a text.
func piped(text string) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, undecided("cannot make a pipe: %v", err)
	}
	defer w.Close()
	if _, err := w.WriteString(text); err != nil {
		r.Close()
		return nil, undecided("cannot write to a pipe: %v", err)
	}
	return r, nil
}
