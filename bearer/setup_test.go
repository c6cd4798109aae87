package bearer_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/bearer"
	"github.com/keyfob-dev/keyfob/client"
	"github.com/keyfob-dev/keyfob/keyfobtest"
	"github.com/keyfob-dev/keyfob/random"
	"github.com/keyfob-dev/keyfob/server"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
	"github.com/keyfob-dev/keyfob/store/sqlite"
)

// env is a program with an API that is guarded, on a real port.
type env struct {
	*testing.T
	a     *keyfob.Authority
	verbs keyfob.Verbs // that guard it
	clock *keyfobtest.Clock
	url   string

	mu     sync.Mutex
	logged []error
	let    []keyfob.Credential // through
}

// each runs a test with an Authority in the process, and through a client of a
// server, on both kinds of store.
func each(t *testing.T, config bearer.Config, test func(e *env)) {
	for name, open := range map[string]func() (store.Store, error){
		"memory": func() (store.Store, error) { return memory.Open(), nil },
		"sqlite": func() (store.Store, error) { return sqlite.Open(filepath.Join(t.TempDir(), "keyfob.db")) },
	} {
		for _, remote := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, remote %v", name, remote), func(t *testing.T) {
				st, err := open()
				if err != nil {
					t.Fatal(err)
				}
				test(newEnv(t, st, remote, config))
			})
		}
	}
}

func newEnv(t *testing.T, st store.Store, remote bool, config bearer.Config) *env {
	t.Helper()
	e := &env{T: t, clock: &keyfobtest.Clock{}}
	e.clock.Set(time.Now())
	rk, err := keyfob.ParseRootKey("keyfob-root-1:" + base64.StdEncoding.EncodeToString(random.Bytes(32)))
	e.must(err)
	e.a, err = keyfob.Open(t.Context(), keyfob.Config{Store: st, RootKey: rk, Now: e.clock.Now, MaxStaleness: -1})
	e.must(err)
	t.Cleanup(func() {
		if err := e.a.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	e.verbs = e.a
	if remote {
		e.verbs = e.remote()
	}
	config.Log = func(r *http.Request, err error) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.logged = append(e.logged, err)
	}
	mux := http.NewServeMux()
	hello := http.HandlerFunc(e.hello)
	mux.Handle("/any", config.Require(e.verbs)(hello))
	mux.Handle("/read", config.Require(e.verbs, "read")(hello))
	mux.Handle("/both", config.Require(e.verbs, "read", "write")(hello))
	ts := httptest.NewServer(mux)
	t.Cleanup(ts.Close)
	e.url = ts.URL
	return e
}

// remote is a client of a server of the Authority.
func (e *env) remote() *client.Client {
	e.Helper()
	s, err := server.New(server.Config{Authority: e.a, Logger: slog.New(slog.DiscardHandler)})
	e.must(err)
	ts := httptest.NewServer(s.Handler())
	e.Cleanup(ts.Close)
	caller, err := e.a.In(keyfob.OwnSpace).Issue(e.Context(), keyfob.APIKey{Subject: "test", Scopes: []string{"default:verify"}})
	e.must(err)
	c, err := client.New(client.Config{URL: ts.URL, Token: caller.Secret, Retries: -1})
	e.must(err)
	return c
}

func (e *env) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

func (e *env) hello(w http.ResponseWriter, r *http.Request) {
	key, ok := bearer.From(r.Context())
	if !ok {
		e.Error("a request came through without a key")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.let = append(e.let, key)
	io.WriteString(w, "hello")
}

func (e *env) key(k keyfob.APIKey) keyfob.Issued {
	e.Helper()
	k.Subject = "alice"
	issued, err := e.a.Issue(e.Context(), k)
	e.must(err)
	return issued
}

// An answer is what came back, and the cause that was logged.
type answer struct {
	status int
	header http.Header
	body   string
	logged error
	let    int // requests that came through
}

// ask sends a request with these Authorization headers.
func (e *env) ask(path string, headers ...string) answer {
	e.Helper()
	r, err := http.NewRequestWithContext(e.Context(), "GET", e.url+path, nil)
	e.must(err)
	r.Header["Authorization"] = headers
	return e.send(r)
}

func (e *env) send(r *http.Request) answer {
	e.Helper()
	e.logged, e.let = nil, nil
	resp, err := http.DefaultClient.Do(r)
	e.must(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	e.must(err)
	e.mu.Lock()
	defer e.mu.Unlock()
	a := answer{status: resp.StatusCode, header: resp.Header, body: string(body), let: len(e.let)}
	if len(e.logged) > 1 {
		e.Errorf("logged %d times: %v", len(e.logged), e.logged)
	}
	if len(e.logged) > 0 {
		a.logged = e.logged[0]
	}
	e.judge(a)
	return a
}

// judge holds what is true of each answer.
func (e *env) judge(a answer) {
	e.Helper()
	good := a.status == 200
	if good != (a.let == 1) || good != (a.logged == nil) || good != (a.body == "hello") {
		e.Errorf("status %d, %d came through, %v was logged: %q", a.status, a.let, a.logged, a.body)
	}
	if want := map[bool]string{true: "", false: "no-store"}[good]; a.header.Get("Cache-Control") != want {
		e.Errorf("status %d: Cache-Control is %q", a.status, a.header.Get("Cache-Control"))
	}
	if good && (a.header.Get("Vary") != "" || a.header.Get("WWW-Authenticate") != "" || a.header.Get("Retry-After") != "") {
		e.Errorf("a good answer has %v", a.header)
	}
	if !good && (strings.Count(a.body, "\n") != 1 || !strings.HasSuffix(a.body, ".\n")) {
		e.Errorf("it is not one sentence: %q", a.body)
	}
	for _, cause := range []string{"revoked", "expired", "unknown", "suspended", "exhausted", "malformed", "keyfob"} {
		if strings.Contains(a.body+fmt.Sprint(a.header["Www-Authenticate"]), cause) {
			e.Errorf("the answer tells why: %q", a.body)
		}
	}
	if (a.status == 429 || a.status == 503) != (a.header.Get("Retry-After") != "") {
		e.Errorf("status %d: Retry-After is %q", a.status, a.header.Get("Retry-After"))
	}
}
