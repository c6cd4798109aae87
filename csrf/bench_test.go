package csrf_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/csrf"
)

func BenchmarkNew(b *testing.B) {
	k := newKey(b, csrf.Config{})
	b.ReportAllocs()
	for b.Loop() {
		k.New("session-1", start)
	}
}

func BenchmarkCheck(b *testing.B) {
	k := newKey(b, csrf.Config{})
	token := newToken(b, k, "session-1", start)
	for _, c := range []struct{ name, id, token string }{
		{"right", "session-1", token}, {"another id", "session-2", token}, {"malformed", "session-1", token[1:]},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				k.Check(c.id, c.token, start)
			}
		})
	}
}

// BenchmarkProtect is a POST with its token in the header, and what it costs above a
// handler that nothing protects.
func BenchmarkProtect(b *testing.B) {
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	k := newKey(b, csrf.Config{})
	protect := func(session func(*http.Request) string) http.Handler {
		return csrf.Protect(csrf.Protection{Keys: []csrf.Key{k}, Session: session}).Handler(ok)
	}
	for _, c := range []struct {
		name string
		h    http.Handler
	}{
		{"nothing", ok},
		{"session", protect(func(*http.Request) string { return "7Gq2mZr0TkXb4yVd" })},
		{"pre-session", protect(nil)},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := httptest.NewRequest("POST", "https://app.example/email", nil)
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			r.Header.Set("Origin", "https://app.example")
			if c.name == "session" {
				r.Header.Set("X-CSRF-Token", newToken(b, k, "session/7Gq2mZr0TkXb4yVd", time.Now()))
			} else {
				value := strings.Repeat("x", 43)
				r.Header.Set("Cookie", "__Host-csrf="+value)
				r.Header.Set("X-CSRF-Token", newToken(b, k, "presession/"+value, time.Now()))
			}
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				c.h.ServeHTTP(w, r)
				if w.Code != http.StatusNoContent {
					b.Fatal(w.Code)
				}
			}
		})
	}
}
