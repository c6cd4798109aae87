package main

import (
	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/random"
)

func newShuffle(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "shuffle [--json] < FILE",
		Short: "Put the lines of stdin into a random order",
		Long: `Put the lines of stdin into a random order: each order is equally likely.

A line ends in LF, which the last may lack, and is kept byte for byte. Lines that are
empty or end in CR are refused. Lines may be alike.

With --json it prints one object with secrets, generator, bits and recipe. Bits are
the exact entropy: the logarithm to base 2 of the number of different orders.`,
		Example: `  printf 'ada\nbob\ncleo\n' | keyfob shuffle
  seq 1 52 | keyfob shuffle --json`,
		GroupID:           groupMake,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	asJSON := cmd.Flags().Bool("json", false, "print an object")
	cmd.RunE = func(*cobra.Command, []string) error {
		lines, err := u.linesFor(*asJSON)
		if err != nil {
			return err
		}
		about := drawn{Generator: "shuffle", Recipe: "all of " + count(len(lines), "line") + " in random order"}
		if *asJSON {
			about.Bits = sequenceBits(lines, len(lines))
		}
		random.Shuffle(lines)
		return u.printSequence(lines, about, *asJSON)
	}
	return cmd
}
