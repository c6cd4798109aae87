package main

import (
	"bytes"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// Many draws show their progress on a terminal; stdout has them alone.
func TestProgressOfDraws(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"int", "6"}, {"int", "6", "--json"}, {"choice"}, {"choice", "--json"}} {
		user, program := terminal(t)
		cmd := exec.Command(keyfobBinary(t), append(args, "-n", "300000")...)
		cmd.Env = environment()
		var stdout strings.Builder
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader("heads\ntails\n"), &stdout, program
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		program.Close()
		shown, _ := io.ReadAll(user)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%q: %v", args, err)
		}
		if !bytes.Contains(shown, []byte("/300000")) {
			t.Errorf("%q: on the terminal: %q", args, shown)
		}
		if n := strings.Count(stdout.String(), "\n"); n != 300_000 || strings.ContainsAny(stdout.String(), "\r\x1b") {
			t.Errorf("%q: %d lines on stdout", args, n)
		}
	}
}
