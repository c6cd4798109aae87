package csrf_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/keyfob-dev/keyfob/csrf"
)

// What only a programmer gets wrong panics, with a sentence.
func TestWrongProtection(t *testing.T) {
	keys := []csrf.Key{newKey(t, csrf.Config{})}
	for name, p := range map[string]csrf.Protection{
		"no key":              {},
		"a zero key":          {Keys: append([]csrf.Key{{}}, keys...)},
		"a zero key later":    {Keys: append(keys[:1:1], csrf.Key{})},
		"Header":              {Keys: keys, Header: "X CSRF"},
		"Field":               {Keys: keys, Field: `a"b`},
		"MaxForm":             {Keys: keys, MaxForm: -1},
		"a host":              {Keys: keys, Origins: []string{"app.example"}},
		"a path":              {Keys: keys, Origins: []string{"https://app.example/"}},
		"a usual port":        {Keys: keys, Origins: []string{"https://app.example:443"}},
		"a capital":           {Keys: keys, Origins: []string{"https://App.example"}},
		"null":                {Keys: keys, Origins: []string{"null"}},
		"a later origin":      {Keys: keys, Origins: []string{"https://app.example", "https://*.app.example"}},
		"http":                {Keys: keys, Origins: []string{"http://app.example"}},
		"http, nearly local":  {Keys: keys, Origins: []string{"http://localhost.example"}},
		"http, an address":    {Keys: keys, Origins: []string{"http://192.0.2.1:8080"}},
		"another scheme":      {Keys: keys, Origins: []string{"ftp://app.example"}},
		"no method":           {Keys: keys, Exempt: []string{"/hooks/pay"}},
		"an empty pattern":    {Keys: keys, Exempt: []string{""}},
		"a safe method":       {Keys: keys, Exempt: []string{"GET /hooks/pay"}},
		"HEAD":                {Keys: keys, Exempt: []string{"HEAD\t/hooks/pay"}},
		"OPTIONS":             {Keys: keys, Exempt: []string{"OPTIONS /"}},
		"CONNECT":             {Keys: keys, Exempt: []string{"CONNECT /"}},
		"no path":             {Keys: keys, Exempt: []string{"POST hooks"}},
		"an open brace":       {Keys: keys, Exempt: []string{"POST /{id"}},
		"the same twice":      {Keys: keys, Exempt: []string{"POST /a", "POST /a"}},
		"a path not clean":    {Keys: keys, Exempt: []string{"POST /a/../b"}},
		"a method in no form": {Keys: keys, Exempt: []string{"PO,ST /a"}},
	} {
		func() {
			defer func() {
				if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), " ") {
					t.Errorf("%s: %v", name, v)
				}
			}()
			csrf.Protect(p)
		}()
	}
	for _, origin := range []string{
		"https://app.example", "https://app.example:8443", "http://localhost", "http://localhost:8080", "http://127.0.0.1:8080", "http://127.1.2.3",
		"http://[::1]:8080", "http://[::1]", "https://[2001:db8::1]",
	} {
		csrf.Protect(csrf.Protection{Keys: keys, Origins: []string{origin}})
	}
}

// All who are refused read one sentence, which no cache keeps.
func TestRefusal(t *testing.T) {
	a := newApp(t, csrf.Protection{})
	b := a.visit(t, browser{session: "s1"})
	a.Refused = nil
	a.Handler = csrf.Protect(a.Protection).Handler(http.NotFoundHandler())
	bodies := map[string]bool{}
	for _, r := range []*http.Request{
		b.request("POST", "/", nil),
		browser{session: "s2", token: b.token}.post("/"),
		browser{token: b.token}.post("/"),
		browser{session: "s1", token: "x"}.post("/"),
		b.postBody("POST", "/", urlencoded, "%zz"),
		b.postBody("POST", "/", urlencoded, ""),
		b.postBody("POST", "/", urlencoded, strings.Repeat("x", 1<<20+1)),
	} {
		w := a.send(r)
		bodies[w.Body.String()] = true
		if w.Code != http.StatusForbidden || w.Header().Get("Cache-Control") != "no-store" || len(w.Result().Cookies()) != 0 {
			t.Errorf("%d, %v", w.Code, w.Header())
		}
	}
	if len(bodies) != 1 || !bodies["This request cannot be accepted; load the page again, and send it once more.\n"] {
		t.Errorf("%v", bodies)
	}
	if w := a.send(b.post("/")); w.Code != http.StatusNotFound || w.Header().Get("Cache-Control") != "" {
		t.Errorf("%d, %v", w.Code, w.Header())
	}
}

