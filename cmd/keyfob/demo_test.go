package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/needs"
)

// Each command line that the tour shows does, typed into a shell, what the tour
// shows below it: as much, in the same form, and the same where it is always so.
func TestDemo(t *testing.T) {
	t.Parallel()
	sh := needs.Binary(t, "sh", "dash")
	tour := must(t, t.TempDir(), "", "demo")
	env := environment("PATH=" + filepath.Dir(keyfobBinary(t)) + ":" + os.Getenv("PATH"))
	steps := strings.Split("\n"+tour, "\n$ ")[1:]
	for _, s := range steps {
		line, shown, _ := strings.Cut(s, "\n")
		shown, _, _ = strings.Cut(shown+"\n", "\n\n") // what follows is about the next
		run := func() string {
			cmd := exec.Command(sh, "-euc", line)
			cmd.Dir, cmd.Env = t.TempDir(), env
			r := finish(t, cmd)
			if r.code != 0 || r.stderr != "" {
				t.Fatalf("%s: exit code %d, %s", line, r.code, r.stderr)
			}
			return strings.TrimSuffix(r.stdout, "\n")
		}
		printed := run()
		for _, shape := range []func(string) string{whole, words, letters, object} {
			one := shape(printed)
			// What differs from one time to the next is random. That 40 choices miss one
			// of three lines has a chance of 1 in 10^7.
			for i := 0; shape(shown) != one && shape(run()) == one; i++ {
				if i == 40 {
					t.Errorf("%s: the tour shows\n%s\nand it prints\n%s", line, shown, printed)
					break
				}
			}
		}
	}
	if len(steps) < 15 {
		t.Fatalf("only %d steps were found", len(steps))
	}
	visit(newRoot(&ui{out: newOutput(os.Stdout), stderr: os.Stderr, stdin: os.Stdin}), func(cmd *cobra.Command) {
		if cmd.GroupID == groupMake && !strings.Contains(tour, "keyfob "+cmd.Name()) {
			t.Errorf("the tour has nothing of keyfob %s", cmd.Name())
		}
	})
}

// The shapes of what is printed: the text itself; masked character by character, or
// word by word; and whether it is an object of JSON.
func whole(text string) string { return text }

func letters(text string) string {
	return regexp.MustCompile(`[0-9A-Za-z_+/-]`).ReplaceAllString(secretInJSON.ReplaceAllString(text, `""`), "x")
}

func words(text string) string {
	return regexp.MustCompile(`[0-9A-Za-z_+/-]+`).ReplaceAllString(secretInJSON.ReplaceAllString(text, `""`), "x")
}

func object(text string) string {
	return fmt.Sprint(strings.HasPrefix(text, "{") && json.Valid([]byte(text)))
}
