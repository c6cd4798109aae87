package main

import (
	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
	"github.com/keyfob-dev/keyfob/token"
)

func newSpaceCreate(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create NAME --prefix PREFIX [flags]",
		Short: "Create a space",
		Long: `Create a space. Its name, 1 to 63 of a-z, 0-9 and -, never changes. Its prefix is
what its tokens begin with.`,
		Example:           `  keyfob space create acme --prefix acme_live`,
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
		space, err := c.CreateSpace(cmd.Context(), &oas.CreateSpaceRequest{Name: args[0], Prefix: *prefix})
		if err != nil {
			return c.explain(err)
		}
		if *asJSON {
			return u.out.json(space)
		}
		u.note("created space %s; its tokens begin with %s_", space.Name, space.Prefix)
		return nil
	}
	return cmd
}

func addPrefix(cmd *cobra.Command) *string {
	return addText(cmd, "prefix", "PREFIX", "", "prefix of the tokens issued from now on: 1 to 32 of a-z, 0-9 and _ (required)")
}

func checkPrefix(prefix string) error {
	if prefix == "" {
		return wrong("--prefix is missing; say what the space's tokens begin with, as in --prefix acme_live")
	}
	if err := token.CheckPrefix(prefix); err != nil {
		return wrong("--prefix is %v", err)
	}
	return nil
}
