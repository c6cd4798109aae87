package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/client"
	"github.com/keyfob-dev/keyfob/server"
	"github.com/keyfob-dev/keyfob/store/memory"
	"github.com/keyfob-dev/keyfob/token"
)

// TestConfig: what is wrong is said, and nothing of a URL or a token repeated.
func TestConfig(t *testing.T) {
	good := keyfob.NewSecret(token.New("keyfob").Reveal())
	for _, c := range []struct {
		field  string // "": it is right
		config client.Config
	}{
		{"", client.Config{URL: "https://keyfob.example.com/base/", Token: good}},
		{"", client.Config{URL: "http://127.0.0.1:7420", Token: good}},
		{"", client.Config{URL: "http://[::1]:7420", Token: good}},
		{"", client.Config{URL: "http://localhost", Token: good}},
		{"", client.Config{URL: "http://keyfob.example.com", Token: good, PlainHTTP: true}},
		{"", client.Config{URL: "unix:///run/keyfob.sock"}},
		{"", client.Config{URL: "unix:///run/keyfob.sock", Token: good}},
		{"Config.URL", client.Config{Token: good}},
		{"Config.URL", client.Config{URL: "keyfob.example.com", Token: good}},
		{"Config.URL", client.Config{URL: "ftp://keyfob.example.com", Token: good}},
		{"Config.URL", client.Config{URL: "https://", Token: good}},
		{"Config.URL", client.Config{URL: "https://:443", Token: good}},
		{"Config.URL", client.Config{URL: "https://user:hunter2@keyfob.example.com", Token: good}},
		{"Config.URL", client.Config{URL: "https://keyfob.example.com/?hunter2", Token: good}},
		{"Config.URL", client.Config{URL: "https://keyfob.example.com/?", Token: good}},
		{"Config.URL", client.Config{URL: "https://keyfob.example.com/#hunter2", Token: good}},
		{"Config.URL", client.Config{URL: "https://keyfob.example.com/a%2fb", Token: good}},
		{"Config.URL", client.Config{URL: "http://keyfob.example.com", Token: good}},
		{"Config.URL", client.Config{URL: "http://10.0.0.1", Token: good}},
		{"Config.URL", client.Config{URL: "http://localhost.example.com", Token: good}},
		{"Config.URL", client.Config{URL: "http://127.0.0.1.example.com", Token: good}},
		{"Config.URL", client.Config{URL: "unix://keyfob.sock"}},
		{"Config.Token", client.Config{URL: "http://127.0.0.1"}},
		{"Config.Token", client.Config{URL: "http://127.0.0.1", Token: keyfob.NewSecret("hunter2")}},
		{"Config.Token", client.Config{URL: "http://127.0.0.1", Token: good, TokenFile: "x"}},
		{"Config.TokenFile", client.Config{URL: "http://127.0.0.1", TokenFile: "nowhere"}},
		{"Config.Space", client.Config{URL: "http://127.0.0.1", Token: good, Space: "No/Such"}},
		{"Config.Timeout", client.Config{URL: "http://127.0.0.1", Token: good, Timeout: -1}},
		{"Config.MaxStaleness", client.Config{URL: "http://127.0.0.1", Token: good, MaxStaleness: time.Hour}},
		{"Config.MaxStaleness", client.Config{URL: "http://127.0.0.1", Token: good, MaxStaleness: -1}},
		{"Config.CacheSize", client.Config{URL: "http://127.0.0.1", Token: good, CacheSize: -1}},
		{"Config.Transport", client.Config{URL: "unix:///run/keyfob.sock", Transport: http.DefaultTransport}},
	} {
		_, err := client.New(c.config)
		input, ok := errors.AsType[*keyfob.InputError](err)
		if c.field == "" && err != nil || c.field != "" && (!ok || input.Field != c.field) {
			t.Errorf("%s: got %v, want %q", c.config.URL, err, c.field)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("it repeats a secret: %v", err)
		}
	}
}

// TestNoRedirect: a token does not follow where the server, or what took its
// place, wants to send it.
func TestNoRedirect(t *testing.T) {
	e := newEnv(t, memory.Open())
	for _, status := range []int{301, 302, 303, 307, 308} {
		asked := 0
		elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
		ts := httptest.NewServer(http.RedirectHandler(elsewhere.URL, status))
		c := e.client(client.Config{URL: ts.URL})
		for _, do := range []func() error{
			func() error { _, err := c.Get(e.Context(), "0000000000000000"); return err },
			func() error {
				_, err := c.Verify(e.Context(), e.owner.Secret.Reveal(), keyfob.Check{})
				return err
			},
		} {
			if err := do(); !errors.Is(err, client.ErrServer) || !strings.Contains(err.Error(), "elsewhere") {
				t.Errorf("%d: %v", status, err)
			}
		}
		elsewhere.Close()
		ts.Close()
		if asked != 0 {
			t.Errorf("%d: it was followed", status)
		}
	}
}

