package main

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/bearer"
	"github.com/keyfob-dev/keyfob/session"
)

func (a *app) showKeys(w http.ResponseWriter, r *http.Request) error {
	return a.listKeys(w, r, keyfob.Secret{})
}

// listKeys shows the user's keys, and one that was issued just now, the only time.
func (a *app) listKeys(w http.ResponseWriter, r *http.Request, issued keyfob.Secret) error {
	page, err := a.auth.List(r.Context(), keyfob.Filter{
		Kind: keyfob.KindAPIKey, Subject: session.Subject(r), States: []keyfob.State{keyfob.StateActive},
	})
	if err != nil {
		return err
	}
	return a.show(w, r, http.StatusOK, "keys", view{Data: map[string]any{"Keys": page.Items, "Issued": issued}})
}

func (a *app) issueKey(w http.ResponseWriter, r *http.Request) error {
	key, err := a.auth.Issue(r.Context(), keyfob.APIKey{
		Subject: session.Subject(r), Name: r.PostFormValue("name"), Scopes: []string{"read"},
	})
	if errors.Is(err, keyfob.ErrInput) {
		return refusal{http.StatusUnprocessableEntity, "This cannot be a key's name. Go back, and choose a shorter one."}
	}
	if err != nil {
		return err
	}
	return a.listKeys(w, r, key.Secret)
}

func (a *app) revokeKey(w http.ResponseWriter, r *http.Request) error {
	key, err := a.auth.Get(r.Context(), r.PostFormValue("id"))
	if errors.Is(err, keyfob.ErrNotFound) || err == nil && (key.Kind != keyfob.KindAPIKey || key.Subject != session.Subject(r)) {
		return refusal{http.StatusNotFound, "You have no such key."} // and nobody learns whether somebody else has
	}
	if err != nil {
		return err
	}
	if err := a.auth.Revoke(r.Context(), key.ID, "revoked on the page of keys"); err != nil {
		return err
	}
	http.Redirect(w, r, "/keys", http.StatusSeeOther)
	return nil
}

// apiMe is for programs, which come with one of these keys.
func (a *app) apiMe(w http.ResponseWriter, r *http.Request) error {
	key, _ := bearer.From(r.Context())
	u, err := a.users.byID(r.Context(), key.Subject)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(map[string]string{"id": u.ID, "email": u.Email, "key": key.Name})
}
