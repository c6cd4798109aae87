package bearer_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/bearer"
	"github.com/keyfob-dev/keyfob/client"
	"github.com/keyfob-dev/keyfob/keyfobtest"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// TestHeader: what is and what is not a bearer token.
func TestHeader(t *testing.T) {
	e := newEnv(t, memory.Open(), false, bearer.Config{})
	k := e.key(keyfob.APIKey{})
	text := k.Secret.Reveal()
	const none, request, invalid = `Bearer realm="api"`, `Bearer realm="api", error="invalid_request"`, `Bearer realm="api", error="invalid_token"`
	for _, test := range []struct {
		headers   []string
		status    int
		challenge string
		logged    error
	}{
		{[]string{"Bearer " + text}, 200, "", nil},
		{[]string{"bearer " + text}, 200, "", nil}, // RFC 9110, section 11.1
		{[]string{"BEARER   " + text}, 200, "", nil},
		{nil, 401, none, bearer.ErrNoToken},
		{[]string{""}, 401, none, bearer.ErrNoToken},
		{[]string{"Basic YTpi"}, 401, none, bearer.ErrNoToken},
		{[]string{text}, 401, none, bearer.ErrNoToken},
		{[]string{"Bearer" + text}, 401, none, bearer.ErrNoToken},
		{[]string{"Bearer"}, 400, request, bearer.ErrHeader},
		{[]string{"Bearer ="}, 400, request, bearer.ErrHeader},
		{[]string{"Bearer " + text + " " + text}, 400, request, bearer.ErrHeader},
		{[]string{"Bearer " + text + ","}, 400, request, bearer.ErrHeader},
		{[]string{"Bearer " + text + ", Basic YTpi"}, 400, request, bearer.ErrHeader},
		{[]string{"Bearer \t" + text}, 400, request, bearer.ErrHeader},
		{[]string{"Bearer\t" + text}, 401, none, bearer.ErrNoToken},
		{[]string{`Bearer "` + text + `"`}, 400, request, bearer.ErrHeader},
		{[]string{"Bearer =" + text}, 400, request, bearer.ErrHeader},
		{[]string{"Bearer tökén"}, 400, request, bearer.ErrHeader},
		{[]string{"Bearer " + text, "Bearer " + text}, 400, request, bearer.ErrHeader},
		{[]string{"Bearer " + text, "Basic YTpi"}, 400, request, bearer.ErrHeader},
		{[]string{"Bearer " + text + "="}, 401, invalid, keyfob.ErrMalformed},
		{[]string{"Bearer mF_9.B5f-4.1JqM~+/=="}, 401, invalid, keyfob.ErrMalformed},
		{[]string{"Bearer " + strings.Repeat("x", 100_000)}, 401, invalid, keyfob.ErrMalformed},
	} {
		a := e.ask("/any", test.headers...)
		if a.status != test.status || a.header.Get("WWW-Authenticate") != test.challenge || !errors.Is(a.logged, test.logged) {
			t.Errorf("%.80q: %d, %q, %v; want %d, %q, %v", test.headers, a.status, a.header.Get("WWW-Authenticate"), a.logged, test.status, test.challenge, test.logged)
		}
		if a.logged != nil && strings.Contains(a.logged.Error(), text) {
			t.Errorf("%v repeats the token", a.logged)
		}
	}
	for _, r := range []*http.Request{
		httptest.NewRequest("GET", "/any?access_token="+text, nil),
		httptest.NewRequest("POST", "/any", strings.NewReader("access_token="+text)),
	} {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Cookie", "access_token="+text)
		r.Header.Set("Proxy-Authorization", "Bearer "+text)
		w := httptest.NewRecorder()
		bearer.Require(e.a)(http.HandlerFunc(e.hello)).ServeHTTP(w, r)
		if w.Code != 401 {
			t.Errorf("a token in another place: %d", w.Code)
		}
	}
}

