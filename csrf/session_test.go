package csrf_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/csrf"
)

// The attacker's own token, which every visitor gets, is worth nothing in the victim's
// session, nor is one of before a sign-in after it.
func TestTokensOfOthers(t *testing.T) {
	a := newApp(t, csrf.Protection{})
	victim := a.visit(t, browser{session: "victim-1"})
	attacker := a.visit(t, browser{session: "attacker-1"})
	visitor := a.visit(t, browser{})
	second := a.visit(t, browser{})
	renewed := victim
	renewed.session = "victim-2"
	signedIn := visitor
	signedIn.session = "victim-3"
	signedOut := victim
	signedOut.session, signedOut.cookie = "", visitor.cookie
	for _, c := range []struct {
		name string
		b    browser
		want error
	}{
		{"the victim's", victim, nil},
		{"a visitor's", visitor, nil},
		{"the attacker's, in the victim's session", browser{session: victim.session, token: attacker.token}, csrf.ErrMismatch},
		{"a visitor's, in the victim's session", browser{session: victim.session, token: visitor.token}, csrf.ErrMismatch},
		{"a visitor's and the cookie, in the victim's session", browser{session: victim.session, token: visitor.token, cookie: visitor.cookie}, csrf.ErrMismatch},
		{"the attacker's, of a visitor", browser{cookie: visitor.cookie, token: attacker.token}, csrf.ErrMismatch},
		{"another visitor's", browser{cookie: visitor.cookie, token: second.token}, csrf.ErrMismatch},
		{"a visitor's without the cookie", browser{token: visitor.token}, csrf.ErrCookie},
		{"of before a renewal", renewed, csrf.ErrMismatch},
		{"of before the sign-in", signedIn, csrf.ErrMismatch},
		{"of before the sign-out", signedOut, csrf.ErrMismatch},
	} {
		for _, r := range []*http.Request{c.b.post("/"), c.b.postForm("/", "")} {
			a.send(r)
			if !errors.Is(a.err, c.want) || (a.passed != nil) != (c.want == nil) {
				t.Errorf("%s: %v, want %v", c.name, a.err, c.want)
			}
		}
	}
}

// No id of a session is that of a pre-session, whatever it looks like.
func TestSessionsAndPresessionsAreApart(t *testing.T) {
	a := newApp(t, csrf.Protection{})
	visitor := a.visit(t, browser{})
	_, value, _ := strings.Cut(visitor.cookie, "=")
	for _, id := range []string{value, "presession/" + value, visitor.cookie, "/" + value} {
		session := a.visit(t, browser{session: id})
		for _, b := range []browser{
			{session: id, token: visitor.token},
			{session: id, cookie: visitor.cookie, token: visitor.token},
			{cookie: visitor.cookie, token: session.token},
		} {
			if a.send(b.post("/")); !errors.Is(a.err, csrf.ErrMismatch) {
				t.Errorf("session %q: %v", id, a.err)
			}
		}
	}
	// A token that Key.New makes for the id alone is another thing.
	bare := newToken(t, a.Keys[0], "s1", start)
	if a.send(browser{session: "s1", token: bare}.post("/")); !errors.Is(a.err, csrf.ErrMismatch) {
		t.Error(a.err)
	}
}

