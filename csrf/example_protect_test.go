package csrf_test

import (
	"errors"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/keyfob-dev/keyfob/csrf"
	"github.com/keyfob-dev/keyfob/random"
)

// exampleKey is the key of these examples. An application has its own from where secrets
// are kept, such as keyfob.RootKey.CSRF.
func exampleKey() csrf.Key {
	key, err := csrf.NewKey(random.Bytes(csrf.KeySize), csrf.Config{})
	if err != nil {
		panic(err)
	}
	return key
}

func ExampleProtect() {
	protect := csrf.Protect(csrf.Protection{
		Keys:    []csrf.Key{exampleKey()},
		Session: func(*http.Request) string { return "7Gq2mZr0TkXb4yVd" }, // session.Binding, for instance
	})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /email", func(w http.ResponseWriter, r *http.Request) {
		token, err := protect.Token(w, r)
		if err != nil {
			http.Error(w, "no token", http.StatusInternalServerError)
			return
		}
		io.WriteString(w, token)
	})
	mux.HandleFunc("POST /email", func(http.ResponseWriter, *http.Request) { fmt.Println("the address was changed") })
	h := protect.Handler(mux)

	page := httptest.NewRecorder()
	h.ServeHTTP(page, httptest.NewRequest("GET", "https://app.example/email", nil))

	r := httptest.NewRequest("POST", "https://app.example/email", nil)
	r.Header.Set("Origin", "https://app.example")
	r.Header.Set("X-CSRF-Token", page.Body.String())
	h.ServeHTTP(httptest.NewRecorder(), r)

	r.Header.Set("Origin", "https://evil.example")
	refused := httptest.NewRecorder()
	h.ServeHTTP(refused, r)
	fmt.Println(refused.Code, refused.Body)
	// Output:
	// the address was changed
	// 403 This request cannot be accepted; load the page again, and send it once more.
}

// Behind a proxy that ends TLS, with an exemption, which is logged at the start, and
// with a log of what is refused.
func ExampleProtect_proxy() {
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	protect := csrf.Protect(csrf.Protection{
		Keys:    []csrf.Key{exampleKey()},
		Origins: []string{"https://app.example"},
		Exempt:  []string{"POST /hooks/pay"}, // which has a signature
		Log:     log,
		Refused: func(w http.ResponseWriter, r *http.Request, err error) {
			log.Warn("refused", "path", r.URL.Path, "error", err, "cross-origin", errors.Is(err, csrf.ErrCrossOrigin))
			http.Error(w, "Please load the page again.", http.StatusForbidden)
		},
	})
	h := protect.Handler(http.NotFoundHandler())
	r := httptest.NewRequest("POST", "http://backend:8080/email", nil)
	r.Header.Set("Origin", "https://app.example")
	h.ServeHTTP(httptest.NewRecorder(), r)
	// Output:
	// level=INFO msg="csrf: requests of this pattern are not protected" pattern="POST /hooks/pay"
	// level=WARN msg=refused path=/email error="no token: neither the header X-CSRF-Token, nor a form" cross-origin=false
}

// The form to sign in, for a visitor without a session: the field comes with a cookie.
func ExampleGuard_Field() {
	page := template.Must(template.New("").Parse(`<form method="post" action="/sign-in">{{.}}…</form>`))
	protect := csrf.Protect(csrf.Protection{Keys: []csrf.Key{exampleKey()}})
	form := func(w http.ResponseWriter, r *http.Request) {
		field, err := protect.Field(w, r) // before anything is written
		if err != nil {
			http.Error(w, "no token", http.StatusInternalServerError)
			return
		}
		page.Execute(w, field)
	}
	w := httptest.NewRecorder()
	protect.Handler(http.HandlerFunc(form)).ServeHTTP(w, httptest.NewRequest("GET", "https://app.example/sign-in", nil))
	fmt.Printf("%.71s\n", w.Body)
	fmt.Println(w.Result().Cookies()[0].Name, w.Header().Get("Cache-Control"))
	// Output:
	// <form method="post" action="/sign-in"><input type="hidden" name="csrf_t
	// __Host-csrf no-store
}

// For scripts: in a meta element of the page, whence fetch takes it into the header
// X-CSRF-Token.
func ExampleGuard_Token() {
	page := template.Must(template.New("").Parse(`<meta name="csrf-token" content="{{.}}">`))
	protect := csrf.Protect(csrf.Protection{Keys: []csrf.Key{exampleKey()}})
	http.HandleFunc("GET /app", func(w http.ResponseWriter, r *http.Request) {
		token, err := protect.Token(w, r)
		if err != nil {
			http.Error(w, "no token", http.StatusInternalServerError)
			return
		}
		page.Execute(w, token)
	})
}
