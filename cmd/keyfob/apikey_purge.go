package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newAPIKeyPurge(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "purge --ended DURATION [flags]",
		Short: "Remove API keys that ended long ago",
		Long: `Remove the API keys that expired, or were revoked, at least so long ago. Their tokens
are answered as unknown from then on. Their events stay in the log. Only the owner may
do this.`,
		Example:           `  keyfob apikey purge --ended 90d`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	var ended durationValue
	cmd.Flags().Var(&ended, "ended", "how long ago they ended at the least, as 90d (required)")
	cmd.Flags().Lookup("ended").DefValue = ""
	asJSON := cmd.Flags().Bool("json", false, "print the API's object")
	r := addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !cmd.Flags().Changed("ended") {
			return wrong("--ended is missing; say how long ago the keys ended, as in --ended 90d")
		}
		before := time.Now().Add(-ended.d).UTC()
		c, err := r.connect()
		if err != nil {
			return err
		}
		purged, err := c.PurgeAPIKeys(cmd.Context(), &oas.PurgeRequest{EndedBefore: before}, oas.PurgeAPIKeysParams{Space: *r.space})
		if err != nil {
			return c.explain(err)
		}
		if *asJSON {
			return u.out.json(purged)
		}
		u.note("removed %s that ended before %s", count(int(purged.Purged), "API key"), before.Format(time.RFC3339))
		return nil
	}
	return cmd
}
