package session

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/keyfob-dev/keyfob"
)

// List returns the live sessions of the request's subject, the newest first. The
// request's own is the one with the ID of From. Errors: ErrNobody,
// keyfob.ErrUnavailable.
func List(r *http.Request) ([]keyfob.Credential, error) {
	s, err := of(r.Context())
	if err != nil {
		return nil, err
	}
	filter := keyfob.Filter{
		Kind: keyfob.KindSession, Subject: Subject(r), States: []keyfob.State{keyfob.StateActive}, Limit: 1000,
	}
	if filter.Subject == "" {
		return nil, ErrNobody // without a subject it would be the list of everybody's
	}
	var live []keyfob.Credential
	for {
		page, err := s.sessions.verbs.List(r.Context(), filter)
		if err != nil {
			return nil, fmt.Errorf("session: %w", err)
		}
		for _, c := range page.Items {
			if c.State == keyfob.StateActive { // and not expired
				live = append(live, c)
			}
		}
		if page.Next == "" {
			return live, nil
		}
		filter.After = page.Next
	}
}

// Revoke ends one session of the request's subject, whose ID it is; the request's
// own as well, though SignOut is for that. Any other id is keyfob.ErrNotFound,
// whatever it is the id of. The reason is for people and may be empty. Errors
// besides: ErrNobody, keyfob.ErrInput, keyfob.ErrUnavailable.
func Revoke(r *http.Request, id, reason string) error {
	s, err := of(r.Context())
	if err != nil {
		return err
	}
	subject := Subject(r)
	if subject == "" {
		return ErrNobody
	}
	c, err := s.sessions.verbs.Get(r.Context(), id)
	notOurs := err == nil && (c.Kind != keyfob.KindSession || c.Subject != subject || c.ID != id)
	if notOurs || errors.Is(err, keyfob.ErrNotFound) || errors.Is(err, keyfob.ErrInput) {
		return fmt.Errorf("session: %w", keyfob.ErrNotFound)
	}
	if err == nil {
		err = s.sessions.verbs.Revoke(r.Context(), c.ID, reason)
	}
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	if own := s.current.Load(); own != nil && own.ID == c.ID {
		s.current.CompareAndSwap(own, nil)
	}
	return nil
}
