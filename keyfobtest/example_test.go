package keyfobtest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/keyfobtest"
)

// guarded is what these examples test: a handler for those who hold a key with
// the scope read.
func guarded(a *keyfob.Authority) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		_, err := a.Verify(r.Context(), text, keyfob.Check{Scopes: []string{"read"}})
		switch {
		case keyfob.Reason(err) == "": // nothing could be decided
			http.Error(w, "try again later", http.StatusServiceUnavailable)
		case err != nil:
			http.Error(w, "not valid", http.StatusUnauthorized)
		}
	})
}

func ask(h http.Handler, token string) (status int) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func ExampleNew() {
	var t *testing.T // your test's

	a, clock := keyfobtest.New(t)
	key, err := a.Issue(t.Context(), keyfob.APIKey{
		Subject: "alice", Scopes: []string{"read"}, Expires: clock.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(guarded(a), key.Secret.Reveal()); got != http.StatusOK {
		t.Errorf("a good key: %d", got)
	}
}

func ExampleClock_Advance() {
	var t *testing.T // your test's

	a, clock := keyfobtest.New(t)
	key, err := a.Issue(t.Context(), keyfob.APIKey{
		Subject: "alice", Scopes: []string{"read"}, Expires: clock.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	if got := ask(guarded(a), key.Secret.Reveal()); got != http.StatusUnauthorized {
		t.Errorf("an expired key: %d", got)
	}
}

func ExampleClock_Now() {
	var t *testing.T // your test's

	a, clock := keyfobtest.New(t)
	key, err := a.Issue(t.Context(), keyfob.APIKey{Subject: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	if !key.Credential.Created.Equal(clock.Now()) {
		t.Error("it was not issued now")
	}
}

func ExampleClock_Set() {
	var clock keyfobtest.Clock // its Now is for code of yours too, in the place of time.Now
	clock.Set(time.Date(2026, time.December, 31, 23, 59, 59, 0, time.UTC))
	fmt.Println(clock.Now().Year())
	clock.Advance(time.Second)
	fmt.Println(clock.Now().Year())
	// Output:
	// 2026
	// 2027
}

// What the program does while the store is down.
func ExampleNew_unavailable() {
	var t *testing.T // your test's

	a, _ := keyfobtest.New(t)
	key, err := a.Issue(t.Context(), keyfob.APIKey{Subject: "alice", Scopes: []string{"read"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := ask(guarded(a), key.Secret.Reveal()); got != http.StatusServiceUnavailable {
		t.Errorf("while nothing can be verified: %d", got)
	}
}
