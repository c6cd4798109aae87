package main

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-rod/rod/lib/proto"
)

// evil is a site whose one page posts a form to another as soon as it is opened.
func evil(t *testing.T, target string, form url.Values) (port string) {
	t.Helper()
	var fields strings.Builder
	for name, values := range form {
		fmt.Fprintf(&fields, `<input type="hidden" name="%s" value="%s">`, html.EscapeString(name), html.EscapeString(values[0]))
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<form method="post" action="%s">%s</form><script>document.forms[0].submit()</script>`, html.EscapeString(target), fields.String())
	}))
	t.Cleanup(server.Close)
	_, port, _ = strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	return port
}

// A page of another origin changes nothing: neither one that browsers take for the
// same site, so that the cookie comes with it, nor one of another site.
func TestForeignForms(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b, m := s.account(alice), s.account(mallory)
	token := m.visit("/").MustElement(`[name="csrf_token"]`).MustProperty("value").Str()
	for path, form := range map[string]url.Values{
		"/sessions/end-all": {"csrf_token": {token}},
		"/keys/issue":       {"csrf_token": {token}, "name": {"stolen"}},
		"/signout":          {},
		"/signin":           {"email": {mallory}, "password": {password}, "csrf_token": {token}},
	} {
		port := evil(t, s.base+path, form)
		for host, cookie := range map[string]bool{"localhost": true, "127.0.0.1": false} {
			before := len(s.posted(path))
			b.lured("http://"+host+":"+port, s.base+path).shows("This request cannot be accepted")
			posts := s.posted(path)[before:]
			if len(posts) != 1 || strings.Contains(posts[0].Header.Get("Cookie"), sessionCookie) != cookie {
				t.Errorf("%s from %s: %d requests arrived, with or without the cookie against what was expected", path, host, len(posts))
			}
		}
		if who := b.signedIn(); who != alice {
			t.Fatalf("after the form for %s, signed in as %q", path, who)
		}
	}
	if keys := b.visit("/keys").all(".key"); len(keys) != 0 {
		t.Errorf("a foreign form made %q", keys)
	}
}

// A link of mallory's that a foreign page has a browser redeem would sign that browser
// out of nothing and in to nothing; it is refused all the same.
func TestForeignFormOfALink(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.account(mallory)
	link := m.reset(mallory)
	_, token, _ := strings.Cut(link, "token=")
	port := evil(t, s.base+"/reset", url.Values{"token": {token}, "password": {otherPassword}})
	for _, host := range []string{"localhost", "127.0.0.1"} {
		s.browser().lured("http://"+host+":"+port, s.base+"/reset").shows("in a way that it does not know")
	}
	m.visit(link).shows("Choose a password")
}

// The token of one session is worth nothing in another, even where all headers are as
// from the site's own page.
func TestTokenOfAnotherSession(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b, m := s.account(alice), s.account(mallory)
	send := func(from *browser) int {
		token := from.visit("/").MustElement(`[name="csrf_token"]`).MustProperty("value").Str()
		form := url.Values{"csrf_token": {token}, "name": {"forged"}}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.base+"/keys/issue", strings.NewReader(form.Encode()))
		b.must(err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", s.base)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.AddCookie(&http.Cookie{Name: sessionCookie, Value: b.cookie(sessionCookie)})
		answer, err := http.DefaultClient.Do(r)
		b.must(err)
		answer.Body.Close()
		return answer.StatusCode
	}
	if status := send(m); status != http.StatusForbidden {
		t.Errorf("with the token of mallory: %d", status)
	}
	if status := send(b); status != http.StatusOK {
		t.Errorf("with the token of alice: %d", status)
	}
}

// plant puts a cookie into a browser, as somebody could who sat at it before.
func (b *browser) plant(name, value string) {
	b.t.Helper()
	b.must(b.Timeout(patience).SetCookies([]*proto.NetworkCookieParam{{
		Name: name, Value: value, URL: b.site.base, Path: "/", Secure: true, HTTPOnly: true,
	}}))
}

// Whoever knows the cookie that a browser had before the sign-in has nothing after it.
func TestFixation(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account(alice)
	app := s.enrolled(alice)
	m := s.account(mallory)
	s.enrolled(mallory)
	half := s.browser() // a session of nobody, in which mallory is half signed in
	half.signIn(mallory, password)

	for name, attacker := range map[string]*browser{"signed in": m, "half signed in": half} {
		planted := attacker.cookie(sessionCookie)
		victim := s.browser()
		victim.plant(sessionCookie, planted)
		victim.signIn(alice, password).shows("The code that your app shows")
		if victim.cookie(sessionCookie) == planted {
			t.Errorf("%s: the planted cookie is that of a sign-in", name)
		}
		code := app.code()
		attacker.visit("/signin/code").shows("Sign in anew.") // alice's password is not half of it here
		victim.fill("code", code).submit()
		if victim.signedIn() != alice || victim.cookie(sessionCookie) == planted || attacker.signedIn() == alice {
			t.Errorf("%s: the victim is %q, and the attacker %q", name, victim.signedIn(), attacker.signedIn())
		}
	}
}

// Other spellings of a planted cookie do not sign in.
func TestNoOtherCookie(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.account(mallory)
	victim := s.browser()
	victim.plant("session", m.cookie(sessionCookie))
	victim.plant("__Secure-session", m.cookie(sessionCookie))
	if who := victim.signedIn(); who != "" {
		t.Errorf("signed in as %s", who)
	}
}
