package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// ledger is what the server has acknowledged.
type ledger struct {
	mu      sync.Mutex
	good    map[string]string // token -> id
	revoked map[string]bool   // token
}

// load issues, rotates and revokes until the server is gone. What was under way
// then is in doubt, and so is what a storage that is too slow has a 503 for: it is
// not in the ledger. Any other refusal is an error.
func (l *ledger) load(c *caller, worker int, acknowledged *atomic.Int64) error {
	ask := func(status int, path string, body map[string]any) (answer, error) {
		a, err := c.post(path, body)
		if err == nil && a.status != status {
			err = fmt.Errorf("POST %s: status %d, %s", path, a.status, a.Detail)
		}
		if err == nil {
			acknowledged.Add(1)
		}
		return a, err
	}
	for n := 0; ; n++ {
		issued, err := ask(http.StatusCreated, apikeys, map[string]any{"subject": fmt.Sprintf("worker %d", worker)})
		if issued.status == http.StatusServiceUnavailable {
			continue
		}
		if err != nil {
			return err
		}
		text, id := issued.Token, issued.Credential.ID
		if n%3 == 0 {
			l.set(text, id)
			continue
		}
		if n%3 == 1 {
			rotated, err := ask(http.StatusCreated, apikeys+"/"+id+"/rotate", map[string]any{"grace": 3600})
			if rotated.status == http.StatusServiceUnavailable {
				continue
			}
			if err != nil {
				return err
			}
			l.set(text, id)
			l.set(rotated.Token, id)
			continue
		}
		revoked, err := ask(http.StatusOK, apikeys+"/"+id+"/revoke", map[string]any{"reason": "load"})
		if revoked.status == http.StatusServiceUnavailable {
			continue
		}
		if err != nil {
			return err
		}
		l.mu.Lock()
		l.revoked[text] = true
		l.mu.Unlock()
	}
}

func (l *ledger) set(text, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.good[text] = id
}

// Killed under load, the server has lost nothing that it acknowledged.
func TestKillUnderLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := &ledger{good: map[string]string{}, revoked: map[string]bool{}}
	const rounds, workers = 20, 8
	began, changes := time.Now(), int64(0)
	for round := range rounds {
		s := serve(t, dir)
		c := s.caller()
		check(t, c, l)
		var acknowledged atomic.Int64
		var wg sync.WaitGroup
		ended := make(chan error, workers)
		for w := range workers {
			wg.Go(func() { ended <- l.load(c, w, &acknowledged) })
		}
		// Killed after a number of changes, another one in each round, and in the
		// midst of others.
		patience := time.After(time.Minute)
		for want := int64(30 + 17*(round%7)); acknowledged.Load() < want; {
			select {
			case <-patience:
				t.Fatalf("%d changes in a minute\n%s", acknowledged.Load(), s.log)
			case err := <-ended:
				t.Fatalf("before it was killed: %v\n%s", err, s.log)
			case <-time.After(time.Millisecond):
			}
		}
		s.kill()
		wg.Wait()
		changes += acknowledged.Load()
	}
	s := serve(t, dir)
	check(t, s.caller(), l)
	t.Logf("%d kills in %v: %d changes were acknowledged, and the %d live tokens and %d revocations are all there; of the events: %s",
		rounds, time.Since(began).Round(time.Millisecond), changes, len(l.good), len(l.revoked), must(t, dir, "", "audit", "verify"))
	s.stop()
}

// check asks for all that is in the ledger.
func check(t *testing.T, c *caller, l *ledger) {
	t.Helper()
	for text := range l.good {
		if v := c.verdict(t, text); v != "ok" {
			t.Errorf("an acknowledged token is %s", v)
		}
	}
	for text := range l.revoked {
		if v := c.verdict(t, text); v != "revoked" {
			t.Errorf("a token whose revocation was acknowledged is %s", v)
		}
	}
}

// Killed at any moment of its first run, the next start completes it, and there
// is exactly one owner's token in force: the one in the file.
func TestInterruptedFirstRun(t *testing.T) {
	t.Parallel()
	keyfobBinary(t)
	// How long a first run takes here gives the moments.
	began := time.Now()
	s := serve(t, t.TempDir())
	whole := time.Since(began)
	s.kill()
	interrupted := map[string]int{}
	for i := range 12 {
		dir := t.TempDir()
		s, _ := start(t, dir)
		if steps := []string{rootKeyFile, databaseFile, pendingFile, pendingFile, ownerFile}; i < len(steps) {
			awaitFile(t, filepath.Join(dir, steps[i]), filepath.Join(dir, ownerFile))
		} else {
			time.Sleep(whole * time.Duration(i-len(steps)+1) / 8) // the moment is the point
		}
		s.kill()
		interrupted[remains(dir)]++
		finishFirstRun(t, dir)
	}
	t.Logf("first runs of %v, killed, left behind: %v", whole.Round(time.Millisecond), interrupted)
}

