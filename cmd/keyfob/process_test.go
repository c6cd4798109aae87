//go:build unix

package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/internal/needs"
)

// The first SIGTERM lets requests under way end; the exit code is 0.
func TestGracefulEnd(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir())
	c, request := halfRequest(t, s)
	s.cmd.Process.Signal(syscall.SIGTERM)
	s.awaitClosed()
	if _, err := fmt.Fprint(c, request); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 4096)
	if n, err := c.Read(answer); err != nil || !strings.HasPrefix(string(answer[:n]), "HTTP/1.1 200 OK\r\n") {
		t.Errorf("a request under way is answered with %q, %v", answer[:n], err)
	}
	<-s.done
	if s.err != nil || !strings.Contains(s.log.String(), `"msg":"ended"`) {
		t.Errorf("%v\n%s", s.err, s.log)
	}
}

// awaitClosed waits until the server takes no more connections.
func (s *running) awaitClosed() {
	s.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			return
		}
		c.Close()
	}
	s.t.Fatal("the server still takes connections")
}

// halfRequest sends a part of a request to verify, and returns the rest of it.
func halfRequest(t *testing.T, s *running) (net.Conn, string) {
	t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	body := `{"token":"x"}`
	fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		verify, s.addr, s.owner(), len(body))
	// The server asks for the body: from here on the request is under way.
	first := make([]byte, 256)
	if n, err := c.Read(first); err != nil || !strings.HasPrefix(string(first[:n]), "HTTP/1.1 100 ") {
		t.Fatalf("%q, %v", first[:n], err)
	}
	return c, body
}

// The second signal ends the server at once.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir())
	halfRequest(t, s) // and never the rest of it
	s.cmd.Process.Signal(syscall.SIGINT)
	began := time.Now()
	s.awaitClosed() // the first has been seen
	s.cmd.Process.Signal(syscall.SIGINT)
	<-s.done
	if code := s.cmd.ProcessState.ExitCode(); code != exitUndecided || time.Since(began) > 5*time.Second || !strings.Contains(s.log.String(), "second signal") {
		t.Errorf("ended after %v with exit code %d\n%s", time.Since(began), code, s.log)
	}
}

// When the storage fails the server says so and ends with exit code 3; on good
// storage all that it acknowledged is there.
func TestStorageFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	serve(t, dir).stop()
	sh := needs.Binary(t, "sh", "dash")
	s := &running{t: t, dir: dir, log: &lockedBuffer{}, done: make(chan struct{})}
	s.cmd = exec.Command(sh, "-c", `ulimit -f 1500; exec "$0" serve --data "$1" --listen 127.0.0.1:0`, keyfobBinary(t), dir)
	s.cmd.Env = environment()
	s.cmd.Stderr = s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.err = s.cmd.Wait(); close(s.done) }()
	t.Cleanup(s.kill)
	if err := waitReady(dir); err != nil {
		t.Fatal(err)
	}
	var acknowledged []string
	for range 5000 {
		r := command(t, dir, "", "apikey", "issue", "--subject", "alice", "--attribute", "filler="+strings.Repeat("x", 1000))
		if r.code != 0 {
			if r.code != exitUndecided || r.stdout != "" {
				t.Errorf("when the storage fails: exit code %d, %q, %q", r.code, r.stdout, r.stderr)
			}
			break
		}
		acknowledged = append(acknowledged, strings.TrimSuffix(r.stdout, "\n"))
	}
	select {
	case <-s.done:
	case <-time.After(time.Minute):
		t.Fatalf("the server goes on\n%s", s.log)
	}
	if code := s.cmd.ProcessState.ExitCode(); code != exitUndecided || !strings.Contains(s.log.String(), "keyfob: the database failed") {
		t.Errorf("the server: exit code %d\n%s", code, s.log)
	}
	s = serve(t, dir)
	c := s.caller()
	for _, text := range acknowledged {
		if v := c.verdict(t, text); v != "ok" {
			t.Errorf("an acknowledged token is %s", v)
		}
	}
	// Each key that is there has its event, beside the one of the space.
	keys := strings.Count(must(t, dir, "", "apikey", "list", "--json"), "\n") + 1
	chain := must(t, dir, "", "audit", "verify")
	if !strings.HasPrefix(chain, fmt.Sprintf("ok %d events, ", keys+1)) {
		t.Errorf("%d keys, and of the events: %s", keys, chain)
	}
	t.Logf("%d tokens were acknowledged before the storage failed, and all are there; of the events: %s", len(acknowledged), chain)
	s.stop()
}