// TestStaysOnThisMachine: localhost that leads elsewhere is not connected to.
func TestStaysOnThisMachine(t *testing.T) {
	for address, ok := range map[string]bool{"127.0.0.1:80": true, "[::1]:80": true, "192.0.2.1:80": false, "[2001:db8::1]:80": false, "x": false} {
		if err := client.OnlyLoopback(address); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestUnixSocket(t *testing.T) {
	e := newEnv(t, memory.Open())
	dir, err := os.MkdirTemp("", "kf") // t.TempDir's names can be too long for a socket
	e.must(err)
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	e.must(err)
	s, err := server.New(server.Config{Authority: e.a, Logger: slog.New(slog.DiscardHandler)})
	e.must(err)
	ctx, cancel := context.WithCancel(e.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, server.Local(l)) }()
	defer func() {
		cancel()
		e.must(<-ended)
	}()
	c, err := client.New(client.Config{URL: "unix://" + path})
	e.must(err)
	k, err := c.Issue(e.Context(), keyfob.APIKey{Subject: "alice"})
	e.must(err)
	if _, err := c.Verify(e.Context(), k.Secret.Reveal(), keyfob.Check{}); err != nil {
		t.Error(err)
	}
	c, err = client.New(client.Config{URL: "unix://" + path, Token: e.callerKey("default:read").Secret})
	e.must(err)
	if _, err := c.Issue(e.Context(), keyfob.APIKey{Subject: "alice"}); !errors.Is(err, client.ErrForbidden) {
		t.Errorf("with a token it is that token's caller: %v", err)
	}
}

// TestTokenFile: a token that was replaced in its file is taken up.
func TestTokenFile(t *testing.T) {
	e := newEnv(t, memory.Open())
	path := filepath.Join(t.TempDir(), "token")
	write := func(text string) {
		e.must(os.WriteFile(path, []byte(text), 0o600))
	}
	for _, text := range []string{"", "hunter2\n", e.owner.Secret.Reveal() + "\n\n", " " + e.owner.Secret.Reveal(), strings.Repeat("x", 10_000)} {
		write(text)
		if _, err := client.New(client.Config{URL: e.url, TokenFile: path}); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	own := e.callerKey("owner")
	write(own.Secret.Reveal() + "\n")
	c := e.client(client.Config{TokenFile: path})
	next, err := e.a.In(keyfob.OwnSpace).Rotate(e.Context(), own.Credential.ID, 0)
	e.must(err)
	ask := func(want error, requests int64) {
		e.Helper()
		before := e.asked.Load()
		if _, err := c.Spaces().Get(e.Context(), "default"); !errors.Is(err, want) || e.asked.Load()-before != requests {
			e.Errorf("got %v in %d requests, want %v in %d", err, e.asked.Load()-before, want, requests)
		}
	}
	ask(client.ErrUnauthenticated, 1)
	write("hunter2\n")
	ask(client.ErrUnauthenticated, 1)
	write(next.Secret.Reveal() + "\n")
	ask(nil, 2)
	ask(nil, 1)

	n := 0
	c = e.client(client.Config{TokenFile: path, Transport: answers(func(r *http.Request) (*http.Response, error) {
		n++
		write(token.New("keyfob").Reveal())
		return canned(401, "application/problem+json", problem(kind{"unauthenticated", 401}, "d", ""))(r)
	})})
	if _, err := c.Get(t.Context(), "0000000000000000"); !errors.Is(err, client.ErrUnauthenticated) || n != 2 {
		t.Errorf("a file that changes all the time: %v after %d requests", err, n)
	}
}

// TestPrintsNoToken: whatever prints a Client or its Config.
func TestPrintsNoToken(t *testing.T) {
	secret := token.New("keyfob").Reveal()
	config := client.Config{URL: "https://keyfob.example.com", Token: keyfob.NewSecret(secret), MaxStaleness: time.Second}
	c, err := client.New(config)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, v := range []any{c, *c, struct{ C *client.Client }{c}, []*client.Client{c}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%p"} {
			fmt.Fprintf(&all, verb, v)
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	fmt.Fprintf(&all, "%v %+v %#v", config, config, config)
	slog.New(slog.NewTextHandler(&all, nil)).Info("x", "c", c, "v", *c)
	for _, form := range []string{secret, fmt.Sprintf("%x", secret), secret[len(secret)-49 : len(secret)-6]} {
		if strings.Contains(all.String(), form) {
			t.Errorf("the token is in %s", all.String())
		}
	}
	if !strings.Contains(c.String(), "https://keyfob.example.com") || !strings.Contains(c.In("acme").String(), "acme") {
		t.Errorf("%v, %v", c, c.In("acme"))
	}
}
