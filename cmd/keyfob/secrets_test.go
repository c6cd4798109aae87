package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/token"
)

func unmarshal(t testing.TB, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

// canaries are the forms in which a secret might be found.
func canaries(secret string) []string {
	forms := []string{secret}
	if k, err := token.Parse(secret); err == nil {
		forms = append(forms, k.Secret())
	} else if key, ok := strings.CutPrefix(secret, "keyfob-root-1:"); ok {
		raw, err := base64.StdEncoding.DecodeString(key)
		if err != nil || len(raw) != 32 {
			panic("no root key")
		}
		forms = append(forms, key, string(raw))
	} else {
		panic("no secret")
	}
	for _, form := range forms {
		forms = append(forms,
			strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(form)), "="),
			strings.TrimRight(base64.URLEncoding.EncodeToString([]byte(form)), "="),
			hex.EncodeToString([]byte(form)),
			strings.ToUpper(hex.EncodeToString([]byte(form))))
	}
	return forms
}

// No secret that was ever made is in the database, its log or what the server
// and the commands print, in any form.
func TestSecretsAreNowhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := serve(t, dir)
	rootKey, err := os.ReadFile(filepath.Join(dir, rootKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	h := &hunt{dir: dir, places: map[string]func() string{"the log": s.log.String}}
	h.secrets = []string{strings.TrimSuffix(string(rootKey), "\n"), s.owner()}
	h.live(t)
	h.misplace(s.caller())
	h.look(t, "running")

	// The search finds what is there: a public id.
	k, _ := token.Parse(h.secrets[2])
	wal, err := os.ReadFile(filepath.Join(dir, databaseFile+"-wal"))
	if err != nil || !bytes.Contains(wal, []byte(k.ID())) {
		t.Errorf("the id of a token is not in the database's log, where it belongs: %v", err)
	}
	s.kill()
	h.look(t, "killed")
	s = serve(t, dir)
	s.stop()
	h.look(t, "ended")
}

// hunt looks for secrets in the places of a data directory and in others.
type hunt struct {
	dir     string
	secrets []string
	places  map[string]func() string
}

// live issues and rotates keys, issues and renews sessions, and keeps what the
// commands say about it.
func (h *hunt) live(t *testing.T) {
	t.Helper()
	var printed strings.Builder
	for i := range 20 {
		r := command(t, h.dir, "", "apikey", "issue", "--subject", fmt.Sprint("subject ", i), "--attribute", "n="+strconv.Itoa(i))
		text := strings.TrimSuffix(r.stdout, "\n")
		k, err := token.Parse(text)
		if err != nil {
			t.Fatalf("exit code %d: %s", r.code, r.stderr)
		}
		rotated := command(t, h.dir, "", "apikey", "rotate", k.ID(), "--grace", "1h")
		h.secrets = append(h.secrets, text, strings.TrimSuffix(rotated.stdout, "\n"))
		bad := command(t, h.dir, mistype(text)+"\n", "apikey", "verify", "--json")
		refused := command(t, h.dir, "", "apikey", "show", text)
		printed.WriteString(r.stderr + rotated.stderr + bad.stdout + bad.stderr + refused.stdout + refused.stderr)
		printed.WriteString(h.liveSession(t, fmt.Sprint("subject ", i)))
	}
	h.places["stderr of commands"] = printed.String
}

// liveSession is live for a session of a subject. It returns what the commands say.
func (h *hunt) liveSession(t *testing.T, subject string) string {
	t.Helper()
	issued := command(t, h.dir, "", "session", "issue", "--subject", subject)
	k, err := token.Parse(strings.TrimSuffix(issued.stdout, "\n"))
	if err != nil {
		t.Fatalf("exit code %d: %s", issued.code, issued.stderr)
	}
	used := command(t, h.dir, issued.stdout, "session", "verify", "--json")
	renewed := command(t, h.dir, "", "session", "renew", k.ID())
	h.secrets = append(h.secrets, strings.TrimSuffix(issued.stdout, "\n"), strings.TrimSuffix(renewed.stdout, "\n"))
	old := command(t, h.dir, issued.stdout, "session", "verify")
	listed := command(t, h.dir, "", "session", "list", "--subject", subject)
	ended := command(t, h.dir, "", "subject", "revoke", "--subject", subject, "--kind", "session")
	said := issued.stderr + renewed.stderr
	for _, r := range []result{used, old, listed, ended} {
		said += r.stdout + r.stderr
	}
	return said
}

// misplace sends secrets where they do not belong.
func (h *hunt) misplace(c *caller) {
	for _, text := range h.secrets[1:] {
		for _, presented := range []string{text, mistype(text)} {
			c.post(verify, map[string]any{"token": presented, "kind": "apikey"})
			c.post(verify, map[string]any{"token": presented, "kind": presented})
			c.post(verify, map[string]any{"token": presented, "kind": "session"})
			c.post(sessions, map[string]any{"subject": "alice", "from": presented})
			c.post(sessions+"/"+presented+"/renew", map[string]any{})
			c.post(apikeys+"/"+presented+"/revoke", map[string]any{})
			c.post("/v1/spaces/"+presented+"/verify?token="+presented, map[string]any{"tokn": presented})
			stranger := &caller{addr: c.addr, token: presented, http: c.http}
			stranger.post(verify, map[string]any{"token": text})
			stranger.post(apikeys+"/search", map[string]any{"after": presented})
		}
	}
}

func (h *hunt) look(t *testing.T, when string) {
	t.Helper()
	entries, err := os.ReadDir(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), databaseFile) {
			text, err := os.ReadFile(filepath.Join(h.dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			h.places[e.Name()] = func() string { return string(text) }
		}
	}
	size := 0
	for place, read := range h.places {
		text := read()
		size += len(text)
		for _, secret := range h.secrets {
			for _, form := range canaries(secret) {
				if strings.Contains(text, form) {
					t.Errorf("%s: a secret is in %s", when, place)
				}
			}
		}
	}
	t.Logf("%s: %d secrets in all their forms are not in %d bytes of %d places", when, len(h.secrets), size, len(h.places))
}

// A root key in a variable is read and taken out of the environment.
func TestTakeEnv(t *testing.T) {
	t.Setenv("KEYFOB_ROOT_KEY", "x")
	if got := takeEnv("KEYFOB_ROOT_KEY"); got != "x" {
		t.Errorf("read %q", got)
	}
	if _, there := os.LookupEnv("KEYFOB_ROOT_KEY"); there {
		t.Error("KEYFOB_ROOT_KEY is still in the environment")
	}
}
