package session_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/keyfobtest"
	"github.com/keyfob-dev/keyfob/session"
)

// A discard is a http.ResponseWriter that costs next to nothing.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

// readOnly returns what answers one request whose session is known, with two other
// cookies beside its own, and an attribute.
func readOnly(t testing.TB) func() {
	a, clock := keyfobtest.New(t)
	issued, err := a.Issue(t.Context(), keyfob.Session{Subject: "alice", Attributes: map[string]string{"theme": "dark"}})
	if err != nil {
		t.Fatal(err)
	}
	theme, called := session.NewAttribute[string]("theme"), 0
	h := session.New(a, session.Config{Now: clock.Now}).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if value, _, err := theme.Get(r); session.Subject(r) != "alice" || value != "dark" || err != nil {
			t.Errorf("%q, %q, %v", session.Subject(r), value, err)
		}
		called++
	}))
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", "a=b; __Host-session="+issued.Secret.Reveal()+"; c=d")
	w := &discard{http.Header{}}
	return func() {
		clear(w.header)
		was := called
		if h.ServeHTTP(w, r); called != was+1 {
			t.Error("the handler was not called once")
		}
	}
}

func BenchmarkReadOnly(b *testing.B) {
	ask := readOnly(b)
	ask()
	b.ReportAllocs()
	for b.Loop() {
		ask()
	}
}
