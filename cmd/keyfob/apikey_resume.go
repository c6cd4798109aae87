package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newAPIKeyResume(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "resume ID [flags]",
		Short: "End the suspension of an API key",
		Long: `End the suspension of an API key: it is accepted again. To resume what is not
suspended changes nothing.`,
		Example: `  keyfob apikey resume "$ID"`,
	}
	onID(u, cmd, func(ctx context.Context, c *connection, space, id string) (*oas.Credential, error) {
		return c.ResumeAPIKey(ctx, oas.ResumeAPIKeyParams{Space: space, ID: id})
	}, func(_ string, key *oas.Credential) error {
		u.note("resumed %s", key.ID)
		return nil
	})
	return cmd
}
