package main

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/token"
)

func newCompare(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "compare [--json] < FILE",
		Short: "Compare the two lines of stdin in constant time",
		Long: `Compare the two lines of stdin, byte for byte, in a time that depends on their lengths
and on nothing else: it does not tell how much of a guess was right. The exit code is
0 when they are equal and 1 when they are different.

A line ends in LF, which the second may lack. Lines that are empty are refused, since
a variable of a script that is not set would be equal to another; so are lines that
end in CR.`,
		Example: `  printf 'guess\nguess\n' | keyfob compare
  cat alice.key alice.key | keyfob compare --json`,
		GroupID:           groupMake,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	asJSON := cmd.Flags().Bool("json", false, "print an object")
	cmd.RunE = func(*cobra.Command, []string) error {
		first, second, err := u.twoLines()
		if err != nil {
			return err
		}
		return u.compare(token.Equal(first, second), *asJSON)
	}
	return cmd
}

// twoLines reads the two lines of stdin. At a terminal it asks for them, and does
// not show what is typed.
func (u *ui) twoLines() (first, second string, err error) {
	if isTerminal(u.stdin) {
		if first, err = u.secretLine("First"); err == nil {
			second, err = u.secretLine("Second")
		}
		return first, second, err
	}
	text, err := io.ReadAll(io.LimitReader(u.stdin, 2*(maxLine+1)+1))
	if err != nil {
		return "", "", undecided("cannot read stdin: %v", err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	switch {
	case len(text) == 0:
		return "", "", wrong("stdin is empty; it has to be two lines, which are compared")
	case len(lines) != 2:
		return "", "", wrong("stdin has %s; it has to be two, which are compared", oneOrMore(len(lines)))
	}
	for i, line := range lines {
		switch {
		case line == "":
			return "", "", wrong("line %d of stdin is empty; give it a text", i+1)
		case len(line) > maxLine:
			return "", "", wrong("line %d of stdin has over %d bytes; give that or less", i+1, maxLine)
		case strings.HasSuffix(line, "\r"):
			return "", "", wrong("line %d of stdin ends in CR; end lines in LF alone", i+1)
		}
	}
	return lines[0], lines[1], nil
}

// oneOrMore counts lines, of which not all may have been read.
func oneOrMore(n int) string {
	if n == 1 {
		return "one line"
	}
	return "more than two lines"
}

// compare tells what was found.
func (u *ui) compare(equal, asJSON bool) error {
	u.out.spare = true
	var err error
	switch {
	case asJSON:
		err = u.out.json(struct {
			Equal bool `json:"equal"`
		}{equal})
	case equal:
		err = u.out.line("equal")
	default:
		err = u.out.line("different")
	}
	if err == nil && !equal {
		err = &failure{code: exitNo}
	}
	return err
}
