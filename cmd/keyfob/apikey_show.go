package main

import (
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
		key, err := c.GetAPIKey(cmd.Context(), oas.GetAPIKeyParams{Space: *r.space, ID: args[0]})
		if err != nil {
			return c.explain(err)
		}
		if *asJSON {
			return u.out.json(key)
		}
		return u.showCredential(key)
	}
	return cmd
}
