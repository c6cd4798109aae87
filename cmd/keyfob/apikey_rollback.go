package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newAPIKeyRollback(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rollback ID [flags]",
		Short: "Take the rotation of an API key back, within its grace",
		Long: `Take the rotation of an API key back, while the token before is in its grace: that
one is the newest again, without an end of its own, and the token that had replaced
it is refused at once.`,
		Example: `  keyfob apikey rotate "$ID" --grace 1h > new.key
  keyfob apikey rollback "$ID"`,
	}
	onID(u, cmd, func(ctx context.Context, c *connection, space, id string) (*oas.Credential, error) {
		return c.RollbackAPIKey(ctx, oas.RollbackAPIKeyParams{Space: space, ID: id})
	}, func(_ string, key *oas.Credential) error {
		u.note("rolled back %s; the token before the rotation is the newest again", key.ID)
		return nil
	})
	return cmd
}
