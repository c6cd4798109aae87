package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newLink(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "link COMMAND",
		Short: "Issue, inspect and redeem the tokens of links that are mailed",
		Long: `Issue, inspect and redeem the tokens of links that are mailed: to reset a password, to
sign in, to verify an address. A token is redeemed once, for the purpose that it was
issued for.

` + remoteHelp,
		Example: `  keyfob link issue --subject alice --purpose password-reset > alice.link
  keyfob link inspect --purpose password-reset < alice.link
  keyfob link redeem --purpose password-reset < alice.link`,
		GroupID: groupCredentials,
	}
	k := kindLink
	cmd.AddCommand(newLinkIssue(u), newLinkInspect(u), newLinkRedeem(u), k.newList(u), k.newRevoke(u), k.newPurge(u))
	return cmd
}

func newLinkIssue(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "issue --subject SUBJECT --purpose PURPOSE [flags]",
		Short: "Issue the token of a link, and print it",
		Long: `Issue the token of a link, and print it: the only time that it is shown. A subject may
have three of one purpose at once; a fourth ends the oldest, and redeeming one ends the
others.`,
		Example: `  keyfob link issue --subject alice --purpose password-reset > alice.link
  keyfob link issue --subject alice --purpose login --ttl 10m --pause 1m --json`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	var request oas.IssueLinkRequest
	attributes := pairsValue{}
	subject := addText(cmd, "subject", "SUBJECT", "", "whom the link stands for (required)")
	purpose := addText(cmd, "purpose", "PURPOSE", "", "what it is for: of a-z, 0-9, -, _ and . (required)")
	ttl := addDuration(cmd, "ttl", "how long it lives, up to 30d; 1h if it is not given")
	pause := addDuration(cmd, "pause", "how old the newest that is live must be, up to 1d; a younger one has this refused")
	binding := addText(cmd, "binding", "HASH", "", "a hash of a cookie: it is redeemed only with the same")
	cmd.Flags().Var(attributes, "attribute", "something of the application's to keep with it, no secret; may be given many times")
	asJSON := cmd.Flags().Bool("json", false, "print the API's object, which holds the token")
	r := addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := (&attemptFlags{subject: subject, purpose: purpose}).check(); err != nil {
			return err
		}
		request.Subject, request.Purpose = *subject, *purpose
		setText(&request.Binding, *binding)
		if len(attributes) > 0 {
			request.Attributes.SetTo(oas.IssueLinkRequestAttributes(attributes))
		}
		if err := ttl.seconds(cmd, "ttl", &request.TTL); err != nil {
			return err
		}
		if err := pause.seconds(cmd, "pause", &request.Pause); err != nil {
			return err
		}
		c, err := r.ready(u)
		if err != nil {
			return err
		}
		issued, err := c.IssueLink(cmd.Context(), &request, oas.IssueLinkParams{Space: *r.space})
		if err != nil {
			return c.explain(err)
		}
		return u.spendIssued(&issued.Credential, issued, *asJSON, issued.Token)
	}
	return cmd
}

// ready connects, when what will be handed out can be written.
func (r *remote) ready(u *ui) (*connection, error) {
	if err := u.out.mustBeOpen(); err != nil {
		return nil, err
	}
	return r.connect()
}

func newLinkInspect(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inspect --purpose PURPOSE [flags] < FILE",
		Short: "Say whether the token on stdin could be redeemed, and leave it as it is",
		Long: `Say whether the token on stdin could be redeemed, and leave it as it is.
` + verdictHelp,
		Example: `  keyfob link inspect --purpose password-reset < alice.link`,
	}
	f := addAttempt(cmd, "purpose", "binding")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return f.run(cmd, u, "Token", func(ctx context.Context, c *connection, text string) (*oas.AttemptVerdict, error) {
			return c.InspectLink(ctx, f.link(text), oas.InspectLinkParams{Space: *f.space})
		})
	}
	return cmd
}

func newLinkRedeem(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "redeem --purpose PURPOSE [flags] < FILE",
		Short: "Redeem the token on stdin: once",
		Long: `Redeem the token on stdin: once.
` + verdictHelp,
		Example: `  keyfob link redeem --purpose password-reset < alice.link`,
	}
	f := addAttempt(cmd, "purpose", "binding")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return f.run(cmd, u, "Token", func(ctx context.Context, c *connection, text string) (*oas.AttemptVerdict, error) {
			return c.RedeemLink(ctx, f.link(text), oas.RedeemLinkParams{Space: *f.space})
		})
	}
	return cmd
}

func (f *attemptFlags) link(text string) *oas.LinkAttemptRequest {
	request := &oas.LinkAttemptRequest{Token: text, Purpose: *f.purpose}
	setText(&request.Binding, *f.binding)
	setText(&request.IP, *f.ip)
	return request
}