// Cookie tossing: a sibling below the same domain can set cookies without the prefix, or
// in browsers that do not know it, and none of that is taken for ours.
func TestTossedCookies(t *testing.T) {
	a := newApp(t, csrf.Protection{})
	visitor, attacker := a.visit(t, browser{}), a.visit(t, browser{})
	_, value, _ := strings.Cut(attacker.cookie, "=")
	for _, c := range []struct {
		name, cookie string
		token        string
		want         error
	}{
		{"among others", "a=b; " + visitor.cookie + "; c=d", visitor.token, nil},
		{"beside one without the prefix", visitor.cookie + "; csrf=" + value + "; __Secure-csrf=" + value, visitor.token, nil},
		{"without the prefix", "csrf=" + value, attacker.token, csrf.ErrCookie},
		{"with the other prefix", "__Secure-csrf=" + value, attacker.token, csrf.ErrCookie},
		{"prefix in another case", "__host-csrf=" + value, attacker.token, csrf.ErrCookie},
		{"prefix in another case beside ours", visitor.cookie + "; __HOST-csrf=" + value, attacker.token, csrf.ErrMismatch},
		{"the attacker's before ours", attacker.cookie + "; " + visitor.cookie, attacker.token, csrf.ErrCookie},
		{"the attacker's after ours", visitor.cookie + "; " + attacker.cookie, attacker.token, csrf.ErrCookie},
		{"two, and our token", attacker.cookie + ";" + visitor.cookie, visitor.token, csrf.ErrCookie},
		{"two alike", visitor.cookie + "; " + visitor.cookie, visitor.token, csrf.ErrCookie},
		{"beside one that is not well-formed", visitor.cookie + `; __Host-csrf="` + value, visitor.token, csrf.ErrCookie},
		{"beside one with an odd space", visitor.cookie + ";\t__Host-csrf =" + value, visitor.token, csrf.ErrCookie},
		{"beside one without a value", visitor.cookie + "; __Host-csrf", visitor.token, csrf.ErrCookie},
		{"without a value", "__Host-csrf", attacker.token, csrf.ErrCookie},
		{"empty", "__Host-csrf=", attacker.token, csrf.ErrCookie},
		{"quoted", `__Host-csrf="` + value + `"`, attacker.token, csrf.ErrCookie},
		{"short", "__Host-csrf=" + value[1:], attacker.token, csrf.ErrCookie},
		{"long", "__Host-csrf=" + value + "A", attacker.token, csrf.ErrCookie},
		{"of other characters", "__Host-csrf=" + value[1:] + "%", attacker.token, csrf.ErrCookie},
		{"none", "", attacker.token, csrf.ErrCookie},
	} {
		a.send(browser{cookie: c.cookie, token: c.token}.post("/"))
		if !errors.Is(a.err, c.want) || (a.passed != nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", c.name, a.err, c.want)
		}
	}
	// In two headers, as HTTP/1.1 allows a sender who does not care.
	r := visitor.post("/")
	r.Header.Add("Cookie", attacker.cookie)
	if a.send(r); !errors.Is(a.err, csrf.ErrCookie) {
		t.Errorf("in two headers: %v", a.err)
	}
}

// The cookie is set with the first token that needs it, once, and kept.
func TestPresession(t *testing.T) {
	a := newApp(t, csrf.Protection{})
	var made []string
	a.serve = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/form" {
			return
		}
		for range 2 {
			token, err := a.guard.Token(w, r)
			if err != nil {
				t.Error(err)
			}
			made = append(made, token)
		}
	}
	if c := a.send(browser{}.request("GET", "/style.css", nil)).Result().Cookies(); len(c) != 0 {
		t.Errorf("a page without a form sets %v", c)
	}
	w := a.send(browser{}.request("GET", "/form", nil))
	cookies := w.Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("%d cookies", len(cookies))
	}
	if want := "__Host-csrf=" + cookies[0].Value + "; Path=/; HttpOnly; Secure; SameSite=Lax"; w.Header().Get("Set-Cookie") != want || len(cookies[0].Value) != 43 {
		t.Errorf("%q, want %q", w.Header().Get("Set-Cookie"), want)
	}
	b := browser{cookie: "__Host-csrf=" + cookies[0].Value}
	if c := a.send(b.request("GET", "/form", nil)).Result().Cookies(); len(c) != 0 {
		t.Errorf("a browser with the cookie gets %v", c)
	}
	if made[0] == made[1] {
		t.Error("tokens are not fresh")
	}
	for _, b.token = range made { // of both visits
		if a.send(b.post("/")); a.err != nil {
			t.Error(a.err)
		}
	}
	if c := a.send(browser{session: "s1"}.request("GET", "/form", nil)).Result().Cookies(); len(c) != 0 {
		t.Errorf("a session gets %v", c)
	}
	// Cookies that are refused are replaced, and no two browsers get the same.
	seen := map[string]bool{cookies[0].Value: true}
	for _, bad := range []string{"", "__Host-csrf=x", b.cookie + "; " + b.cookie} {
		c := a.send(browser{cookie: bad}.request("GET", "/form", nil)).Result().Cookies()
		if len(c) != 1 || seen[c[0].Value] {
			t.Errorf("a browser with %q gets %v", bad, c)
			continue
		}
		seen[c[0].Value] = true
		last := browser{cookie: c[0].Name + "=" + c[0].Value, token: made[len(made)-1]}
		if a.send(last.post("/")); a.err != nil {
			t.Error(a.err)
		}
	}
}

