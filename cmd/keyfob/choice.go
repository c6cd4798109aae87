package main

import (
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/random"
)

func newChoice(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "choice [flags] < FILE",
		Short: "Choose one of the lines of stdin",
		Long: `Choose one of the lines of stdin, each equally likely. With -n it chooses so many times,
of all lines each time, so that one can come again; for different ones see keyfob
sample. With --weighted each line is a weight, a tab and the text; weights are whole
numbers, and the odds are exactly theirs.

A line ends in LF, which the last may lack, and is kept byte for byte. Lines that are
empty or end in CR are refused. A line that stands there twice is twice as likely.

With --json each line is an object with secret, generator, bits and recipe. Bits are
the exact entropy: the logarithm to base 2 of the number of lines, or where some are
likelier than others, of one over the probability of the likeliest.`,
		Example: `  printf 'heads\ntails\n' | keyfob choice
  printf 'heads\ntails\n' | keyfob choice -n 10
  printf '9\tblue\n1\tgreen\n' | keyfob choice --weighted
  seq 1 37 | keyfob choice --json`,
		GroupID:           groupMake,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := addMake(cmd)
	weighted := cmd.Flags().Bool("weighted", false, "lines are a weight, a tab and the text")
	cmd.RunE = func(*cobra.Command, []string) error {
		lines, err := u.linesFor(*f.json)
		if err != nil {
			return err
		}
		var weights []int
		if *weighted {
			if weights, err = cutWeights(lines); err != nil {
				return err
			}
		}
		return u.choices(lines, weights, int(f.count.n), *f.json)
	}
	return cmd
}

// cutWeights cuts the weights off the lines, and returns them. Together they are
// at least 1 and fit into 64 bits.
func cutWeights(lines []string) ([]int, error) {
	weights := make([]int, len(lines))
	var total, carry uint64
	for i, line := range lines {
		number, text, ok := strings.Cut(line, "\t")
		if !ok || text == "" || !decimal(number) {
			return nil, wrong("line %d of stdin is not a weight, a tab and a text; the weight is a whole number of 0 or more", i+1)
		}
		w, err := strconv.Atoi(number)
		if err != nil {
			return nil, wrong("line %d of stdin has too large a weight; give 0 to %d", i+1, math.MaxInt)
		}
		if total, carry = bits.Add64(total, uint64(w), 0); carry != 0 {
			return nil, wrong("the weights on stdin have a sum of 2^64 or more; give smaller ones")
		}
		lines[i], weights[i] = text, w
	}
	if total == 0 {
		return nil, wrong("no line of stdin has a weight above 0; give one to at least one")
	}
	return weights, nil
}

// blockOfChoices is how many are drawn at a time: a call makes sums of all weights.
const blockOfChoices = 4096

// choices prints so many of the lines, each drawn of all. Without weights they are
// equally likely.
func (u *ui) choices(lines []string, weights []int, n int, asJSON bool) error {
	if err := u.out.mustBeOpen(); err != nil {
		return err
	}
	about := drawn{Generator: "choice", Recipe: "one of " + count(len(lines), "line")}
	if weights != nil {
		about.Recipe += ", weighted"
	}
	if asJSON {
		about.Bits = choiceBits(lines, weights)
	}
	bar := u.progress(n, "choices")
	defer bar.end()
	for n > 0 {
		block := min(n, max(blockOfChoices, len(lines)))
		for _, line := range random.Choices(lines, weights, block) {
			about.Secret = line
			if err := u.printDrawn(about, asJSON); err != nil {
				return err
			}
			bar.step()
		}
		n -= block
	}
	return nil
}
