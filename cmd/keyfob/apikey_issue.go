package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newAPIKeyIssue(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "issue --subject SUBJECT [flags]",
		Short: "Issue an API key, and print its token",
		Long: `Issue an API key, and print its token: the only time that it is shown. Its id and
expiry go to stderr.

A key of the space keyfob is one that may call the server. Its scopes are owner, or
what it may do in another space: default:verify, default:issue, default:read or
default:revoke for the space default.`,
		Example: `  keyfob apikey issue --subject alice > alice.key
  keyfob apikey issue --subject alice --name laptop --scope read --scope write --expires 30d
  keyfob apikey issue --subject alice --attribute plan=pro --json
  keyfob apikey issue --space keyfob --subject billing --scope default:verify > billing.key`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	subject := addText(cmd, "subject", "SUBJECT", "", "whom or what the key stands for (required)")
	flags := cmd.Flags()
	name := flags.String("name", "", "a `NAME` for people")
	scopes := flags.StringArray("scope", nil, "a `SCOPE` of the key; may be given many times")
	expires := durationValue{never: true, mayNever: true}
	flags.Var(&expires, "expires", "after what time it is refused, as 12h, 30d or never")
	attributes := pairsValue{}
	flags.Var(attributes, "attribute", "something of the application's to keep with it, no secret; may be given many times")
	asJSON := flags.Bool("json", false, "print the API's object, which holds the token")
	r := addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *subject == "" {
			return wrong("--subject is missing; say whom the key stands for, as in --subject alice")
		}
		request := oas.IssueAPIKeyRequest{Subject: *subject, Scopes: *scopes}
		if *name != "" {
			request.Name.SetTo(*name)
		}
		if len(attributes) > 0 {
			request.Attributes.SetTo(oas.IssueAPIKeyRequestAttributes(attributes))
		}
		if !expires.never {
			if expires.d == 0 {
				return wrong("--expires is 0, and the key could never be used; give a time, as 30d, or never")
			}
			request.ExpiresAt.SetTo(time.Now().Add(expires.d).UTC())
		}
		return issue(cmd, u, r, &request, *asJSON)
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
