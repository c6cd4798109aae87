package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
)

// generated answers as serve does, but leaves a verification to generated code.
func (s *Server) generated(w http.ResponseWriter, r *http.Request) {
	x := &exchange{ResponseWriter: w, server: s, method: r.Method, start: time.Now(), route: nowhere}
	x.work.parent, x.work.deadline = r.Context(), time.Now().Add(time.Minute)
	x.ctx = requestContext{&x.work, x}
	op, err := x.find(r)
	if err == nil {
		err = x.admit(r, op)
	}
	if err != nil {
		x.fail(err)
		return
	}
	x.body.Reset(x.body.text.Bytes()) // what was read at once is there to be read again
	s.api.ServeHTTP(x, x.request(r))
}

// TestVerifyAsGenerated: whatever is asked, in any spelling, the answer of the way
// that verifications go is that of generated code.
func TestVerifyAsGenerated(t *testing.T) {
	e := newEnv(t, Limits{})
	s, err := New(Config{Authority: e.a, Logger: slog.New(slog.DiscardHandler)})
	e.must(err)
	good := e.key("acme", "read").Secret.Reveal()
	revoked := e.key("acme", "read")
	e.must(e.a.In("acme").Revoke(t.Context(), revoked.Credential.ID, "gone"))
	limited, err := e.a.In("acme").Issue(t.Context(), keyfob.APIKey{
		Subject: "a\"b\\c<é>\u00a0", Name: "n", Scopes: []string{"read", "write"}, Attributes: map[string]string{"team": "x/y"},
		Limit: keyfob.Limit{Rate: 5, Per: time.Hour, Burst: 4}, Expires: time.Now().Add(time.Hour),
	})
	e.must(err)
	session, err := e.a.In("acme").Issue(t.Context(), keyfob.Session{Subject: "alice", Attributes: map[string]string{"theme": "dark"}})
	e.must(err)
	escaped := strings.ReplaceAll(good, "_", `\u005f`)
	for _, body := range []string{
		`{"token":"` + good + `"}`, ` { "scopes" : [ "read" ] , "token" : "` + good + `" } `, `{"token":"` + escaped + `","kind":"apikey","ip":"192.0.2.1"}`,
		`{"token":"` + good + `","scopes":["write"]}`, `{"token":"` + good + `","scopes":["re ad"]}`, `{"token":"` + good + `","scopes":[]}`,
		`{"token":"` + revoked.Secret.Reveal() + `"}`, `{"token":"x"}`, `{"token":""}`, `{"token":"\u0000é"}`, `{"token":"é"}`,
		`{"token":"` + good + `","kind":""}`, `{"token":"` + good + `","kind":"link"}`, `{"token":"` + good + `","kind":"session"}`, `{"token":"` + good + `","ip":""}`, `{"token":"` + good + `","ip":"fe80::1%eth0"}`,
		`{}`, ``, `[]`, `{"token":"a","token":"a"}`, `{"token":"a"}}`, `{"token":"a","x":"y"}`, `{"token":1}`, `{"token":"a","scopes":[1]}`, `{"token":"\ud800"}`,
		`{"token":"` + session.Secret.Reveal() + `","kind":"session"}`, `{"token":"` + session.Secret.Reveal() + `"}`,
		`{"token":"` + limited.Secret.Reveal() + `","scopes":["write","read"]}`,
	} {
		ask := func(h http.HandlerFunc) (int, http.Header, map[string]any) {
			r := httptest.NewRequest("POST", "/v1/spaces/acme/verify", strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+e.owner)
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			h(w, r)
			var v map[string]any
			e.must(json.Unmarshal(w.Body.Bytes(), &v))
			// What differs from one request to the next, or from one moment to it.
			for _, name := range []string{"Cache-Control", "X-Content-Type-Options", "Referrer-Policy", RequestIDHeader} {
				w.Header().Del(name)
			}
			delete(v, "instance")
			delete(v, "staleness_ms")
			if limit, ok := v["limit"].(map[string]any); ok {
				limit["remaining"], limit["reset"] = nil, nil
			}
			return w.Code, w.Header(), v
		}
		status, header, got := ask(s.serve)
		wantStatus, wantHeader, want := ask(s.generated)
		if status != wantStatus || !reflect.DeepEqual(header, wantHeader) || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%d %v %v, want\n%d %v %v", body, status, header, got, wantStatus, wantHeader, want)
		}
	}
}

