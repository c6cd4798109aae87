package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	gorilla "github.com/gorilla/csrf"
	"github.com/justinas/nosurf"

	"github.com/keyfob-dev/keyfob/csrf"
	"github.com/keyfob-dev/keyfob/random"
	"github.com/keyfob-dev/keyfob/token"
)

func csrfRows() []row {
	session, presession := keyfobCSRF(token.NewID()), keyfobCSRF("")
	return []row{
		{
			name:    "protected POST of a session : nosurf",
			targets: []target{{cpu, atLeast, 3}},
			prepare: besides(session, nosurfCSRF),
		},
		{
			name:    "protected POST of a session : gorilla/csrf",
			targets: []target{{cpu, atLeast, 8}},
			prepare: besides(session, gorillaCSRF),
		},
		{
			name:    "protected POST of a pre-session : nosurf",
			targets: []target{{cpu, atLeast, 3}},
			prepare: besides(presession, nosurfCSRF),
		},
		{
			name:    "protected POST of a pre-session : gorilla/csrf",
			targets: []target{{cpu, atLeast, 8}},
			prepare: besides(presession, gorillaCSRF),
		},
		{
			name:    "protected POST of a session : POST that nothing protects",
			prepare: besides(session, func(next http.Handler) (http.Handler, func(*http.Request) string) { return next, nil }),
		},
	}
}

// A protection puts a handler behind itself; the function returns a token for a
// request that came through it, and is nil if there are none.
type protection func(next http.Handler) (http.Handler, func(*http.Request) string)

func keyfobCSRF(session string) protection {
	return func(next http.Handler) (http.Handler, func(*http.Request) string) {
		key, err := csrf.NewKey(random.Bytes(csrf.KeySize), csrf.Config{})
		if err != nil {
			panic(err)
		}
		p := csrf.Protection{Keys: []csrf.Key{key}, Session: func(*http.Request) string { return session }}
		return csrf.Protect(p)(next), func(r *http.Request) string {
			text, err := csrf.Token(r)
			if err != nil {
				panic(err)
			}
			return text
		}
	}
}

func nosurfCSRF(next http.Handler) (http.Handler, func(*http.Request) string) {
	return nosurf.New(next), nosurf.Token
}

func gorillaCSRF(next http.Handler) (http.Handler, func(*http.Request) string) {
	return gorilla.Protect(random.Bytes(32))(next), gorilla.Token
}

// besides is a row of two protections, each before the same handler.
func besides(ours, peer protection) func(*env) (side, side, error) {
	return func(*env) (a, b side, err error) {
		if a, err = posting(ours); err == nil {
			b, err = posting(peer)
		}
		return a, b, err
	}
}

// posting sends a POST again and again, with the cookies and the token of a page that
// was loaded before. The harness is next to nothing: one request, and one writer.
func posting(protect protection) (s side, err error) {
	var tokenOf func(*http.Request) string
	text, passed := "", 0
	h, tokenOf := protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && tokenOf != nil {
			text = tokenOf(r)
		}
		passed++
	}))
	page := httptest.NewRecorder()
	h.ServeHTTP(page, httptest.NewRequest("GET", "https://app.example/email", nil))
	r := httptest.NewRequest("POST", "https://app.example/email", nil)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Origin", "https://app.example")
	r.Header.Set("X-CSRF-Token", text)
	for _, c := range page.Result().Cookies() {
		r.AddCookie(c)
	}
	w := &discardWriter{header: http.Header{}}
	s.run = func(n int) error {
		passed = 0
		for range n {
			clear(w.header)
			h.ServeHTTP(w, r)
		}
		if passed != n {
			return fmt.Errorf("%d of %d requests were let through, status %d", passed, n, w.status)
		}
		return nil
	}
	return s, nil
}

// A discardWriter is a http.ResponseWriter that costs next to nothing.
type discardWriter struct {
	header http.Header
	status int
}

func (d *discardWriter) Header() http.Header         { return d.header }
func (d *discardWriter) Write(p []byte) (int, error) { return len(p), nil }
func (d *discardWriter) WriteHeader(status int)      { d.status = status }
