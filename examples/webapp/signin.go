package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/passhash"
	"github.com/keyfob-dev/keyfob/session"
)

// A half is a sign-in whose password was right, and whose second factor is to come.
// It is an attribute of a session of nobody: until the end, nothing that asks who is
// signed in hears of it.
type half struct {
	Subject    string
	Since      time.Time // when it began
	Remembered bool
}

var halfSignedIn = session.NewAttribute[half]("half_signed_in")

// halfLife is how long there is for the second factor.
const halfLife = 5 * time.Minute

func (a *app) signIn(w http.ResponseWriter, r *http.Request) error {
	// It counts from here: when the password is reset meanwhile, this sign-in does not
	// come to its end, however many requests it takes.
	h := half{Since: session.Arrived(r), Remembered: r.PostFormValue("remember") != ""}
	u, err := a.checkUser(r, r.PostFormValue("email"), r.PostFormValue("password"))
	if errors.Is(err, passhash.ErrMismatch) {
		return a.show(w, r, http.StatusForbidden, "signin", view{Note: "Address or password is wrong."})
	}
	if err != nil {
		return err
	}
	h.Subject = u.ID
	second, err := a.hasTOTP(r.Context(), u.ID)
	if err != nil {
		return err
	}
	if !second {
		return a.finish(w, r, h)
	}
	// Whoever knew the session's secret before must not be half signed in with it.
	if err := session.Renew(w, r); err != nil && !errors.Is(err, session.ErrNobody) {
		return err
	}
	if err := halfSignedIn.Set(w, r, h); err != nil {
		return err
	}
	http.Redirect(w, r, "/signin/code", http.StatusSeeOther)
	return nil
}

// checkUser returns whose address and password these are. An address that has no
// account takes as long as one that has.
func (a *app) checkUser(r *http.Request, email, password string) (user, error) {
	u, err := a.users.byEmail(r.Context(), address(email))
	if errors.Is(err, errNobody) || err == nil && u.Hash == "" {
		u, err = user{Hash: a.noHash}, nil
	}
	if err != nil {
		return user{}, err
	}
	// Hashing takes memory, and package passhash bounds how much of it is taken at a
	// time; who has waited this long is asked to come back.
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	return u, passhash.Verify(ctx, password, u.Hash)
}

func (a *app) askCode(w http.ResponseWriter, r *http.Request) error {
	if _, err := a.halfOf(r); err != nil {
		return err
	}
	return a.show(w, r, http.StatusOK, "code", view{})
}

// signInCode takes the second factor. Its guesses are counted by keyfob, for the
// subject: no other browser and no other day gives them back.
func (a *app) signInCode(w http.ResponseWriter, r *http.Request) error {
	h, err := a.halfOf(r)
	if err != nil {
		return err
	}
	err = a.redeemCode(r, h.Subject)
	if errors.Is(err, keyfob.ErrInvalid) {
		return a.show(w, r, http.StatusForbidden, "code", view{Note: wrongCode(err)})
	}
	if err != nil {
		return err
	}
	if err := halfSignedIn.Delete(r); err != nil {
		return err
	}
	return a.finish(w, r, h)
}

// errAgain: the sign-in cannot come to its end, and has to begin anew.
var errAgain = errors.New("sign in anew")

func (a *app) halfOf(r *http.Request) (half, error) {
	h, ok, err := halfSignedIn.Get(r)
	if err == nil && (!ok || a.now().Sub(h.Since) > halfLife) {
		err = errAgain
	}
	return h, err
}

// finish signs in who has proved all that there is to prove. SignIn draws a new
// session: one that was planted in this browser before is worth nothing.
func (a *app) finish(w http.ResponseWriter, r *http.Request, h half) error {
	err := session.SignIn(w, r, session.User{
		Subject: h.Subject, Since: h.Since, Remembered: h.Remembered,
		Attributes: map[string]string{"from": clientIP(r).String(), "browser": browserOf(r.UserAgent())},
	})
	if errors.Is(err, keyfob.ErrConflict) { // somebody signed out everywhere, or set a new password
		return errAgain
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

func (a *app) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := session.SignOut(w, r); err != nil {
		return err
	}
	http.Redirect(w, r, "/signin?note=out", http.StatusSeeOther)
	return nil
}
