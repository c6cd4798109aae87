package main

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"rsc.io/qr"

	"github.com/keyfob-dev/keyfob/otp"
	"github.com/keyfob-dev/keyfob/session"
)

func TestSecondFactor(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.account(alice)
	before := b.cookie(sessionCookie)
	app, recovery := b.enroll()
	if len(recovery) != 10 {
		t.Fatalf("%d recovery codes", len(recovery))
	}
	if after := b.cookie(sessionCookie); after == before || after == "" {
		t.Error("the session was not renewed when the account got a second factor")
	}
	b.press("#signout").shows("You are signed out.")

	// The password alone shows nothing.
	b.signIn(alice, password).shows("The code that your app shows")
	if who := b.signedIn(); who != "" {
		t.Fatalf("with the password alone, signed in as %s", who)
	}
	code := app.code()
	b.visit("/signin/code").fill("code", app.wrong()).submit().shows("This code is not valid")
	b.fill("code", code).submit()
	if who := b.signedIn(); who != alice {
		t.Fatalf("signed in as %q", who)
	}
	b.visit("/signin/code").shows("Sign in anew.") // nothing is left half done
	b.visit("/").press("#signout").signIn(alice, password)
	b.fill("code", code).submit().shows("This code is not valid") // it was used
	b.fill("code", recovery[3]).submit()
	if who := b.signedIn(); who != alice {
		t.Fatalf("signed in as %q", who)
	}
	b.press("#signout").signIn(alice, password)
	b.fill("code", recovery[3]).submit().shows("This code is not valid") // as well
	b.fill("code", app.code()).submit()

	b.visit("/totp").fill("code", app.wrong()).submit().shows("This code is not valid")
	b.fill("code", recovery[4]).submit().shows("The second factor is off.")
	b.press("#signout").signIn(alice, password)
	if who := b.signedIn(); who != alice {
		t.Fatalf("without a second factor, signed in as %q", who)
	}
}

func TestPictureIsOfTheSecret(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.account(alice).visit("/totp").press("#enroll")
	seed, err := otp.ParseSeed(b.all("#secret")[0])
	b.must(err)
	uri, err := otp.Key{Issuer: "keyfob webapp", Account: alice, Seed: seed, Digits: 6, Period: 30 * time.Second}.URI()
	b.must(err)
	code, err := qr.Encode(uri, qr.M)
	b.must(err)
	want := "data:image/png;base64," + base64.StdEncoding.EncodeToString(code.PNG())
	if b.MustElement("img").MustProperty("src").Str() != want {
		t.Error("the picture is not the QR code of the secret that stands below it")
	}
	if b.MustElement("img").MustProperty("naturalWidth").Int() == 0 {
		t.Error("the browser does not show the picture")
	}
	if other := s.browser(); other.signIn(alice, password).signedIn() != alice {
		t.Error("a second factor is asked for that was never confirmed")
	}
	b.fill("code", "000000").press("#confirm")
	if len(b.all("#secret")) != 0 {
		t.Error("the secret is shown again")
	}
	app := authenticator{s, seed}
	b.fill("code", app.code()).press("#confirm").shows("The second factor is on")
}

// Who has begun to set up an authenticator, in another browser, does not end it after
// the owner has one: it takes a code of that.
func TestSecondFactorIsNotAdded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	owner := s.account(alice)
	thief := s.browser().signIn(alice, password).visit("/totp").press("#enroll")
	seed, err := otp.ParseSeed(thief.all("#secret")[0])
	thief.must(err)
	theirs := authenticator{s, seed}
	_, recovery := owner.enroll()
	thief.fill("code", theirs.code()).press("#confirm").shows("You have a second factor.")
	s.browser().signIn(alice, password).fill("code", theirs.code()).submit().shows("This code is not valid")
	b := s.browser().signIn(alice, password).fill("code", recovery[0]).submit()
	if who := b.signedIn(); who != alice {
		t.Errorf("with the owner's recovery code, signed in as %q", who)
	}
}

// Guesses are the subject's: neither another browser nor the password typed anew
// gives them back.
func TestGuessesAreCounted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account(alice)
	app := s.enrolled(alice)
	s.browser().signIn(alice, password).fill("code", app.wrong()).submit().shows("This code is not valid")
	other := s.browser().signIn(alice, password)
	other.fill("code", app.wrong()).submit().fill("code", app.wrong()).submit().shows("This code is not valid")
	third := s.browser().signIn(alice, password)
	third.fill("code", app.wrong()).submit().shows("Too many codes were tried. Wait for 1s.")
	third.fill("code", app.code()).submit() // half a minute later
	if who := third.signedIn(); who != alice {
		t.Errorf("signed in as %q", who)
	}
}

// A sign-in that was begun comes to its end soon, or not at all.
func TestHalfSignedIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account(alice)
	app := s.enrolled(alice)

	late := s.browser().signIn(alice, password)
	s.wait(5 * time.Minute)
	late.fill("code", app.code()).submit().shows("Sign in anew.")
	if who := late.signedIn(); who != "" {
		t.Errorf("after five minutes, signed in as %s", who)
	}

	// Somebody who knows the password is half signed in while it is reset.
	thief := s.browser().signIn(alice, password)
	owner := s.browser()
	owner.visit(owner.reset(alice)).fill("password", otherPassword).submit().shows("Your new password is set.")
	thief.fill("code", app.code()).submit().shows("Sign in anew.")
	if who := thief.signedIn(); who != "" {
		t.Errorf("with the password from before the reset, signed in as %s", who)
	}
	owner.signIn(alice, otherPassword).fill("code", app.code()).submit()
	if who := owner.signedIn(); who != alice {
		t.Errorf("with the new one, signed in as %q", who)
	}
	s.browser().visit("/signin/code").shows("Sign in anew.")
}

// A session that ends while a request is under way is no failure of the application:
// the sign-in begins anew.
func TestSessionEndsMeanwhile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account(alice)
	s.enrolled(alice)
	sessions := session.New(s.app.auth, session.Config{Now: s.now})
	begun := httptest.NewRecorder()
	sessions.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := session.Start(w, r); err != nil {
			t.Error(err)
		}
	})).ServeHTTP(begun, httptest.NewRequest("GET", "/", nil))

	form := url.Values{"email": {alice}, "password": {password}}.Encode()
	r := httptest.NewRequest("POST", "/signin", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(begun.Result().Cookies()[0])
	w := httptest.NewRecorder()
	sessions.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, _ := session.From(r.Context())
		if _, err := s.app.auth.Renew(r.Context(), c.ID); err != nil { // by another request
			t.Error(err)
		}
		s.app.handle(s.app.signIn).ServeHTTP(w, r)
	})).ServeHTTP(w, r)
	if to := w.Header().Get("Location"); w.Code != http.StatusSeeOther || to != "/signin?note=again" {
		t.Errorf("%d, %q", w.Code, to)
	}
}
