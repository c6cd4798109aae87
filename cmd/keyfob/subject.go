package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newSubject(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "subject COMMAND",
		Short: "End all that a subject has, or give it its guesses back",
		Long: `End all that a subject has of some kinds, at once, or unlock a subject at whose codes
too many guesses were made.

` + remoteHelp,
		Example: `  keyfob subject revoke --subject alice --kind session --reason "signed out everywhere"
  keyfob subject unlock --subject alice --reason "showed her passport"`,
		GroupID: groupCredentials,
	}
	cmd.AddCommand(newSubjectRevoke(u), newSubjectUnlock(u))
	return cmd
}

func newSubjectRevoke(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "revoke --subject SUBJECT --kind KIND [flags]",
		Short: "End all that a subject has of some kinds, at once and for good",
		Long: `End all that a subject has of some kinds, at once and for good: its sessions, as for a
"sign out everywhere", or its API keys as well. It takes as long for a hundred thousand
as for one, and is an event of each kind in the log. When it is done, no verification
accepts one of them any more. What is issued later is not concerned.`,
		Example: `  keyfob subject revoke --subject alice --kind session --reason "signed out everywhere"
  keyfob subject revoke --subject alice --kind apikey --kind session --reason "left"`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	subject := addText(cmd, "subject", "SUBJECT", "", "whose they are (required)")
	ends := addKinds(cmd)
	reason := cmd.Flags().String("reason", "", "a `REASON` for people, kept with them and in the log")
	asJSON := cmd.Flags().Bool("json", false, "print the API's object")
	r := addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *subject == "" {
			return wrong("--subject is missing; say whose they are, as in --subject alice")
		}
		if len(*ends) == 0 {
			return wrong("--kind is missing; say what is to end, as in --kind session")
		}
		c, err := r.connect()
		if err != nil {
			return err
		}
		request := oas.RevokeSubjectRequest{Subject: *subject, Kinds: ends.names()}
		setText(&request.Reason, *reason)
		if err := c.RevokeSubject(cmd.Context(), &request, oas.RevokeSubjectParams{Space: *r.space}); err != nil {
			return c.explain(err)
		}
		if *asJSON {
			return u.out.json(&oas.Revoked{})
		}
		u.note("ended all %s of %s that were issued until now", ends.many(), *subject)
		return nil
	}
	return cmd
}

// kindsValue is a flag that takes a kind, and may be given many times.
type kindsValue []kind

// addKinds adds the flag --kind, and completes it.
func addKinds(cmd *cobra.Command) *kindsValue {
	v := &kindsValue{}
	all := kindsValue(kinds).names()
	cmd.Flags().Var(v, "kind", strings.Join(all, ", ")+" (required); may be given many times")
	cmd.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions(all, cobra.ShellCompDirectiveNoFileComp))
	return v
}

func (v *kindsValue) String() string { return "" }
func (v *kindsValue) Type() string   { return "KIND" }

func (v *kindsValue) Set(text string) error {
	for _, k := range kinds {
		if k.name == text && slices.Contains(*v, k) {
			return errors.New("gives " + k.name + " twice; give it once")
		}
		if k.name == text {
			*v = append(*v, k)
			return nil
		}
	}
	return errors.New("is none that there is; give one of " + strings.Join(kindsValue(kinds).names(), ", "))
}

// names are the kinds as in the API.
func (v kindsValue) names() (all []string) {
	for _, k := range v {
		all = append(all, k.name)
	}
	return all
}

// many are the kinds for people, as "API keys, links and codes".
func (v kindsValue) many() string {
	var text string
	for i, k := range v {
		switch {
		case i > 0 && i == len(v)-1:
			text += " and "
		case i > 0:
			text += ", "
		}
		text += k.many
	}
	return text
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
