package main

import (
	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newAPIKeySuspend(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "suspend ID [flags]",
		Short: "Have an API key refused until it is resumed",
		Long: `Have an API key refused until it is resumed. When it is done, no verification accepts
the key any more. To suspend what is suspended changes nothing.`,
		Example:           `  keyfob apikey suspend "$ID" --reason "seen in a public repository"`,
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
		var request oas.SuspendRequest
		if *reason != "" {
			request.Reason.SetTo(*reason)
		}
		key, err := c.SuspendAPIKey(cmd.Context(), &request, oas.SuspendAPIKeyParams{Space: *r.space, ID: args[0]})
		if err != nil {
			return c.explain(err)
		}
		if *asJSON {
			return u.out.json(key)
		}
		u.note("suspended %s", key.ID)
		return nil
	}
	return cmd
}
