package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newAPIKeySuspend(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "suspend ID [flags]",
		Short: "Have an API key refused until it is resumed",
		Long: `Have an API key refused until it is resumed. When it is done, no verification accepts
the key any more. To suspend what is suspended changes nothing.`,
		Example: `  keyfob apikey suspend "$ID" --reason "seen in a public repository"`,
	}
	reason := cmd.Flags().String("reason", "", "a `REASON` for people, kept with the key")
	onID(u, cmd, func(ctx context.Context, c *connection, space, id string) (*oas.Credential, error) {
		var request oas.SuspendRequest
		setText(&request.Reason, *reason)
		return c.SuspendAPIKey(ctx, &request, oas.SuspendAPIKeyParams{Space: space, ID: id})
	}, func(_ string, key *oas.Credential) error {
		u.note("suspended %s", key.ID)
		return nil
	})
	return cmd
}
