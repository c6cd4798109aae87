package keyfob_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The program of the README compiles, runs on an empty directory and prints
// what its comments say.
func TestReadmeProgram(t *testing.T) {
	_, after, ok := strings.Cut(readFile(t, "README.md"), "```go\nfunc main() {")
	body, _, ok2 := strings.Cut(after, "\n```")
	if !ok || !ok2 {
		t.Fatal("the README has no program")
	}
	if lines := strings.Count(body, "\n") + 1; lines > 18 {
		t.Errorf("the program has %d lines", lines)
	}
	source := `package main

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

func main() {` + body + "\n"
	dir := t.TempDir()
	file := filepath.Join(dir, "main.go")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
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
	build := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", filepath.Join(dir, "program"), "./readmeprogram")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	run := exec.Command(filepath.Join(dir, "program"))
	run.Dir = dir
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := `^shown once: default_[0-9A-Za-z]{65}\nalice <nil>\ntrue invalid: revoked\n$`
	if !regexp.MustCompile(want).Match(out) {
		t.Errorf("it prints\n%s\nwant\n%s", out, want)
	}
}
