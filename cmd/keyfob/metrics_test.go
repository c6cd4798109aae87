package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// Prometheus reads the figures with a token from a file, and so does whoever may
// open the socket; nobody else does. They hold no secret, and tell of nobody.
func TestMetrics(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := serve(t, dir)
	c := s.caller()
	key := must(t, dir, "", "apikey", "issue", "--subject", "alice", "--name", "laptop")
	scraper := must(t, dir, "", "apikey", "issue", "--space", "keyfob", "--subject", "prometheus", "--scope", "metrics")
	verifier := must(t, dir, "", "apikey", "issue", "--space", "keyfob", "--subject", "billing", "--scope", "default:verify")
	for _, text := range []string{key, key, "x", mistype(key)} {
		c.verdict(t, text)
	}
	local := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, socketFile))
	}}}
	for _, who := range []struct {
		name, token string
		client      *http.Client
		status      int
	}{
		{"prometheus", scraper, c.http, 200}, {"the owner", c.token, c.http, 200}, {"the socket", "", local, 200},
		{"nobody", "", c.http, 401}, {"somebody's key", key, c.http, 401}, {"another caller", verifier, c.http, 403},
	} {
		r, err := http.NewRequest(http.MethodGet, "http://"+s.addr+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		if who.token != "" {
			r.Header.Set("Authorization", "Bearer "+who.token)
		}
		resp, err := who.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != who.status {
			t.Errorf("%s: %v, %v", who.name, resp.Status, err)
		}
		if who.status == 200 {
			checkFigures(t, string(text), key, scraper, verifier, c.token)
		}
	}
	s.stop()
}

func checkFigures(t *testing.T, text string, secrets ...string) {
	t.Helper()
	for _, line := range []string{"\nkeyfob_verifications_total{reason=\"ok\"} 2\n", "\nkeyfob_verifications_total{reason=\"malformed\"} 2\n", "\nprocess_open_fds ", "\n# TYPE keyfob_http_request_duration_seconds histogram\n"} {
		if !strings.Contains(text, line) {
			t.Errorf("there is no %q in\n%.2000s", line, text)
		}
	}
	for _, word := range []string{"alice", "laptop", "billing", "prometheus", "default", "PRIVATE"} {
		if strings.Contains(text, word) {
			t.Errorf("/metrics has %s", word)
		}
	}
	for _, secret := range secrets {
		for _, form := range canaries(secret) {
			if strings.Contains(text, form) {
				t.Error("/metrics has a secret")
			}
		}
	}
}
