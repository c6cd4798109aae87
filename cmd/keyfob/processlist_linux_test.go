package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/needs"
	"github.com/keyfob-dev/keyfob/token"
)

// The arguments and the environment of no process of keyfob's hold a secret that
// came in another way, and no process starts another. It runs each command that
// there is, as its examples have it.
func TestProcessesShowNoSecret(t *testing.T) {
	t.Parallel()
	_, err := os.Stat("/proc/self/cmdline")
	needs.That(t, err == nil, "needs /proc, to see the arguments of processes")
	dir := t.TempDir()
	s := serve(t, dir)
	w := &watch{T: t, dir: t.TempDir(), secrets: []string{must(t, dir, "", "apikey", "issue", "--subject", "alice"), s.owner()}}
	// A server that answers no sooner than its client was looked at.
	w.env = environment("KEYFOB_TOKEN_FILE="+filepath.Join(dir, ownerFile), "HOME="+w.dir, "KEYFOB_URL="+plainServer(t, w))
	w.look(s.cmd.Process.Pid, "the server")
	commands, asked := 0, 0
	visit(newRoot(&ui{out: newOutput(os.Stdout), stderr: os.Stderr, stdin: os.Stdin}), func(cmd *cobra.Command) {
		before := w.runs
		for _, args := range w.examples(cmd) {
			w.run(args)
		}
		if w.runs == before {
			t.Errorf("%s is not run by its examples", cmd.CommandPath())
		}
		commands++
	})
	asked = int(w.asked.Load())
	if asked < 10 {
		t.Errorf("%d commands have asked the server", asked)
	}
	t.Logf("%d commands in %d runs, %d of them held by a server: no secret in arguments and environment, and no process below", commands, w.runs, asked)
}

// watch runs commands and looks at their processes.
type watch struct {
	*testing.T
	dir     string
	env     []string
	secrets []string // one that commands are given on stdin, and the one of their caller
	runs    int
	asked   atomic.Int64

	starting sync.Mutex // held until pid is that of the run that has begun
	pid      int
}

// examples returns the arguments of all runs of keyfob in a command's examples, as
// a shell makes them.
func (w *watch) examples(cmd *cobra.Command) (all [][]string) {
	w.Helper()
	elsewhere := strings.NewReplacer("/srv/keyfob", filepath.Join(w.dir, "srv"), "/run/credentials", w.dir)
	calls := w.TempDir()
	k, _ := token.Parse(w.secrets[0])
	for line := range strings.Lines(elsewhere.Replace(cmd.Example)) {
		if strings.Contains(line, "keyfob completion") {
			line, _, _ = strings.Cut(line, ">") // not into folders of shells, which are not there
		}
		// The one before may have written over it.
		if err := os.WriteFile(filepath.Join(w.dir, "alice.key"), []byte(w.secrets[0]+"\n"), 0o600); err != nil {
			w.Fatal(err)
		}
		sh := exec.Command(needs.Binary(w, "sh", "dash"), "-c", `keyfob() { printf '%s\n' "$@" > "$(mktemp "$CALLS/XXXXXX")"; }
			`+line)
		sh.Dir = w.dir
		sh.Env = append(w.env, "CALLS="+calls, "ID="+k.ID())
		sh.Run() // what it prints, and how it ends, is for another test
	}
	entries, err := os.ReadDir(calls)
	if err != nil {
		w.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(calls, e.Name()))
		if err != nil {
			w.Fatal(err)
		}
		all = append(all, strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"))
	}
	return all
}

// run runs keyfob, and looks at it when it has just begun. It cannot have ended by
// then, since what it writes to is full.
func (w *watch) run(args []string) {
	w.Helper()
	r, full, err := os.Pipe()
	if err != nil {
		w.Fatal(err)
	}
	defer r.Close()
	fill(w.T, full)
	cmd := exec.Command(keyfobBinary(w), args...)
	cmd.Dir, cmd.Env = w.dir, w.env
	cmd.Stdin = strings.NewReader(w.secrets[0] + "\n")
	cmd.Stdout, cmd.Stderr = full, full
	w.starting.Lock()
	if err = cmd.Start(); err == nil {
		w.pid = cmd.Process.Pid
	}
	w.starting.Unlock()
	full.Close()
	if err != nil {
		w.Fatal(err)
	}
	w.runs++
	w.look(cmd.Process.Pid, strings.Join(args, " "))
	if isSetup("keyfob " + strings.Join(args, " ")) {
		cmd.Process.Kill() // before it makes anything
	}
	io.Copy(io.Discard, r)
	cmd.Wait()
}

// fill fills a pipe.
func fill(t *testing.T, pipe *os.File) {
	t.Helper()
	c, err := pipe.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	page := make([]byte, 4096)
	c.Write(func(fd uintptr) bool {
		for err == nil {
			_, err = syscall.Write(int(fd), page)
		}
		return true
	})
	if err != syscall.EAGAIN {
		t.Fatal(err)
	}
}

// ServeHTTP is the server that commands ask.
func (w *watch) ServeHTTP(answer http.ResponseWriter, r *http.Request) {
	w.asked.Add(1)
	w.starting.Lock()
	pid := w.pid
	w.starting.Unlock()
	w.look(pid, r.Method+" "+r.URL.Path)
	answer.WriteHeader(http.StatusServiceUnavailable)
}

func (w *watch) look(pid int, what string) {
	w.Helper()
	for _, file := range []string{"cmdline", "environ"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
		for end := time.Now().Add(10 * time.Second); err == nil && len(text) == 0 && time.Now().Before(end); {
			text, err = os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file)) // its first moment is not over
		}
		if err != nil || len(text) == 0 {
			w.Errorf("%s of %s: %d bytes, %v", file, what, len(text), err)
		}
		if file == "cmdline" && token.RedactAll(string(text)) != string(text) {
			w.Errorf("something like a token is in the arguments of %s", what)
		}
		for _, secret := range w.secrets {
			for _, form := range canaries(secret) {
				if bytes.Contains(text, []byte(form)) {
					w.Errorf("a secret is in %s of %s", file, what)
				}
			}
		}
	}
	if children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pid)); err == nil && len(children) > 0 {
		w.Errorf("%s has started processes: %s", what, children)
	}
}