// An answer of the application's own can have a new token, for the form once more.
func TestRefused(t *testing.T) {
	var token string
	var a *app
	p := csrf.Protection{Refused: func(w http.ResponseWriter, r *http.Request, err error) {
		if !errors.Is(err, csrf.ErrCookie) || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%v, %v", err, w.Header())
		}
		if token, err = a.guard.Token(w, r); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusTeapot)
	}}
	a = newApp(t, p)
	w := a.send(browser{token: "x"}.post("/"))
	cookies := w.Result().Cookies()
	if w.Code != http.StatusTeapot || len(cookies) != 1 {
		t.Fatalf("%d, %v", w.Code, cookies)
	}
	if a.send(browser{cookie: cookies[0].Name + "=" + cookies[0].Value, token: token}.post("/")); a.passed == nil {
		t.Error("the new token was refused")
	}
}

// No error repeats any of what a request holds.
func TestErrorsRepeatNothing(t *testing.T) {
	a := newApp(t, csrf.Protection{})
	b := a.visit(t, browser{session: "s1"})
	visitor := a.visit(t, browser{})
	_, value, _ := strings.Cut(visitor.cookie, "=")
	secret := "%zecret"
	cross := b.post("/")
	cross.Header.Set("Origin", "https://zecret.example")
	foreign := b.post("/")
	foreign.Header.Set("Sec-Fetch-Site", "zecret")
	parts, contentType := multipartForm(t, "", "csrf_token", b.token)
	for _, r := range []*http.Request{
		cross, foreign, browser{session: "s2", token: b.token}.post("/"), browser{session: "s1", token: b.token[1:]}.post("/"),
		browser{cookie: visitor.cookie + "; " + visitor.cookie, token: visitor.token}.post("/"), browser{cookie: visitor.cookie + "A", token: visitor.token}.post("/"),
		b.postBody("POST", "/", urlencoded, "password="+secret+"&csrf_token="+b.token), b.postBody("POST", "/?x="+secret, urlencoded, ""),
		b.postBody("POST", "/", contentType, strings.Replace(parts, "Content-Disposition: form-data", "zecret", 1)),
		b.postBody("POST", "/", "zecret/zecret; zecret=", ""),
	} {
		a.send(r)
		if a.err == nil {
			t.Errorf("%v was let through", r.Header)
			continue
		}
		for _, bad := range []string{"zecret", "%ze", b.token[1:8], visitor.token[:8], value[:8], "s1", "\n"} {
			if strings.Contains(a.err.Error(), bad) {
				t.Errorf("%v holds %q", a.err, bad)
			}
		}
	}
}

// An answer with a token is kept by nobody, unless the handler wants it.
func TestCacheControl(t *testing.T) {
	a := newApp(t, csrf.Protection{})
	for before, want := range map[string]string{"": "no-store", "private, no-cache": "private, no-cache"} {
		a.serve = func(w http.ResponseWriter, r *http.Request) {
			if before != "" {
				w.Header().Set("Cache-Control", before)
			}
			if _, err := a.guard.Field(w, r); err != nil {
				t.Error(err)
			}
		}
		if got := a.send(browser{session: "s1"}.request("GET", "/", nil)).Header().Get("Cache-Control"); got != want {
			t.Errorf("%q", got)
		}
	}
	a.serve = nil
	if h := a.send(browser{session: "s1"}.request("GET", "/", nil)).Header(); len(h) != 0 {
		t.Errorf("a page without a token has %v", h)
	}
}

// Writer and request are the server's own, so that all that they can do works.
func TestNothingIsWrapped(t *testing.T) {
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	guard := csrf.Protect(csrf.Protection{Keys: []csrf.Key{newKey(t, csrf.Config{})}})
	guard.Handler(http.HandlerFunc(func(gotW http.ResponseWriter, gotR *http.Request) {
		if gotW != http.ResponseWriter(w) || gotR != r {
			t.Errorf("they are a %T and %p, not %p", gotW, gotR, r)
		}
	})).ServeHTTP(w, r)
}

