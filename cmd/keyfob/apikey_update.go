package main

import (
	"math"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newAPIKeyUpdate(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "update ID [flags]",
		Short: "Change what an API key may do",
		Long: `Change what an API key may do: what a flag names, and nothing else. A list takes the
place of the one before. Its tokens stay the same, and so does what was used so far
of its uses.

A change that somebody else makes at the same time is not lost: then this one is
refused. With --revision it is refused as well if the key was changed since it had
that revision, which keyfob apikey show prints.`,
		Example: `  keyfob apikey update "$ID" --scope read --scope write --expires 90d
  keyfob apikey update "$ID" --expires never --uses unlimited --clear cidrs --json`,
		Args:              takes("ID"),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	p := addAPIKeyFlags(cmd)
	clear := cmd.Flags().StringArray("clear", nil, "take away a `FIELD`: name, scopes, cidrs or attributes; may be given many times")
	var settings []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		settings = append(settings, f.Name)
		f.DefValue = "" // what is not given stays
	})
	revision := wholeValue{least: 1, most: math.MaxInt64}
	cmd.Flags().Var(&revision, "revision", "change it only while it has this revision")
	asJSON := cmd.Flags().Bool("json", false, "print the API's object")
	r := addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkID(cmd, args[0]); err != nil {
			return err
		}
		if !anyChanged(cmd, settings) {
			return wrong("nothing is to be changed; say what, as in --expires 90d")
		}
		request, err := p.patch(cmd, *clear)
		if err != nil {
			return err
		}
		request.Revision = revision.n
		return update(cmd, u, r, request, args[0], *asJSON)
	}
	return cmd
}

func anyChanged(cmd *cobra.Command, flags []string) bool {
	for _, name := range flags {
		if cmd.Flags().Changed(name) {
			return true
		}
	}
	return false
}

// update changes a key, from the revision that it has now unless the request
// names one.
func update(cmd *cobra.Command, u *ui, r *remote, request *oas.UpdateAPIKeyRequest, id string, asJSON bool) error {
	c, err := r.connect()
	if err != nil {
		return err
	}
	if request.Revision == 0 {
		key, err := c.GetAPIKey(cmd.Context(), oas.GetAPIKeyParams{Space: *r.space, ID: id})
		if err != nil {
			return c.explain(err)
		}
		request.Revision = key.Revision
	}
	key, err := c.UpdateAPIKey(cmd.Context(), request, oas.UpdateAPIKeyParams{Space: *r.space, ID: id})
	if err != nil {
		return c.explain(err)
	}
	if asJSON {
		return u.out.json(key)
	}
	u.note("updated %s; it has the revision %d", key.ID, key.Revision)
	return nil
}