// TestReasons: each way of being refused, in process and through a client.
func TestReasons(t *testing.T) {
	each(t, bearer.Config{Realm: "notes"}, func(e *env) {
		ctx := e.Context()
		revoked, suspended, replaced := e.key(keyfob.APIKey{Scopes: []string{"read"}}), e.key(keyfob.APIKey{}), e.key(keyfob.APIKey{})
		e.must(e.a.Revoke(ctx, revoked.Credential.ID, ""))
		_, err := e.a.Suspend(ctx, suspended.Credential.ID, "")
		e.must(err)
		_, err = e.a.Rotate(ctx, replaced.Credential.ID, 0)
		e.must(err)
		expired := e.key(keyfob.APIKey{Expires: e.clock.Now().Add(time.Second)})
		e.clock.Advance(time.Second)
		exhausted := e.key(keyfob.APIKey{Uses: 1})
		if a := e.ask("/any", "Bearer "+exhausted.Secret.Reveal()); a.status != 200 {
			e.Errorf("a first use: %d", a.status)
		}
		elsewhere := e.key(keyfob.APIKey{CIDRs: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
		for _, test := range []struct {
			path   string
			key    keyfob.Issued
			status int
			reason string
		}{
			{"/read", e.key(keyfob.APIKey{Scopes: []string{"read"}}), 200, "ok"},
			{"/both", e.key(keyfob.APIKey{Scopes: []string{"write", "read"}}), 200, "ok"},
			{"/read", e.key(keyfob.APIKey{Scopes: []string{"reader"}}), 403, "scope"},
			{"/both", e.key(keyfob.APIKey{Scopes: []string{"read"}}), 403, "scope"},
			{"/read", revoked, 401, "revoked"},
			{"/any", suspended, 401, "suspended"},
			{"/any", replaced, 401, "replaced"},
			{"/any", expired, 401, "expired"},
			{"/any", exhausted, 401, "exhausted"},
			{"/any", elsewhere, 401, "ip"},
			{"/any", e.key(keyfob.APIKey{NotBefore: e.clock.Now().Add(time.Hour)}), 401, "not_yet"},
			{"/any", e.key(keyfob.APIKey{CIDRs: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}), 200, "ok"},
		} {
			a := e.ask(test.path, "Bearer "+test.key.Secret.Reveal())
			if a.status != test.status || keyfob.Reason(a.logged) != test.reason {
				e.Errorf("%s: %d, %v; want %d", test.reason, a.status, a.logged, test.status)
			}
			want := map[int]string{
				200: "", 401: `Bearer realm="notes", error="invalid_token"`,
				403: `Bearer realm="notes", error="insufficient_scope", scope="` + map[string]string{"/read": "read", "/both": "read write"}[test.path] + `"`,
			}[test.status]
			if got := a.header.Get("WWW-Authenticate"); got != want {
				e.Errorf("%s: %q, want %q", test.reason, got, want)
			}
			if test.status == 200 && (e.let[0].ID != test.key.Credential.ID || e.let[0].Versions[0].ID != test.key.Credential.Versions[0].ID) {
				e.Errorf("it came through as %+v", e.let[0])
			}
		}
	})
}

// TestUndecided: what cannot be decided is refused, and comes back by itself.
func TestUndecided(t *testing.T) {
	each(t, bearer.Config{}, func(e *env) {
		text := "Bearer " + e.key(keyfob.APIKey{}).Secret.Reveal()
		if a := e.ask("/any", text); a.status != 200 {
			e.Fatalf("before: %d", a.status)
		}
		e.must(e.a.Close(context.Background()))
		a := e.ask("/any", text)
		if a.status != 503 || !errors.Is(a.logged, keyfob.ErrUnavailable) || a.header.Get("WWW-Authenticate") != "" {
			e.Errorf("%d, %v, %v", a.status, a.logged, a.header)
		}
	})
}

// judging are verbs that judge so.
type judging struct {
	keyfob.Verbs
	judge func(check keyfob.Check) (keyfob.Verdict, error)
}

func (j judging) Judge(_ context.Context, _ string, check keyfob.Check) (keyfob.Verdict, error) {
	return j.judge(check)
}

// TestOtherErrors: an error that is not a verdict is no acceptance and no 401,
// whatever it is; a refusal for a reason that is not known is a refusal.
func TestOtherErrors(t *testing.T) {
	for _, test := range []struct {
		err    error
		status int
	}{
		{client.ErrUnauthenticated, 503},
		{client.ErrForbidden, 503},
		{client.ErrServer, 503},
		{keyfob.ErrSpace, 503},
		{keyfob.ErrRootKey, 503},
		{&keyfob.InputError{Field: "scopes", Problem: "is wrong"}, 503},
		{keyfob.ErrRevoked, 503}, // without ErrInvalid it is no verdict
		{context.Canceled, 503},
		{fmt.Errorf("%w: locked", keyfob.ErrInvalid), 401},
	} {
		h := bearer.Require(judging{judge: func(keyfob.Check) (keyfob.Verdict, error) { return keyfob.Verdict{}, test.err }})
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer x")
		h(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Errorf("%v came through", test.err) })).ServeHTTP(w, r)
		if w.Code != test.status {
			t.Errorf("%v: %d, want %d", test.err, w.Code, test.status)
		}
	}
}

