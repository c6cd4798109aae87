package session_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"time"

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

// visit serves h, and prints what one browser is answered at each path.
func visit(h http.Handler, paths ...string) {
	server := httptest.NewTLSServer(h)
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
	visit(sessions.Handler(mux), "/account", "/password", "/account", "/sign-out", "/account")
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
	visit(session.New(exampleAuthority(), session.Config{}).Handler(mux), "/add/tea", "/add/milk", "/password", "/cart", "/buy", "/cart")
	// Output:
	// /add/tea: 200
	// /add/milk: 200
	// /password: 200
	// /cart: 200 [tea milk] <nil>
	// /buy: 200 <nil>
	// /cart: 200 [] <nil>
}

// A second factor: the password gives a session of nobody that knows the time, and
// the code signs in.
func ExampleSignIn() {
	began := session.NewAttribute[time.Time]("began")
	mux := http.NewServeMux()
	mux.HandleFunc("/password", func(w http.ResponseWriter, r *http.Request) {
		if err := began.Set(w, r, session.Arrived(r)); err != nil {
			http.Error(w, "Try again later.", http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("/code", func(w http.ResponseWriter, r *http.Request) {
		since, ok, err := began.Get(r)
		if !ok || err != nil {
			http.Error(w, "The password comes first.", http.StatusForbidden)
			return
		}
		err = session.SignIn(w, r, session.User{Subject: "alice", Since: since, Remembered: true})
		switch {
		case errors.Is(err, keyfob.ErrConflict): // the password was reset meanwhile
			http.Error(w, "Begin anew.", http.StatusForbidden)
		case err != nil:
			http.Error(w, "Try again later.", http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, session.Subject(r)) })
	visit(session.New(exampleAuthority(), session.Config{}).Handler(mux), "/code", "/password", "/code", "/")
	// Output:
	// /code: 403 The password comes first.
	// /password: 200
	// /code: 200
	// /: 200 alice
}

// A new password: who had signed in elsewhere has not any more, and here the user
// goes on.
func ExampleSignOutEverywhere() {
	mux := http.NewServeMux()
	mux.HandleFunc("/reset", func(w http.ResponseWriter, r *http.Request) {
		// The link was good, and the new password is written. Then:
		err := session.SignOutEverywhere(w, r, "alice", "password reset")
		if err == nil {
			err = session.SignIn(w, r, session.User{Subject: "alice"})
		}
		if err != nil {
			http.Error(w, "Try again later.", http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, session.Subject(r)) })
	visit(session.New(exampleAuthority(), session.Config{}).Handler(mux), "/reset", "/")
	// Output:
	// /reset: 200
	// /: 200 alice
}

// The page on which users see where they have signed in, and end what is not theirs.
func ExampleList() {
	mux := http.NewServeMux()
	mux.HandleFunc("/password", func(w http.ResponseWriter, r *http.Request) {
		_ = session.SignIn(w, r, session.User{Subject: "alice", Attributes: map[string]string{"browser": "Lynx"}})
	})
	mux.HandleFunc("/sessions", func(w http.ResponseWriter, r *http.Request) {
		all, err := session.List(r)
		own, _ := session.From(r.Context())
		for _, c := range all {
			fmt.Fprint(w, c.Attributes["browser"], ", this one: ", c.ID == own.ID)
		}
		if err != nil {
			fmt.Fprint(w, err)
		}
	})
	mux.HandleFunc("/end", func(w http.ResponseWriter, r *http.Request) {
		err := session.Revoke(r, r.FormValue("id"), "by its user")
		fmt.Fprint(w, errors.Is(err, keyfob.ErrNotFound))
	})
	visit(session.New(exampleAuthority(), session.Config{}).Handler(mux), "/password", "/sessions", "/end?id=0000000000000000")
	// Output:
	// /password: 200
	// /sessions: 200 Lynx, this one: true
	// /end?id=0000000000000000: 200 true
}

// What a token against requests of other sites is bound to changes with each step, and
// so tokens of the step before end.
func ExampleBinding() {
	mux := http.NewServeMux()
	bindings := map[string]bool{}
	note := func(w http.ResponseWriter, r *http.Request) {
		bindings[session.Binding(r)] = true
		fmt.Fprint(w, len(bindings), " so far")
	}
	mux.HandleFunc("/form", func(w http.ResponseWriter, r *http.Request) {
		if err := session.Start(w, r); err != nil {
			http.Error(w, "Try again later.", http.StatusServiceUnavailable)
			return
		}
		note(w, r)
	})
	mux.HandleFunc("/password", func(w http.ResponseWriter, r *http.Request) {
		_ = session.SignIn(w, r, session.User{Subject: "alice"})
		note(w, r)
	})
	mux.HandleFunc("/factor", func(w http.ResponseWriter, r *http.Request) {
		if err := session.Renew(w, r); err != nil {
			http.Error(w, "Begin anew.", http.StatusForbidden)
			return
		}
		note(w, r)
	})
	visit(session.New(exampleAuthority(), session.Config{}).Handler(mux), "/form", "/form", "/password", "/factor")
	// Output:
	// /form: 200 1 so far
	// /form: 200 1 so far
	// /password: 200 2 so far
	// /factor: 200 3 so far
}
