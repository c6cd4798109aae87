package main

import (
	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newSpaceShow(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:               "show NAME [flags]",
		Short:             "Show a space",
		Example:           `  keyfob space show default`,
		Args:              takes("NAME"),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	asJSON := cmd.Flags().Bool("json", false, "print the API's object")
	r := addRemote(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkSpace("NAME", args[0]); err != nil {
			return err
		}
		c, err := r.connect()
		if err != nil {
			return err
		}
		space, err := c.GetSpace(cmd.Context(), oas.GetSpaceParams{Space: args[0]})
		if err != nil {
			return c.explain(err)
		}
		if *asJSON {
			return u.out.json(space)
		}
		return u.showSpace(space)
	}
	return cmd
}