// TestRateLimit: what the headers say can be relied on.
func TestRateLimit(t *testing.T) {
	each(t, bearer.Config{}, limited)
}

func limited(e *env) {
	e.Helper()
	text := "Bearer " + e.key(keyfob.APIKey{Scopes: []string{"read"}, Limit: keyfob.Limit{Rate: 6, Per: time.Minute, Burst: 2}}).Secret.Reveal()
	want := func(status int, limit, after string) {
		e.Helper()
		a := e.ask("/any", text)
		if a.status != status || a.header.Get("RateLimit") != limit || a.header.Get("RateLimit-Policy") != `"key";q=6;w=60` || a.header.Get("Retry-After") != after {
			e.Errorf("%d, %q, %q, %q", a.status, a.header.Get("RateLimit"), a.header.Get("RateLimit-Policy"), a.header.Get("Retry-After"))
		}
	}
	want(200, `"key";r=1`, "")
	want(200, `"key";r=0;t=10`, "")
	e.clock.Advance(2500 * time.Millisecond)
	want(429, `"key";r=0;t=8`, "8") // rounded up
	e.clock.Advance(7 * time.Second)
	want(429, `"key";r=0;t=1`, "1")
	if a := e.ask("/both", text); a.status != 403 || a.header.Get("RateLimit") != "" {
		e.Errorf("a refusal for a scope: %d, %v", a.status, a.header)
	}
	e.clock.Advance(time.Second)
	want(200, `"key";r=0;t=10`, "")

	if a := e.ask("/any", "Bearer "+e.key(keyfob.APIKey{}).Secret.Reveal()); a.header.Get("RateLimit") != "" || a.header.Get("RateLimit-Policy") != "" {
		e.Errorf("without a limit: %v", a.header)
	}
}

// TestNoMeter: a refusal by a server that does not say more has a Retry-After.
func TestNoMeter(t *testing.T) {
	h := bearer.Require(judging{judge: func(keyfob.Check) (keyfob.Verdict, error) {
		return keyfob.Verdict{}, fmt.Errorf("%w: %w", keyfob.ErrInvalid, keyfob.ErrRateLimited)
	}})
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer x")
	h(http.NotFoundHandler()).ServeHTTP(w, r)
	if w.Code != 429 || w.Header().Get("Retry-After") != "1" || w.Header().Get("RateLimit") != "" {
		t.Errorf("without a meter: %d, %v", w.Code, w.Header())
	}
}

