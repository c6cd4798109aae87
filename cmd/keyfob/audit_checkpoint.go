package main

import (
	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newAuditCheckpoint(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "checkpoint [flags]",
		Short: "Print, signed, how far the log has come",
		Long: `Print, signed, how far the log has come: one line of JSON. Keep it where nobody who can
write to the database can change it.`,
		Example:           `  keyfob audit checkpoint >> checkpoints`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	r := addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := r.connect()
		if err != nil {
			return err
		}
		checkpoint, err := c.CheckpointEvents(cmd.Context(), oas.CheckpointEventsParams{Space: *r.space})
		if err != nil {
			return c.explain(err)
		}
		return u.out.json(checkpoint)
	}
	return cmd
}
