package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/internal/needs"
)

// systemFaults are failures of the storage that the system tells a server of.
// They begin with the at-th call of a thread, which is in the midst of load.
var systemFaults = []struct {
	name, calls, err string
	at               []int
}{
	{"flush fails", "fsync,fdatasync", "EIO", []int{12, 31, 64}},
	{"disk full", "pwrite64", "ENOSPC", []int{50, 201, 602}},
}

// When the system lets flushes or writes of the server fail under load, nothing
// is acknowledged that was not flushed before, the server says so and ends with
// exit code 3, and what it acknowledged is there when it starts again.
func TestSystemCallsFail(t *testing.T) {
	t.Parallel()
	strace := needs.Binary(t, "strace", "strace")
	out, err := exec.Command(strace, "-D", "-f", "-o", filepath.Join(t.TempDir(), "probe"), "true").CombinedOutput()
	needs.That(t, err == nil, fmt.Sprintf("needs to trace a program, which this system does not allow: %s", out))
	for _, f := range systemFaults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			acknowledged, refused := 0, 0
			for _, at := range f.at {
				a, r := systemFault(t, strace, f.calls, fmt.Sprintf("error=%s:when=%d+", f.err, at))
				acknowledged, refused = acknowledged+a, refused+r
			}
			t.Logf("%d servers: %d changes were acknowledged, 0 lost; %d refused", len(f.at), acknowledged, refused)
		})
	}
}

// systemFault runs a server whose calls fail at some time, and starts it again.
// It returns how many changes were acknowledged, and how many were not.
func systemFault(t *testing.T, strace, calls, fault string) (acknowledged, refused int) {
	dir := t.TempDir()
	serve(t, dir).stop() // the first run is not the point
	path := filepath.Join(t.TempDir(), "calls")
	// With -D the server is this process's child, and strace nobody's.
	s, address := startUnder(t, dir, []string{
		strace, "-D", "-f", "--seccomp-bpf", "-qq", "-ttt", "-T", "-s", "0", "-o", path,
		"-e", "trace=fsync,fdatasync," + calls, "-e", "signal=none", "-e", "inject=" + calls + ":" + fault,
	})
	s.awaitReady(address)
	l := loadUntilEnd(t, s)
	select {
	case <-s.done:
	case <-time.After(time.Minute):
		t.Fatalf("the server goes on\n%s", s.log)
	}
	if code := s.cmd.ProcessState.ExitCode(); code != exitUndecided || !strings.Contains(s.log.String(), "keyfob: the database failed, and the server has ended: ") {
		t.Errorf("%s: the server: exit code %d\n%s", fault, code, s.log)
	}
	l.checkFlushed(t, path)

	s = serve(t, dir)
	c := s.caller()
	for _, k := range l.keys {
		if v := c.verdict(t, k.text); v != k.state && (!k.inDoubt || v != "revoked") {
			t.Errorf("%s: a token is %s; by what was acknowledged it is %s", fault, v, k.state)
		}
	}
	// Each change that is there has its event, beside the one of the space.
	list := must(t, dir, "", "apikey", "list", "--json") + "\n"
	changes := strings.Count(list, "\n") + strings.Count(list, `"state":"revoked"`)
	if chain := must(t, dir, "", "audit", "verify"); !strings.HasPrefix(chain, fmt.Sprintf("ok %d events, ", changes+1)) {
		t.Errorf("%s: there are %d changes, and of the events: %s", fault, changes, chain)
	}
	s.stop()
	return len(l.windows), l.refused
}

// A faultyLoad is what was asked of a server until its end, and what it said.
type faultyLoad struct {
	mu      sync.Mutex
	keys    []*loadedKey // whose issue was acknowledged
	windows []window     // of each change that was acknowledged
	refused int          // answered with 503
}

type loadedKey struct {
	text    string
	state   string // the one that was acknowledged
	inDoubt bool   // a revocation was not
}

// A window is from when a change was asked for until its answer was there.
type window struct{ asked, answered time.Time }

// loadUntilEnd issues keys, and revokes each third, until the server is gone, or a
// minute is over.
func loadUntilEnd(t *testing.T, s *running) *faultyLoad {
	l, c := &faultyLoad{}, s.caller()
	// ask reports whether a change was acknowledged; an error ends the load.
	ask := func(status int, path string, body map[string]any) (answer, bool, error) {
		asked := time.Now()
		a, err := c.post(path, body)
		answered := time.Now()
		l.mu.Lock()
		defer l.mu.Unlock()
		switch {
		case err != nil:
			return a, false, err
		case a.status == status:
			l.windows = append(l.windows, window{asked, answered})
			return a, true, nil
		case a.status == http.StatusServiceUnavailable:
			l.refused++
		default:
			t.Errorf("POST %s: status %d, %s", path, a.status, a.Detail)
		}
		return a, false, nil
	}
	var running sync.WaitGroup
	end := time.Now().Add(time.Minute)
	for range 4 {
		running.Go(func() {
			for n := 0; time.Now().Before(end); n++ {
				a, issued, err := ask(http.StatusCreated, apikeys, map[string]any{"subject": "alice"})
				if err != nil {
					return
				}
				if !issued {
					continue
				}
				k := &loadedKey{text: a.Token, state: "ok"}
				l.mu.Lock()
				l.keys = append(l.keys, k)
				l.mu.Unlock()
				if n%3 != 0 {
					continue
				}
				k.inDoubt = true
				_, revoked, err := ask(http.StatusOK, apikeys+"/"+a.Credential.ID+"/revoke", map[string]any{})
				if err != nil {
					return
				}
				if revoked {
					k.state, k.inDoubt = "revoked", false
				}
			}
		})
	}
	running.Wait()
	return l
}

// A traced line tells of a call that ended: when that was, or when it began if it
// is whole, what it returned, and how long it took.
var tracedLine = regexp.MustCompile(`^\d+ +(\d+\.\d+) (?:(\w+)\(.*\)|<\.\.\. (\w+) resumed>.*\)) += (.*) <(\d+\.\d+)>$`)

// checkFlushed holds what was acknowledged against the calls of the server: while
// it was asked for a flush began and ended well, and no call had failed before.
func (l *faultyLoad) checkFlushed(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var flushes []window
	var failed time.Time // when the first call failed
	for line := range strings.Lines(string(text)) {
		m := tracedLine.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue // the first half of one, or a thread that ended
		}
		at, _ := strconv.ParseFloat(m[1], 64)
		took, _ := strconv.ParseFloat(m[5], 64)
		begin := time.UnixMicro(int64(at * 1e6))
		if m[3] != "" {
			begin = begin.Add(-time.Duration(took * 1e9))
		}
		end := begin.Add(time.Duration(took * 1e9))
		switch {
		case strings.Contains(m[4], "(INJECTED)"):
			if failed.IsZero() || begin.Before(failed) {
				failed = begin
			}
		case m[4] == "0": // a flush, for a write returns its bytes
			flushes = append(flushes, window{begin, end})
		}
	}
	if failed.IsZero() || len(l.windows) == 0 {
		t.Errorf("%d changes were acknowledged, and a call failed at %v", len(l.windows), failed)
	}
	for _, w := range l.windows {
		if w.asked.After(failed) {
			t.Errorf("a change is acknowledged that was asked for %v after a call had failed", w.asked.Sub(failed))
		}
		if !slices.ContainsFunc(flushes, func(f window) bool { return !f.asked.Before(w.asked) && !f.answered.After(w.answered) }) {
			t.Errorf("a change is acknowledged %v after it was asked for, and there was no flush", w.answered.Sub(w.asked))
		}
	}
}
