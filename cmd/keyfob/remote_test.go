package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/keyfob-dev/keyfob/token"
)

// plainServer is an HTTP server of the test's on the loopback interface.
func plainServer(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// askURL runs the command against a URL, with a token of its own.
func askURL(t *testing.T, url, stdin string, args ...string) result {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(token.New("keyfob").Reveal()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(keyfobBinary(t), args...)
	cmd.Env = environment("KEYFOB_URL="+url, "KEYFOB_TOKEN_FILE="+path)
	cmd.Stdin = strings.NewReader(stdin)
	return finish(t, cmd)
}

// No token follows a redirect, wherever it leads.
func TestNoTokenFollowsRedirects(t *testing.T) {
	t.Parallel()
	var reached atomic.Int64
	other := plainServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { reached.Add(1) }))
	for _, status := range []int{301, 302, 303, 307, 308} {
		url := plainServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/here" {
				reached.Add(1)
			}
			to := other + r.URL.Path
			if status == 302 {
				to = "/here" // the same server: it was not given for that path either
			}
			w.Header().Set("Location", to)
			w.WriteHeader(status)
		}))
		for _, args := range [][]string{{"apikey", "list"}, {"apikey", "verify"}, {"space", "list"}, {"apikey", "issue", "--subject", "a"}} {
			r := askURL(t, url, token.New("default").Reveal()+"\n", args...)
			if r.code != exitUndecided || r.stdout != "" || !strings.Contains(r.stderr, "a token does not follow") {
				t.Errorf("status %d, %q: exit code %d, %q", status, args, r.code, r.stderr)
			}
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("%d requests went elsewhere", n)
	}
}

// Whatever answers, what is no verdict of keyfob's is not taken for one.
func TestStrangeServers(t *testing.T) {
	t.Parallel()
	const problem, object = "application/problem+json", "application/json"
	for name, c := range map[string]struct {
		status     int
		kind, body string
		code       int
		says       string
	}{
		"HTML":                 {200, "text/html", "<html>", exitUndecided, "is not keyfob"},
		"HTML error":           {404, "text/html", "<html>", exitUndecided, "is not keyfob"},
		"no type":              {502, "", "", exitUndecided, "is not keyfob"},
		"empty":                {200, object, "", exitUndecided, "cannot be read"},
		"another object":       {200, object, `{"valid":true}`, exitUndecided, "cannot be read"},
		"cut off":              {200, object, `{"valid":true,"reason":"ok"`, exitUndecided, "cannot be read"},
		"valid, and nobody's":  {200, object, `{"valid":true,"reason":"ok","staleness_ms":0}`, exitUndecided, "does not say whose"},
		"not valid":            {200, object, `{"valid":false,"reason":"ok","staleness_ms":0}`, exitNo, ""},
		"too many requests":    {429, problem, `{"type":"urn:keyfob:problem:rate","title":"Slow down","status":429,"detail":"slow down","instance":"x"}`, exitUndecided, "slow down; try again later"},
		"busy":                 {503, problem, `{"type":"urn:keyfob:problem:busy","title":"Busy","status":503,"detail":"too busy","instance":"x"}`, exitUndecided, "too busy; try again later"},
		"fault":                {500, problem, `{"type":"urn:keyfob:problem:internal","title":"Fault","status":500,"detail":"the server failed","instance":"x"}`, exitUndecided, "the server failed"},
		"unknown caller":       {401, problem, `{"type":"urn:keyfob:problem:unauthenticated","title":"Unknown caller","status":401,"detail":"who are you","instance":"x"}`, exitUndecided, "nothing was verified: who are you"},
		"wrong input":          {400, problem, `{"type":"urn:keyfob:problem:input","title":"Wrong input","status":400,"detail":"what is wrong","instance":"x"}`, exitWrong, "what is wrong"},
		"problem without type": {409, problem, `{}`, exitUndecided, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			url := plainServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header()["Content-Type"] = []string{c.kind}
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			}))
			r := askURL(t, url, token.New("default").Reveal()+"\n", "apikey", "verify")
			if r.code != c.code || !strings.Contains(r.stderr, c.says) || strings.Count(r.stderr, "\n") > 1 {
				t.Errorf("exit code %d, %q; want %d, %q", r.code, r.stderr, c.code, c.says)
			}
			if r.code != exitNo && r.stdout != "" {
				t.Errorf("on stdout: %q", r.stdout)
			}
		})
	}
}