// TestClientIP: the address is the connection's, or what Config.ClientIP says; no
// header that a client can set counts by itself.
func TestClientIP(t *testing.T) {
	var got keyfob.Check
	verbs := judging{judge: func(check keyfob.Check) (keyfob.Verdict, error) {
		got = check
		return keyfob.Verdict{}, nil
	}}
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	ask := func(h http.Handler, remote string) netip.Addr {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = remote
		r.Header.Set("Authorization", "Bearer x")
		r.Header.Set("X-Forwarded-For", "203.0.113.9")
		r.Header.Set("Forwarded", "for=203.0.113.9")
		h.ServeHTTP(httptest.NewRecorder(), r)
		return got.IP
	}
	for remote, want := range map[string]string{
		"192.0.2.1:1234": "192.0.2.1", "[2001:db8::1]:1": "2001:db8::1", "[::ffff:192.0.2.1]:1": "192.0.2.1",
		"[fe80::1%eth0]:1": "fe80::1", "@": "invalid IP", "": "invalid IP", "192.0.2.1": "invalid IP",
	} {
		if ip := ask(bearer.Require(verbs)(ok), remote); ip.String() != want {
			t.Errorf("%q is %v, want %s", remote, ip, want)
		}
	}
	proxied := bearer.Config{ClientIP: func(r *http.Request) netip.Addr {
		ip, _ := netip.ParseAddr(r.Header.Get("X-Forwarded-For"))
		return ip
	}}
	if ip := ask(proxied.Require(verbs)(ok), "192.0.2.1:1"); ip.String() != "203.0.113.9" {
		t.Errorf("by ClientIP it is %v", ip)
	}
}

// TestUnixSocket: over a socket that has no addresses, a key for a network is
// refused and others are not.
func TestUnixSocket(t *testing.T) {
	e := newEnv(t, memory.Open(), false, bearer.Config{})
	dir, err := os.MkdirTemp("", "kf") // t.TempDir's names can be too long for a socket
	e.must(err)
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	e.must(err)
	ts := &httptest.Server{Listener: l, Config: &http.Server{Handler: bearer.Require(e.a)(http.HandlerFunc(e.hello))}}
	ts.Start()
	defer ts.Close()
	c := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
	defer c.CloseIdleConnections()
	for _, test := range []struct {
		key    keyfob.APIKey
		status int
	}{{keyfob.APIKey{}, 200}, {keyfob.APIKey{CIDRs: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}}, 401}} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://x/", nil)
		e.must(err)
		r.Header.Set("Authorization", "Bearer "+e.key(test.key).Secret.Reveal())
		resp, err := c.Do(r)
		e.must(err)
		resp.Body.Close()
		if resp.StatusCode != test.status {
			t.Errorf("%d, want %d", resp.StatusCode, test.status)
		}
	}
}

// TestFrom: there is no key where no middleware was passed, and of two guards the
// inner one's.
func TestFrom(t *testing.T) {
	if _, ok := bearer.From(t.Context()); ok {
		t.Error("a key out of nowhere")
	}
	named := func(id string) keyfob.Verbs {
		return judging{judge: func(keyfob.Check) (keyfob.Verdict, error) {
			return keyfob.Verdict{Credential: keyfob.Credential{ID: id}}, nil
		}}
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer x")
	var got keyfob.Credential
	h := bearer.Require(named("outer"))(bearer.Require(named("inner"))(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got, _ = bearer.From(r.Context())
	})))
	h.ServeHTTP(httptest.NewRecorder(), r)
	if got.ID != "inner" {
		t.Errorf("got %q", got.ID)
	}
}

// TestWrongArguments: what only a programmer can get wrong panics.
func TestWrongArguments(t *testing.T) {
	a, _ := keyfobtest.New(t)
	for name, do := range map[string]func(){
		"scope":  func() { bearer.Require(a, "a b") },
		"quote":  func() { bearer.Require(a, `a"b`) },
		"twice":  func() { bearer.Require(a, "a", "a") },
		"nobody": func() { bearer.Require(nil) },
		"realm":  func() { bearer.Config{Realm: `a"b`}.Require(a) },
		"line":   func() { bearer.Config{Realm: "a\r\nb"}.Require(a) },
	} {
		func() {
			defer func() {
				if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "bearer: ") {
					t.Errorf("%s: panics with %q", name, text)
				}
			}()
			do()
		}()
	}
	scopes := []string{"read"}
	var got []string
	guard := bearer.Require(judging{judge: func(check keyfob.Check) (keyfob.Verdict, error) { got = check.Scopes; return keyfob.Verdict{}, nil }}, scopes...)
	scopes[0] = "changed"
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer x")
	guard(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
	if !slices.Equal(got, []string{"read"}) {
		t.Errorf("the scopes became %v", got)
	}
}
