package main

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/internal/oas"
	"github.com/keyfob-dev/keyfob/token"
)

func wantFailure(t *testing.T, what string, err error, code int, says string) {
	t.Helper()
	f, ok := errors.AsType[*failure](err)
	if !ok || f.code != code || !strings.Contains(f.text, says) || strings.ContainsAny(f.text, "\n\r") {
		t.Errorf("%s: %v; want one line that says %q, and exit code %d", what, err, says, code)
	}
}

func TestParseServerURL(t *testing.T) {
	for _, good := range []string{
		"https://keyfob.example.com", "https://keyfob.example.com:8443/base/", "http://127.0.0.1:7420", "http://localhost:7420",
		"http://[::1]:7420", "http://127.8.9.10", "http://[::ffff:127.0.0.1]:1",
	} {
		if _, err := parseServerURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for bad, says := range map[string]string{
		"": "not a server's address", "keyfob.example.com": "not a server's address", "ftp://x": "not a server's address", "https://": "not a server's address",
		"https://:80": "not a server's address", "unix:///run/x": "not a server's address", "https://a\x00b": "not a server's address", "https:///v1": "not a server's address",
		"https://me:hunter2@x.example": "user name", "https://me@x.example": "user name", "https://x.example?a=b": "has a ?", "https://x.example?": "has a ?",
		"https://x.example#a": "has a ?", "http://x.example": "plain http", "http://10.0.0.1": "plain http", "http://0.0.0.0:7420": "plain http",
		"http://127.0.0.1.example.com": "plain http", "http://localhost.example.com": "plain http", "http://[::]:1": "plain http",
	} {
		_, err := parseServerURL(bad)
		wantFailure(t, bad, err, exitWrong, says)
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the refusal repeats the password: %v", err)
		}
	}
}

func TestCallerToken(t *testing.T) {
	secret := token.New("keyfob").Reveal()
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	set := func(text, path string) {
		t.Setenv("KEYFOB_TOKEN", text)
		t.Setenv("KEYFOB_TOKEN_FILE", path)
	}
	set("", file(secret+"\n"))
	if got, err := callerToken(); err != nil || got != secret {
		t.Errorf("from a file: %v", err)
	}
	set(secret, "")
	if got, err := callerToken(); err != nil || got != secret {
		t.Errorf("from the environment: %v", err)
	}
	if _, there := os.LookupEnv("KEYFOB_TOKEN"); there {
		t.Error("KEYFOB_TOKEN is still in the environment")
	}
	for _, c := range []struct{ text, path, says string }{
		{"", "", "no token for it"},
		{secret, file(secret), "both set"},
		{mistype(secret), "", "does not hold a keyed token"},
		{secret + " ", "", "does not hold a keyed token"},
		{"", file(""), "is empty"},
		{"", file(secret + "\n\n"), "more than one line"},
		{"", file(secret + "\r\n"), "does not hold a keyed token"},
		{"", file(strings.Repeat("a", 10_000)), "over 4096 bytes"},
		{"", filepath.Join(t.TempDir(), "absent"), "no such file"},
	} {
		set(c.text, c.path)
		_, err := callerToken()
		wantFailure(t, c.says, err, exitWrong, c.says)
	}
}

// The table from the server's problems to exit codes.
func TestExplain(t *testing.T) {
	c := &connection{at: "here"}
	for status, code := range map[int]int{
		400: exitWrong, 413: exitWrong, 401: exitNo, 403: exitNo, 404: exitNo, 409: exitNo, 405: exitUndecided, 408: exitUndecided,
		415: exitUndecided, 418: exitUndecided, 429: exitUndecided, 500: exitUndecided, 502: exitUndecided, 503: exitUndecided, 504: exitUndecided,
	} {
		problem := &oas.ProblemStatusCode{StatusCode: status, Response: oas.Problem{Title: "T", Detail: "what is wrong here"}}
		wantFailure(t, http.StatusText(status), c.explain(problem), code, "what is wrong here")
		// That no verdict came must not look like one.
		f, _ := errors.AsType[*failure](notDecided(c.explain(problem)))
		if f == nil || f.code == 0 || f.code == exitNo {
			t.Errorf("status %d of a verification: exit code %v", status, f)
		}
	}
	wantFailure(t, "no detail", c.explain(&oas.ProblemStatusCode{StatusCode: 409, Response: oas.Problem{Title: "Conflict"}}), exitNo, "Conflict")
	leaky := errors.New("decode {\"token\":\"s3cret\"}")
	wantFailure(t, "no answer of ours", c.explain(leaky), exitUndecided, "cannot be read")
	if strings.Contains(c.explain(leaky).Error(), "s3cret") {
		t.Error("an answer that cannot be read is repeated")
	}
}
