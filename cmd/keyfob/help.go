package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// helpWidth is the width of the help, in characters.
const helpWidth = 96

// writeHelp writes the help of a command. What goes wrong with the writer, the
// writer remembers.
func writeHelp(w io.Writer, cmd *cobra.Command) {
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	fmt.Fprintf(w, "%s\n\nUsage:\n  %s\n", text, cmd.UseLine())
	if cmd.HasSubCommands() {
		writeCommands(w, cmd)
	}
	if flags := cmd.LocalFlags(); flags.HasAvailableFlags() {
		fmt.Fprintf(w, "\nFlags:\n%s", flags.FlagUsagesWrapped(helpWidth))
	}
	if cmd.Example != "" {
		fmt.Fprintf(w, "\nExamples:\n%s\n", cmd.Example)
	}
	if cmd.HasSubCommands() {
		fmt.Fprintf(w, "\nMore about a command: %s COMMAND --help\n", cmd.CommandPath())
	}
}

// writeCommands lists the commands below one, by group where it has groups.
func writeCommands(w io.Writer, cmd *cobra.Command) {
	groups := cmd.Groups()
	if len(groups) == 0 {
		groups = []*cobra.Group{{Title: "Commands:"}}
	}
	for _, group := range groups {
		fmt.Fprintf(w, "\n%s\n", group.Title)
		for _, sub := range cmd.Commands() {
			if sub.GroupID == group.ID && !sub.Hidden {
				fmt.Fprintf(w, "  %-*s %s\n", cmd.NamePadding(), sub.Name(), sub.Short)
			}
		}
	}
}

func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Show the help of a command",
		Example: "  keyfob help apikey issue",
		GroupID: groupMore,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := findCommand(cmd.Root(), args)
			if err != nil {
				return err
			}
			at.InitDefaultHelpFlag()
			return at.Help()
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return namesBelow(cmd.Root(), args), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// findCommand finds the command of these names below another.
func findCommand(root *cobra.Command, names []string) (*cobra.Command, error) {
	at := root
	for _, name := range names {
		next := child(at, name)
		if next == nil {
			return nil, needsCommand(at, []string{name})
		}
		at = next
	}
	return at, nil
}

// namesBelow are the names of the commands below one that findCommand finds.
func namesBelow(root *cobra.Command, names []string) (below []string) {
	at, err := findCommand(root, names)
	if err != nil {
		return nil
	}
	for _, sub := range at.Commands() {
		below = append(below, sub.Name())
	}
	return below
}

func child(cmd *cobra.Command, name string) *cobra.Command {
	for _, sub := range cmd.Commands() {
		if sub.Name() == name {
			return sub
		}
	}
	return nil
}
