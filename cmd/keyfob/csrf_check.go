package main

import (
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/csrf"
)

func newCSRFCheck(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check --key-file FILE [flags] < ID-AND-TOKEN",
		Short: "Check the token of a session",
		Long: `Check a token: stdin has two lines, the session's id and what came with the form. It
prints ok, and the exit code is 0; or why the token is refused, and the exit code is 1:

  malformed  it has not the form of a token
  mismatch   it was made for another session or with another key, or was changed
  expired    it was right, and has ended
  future     it was made more than 30 seconds later than now: a clock is wrong

Any other exit code says that nothing was checked: refuse the request then, too. Tell
the browser no more than that the form has expired.

` + csrfKeyHelp,
		Example: `  umask 077; keyfob token --format hex > csrf.key
  echo "$ID" | keyfob csrf new --key-file csrf.key > form.token
  { echo "$ID"; cat form.token; } | keyfob csrf check --key-file csrf.key
  { echo "$ID"; cat form.token; } | keyfob csrf check --key-file csrf.key --lifetime 1h --json`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := addCSRF(cmd)
	lifetime := durationValue{d: csrf.DefaultLifetime}
	cmd.Flags().Var(&lifetime, "lifetime", "how long a token can be used")
	asJSON := cmd.Flags().Bool("json", false, "print an object")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if lifetime.d == 0 {
			return wrong("--lifetime is 0, so that every token has ended; give a duration, as 12h")
		}
		k, err := f.key(csrf.Config{Lifetime: lifetime.d})
		if err != nil {
			return err
		}
		id, token, err := u.idAndToken()
		if err != nil {
			return err
		}
		return u.csrfVerdict(k.Check(id, token, f.at.time(cmd)), *asJSON)
	}
	return cmd
}

// idAndToken reads the two lines of stdin. At a terminal it asks for them, and does
// not show what is typed. Whatever the second is, it may come from an attacker's form,
// and is for Check to refuse: no line, several, or one that is too long to be read in
// full, and so to be a token.
func (u *ui) idAndToken() (id, token string, err error) {
	if isTerminal(u.stdin) {
		if id, err = u.secretLine("Id"); err == nil {
			token, err = u.secretLine("Token")
		}
		return id, token, err
	}
	text, err := io.ReadAll(io.LimitReader(u.stdin, 2*maxLine))
	if err != nil {
		return "", "", undecided("cannot read stdin: %v", err)
	}
	id, token, two := strings.Cut(string(text), "\n")
	token = strings.TrimSuffix(token, "\n")
	switch {
	case !two:
		return "", "", wrong("stdin does not have two lines; it has to be the session's id and the token")
	case id == "":
		return "", "", wrong("the first line of stdin is empty; it has to be the session's id, and the second the token")
	case strings.HasSuffix(id, "\r"):
		return "", "", wrong("the first line of stdin ends in CR; end lines in LF alone")
	}
	return id, token, nil
}

// csrfVerdict prints a verdict.
func (u *ui) csrfVerdict(refusal error, asJSON bool) error {
	reason := "ok"
	if refusal != nil {
		var known bool
		if reason, known = csrfReason(refusal); !known {
			return wrong("%v", refusal)
		}
	}
	u.out.spare = true
	var err error
	if asJSON {
		err = u.out.json(struct {
			Valid  bool   `json:"valid"`
			Reason string `json:"reason"`
		}{refusal == nil, reason})
	} else {
		err = u.out.line(reason)
	}
	if err == nil && refusal != nil {
		err = &failure{code: exitNo}
	}
	return err
}

// csrfReason names a refusal in one word.
func csrfReason(err error) (reason string, ok bool) {
	switch {
	case errors.Is(err, csrf.ErrMalformed):
		return "malformed", true
	case errors.Is(err, csrf.ErrMismatch):
		return "mismatch", true
	case errors.Is(err, csrf.ErrExpired):
		return "expired", true
	case errors.Is(err, csrf.ErrFuture):
		return "future", true
	}
	return "", false
}
