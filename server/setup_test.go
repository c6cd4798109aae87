package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// env is a server that runs, on a loopback port and on a Unix socket. It keeps
// an eye on each answer and, at the end, on the log.
type env struct {
	*testing.T
	a      *keyfob.Authority
	st     *faulty
	log    *logged
	url    string // of the port
	addr   string // host:port
	socket string
	owner  string // token
	http   *http.Client
	local  *http.Client // over the socket
	stop   func() error

	mu       sync.Mutex
	secrets  []string        // that nothing may show any more
	repeated string          // but for this one, if it is not empty
	kinds    map[string]bool // of problems that were answered
}

func newEnv(t *testing.T, limits Limits) *env {
	t.Helper()
	return newEnvWith(t, limits, keyfob.Config{})
}

// newEnvWith is newEnv with an Authority that is different in some way. Its store
// is one in memory, unless there is another.
func newEnvWith(t *testing.T, limits Limits, config keyfob.Config) *env {
	t.Helper()
	if config.Store == nil {
		config.Store = memory.Open()
	}
	e := &env{T: t, st: &faulty{Store: config.Store}, log: &logged{}, kinds: map[string]bool{}}
	rk, err := keyfob.CreateRootKey(filepath.Join(t.TempDir(), "root.key"))
	e.must(err)
	config.Store, config.RootKey = e.st, rk
	e.a, err = keyfob.Open(t.Context(), config)
	e.must(err)
	e.createSpace("acme")
	e.owner = e.callerKey(OwnerScope)
	s, err := New(Config{Authority: e.a, Logger: slog.New(slog.NewJSONHandler(e.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Limits: limits})
	e.must(err)
	e.start(s)
	t.Cleanup(func() {
		e.st.set(nil)
		if err := e.stop(); err != nil {
			t.Errorf("Serve: %v", err)
		}
		if err := e.a.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
		e.checkLog()
	})
	return e
}

func (e *env) start(s *Server) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	e.must(err)
	dir, err := os.MkdirTemp("", "kf") // t.TempDir's names can be too long for a socket
	e.must(err)
	e.Cleanup(func() { os.RemoveAll(dir) })
	e.socket = filepath.Join(dir, "s")
	unix, err := net.ListenUnix("unix", &net.UnixAddr{Name: e.socket, Net: "unix"})
	e.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, tcp, Local(unix)) }()
	e.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	e.addr = tcp.Addr().String()
	e.url = "http://" + e.addr
	client := func(network, address string) *http.Client {
		tr := &http.Transport{
			DisableCompression: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, address)
			},
		}
		e.Cleanup(tr.CloseIdleConnections)
		return &http.Client{Transport: tr, Timeout: 20 * time.Second}
	}
	e.http, e.local = client("tcp", e.addr), client("unix", e.socket)
}

func (e *env) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

// hide makes text a secret from now on.
func (e *env) hide(text string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.secrets = append(e.secrets, text)
	if len(text) > 49 && strings.Contains(text, "_") { // and the part of a token that is
		e.secrets = append(e.secrets, text[len(text)-49:len(text)-6])
	}
	return text
}

func (e *env) createSpace(name string) {
	e.Helper()
	_, err := e.a.Spaces().Create(e.Context(), keyfob.Space{Name: name, Prefix: name})
	e.must(err)
}

// key makes a key in a space, behind the server's back.
func (e *env) key(space string, scopes ...string) keyfob.Issued {
	e.Helper()
	k, err := e.a.In(space).Issue(e.Context(), keyfob.APIKey{Subject: "alice", Scopes: scopes})
	e.must(err)
	e.hide(k.Secret.Reveal())
	return k
}

// callerKey makes a caller's token.
func (e *env) callerKey(scopes ...string) string {
	e.Helper()
	return e.key(keyfob.OwnSpace, scopes...).Secret.Reveal()
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
	json   map[string]any
}

func (a *answer) problem() string {
	kind, _ := a.json["type"].(string)
	return strings.TrimPrefix(kind, problemURN)
}

func (a *answer) field() string {
	field, _ := a.json["field"].(string)
	return field
}

func (a *answer) detail() string {
	detail, _ := a.json["detail"].(string)
	return detail
}

func (a *answer) credential() map[string]any {
	c, _ := a.json["credential"].(map[string]any)
	return c
}

func (a *answer) String() string { return fmt.Sprintf("%d %.400s", a.status, a.text) }

// ask sends a request with a token and JSON, which is text or is made into it;
// edit, if there is one, may change the request before.
func (e *env) ask(token, method, path string, body any, edit ...func(*http.Request)) *answer {
	e.Helper()
	return e.askWith(e.http, token, method, path, body, edit...)
}

