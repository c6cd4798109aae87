package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// First runs at once, of servers and of init, make one owner, and all others are
// told.
func TestFirstRunsAtOnce(t *testing.T) {
	t.Parallel()
	keyfobBinary(t)
	won := map[string]int{}
	rounds := 0
	for _, c := range []struct{ servers, inits int }{{2, 0}, {3, 0}, {0, 2}, {0, 3}, {1, 1}, {1, 2}, {2, 2}} {
		for range 4 {
			won[firstRunsAtOnce(t, c.servers, c.inits)]++
			rounds++
		}
	}
	t.Logf("%d rounds of first runs at once, one owner in each; made by %v", rounds, won)
}

// firstRunsAtOnce starts servers and inits on one directory, and says which of the
// two made it.
func firstRunsAtOnce(t *testing.T, servers, inits int) (by string) {
	t.Helper()
	dir := t.TempDir()
	var started []*running
	var addresses []<-chan string
	results := make([]result, inits)
	var wg sync.WaitGroup
	for i := range inits {
		wg.Go(func() { results[i] = command(t, dir, "", "init") })
	}
	for range servers {
		s, address := start(t, dir)
		started, addresses = append(started, s), append(addresses, address)
	}
	wg.Wait()
	var makers []string
	for _, r := range results {
		switch {
		case r.code == 0 && strings.Contains(r.stderr, "there are now"):
			makers = append(makers, "init")
		case r.code != exitNo || strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, "already"):
			t.Errorf("an init: exit code %d, %s", r.code, r.stderr)
		}
	}
	var up []*running
	for i, s := range started {
		if s.addr = <-addresses[i]; s.addr != "" {
			up = append(up, s)
			if strings.Contains(s.log.String(), "This is the first run") {
				makers = append(makers, "serve")
			}
			continue
		}
		<-s.done
		if code := s.cmd.ProcessState.ExitCode(); code != exitNo || strings.Count(s.log.String(), "\n") != 1 || !strings.Contains(s.log.String(), "already; stop it") {
			t.Errorf("a server that was not the first: exit code %d, %s", code, s.log)
		}
	}
	if len(makers) != 1 || len(up) > 1 || inits == 0 && len(up) != 1 {
		t.Fatalf("of %d servers and %d inits, %d run, and made it: %v", servers, inits, len(up), makers)
	}
	if len(up) == 0 {
		up = append(up, serve(t, dir))
	}
	if active := owners(t, dir); len(active) != 1 {
		t.Errorf("owners: %v", active)
	}
	if r := command(t, dir, up[0].owner()+"\n", "apikey", "verify", "--space", "keyfob", "--scope", "owner"); r.code != 0 {
		t.Errorf("the owner's token: exit code %d, %s%s", r.code, r.stdout, r.stderr)
	}
	up[0].stop()
	return makers[0]
}

// Killed at any moment, owner reset has done nothing, or the next start or the next
// reset ends it: every token of an owner from before is out, and there is one that
// is good, in owner.token.
func TestInterruptedOwnerReset(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	s := serve(t, base)
	old := []string{s.owner()}
	for range 12 {
		old = append(old, must(t, base, "", "apikey", "issue", "--space", "keyfob", "--subject", "deputy", "--scope", "owner"))
	}
	s.stop()
	dir := copyData(t, base)
	began := time.Now()
	must(t, dir, "", "owner", "reset")
	whole := time.Since(began)
	left := map[string]int{}
	const kills = 16
	for i := range kills {
		dir := copyData(t, base)
		cmd := exec.Command(keyfobBinary(t), "owner", "reset", "--data", dir)
		cmd.Env = environment()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan bool)
		go func() { cmd.Wait(); close(ended) }()
		await := func(there bool) {
			for {
				if is, _ := isThere(filepath.Join(dir, pendingFile)); is == there {
					return
				}
				select {
				case <-ended:
					return
				default:
				}
			}
		}
		switch step := i / 2; {
		case i%2 == 1: // wherever it is by then
			time.Sleep(whole * time.Duration(1+step) / 9) // the moment is the point
		case step == 7:
			await(true)
			await(false)
		default:
			await(true)
			time.Sleep(whole * time.Duration(step) / 16)
		}
		cmd.Process.Kill()
		<-ended
		left[remains(dir)]++
		mendReset(t, dir, old, i%4 >= 2)
	}
	t.Logf("resets of %v, killed %d times, left behind: %v", whole.Round(time.Millisecond), kills, left)
}

// mendReset starts a server on what an interrupted reset has left, after another
// reset if that shall mend it, and asks about all tokens.
func mendReset(t *testing.T, dir string, old []string, byReset bool) {
	t.Helper()
	nothing := remains(dir) == "root.key+keyfob.db+owner.token"
	if text, _ := os.ReadFile(filepath.Join(dir, ownerFile)); strings.TrimSpace(string(text)) != old[0] {
		nothing = false // it was done to the end
	}
	if byReset {
		must(t, dir, "", "owner", "reset")
		nothing = false
	}
	s := serve(t, dir)
	defer s.stop()
	if got := remains(dir); got != "root.key+keyfob.db+owner.token" {
		t.Errorf("there are %s", got)
	}
	want, verdict := 1, "revoked"
	if nothing {
		want, verdict = len(old), "ok"
	}
	if active := owners(t, dir); len(active) != want {
		t.Errorf("%d owners, want %d\n%s", len(active), want, s.log)
	}
	c := s.caller()
	for _, text := range old {
		if v := c.mustPost(t, 200, "/v1/spaces/keyfob/verify", map[string]any{"token": text}); v.Reason != verdict {
			t.Errorf("an owner's token from before is %s, want %s", v.Reason, verdict)
		}
	}
}

// copyData copies a data directory of a server that was stopped.
func copyData(t *testing.T, from string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{rootKeyFile, databaseFile, ownerFile} {
		if err := os.Chmod(filepath.Join(dir, name), 0o600); err != nil { // CopyFS widens modes
			t.Fatal(err)
		}
	}
	return dir
}

// The event of a reset names the user of this machine.
func TestOwnerResetActor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, dir, "", "init")
	must(t, dir, "", "owner", "reset")
	text, err := os.ReadFile(filepath.Join(dir, databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	if actor := "local:" + itoa(int64(os.Getuid())); !strings.Contains(string(text), actor) {
		t.Errorf("no event names %s", actor)
	}
}