// With exit code 2 stdout is empty, also when a part of the answer was there, and
// with 3 nobody is made to believe that a part is all.
func TestListThatBreaksOff(t *testing.T) {
	t.Parallel()
	for status, code := range map[int]int{http.StatusBadRequest: exitWrong, http.StatusServiceUnavailable: exitUndecided} {
		pages := 0
		url := plainServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if pages++; pages == 1 {
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprint(w, `{"items":[{"name":"acme","prefix":"acme","revision":1,"created_at":"2030-01-02T03:04:05.678Z"}],"next":"acme"}`)
				return
			}
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(status)
			fmt.Fprint(w, `{"type":"x","title":"x","status":400,"detail":"after is wrong","instance":"x"}`)
		}))
		r := askURL(t, url, "", "space", "list", "--json")
		if r.code != code || code == exitWrong && r.stdout != "" || !strings.Contains(r.stderr, "after is wrong") {
			t.Errorf("exit code %d, %q, %q", r.code, r.stdout, r.stderr)
		}
	}
}

// A connection that breaks off in the midst decides nothing.
func TestBrokenConnection(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			http.ReadRequest(bufio.NewReader(c))
			if n%2 == 1 {
				fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"valid\":true")
			}
			c.Close()
		}
	}()
	for range 4 {
		r := askURL(t, "http://"+l.Addr().String(), token.New("default").Reveal()+"\n", "apikey", "verify")
		if r.code != exitUndecided || r.stdout != "" || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("exit code %d, %q, %q", r.code, r.stdout, r.stderr)
		}
	}
}

// What comes from a server reaches the terminal without its control characters.
func TestAnswersAreFiltered(t *testing.T) {
	t.Parallel()
	const evil = `\u001b]0;owned\u0007\u009b31m\u202e\u2028\nsecond line`
	key := `{"id":"0aB9cD8eF7gH6iJ5","space":"default","kind":"apikey","subject":"S","name":"S","scopes":["S"],"attributes":{"S":"S"},"cidrs":["S"],"state":"S","reason":"S",` +
		`"revision":1,"created_at":"2030-01-02T03:04:05.678Z","versions":[{"id":"S","number":1,"prefix":"S","state":"S","created_at":"2030-01-02T03:04:05.678Z"}]}`
	space := `{"name":"S","prefix":"S","revision":1,"created_at":"2030-01-02T03:04:05.678Z"}`
	answers := map[string]string{
		"verify": `{"valid":true,"reason":"S","staleness_ms":0,"credential":` + key + `}`,
		"search": `{"items":[` + key + `],"next":""}`, "apikeys": `{"credential":` + key + `,"token":"S"}`,
		"rotate": `{"credential":` + key + `,"token":"S"}`, "sessions": `{"credential":` + key + `,"token":"S"}`,
		"renew": `{"credential":` + key + `,"token":"S"}`, "0aB9cD8eF7gH6iJ5": key, "spaces": `{"items":[` + space + `],"next":""}`, "acme": space,
	}
	url := plainServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		body, ok := answers[name]
		w.Header().Set("Content-Type", "application/json")
		switch {
		case !ok:
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusConflict)
			body = `{"type":"S","title":"S","status":409,"detail":"S","instance":"S"}`
		case name == "apikeys" || name == "rotate" || name == "sessions" || name == "renew" || name == "spaces" && r.Method == http.MethodPost:
			w.WriteHeader(http.StatusCreated)
		}
		if name == "spaces" && r.Method == http.MethodPost {
			body = space
		}
		fmt.Fprint(w, strings.ReplaceAll(body, "S", evil))
	}))
	for _, args := range [][]string{
		{"apikey", "verify"}, {"apikey", "list"}, {"apikey", "issue", "--subject", "a"}, {"apikey", "show", "0aB9cD8eF7gH6iJ5"},
		{"apikey", "rotate", "0aB9cD8eF7gH6iJ5"}, {"apikey", "revoke", "0aB9cD8eF7gH6iJ5"},
		{"session", "verify"}, {"session", "list"}, {"session", "issue", "--subject", "a"}, {"session", "show", "0aB9cD8eF7gH6iJ5"},
		{"session", "renew", "0aB9cD8eF7gH6iJ5"}, {"session", "revoke", "0aB9cD8eF7gH6iJ5"}, {"subject", "revoke", "--subject", "a", "--kind", "session"},
		{"space", "list"}, {"space", "show", "acme"}, {"space", "create", "acme", "--prefix", "a"}, {"space", "set", "acme", "--prefix", "a"},
	} {
		for _, asJSON := range []bool{false, true} {
			if asJSON {
				args = append(args, "--json")
			}
			r := askURL(t, url, token.New("default").Reveal()+"\n", args...)
			all := r.stdout + r.stderr
			if !strings.Contains(all, "owned") {
				t.Errorf("%q: exit code %d, and the text is not there: %q", args, r.code, all)
			}
			if strings.ContainsAny(strings.ReplaceAll(all, "\n", ""), "\x1b\a\u009b\u202e\u2028\r") || strings.Contains(all, "\nsecond") {
				t.Errorf("%q prints control characters: %q", args, all)
			}
			if asJSON && r.code == 0 {
				for line := range strings.Lines(r.stdout) {
					unmarshal(t, line, &map[string]any{})
				}
			}
		}
	}
}
