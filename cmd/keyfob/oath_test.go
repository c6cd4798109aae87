package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/internal/needs"
)

// seedIn makes a seed file.
func seedIn(t *testing.T, dir string, args ...string) (path, seed string) {
	t.Helper()
	seed = must(t, dir, "", append([]string{"oath", "seed"}, args...)...)
	path = filepath.Join(dir, "seed")
	if err := os.WriteFile(path, []byte(seed+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, seed
}

// oathtool runs oathtool with a seed on its stdin.
func oathtool(t *testing.T, seed string, args ...string) result {
	t.Helper()
	cmd := exec.Command(needs.Binary(t, "oathtool", "oathtool"), append(args, "--base32", "-")...)
	cmd.Stdin = strings.NewReader(seed + "\n")
	return finish(t, cmd)
}

func toolTime(at int64) string {
	return "--now=" + time.Unix(at, 0).UTC().Format("2006-01-02 15:04:05 UTC")
}

// The command and oathtool compute the same codes of the same seeds, and each
// accepts the other's.
func TestOathtool(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i, algorithm := range []string{"sha1", "sha256", "sha512"} {
		digits, period := fmt.Sprint(6+i), []string{"30", "60", "17"}[i]
		path, seed := seedIn(t, dir, "--bytes", fmt.Sprint(20+12*i))
		at := int64(1_700_000_000 + 1000*i)
		flags := []string{"--seed-file", path, "--at", fmt.Sprint(at), "--digits", digits, "--algorithm", algorithm, "--period", period}
		theirs := []string{"--totp=" + algorithm, "--digits=" + digits, "--time-step-size=" + period + "s", toolTime(at)}

		r := oathtool(t, seed, theirs...)
		code := must(t, dir, "", append([]string{"oath", "totp"}, flags...)...)
		if r.code != 0 || r.stdout != code+"\n" {
			t.Errorf("%s: oathtool prints %q, %q; keyfob %q", algorithm, r.stdout, r.stderr, code)
		}
		step := must(t, dir, r.stdout, append([]string{"oath", "verify", "--last", "never"}, flags...)...)
		var p int64
		fmt.Sscan(period, &p)
		if now := at / p; step != fmt.Sprint(now) && step != fmt.Sprint(now+1) { // the later one, if both have this code
			t.Errorf("%s: oathtool's code is matched with step %s; want %d", algorithm, step, now)
		}
		cmd := exec.Command(needs.Binary(t, "oathtool", "oathtool"), append(theirs, "--base32", "-", code)...)
		cmd.Stdin = strings.NewReader(seed + "\n")
		if r := finish(t, cmd); r.code != 0 {
			t.Errorf("%s: oathtool does not accept %s: %s", algorithm, code, r.stderr)
		}
	}
	path, seed := seedIn(t, dir)
	r := oathtool(t, seed, "--hotp", "--counter=41", "--window=9", "--digits=8")
	codes := must(t, dir, "", "oath", "hotp", "--seed-file", path, "--counter", "41", "-n", "10", "--digits", "8")
	if r.stdout != codes+"\n" {
		t.Errorf("oathtool prints %q; keyfob %q", r.stdout, codes)
	}
	last, _, _ := strings.Cut(codes, "\n")
	if got := must(t, dir, last, "oath", "verify", "--type", "hotp", "--seed-file", path, "--last", "40", "--digits", "8"); got != "41" {
		t.Errorf("matched counter %s", got)
	}
}

// Without --at a code is that of the present time.
func TestPresentCode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, _ := seedIn(t, dir)
	var shown struct{ Step int64 }
	before := time.Now().Unix() // in steps of a second
	unmarshal(t, must(t, dir, "", "oath", "totp", "--seed-file", path, "--period", "1", "--json"), &shown)
	if after := time.Now().Unix(); shown.Step < before || shown.Step > after {
		t.Errorf("between %d and %d the step is %d", before, after, shown.Step)
	}
}
