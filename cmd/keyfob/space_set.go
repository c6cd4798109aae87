package main

import (
	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newSpaceSet(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "set NAME --prefix PREFIX [flags]",
		Short: "Change the prefix of a space",
		Long: `Change the prefix of a space, for the tokens that are issued from now on. Those that
are out stay good.`,
		Example:           `  keyfob space set acme --prefix acme_test`,
		Args:              takes("NAME"),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	prefix := addPrefix(cmd)
	asJSON := cmd.Flags().Bool("json", false, "print the API's object")
	r := addRemote(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkSpace("NAME", args[0]); err != nil {
			return err
		}
		if err := checkPrefix(*prefix); err != nil {
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
		space, err = c.UpdateSpace(cmd.Context(), &oas.UpdateSpaceRequest{Prefix: *prefix, Revision: space.Revision},
			oas.UpdateSpaceParams{Space: args[0]})
		if err != nil {
			return c.explain(err)
		}
		if *asJSON {
			return u.out.json(space)
		}
		u.note("changed space %s; its new tokens begin with %s_", space.Name, space.Prefix)
		return nil
	}
	return cmd
}
