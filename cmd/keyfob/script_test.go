package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/keyfob-dev/keyfob/internal/oas"
	"github.com/keyfob-dev/keyfob/token"
)

func TestMain(m *testing.M) {
	testscript.Main(cleaner{m}, map[string]func(){"keyfob": main})
}

// cleaner removes what tests have built.
type cleaner struct{ m *testing.M }

func (c cleaner) Run() int {
	defer func() {
		if buildDir != "" {
			os.RemoveAll(buildDir)
		}
	}()
	return c.m.Run()
}

// TestScripts runs testdata/*.txtar: each command as a user meets it. Besides
// testscript's own, the scripts have these commands:
//
//	exits CODE PROGRAM ARG…   run a program that exits with CODE; with 2, stdout
//	                          must be empty and stderr one line
//	port NAME                 set NAME to a port that is free
//	ready DIR SOCKET…         wait until a server answers at DIR's socket, or at
//	                          the first file that matches a pattern
//	id NAME FILE              set NAME to the id in the token in FILE
//	mode MODE FILE            FILE has this mode, in octal
//	lacks TEXTFILE FILE…      no FILE has the text of TEXTFILE, a line
//	issue COUNT DIR           issue so many API keys by the server of DIR
//	certificates DIR          make certificates in DIR; see makeCertificates
//	sql DIR STATEMENTS        change the database of the stopped server of DIR
//	copydir FROM TO           make the directory TO a copy of FROM
//	expired FILE DIR          wait until the server of DIR says that the token in
//	                          FILE is expired
//	idle FILE DIR             wait until the session of the token in FILE has
//	                          expired, without using it
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("LC_ALL", "C.UTF-8")
			name, value, _ := strings.Cut(noRaceSleep, "=")
			env.Setenv(name, value)
			return os.Mkdir(filepath.Join(env.WorkDir, "home"), 0o700)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": scriptExits, "port": scriptPort, "ready": scriptReady,
			"id": scriptID, "mode": scriptMode, "lacks": scriptLacks,
			"issue": scriptIssue, "expired": scriptExpired, "idle": scriptIdle,
			"certificates": scriptCertificates, "sql": scriptSQL, "copydir": scriptCopy,
		},
		RequireUniqueNames: true,
	})
}

func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG…]")
	}
	code := 0
	err := ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
	if code != exitWrong {
		return
	}
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("exit code 2 and a stdout that is not empty: %q", out)
	}
	if text := ts.ReadFile("stderr"); strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, "keyfob: ") {
		ts.Fatalf("exit code 2, and stderr is not one line of keyfob's: %q", text)
	}
}

func scriptPort(ts *testscript.TestScript, neg bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	defer l.Close()
	ts.Setenv(args[0], strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}

func scriptReady(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 1 {
		ts.Check(waitReady(ts.MkAbs(args[0])))
		return
	}
	ts.Check(waitSocket(func() string {
		for _, pattern := range args[1:] {
			if found, _ := filepath.Glob(ts.MkAbs(pattern)); len(found) > 0 {
				return found[0]
			}
		}
		return "none yet"
	}))
}

// waitReady waits until the server of a data directory is ready.
func waitReady(path string) error {
	return waitSocket(func() string {
		dir, err := findDataDir(path) // again, since a path may not be there at first
		if err != nil {
			return err.Error()
		}
		return findSocket(dir)
	})
}

func waitSocket(path func() string) error {
	for end := time.Now().Add(30 * time.Second); ; {
		client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", path())
			},
		}}
		resp, err := client.Get("http://localhost/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("status %d", resp.StatusCode)
		}
		if time.Now().After(end) {
			return fmt.Errorf("the server at %s does not get ready: %w", path(), err)
		}
		time.Sleep(2 * time.Millisecond) // between two questions
	}
}

func scriptID(ts *testscript.TestScript, neg bool, args []string) {
	t, err := token.Parse(strings.TrimSuffix(ts.ReadFile(args[1]), "\n"))
	ts.Check(err)
	ts.Setenv(args[0], t.ID())
}

func scriptMode(ts *testscript.TestScript, neg bool, args []string) {
	info, err := os.Lstat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

func scriptLacks(ts *testscript.TestScript, neg bool, args []string) {
	text := strings.TrimSuffix(ts.ReadFile(args[0]), "\n")
	if text == "" {
		ts.Fatalf("%s is empty", args[0])
	}
	for _, name := range args[1:] {
		if strings.Contains(ts.ReadFile(name), text) {
			ts.Fatalf("%s holds what is in %s", name, args[0])
		}
	}
}

// scriptConnect is the way to a server of a script.
func scriptConnect(ts *testscript.TestScript, path string) *connection {
	dir, err := findDataDir(ts.MkAbs(path))
	ts.Check(err)
	c, err := connectSocket(dir)
	ts.Check(err)
	return c
}

func scriptIssue(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	c := scriptConnect(ts, args[1])
	for i := range n {
		_, err := c.IssueAPIKey(context.Background(), &oas.IssueAPIKeyRequest{Subject: fmt.Sprint("subject ", i)}, oas.IssueAPIKeyParams{Space: "default"})
		ts.Check(err)
	}
}

func scriptExpired(ts *testscript.TestScript, neg bool, args []string) {
	text := strings.TrimSuffix(ts.ReadFile(args[0]), "\n")
	c := scriptConnect(ts, args[1])
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		v, err := c.Verify(context.Background(), &oas.VerifyRequest{Token: text}, oas.VerifyParams{Space: "default"})
		ts.Check(err)
		if v.Reason == "expired" {
			return
		}
		if v.Reason != "ok" || time.Now().After(end) {
			ts.Fatalf("the token is %s", v.Reason)
		}
	}
}

func scriptIdle(ts *testscript.TestScript, neg bool, args []string) {
	t, err := token.Parse(strings.TrimSuffix(ts.ReadFile(args[0]), "\n"))
	ts.Check(err)
	c := scriptConnect(ts, args[1])
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		found, err := c.GetSession(context.Background(), oas.GetSessionParams{Space: "default", ID: t.ID()})
		ts.Check(err)
		if found.State == "expired" {
			return
		}
		if found.State != "active" || time.Now().After(end) {
			ts.Fatalf("the session is %s", found.State)
		}
	}
}
