package main

import (
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
		Args:              takes("ID"),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
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
		key, err := c.RollbackAPIKey(cmd.Context(), oas.RollbackAPIKeyParams{Space: *r.space, ID: args[0]})
		if err != nil {
			return c.explain(err)
		}
		if *asJSON {
			return u.out.json(key)
		}
		u.note("rolled back %s; the token before the rotation is the newest again", key.ID)
		return nil
	}
	return cmd
}
