package main

import (
	"context"
	"iter"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newSpaceList(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list [flags]",
		Short: "List spaces, in the order of their names",
		Example: `  keyfob space list
  keyfob space list --json`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	asJSON := cmd.Flags().Bool("json", false, "print the API's object for each")
	r := addRemote(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := r.connect()
		if err != nil {
			return err
		}
		t := newTable(u.out)
		t.row("NAME", "PREFIX", "CREATED")
		for space, err := range c.spaces(cmd.Context()) {
			if err != nil {
				return err
			}
			if !*asJSON {
				t.row(space.Name, space.Prefix, timeText(space.CreatedAt))
			} else if err := u.out.json(space); err != nil {
				return err
			}
		}
		if *asJSON {
			return nil
		}
		return t.end()
	}
	return cmd
}

// spaces is a sequence of all spaces, page by page.
func (c *connection) spaces(ctx context.Context) iter.Seq2[*oas.Space, error] {
	return func(yield func(*oas.Space, error) bool) {
		var params oas.ListSpacesParams
		params.Limit.SetTo(pageSize)
		for {
			page, err := c.ListSpaces(ctx, params)
			if err != nil {
				yield(nil, c.explain(err))
				return
			}
			for i := range page.Items {
				if !yield(&page.Items[i], nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			params.After.SetTo(page.Next)
		}
	}
}
