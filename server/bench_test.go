//go:build unix

package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// benchAuthority returns an Authority, the owner's token and another.
func benchAuthority(b *testing.B) (a *keyfob.Authority, owner, token string) {
	rk, err := keyfob.CreateRootKey(filepath.Join(b.TempDir(), "root.key"))
	if err != nil {
		b.Fatal(err)
	}
	a, err = keyfob.Open(b.Context(), keyfob.Config{Store: memory.Open(), RootKey: rk})
	if err != nil {
		b.Fatal(err)
	}
	issue := func(in *keyfob.Authority, scope string) string {
		k, err := in.Issue(b.Context(), keyfob.APIKey{Subject: "alice", Scopes: []string{scope}})
		if err != nil {
			b.Fatal(err)
		}
		return k.Secret.Reveal()
	}
	return a, issue(a.In(keyfob.OwnSpace), OwnerScope), issue(a, "read")
}

// discard is an answer that nobody reads.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

// BenchmarkVerify is a verification from the request on, without net/http's own
// part and with a store in memory.
func BenchmarkVerify(b *testing.B) {
	a, owner, token := benchAuthority(b)
	s, err := New(Config{Authority: a, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		b.Fatal(err)
	}
	h := s.Handler()
	body := `{"token":"` + token + `","scopes":["read"]}`
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequestWithContext(b.Context(), "POST", "/v1/spaces/default/verify", strings.NewReader(body))
		r.Header["Content-Type"] = []string{"application/json"}
		r.Header["Authorization"] = []string{"Bearer " + owner}
		h.ServeHTTP(&discard{http.Header{}}, r)
	}
}

// BenchmarkVerifyAuthority is what the two verifications of BenchmarkVerify
// (caller and token) cost by themselves.
func BenchmarkVerifyAuthority(b *testing.B) {
	a, owner, token := benchAuthority(b)
	callers := a.In(keyfob.OwnSpace)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := callers.Verify(b.Context(), owner, keyfob.Check{}); err != nil {
			b.Fatal(err)
		}
		if _, err := a.Verify(b.Context(), token, keyfob.Check{Scopes: []string{"read"}}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOverHTTP is the same over a connection, beside a floor: a handler on
// net/http that decodes the same JSON, computes two HMACs and answers in JSON.
// The client takes part in the figures of both; cpu-µs/op is of the process.
func BenchmarkOverHTTP(b *testing.B) {
	a, owner, token := benchAuthority(b)
	s, err := New(Config{Authority: a, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		b.Fatal(err)
	}
	body := `{"token":"` + token + `","scopes":["read"]}`
	request := fmt.Sprintf("POST /v1/spaces/default/verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", owner, len(body), body)
	b.Run("floor", func(b *testing.B) { overHTTP(b, http.HandlerFunc(floor), request) })
	b.Run("verify", func(b *testing.B) { overHTTP(b, s.Handler(), request) })
}

func floor(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Token  string   `json:"token"`
		Scopes []string `json:"scopes"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		w.WriteHeader(400)
		return
	}
	var key [32]byte
	for _, text := range []string{in.Token, r.Header.Get("Authorization")} {
		h := hmac.New(sha256.New, key[:])
		h.Write([]byte(text))
		h.Sum(nil)
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"valid": true, "reason": "ok", "subject": "alice", "scopes": in.Scopes})
}

func overHTTP(b *testing.B, h http.Handler, request string) {
	server := httptest.NewServer(h)
	defer server.Close()
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	in := make([]byte, 4096)
	start := cpu(b)
	for b.Loop() {
		if _, err := io.WriteString(c, request); err != nil {
			b.Fatal(err)
		}
		n, err := c.Read(in)
		if err != nil || !strings.HasPrefix(string(in[:n]), "HTTP/1.1 200 ") {
			b.Fatalf("%v: %s", err, in[:n])
		}
	}
	b.ReportMetric(float64((cpu(b)-start).Microseconds())/float64(b.N), "cpu-µs/op")
}

// cpu is the time that the process has computed.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
