package main

import (
	"context"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

const pageSize = 100

func newAPIKeyList(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list [flags]",
		Short: "List API keys, the newest first",
		Example: `  keyfob apikey list
  keyfob apikey list --subject alice --json`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	subject := addText(cmd, "subject", "SUBJECT", "", "only keys of this subject")
	asJSON := cmd.Flags().Bool("json", false, "print the API's object for each")
	r := addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := r.connect()
		if err != nil {
			return err
		}
		t := newTable(u.out)
		t.row("ID", "SUBJECT", "NAME", "SCOPES", "STATE", "EXPIRES")
		for key, err := range c.apiKeys(cmd.Context(), *r.space, *subject) {
			if err != nil {
				return err
			}
			if !*asJSON {
				t.row(key.ID, key.Subject, key.Name, strings.Join(key.Scopes, " "), key.State, orNever(key.ExpiresAt))
			} else if err := u.out.json(key); err != nil {
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

// apiKeys is a sequence of all API keys of a space, page by page.
func (c *connection) apiKeys(ctx context.Context, space, subject string) iter.Seq2[*oas.Credential, error] {
	return func(yield func(*oas.Credential, error) bool) {
		var request oas.SearchAPIKeysRequest
		request.Limit.SetTo(pageSize)
		if subject != "" {
			request.Subject.SetTo(subject)
		}
		for {
			page, err := c.SearchAPIKeys(ctx, &request, oas.SearchAPIKeysParams{Space: space})
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
			request.After.SetTo(page.Next)
		}
	}
}
