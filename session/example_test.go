package session_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/random"
	"github.com/keyfob-dev/keyfob/session"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// exampleAuthority is an Authority for the examples.
func exampleAuthority() *keyfob.Authority {
	rk, err := keyfob.ParseRootKey("keyfob-root-1:" + base64.StdEncoding.EncodeToString(random.Bytes(32)))
	if err != nil {
		panic(err)
	}
	a, err := keyfob.Open(context.Background(), keyfob.Config{Store: memory.Open(), RootKey: rk})
	if err != nil {
		panic(err)
	}
	return a
}

// visit serves a mux within sessions, and prints what one browser is answered at
// each path.
func visit(sessions *session.Sessions, mux *http.ServeMux, paths ...string) {
	server := httptest.NewTLSServer(sessions.Handler(mux))
	defer server.Close()
	browser := server.Client()
	browser.Jar, _ = cookiejar.New(nil)
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, path := range paths {
		resp, err := browser.Get(server.URL + path)
		if err != nil {
			panic(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Println(strings.TrimSpace(fmt.Sprintf("%s: %d %s", path, resp.StatusCode, body)))
	}
}

// Signing in, a page for those who have, and signing out. In earnest what changes
// something is a POST.
func ExampleNew() {
	a := exampleAuthority() // or a *client.Client
	sessions := session.New(a, session.Config{SignIn: "/sign-in"})
	mux := http.NewServeMux()
	mux.HandleFunc("/password", func(w http.ResponseWriter, r *http.Request) {
		if err := session.SignIn(w, r, session.User{Subject: "alice"}); err != nil {
			http.Error(w, "Try again later.", http.StatusServiceUnavailable)
		}
	})
	mux.Handle("/account", session.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello %s", session.Subject(r))
	})))
	mux.HandleFunc("/sign-out", func(w http.ResponseWriter, r *http.Request) {
		if err := session.SignOut(w, r); err != nil {
			http.Error(w, "You are still signed in; try again later.", http.StatusServiceUnavailable)
		}
	})
	visit(sessions, mux, "/account", "/password", "/account", "/sign-out", "/account")
	// Output:
	// /account: 303
	// /password: 200
	// /account: 200 hello alice
	// /sign-out: 200
	// /account: 303
}

// What is in a cart, from before the sign-in on.
func ExampleNewAttribute() {
	cart := session.NewAttribute[[]string]("cart")
	mux := http.NewServeMux()
	mux.HandleFunc("/add/{item}", func(w http.ResponseWriter, r *http.Request) {
		err := cart.Update(w, r, func(items []string, _ bool) ([]string, error) {
			return append(items, r.PathValue("item")), nil
		})
		if err != nil {
			http.Error(w, "It is not in your cart; try again.", http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("/cart", func(w http.ResponseWriter, r *http.Request) {
		items, _, err := cart.Get(r)
		fmt.Fprint(w, items, err)
	})
	mux.HandleFunc("/password", func(w http.ResponseWriter, r *http.Request) {
		_ = session.SignIn(w, r, session.User{Subject: "alice"})
	})
	mux.HandleFunc("/buy", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, cart.Delete(r))
	})
	visit(session.New(exampleAuthority(), session.Config{}), mux, "/add/tea", "/add/milk", "/password", "/cart", "/buy", "/cart")
	// Output:
	// /add/tea: 200
	// /add/milk: 200
	// /password: 200
	// /cart: 200 [tea milk] <nil>
	// /buy: 200 <nil>
	// /cart: 200 [] <nil>
}
