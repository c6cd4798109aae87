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

// What docs/entropy.md shows is what comes, to the last digit.
func TestEntropyDocument(t *testing.T) {
	t.Parallel()
	sh := needs.Binary(t, "sh", "dash")
	page, err := os.ReadFile("../../docs/entropy.md")
	if err != nil {
		t.Fatal(err)
	}
	typed := 0
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		var printed strings.Builder
		for line := range strings.Lines(block[1]) {
			command, ok := strings.CutPrefix(line, "$ ")
			if !ok {
				continue
			}
			cmd := exec.Command(sh, "-euc", command)
			cmd.Dir, cmd.Env = t.TempDir(), environment("PATH="+filepath.Dir(keyfobBinary(t))+":"+os.Getenv("PATH"))
			r := finish(t, cmd)
			if r.code != 0 || r.stderr != "" {
				t.Errorf("%sexit code %d, %s", command, r.code, r.stderr)
			}
			printed.WriteString(line + r.stdout)
			typed++
		}
		if printed.String() != block[1] {
			t.Errorf("the document shows\n%s\nand there is\n%s", block[1], printed.String())
		}
	}
	if typed < 9 {
		t.Errorf("only %d commands were found", typed)
	}
}
