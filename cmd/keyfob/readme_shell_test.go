//go:build unix

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/keyfob-dev/keyfob/internal/needs"
)

// A newcomer types what the README says, on a machine that is empty but for the
// command and curl. What stands for something is put in its place: ID, and
// addresses and paths that a test may not take.
type newcomer struct {
	t          *testing.T
	sh         string
	home, data string
	in         *strings.Replacer
}

// TestReadmeShell types what the README says, block by block. A comment behind a
// command may say what it prints first, and its exit code.
func TestReadmeShell(t *testing.T) {
	t.Parallel()
	needs.Binary(t, "curl", "curl")
	home := t.TempDir()
	n := &newcomer{t: t, sh: needs.Binary(t, "sh", "dash"), home: home, data: filepath.Join(home, ".local", "share", "keyfob")}
	s := serve(t, n.data)
	if _, err := makeCertificates(filepath.Join(home, "certificates")); err != nil {
		t.Fatal(err)
	}
	n.in = strings.NewReplacer(
		"127.0.0.1:7420", s.addr, ":443", "127.0.0.1:0", "10.0.0.5:7420", "127.0.0.1:0", "/srv/keyfob", filepath.Join(home, "srv"),
		"fullchain.pem", "certificates/cert.pem", "privkey.pem", "certificates/key.pem")

	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	typed := 0
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(readme), -1) {
		for _, line := range strings.SplitAfter(strings.ReplaceAll(block[1], "|\n", "| "), "\n") {
			if command, comment, _ := strings.Cut(strings.TrimSpace(line), " #"); command != "" {
				n.types(strings.TrimSpace(command), strings.TrimSpace(comment))
				typed++
			}
		}
	}
	if typed < 15 {
		t.Errorf("only %d commands were found", typed)
	}
	t.Logf("%d commands were typed", typed)
}

var (
	exitCode = regexp.MustCompile(`the exit code is (\d)`)
	firstOut = regexp.MustCompile(`^(\w+)( …)?; the exit code`)
)

func (n *newcomer) types(command, comment string) {
	n.t.Helper()
	switch {
	case command == "go run ./cmd/keyfob serve", command == "CGO_ENABLED=0 go install ./cmd/keyfob": // as built for all tests
		return
	case command == "go run ./examples/webapp": // which has tests of its own
		return
	case strings.HasPrefix(command, "./scripts/"):
		if info, err := os.Stat(filepath.Join("..", "..", command)); err != nil || info.Mode()&0o111 == 0 {
			n.t.Errorf("%s: %v, or it cannot be run", command, err)
		}
		return
	case strings.HasPrefix(command, "keyfob serve "):
		n.serves(command)
		return
	}
	r := finish(n.t, n.command(command))
	code := 0
	if m := exitCode.FindStringSubmatch(comment); m != nil {
		code, _ = strconv.Atoi(m[1])
	}
	if r.code != code {
		n.t.Fatalf("%s: exit code %d, want %d\n%s%s", command, r.code, code, r.stdout, r.stderr)
	}
	if m := firstOut.FindStringSubmatch(comment); m != nil && !strings.HasPrefix(r.stdout, m[1]) {
		n.t.Errorf("%s: it prints %q, want %q first", command, r.stdout, m[1])
	}
	if strings.Contains(command, "curl ") {
		var verdict struct{ Reason string }
		if err := json.Unmarshal([]byte(r.stdout), &verdict); err != nil || verdict.Reason != "revoked" {
			n.t.Errorf("%s: %q, %v; want the verdict on a key that was revoked", command, r.stdout, err)
		}
	}
}

// serves types a command that goes on until it is interrupted.
func (n *newcomer) serves(command string) {
	n.t.Helper()
	cmd := n.command("exec " + command)
	log := &lockedBuffer{}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	defer cmd.Process.Kill()
	if err := waitReady(filepath.Join(n.home, "srv")); err != nil {
		n.t.Fatalf("%s: %v\n%s", command, err, log)
	}
	cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		n.t.Errorf("%s: %v\n%s", command, err, log)
	}
}

// command is a line as the shell gets it.
func (n *newcomer) command(line string) *exec.Cmd {
	line = n.in.Replace(line)
	if strings.Contains(line, " ID") {
		id := strings.TrimSpace(must(n.t, n.data, "", "apikey", "list", "--json"))
		var c struct{ ID string }
		if err := json.Unmarshal([]byte(id), &c); err != nil {
			n.t.Fatal(err)
		}
		line = strings.Replace(line, " ID", " "+c.ID, 1)
	}
	cmd := exec.Command(n.sh, "-euc", line)
	cmd.Dir = n.home
	cmd.Env = environment("HOME="+n.home, "PATH="+filepath.Dir(keyfobBinary(n.t))+":"+os.Getenv("PATH"))
	return cmd
}
