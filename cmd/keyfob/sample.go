package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/random"
)

func newSample(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sample K [--json] < FILE",
		Short: "Draw some of the lines of stdin, each once",
		Long: `Draw K of the lines of stdin in random order, no line twice: each sequence of K lines is
equally likely. For draws of all lines each time see keyfob choice -n.

A line ends in LF, which the last may lack, and is kept byte for byte. Lines that are
empty or end in CR are refused. Lines count by their place, so that lines which
are alike may come together.

With --json it prints one object with secrets, generator, bits and recipe. Bits are
the exact entropy: the logarithm to base 2 of the number of sequences, or where lines
are alike, of one over the probability of the likeliest sequence.`,
		Example: `  seq 1 49 | keyfob sample 6
  printf 'ada\nbob\ncleo\n' | keyfob sample 2 --json`,
		GroupID:           groupMake,
		Args:              takes("K"),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	asJSON := cmd.Flags().Bool("json", false, "print an object")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		k, err := strconv.Atoi(args[0])
		if !decimal(args[0]) || k == 0 {
			return notWhole("K")
		}
		lines, readErr := u.linesFor(*asJSON)
		if readErr != nil {
			return readErr
		}
		if err != nil || k > len(lines) { // err: larger than any number of lines
			return wrong("K is more than stdin has lines, and none is drawn twice; give 1 to %d", len(lines))
		}
		about := drawn{Generator: "sample", Recipe: strconv.Itoa(k) + " of " + count(len(lines), "line") + " in random order"}
		if *asJSON {
			about.Bits = sequenceBits(lines, k)
		}
		return u.printSequence(random.Sample(lines, k), about, *asJSON)
	}
	return cmd
}
