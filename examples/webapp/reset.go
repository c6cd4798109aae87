package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"unicode/utf8"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/link"
	"github.com/keyfob-dev/keyfob/passhash"
	"github.com/keyfob-dev/keyfob/session"
)

// minPassword is what NIST SP 800-63B-4, section 3.1.1.2, asks of a password that is
// the only factor, in characters. Other rules do more harm than good, it says.
const minPassword = 15

type (
	findFunc = func(ctx context.Context, typed string) (link.Account, error)
	mailFunc = func(ctx context.Context, m link.Message) error
)

// A flow is what signing up and resetting a password have in common: a link goes to
// an address, and who follows it sets a password. Scanners that open it do no harm:
// it is used up by the form on its page alone.
func (a *app) flow(purpose, base string, find findFunc, mail mailFunc) (*link.Flow, error) {
	return link.New(link.Config{
		Verbs: a.auth, Purpose: purpose, Base: base, Find: find, Mail: mail, Page: templates.Lookup("link.html"),
		Done: func(w http.ResponseWriter, r *http.Request, c keyfob.Credential) {
			a.handle(func(w http.ResponseWriter, r *http.Request) error { return a.setPassword(w, r, c.Subject) }).ServeHTTP(w, r)
		},
	})
}

func (a *app) findForReset(ctx context.Context, typed string) (link.Account, error) {
	u, err := a.users.byEmail(ctx, address(typed))
	if errors.Is(err, errNobody) || err == nil && u.Hash == "" {
		return link.Account{}, nil // no mail, and the same answer
	}
	return link.Account{Subject: u.ID, Address: u.Email}, err
}

func (a *app) mailReset(_ context.Context, m link.Message) error {
	return a.mail.send(m.Account.Address, "A new password", fmt.Sprintf(`Follow this link to set a new password:

%s

It works once, until %s. You will be signed out
everywhere. If you did not ask for it, do nothing.
`, m.URL.Reveal(), m.Expires.Format("15:04 MST")))
}

// checkPassword looks at the new password while the link is not used up yet.
func (a *app) checkPassword(redeem http.Handler) http.Handler {
	return a.handle(func(w http.ResponseWriter, r *http.Request) error {
		password := r.PostFormValue("password")
		switch {
		case utf8.RuneCountInString(password) < minPassword:
			return refusal{http.StatusUnprocessableEntity, fmt.Sprintf("A password has %d characters or more. Go back, and choose a longer one.", minPassword)}
		case len(password) > passhash.MaxPassword:
			return refusal{http.StatusUnprocessableEntity, "This password is too long. Go back, and choose a shorter one."}
		}
		redeem.ServeHTTP(w, r)
		return nil
	})
}

// setPassword is what a redeemed link is good for. It signs nobody in: a second
// factor is asked for as at every sign-in.
func (a *app) setPassword(w http.ResponseWriter, r *http.Request, subject string) error {
	hash, err := passhash.Hash(r.Context(), r.PostFormValue("password"))
	if errors.Is(err, passhash.ErrPassword) {
		return refusal{http.StatusUnprocessableEntity, "This cannot be a password. Ask for another link, and choose another one."}
	}
	if err != nil {
		return err
	}
	if err := a.users.setHash(r.Context(), subject, hash); err != nil {
		return err
	}
	// In this order: whoever came in with the old password, or is about to, is out.
	if err := session.SignOutEverywhere(w, r, subject, "a new password was set"); err != nil {
		return err
	}
	http.Redirect(w, r, "/signin?note=password", http.StatusSeeOther)
	return nil
}
