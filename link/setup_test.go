package link_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/keyfobtest"
	"github.com/keyfob-dev/keyfob/link"
)

// accounts are those of the application, by what is typed.
var accounts = map[string]link.Account{
	"alice@example.com": {Subject: "alice", Address: "alice@example.com"},
	"bob@example.com":   {Subject: "bob", Address: "bob@example.com"},
}

// An app is an application with a flow, served over TLS.
type app struct {
	t      *testing.T
	a      *keyfob.Authority
	clock  *keyfobtest.Clock
	flow   *link.Flow
	server *httptest.Server
	mails  chan link.Message
	failed chan error

	mu   sync.Mutex
	done []keyfob.Credential
}

// newApp starts one with the config as change leaves it.
func newApp(t *testing.T, change func(*link.Config)) *app {
	t.Helper()
	p := &app{t: t, mails: make(chan link.Message, 100), failed: make(chan error, 100)}
	p.a, p.clock = keyfobtest.New(t)
	config := link.Config{
		Verbs: p.a, Purpose: "login", Base: "https://app.example/in",
		Find: func(_ context.Context, typed string) (link.Account, error) {
			return accounts[strings.ToLower(typed)], nil
		},
		Mail: func(_ context.Context, m link.Message) error {
			p.mails <- m
			return nil
		},
		Done: func(w http.ResponseWriter, _ *http.Request, c keyfob.Credential) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.done = append(p.done, c)
			fmt.Fprintf(w, "hello %s", c.Subject)
		},
		Failed: func(err error) { p.failed <- err },
	}
	if change != nil {
		change(&config)
	}
	var err error
	if p.flow, err = link.New(config); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/forgot", p.flow.Request())
	mux.Handle("GET /in", p.flow.Confirm())
	mux.Handle("POST /in", p.flow.Redeem())
	p.server = httptest.NewTLSServer(mux)
	t.Cleanup(func() {
		p.server.Close()
		p.flow.Close(context.Background())
	})
	return p
}

// A browser has cookies.
type browser struct {
	app    *app
	client *http.Client
}

func (p *app) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	client := *p.server.Client()
	client.Jar = jar
	return &browser{p, &client}
}

// An answer is one that was read.
type answer struct {
	status int
	header http.Header
	body   string
}

func (b *browser) do(r *http.Request) answer {
	b.app.t.Helper()
	resp, err := b.client.Do(r)
	if err != nil {
		b.app.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.app.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

func (b *browser) request(method, path string, form url.Values) *http.Request {
	r, err := http.NewRequestWithContext(b.app.t.Context(), method, b.app.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.app.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

func (b *browser) get(path string) answer { return b.do(b.request("GET", path, nil)) }
func (b *browser) post(path string, form url.Values) answer {
	return b.do(b.request("POST", path, form))
}

// ask asks for a link, and returns the mail.
func (b *browser) ask(address string) link.Message {
	b.app.t.Helper()
	if got := b.post("/forgot", url.Values{"email": {address}}); got.status != http.StatusAccepted {
		b.app.t.Fatalf("asked for a link: %d %s", got.status, got.body)
	}
	return <-b.app.mails
}

// tokenOf is the token of a link, and pathOf what a browser asks its host for.
func tokenOf(m link.Message) string {
	_, text, _ := strings.Cut(m.URL.Reveal(), "?token=")
	return text
}

func pathOf(m link.Message) string { return "/in?token=" + tokenOf(m) }

func (b *browser) redeem(m link.Message) answer {
	return b.post("/in", url.Values{"token": {tokenOf(m)}})
}

func (p *app) signedIn() []keyfob.Credential {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done
}