// Requests of many sessions beside each other get and show their own tokens.
func TestManyAtOnce(t *testing.T) {
	guard := csrf.Protect(csrf.Protection{
		Keys:    []csrf.Key{newKey(t, csrf.Config{})},
		Session: func(r *http.Request) string { return r.Header.Get("Session") },
	})
	h := guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, err := guard.Token(w, r)
		if err != nil {
			t.Error(err)
		}
		io.WriteString(w, token)
	}))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			b := browser{session: fmt.Sprint("s", i)}
			for range 50 {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, b.request("GET", "/", nil))
				b.token = w.Body.String()
				w = httptest.NewRecorder()
				h.ServeHTTP(w, b.post("/"))
				if w.Code != http.StatusOK {
					t.Error(w.Code)
				}
				other := browser{session: fmt.Sprint("s", i+1), token: b.token}
				w = httptest.NewRecorder()
				h.ServeHTTP(w, other.post("/"))
				if w.Code != http.StatusForbidden {
					t.Error(w.Code)
				}
			}
		})
	}
	wg.Wait()
}

// A visitor signs in and out over HTTP/1.1 and HTTP/2 with TLS, with the cookies that
// a client keeps.
func TestOverTLS(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprint("HTTP/2 ", http2), func(t *testing.T) { overTLS(t, http2) })
	}
}

func overTLS(t *testing.T, http2 bool) {
	session := func(r *http.Request) string {
		if c, err := r.Cookie("__Host-session"); err == nil {
			return c.Value
		}
		return ""
	}
	guard := csrf.Protect(csrf.Protection{Keys: []csrf.Key{newKey(t, csrf.Config{})}, Session: session})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /form", func(w http.ResponseWriter, r *http.Request) {
		token, err := guard.Token(w, r)
		if err != nil {
			t.Error(err)
		}
		io.WriteString(w, token)
	})
	mux.HandleFunc("POST /sign-in", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "__Host-session", Value: r.PostFormValue("name"), Path: "/", Secure: true})
	})
	mux.HandleFunc("POST /upload", func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, err)
	})
	server := httptest.NewUnstartedServer(guard.Handler(mux))
	server.EnableHTTP2 = http2
	server.StartTLS()
	defer server.Close()
	client := server.Client()
	client.Jar, _ = cookiejar.New(nil)
	// do sends a request and wants an answer; its body is returned.
	do := func(method, path, origin string, header http.Header, body io.Reader, want int) string {
		t.Helper()
		r, err := http.NewRequest(method, server.URL+path, body)
		if err != nil {
			t.Fatal(err)
		}
		for name := range header {
			r.Header.Set(name, header.Get(name))
		}
		r.Header.Set("Origin", origin)
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != want || (resp.ProtoMajor == 2) != http2 {
			t.Errorf("%s %s: %s %s %q, %v", method, path, resp.Proto, resp.Status, text, err)
		}
		return string(text)
	}
	form := http.Header{"Content-Type": {urlencoded}}
	signIn := func(token string) io.Reader {
		return strings.NewReader(url.Values{"csrf_token": {token}, "name": {"alice-1"}}.Encode())
	}
	before := do("GET", "/form", server.URL, nil, nil, 200)
	do("POST", "/sign-in", server.URL, form, signIn("x"), 403)
	do("POST", "/sign-in", "https://evil.example", form, signIn(before), 403)
	do("POST", "/sign-in", strings.Replace(server.URL, "https", "http", 1), form, signIn(before), 403)
	do("POST", "/sign-in", server.URL, form, signIn(before), 200)
	do("POST", "/upload", server.URL, http.Header{"X-Csrf-Token": {before}}, strings.NewReader("x"), 403)
	after := do("GET", "/form", server.URL, nil, nil, 200)
	big := strings.NewReader(strings.Repeat("x", 3<<20))
	if got := do("POST", "/upload", server.URL, http.Header{"X-Csrf-Token": {after}, "Content-Type": {urlencoded}}, big, 200); got != "3145728 <nil>" {
		t.Error(got)
	}
	do("DELETE", "/upload", server.URL, http.Header{"X-Csrf-Token": {after}}, nil, 405) // let through, and not there
}
