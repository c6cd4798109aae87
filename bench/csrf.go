package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

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
			name:    "protected POST of a form, above the harness : nosurf",
			targets: []target{{cpu, atLeast, 3}},
			prepare: formsBesides(session, nosurfCSRF, nosurf.FormFieldName),
		},
		{
			name:    "protected POST of a form, above the harness : gorilla/csrf",
			targets: []target{{cpu, atLeast, 8}},
			prepare: formsBesides(session, gorillaCSRF, "gorilla.csrf.Token"),
		},
		{
			name:    "protected POST, token in the header : nosurf",
			targets: []target{{cpu, atLeast, 3}, {allocs, fewer, 0}},
			prepare: besides(session, nosurfCSRF),
		},
		{
			name:    "protected POST, token in the header : gorilla/csrf",
			targets: []target{{cpu, atLeast, 8}, {allocs, fewer, 0}},
			prepare: besides(session, gorillaCSRF),
		},
		{
			name:    "protected POST, pre-session, token in the header : nosurf",
			prepare: besides(presession, nosurfCSRF),
		},
		{
			name:    "protected POST, pre-session, token in the header : gorilla/csrf",
			prepare: besides(presession, gorillaCSRF),
		},
		{
			name:    "protected POST, token in the header : POST that nothing protects",
			prepare: besides(session, unprotected),
		},
	}
}

// A protection puts a handler behind itself; the function returns a token for a
// request that came through it.
type protection func(next http.Handler) (http.Handler, func(http.ResponseWriter, *http.Request) string)

func keyfobCSRF(session string) protection {
	return func(next http.Handler) (http.Handler, func(http.ResponseWriter, *http.Request) string) {
		key, err := csrf.NewKey(random.Bytes(csrf.KeySize), csrf.Config{})
		if err != nil {
			panic(err)
		}
		p := csrf.Protection{Keys: []csrf.Key{key}, Session: func(*http.Request) string { return session }}
		guard := csrf.Protect(p)
		return guard.Handler(next), func(w http.ResponseWriter, r *http.Request) string {
			text, err := guard.Token(w, r)
			if err != nil {
				panic(err)
			}
			return text
		}
	}
}

func nosurfCSRF(next http.Handler) (http.Handler, func(http.ResponseWriter, *http.Request) string) {
	return nosurf.New(next), func(_ http.ResponseWriter, r *http.Request) string { return nosurf.Token(r) }
}

func gorillaCSRF(next http.Handler) (http.Handler, func(http.ResponseWriter, *http.Request) string) {
	return gorilla.Protect(random.Bytes(32))(next), func(_ http.ResponseWriter, r *http.Request) string { return gorilla.Token(r) }
}

// unprotected is the harness of the others.
func unprotected(next http.Handler) (http.Handler, func(http.ResponseWriter, *http.Request) string) {
	return next, func(http.ResponseWriter, *http.Request) string { return "" }
}

// besides is a row of two protections, each before the same handler.
func besides(ours, peer protection) func(*env) (side, side, error) {
	return func(*env) (side, side, error) { return posting(ours, ""), posting(peer, ""), nil }
}

// formsBesides is besides with a form that has the token in a field, which is parsed with
// and without protection, so that only what is above that is counted.
func formsBesides(ours, peer protection, field string) func(*env) (side, side, error) {
	return func(*env) (side, side, error) {
		bare := posting(unprotected, csrf.DefaultField)
		return above(bare, posting(ours, csrf.DefaultField)), above(bare, posting(peer, field)), nil
	}
}

// above is what a side costs in processor time above a bare one, which runs after it.
func above(bare, whole side) side {
	var spent time.Duration
	return side{
		run: func(n int) error {
			begin, err1 := ownCPU()
			err2 := whole.run(n)
			middle, err3 := ownCPU()
			err4 := bare.run(n)
			end, err5 := ownCPU()
			spent += max((middle-begin)-(end-middle), 1)
			return errors.Join(err1, err2, err3, err4, err5)
		},
		cpu: func() (time.Duration, error) { return spent, nil },
	}
}

// posting sends a POST again and again, with the cookies and the token of a page that
// was loaded before: in this field of a form, which the handler reads as well, or, if
// there is none, in the header, without a body. Beside the form the harness is next to
// nothing: a copy of one request, and one writer.
func posting(protect protection, field string) side {
	var tokenOf func(http.ResponseWriter, *http.Request) string
	text, passed := "", 0
	h, tokenOf := protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodGet:
			text = tokenOf(w, r)
		case field == "" || r.PostFormValue("name") == "alice":
			passed++
		}
	}))
	page := httptest.NewRecorder()
	h.ServeHTTP(page, httptest.NewRequest("GET", "https://app.example/email", nil))
	post := httptest.NewRequest("POST", "https://app.example/email", nil)
	post.Header.Set("Sec-Fetch-Site", "same-origin")
	post.Header.Set("Origin", "https://app.example")
	for _, c := range page.Result().Cookies() {
		post.AddCookie(c)
	}
	form := ""
	if field == "" {
		post.Header.Set("X-CSRF-Token", text)
	} else {
		post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		form = url.Values{field: {text}, "name": {"alice"}, "email": {"alice@app.example"}}.Encode()
	}
	w := &discardWriter{header: http.Header{}}
	return side{run: func(n int) error {
		passed = 0
		for range n {
			clear(w.header)
			r := post
			if field != "" {
				r = new(*post) // which is parsed
				r.Body = io.NopCloser(strings.NewReader(form))
			}
			h.ServeHTTP(w, r)
		}
		if passed != n {
			return fmt.Errorf("%d of %d requests were let through, status %d", passed, n, w.status)
		}
		return nil
	}}
}

// A discardWriter is a http.ResponseWriter that costs next to nothing.
type discardWriter struct {
	header http.Header
	status int
}

func (d *discardWriter) Header() http.Header         { return d.header }
func (d *discardWriter) Write(p []byte) (int, error) { return len(p), nil }
func (d *discardWriter) WriteHeader(status int)      { d.status = status }
