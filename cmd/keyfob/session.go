package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newSession(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "session COMMAND",
		Short: "Issue, verify, list, renew and revoke sessions",
		Long: `Issue, verify, list, renew and revoke sessions: secrets that a browser presents with
each request, until nobody uses it for a while, or its time is over. To end all of a
subject at once, use keyfob subject revoke.

` + remoteHelp,
		Example: `  keyfob session issue --subject alice > alice.session
  keyfob session verify < alice.session
  keyfob session list --subject alice --live`,
		GroupID: groupCredentials,
	}
	k := kindSession
	cmd.AddCommand(newSessionIssue(u), newSessionVerify(u), k.newList(u), newSessionShow(u), newSessionRenew(u), k.newRevoke(u), k.newPurge(u))
	return cmd
}

func newSessionIssue(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "issue --subject SUBJECT [flags]",
		Short: "Issue a session, and print its token",
		Long: `Issue a session, and print its token: the only time that it is shown. Its id and expiry
go to stderr.

It ends when it was not used for its idle time, and after its lifetime at the latest.
These are 30 minutes and 12 hours, or 7 and 30 days where it is remembered.`,
		Example: `  keyfob session issue --subject alice > alice.session
  keyfob session issue --subject alice --idle 15m --lifetime 8h --attribute theme=dark
  keyfob session issue --subject alice --remembered --json`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	var request oas.IssueSessionRequest
	attributes := pairsValue{}
	subject := addText(cmd, "subject", "SUBJECT", "", "who has signed in (required)")
	idle := addDuration(cmd, "idle", "without use for how long it ends, up to its lifetime")
	lifetime := addDuration(cmd, "lifetime", "after how long it ends in any case, up to 400d")
	remembered := cmd.Flags().Bool("remembered", false, "have it last longer, where --idle and --lifetime do not say how long")
	cmd.Flags().Var(attributes, "attribute", "something of the application's to keep with it, no secret; may be given many times")
	asJSON := cmd.Flags().Bool("json", false, "print the API's object, which holds the token")
	r := addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *subject == "" {
			return wrong("--subject is missing; say who has signed in, as in --subject alice")
		}
		request.Subject.SetTo(*subject)
		if err := idle.seconds(cmd, "idle", &request.Idle); err != nil {
			return err
		}
		if err := lifetime.seconds(cmd, "lifetime", &request.Lifetime); err != nil {
			return err
		}
		if *remembered {
			request.Remembered.SetTo(true)
		}
		if len(attributes) > 0 {
			request.Attributes.SetTo(oas.IssueSessionRequestAttributes(attributes))
		}
		c, err := r.ready(u)
		if err != nil {
			return err
		}
		issued, err := c.IssueSession(cmd.Context(), &request, oas.IssueSessionParams{Space: *r.space})
		if err != nil {
			return c.explain(err)
		}
		return u.spendIssued(&issued.Credential, issued, *asJSON, issued.Token)
	}
	return cmd
}

func newSessionVerify(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify [flags] < FILE",
		Short: "Verify the token of a session on stdin, which is a use of it",
		Long: `Verify the token of a session on stdin: one line, of which nothing but the newline is
cut. This is a use of the session, which begins its idle time anew.

It prints ok, the session's id and its subject, if somebody has signed in, and the exit
code is 0; or why the token is not valid (malformed, unknown, revoked, expired,
replaced), and the exit code is 1. The exit code 3 without a word on stdout means that
nothing was decided: treat it as a refusal.`,
		Example: `  keyfob session verify < alice.session
  keyfob session verify --ip 192.0.2.7 --json < alice.session`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	ip := addText(cmd, "ip", "ADDRESS", "", "the address that it was presented from, which session show tells then")
	asJSON := cmd.Flags().Bool("json", false, "print the API's object")
	r := addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		request := &oas.VerifyRequest{Kind: oas.NewOptString(kindSession.name)}
		setText(&request.IP, *ip)
		return r.verify(cmd.Context(), u, request, *asJSON)
	}
	return cmd
}

func newSessionShow(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show ID [flags]",
		Short: "Show a session, by its id or that of its token",
		Long: `Show a session, by its id or that of its token, with its attributes. This is no use of
it. When it was last seen is written at most each tenth of its idle time.`,
		Example: `  keyfob session show "$ID"
  keyfob session show "$ID" --json`,
	}
	onID(u, cmd, func(ctx context.Context, c *connection, space, id string) (*oas.Credential, error) {
		return c.GetSession(ctx, oas.GetSessionParams{Space: space, ID: id})
	}, u.showCredential)
	return cmd
}

func newSessionRenew(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "renew ID [flags]",
		Short: "Replace the token of a session, and print the new one",
		Long: `Replace the token of a session, and print the new one: the only time that it is shown.
The token before it is refused from then on. Subject, attributes and lifetime stay.

With the id of a token in place of the session's, a session that was renewed since is
left as it is.`,
		Example: `  keyfob session renew "$ID" > alice.session
  keyfob session renew "$ID" --json`,
		Args:              takes("ID"),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	asJSON := cmd.Flags().Bool("json", false, "print the API's object, which holds the token")
	r := addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkID(cmd, args[0]); err != nil {
			return err
		}
		c, err := r.ready(u)
		if err != nil {
			return err
		}
		issued, err := c.RenewSession(cmd.Context(), oas.RenewSessionParams{Space: *r.space, ID: args[0]})
		if err != nil {
			return c.explain(err)
		}
		if err := u.spend(&issued.Credential, issued, *asJSON, issued.Token); err != nil || *asJSON {
			return err
		}
		u.note("renewed %s; the token before is refused from now on", issued.Credential.ID)
		return nil
	}
	return cmd
}
