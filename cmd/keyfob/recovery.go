package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newRecovery(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "recovery COMMAND",
		Short: "Issue and redeem recovery codes",
		Long: `Issue and redeem recovery codes, for when an authenticator is lost: a set of ten, each of
which is redeemed once.

` + remoteHelp,
		Example: `  keyfob recovery issue --subject alice > alice.codes
  head -n 1 alice.codes | keyfob recovery redeem --subject alice`,
		GroupID: groupCredentials,
	}
	k := kindRecovery
	cmd.AddCommand(newRecoveryIssue(u), newRecoveryRedeem(u), k.newList(u), k.newRevoke(u), k.newPurge(u))
	return cmd
}

func newRecoveryIssue(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "issue --subject SUBJECT [flags]",
		Short: "Issue ten recovery codes, and print them",
		Long: `Issue ten recovery codes, and print them, one a line: the only time that they are shown.
They end the set before.`,
		Example:           `  keyfob recovery issue --subject alice > alice.codes`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	attributes := pairsValue{}
	subject := addText(cmd, "subject", "SUBJECT", "", "whom the codes stand for (required)")
	cmd.Flags().Var(attributes, "attribute", "something of the application's to keep with it, no secret; may be given many times")
	asJSON := cmd.Flags().Bool("json", false, "print the API's object, which holds the codes")
	r := addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := (&attemptFlags{subject: subject}).check(); err != nil {
			return err
		}
		request := oas.IssueRecoveryRequest{Subject: *subject}
		if len(attributes) > 0 {
			request.Attributes.SetTo(oas.IssueRecoveryRequestAttributes(attributes))
		}
		c, err := r.ready(u)
		if err != nil {
			return err
		}
		issued, err := c.IssueRecovery(cmd.Context(), &request, oas.IssueRecoveryParams{Space: *r.space})
		if err != nil {
			return c.explain(err)
		}
		return u.spendIssued(&issued.Credential, issued, *asJSON, issued.Codes...)
	}
	return cmd
}

func newRecoveryRedeem(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "redeem --subject SUBJECT [flags] < FILE",
		Short: "Redeem the recovery code on stdin: once",
		Long: `Redeem the recovery code on stdin: once. Each try is counted for the subject.
` + verdictHelp,
		Example: `  head -n 1 alice.codes | keyfob recovery redeem --subject alice`,
	}
	f := addAttempt(cmd, "subject")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return f.run(cmd, u, "Code", func(ctx context.Context, c *connection, text string) (*oas.AttemptVerdict, error) {
			request := &oas.RedeemRecoveryRequest{Subject: *f.subject, Code: text}
			setText(&request.IP, *f.ip)
			return c.RedeemRecovery(ctx, request, oas.RedeemRecoveryParams{Space: *f.space})
		})
	}
	return cmd
}
