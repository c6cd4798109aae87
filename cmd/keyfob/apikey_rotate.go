package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newAPIKeyRotate(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rotate ID [flags]",
		Short: "Replace the token of an API key, and print the new one",
		Long: `Replace the token of an API key, and print the new one: the only time that it is
shown. The token before it stays good for the grace, so that programs can be moved
to the new one, and never beyond the key's own expiry, which does not change.

During the grace another rotation is refused, unless its own grace is 0: that ends
both older tokens at once. Use --grace 0 when a token has leaked.`,
		Example: `  keyfob apikey rotate "$ID" > alice.key
  keyfob apikey rotate "$ID" --grace 0 --json`,
		Args:              takes("ID"),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	grace := durationValue{d: 24 * time.Hour}
	cmd.Flags().Var(&grace, "grace", "for how long the token before stays good, as 90s, 30m, 7d or 0")
	asJSON := cmd.Flags().Bool("json", false, "print the API's object, which holds the token")
	r := addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkID(cmd, args[0]); err != nil {
			return err
		}
		if err := u.out.mustBeOpen(); err != nil {
			return err
		}
		c, err := r.connect()
		if err != nil {
			return err
		}
		issued, err := c.RotateAPIKey(cmd.Context(), &oas.RotateRequest{Grace: int64(grace.d / time.Second)},
			oas.RotateAPIKeyParams{Space: *r.space, ID: args[0]})
		if err != nil {
			return c.explain(err)
		}
		if err := u.handOut(issued, *asJSON); err != nil || *asJSON {
			return err
		}
		u.note("rotated %s; %s", issued.Credential.ID, beforeText(&issued.Credential))
		return nil
	}
	return cmd
}

// beforeText says what became of the token before the newest.
func beforeText(c *oas.Credential) string {
	if len(c.Versions) > 1 && c.Versions[1].State == "grace" {
		if ends, ok := c.Versions[1].EndsAt.Get(); ok {
			return "the token before stays good until " + timeText(ends)
		}
	}
	return "the token before is refused from now on"
}
