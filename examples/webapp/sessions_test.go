package main

import (
	"strings"
	"testing"
	"time"
)

func TestSessions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	first := s.account(alice)
	second, third := s.browser(), s.browser()
	second.signIn(alice, password)
	third.signIn(alice, password)
	stranger := s.account(mallory)

	rows := first.visit("/sessions").all(".session")
	if len(rows) != 3 {
		t.Fatalf("%d sessions: %q", len(rows), rows)
	}
	for i, row := range rows {
		if !strings.Contains(row, "127.0.0.1") || !strings.Contains(row, "Chrome on Linux") || strings.Contains(row, "this one") != (i == 2) {
			t.Errorf("session %d is shown as %q", i, row)
		}
	}
	first.press(".end") // of the newest
	if n := len(first.all(".session")); n != 2 {
		t.Errorf("%d sessions after one was ended", n)
	}
	if first.signedIn() != alice || second.signedIn() != alice || third.signedIn() != "" {
		t.Error("it is not the third, and that alone, that was ended")
	}

	second.visit("/sessions").press("#end-all").shows("You are signed out everywhere.")
	if first.signedIn() != "" || second.signedIn() != "" {
		t.Error("somebody is signed in after signing out everywhere")
	}
	if stranger.signedIn() != mallory {
		t.Error("somebody else is signed out as well")
	}
}

// Nobody ends another's session, or revokes another's key, by its id.
func TestIDsOfOthers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a, m := s.account(alice), s.account(mallory)
	m.visit("/keys").fill("name", "mine").press("#issue")
	a.visit("/keys").fill("name", "backup").press("#issue")
	s.browser().signIn(mallory, password)
	other := s.browser()
	other.signIn(alice, password)

	session := a.visit("/sessions").MustElement(`[name="id"]`).MustProperty("value").Str()
	m.visit("/sessions").MustElement(`[name="id"]`).MustEval(`id => this.value = id`, session)
	m.press(".end")
	key := a.visit("/keys").MustElement(`[name="id"]`).MustProperty("value").Str()
	m.visit("/keys").MustElement(`[name="id"]`).MustEval(`id => this.value = id`, key)
	m.press(".revoke").shows("You have no such key.")
	own := m.visit("/sessions").MustElement(`[name="id"]`).MustProperty("value").Str() // which is no key
	m.visit("/keys").MustElement(`[name="id"]`).MustEval(`id => this.value = id`, own)
	m.press(".revoke").shows("You have no such key.")
	if other.signedIn() != alice || len(a.visit("/keys").all(".key")) != 1 {
		t.Error("another's session was ended, or their key revoked")
	}
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.account(alice)
	s.wait(29 * time.Minute)
	if b.signedIn() != alice {
		t.Error("signed out before half an hour without use")
	}
	s.wait(31 * time.Minute)
	if b.signedIn() != "" {
		t.Error("signed in after half an hour without use")
	}
	b.visit("/signin").fill("email", alice).fill("password", password)
	b.MustElement(`[name="remember"]`).MustClick()
	b.submit()
	s.wait(6 * 24 * time.Hour)
	if b.signedIn() != alice {
		t.Error("who is remembered is signed out before a week")
	}
}

// After the sign-out, the button of the browser shows nothing that was private.
func TestBackButton(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.account(alice)
	b.visit("/keys").fill("name", "backup").press("#issue")
	key := b.all("#key")[0]
	b.visit("/sessions").visit("/").shows(alice)
	b.press("#signout").shows("You are signed out.")
	for range 4 {
		if text := b.back().text(); strings.Contains(text, alice) || strings.Contains(text, key) || strings.Contains(text, "127.0.0.1") {
			t.Errorf("the button leads to\n%s", text)
		}
	}
}
