package main

import (
	"context"
	"fmt"

	"github.com/keyfob-dev/keyfob/link"
)

// Somebody signs up with an address. The link that is mailed to it proves that it is
// theirs, and asks for the password: so nobody can have a password of theirs ready
// on the address of somebody else. Who has an account already is told so by mail,
// and by nothing else.

// findForSignUp runs beside the request, which is answered already.
func (a *app) findForSignUp(ctx context.Context, typed string) (link.Account, error) {
	email := address(typed)
	if email == "" {
		return link.Account{}, nil // no address that mail could go to
	}
	u, err := a.users.add(ctx, email, a.now())
	return link.Account{Subject: u.ID, Address: u.Email}, err
}

func (a *app) mailSignUp(ctx context.Context, m link.Message) error {
	u, err := a.users.byID(ctx, m.Account.Subject)
	if err != nil {
		return err
	}
	if u.Hash != "" { // the link of m stays unsent, and ends
		return a.mail.send(u.Email, "You have an account already", `Somebody, probably you, wanted to sign up with this address. You have an
account already: sign in, or ask for a new password if you forgot yours.
`)
	}
	return a.mail.send(u.Email, "Welcome", fmt.Sprintf(`Follow this link to choose a password:

%s

It works once, until %s. If you did not sign up,
do nothing: there will be no account.
`, m.URL.Reveal(), m.Expires.Format("15:04 MST")))
}