// A data directory that may not be written is said; nothing is made.
func TestDirectoryOfAnotherUser(t *testing.T) {
	t.Parallel()
	binary := keyfobBinary(t)
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	for _, path := range []string{dir, filepath.Join(dir, "below")} {
		cmd := exec.Command(binary, "serve", "--data", path, "--listen", "127.0.0.1:0")
		cmd.Env = environment()
		if os.Getuid() == 0 { // who may write everywhere: as somebody else
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			for up := dir; up != "/" && up != os.TempDir(); up = filepath.Dir(up) {
				os.Chown(up, 65534, 65534)
			}
			openUp(t, binary)
		}
		r := finish(t, cmd)
		if r.code != exitWrong || strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, "permission denied") || !strings.Contains(r.stderr, "give another") {
			t.Errorf("exit code %d, %q", r.code, r.stderr)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
			t.Errorf("there are %v, %v", entries, err)
		}
	}
}

// openUp lets other users run the binary.
func openUp(t *testing.T, binary string) {
	t.Helper()
	for _, path := range []string{binary, filepath.Dir(binary)} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// What the first run says to type works, as it stands.
func TestWelcome(t *testing.T) {
	t.Parallel()
	sh := needs.Binary(t, "sh", "dash")
	needs.Binary(t, "curl", "curl")
	for _, name := range []string{"data", "it's a folder"} {
		work := t.TempDir()
		s := serve(t, filepath.Join(work, name))
		var lines []string
		for line := range strings.Lines(s.log.String()) {
			if cmd, ok := strings.CutPrefix(line, "  "); ok && strings.ContainsAny(cmd, "|>") {
				lines = append(lines, cmd)
			}
		}
		if len(lines) != 3 {
			t.Fatalf("to type: %q", lines)
		}
		cmd := exec.Command(sh, "-euc", strings.Join(lines, ""))
		cmd.Dir = work
		cmd.Env = environment("PATH=" + filepath.Dir(keyfobBinary(t)) + ":" + os.Getenv("PATH"))
		r := finish(t, cmd)
		if r.code != 0 || !strings.HasPrefix(r.stdout, `{"valid":true,"reason":"ok",`) {
			t.Errorf("exit code %d, %s%s", r.code, r.stdout, r.stderr)
		}
		if info, err := os.Stat(filepath.Join(work, "caller.header")); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the header file: %v, %v", info, err)
		}
		s.stop()
	}
}

// Another user of the machine is not let in by the socket.
func TestSocketOfAnotherUser(t *testing.T) {
	t.Parallel()
	needs.That(t, os.Getuid() == 0, "needs to be root, to become another user")
	dir := t.TempDir()
	s := serve(t, dir)
	for up := dir; up != "/" && up != os.TempDir(); up = filepath.Dir(up) {
		os.Chmod(up, 0o755) // let through by the folders, and stopped by the socket
	}
	binary := keyfobBinary(t)
	openUp(t, binary)
	cmd := exec.Command(binary, "apikey", "list", "--data", dir)
	cmd.Env = environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	r := finish(t, cmd)
	if r.code != exitNo || r.stdout != "" || !strings.Contains(r.stderr, "belongs to the user that runs the server") {
		t.Errorf("exit code %d, %q, %q", r.code, r.stdout, r.stderr)
	}
	if resp, err := s.caller().http.Get("http://" + s.addr + "/readyz"); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("the server: %v", err)
	}
}
