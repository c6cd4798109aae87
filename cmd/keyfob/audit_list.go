package main

import (
	"context"
	"iter"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
	"github.com/keyfob-dev/keyfob/token"
)

// Bounds of audit list.
const (
	defaultEvents = 100
	maxEvents     = 1_000_000_000
)

func newAuditList(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list [flags]",
		Short: "List events, the oldest first",
		Long: `List events, the oldest first. The number of an event in the space's chain is - in its
first second, while it is not in the chain yet.`,
		Example: `  keyfob audit list --newest --limit 10
  keyfob audit list --type apikey.revoked --all --json`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	credential := addText(cmd, "credential", "ID", "", "only events of this credential")
	kind := addText(cmd, "type", "TYPE", "", "only events of this type, as apikey.revoked")
	newest := cmd.Flags().Bool("newest", false, "the newest first")
	limit := wholeValue{n: defaultEvents, least: 1, most: maxEvents}
	cmd.Flags().Var(&limit, "limit", "print so many events at most")
	all := cmd.Flags().Bool("all", false, "print all events")
	asJSON := cmd.Flags().Bool("json", false, "print the API's object for each")
	r := addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *credential != "" && token.CheckID(*credential) != nil {
			return wrong("--credential is no id: an id has 16 characters of 0-9, A-Z and a-z")
		}
		if *all && cmd.Flags().Changed("limit") {
			return wrong("--all and --limit contradict each other; give one")
		}
		params := oas.ListEventsParams{Space: *r.space}
		params.Limit.SetTo(pageSize)
		if *all {
			limit.n = 0
		}
		setText(&params.Credential, *credential)
		setText(&params.Type, *kind)
		if *newest {
			params.Order.SetTo("newest")
		}
		c, err := r.connect()
		if err != nil {
			return err
		}
		return u.listEvents(c.events(cmd.Context(), params), limit.n, *asJSON)
	}
	return cmd
}

// listEvents prints events, up to a number, and says when there are more; 0 is
// all.
func (u *ui) listEvents(events iter.Seq2[*oas.Event, error], limit int64, asJSON bool) error {
	t := newTable(u.out)
	t.row("NUMBER", "TIME", "TYPE", "ACTOR", "CREDENTIAL", "SUBJECT", "REASON")
	var n int64
	for e, err := range events {
		if err != nil {
			return err
		}
		if n++; limit != 0 && n > limit {
			u.note("there are more events; --all prints all, --limit another number")
			break
		}
		if asJSON {
			if err := u.out.json(e); err != nil {
				return err
			}
			continue
		}
		number := "-"
		if seq, ok := e.Seq.Get(); ok {
			number = itoa(seq)
		}
		t.row(number, timeText(e.Time), e.Type, e.Actor, e.Credential.Or(""), e.Subject.Or(""), e.Reason.Or(""))
	}
	if asJSON {
		return nil
	}
	return t.end()
}

// events is a sequence of the events that params ask for, page by page.
func (c *connection) events(ctx context.Context, params oas.ListEventsParams) iter.Seq2[*oas.Event, error] {
	return func(yield func(*oas.Event, error) bool) {
		for {
			page, err := c.ListEvents(ctx, params)
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
