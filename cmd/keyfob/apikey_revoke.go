package main

import (
	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newAPIKeyRevoke(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "revoke ID [flags]",
		Short: "End an API key, at once and for good",
		Long: `End an API key with all its tokens, at once and for good. When it is done, no
verification accepts the key any more. To revoke what is revoked changes nothing.`,
		Example:           `  keyfob apikey revoke "$ID" --reason "laptop stolen"`,
		Args:              takes("ID"),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	reason := cmd.Flags().String("reason", "", "a `REASON` for people, kept with the key")
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
		var request oas.RevokeRequest
		if *reason != "" {
			request.Reason.SetTo(*reason)
		}
		if err := c.RevokeAPIKey(cmd.Context(), &request, oas.RevokeAPIKeyParams{Space: *r.space, ID: args[0]}); err != nil {
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
