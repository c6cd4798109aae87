package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/keyfob-dev/keyfob"
)

// A User is who signs in, and for how long.
type User struct {
	// Subject is who: an id that never changes, as of a row, and no address of
	// theirs. Required.
	Subject string

	// Remembered has the browser keep the cookie when it is closed.
	Remembered bool

	// Idle and Lifetime are how long the session lasts, as keyfob.Session has them;
	// 0 is half an hour and 12 hours, of a User who is Remembered 7 and 30 days.
	Idle     time.Duration
	Lifetime time.Duration

	// Attributes that the session begins with, as texts; an Attribute reads them. The
	// name "remembered" is taken.
	Attributes map[string]string

	// Since is when the user began to prove who they are; zero: when the request
	// arrived. See the package comment.
	Since time.Time
}

// lasting is how long the end of a session may take after the browser has gone.
const lasting = 30 * time.Second

// Start makes sure that the request has a session: where it has none, one of nobody
// is issued, for what is to be told by its id before anybody signs in. Two requests
// that come at once without a cookie get one each, and the browser keeps the last.
func Start(w http.ResponseWriter, r *http.Request) error {
	s, err := of(r.Context())
	if err != nil {
		return err
	}
	_, err = s.start(w, r, nil)
	return err
}

// start is Start, with attributes for a session that it issues; it reports whether
// it has.
func (s *state) start(w http.ResponseWriter, r *http.Request, attributes map[string]string) (issued bool, err error) {
	s.change.Lock()
	defer s.change.Unlock()
	if s.current.Load() != nil {
		return false, nil
	}
	return true, s.issue(w, r, keyfob.Session{Attributes: attributes})
}

// issue issues a session, and has it take the place of the request's.
func (s *state) issue(w http.ResponseWriter, r *http.Request, want keyfob.Session) error {
	issued, err := s.sessions.verbs.Issue(r.Context(), want)
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	s.keep(issued.Credential)
	s.sessions.setCookie(w, &issued)
	return nil
}

// SignIn begins a session of a user whose password, or whatever it is, was found to
// be right. Its secret is new; the session that the request had ends in the same
// change, and if that was nobody's or the same subject's, its attributes are kept
// where User.Attributes has no others.
//
// Errors: keyfob.ErrConflict (the subject was signed out everywhere since
// User.Since: ask for the password anew), keyfob.ErrInput, keyfob.ErrUnavailable.
// After an error there is no new session, and the request has the one it had.
func SignIn(w http.ResponseWriter, r *http.Request, user User) error {
	s, err := of(r.Context())
	if err != nil {
		return err
	}
	if user.Subject == "" {
		return badInput("subject", "is empty; name who has signed in")
	}
	if _, taken := user.Attributes[remembered]; taken {
		return badInput("attributes."+remembered, "is taken; set User.Remembered")
	}
	s.change.Lock()
	defer s.change.Unlock()
	want := keyfob.Session{
		Subject: user.Subject, Remembered: user.Remembered, Idle: user.Idle, Lifetime: user.Lifetime,
		Attributes: user.attributes(), Since: user.Since,
	}
	if want.Since.IsZero() {
		want.Since = s.arrived
	}
	if s.revoked[user.Subject] {
		// What raced with this request was ended by it. Whether its own time is before
		// or after that cannot be told by two clocks, nor within a millisecond.
		want.Since = time.Time{}
	}
	if c := s.current.Load(); c != nil {
		want.From = version(c)
	}
	err = s.issue(w, r, want)
	if errors.Is(err, keyfob.ErrConflict) && want.From != "" {
		// Maybe the old one has ended meanwhile, which is none of the new one's concern.
		want.From = ""
		err = s.issue(w, r, want)
	}
	return err
}

// remembered is the name of the attribute that tells of a session that its cookie
// stays. It is always there, so that none is taken over from another session.
const remembered = "remembered"

func isRemembered(c *keyfob.Credential) bool { return c.Attributes[remembered] == "true" }

// attributes are those of the session of a user.
func (u *User) attributes() map[string]string {
	all := map[string]string{remembered: fmt.Sprint(u.Remembered)}
	maps.Copy(all, u.Attributes)
	return all
}

// Renew gives the request's session a new secret; the one before is dead when it
// returns. Call it when more was proved than before, as by a second factor. Of
// requests that race one renews.
//
// Errors: one that wraps keyfob.ErrInvalid and a cause (the session has ended or was
// renewed while the request was under way), ErrNobody, keyfob.ErrUnavailable.
func Renew(w http.ResponseWriter, r *http.Request) error {
	s, err := of(r.Context())
	if err != nil {
		return err
	}
	s.change.Lock()
	defer s.change.Unlock()
	c := s.current.Load()
	if c == nil {
		return ErrNobody
	}
	issued, err := s.sessions.verbs.Renew(r.Context(), version(c))
	if errors.Is(err, keyfob.ErrConflict) || errors.Is(err, keyfob.ErrNotFound) {
		if _, why := s.again(r.Context(), c); why != nil {
			return why
		}
	}
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	s.keep(issued.Credential)
	s.sessions.setCookie(w, &issued)
	return nil
}

// SignOut ends the request's session, and has the browser forget the cookie. It
// goes on when the browser leaves. Without a session it only does the latter.
//
// A request that lost a race against a Renew ends its session, too: that is all that
// a secret is good for which was replaced.
//
// After an error the session may live, and the browser keeps its cookie: what it
// shows is true, and the user can try again. Tell them. ErrTwice: it is not known
// which session was meant, and none was ended.
func SignOut(w http.ResponseWriter, r *http.Request) error {
	s, err := of(r.Context())
	if err != nil {
		return err
	}
	s.change.Lock()
	defer s.change.Unlock()
	id := s.replaced
	if c := s.current.Load(); c != nil {
		id = c.ID
	}
	if id == "" && s.twice {
		return ErrTwice
	}
	if id != "" {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), lasting)
		defer cancel()
		if err := s.sessions.verbs.Revoke(ctx, id, "signed out"); err != nil && !errors.Is(err, keyfob.ErrNotFound) {
			return fmt.Errorf("session: %w", err)
		}
	}
	s.current.Store(nil)
	s.sessions.deleteCookie(w)
	return nil
}

// SignOutEverywhere ends all sessions of a subject at once, and sign-ins that are
// under way elsewhere. If the request's session is one of them, the browser is to
// forget its cookie. The reason is for people, as "password reset", and may be
// empty. A SignIn of the subject in the same request is not under way elsewhere:
// so a new password is set, SignOutEverywhere, SignIn. These two stand together: a
// SignOutEverywhere of another request between them does not refuse that SignIn.
//
// It goes on when the browser leaves. After an error the sessions may live, as
// after one of SignOut.
func SignOutEverywhere(w http.ResponseWriter, r *http.Request, subject, reason string) error {
	s, err := of(r.Context())
	if err != nil {
		return err
	}
	s.change.Lock()
	defer s.change.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), lasting)
	defer cancel()
	if err := s.sessions.verbs.RevokeSubject(ctx, subject, reason, keyfob.KindSession); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	if s.revoked == nil {
		s.revoked = map[string]bool{}
	}
	s.revoked[subject] = true
	if c := s.current.Load(); c != nil && c.Subject == subject {
		s.current.Store(nil)
		s.sessions.deleteCookie(w)
	}
	return nil
}

func badInput(field, problem string) error {
	return fmt.Errorf("session: %w", &keyfob.InputError{Field: field, Problem: problem})
}
