package csrf_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/csrf"
)

// An exemption matches its own method and path, as they were sent.
func TestExemptions(t *testing.T) {
	a := newApp(t, csrf.Protection{Exempt: []string{
		"POST /hooks/pay", "POST /tree/", "PUT /items/{id}", "POST /exact/{$}", "POST hooks.example/pay", "DELETE  /two/spaces", "POST /files/{rest...}",
		"POST /sp%20ace", "PATCH\t/tab",
	}})
	for _, c := range []struct {
		method, target string
		exempt         bool
	}{
		{"POST", "/hooks/pay", true},
		{"POST", "/hooks/pay?a=b", true},
		{"POST", "/tree/", true},
		{"POST", "/tree/a/b", true},
		{"PUT", "/items/1", true},
		{"PUT", "/items/a%20b", true},
		{"POST", "/exact/", true},
		{"POST", "//hooks.example/pay", false}, // a path
		{"POST", "https://hooks.example/pay", true},
		{"POST", "https://hooks.example:8443/pay", true},
		{"DELETE", "/two/spaces", true},
		{"POST", "/files/a/b", true},
		{"POST", "/sp%20ace", true},
		{"PATCH", "/tab", true},

		// Another method.
		{"PUT", "/hooks/pay", false},
		{"DELETE", "/hooks/pay", false},
		{"post", "/hooks/pay", false},
		{"TRACE", "/hooks/pay", false},
		{"CONNECT", "/hooks/pay", false},
		{"POST", "/items/1", false},

		// Another path.
		{"POST", "/hooks", false},
		{"POST", "/hooks/pay/", false},
		{"POST", "/hooks/pay/now", false},
		{"POST", "/hooks/Pay", false},
		{"POST", "/hooks/pa", false},
		{"POST", "/x/hooks/pay", false},
		{"POST", "/pay", false},
		{"POST", "https://hooks.example.evil.example/pay", false},
		{"PUT", "/items/1/2", false},
		{"PUT", "/items/", false},

		// What ServeMux would redirect to a pattern.
		{"POST", "/tree", false},
		{"POST", "/exact", false},
		{"POST", "/files", false},
		{"POST", "//hooks/pay", false},
		{"POST", "/hooks//pay", false},
		{"POST", "/./hooks/pay", false},
		{"POST", "/hooks/./pay", false},
		{"POST", "/x/../hooks/pay", false},
		{"POST", "/tree/../account", false},
		{"POST", "/tree/./", false},
		{"POST", "/tree//a", false},
		{"POST", "/files/a/../../account", false},

		// Escapes that need not be there, which routers read in different ways.
		{"POST", "/hooks/p%61y", false},
		{"POST", "/hooks%2Fpay", false},
		{"POST", "/tree/%2e%2e/account", false},
		{"POST", "/tree/..%2Faccount", false},
		{"POST", "/files/%2e%2e/account", false},
		{"POST", "/files/..%2faccount", false},
		{"PUT", "/items/..%2Faccount", false},
		{"PUT", "/items/%2e", false},
	} {
		r := browser{}.request(c.method, "/", nil)
		u, err := url.Parse(c.target)
		if strings.HasPrefix(c.target, "/") {
			u, err = url.ParseRequestURI(c.target) // as the server does
		}
		if err != nil {
			t.Fatal(err)
		}
		if r.URL = u; u.Host != "" && !strings.HasPrefix(c.target, "/") {
			r.Host = u.Host
		}
		a.send(r)
		if (a.err == nil) != c.exempt || (a.passed != nil) != c.exempt {
			t.Errorf("%s %s: %v", c.method, c.target, a.err)
		}
	}
}

// What is exempt is not looked at, and has its body, whatever comes with it.
func TestExemptIsLeftAlone(t *testing.T) {
	a := newApp(t, csrf.Protection{Exempt: []string{"POST /hooks/pay"}, Session: func(r *http.Request) string { return r.Header.Get("Session") }})
	own := a.visit(t, browser{session: "s1"})
	body := "csrf_token=x&event=paid"
	a.serve = func(_ http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if string(text) != body || err != nil || r.PostForm != nil {
			t.Errorf("%q, %v", text, err)
		}
	}
	for name, change := range map[string]func(*http.Request){
		"nothing":       func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Del("Origin") },
		"cross-site":    func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"null":          func(r *http.Request) { r.Header.Set("Origin", "null") },
		"a wrong token": func(r *http.Request) { r.Header.Set("X-CSRF-Token", "x") },
		"a right token": func(r *http.Request) { r.Header.Set("X-CSRF-Token", own.token) },
		"two cookies":   func(r *http.Request) { r.Header.Set("Cookie", "__Host-csrf=a; __Host-csrf=b") },
		"own page":      func(*http.Request) {},
	} {
		r := own.postBody("POST", "/hooks/pay", urlencoded, body)
		change(r)
		if a.send(r); a.err != nil || a.passed == nil {
			t.Errorf("%s: %v", name, a.err)
		}
	}
	if a.send(own.postBody("POST", "/hooks/refund", urlencoded, body)); !errors.Is(a.err, csrf.ErrMalformed) {
		t.Error(a.err)
	}
}

// Each exemption is logged when the program starts, and not with each request.
func TestExemptionsAreLogged(t *testing.T) {
	var log bytes.Buffer
	p := csrf.Protection{
		Exempt: []string{"POST /hooks/pay", "PUT /items/{id}"},
		Log:    slog.New(slog.NewTextHandler(&log, nil)),
	}
	a := newApp(t, p)
	a.send(browser{}.request("POST", "/hooks/pay", nil))
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], `pattern="POST /hooks/pay"`) || !strings.Contains(lines[1], `pattern="PUT /items/{id}"`) {
		t.Errorf("%q", lines)
	}
	old := slog.Default()
	defer slog.SetDefault(old)
	log.Reset()
	slog.SetDefault(p.Log)
	p.Log, p.Keys = nil, a.Keys
	csrf.Protect(p)
	if strings.Count(log.String(), "\n") != 2 {
		t.Errorf("%q", log.String())
	}
}