// TestVerifyJudgesTheGivenIP: the address in the body is what is judged, exactly, in
// any spelling of it.
func TestVerifyJudgesTheGivenIP(t *testing.T) {
	e := newEnv(t, Limits{})
	k, err := e.a.Issue(t.Context(), keyfob.APIKey{Subject: "alice", CIDRs: []netip.Prefix{netip.MustParsePrefix("192.0.2.7/32")}})
	e.must(err)
	for ip, reason := range map[string]string{
		"192.0.2.7": "ok", `192.0.2.\u0037`: "ok", "::ffff:192.0.2.7": "ok", "192.0.2.8": "ip", "192.0.2.6": "ip", `192.0.2.\u0038`: "ip",
	} {
		a := e.want(e.ask(e.owner, "POST", "/v1/spaces/default/verify", `{"token":"`+k.Secret.Reveal()+`","ip":"`+ip+`"}`), 200, "")
		if a.json["reason"] != reason {
			t.Errorf("from %s: %v, want %s", ip, a, reason)
		}
	}
}

// TestPoolOfBuffers: a buffer that is given back holds nothing of what it held, and
// one that has grown large is not kept.
func TestPoolOfBuffers(t *testing.T) {
	b := bytes.NewBufferString("secret")
	text := b.Bytes()
	putBuffer(b)
	if string(text) != "\x00\x00\x00\x00\x00\x00" || b.Len() != 0 {
		t.Errorf("it holds %q", text)
	}
	large := new(bytes.Buffer)
	large.Grow(mostKept + 1)
	putBuffer(large)
	for range 1000 {
		if buffers.Get() == any(large) {
			t.Fatal("a large buffer is kept")
		}
	}
}

// TestLargeVerdicts: what does not fit into net/http's own buffer arrives whole.
func TestLargeVerdicts(t *testing.T) {
	e := newEnv(t, Limits{})
	attributes := map[string]string{}
	for i := range 16 {
		attributes[fmt.Sprint("k", i)] = strings.Repeat("v", 200)
	}
	k, err := e.a.Issue(t.Context(), keyfob.APIKey{Subject: "alice", Attributes: attributes})
	e.must(err)
	for range 3 {
		a := e.want(e.ask(e.owner, "POST", "/v1/spaces/default/verify", map[string]any{"token": k.Secret.Reveal()}), 200, "")
		got, _ := a.json["credential"].(map[string]any)["attributes"].(map[string]any)
		if len(got) != 16 || got["k7"] != attributes["k7"] {
			t.Errorf("%v", a)
		}
	}
}

// brokenWriter keeps what it could not write, as net/http does for a while where
// an HTTP/2 stream was reset.
type brokenWriter struct {
	httptest.ResponseRecorder
	kept []byte
}

func (w *brokenWriter) Write(b []byte) (int, error) {
	w.kept = b
	return 0, io.ErrClosedPipe
}

// TestAnswerThatFailsIsLeftAlone: what may yet be sent is neither cleared nor
// filled with another request.
func TestAnswerThatFailsIsLeftAlone(t *testing.T) {
	e := newEnv(t, Limits{})
	s, err := New(Config{Authority: e.a, Logger: slog.New(slog.DiscardHandler)})
	e.must(err)
	verify := func(w http.ResponseWriter) {
		r := httptest.NewRequest("POST", "/v1/spaces/acme/verify", strings.NewReader(`{"token":"x"}`))
		r.Header.Set("Authorization", "Bearer "+e.owner)
		r.Header.Set("Content-Type", "application/json")
		s.Handler().ServeHTTP(w, r)
	}
	for range 20 { // a pool need not give back what it got
		var w brokenWriter
		verify(&w)
		verify(httptest.NewRecorder())
		if want := `{"valid":false,"reason":"malformed","staleness_ms":0}`; string(w.kept) != want {
			t.Fatalf("%q, want %q", w.kept, want)
		}
	}
}
