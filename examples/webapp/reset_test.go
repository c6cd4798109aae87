package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestReset(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	first, second := s.account(alice), s.browser()
	second.signIn(alice, password)

	third := s.browser()
	link := third.reset(alice)
	third.visit(link).fill("password", otherPassword).submit().shows("Your new password is set.")
	if first.signedIn() != "" || second.signedIn() != "" || third.signedIn() != "" {
		t.Error("somebody is signed in after the reset")
	}
	third.visit(link).shows("This link is not valid")
	second.signIn(alice, password).shows("Address or password is wrong")
	if first.signIn(alice, otherPassword); first.signedIn() != alice {
		t.Error("the new password does not sign in")
	}
}

func TestResetAsksForTheSecondFactor(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account(alice)
	app := s.enrolled(alice)
	other := s.browser()
	other.visit(other.reset(alice)).fill("password", otherPassword).submit()
	other.signIn(alice, otherPassword).shows("The code that your app shows")
	if other.signedIn() != "" {
		t.Error("who reads the mails needs no second factor")
	}
	if other.visit("/signin/code").fill("code", app.code()).submit(); other.signedIn() != alice {
		t.Error("the second factor is gone with the old password")
	}
}

// What opens a link without pressing its button, as scanners of mail do, uses nothing
// up; nor does another browser that shows its page.
func TestScanner(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.account(alice)
	link := b.reset(alice)
	for range 3 {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			r, err := http.NewRequestWithContext(t.Context(), method, link, nil)
			b.must(err)
			answer, err := http.DefaultClient.Do(r)
			b.must(err)
			io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				t.Errorf("%s: %d", method, answer.StatusCode)
			}
		}
	}
	s.browser().visit(link).shows("Choose a password")
	if b.signedIn() != alice {
		t.Error("the scanner signed alice out")
	}
	b.visit(link).fill("password", otherPassword).submit().shows("Your new password is set.")
}

// A link's address stays in its browser: no page that it leads to is told of it.
func TestLinkIsNotPassedOn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.account(alice)
	link := b.reset(alice)
	_, token, _ := strings.Cut(link, "token=")
	b.visit(link).fill("password", otherPassword).submit()
	posts := s.posted("/reset")
	if len(posts) != 1 || posts[0].Referer() != "" || posts[0].Header.Get("Origin") != "null" || posts[0].URL.RawQuery != "" {
		t.Errorf("%+v", posts)
	}
	if strings.Contains(b.MustEval(`() => document.referrer`).Str(), token) || strings.Contains(logged.String(), token) {
		t.Error("the token is in a Referer or in the log")
	}
}

func TestResetLinkEnds(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.account(alice)
	link := b.reset(alice)
	s.wait(time.Hour)
	b.visit(link).shows("This link is not valid")
}

// That nobody can be looked up is no answer that there is nobody.
func TestFindFails(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if err := s.app.users.db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.app.findForReset(t.Context(), alice); err == nil {
		t.Error("for a reset, a closed database is an answer")
	}
	if _, err := s.app.findForSignUp(t.Context(), alice); err == nil {
		t.Error("for a sign-up, a closed database is an answer")
	}
}
