package keyfob_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/internal/needs"
)

// The program of the README compiles, runs on an empty directory and prints
// what its comments say.
func TestReadmeProgram(t *testing.T) {
	program := goOfReadme(t)[0]
	if lines := strings.Count(program, "\n"); lines > 18 {
		t.Errorf("the program has %d lines", lines)
	}
	out := runProgram(t, `
import (
	"context"
	"errors"
	"fmt"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store/sqlite"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

`+program)
	want := `^shown once: default_[0-9A-Za-z]{65}\nalice <nil>\ntrue invalid: revoked\n$`
	if !regexp.MustCompile(want).MatchString(out) {
		t.Errorf("it prints\n%s\nwant\n%s", out, want)
	}
}

// The expressions of the README give what their comments say: so many bits, or so
// many characters.
func TestReadmeExpressions(t *testing.T) {
	var body strings.Builder
	block := goOfReadme(t)[1]
	for line := range strings.Lines(block) {
		expression, _, _ := strings.Cut(line, "//")
		fmt.Fprintf(&body, "\tfmt.Println(%s)\n", strings.TrimSpace(expression))
	}
	out := runProgram(t, `
import (
	"fmt"

	"github.com/keyfob-dev/keyfob/otp"
	"github.com/keyfob-dev/keyfob/passphrase"
	"github.com/keyfob-dev/keyfob/password"
	"github.com/keyfob-dev/keyfob/random"
	"github.com/keyfob-dev/keyfob/token"
)

func main() {
`+body.String()+"}\n")
	want := `^[\w-]{43}\n[0-9a-f]{32}\n[!-~]{20}\n[a-z]+(-[a-z]+){5,}\n[0-9]{6}\n[1-6]\n$`
	if !regexp.MustCompile(want).MatchString(out) {
		t.Errorf("%s\nprints\n%s\nwant\n%s", block, out, want)
	}
}

// goOfReadme returns its program, and its expressions.
func goOfReadme(t *testing.T) (blocks []string) {
	t.Helper()
	for _, s := range snippets(t, "README.md") {
		if s.language == "go" {
			blocks = append(blocks, s.text)
		}
	}
	if len(blocks) != 2 || !strings.HasPrefix(blocks[0], "func main() {") {
		t.Fatalf("the README has %d blocks of Go; want a program, and expressions", len(blocks))
	}
	return blocks
}

// runProgram runs the rest of a main package in an empty directory, and returns
// what it prints.
func runProgram(t *testing.T, text string) string {
	t.Helper()
	_, err := exec.LookPath("go")
	needs.That(t, err == nil, "needs the go command, to build a program with")
	dir := t.TempDir()
	file := filepath.Join(dir, "main.go")
	if err := os.WriteFile(file, []byte("package main\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(here, "readmeprogram", "main.go"): file}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "program")
	build := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, "./readmeprogram")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	run := exec.Command(program)
	run.Dir = t.TempDir()
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}
