package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

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
		id := arrange(t, data, home, cmd.CommandPath())
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
			if r := script(id, text); r.code != 0 {
				t.Errorf("%s: %s: exit code %d, %s%s", cmd.CommandPath(), text, r.code, r.stdout, r.stderr)
			}
		}
	})
}

// arrange makes what the examples of a command begin with, in files of the names
// that they have, and returns an id.
func arrange(t *testing.T, data, home, path string) (id string) {
	t.Helper()
	file := func(name, text string) string {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return text
	}
	k, err := token.Parse(file("alice.key", must(t, data, "", "apikey", "issue", "--subject", "alice", "--scope", "read")))
	if err != nil {
		t.Fatal(err)
	}
	what, _, _ := strings.Cut(strings.TrimPrefix(path, "keyfob "), " ")
	switch what {
	case "session":
		file("alice.session", must(t, data, "", "session", "issue", "--subject", "alice"))
		return newest(t, data, what)
	case "link":
		if k, err = token.Parse(file("alice.link", must(t, data, "", "link", "issue", "--subject", "alice", "--purpose", "password-reset"))); err != nil {
			t.Fatal(err)
		}
	case "recovery":
		file("alice.codes", must(t, data, "", "recovery", "issue", "--subject", "alice"))
		return newest(t, data, what)
	case "totp":
		seed, _, _ := strings.Cut(must(t, data, "", "totp", "enroll", "--subject", "alice", "--account", "alice"), "\n")
		code := file("alice.code", must(t, data, seed, "oath", "totp"))
		if strings.HasSuffix(path, "check") {
			must(t, data, code, "totp", "confirm", "--subject", "alice")
			next := strconv.FormatInt(time.Now().Unix()+30, 10)
			file("alice.code", must(t, data, seed, "oath", "totp", "--at", next))
		}
		return newest(t, data, what)
	}
	switch path {
	case "keyfob code redeem":
		file("alice.code", must(t, data, "", "code", "issue", "--subject", "alice", "--purpose", "login"))
	case "keyfob code revoke":
		must(t, data, "", "code", "issue", "--subject", "erin", "--purpose", "login")
		return newest(t, data, what)
	}
	return k.ID()
}

// newest is the id of the credential of a kind that was issued last.
func newest(t *testing.T, data, kind string) string {
	t.Helper()
	var c struct{ ID string }
	first, _, _ := strings.Cut(must(t, data, "", kind, "list", "--json"), "\n")
	if err := json.Unmarshal([]byte(first), &c); err != nil {
		t.Fatal(err)
	}
	return c.ID
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
