package main

import (
	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newSubject(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "subject COMMAND",
		Short: "Unlock a subject at whose secrets too many guesses were made",
		Long: `Unlock a subject at whose codes too many guesses were made.

` + remoteHelp,
		Example: `  keyfob subject unlock --subject alice --reason "showed her passport"`,
		GroupID: groupCredentials,
	}
	cmd.AddCommand(newSubjectUnlock(u))
	return cmd
}

func newSubjectUnlock(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "unlock --subject SUBJECT [flags]",
		Short: "Give a subject all its guesses back",
		Long: `Give a subject all its guesses back, those of the hour and those in a row. Only the owner
may do this, for somebody who is known by other means. It is an event in the log.`,
		Example:           `  keyfob subject unlock --subject alice --reason "showed her passport"`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	subject := addText(cmd, "subject", "SUBJECT", "", "who is unlocked (required)")
	reason := cmd.Flags().String("reason", "", "a `REASON` for people, kept in the log")
	asJSON := cmd.Flags().Bool("json", false, "print the API's object")
	r := addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *subject == "" {
			return wrong("--subject is missing; say who is unlocked, as in --subject alice")
		}
		c, err := r.connect()
		if err != nil {
			return err
		}
		request := oas.UnlockRequest{Subject: *subject}
		setText(&request.Reason, *reason)
		if err := c.UnlockSubject(cmd.Context(), &request, oas.UnlockSubjectParams{Space: *r.space}); err != nil {
			return c.explain(err)
		}
		if *asJSON {
			return u.out.json(&oas.Unlocked{})
		}
		u.note("unlocked %s", *subject)
		return nil
	}
	return cmd
}
