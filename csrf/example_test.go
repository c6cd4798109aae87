package csrf_test

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/keyfob-dev/keyfob/csrf"
	"github.com/keyfob-dev/keyfob/random"
)

func ExampleKey_New() {
	secret := random.Bytes(csrf.KeySize) // to be kept where secrets are
	key, err := csrf.NewKey(secret, csrf.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := key.New("7Gq2mZr0TkXb4yVd", time.Now()) // into a hidden field of the form
	fmt.Println(len(token), err)
	// Output: 72 <nil>
}

func ExampleKey_Check() {
	key, err := csrf.NewKey(random.Bytes(csrf.KeySize), csrf.Config{Lifetime: time.Hour})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Now()
	token, err := key.New("7Gq2mZr0TkXb4yVd", now)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(key.Check("7Gq2mZr0TkXb4yVd", token, now.Add(time.Minute)))
	fmt.Println(key.Check("0000000000000000", token, now.Add(time.Minute)))
	fmt.Println(key.Check("7Gq2mZr0TkXb4yVd", token, now.Add(2*time.Hour)))
	fmt.Println(key.Check("7Gq2mZr0TkXb4yVd", "token", now))
	// Output:
	// <nil>
	// token of another session or key
	// expired token: it was made 2h0m0s ago, and lives 1h0m0s
	// malformed token: it has 5 characters, and has to have 72
}

// A handler refuses whatever Check does not accept, and tells the browser no more.
func ExampleKey_Check_handler() {
	key, err := csrf.NewKey(random.Bytes(csrf.KeySize), csrf.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	sessionOf := func(*http.Request) string { return "7Gq2mZr0TkXb4yVd" } // from the cookie
	http.HandleFunc("POST /email", func(w http.ResponseWriter, r *http.Request) {
		if err := key.Check(sessionOf(r), r.PostFormValue("csrf"), time.Now()); err != nil {
			http.Error(w, "The form has expired. Please load the page again.", http.StatusForbidden)
			return
		}
		// change the address
	})
}

// While a key is replaced, tokens of the old one are still accepted.
func ExampleNewKey() {
	oldKey, err1 := csrf.NewKey(random.Bytes(csrf.KeySize), csrf.Config{})
	newKey, err2 := csrf.NewKey(random.Bytes(csrf.KeySize), csrf.Config{})
	if err := errors.Join(err1, err2); err != nil {
		fmt.Println(err)
		return
	}
	check := func(id, token string, now time.Time) error {
		err := newKey.Check(id, token, now)
		if errors.Is(err, csrf.ErrMismatch) {
			err = oldKey.Check(id, token, now)
		}
		return err
	}
	token, _ := oldKey.New("7Gq2mZr0TkXb4yVd", time.Now())
	fmt.Println(check("7Gq2mZr0TkXb4yVd", token, time.Now()))
	// Output: <nil>
}