func (e *env) askWith(client *http.Client, token, method, path string, body any, edit ...func(*http.Request)) *answer {
	e.Helper()
	var reader io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(body)
	case []byte:
		reader = bytes.NewReader(body)
	default:
		text, err := json.Marshal(body)
		e.must(err)
		reader = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(e.Context(), method, "http://"+e.addr+path, reader)
	e.must(err)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for _, edit := range edit {
		edit(r)
	}
	resp, err := client.Do(r)
	if err != nil {
		e.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	e.must(err)
	return e.look(&answer{status: resp.StatusCode, header: resp.Header, text: string(text)}, method)
}

var base62ID = regexp.MustCompile(`^[0-9A-Za-z]{16}$`)

// look checks what holds for every answer.
func (e *env) look(a *answer, method string) *answer {
	e.Helper()
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Server": "",
		"Access-Control-Allow-Origin": "", "Access-Control-Allow-Methods": "", "Set-Cookie": "",
	} {
		if got := a.header.Get(name); got != want {
			e.Errorf("%v: %s is %q, want %q", a, name, got, want)
		}
	}
	id := a.header.Get(RequestIDHeader)
	if !base62ID.MatchString(id) {
		e.Errorf("%v: the request's id is %q", a, id)
	}
	e.noSecrets("an answer", strings.Replace(a.text, e.repeated, "", 1)+fmt.Sprint(a.header))
	if method == http.MethodHead || a.status == 200 && strings.HasPrefix(a.header.Get("Content-Type"), "text/plain; version=0.0.4;") {
		return a
	}
	if err := json.Unmarshal([]byte(a.text), &a.json); err != nil {
		e.Fatalf("%v: %v", a, err)
	}
	if a.status < 400 {
		if got := a.header.Get("Content-Type"); got != "application/json; charset=utf-8" {
			e.Errorf("%v: content type %q", a, got)
		}
		e.hideIssued(a)
		return a
	}
	e.mu.Lock()
	e.kinds[a.problem()] = true
	e.mu.Unlock()
	checkProblem(e.T, a, id)
	return a
}

// hideIssued makes what an answer hands out a secret. A short code is none that can
// be told from other numbers.
func (e *env) hideIssued(a *answer) {
	for _, name := range []string{"token", "code", "secret", "uri"} {
		if text, ok := a.json[name].(string); ok && len(text) > 10 {
			e.hide(text)
		}
	}
	codes, _ := a.json["codes"].([]any)
	for _, code := range codes {
		e.hide(code.(string))
	}
}

// checkProblem holds an error's answer to RFC 9457 and to openapi.yaml.
func checkProblem(t *testing.T, a *answer, id string) {
	t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("%v: content type %q", a, got)
	}
	i := slices.IndexFunc(allKinds, func(k *kind) bool { return k.name == a.problem() })
	if i < 0 {
		t.Fatalf("%v: an unknown type", a)
	}
	k := allKinds[i]
	if a.status != k.status || a.json["status"] != float64(k.status) || a.json["title"] != k.title || a.json["instance"] != requestURN+id || a.detail() == "" {
		t.Errorf("%v: not the problem %+v", a, *k)
	}
	if k.header.name != "" && a.header.Get(k.header.name) == "" && a.header.Get("Accept-Encoding") == "" {
		t.Errorf("%v: no header %s", a, k.header.name)
	}
	if f, ok := a.json["field"]; ok && (k != badInput || !strings.HasPrefix(a.detail(), f.(string)+" ")) {
		t.Errorf("%v: the detail does not begin with the field", a)
	}
	for name := range a.json {
		if !slices.Contains([]string{"type", "title", "status", "detail", "instance", "field"}, name) {
			t.Errorf("%v: has the member %s", a, name)
		}
	}
}

var allKinds = []*kind{
	badInput, unauthenticated, forbidden, notFound, spaceNotFound, routeNotFound, methodNotAllowed, bodyTimeout,
	conflict, exists, keyReused, tooSoon, bodyTooLarge, mediaType, callerLimited, internal, unavailable, clockBehind, busy,
}

// want fails the test unless the answer is of this status and, for an error, of
// this kind.
func (e *env) want(a *answer, status int, kind string) *answer {
	e.Helper()
	if a.status != status || a.problem() != kind {
		e.Errorf("got %v\nwant %d %s", a, status, kind)
	}
	return a
}

// events counts the events of all spaces.
func (e *env) events() int {
	e.Helper()
	spaces, err := e.st.Store.Spaces(context.Background(), "", 1000)
	e.must(err)
	n := 0
	for _, s := range spaces {
		all, err := e.st.Store.Events(context.Background(), store.EventQuery{Space: s.ID, Limit: 100_000})
		e.must(err)
		n += len(all)
	}
	return n
}

// actors are those of the events of a type in a space.
func (e *env) actors(space, event string) (actors []string) {
	e.Helper()
	s, err := e.st.Store.Space(context.Background(), space)
	e.must(err)
	all, err := e.st.Store.Events(context.Background(), store.EventQuery{Space: s.ID, Limit: 100_000})
	e.must(err)
	for _, ev := range all {
		if ev.Type == event {
			actors = append(actors, ev.Actor)
		}
	}
	return actors
}

func (e *env) noSecrets(where, text string) {
	e.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.secrets {
		if strings.Contains(text, s) {
			e.Errorf("%s shows a secret: %.2000s", where, text)
		}
	}
}

// checkLog holds every line to what a line may have.
func (e *env) checkLog() {
	e.Helper()
	text := e.log.String()
	e.noSecrets("the log", text)
	for _, line := range e.log.lines(e.T) {
		allowed := []string{"time", "level", "msg", "method", "route", "status", "duration", "actor", "id", "client", "problem", "reason", "error"}
		if line["msg"] == "panic" {
			allowed = []string{"time", "level", "msg", "id", "stack"}
		}
		for name := range line {
			if !slices.Contains(allowed, name) && !strings.HasPrefix(fmt.Sprint(line["msg"]), "requests were cut off") {
				e.Errorf("the log has %s: %v", name, line)
			}
		}
	}
}