// awaitFile returns as soon as one of the files is there.
func awaitFile(t *testing.T, paths ...string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		for _, path := range paths {
			if there, _ := isThere(path); there {
				return
			}
		}
	}
	t.Fatalf("none of %q appears", paths)
}

// The moments that a clock hardly ever meets, made by hand.
func TestFirstRunFromAnyStep(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	s := serve(t, base)
	lost := s.owner()
	s.stop()
	for name, change := range map[string]func(dir string) error{
		"root key only": func(dir string) error {
			for _, f := range []string{databaseFile, ownerFile} {
				if err := os.Remove(filepath.Join(dir, f)); err != nil {
					return err
				}
			}
			return nil
		},
		"key issued, token not written": func(dir string) error {
			return os.Rename(filepath.Join(dir, ownerFile), filepath.Join(dir, pendingFile))
		},
		"pending file cut short": func(dir string) error {
			if err := os.Remove(filepath.Join(dir, ownerFile)); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, pendingFile), []byte(lost[:20]), 0o600)
		},
		"empty database": func(dir string) error {
			if err := os.Remove(filepath.Join(dir, ownerFile)); err != nil {
				return err
			}
			return os.Truncate(filepath.Join(dir, databaseFile), 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
				t.Fatal(err)
			}
			os.Chmod(filepath.Join(dir, rootKeyFile), 0o600) // CopyFS widens modes
			if err := change(dir); err != nil {
				t.Fatal(err)
			}
			finishFirstRun(t, dir)
		})
	}
}

// remains says which files of a first run are there.
func remains(dir string) string {
	var names []string
	for _, name := range []string{rootKeyFile, databaseFile, pendingFile, ownerFile} {
		if there, _ := isThere(filepath.Join(dir, name)); there {
			names = append(names, name)
		}
	}
	return strings.Join(names, "+")
}

// finishFirstRun starts a server on what an interrupted one has left, and counts
// the owners.
func finishFirstRun(t *testing.T, dir string) {
	t.Helper()
	s := serve(t, dir)
	defer s.stop()
	if got := remains(dir); got != "root.key+keyfob.db+owner.token" {
		t.Errorf("after the second start there are %s", got)
	}
	if info, err := os.Stat(filepath.Join(dir, ownerFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("owner.token: %v, %v", info.Mode(), err)
	}
	if r := command(t, dir, s.owner()+"\n", "apikey", "verify", "--space", "keyfob", "--scope", "owner"); r.code != 0 {
		t.Errorf("the owner's token: exit code %d, %s%s", r.code, r.stdout, r.stderr)
	}
	if active := owners(t, dir); len(active) != 1 {
		t.Errorf("%d owners: %v", len(active), active)
	}
}

// owners asks a server that runs for the ids of the keys that may do everything
// and are in force.
func owners(t *testing.T, dir string) (active []string) {
	t.Helper()
	for line := range strings.Lines(must(t, dir, "", "apikey", "list", "--space", "keyfob", "--json")) {
		var key struct {
			ID, State string
			Scopes    []string
		}
		unmarshal(t, line, &key)
		if key.State == "active" && slices.Contains(key.Scopes, "owner") {
			active = append(active, key.ID)
		}
	}
	return active
}

// A server that was killed has no say: the next one takes the directory.
func TestSecondServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := serve(t, dir)
	second, address := start(t, dir)
	if got := <-address; got != "" {
		t.Fatalf("a second server listens at %s", got)
	}
	<-second.done
	if code := second.cmd.ProcessState.ExitCode(); code != exitNo {
		t.Errorf("the second: exit code %d, %s", code, second.log)
	}
	if v := first.caller().verdict(t, "x"); v != "malformed" {
		t.Errorf("the first: %s", v)
	}
	first.kill()
	third := serve(t, dir)
	if slices.Contains([]string{first.addr, ""}, third.addr) {
		t.Errorf("listens at %q", third.addr)
	}
	third.stop()
}
