package main

import "github.com/spf13/cobra"

func newAPIKeyRevoke(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "revoke ID [flags]",
		Short: "End an API key, at once and for good",
		Long: `End an API key with all its tokens, at once and for good. When it is done, no
verification accepts the key any more. To revoke what is revoked changes nothing.`,
		Example: `  keyfob apikey revoke "$ID" --reason "laptop stolen"`,
	}
	kindAPIKey.addRevoke(u, cmd)
	return cmd
}
