package main

import (
	"errors"
	"net/http"
	"strings"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/session"
)

func (a *app) home(w http.ResponseWriter, r *http.Request) error {
	u, err := a.users.byID(r.Context(), session.Subject(r))
	if err != nil {
		return err
	}
	return a.show(w, r, http.StatusOK, "home", view{Data: u})
}

func (a *app) showSessions(w http.ResponseWriter, r *http.Request) error {
	all, err := session.List(r)
	if err != nil {
		return err
	}
	this, _ := session.From(r.Context())
	return a.show(w, r, http.StatusOK, "sessions", view{Data: map[string]any{"All": all, "This": this.ID}})
}

// endSession ends one of the user's own sessions: session.Revoke does not end
// another's, whatever id the form has.
func (a *app) endSession(w http.ResponseWriter, r *http.Request) error {
	err := session.Revoke(r, r.PostFormValue("id"), "ended on the page of sessions")
	if err != nil && !errors.Is(err, keyfob.ErrNotFound) { // it is gone: all the better
		return err
	}
	http.Redirect(w, r, "/sessions", http.StatusSeeOther)
	return nil
}

func (a *app) endAllSessions(w http.ResponseWriter, r *http.Request) error {
	if err := session.SignOutEverywhere(w, r, session.Subject(r), "signed out everywhere"); err != nil {
		return err
	}
	http.Redirect(w, r, "/signin?note=ended", http.StatusSeeOther)
	return nil
}

// browserOf tells people which of their browsers it was. A browser may call itself as
// it likes.
func browserOf(agent string) string {
	for _, name := range []string{"Edg", "Firefox", "Chrome", "Safari"} {
		for _, system := range []string{"Android", "iPhone", "iPad", "Windows", "Macintosh", "Linux"} {
			if strings.Contains(agent, name+"/") && strings.Contains(agent, system) {
				return name + " on " + system
			}
		}
	}
	return "another browser"
}
