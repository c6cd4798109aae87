package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newAPIKeyShow(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show ID [flags]",
		Short: "Show an API key, by its id or that of its token",
		Long: `Show an API key, by its id or that of its token. Of each of its tokens it says when it
was first and last used, some seconds late: after a rotation, whether anybody still
uses the one before.`,
		Example: `  keyfob apikey show "$ID"
  keyfob apikey show "$ID" --json`,
	}
	onID(u, cmd, func(ctx context.Context, c *connection, space, id string) (*oas.Credential, error) {
		return c.GetAPIKey(ctx, oas.GetAPIKeyParams{Space: space, ID: id})
	}, u.showCredential)
	return cmd
}
