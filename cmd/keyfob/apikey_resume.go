package main

import (
	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newAPIKeyResume(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "resume ID [flags]",
		Short: "End the suspension of an API key",
		Long: `End the suspension of an API key: it is accepted again. To resume what is not
suspended changes nothing.`,
		Example:           `  keyfob apikey resume "$ID"`,
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
		key, err := c.ResumeAPIKey(cmd.Context(), oas.ResumeAPIKeyParams{Space: *r.space, ID: args[0]})
		if err != nil {
			return c.explain(err)
		}
		if *asJSON {
			return u.out.json(key)
		}
		u.note("resumed %s", key.ID)
		return nil
	}
	return cmd
}
