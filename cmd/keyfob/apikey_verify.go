package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newAPIKeyVerify(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify [flags] < FILE",
		Short: "Verify the token on stdin",
		Long: `Verify the token on stdin: one line, of which nothing but the newline is cut.

It prints ok, the key's id and its subject, and the exit code is 0; or why the token
is not valid (malformed, unknown, revoked, expired, replaced, suspended, not_yet, ip,
scope, exhausted), and the exit code is 1. With rate_limited, which passes, it is 3.
The exit code 3 without a word on stdout means that nothing was decided: treat it as a
refusal. Tell whoever presented the token no more than that it is not valid.`,
		Example: `  keyfob apikey verify < alice.key
  keyfob apikey verify --scope read --ip 192.0.2.7 --json < alice.key`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	scopes := cmd.Flags().StringArray("scope", nil, "a `SCOPE` that the key must have; may be given many times")
	ip := addText(cmd, "ip", "ADDRESS", "", "the address that it was presented from; a key with --cidr is refused without")
	asJSON := cmd.Flags().Bool("json", false, "print the API's object")
	r := addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		request := &oas.VerifyRequest{Scopes: *scopes}
		setText(&request.IP, *ip)
		return r.verify(cmd.Context(), u, request, *asJSON)
	}
	return cmd
}

// verify reads the token that a request is about, asks the server, and prints its
// verdict.
func (r *remote) verify(ctx context.Context, u *ui, request *oas.VerifyRequest, asJSON bool) error {
	c, err := r.connect()
	if err != nil {
		return err
	}
	text, err := u.secretLine("Token")
	if err != nil {
		return err
	}
	// JSON carries Unicode only. What is none is no token, before and after.
	request.Token = strings.ToValidUTF8(text, "\uFFFD")
	verdict, err := c.Verify(ctx, request, oas.VerifyParams{Space: *r.space})
	if err != nil {
		return notDecided(c.explain(err))
	}
	return u.judge(verdict, asJSON)
}

// notDecided is the error of a verification that failed. That the caller was
// refused, or the space is not there, says nothing about the token, and must not
// be taken for a verdict.
func notDecided(err error) error {
	if f, ok := errors.AsType[*failure](err); ok && f.code == exitNo {
		return undecided("nothing was verified: %s", f.text)
	}
	return err
}

// judge prints a verdict.
func (u *ui) judge(v *oas.Verdict, asJSON bool) error {
	key, ok := v.Credential.Get()
	if v.Valid && !ok {
		return undecided("the server calls the token valid and does not say whose it is; is it keyfob?")
	}
	var err error
	u.out.spare = true
	switch {
	case asJSON:
		err = u.out.json(v)
	case v.Valid && key.Subject == "":
		err = u.out.printf("ok %s\n", key.ID)
	case v.Valid:
		err = u.out.printf("ok %s %s\n", key.ID, key.Subject)
	default:
		err = u.out.printf("%s\n", v.Reason)
	}
	if err == nil {
		err = exitOf(v.Valid, v.Reason)
	}
	return err
}