// A handler that signs somebody in answers with tokens of the new session.
func TestSessionThatBegins(t *testing.T) {
	a := newApp(t, csrf.Protection{})
	visitor := a.visit(t, browser{})
	after := browser{session: "s1"}
	a.serve = func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Session", "s1")
		after.token, _ = a.guard.Token(w, r)
	}
	if a.send(visitor.post("/sign-in")); a.err != nil {
		t.Fatal(a.err)
	}
	if a.send(after.post("/")); a.err != nil {
		t.Error(a.err)
	}
}

func TestExpiry(t *testing.T) {
	key := newKey(t, csrf.Config{Lifetime: time.Hour})
	a := newApp(t, csrf.Protection{Keys: []csrf.Key{key}})
	for _, b := range []browser{a.visit(t, browser{session: "s1"}), a.visit(t, browser{})} {
		for after, want := range map[time.Duration]error{
			0: nil, time.Hour - time.Millisecond: nil, time.Hour: csrf.ErrExpired, time.Hour + time.Second: csrf.ErrExpired,
			-csrf.Skew: nil, -csrf.Skew - time.Millisecond: csrf.ErrFuture,
		} {
			a.now = start.Add(after)
			if a.send(b.post("/")); !errors.Is(a.err, want) {
				t.Errorf("after %v: %v", after, a.err)
			}
		}
		a.now = start
	}
}

// While keys are replaced, tokens of each are accepted, and the first makes new ones.
func TestKeysAreReplaced(t *testing.T) {
	first, second, third := newKey(t, csrf.Config{}), newKey(t, csrf.Config{}), newKey(t, csrf.Config{})
	keys := []csrf.Key{first}
	before := newApp(t, csrf.Protection{Keys: keys})
	b := before.visit(t, browser{session: "s1"})
	keys[0] = third // Protect has its own
	if before.send(b.post("/")); before.err != nil {
		t.Error(before.err)
	}
	during := newApp(t, csrf.Protection{Keys: []csrf.Key{second, first}})
	c := during.visit(t, browser{session: "s1"})
	for _, b := range []browser{b, c} {
		if during.send(b.post("/")); during.err != nil {
			t.Error(during.err)
		}
	}
	after := newApp(t, csrf.Protection{Keys: []csrf.Key{second}})
	if after.send(c.post("/")); after.err != nil {
		t.Error(after.err)
	}
	if after.send(b.post("/")); !errors.Is(after.err, csrf.ErrMismatch) {
		t.Error(after.err)
	}
	during.now = start.Add(13 * time.Hour)
	for _, b := range []browser{b, c} {
		if during.send(b.post("/")); !errors.Is(during.err, csrf.ErrExpired) {
			t.Error(during.err) // not ErrMismatch of the other key
		}
	}
}

// An id that cannot be is an error, and not a pre-session.
func TestLongSession(t *testing.T) {
	a := newApp(t, csrf.Protection{})
	id := strings.Repeat("x", csrf.MaxID+1)
	a.serve = func(w http.ResponseWriter, r *http.Request) {
		if token, err := a.guard.Token(w, r); !errors.Is(err, csrf.ErrID) || token != "" {
			t.Errorf("%q, %v", token, err)
		}
		if field, err := a.guard.Field(w, r); !errors.Is(err, csrf.ErrID) || field != "" {
			t.Errorf("%q, %v", field, err)
		}
	}
	if w := a.send(browser{session: id}.request("GET", "/", nil)); len(w.Result().Cookies()) != 0 {
		t.Error("a cookie was set")
	}
	b := browser{session: id, token: strings.Repeat("A", csrf.Length)}
	if a.send(b.post("/")); !errors.Is(a.err, csrf.ErrID) {
		t.Error(a.err)
	}
}
