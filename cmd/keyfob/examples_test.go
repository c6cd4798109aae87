package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/needs"
	"github.com/keyfob-dev/keyfob/token"
)

// Each example in the help works, as it stands.
func TestExamples(t *testing.T) {
	t.Parallel()
	sh := needs.Binary(t, "sh", "dash")
	home := t.TempDir()
	data := filepath.Join(home, ".local", "share", "keyfob")
	serve(t, data)
	script := func(id, text string) result {
		cmd := exec.Command(sh, "-euc", text)
		cmd.Dir = home
		cmd.Env = environment("HOME="+home, "ID="+id, "PATH="+filepath.Dir(keyfobBinary(t))+":"+os.Getenv("PATH"))
		return finish(t, cmd)
	}
	seen := map[string]bool{}
	visit(newRoot(&ui{out: newOutput(os.Stdout), stderr: os.Stderr, stdin: os.Stdin}), func(cmd *cobra.Command) {
		if cmd.Example == "" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: %q", cmd.CommandPath(), cmd.Short)
		}
		key := must(t, data, "", "apikey", "issue", "--subject", "alice", "--scope", "read")
		k, err := token.Parse(key)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(home, "alice.key"), []byte(key+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(cmd.Example) {
			text := strings.TrimSpace(line)
			if seen[text] && strings.Contains(text, "space create") {
				continue
			}
			seen[text] = true
			switch {
			case isSetup(text): // its flags are known; it runs elsewhere
				text, _, _ = strings.Cut(text, "#")
				text += " --help"
			case strings.HasPrefix(text, "keyfob completion"): // not into files of shells
				text, _, _ = strings.Cut(text, ">")
			}
			if r := script(k.ID(), text); r.code != 0 {
				t.Errorf("%s: %s: exit code %d, %s%s", cmd.CommandPath(), text, r.code, r.stdout, r.stderr)
			}
		}
	})
}

// isSetup reports whether a line runs what works on the data itself.
func isSetup(line string) bool {
	for _, command := range []string{"serve", "init", "owner", "clock"} {
		if strings.HasPrefix(line, "keyfob "+command) {
			return true
		}
	}
	return false
}

func visit(cmd *cobra.Command, do func(*cobra.Command)) {
	do(cmd)
	for _, sub := range cmd.Commands() {
		visit(sub, do)
	}
}

// The help has lines that fit into a terminal, and no flag without a word about it.
func TestHelpText(t *testing.T) {
	t.Parallel()
	visit(newRoot(&ui{out: newOutput(os.Stdout), stderr: os.Stderr, stdin: os.Stdin}), func(cmd *cobra.Command) {
		var b strings.Builder
		cmd.InitDefaultHelpFlag()
		writeHelp(&b, cmd)
		for line := range strings.Lines(b.String()) {
			if n := len([]rune(line)); n > helpWidth+2 {
				t.Errorf("%s: a line of %d characters: %s", cmd.CommandPath(), n, line)
			}
			if strings.ContainsRune(line, '`') {
				t.Errorf("%s: %s", cmd.CommandPath(), line)
			}
		}
		if cmd.HasParent() && cmd.Parent() == cmd.Root() && cmd.GroupID == "" {
			t.Errorf("%s is in no group", cmd.CommandPath())
		}
	})
}
