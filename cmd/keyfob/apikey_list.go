package main

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

const pageSize = 100

func newAPIKeyList(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list [flags]",
		Short: "List API keys, the newest first",
		Long: `List API keys, the newest first: all, or those that each flag fits. A key that has
expired also expires within any time; one that is not valid yet, expired or exhausted
has the state active, or suspended, as far as --state goes.`,
		Example: `  keyfob apikey list
  keyfob apikey list --expires-within 30d --state active
  keyfob apikey list --subject alice --json`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	subject := addText(cmd, "subject", "SUBJECT", "", "only keys of this subject")
	name := addText(cmd, "name-contains", "TEXT", "", "only keys with this in their name, as it is spelled")
	scope := addText(cmd, "scope", "SCOPE", "", "only keys that have this scope")
	states := cmd.Flags().StringArray("state", nil, "only keys in this `STATE`: active, suspended or revoked; may be given many times")
	var within durationValue
	cmd.Flags().Var(&within, "expires-within", "only keys that expire, and no later than that, as 30d")
	cmd.Flags().Lookup("expires-within").DefValue = ""
	asJSON := cmd.Flags().Bool("json", false, "print the API's object for each")
	r := addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		request := &oas.SearchAPIKeysRequest{States: *states}
		request.Limit.SetTo(pageSize)
		setText(&request.Subject, *subject)
		setText(&request.NameContains, *name)
		setText(&request.Scope, *scope)
		if cmd.Flags().Changed("expires-within") {
			request.ExpiresBefore.SetTo(time.Now().Add(within.d).UTC())
		}
		c, err := r.connect()
		if err != nil {
			return err
		}
		t := newTable(u.out)
		t.row("ID", "SUBJECT", "NAME", "SCOPES", "STATE", "EXPIRES")
		for key, err := range c.apiKeys(cmd.Context(), *r.space, request) {
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

// setText sets a field of a request to text that is given.
func setText(field *oas.OptString, text string) {
	if text != "" {
		field.SetTo(text)
	}
}

// apiKeys is a sequence of the API keys that a request asks for, page by page.
func (c *connection) apiKeys(ctx context.Context, space string, request *oas.SearchAPIKeysRequest) iter.Seq2[*oas.Credential, error] {
	return c.pages(&request.After, func() (*oas.CredentialPage, error) {
		return c.SearchAPIKeys(ctx, request, oas.SearchAPIKeysParams{Space: space})
	})
}

// pages is a sequence of the credentials of all pages that fetch returns, whose
// request has after.
func (c *connection) pages(after *oas.OptString, fetch func() (*oas.CredentialPage, error)) iter.Seq2[*oas.Credential, error] {
	return func(yield func(*oas.Credential, error) bool) {
		for {
			page, err := fetch()
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
			after.SetTo(page.Next)
		}
	}
}
