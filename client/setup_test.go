package client_test

import (
	"context"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/client"
	"github.com/keyfob-dev/keyfob/keyfobtest"
	"github.com/keyfob-dev/keyfob/random"
	"github.com/keyfob-dev/keyfob/server"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
	"github.com/keyfob-dev/keyfob/store/sqlite"
)

// env is a server that runs, and its Authority behind its back.
type env struct {
	*testing.T
	a       *keyfob.Authority
	st      store.Store
	clock   *keyfobtest.Clock
	owner   keyfob.Issued // the caller
	handler http.Handler
	url     string
	asked   atomic.Int64 // requests that reached the server
}

func newEnv(t *testing.T, st store.Store) *env {
	t.Helper()
	e := &env{T: t, st: st, clock: &keyfobtest.Clock{}}
	e.clock.Set(time.Now())
	rk, err := keyfob.ParseRootKey("keyfob-root-1:" + base64.StdEncoding.EncodeToString(random.Bytes(32)))
	e.must(err)
	e.a, err = keyfob.Open(t.Context(), keyfob.Config{Store: st, RootKey: rk, Now: e.clock.Now})
	e.must(err)
	e.owner = e.callerKey(server.OwnerScope)
	s, err := server.New(server.Config{Authority: e.a, Logger: slog.New(slog.DiscardHandler)})
	e.must(err)
	api := s.Handler()
	e.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.asked.Add(1)
		api.ServeHTTP(w, r)
	})
	ts := httptest.NewServer(e.handler)
	e.url = ts.URL
	t.Cleanup(func() {
		ts.Close()
		if err := e.a.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// eachStore runs a test on every kind of store.
func eachStore(t *testing.T, test func(e *env)) {
	t.Run("memory", func(t *testing.T) { test(newEnv(t, memory.Open())) })
	t.Run("sqlite", func(t *testing.T) {
		st, err := sqlite.Open(filepath.Join(t.TempDir(), "keyfob.db"))
		if err != nil {
			t.Fatal(err)
		}
		test(newEnv(t, st))
	})
}

func (e *env) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

// callerKey makes a caller of the server.
func (e *env) callerKey(scopes ...string) keyfob.Issued {
	e.Helper()
	k, err := e.a.In(keyfob.OwnSpace).Issue(e.Context(), keyfob.APIKey{Subject: "test", Scopes: scopes})
	e.must(err)
	return k
}

// key makes a key behind the server's back.
func (e *env) key(k keyfob.APIKey) keyfob.Issued {
	e.Helper()
	if k.Subject == "" {
		k.Subject = "alice"
	}
	issued, err := e.a.Issue(e.Context(), k)
	e.must(err)
	return issued
}

// client makes a Client of the server, which is the owner unless told otherwise.
func (e *env) client(config client.Config) *client.Client {
	e.Helper()
	if config.URL == "" {
		config.URL = e.url
	}
	if config.Token.Reveal() == "" && config.TokenFile == "" {
		config.Token = e.owner.Secret
	}
	c, err := client.New(config)
	e.must(err)
	return c
}

// inProcess is a transport that has the server in the same process.
type inProcess struct{ http.Handler }

func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	t.ServeHTTP(w, r)
	return w.Result(), nil
}

// answers is a transport that answers with what the function returns.
type answers func(r *http.Request) (*http.Response, error)

func (f answers) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
