package main

import (
	"context"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

// A kind is one of credentials, most of which are listed, revoked and purged alike.
type kind struct {
	name string // as in the API
	many string // for people
}

var (
	kindAPIKey   = kind{"apikey", "API keys"}
	kindSession  = kind{"session", "sessions"}
	kindLink     = kind{"link", "links"}
	kindCode     = kind{"code", "codes"}
	kindTOTP     = kind{"totp", "authenticators"}
	kindRecovery = kind{"recovery", "recovery sets"}
)

// kinds are all that there are.
var kinds = []kind{kindAPIKey, kindSession, kindLink, kindCode, kindTOTP, kindRecovery}

func (k kind) newList(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list [flags]",
		Short: "List " + k.many + ", the newest first",
		Long: "List " + k.many + `, the newest first: all, or those that each flag fits.
What has expired has the state active, as far as --state goes; --live leaves it out.`,
		Example:           "  keyfob " + k.name + " list --subject alice --live\n  keyfob " + k.name + " list --state active --json",
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	subject := addText(cmd, "subject", "SUBJECT", "", "only those of this subject")
	states := cmd.Flags().StringArray("state", nil, "only those in this `STATE`: active, suspended, redeemed, replaced or revoked; may be given many times")
	live := cmd.Flags().Bool("live", false, "only those that are in force: neither expired nor ended")
	asJSON := cmd.Flags().Bool("json", false, "print the API's object for each")
	r := addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *live && len(*states) > 0 {
			return wrong("--live and --state contradict each other; give one")
		}
		if *live {
			*states = []string{stateActive}
		}
		request := &oas.SearchCredentialsRequest{Kind: oas.NewOptString(k.name), States: *states}
		request.Limit.SetTo(pageSize)
		setText(&request.Subject, *subject)
		c, err := r.connect()
		if err != nil {
			return err
		}
		t := newTable(u.out)
		t.row(k.columns()...)
		for found, err := range c.credentials(cmd.Context(), *r.space, request) {
			if err != nil {
				return err
			}
			if *live && found.State != stateActive {
				continue // it has expired, which is not stored
			}
			if !*asJSON {
				t.row(k.cells(found)...)
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

// stateActive is the state of what is in force, and the stored one also of what has
// expired.
const stateActive = "active"

// columns are the heads of a list.
func (k kind) columns() []string {
	if k == kindSession {
		return []string{"ID", "SUBJECT", "STATE", "SEEN", "IDLE", "EXPIRES", "ATTRIBUTES"}
	}
	return []string{"ID", "SUBJECT", "PURPOSE", "NAME", "STATE", "EXPIRES"}
}

// cells are what a list shows of a credential.
func (k kind) cells(c *oas.Credential) []string {
	if k == kindSession {
		return []string{c.ID, c.Subject, c.State, timeText(c.SeenAt.Value), secondsText(c.Idle.Or(0)), orNever(c.ExpiresAt), pairsText(c.Attributes)}
	}
	return []string{c.ID, c.Subject, c.Purpose.Or(""), c.Name, c.State, orNever(c.ExpiresAt)}
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
		Use:     "revoke ID [flags]",
		Short:   "End one of the " + k.many + ", at once and for good",
		Long:    "End one of the " + k.many + ", at once and for good. To revoke what is revoked changes nothing.",
		Example: "  keyfob " + k.name + ` revoke "$ID" --reason "phone stolen"`,
	}
	k.addRevoke(u, cmd)
	return cmd
}

// addRevoke makes cmd the one that revokes a credential of the kind.
func (k kind) addRevoke(u *ui, cmd *cobra.Command) {
	reason := cmd.Flags().String("reason", "", "a `REASON` for people, kept with it")
	onID(u, cmd, func(ctx context.Context, c *connection, space, id string) (*oas.Revoked, error) {
		var request oas.RevokeRequest
		setText(&request.Reason, *reason)
		return &oas.Revoked{}, k.revoke(ctx, c, &request, space, id)
	}, func(id string, _ *oas.Revoked) error {
		u.note("revoked %s", id)
		return nil
	})
}

// revoke ends the credential of the kind that has the id, and none of another kind.
func (k kind) revoke(ctx context.Context, c *connection, request *oas.RevokeRequest, space, id string) error {
	switch k {
	case kindAPIKey:
		return c.RevokeAPIKey(ctx, request, oas.RevokeAPIKeyParams{Space: space, ID: id})
	case kindSession:
		return c.RevokeSession(ctx, request, oas.RevokeSessionParams{Space: space, ID: id})
	}
	found, err := c.GetCredential(ctx, oas.GetCredentialParams{Space: space, ID: id})
	if err != nil {
		return err
	}
	if found.Kind != k.name {
		return no("%s is of the kind %s; revoke it with keyfob %[2]s revoke", found.ID, found.Kind)
	}
	return c.RevokeCredential(ctx, request, oas.RevokeCredentialParams{Space: space, ID: id})
}

// onID makes cmd one about the credential whose id it is given. ask asks the server,
// and say tells what came of it where no JSON is wanted.
func onID[T any](u *ui, cmd *cobra.Command, ask func(ctx context.Context, c *connection, space, id string) (T, error), say func(id string, answer T) error) {
	cmd.Args, cmd.ValidArgsFunction = takes("ID"), cobra.NoFileCompletions
	asJSON := cmd.Flags().Bool("json", false, "print the API's object")
	r := addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkID(cmd, args[0]); err != nil {
			return err
		}
		c, err := r.connect()
		if err != nil {
			return err
		}
		answer, err := ask(cmd.Context(), c, *r.space, args[0])
		if err != nil {
			return c.explain(err)
		}
		if *asJSON {
			return u.out.json(answer)
		}
		return say(args[0], answer)
	}
}

// purgeHelp says what is special about the purge of a kind.
func (k kind) purgeHelp() string {
	if k == kindSession {
		return "\n\nOne that ended since nobody used it counts from when its lifetime is over."
	}
	return ""
}

func (k kind) newPurge(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "purge --ended DURATION [flags]",
		Short: "Remove " + k.many + " that ended long ago",
		Long: "Remove " + k.many + ` that expired, were redeemed, replaced or revoked, at least so long ago.
Their events stay in the log. Only the owner may do this.` + k.purgeHelp(),
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
