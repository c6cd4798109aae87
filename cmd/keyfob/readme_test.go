package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/internal/needs"
)

// secretInJSON is what differs in a generator's object from one run to the next.
var secretInJSON = regexp.MustCompile(`"secret":"(\\.|[^"\\])*"`)

// The commands of the README's tour run, and print as many lines as it shows: the
// same where what they print is always the same.
func TestReadmeTour(t *testing.T) {
	t.Parallel()
	sh := needs.Binary(t, "sh", "dash")
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(readme), "```console\n$ keyfob")
	block, _, ok := strings.Cut("$ keyfob"+after, "```")
	if !ok {
		t.Fatal("the README has no tour")
	}
	// What differs from one time to the next, of three, is random.
	var runs [3][]string
	for i := range runs {
		dir := t.TempDir()
		for line := range strings.Lines(block) {
			text, isCommand := strings.CutPrefix(line, "$ ")
			if !isCommand {
				continue
			}
			cmd := exec.Command(sh, "-euc", text)
			cmd.Dir = dir
			cmd.Env = environment("PATH=" + filepath.Dir(keyfobBinary(t)) + ":" + os.Getenv("PATH"))
			r := finish(t, cmd)
			if r.code != 0 || r.stderr != "" {
				t.Fatalf("%s: exit code %d, %s", text, r.code, r.stderr)
			}
			runs[i] = append(append(runs[i], line), strings.SplitAfter(r.stdout, "\n")...)
			runs[i] = runs[i][:len(runs[i])-1] // what SplitAfter has behind the last newline
		}
	}
	shown := strings.SplitAfter(strings.TrimSuffix(block, "\n"), "\n")
	shown[len(shown)-1] += "\n"
	if len(shown) != len(runs[0]) || len(shown) < 20 {
		t.Fatalf("the README shows %d lines, and there are %d:\n%s", len(shown), len(runs[0]), strings.Join(runs[0], ""))
	}
	same := 0
	for i, line := range shown {
		normal := func(text string) string { return secretInJSON.ReplaceAllString(text, `"secret":""`) }
		one := normal(runs[0][i])
		if one != normal(runs[1][i]) || one != normal(runs[2][i]) {
			continue
		}
		if same++; one != normal(line) {
			t.Errorf("the README shows %q, and it is %q", line, runs[0][i])
		}
	}
	t.Logf("%d of %d lines are always the same", same, len(shown))
}
