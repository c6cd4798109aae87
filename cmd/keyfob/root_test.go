package main

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// A command that is built alone is the one that is built among all: with the same
// help, flags and commands below it.
func TestCommandAlone(t *testing.T) {
	t.Parallel()
	u := &ui{out: newOutput(os.Stdout), stderr: os.Stderr, stdin: os.Stdin}
	helps := func(cmd *cobra.Command) string {
		var b strings.Builder
		visit(cmd, func(cmd *cobra.Command) {
			cmd.InitDefaultHelpFlag()
			b.WriteString(cmd.CommandPath() + "\n")
			writeHelp(&b, cmd)
		})
		return b.String()
	}
	for _, args := range [][]string{nil, {"help", "token"}, {"--version"}, {"toke"}, {"__complete", "token", ""}} {
		if n := len(newRoot(u, args...).Commands()); n < 25 {
			t.Errorf("%q finds %d commands", args, n)
		}
	}
	for _, cmd := range newRoot(u).Commands() {
		alone := newRoot(u, cmd.Name(), "--help").Commands()
		if len(alone) != 1 {
			t.Errorf("%s is built with %d others", cmd.Name(), len(alone)-1)
			continue
		}
		if got, want := helps(alone[0]), helps(cmd); got != want {
			t.Errorf("%s alone has the help\n%s\nand among all\n%s", cmd.Name(), got, want)
		}
	}
}
