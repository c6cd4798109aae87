package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

// Bounds of what one request may have.
const (
	maxCheckpoints    = 100
	maxCheckpointFile = 64 << 10 // bytes
)

func newAuditVerify(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify [flags]",
		Short: "Prove that the log is whole",
		Long: `Prove that the log is whole: each event's MAC, the chain, and that it goes through the
checkpoints of the space that are given.

It prints ok and how many events there are, and the exit code is 0; or each problem in
a line that begins with what was done (edited, removed, truncated, rolled_back), and
the exit code is 1. The exit code 2 means that a checkpoint was changed or is of
another space, and 3 that nothing was decided.

Without a checkpoint, a log is found whole whose end somebody cut off with care, or
that is of an older copy of the database.`,
		Example: `  keyfob audit verify
  keyfob audit checkpoint > checkpoint && keyfob audit verify --checkpoint checkpoint`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	files := cmd.Flags().StringArray("checkpoint", nil, "a `FILE` with checkpoints, one a line; may be given many times")
	asJSON := cmd.Flags().Bool("json", false, "print the API's object")
	r := addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		checkpoints, err := readCheckpoints(*files)
		if err != nil {
			return err
		}
		c, err := r.connect()
		if err != nil {
			return err
		}
		c.http.Timeout = 20 * requestTimeout // a log may be long
		report, err := c.VerifyEvents(cmd.Context(), &oas.VerifyEventsRequest{Checkpoints: checkpoints}, oas.VerifyEventsParams{Space: *r.space})
		if err != nil {
			return notDecided(c.explain(err))
		}
		return u.judgeLog(report, *asJSON)
	}
	return cmd
}

// readCheckpoints reads the lines of files. What they hold, the server judges.
func readCheckpoints(files []string) ([]string, error) {
	var checkpoints []string
	for _, path := range files {
		text, err := readCheckpointFile(path)
		if err != nil {
			return nil, err
		}
		checkpoints = append(checkpoints, strings.Split(strings.TrimSuffix(text, "\n"), "\n")...)
	}
	if len(checkpoints) > maxCheckpoints {
		return nil, wrong("--checkpoint gives %d checkpoints; at most %d are proved at once", len(checkpoints), maxCheckpoints)
	}
	return checkpoints, nil
}

func readCheckpointFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = e.Err
		}
		return "", wrong("--checkpoint names a file that cannot be read: %v", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxCheckpointFile+1))
	switch {
	case err != nil:
		return "", wrong("--checkpoint names a file that cannot be read: %v", err)
	case len(text) == 0:
		return "", wrong("--checkpoint names a file that is empty; it has what keyfob audit checkpoint printed")
	case len(text) > maxCheckpointFile:
		return "", wrong("--checkpoint names a file of over %d bytes; give the last checkpoints alone", maxCheckpointFile)
	case !utf8.Valid(text):
		return "", wrong("--checkpoint names a file that is not UTF-8; it has what keyfob audit checkpoint printed")
	}
	return string(text), nil
}

// judgeLog prints what is to be said of a log.
func (u *ui) judgeLog(report *oas.AuditReport, asJSON bool) error {
	whole := len(report.Problems) == 0 && report.More == 0
	var err error
	u.out.spare = true
	switch {
	case asJSON:
		err = u.out.json(report)
	case whole:
		err = u.out.printf("ok %s, %d of them in the chain\n", count(int(report.Events), "event"), report.Sealed)
	default:
		err = u.printProblems(report)
	}
	if err == nil && !whole {
		err = &failure{code: exitNo}
	}
	return err
}

func (u *ui) printProblems(report *oas.AuditReport) error {
	for i := range report.Problems {
		if err := u.out.printf("%s %s\n", report.Problems[i].Found, report.Problems[i].Text); err != nil {
			return err
		}
	}
	if report.More == 0 {
		return nil
	}
	return u.out.printf("more %s beyond these\n", count(int(report.More), "problem"))
}
