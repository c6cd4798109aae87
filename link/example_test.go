package link_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/link"
	"github.com/keyfob-dev/keyfob/random"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// exampleAuthority is an Authority for the example.
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

// A password reset, from the form to the mail to the new password.
func ExampleNew() {
	a := exampleAuthority() // or a *client.Client
	mail := make(chan link.Message, 1)
	reset, err := link.New(link.Config{
		Verbs: a, Purpose: "password-reset", Base: "https://app.example/reset",
		Find: func(_ context.Context, typed string) (link.Account, error) {
			if strings.ToLower(typed) == "alice@example.com" {
				return link.Account{Subject: "alice", Address: "alice@example.com"}, nil
			}
			return link.Account{}, nil // nobody: no mail
		},
		Mail: func(_ context.Context, m link.Message) error {
			mail <- m // with m.URL in its text, to m.Account.Address
			return nil
		},
		Done: func(w http.ResponseWriter, _ *http.Request, c keyfob.Credential) {
			fmt.Fprintf(w, "a new password for %s", c.Subject)
		},
	})
	if err != nil {
		panic(err)
	}
	defer reset.Close(context.Background())
	mux := http.NewServeMux()
	mux.Handle("POST /forgot", reset.Request())
	mux.Handle("GET /reset", reset.Confirm())
	mux.Handle("POST /reset", reset.Redeem())

	fmt.Println(form(mux, "/forgot", "email", "nobody@example.com").Code)
	fmt.Println(form(mux, "/forgot", "email", "alice@example.com").Code)
	address, err := url.Parse((<-mail).URL.Reveal())
	if err != nil {
		panic(err)
	}
	page := httptest.NewRecorder() // what a scanner of mail does as well
	mux.ServeHTTP(page, httptest.NewRequest("GET", address.RequestURI(), nil))
	fmt.Println(page.Code)
	token := address.Query().Get("token")
	fmt.Println(form(mux, "/reset", "token", token).Body)
	fmt.Println(form(mux, "/reset", "token", token).Code)
	// Output:
	// 202
	// 202
	// 200
	// a new password for alice
	// 403
}

// form posts a form as a browser does.
func form(h http.Handler, path, field, value string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", path, strings.NewReader(url.Values{field: {value}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
