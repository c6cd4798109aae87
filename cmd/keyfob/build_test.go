package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/internal/needs"
)

// buildDir is removed at the end.
var buildDir string

// buildOnce builds the command as a user does, and with the race detector when
// the tests have it, so that races of the server are found as well.
var buildOnce = sync.OnceValues(func() (string, error) {
	var err error
	if buildDir, err = os.MkdirTemp("", "keyfob-test-"); err != nil {
		return "", err
	}
	path := filepath.Join(buildDir, "keyfob")
	args := []string{"build", "-buildvcs=false", "-o", path}
	if raceEnabled {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, ".")...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, err
})

func keyfobBinary(t testing.TB) string {
	t.Helper()
	_, err := exec.LookPath("go")
	needs.That(t, err == nil, "needs the go command, to build keyfob with")
	path, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// environment is that of a process of a test: the variables of keyfob's own are
// only those that are given.
func environment(extra ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(s string) bool {
		return strings.HasPrefix(s, "KEYFOB_") || strings.HasPrefix(s, "XDG_")
	})
	return append(append(env, noRaceSleep), extra...)
}

// noRaceSleep keeps programs with the race detector from sleeping for a second
// before they end.
const noRaceSleep = "GORACE=atexit_sleep_ms=0"

// A result is what a command that has ended leaves.
type result struct {
	code           int
	stdout, stderr string
}

// command runs keyfob in a data directory, with stdin.
func command(t testing.TB, dir, stdin string, args ...string) result {
	t.Helper()
	cmd := exec.Command(keyfobBinary(t), args...)
	cmd.Env = environment("KEYFOB_DATA=" + dir)
	cmd.Stdin = strings.NewReader(stdin)
	return finish(t, cmd)
}

func finish(t testing.TB, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	r := result{}
	if err := cmd.Run(); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			t.Fatal(err)
		}
		r.code = exit.ExitCode()
	}
	r.stdout, r.stderr = stdout.String(), stderr.String()
	return r
}

// must is command for one that has to succeed. It returns the line on stdout.
func must(t testing.TB, dir, stdin string, args ...string) string {
	t.Helper()
	r := command(t, dir, stdin, args...)
	if r.code != 0 {
		t.Fatalf("keyfob %q: exit code %d, %s", args, r.code, r.stderr)
	}
	return strings.TrimSuffix(r.stdout, "\n")
}

// A running is a server of the real binary.
type running struct {
	t    testing.TB
	dir  string
	cmd  *exec.Cmd
	addr string        // 127.0.0.1:port
	log  *lockedBuffer // its stderr
	done chan struct{} // closed when the process has ended
	err  error         // then: what Wait said
}

// lockedBuffer is a buffer that may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start starts a server without waiting for it. Its first line that names the
// address is sent to the channel, which is closed when there will be none.
func start(t testing.TB, dir string, env ...string) (*running, <-chan string) {
	t.Helper()
	return startUnder(t, dir, nil, env...)
}

// startUnder is start under a program that runs another one.
func startUnder(t testing.TB, dir string, under []string, env ...string) (*running, <-chan string) {
	t.Helper()
	s := &running{t: t, dir: dir, log: &lockedBuffer{}, done: make(chan struct{})}
	line := append(slices.Clone(under), keyfobBinary(t), "serve", "--data", dir, "--listen", "127.0.0.1:0", "--log-format", "json")
	s.cmd = exec.Command(line[0], line[1:]...)
	s.cmd.Env = environment(env...)
	r, w := io.Pipe()
	s.cmd.Stderr = w
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := make(chan string, 1)
	go func() {
		defer close(address)
		for lines := bufio.NewScanner(r); lines.Scan(); {
			s.log.Write(append(lines.Bytes(), '\n'))
			var line struct{ Msg, Address string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
				address <- line.Address
			}
		}
	}()
	go func() {
		s.err = s.cmd.Wait()
		w.Close()
		close(s.done)
	}()
	t.Cleanup(s.kill)
	return s, address
}

// serving starts a server and waits until it is ready.
func serve(t testing.TB, dir string, env ...string) *running {
	t.Helper()
	s, address := start(t, dir, env...)
	s.awaitReady(address)
	return s
}

// awaitReady waits until the server says where it listens, and is ready.
func (s *running) awaitReady(address <-chan string) {
	s.t.Helper()
	s.addr = <-address
	if s.addr == "" {
		<-s.done
		s.t.Fatalf("the server did not start: %v\n%s", s.err, s.log)
	}
	if err := waitReady(s.dir); err != nil {
		s.t.Fatal(err)
	}
}

// kill ends the server as a crash does.
func (s *running) kill() {
	s.cmd.Process.Kill()
	<-s.done
}

// stop ends the server in order.
func (s *running) stop() {
	s.t.Helper()
	s.cmd.Process.Signal(os.Interrupt)
	<-s.done
	if s.err != nil {
		s.t.Errorf("the server ended with %v\n%s", s.err, s.log)
	}
}

// owner returns the owner's token.
func (s *running) owner() string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, ownerFile))
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSuffix(string(text), "\n")
}

// caller is an HTTP client of the API, as a service has one: it knows the JSON
// and no type of keyfob's.
type caller struct {
	addr, token string
	http        *http.Client
}

func (s *running) caller() *caller {
	return &caller{addr: s.addr, token: s.owner(), http: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		MaxIdleConnsPerHost: 64,
		DialContext:         (&net.Dialer{}).DialContext,
	}}}
}

// answer is what any route answers.
type answer struct {
	status     int
	Token      string
	Valid      bool
	Reason     string
	Detail     string
	Credential struct {
		ID       string
		Subject  string
		State    string
		Versions []struct {
			ID     string
			State  string
			EndsAt string `json:"ends_at"`
		}
	}
}

// post asks a route; an error means that no answer came.
func (c *caller) post(path string, body any) (answer, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return answer{}, err
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://"+c.addr+path, bytes.NewReader(text))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode}
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		return answer{}, err
	}
	return a, nil
}

// mustPost is post for what has to be answered with a status.
func (c *caller) mustPost(t testing.TB, status int, path string, body any) answer {
	t.Helper()
	a, err := c.post(path, body)
	if err != nil {
		t.Fatal(err)
	}
	if a.status != status {
		t.Fatalf("POST %s: status %d (%s), want %d", path, a.status, a.Detail, status)
	}
	return a
}

// verdict is the reason that verify gives.
func (c *caller) verdict(t testing.TB, token string) string {
	t.Helper()
	a := c.mustPost(t, http.StatusOK, "/v1/spaces/default/verify", map[string]any{"token": token})
	if a.Valid != (a.Reason == "ok") {
		t.Errorf("valid is %v, and the reason %q", a.Valid, a.Reason)
	}
	return a.Reason
}
