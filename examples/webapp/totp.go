package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"rsc.io/qr"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/session"
)

// hasTOTP tells whether a second factor is asked for.
func (a *app) hasTOTP(ctx context.Context, subject string) (bool, error) {
	page, err := a.auth.List(ctx, keyfob.Filter{Kind: keyfob.KindTOTP, Subject: subject, States: []keyfob.State{keyfob.StateActive}})
	for _, c := range page.Items { // a subject has ten at most
		if c.Confirmed {
			return true, err
		}
	}
	return false, err
}

// redeemCode redeems what was typed as a second factor: a code of the app, or one of
// the recovery codes.
func (a *app) redeemCode(r *http.Request, subject string) error {
	typed := strings.TrimSpace(r.PostFormValue("code"))
	kind := keyfob.KindTOTP
	if strings.Contains(typed, "-") {
		kind = keyfob.KindRecovery
	}
	_, err := a.auth.Redeem(r.Context(), keyfob.Attempt{Kind: kind, Subject: subject, Secret: keyfob.NewSecret(typed), IP: clientIP(r)})
	return err
}

// wrongCode is what is told of a code that was refused: when to try again, and never why.
func wrongCode(err error) string {
	if wait := keyfob.RetryAfter(err); wait > 0 {
		return fmt.Sprintf("Too many codes were tried. Wait for %v.", wait.Round(time.Second))
	}
	return "This code is not valid. Wait for the next one."
}

func (a *app) showTOTP(w http.ResponseWriter, r *http.Request) error {
	enrolled, err := a.hasTOTP(r.Context(), session.Subject(r))
	if err != nil {
		return err
	}
	return a.show(w, r, http.StatusOK, "totp", view{Data: enrolled})
}

// refuseSecondTOTP: while there is a second factor, it takes a code to have another.
func (a *app) refuseSecondTOTP(ctx context.Context, subject string) error {
	enrolled, err := a.hasTOTP(ctx, subject)
	if err == nil && enrolled {
		err = refusal{http.StatusConflict, "You have a second factor. Turn it off first."}
	}
	return err
}

// enrollTOTP shows a new secret, the only time. It counts once it is confirmed.
func (a *app) enrollTOTP(w http.ResponseWriter, r *http.Request) error {
	subject := session.Subject(r)
	u, err := a.users.byID(r.Context(), subject)
	if err != nil {
		return err
	}
	if err := a.refuseSecondTOTP(r.Context(), subject); err != nil {
		return err
	}
	totp, err := a.auth.Issue(r.Context(), keyfob.TOTP{Subject: subject, Issuer: "keyfob webapp", Account: u.Email})
	if errors.Is(err, keyfob.ErrConflict) {
		return refusal{http.StatusTooManyRequests, "You began this too often. Try again in an hour."}
	}
	if err != nil {
		return err
	}
	code, err := qr.Encode(totp.URI.Reveal(), qr.M)
	if err != nil {
		return errors.New("the QR code cannot be made") // its error may quote the secret
	}
	return a.show(w, r, http.StatusOK, "enroll", view{Data: map[string]any{
		"Picture": template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(code.PNG())),
		"Secret":  totp.Secret.Reveal(),
	}})
}

// confirmTOTP turns the second factor on, with the first code that the app shows.
func (a *app) confirmTOTP(w http.ResponseWriter, r *http.Request) error {
	subject := session.Subject(r)
	// Asked again: another session may have begun to set one up before this one did.
	if err := a.refuseSecondTOTP(r.Context(), subject); err != nil {
		return err
	}
	_, err := a.auth.Confirm(r.Context(), keyfob.Attempt{
		Kind: keyfob.KindTOTP, Subject: subject, Secret: keyfob.NewSecret(strings.TrimSpace(r.PostFormValue("code"))), IP: clientIP(r),
	})
	if errors.Is(err, keyfob.ErrInvalid) {
		return a.show(w, r, http.StatusForbidden, "enroll", view{Note: wrongCode(err)})
	}
	if err != nil {
		return err
	}
	codes, err := a.auth.Issue(r.Context(), keyfob.Recovery{Subject: subject})
	if err != nil {
		return err
	}
	// From here on the account is worth more, and so is its session.
	if err := session.Renew(w, r); err != nil {
		return err
	}
	return a.show(w, r, http.StatusOK, "recovery", view{Data: codes.Secrets})
}

// endTOTP turns it off, which takes a code: a browser that was left open is not
// enough.
func (a *app) endTOTP(w http.ResponseWriter, r *http.Request) error {
	subject := session.Subject(r)
	err := a.redeemCode(r, subject)
	if errors.Is(err, keyfob.ErrInvalid) {
		return a.show(w, r, http.StatusForbidden, "totp", view{Data: true, Note: wrongCode(err)})
	}
	if err != nil {
		return err
	}
	if err := a.auth.RevokeSubject(r.Context(), subject, "turned off", keyfob.KindTOTP, keyfob.KindRecovery); err != nil {
		return err
	}
	http.Redirect(w, r, "/totp?note=off", http.StatusSeeOther)
	return nil
}
