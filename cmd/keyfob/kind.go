package main

import (
	"context"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

// A kind is one of credentials that are listed, revoked and purged alike.
type kind struct {
	name string // as in the API
	many string // for people
}

func (k kind) newList(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:               "list [flags]",
		Short:             "List " + k.many + ", the newest first",
		Long:              "List " + k.many + ", the newest first: all, or those that each flag fits.",
		Example:           "  keyfob " + k.name + " list --subject alice\n  keyfob " + k.name + " list --state active --json",
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	subject := addText(cmd, "subject", "SUBJECT", "", "only those of this subject")
	states := cmd.Flags().StringArray("state", nil, "only those in this `STATE`: active, suspended, redeemed, replaced or revoked; may be given many times")
	asJSON := cmd.Flags().Bool("json", false, "print the API's object for each")
	r := addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		request := &oas.SearchCredentialsRequest{Kind: oas.NewOptString(k.name), States: *states}
		request.Limit.SetTo(pageSize)
		setText(&request.Subject, *subject)
		c, err := r.connect()
		if err != nil {
			return err
		}
		t := newTable(u.out)
		t.row("ID", "SUBJECT", "PURPOSE", "NAME", "STATE", "EXPIRES")
		for found, err := range c.credentials(cmd.Context(), *r.space, request) {
			if err != nil {
				return err
			}
			if !*asJSON {
				t.row(found.ID, found.Subject, found.Purpose.Or(""), found.Name, found.State, orNever(found.ExpiresAt))
			} else if err := u.out.json(found); err != nil {
				return err
			}
		}
		if *asJSON {
			return nil
		}
		return t.end()
	}
	return cmd
}

// credentials is a sequence of the credentials that a request asks for, page by
// page.
func (c *connection) credentials(ctx context.Context, space string, request *oas.SearchCredentialsRequest) iter.Seq2[*oas.Credential, error] {
	return c.pages(&request.After, func() (*oas.CredentialPage, error) {
		return c.SearchCredentials(ctx, request, oas.SearchCredentialsParams{Space: space})
	})
}

func (k kind) newRevoke(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:               "revoke ID [flags]",
		Short:             "End one of the " + k.many + ", at once and for good",
		Long:              "End one of the " + k.many + ", at once and for good. To revoke what is revoked changes nothing.",
		Example:           "  keyfob " + k.name + ` revoke "$ID" --reason "phone stolen"`,
		Args:              takes("ID"),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	reason := cmd.Flags().String("reason", "", "a `REASON` for people, kept with it")
	asJSON := cmd.Flags().Bool("json", false, "print the API's object")
	r := addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkID(args[0]); err != nil {
			return err
		}
		c, err := r.connect()
		if err != nil {
			return err
		}
		found, err := c.GetCredential(cmd.Context(), oas.GetCredentialParams{Space: *r.space, ID: args[0]})
		if err != nil {
			return c.explain(err)
		}
		if found.Kind != k.name {
			return no("%s is of the kind %s; revoke it with keyfob %[2]s revoke", found.ID, found.Kind)
		}
		var request oas.RevokeRequest
		setText(&request.Reason, *reason)
		if err := c.RevokeCredential(cmd.Context(), &request, oas.RevokeCredentialParams{Space: *r.space, ID: args[0]}); err != nil {
			return c.explain(err)
		}
		if *asJSON {
			return u.out.json(&oas.Revoked{})
		}
		u.note("revoked %s", args[0])
		return nil
	}
	return cmd
}

func (k kind) newPurge(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "purge --ended DURATION [flags]",
		Short: "Remove " + k.many + " that ended long ago",
		Long: "Remove " + k.many + ` that expired, were redeemed, replaced or revoked, at least so long ago.
Their events stay in the log. Only the owner may do this.`,
		Example:           "  keyfob " + k.name + " purge --ended 90d",
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	var ended durationValue
	cmd.Flags().Var(&ended, "ended", "how long ago they ended at the least, as 90d (required)")
	cmd.Flags().Lookup("ended").DefValue = ""
	asJSON := cmd.Flags().Bool("json", false, "print the API's object")
	r := addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !cmd.Flags().Changed("ended") {
			return wrong("--ended is missing; say how long ago they ended, as in --ended 90d")
		}
		before := time.Now().Add(-ended.d).UTC()
		c, err := r.connect()
		if err != nil {
			return err
		}
		request := &oas.PurgeCredentialsRequest{Kind: k.name, EndedBefore: before}
		purged, err := c.PurgeCredentials(cmd.Context(), request, oas.PurgeCredentialsParams{Space: *r.space})
		if err != nil {
			return c.explain(err)
		}
		if *asJSON {
			return u.out.json(purged)
		}
		u.note("removed %d of the %s that ended before %s", purged.Purged, k.many, before.Format(time.RFC3339))
		return nil
	}
	return cmd
}
