package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

// remoteHelp says how commands that ask a server find it.
const remoteHelp = `These commands ask a server. On its machine they speak over the Unix socket in its
data directory, and need no token. Elsewhere set KEYFOB_URL to its address, and
KEYFOB_TOKEN_FILE to the path of a file that holds a token of the space keyfob (or
KEYFOB_TOKEN to the token).`

// verdictHelp says what a command prints of a one-time secret that it was given.
const verdictHelp = `
It prints ok, the id of the credential and its subject, and the exit code is 0; or why
it is not valid, and the exit code is 1. With locked and rate_limited, which pass, it
is 3. The exit code 3 without a word on stdout means that nothing was decided: treat it
as a refusal. Tell whoever presented it no more than that it is not valid.`

// spend makes known what becomes of new secrets: they exist nowhere else.
func (u *ui) spend(c *oas.Credential, object any, asJSON bool, secrets ...string) error {
	var err error
	if asJSON {
		err = u.out.json(object)
	} else {
		for _, s := range secrets {
			if err == nil {
				err = u.out.line(printable(s))
			}
		}
	}
	if err == nil {
		err = u.out.flush()
	}
	if err != nil {
		return undecided("%v; what was handed out is lost: revoke it with keyfob %s revoke %s --space %s", err, c.Kind, c.ID, c.Space)
	}
	return nil
}

// spendIssued is spend for what was just issued, of which it says when it ends.
func (u *ui) spendIssued(c *oas.Credential, object any, asJSON bool, secrets ...string) error {
	if err := u.spend(c, object, asJSON, secrets...); err != nil || asJSON {
		return err
	}
	ends := orNever(c.ExpiresAt)
	if idle, ok := c.Idle.Get(); ok {
		ends += ", or when it was not used for " + secondsText(idle)
	}
	u.note("issued %s for %s; expires: %s", c.ID, c.Subject, ends)
	return nil
}

// attemptFlags are those of a command that takes a one-time secret on stdin.
type attemptFlags struct {
	*remote
	subject, purpose, binding, ip *string
	json                          *bool
}

// addAttempt adds the flags that a kind of secret knows.
func addAttempt(cmd *cobra.Command, names ...string) *attemptFlags {
	cmd.Args, cmd.ValidArgsFunction = takes(), cobra.NoFileCompletions
	f := &attemptFlags{}
	for _, name := range names {
		switch name {
		case "subject":
			f.subject = addText(cmd, "subject", "SUBJECT", "", "whose it is (required)")
		case "purpose":
			f.purpose = addText(cmd, "purpose", "PURPOSE", "", "what it is presented for, as password-reset (required)")
		case "binding":
			f.binding = addText(cmd, "binding", "HASH", "", "what the browser that presents it is bound to")
		}
	}
	f.ip = addText(cmd, "ip", "ADDRESS", "", "the address that it was presented from")
	f.json = cmd.Flags().Bool("json", false, "print the API's object")
	f.remote = addSpaced(cmd)
	return f
}

// check refuses a command that lacks what its secret needs.
func (f *attemptFlags) check() error {
	if f.subject != nil && *f.subject == "" {
		return wrong("--subject is missing; say whose it is, as in --subject alice")
	}
	if f.purpose != nil && *f.purpose == "" {
		return wrong("--purpose is missing; say what it is presented for, as in --purpose password-reset")
	}
	return nil
}

// run reads the secret, asks the server, and prints its verdict.
func (f *attemptFlags) run(cmd *cobra.Command, u *ui, what string, ask func(ctx context.Context, c *connection, text string) (*oas.AttemptVerdict, error)) error {
	if err := f.check(); err != nil {
		return err
	}
	c, err := f.connect()
	if err != nil {
		return err
	}
	text, err := u.secretLine(what)
	if err != nil {
		return err
	}
	// JSON carries Unicode only. What is none is no secret, before and after.
	v, err := ask(cmd.Context(), c, strings.ToValidUTF8(text, "\uFFFD"))
	if err != nil {
		return notDecided(c.explain(err))
	}
	if again, ok := v.RetryAfter.Get(); ok {
		u.note("try again in %s", formatDuration(time.Duration(again)*time.Second))
	}
	if *f.json {
		u.out.spare = true
		if err := u.out.json(v); err != nil {
			return err
		}
		return exitOf(v.Valid, v.Reason)
	}
	return u.judge(&oas.Verdict{Valid: v.Valid, Reason: v.Reason, Credential: v.Credential}, false)
}

// exitOf is the exit code that a verdict leads to.
func exitOf(valid bool, reason string) error {
	switch {
	case valid:
		return nil
	case reason == "rate_limited" || reason == "locked":
		return &failure{code: exitUndecided} // later it may well be valid
	}
	return &failure{code: exitNo}
}

// addDuration adds a flag for a time; where it is not given, the server knows what
// that means.
func addDuration(cmd *cobra.Command, name, usage string) *durationValue {
	v := &durationValue{}
	cmd.Flags().Var(v, name, usage)
	cmd.Flags().Lookup(name).DefValue = ""
	return v
}

// seconds sets a field of a request to a duration that is given.
func (v *durationValue) seconds(cmd *cobra.Command, name string, field *oas.OptInt64) error {
	if !cmd.Flags().Changed(name) {
		return nil
	}
	if v.d%time.Second != 0 || v.d == 0 {
		return wrong("--%s is whole seconds, at least one; give it as 10m", name)
	}
	field.SetTo(int64(v.d / time.Second))
	return nil
}
