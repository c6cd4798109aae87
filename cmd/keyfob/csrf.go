package main

import (
	"encoding/hex"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/csrf"
)

const csrfKeyHelp = `The key file holds 32 bytes in hex: one line of 64 digits, as keyfob token --format hex
prints them. All machines of an application have the same. Whoever has it makes tokens
for everybody: keep it from others (mode 0600).`

func newCSRF(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "csrf COMMAND",
		Short: "Make and check CSRF tokens of a session",
		Long: `Make and check the tokens that a web application puts into its forms, so that a page of
another site cannot send them in somebody's name (cross-site request forgery). A token
is bound to the id of a session, ends after a time, and is another one each time.

` + csrfKeyHelp + `

In Go take the package csrf, which does the same.`,
		Example: `  umask 077; keyfob token --format hex > csrf.key
  echo "$ID" | keyfob csrf new --key-file csrf.key > form.token
  { echo "$ID"; cat form.token; } | keyfob csrf check --key-file csrf.key`,
		GroupID: groupMake,
	}
	cmd.AddCommand(newCSRFNew(u), newCSRFCheck(u))
	return cmd
}

// csrfFlags are the flags of both commands.
type csrfFlags struct {
	keyFile *string
	at      *atValue
}

func addCSRF(cmd *cobra.Command) *csrfFlags {
	f := &csrfFlags{}
	f.keyFile = addText(cmd, "key-file", "FILE", "", "file with the key (required)")
	cmd.MarkFlagFilename("key-file")
	f.at = addAt(cmd)
	return f
}

// key reads the key.
func (f *csrfFlags) key(c csrf.Config) (csrf.Key, error) {
	if *f.keyFile == "" {
		return csrf.Key{}, wrong("--key-file is missing; name a file with a key, as keyfob token --format hex prints it")
	}
	r, err := os.Open(*f.keyFile)
	if err != nil {
		return csrf.Key{}, wrong("--key-file cannot be read: %v; give a file with a key, as keyfob token --format hex prints it", bare(err))
	}
	defer r.Close()
	text, err := readLine(r, "--key-file", "key")
	if err != nil {
		return csrf.Key{}, err
	}
	secret, err := hex.DecodeString(text)
	if err != nil || len(secret) != csrf.KeySize || hex.EncodeToString(secret) != text {
		return csrf.Key{}, wrong("--key-file does not hold a key: one line of 64 of 0-9 and a-f, as keyfob token --format hex prints it")
	}
	defer clear(secret)
	k, err := csrf.NewKey(secret, c)
	if err != nil {
		return k, wrong("%v", err)
	}
	return k, nil
}

func newCSRFNew(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "new --key-file FILE < ID",
		Short: "Make a token for the session whose id is on stdin",
		Long: `Make a token for the session whose id is on stdin: one line, of which nothing but the
newline is cut. The token has 72 characters of A-Z, a-z, 0-9, - and _. Make one for each
response, and put it into a hidden field of the form.

` + csrfKeyHelp,
		Example: `  umask 077; keyfob token --format hex > csrf.key
  echo "$ID" | keyfob csrf new --key-file csrf.key`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := addCSRF(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := u.out.mustBeOpen(); err != nil {
			return err
		}
		k, err := f.key(csrf.Config{})
		if err != nil {
			return err
		}
		id, err := u.secretLine("Id")
		if err != nil {
			return err
		}
		if strings.HasSuffix(id, "\r") {
			return wrong("the id ends in CR; end the line in LF alone")
		}
		token, err := k.New(id, f.at.time(cmd))
		if err != nil {
			return wrong("%v", err)
		}
		return u.out.line(token)
	}
	return cmd
}
