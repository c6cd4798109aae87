package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keyfob-dev/keyfob"
)

// A state is what is known of a request's session. It is safe for concurrent use by
// the goroutines of the request.
type state struct {
	sessions *Sessions
	arrived  time.Time
	twice    bool   // the cookie came twice, so that it is unknown which session was meant
	replaced string // the version that the request came with, where a newer one has taken its place

	// current is the session; nil: there is none. What it points to never changes.
	current atomic.Pointer[keyfob.Credential]

	// change is held by what makes or ends sessions and sets the cookie.
	change  sync.Mutex
	revoked map[string]bool // subjects that this request has signed out everywhere
}

type stateKey struct{}

// of returns the state of a request.
func of(ctx context.Context) (*state, error) {
	s, ok := ctx.Value(stateKey{}).(*state)
	if !ok {
		return nil, ErrNoHandler
	}
	return s, nil
}

// session is the request's session; nil: there is none.
func session(r *http.Request) *keyfob.Credential {
	s, err := of(r.Context())
	if err != nil {
		return nil
	}
	return s.current.Load()
}

// Subject returns who has signed in; empty if nobody has.
func Subject(r *http.Request) string {
	c := session(r)
	if c == nil {
		return ""
	}
	return c.Subject
}

// Binding returns what changes with each sign-in, sign-out and renewal: the id of
// the session's version, for csrf. It is no secret. Empty if there is no session.
func Binding(r *http.Request) string {
	c := session(r)
	if c == nil {
		return ""
	}
	return version(c)
}

// Arrived returns when a request arrived, for User.Since; the zero time outside of
// Handler.
func Arrived(r *http.Request) time.Time {
	s, err := of(r.Context())
	if err != nil {
		return time.Time{}
	}
	return s.arrived
}

// From returns the session of a request, from the request's context, as it is known
// now: as it was verified, or as this request has changed it. Its one version is the
// one that the browser has. The second result is false if there is none; a session
// without a subject is nobody's.
func From(ctx context.Context) (keyfob.Credential, bool) {
	s, err := of(ctx)
	if err != nil {
		return keyfob.Credential{}, false
	}
	known := s.current.Load()
	if known == nil {
		return keyfob.Credential{}, false
	}
	c := *known
	c.Attributes, c.Versions = maps.Clone(c.Attributes), slices.Clone(c.Versions)
	return c, true
}

// version is the id of the version that the browser has.
func version(c *keyfob.Credential) string { return c.Versions[0].ID }

// keep notes a session that this request was given, or that it knows more of.
func (s *state) keep(c keyfob.Credential) *keyfob.Credential {
	c.Versions = c.Versions[:1]
	s.current.Store(&c)
	return &c
}

// keepNewer notes what a change has made of the request's session, unless that has
// gone on since.
func (s *state) keepNewer(c keyfob.Credential) {
	c.Versions = c.Versions[:1]
	for {
		known := s.current.Load()
		if known == nil || known.ID != c.ID || known.Revision >= c.Revision {
			return
		}
		if s.current.CompareAndSwap(known, &c) {
			return
		}
	}
}

// again reads a session after a conflict. It is asked by its version, and of the
// store: if that is not the newest any more, the secret that the request came with
// is dead, and so is all that it would do. Then the error wraps keyfob.ErrInvalid
// and a cause, as if the cookie were presented now.
func (s *state) again(ctx context.Context, was *keyfob.Credential) (keyfob.Credential, error) {
	c, err := s.sessions.verbs.Get(ctx, was.ID)
	if errors.Is(err, keyfob.ErrNotFound) {
		return c, ended(keyfob.ErrUnknown)
	}
	if err != nil {
		return c, fmt.Errorf("session: %w", err)
	}
	switch {
	case c.State == keyfob.StateRevoked:
		return c, ended(keyfob.ErrRevoked)
	case c.State == keyfob.StateExpired:
		return c, ended(keyfob.ErrExpired)
	case c.State != keyfob.StateActive || version(&c) != version(was):
		return c, ended(keyfob.ErrReplaced)
	}
	return c, nil
}

// ended is the error of what a session that has ended would do.
func ended(cause error) error {
	return fmt.Errorf("session: it ended while the request was under way: %w: %w", keyfob.ErrInvalid, cause)
}
