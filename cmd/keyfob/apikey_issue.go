package main

import (
	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newAPIKeyIssue(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "issue --subject SUBJECT [flags]",
		Short: "Issue an API key, and print its token",
		Long: `Issue an API key, and print its token: the only time that it is shown. Its id and
expiry go to stderr.

A time is given in full, as 2030-01-02T03:04:05Z, or as how long it is until then, as
30d or 1h30m.

A key of the space keyfob is one that may call the server. Its scopes are owner, or
what it may do in another space: default:verify, default:issue, default:read or
default:revoke for the space default.`,
		Example: `  keyfob apikey issue --subject alice > alice.key
  keyfob apikey issue --subject alice --name laptop --scope read --scope write --expires 30d
  keyfob apikey issue --subject alice --not-before 12h --cidr 192.0.2.0/24 --uses 1000
  keyfob apikey issue --subject alice --attribute plan=pro --json
  keyfob apikey issue --space keyfob --subject billing --scope default:verify > billing.key`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	subject := addText(cmd, "subject", "SUBJECT", "", "whom or what the key stands for (required)")
	p := addAPIKeyFlags(cmd)
	asJSON := cmd.Flags().Bool("json", false, "print the API's object, which holds the token")
	r := addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *subject == "" {
			return wrong("--subject is missing; say whom the key stands for, as in --subject alice")
		}
		request, err := p.request(*subject)
		if err != nil {
			return err
		}
		return issue(cmd, u, r, request, *asJSON)
	}
	return cmd
}

func issue(cmd *cobra.Command, u *ui, r *remote, request *oas.IssueAPIKeyRequest, asJSON bool) error {
	if err := u.out.mustBeOpen(); err != nil {
		return err
	}
	c, err := r.connect()
	if err != nil {
		return err
	}
	issued, err := c.IssueAPIKey(cmd.Context(), request, oas.IssueAPIKeyParams{Space: *r.space})
	if err != nil {
		return c.explain(err)
	}
	if err := u.handOut(issued, asJSON); err != nil || asJSON {
		return err
	}
	key := &issued.Credential
	u.note("issued %s for %s; expires: %s", key.ID, key.Subject, orNever(key.ExpiresAt))
	return nil
}
