package main

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/passhash"
)

func TestSignUp(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	b.visit("/signup").fill("email", "Alice@Example.com").submit().shows("A mail is on its way")
	link := b.mailed(alice, "Subject: Welcome")
	if b.signIn(alice, password).shows("Address or password is wrong"); b.at() != "/signin" {
		t.Fatal("an address that was not proved is signed in")
	}
	b.visit(link)
	b.MustEval(`() => document.querySelector("[minlength]").removeAttribute("minlength")`)
	b.fill("password", "short").submit().shows("15 characters or more")
	b.visit(link).fill("password", password).submit().shows("Your new password is set.")
	b.visit(link).shows("This link is not valid")

	b.signIn("ALICE@example.com", password)
	if who := b.signedIn(); who != alice {
		t.Fatalf("signed in as %q", who)
	}
	if b.cookie(sessionCookie) == "" {
		t.Error("the session is not in a __Host- cookie")
	}
}

// Who has an account is told to whom the address belongs, and to nobody else.
func TestNobodyLearnsWhoHasAnAccount(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.account(alice)
	stranger := s.browser()
	for _, page := range []string{"/signup", "/forgot"} {
		known := stranger.visit(page).fill("email", alice).submit().text()
		unknown := stranger.visit(page).fill("email", "nobody@example.com").submit().text()
		none := stranger.visit(page).fill("email", "no@address").submit().text()
		if known != unknown || none != unknown {
			t.Errorf("%s says\n%s\nof an account,\n%s\nof none, and\n%s\nof what cannot be one", page, known, unknown, none)
		}
	}
	wrong, unknown := stranger.signIn(alice, otherPassword).text(), stranger.signIn("nobody@example.com", password).text()
	if wrong != unknown || !strings.Contains(wrong, "Address or password is wrong") {
		t.Errorf("the sign-in says\n%s\nof a wrong password, and\n%s\nof no account", wrong, unknown)
	}
	b.must(s.app.reset.Close(t.Context())) // which waits for the mails
	letters, err := s.app.mail.newest(100)
	b.must(err)
	for _, l := range letters {
		if strings.Contains(l.Before, "nobody@") && strings.Contains(l.Before, "A new password") {
			t.Error("an address that was not proved gets a link for a new password")
		}
	}
	if link := b.mailed(alice, "You have an account already"); link != "" {
		t.Error("there is a link in the mail to who has an account")
	}
}

// A sign-in costs a hash whoever it is of: the one of nobody's password, where an
// address has no account or none yet.
func TestEachSignInHashes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if _, err := s.app.users.add(t.Context(), mallory, s.now()); err != nil { // who never followed the link
		t.Fatal(err)
	}
	s.app.noHash = "no hash"
	for _, email := range []string{mallory, "nobody@example.com", "no address", ""} {
		_, err := s.app.checkUser(httptest.NewRequest("POST", "/signin", nil), email, password)
		if !errors.Is(err, passhash.ErrMalformed) {
			t.Errorf("%q: %v", email, err)
		}
	}
}
