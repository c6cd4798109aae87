package main

import (
	"github.com/spf13/cobra"
)

func newAudit(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit COMMAND",
		Short: "List the events of a space, and prove its log",
		Long: `List the events of a space, and prove its log. Each change has an event, written in
the same transaction, with a MAC over all of it; within a second it becomes a link of
the space's chain. A checkpoint says, signed, how far the chain has come: kept where
nobody who can write to the database can change it, it shows later that the end of
the log was cut off, or that an older copy took the database's place.

How a server is found: see keyfob apikey --help.`,
		Example: `  keyfob audit list --newest
  keyfob audit checkpoint >> checkpoints
  keyfob audit verify --checkpoint checkpoints`,
		GroupID: groupServer,
	}
	cmd.AddCommand(newAuditList(u), newAuditCheckpoint(u), newAuditVerify(u))
	return cmd
}
