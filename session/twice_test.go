package session_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/keyfobtest"
	"github.com/keyfob-dev/keyfob/session"
)

// Nobody is told to be signed out whose session was not found among two cookies.
func TestSignOutOfTwo(t *testing.T) {
	a, clock := keyfobtest.New(t)
	issued, err := a.Issue(t.Context(), keyfob.Session{Subject: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	h := session.New(a, session.Config{Now: clock.Now}).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err = session.SignOut(w, r)
	}))
	for cookies, want := range map[string]error{
		"__Host-session=" + issued.Secret.Reveal() + "; __Host-session=x": session.ErrTwice,
		"other=x": nil,
	} {
		r := httptest.NewRequest("POST", "https://app.example/sign-out", nil)
		r.Header.Set("Cookie", cookies)
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); !errors.Is(err, want) || (err != nil) != (len(w.Result().Cookies()) == 0) {
			t.Errorf("%v, want %v; cookies %v", err, want, len(w.Result().Cookies()))
		}
	}
	if _, err := a.Verify(t.Context(), issued.Secret.Reveal(), keyfob.Check{Kind: keyfob.KindSession}); err != nil {
		t.Errorf("the session: %v", err)
	}
}
