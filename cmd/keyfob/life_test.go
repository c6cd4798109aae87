package main

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/token"
)

const (
	apikeys  = "/v1/spaces/default/apikeys"
	sessions = "/v1/spaces/default/sessions"
	verify   = "/v1/spaces/default/verify"
)

// The whole life of an API key through the real binary: over HTTP, and with the
// command beside it.
func TestLife(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := serve(t, dir)
	c := s.caller()

	issued := c.mustPost(t, http.StatusCreated, apikeys, map[string]any{"subject": "alice", "scopes": []string{"read"}})
	first, id := issued.Token, issued.Credential.ID
	if v := c.verdict(t, first); v != "ok" {
		t.Fatalf("issued, and %s", v)
	}
	if got := must(t, dir, first+"\n", "apikey", "verify", "--scope", "read"); got != "ok "+id+" alice" {
		t.Errorf("the command says %q", got)
	}

	second := must(t, dir, "", "apikey", "rotate", id, "--grace", "1h")
	for _, live := range []string{first, second} {
		if v := c.verdict(t, live); v != "ok" {
			t.Errorf("in the grace: %s", v)
		}
	}
	// A second rotation waits, or ends both.
	if a := c.mustPost(t, http.StatusConflict, apikeys+"/"+id+"/rotate", map[string]any{"grace": 3600}); !strings.Contains(a.Detail, "grace") {
		t.Errorf("rotated in the grace: %s", a.Detail)
	}
	third := c.mustPost(t, http.StatusCreated, apikeys+"/"+id+"/rotate", map[string]any{"grace": 0}).Token
	for text, want := range map[string]string{first: "replaced", second: "replaced", third: "ok"} {
		if v := c.verdict(t, text); v != want {
			t.Errorf("after a rotation without grace: %s, want %s", v, want)
		}
	}

	must(t, dir, "", "apikey", "revoke", id, "--reason", "laptop stolen")
	if v := c.verdict(t, third); v != "revoked" {
		t.Errorf("revoked, and %s", v)
	}
	if r := command(t, dir, third, "apikey", "verify"); r.code != exitNo || r.stdout != "revoked\n" {
		t.Errorf("the command: exit code %d, %q", r.code, r.stdout)
	}
	s.stop()

	// What was is still so after a new start.
	s = serve(t, dir)
	c = s.caller()
	if v := c.verdict(t, third); v != "revoked" {
		t.Errorf("after a new start: %s", v)
	}
	s.stop()
}

// A token is good in one spelling, and in its own space.
func TestForeignTokens(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := serve(t, dir)
	c := s.caller()
	must(t, dir, "", "space", "create", "acme", "--prefix", "acme")
	other := must(t, dir, "", "apikey", "issue", "--space", "acme", "--subject", "alice")
	own := must(t, dir, "", "apikey", "issue", "--subject", "alice")
	k, err := token.Parse(own)
	if err != nil {
		t.Fatal(err)
	}
	for what, c2 := range map[string]struct{ text, want string }{
		"another space's":    {other, "unknown"},
		"a rewritten prefix": {withChecksum("acme_" + k.ID() + k.Secret()), "unknown"},
		"another secret":     {withChecksum("default_" + k.ID() + token.Recipe{Format: token.FormatBase62}.New()), "unknown"},
		"a wrong checksum":   {mistype(own), "malformed"},
		"the owner's":        {c.token, "unknown"},
		"its own":            {own, "ok"},
	} {
		if got := c.verdict(t, c2.text); got != c2.want {
			t.Errorf("%s token: %s, want %s", what, got, c2.want)
		}
	}
}

// withChecksum completes the text of a keyed token. It finds the checksum as
// anybody can: by its definition.
func withChecksum(body string) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	crc := ^uint32(0)
	for _, b := range []byte(body) {
		crc ^= uint32(b)
		for range 8 {
			crc = crc>>1 ^ 0xEDB88320&-(crc&1)
		}
	}
	crc = ^crc
	sum := []byte("000000")
	for i := 5; i >= 0; i-- {
		sum[i] = alphabet[crc%62]
		crc /= 62
	}
	return body + string(sum)
}

// Rotation never extends a life, and the version before ends no later than it.
func TestExpiry(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := serve(t, dir)
	c := s.caller()
	old := must(t, dir, "", "apikey", "issue", "--subject", "alice", "--expires", "2s")
	k, _ := token.Parse(old)
	r := command(t, dir, "", "apikey", "rotate", k.ID(), "--grace", "1h", "--json")
	if r.code != 0 {
		t.Fatal(r.stderr)
	}
	var texts struct{ Token string }
	var issued struct {
		Token      string
		Credential struct {
			ExpiresAt string `json:"expires_at"`
			Versions  []struct {
				EndsAt string `json:"ends_at"`
			}
		}
	}
	unmarshal(t, r.stdout, &texts)
	unmarshal(t, r.stdout, &issued)
	if v := issued.Credential.Versions; len(v) != 2 || v[0].EndsAt != "" || v[1].EndsAt != issued.Credential.ExpiresAt {
		t.Errorf("with a grace beyond the expiry %s the versions end at %+v", issued.Credential.ExpiresAt, v)
	}
	for _, text := range []string{old, texts.Token} {
		for c.verdict(t, text) == "ok" {
			time.Sleep(5 * time.Millisecond)
		}
		if v := c.verdict(t, text); v != "expired" {
			t.Errorf("at the end: %s", v)
		}
	}
}

// Of 64 rotations at once one succeeds, over HTTP.
func TestConcurrentRotations(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir())
	c := s.caller()
	for round := range 4 {
		issued := c.mustPost(t, http.StatusCreated, apikeys, map[string]any{"subject": "alice"})
		answers := make([]answer, 64)
		var wg sync.WaitGroup
		begin := make(chan struct{})
		for i := range answers {
			wg.Go(func() {
				<-begin
				var err error
				if answers[i], err = c.post(apikeys+"/"+issued.Credential.ID+"/rotate", map[string]any{"grace": 3600}); err != nil {
					t.Error(err)
				}
			})
		}
		close(begin)
		wg.Wait()
		var successors []string
		for _, a := range answers {
			switch a.status {
			case http.StatusCreated:
				successors = append(successors, a.Token)
			case http.StatusConflict:
			default:
				t.Errorf("a rotation is answered with %d %s", a.status, a.Detail)
			}
		}
		if len(successors) != 1 {
			t.Fatalf("round %d: %d successors", round, len(successors))
		}
		for _, text := range []string{issued.Token, successors[0]} {
			if v := c.verdict(t, text); v != "ok" {
				t.Errorf("round %d: %s", round, v)
			}
		}
	}
}
