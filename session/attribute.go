package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/keyfob-dev/keyfob"
)

// An Attribute is a small thing that the application keeps in sessions, such as a
// language or what is in a cart. It is for the program's variables:
//
//	var theme = session.NewAttribute[string]("theme")
//
// In the session it is a text: a string as itself, all else as JSON. A text has up
// to 1024 bytes and no control characters, and a session 64 of them; what has not is
// refused with keyfob.ErrInput.
//
// Writers of one session lose nothing: what is written is held against the session
// as it was read, and when another was faster it is read and worked out anew. A
// session that has ended or was renewed meanwhile takes nothing more; the error then
// wraps keyfob.ErrInvalid and a cause.
type Attribute[T any] struct{ name string }

// NewAttribute returns the attribute of that name: 1 to 64 bytes of letters, digits,
// marks and signs. It panics if the name is none, or "remembered", which is taken.
func NewAttribute[T any](name string) Attribute[T] {
	notPrinted := func(r rune) bool { return !unicode.IsPrint(r) }
	if name == "" || len(name) > 64 || !utf8.ValidString(name) || strings.ContainsFunc(name, notPrinted) {
		panic("session: NewAttribute: the name is not 1 to 64 bytes of printable text")
	}
	if name == remembered {
		panic("session: NewAttribute: the name " + remembered + " is taken; choose another")
	}
	return Attribute[T]{name}
}

// Get returns the attribute, as From tells it. The second result is false if the
// session does not have it, or there is no session. An error is ErrNoHandler, or
// tells of a text that is no T.
func (a Attribute[T]) Get(r *http.Request) (value T, ok bool, err error) {
	s, err := of(r.Context())
	if err != nil {
		return value, false, err
	}
	c := s.current.Load()
	if c == nil {
		return value, false, nil
	}
	return a.in(c.Attributes)
}

// Set writes the attribute, whatever it was. Where there is no session, one of nobody
// is issued, which is why it takes w.
func (a Attribute[T]) Set(w http.ResponseWriter, r *http.Request, value T) error {
	return write(w, r, func(all map[string]string) (err error) {
		all[a.name], err = a.text(value)
		return err
	})
}

// Update writes what f makes of the attribute; the second argument is false if the
// session does not have it. Where others write at the same time, f is called again,
// with what they wrote. When f fails nothing is written, and Update returns its error.
// It must not write attributes itself.
func (a Attribute[T]) Update(w http.ResponseWriter, r *http.Request, f func(T, bool) (T, error)) error {
	return write(w, r, func(all map[string]string) error {
		old, ok, err := a.in(all)
		if err != nil {
			return err
		}
		value, err := f(old, ok)
		if err != nil {
			return err
		}
		all[a.name], err = a.text(value)
		return err
	})
}

// write edits the attributes of the request's session, which is issued where there is
// none.
func write(w http.ResponseWriter, r *http.Request, edit func(all map[string]string) error) error {
	s, err := of(r.Context())
	if err != nil {
		return err
	}
	if s.current.Load() == nil {
		first := map[string]string{}
		if err := edit(first); err != nil {
			return err
		}
		if issued, err := s.start(w, r, first); issued || err != nil {
			return err
		}
	}
	return s.edit(r.Context(), edit)
}

// Delete removes the attribute, if the session has it.
func (a Attribute[T]) Delete(r *http.Request) error {
	s, err := of(r.Context())
	if err != nil {
		return err
	}
	if s.current.Load() == nil {
		return nil
	}
	return s.edit(r.Context(), func(all map[string]string) error {
		delete(all, a.name)
		return nil
	})
}

// in is the attribute among all.
func (a Attribute[T]) in(all map[string]string) (value T, ok bool, err error) {
	text, ok := all[a.name]
	if !ok {
		return value, false, nil
	}
	if s, is := any(&value).(*string); is {
		*s = text
		return value, true, nil
	}
	value, err = a.decode(text)
	return value, err == nil, err
}

func (a Attribute[T]) decode(text string) (value T, err error) {
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return *new(T), fmt.Errorf("session: the attribute %s is no %T: %w", a.name, value, err)
	}
	return value, nil
}

// text is how a value is kept.
func (a Attribute[T]) text(value T) (string, error) {
	if s, is := any(&value).(*string); is {
		return *s, nil
	}
	text, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("session: the attribute %s: %w", a.name, err)
	}
	return string(text), nil
}

// maxTries bounds how often an edit is tried: one that writes attributes itself
// would be overtaken by itself for ever.
const maxTries = 1000

// edit changes the attributes of the request's session by compare-and-swap.
func (s *state) edit(ctx context.Context, edit func(all map[string]string) error) error {
	known := s.current.Load()
	if known == nil {
		return ended(keyfob.ErrRevoked) // by another goroutine of the request
	}
	c := *known
	for range maxTries {
		all := maps.Clone(c.Attributes)
		if all == nil {
			all = map[string]string{}
		}
		if err := edit(all); err != nil {
			return err
		}
		next := c
		next.Attributes = all
		written, err := s.sessions.verbs.Update(ctx, next)
		if err == nil {
			s.keepNewer(written)
			return nil
		}
		if !errors.Is(err, keyfob.ErrConflict) && !errors.Is(err, keyfob.ErrNotFound) {
			return fmt.Errorf("session: %w", err)
		}
		if c, err = s.overtaken(ctx, &c); err != nil {
			return err
		}
	}
	return fmt.Errorf("session: an attribute was changed by others %d times meanwhile: %w", maxTries, keyfob.ErrConflict)
}

// overtaken returns the session to try an edit on, after one of another was faster.
func (s *state) overtaken(ctx context.Context, was *keyfob.Credential) (keyfob.Credential, error) {
	if now := s.current.Load(); now != nil && version(now) != version(was) {
		return *now, nil // this request itself has renewed it, or signed in
	}
	return s.again(ctx, was)
}
