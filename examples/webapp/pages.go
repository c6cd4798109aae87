package main

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/netip"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/session"
)

//go:embed pages
var files embed.FS

//go:embed pages/style.css
var style string

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"style": func() template.CSS { return template.CSS(style) },
}).ParseFS(files, "pages/*.html"))

// A view is what the templates get.
type view struct {
	Form     template.HTML // what each form has to have: see csrf.Guard
	SignedIn bool
	Note     string
	Data     any
}

// notes are what a page can be asked to say when a redirect leads to it; the query
// chooses one, and cannot put words into the page.
var notes = map[string]string{
	"password": "Your new password is set. Sign in with it.",
	"again":    "That took too long, or something about your account was changed meanwhile. Sign in anew.",
	"out":      "You are signed out.",
	"ended":    "You are signed out everywhere.",
	"off":      "The second factor is off.",
}

// show answers with a page.
func (a *app) show(w http.ResponseWriter, r *http.Request, status int, name string, v view) error {
	var err error
	if v.Form, err = a.guard.Field(w, r); err != nil {
		return err
	}
	v.SignedIn = session.Subject(r) != ""
	if v.Note == "" {
		v.Note = notes[r.URL.Query().Get("note")]
	}
	var b bytes.Buffer // so that a page that cannot be made is an error and no half page
	if err := templates.ExecuteTemplate(&b, name+".html", v); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	// A browser drops such pages when its session's cookie goes, so that after the
	// sign-out its back button shows none.
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(b.Bytes()) // whether it arrives is the browser's business
	return nil
}

func serveStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Write([]byte(style))
}

// An action answers a request, or returns why it could not.
type action func(w http.ResponseWriter, r *http.Request) error

// A refusal is an error that is the user's to read, with its status.
type refusal struct {
	status int
	text   string
}

func (r refusal) Error() string { return r.text }

// handle makes a handler of an action. What a user cannot help goes to the log, and
// they learn no more than that: errors are for who runs this.
func (a *app) handle(do action) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := do(w, r)
		// The latter: the session ended while the request was under way, as when a button
		// is pressed twice.
		if errors.Is(err, errAgain) || errors.Is(err, keyfob.ErrInvalid) {
			http.Redirect(w, r, "/signin?note=again", http.StatusSeeOther)
			return
		}
		var no refusal
		if errors.As(err, &no) {
			err = a.show(w, r, no.status, "refused", view{Note: no.text})
		}
		if err != nil {
			slog.Error("request failed", "method", r.Method, "path", r.URL.Path, "error", err) // never r.URL: links have their token there
			w.Header().Set("Cache-Control", "no-store")
			w.Header().Set("Retry-After", "5")
			http.Error(w, "This cannot be done just now. Try again in a moment.", http.StatusServiceUnavailable)
		}
	})
}

// page is the handler of a page that is the same for everybody.
func (a *app) page(name string) http.Handler {
	return a.handle(func(w http.ResponseWriter, r *http.Request) error {
		return a.show(w, r, http.StatusOK, name, view{})
	})
}

// clientIP is where a request comes from. Behind a proxy this is the proxy's; what
// that one says is to be taken then, and nothing that a client can set.
func clientIP(r *http.Request) netip.Addr {
	at, _ := netip.ParseAddrPort(r.RemoteAddr)
	return at.Addr().Unmap().WithZone("")
}
