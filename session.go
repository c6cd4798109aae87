package keyfob

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/token"
)

// How long sessions last where nothing is said, and at most.
const (
	defaultIdle     = 30 * time.Minute
	defaultLifetime = 12 * time.Hour

	rememberedIdle     = 7 * 24 * time.Hour
	rememberedLifetime = 30 * 24 * time.Hour

	minIdle     = time.Second
	maxLifetime = 400 * 24 * time.Hour
)

// mostAhead is how far ahead a revocation by another node's clock may be. What is
// further ahead was made by a clock that was wrong (see AcceptClock), and would keep
// the subject from signing in until then.
const mostAhead = time.Hour

// A Session asks for a session: 256 bits of secret, which a browser presents with
// each request, as in a cookie. Its zero value is one of nobody, before a sign-in.
//
// It ends when it was not used for Idle, and after Lifetime at the latest. Verify
// keeps that it is in use, at most each tenth of Idle: so it never ends late, and
// by a tenth of Idle too early at most. It ends at once by Revoke, by
// RevokeSubject, and by a session that takes its place.
type Session struct {
	// Subject is who has signed in; up to 256 bytes of UTF-8. Empty: nobody has.
	// No session gets another subject: a sign-in is a new session.
	Subject string

	// Attributes are for the application, as those of an APIKey. Update changes
	// them.
	Attributes map[string]string

	// Idle, from a second up, and Lifetime, up to 400 days, are whole milliseconds,
	// and Idle is no more than Lifetime. 0 is 30 minutes, or Lifetime where that is
	// less, and 12 hours; of one that is Remembered 7 and 30 days.
	Idle       time.Duration
	Lifetime   time.Duration
	Remembered bool

	// From is the version of the session whose place it takes, as Verify returned
	// it: an id. That one ends as replaced, in the same change, and its
	// attributes are kept where Attributes has no others, if it was nobody's or of
	// the same subject; together they have the bounds of Attributes. When it has
	// ended, or was renewed, Issue answers ErrConflict. Empty: it takes no one's
	// place.
	From string

	// Since is when the subject began to prove who they are. When RevokeSubject has
	// ended the subject's sessions since then, Issue answers ErrConflict: who signs
	// in with a password while it is being reset has no session after that. It is
	// held against the Authority's clock: one that lies ahead of it asks nothing. Zero:
	// that is not asked.
	Since time.Time
}

func (s Session) record(c *store.Credential) error {
	if err := checkText("subject", s.Subject, maxSubject); err != nil {
		return err
	}
	if err := checkAttributes(s.Attributes); err != nil {
		return err
	}
	if s.Subject == "" && !s.Since.IsZero() {
		return badInput("since", "is given without a subject, who proves something")
	}
	if y := s.Since.Year(); y < 1 || y > latest.Year() {
		return badInput("since", "lies before the year 1 or beyond the year 9999")
	}
	if s.From != "" && token.CheckID(s.From) != nil {
		return badInput("from", "is no id of a version: 16 characters of 0-9, A-Z and a-z")
	}
	idle, lifetime, err := s.lives()
	if err != nil {
		return err
	}
	c.Kind, c.Subject, c.Attributes = KindSession, s.Subject, s.Attributes
	c.Idle, c.Seen, c.Expires = idle, c.Created, c.Created.Add(lifetime)
	return nil
}

// lives returns how long it may be idle, and how long it lasts.
func (s *Session) lives() (idle, lifetime time.Duration, err error) {
	idle, lifetime = s.Idle, s.Lifetime
	if lifetime == 0 && s.Remembered {
		lifetime = rememberedLifetime
	} else if lifetime == 0 {
		lifetime = defaultLifetime
	}
	if lifetime < minIdle || lifetime > maxLifetime || lifetime%time.Millisecond != 0 {
		return 0, 0, badInput("lifetime", "is %v; it is from %v to %v, in whole milliseconds", lifetime, minIdle, maxLifetime)
	}
	if idle == 0 && s.Remembered {
		idle = min(rememberedIdle, lifetime)
	} else if idle == 0 {
		idle = min(defaultIdle, lifetime)
	}
	if idle < minIdle || idle > lifetime || idle%time.Millisecond != 0 {
		return 0, 0, badInput("idle", "is %v; it is from %v to the lifetime, %v, in whole milliseconds", idle, minIdle, lifetime)
	}
	return idle, lifetime, nil
}

func (Session) draw(k *core, c *store.Credential, prefix string) (drawn, error) {
	return k.drawFirst(c, prefix), nil
}

func (s Session) room() room {
	return room{from: s.From, since: wholeMillisecond(s.Since), attributes: s.Attributes}
}

// errOver: the session whose place another was to take is not there any more.
var errOver = fmt.Errorf("%w: the session that it was to take the place of has ended or was renewed; issue one without it", ErrConflict)

// errSince: the subject was revoked while somebody signed in.
var errSince = fmt.Errorf("%w: the subject's sessions were revoked since the sign-in began; it has to begin anew", ErrConflict)

// makePlace is the part of a change that lets a session be made: its subject was not
// revoked meanwhile, and the one whose place it takes ends, and gives it its
// attributes.
func (a *Authority) makePlace(ctx context.Context, c *store.Credential, want room) (cleared, error) {
	var done cleared
	if !want.since.IsZero() {
		done.steps = append(done.steps, store.RequireUnrevoked{
			Space: c.Space, Kind: c.Kind, Subject: c.Subject, Since: want.since, Until: c.Created.Add(mostAhead),
		})
	}
	if want.from == "" {
		return done, nil
	}
	item, err := a.item(ctx, c.Space, want.from)
	if errors.Is(err, ErrNotFound) {
		return cleared{}, errOver
	}
	if err != nil {
		return cleared{}, err
	}
	now, old := c.Created, item.Credential
	if old.Kind != KindSession || old.Current != want.from || old.State != StateActive || isOver(now, endOf(&old)) {
		return cleared{}, errOver
	}
	if old.Subject == "" || old.Subject == c.Subject {
		if c.Attributes, err = mergeAttributes(old.Attributes, want.attributes); err != nil {
			return cleared{}, err
		}
	}
	old.State, old.Updated = StateReplaced, now
	done.steps = append(done.steps, store.UpdateCredential{Credential: old})
	done.events = append(done.events, eventOf(&old, now, "replaced"))
	return done, nil
}

// mergeAttributes returns the attributes of both; those of more count where both
// have one of a name.
func mergeAttributes(of, more map[string]string) (map[string]string, error) {
	all := make(map[string]string, len(of)+len(more))
	maps.Copy(all, of)
	maps.Copy(all, more)
	return all, checkAttributes(all)
}

// refusedSince makes errSince of the conflict of a RequireUnrevoked.
func refusedSince(steps []store.Step, err error) error {
	var conflict *store.ConflictError
	if errors.As(err, &conflict) && conflict.Step < len(steps) {
		if _, is := steps[conflict.Step].(store.RequireUnrevoked); is {
			return errSince
		}
	}
	return err
}

// endOf is when a credential ends by its age or because it is not used. Of what is
// in use it moves.
func endOf(c *store.Credential) time.Time {
	if c.Idle == 0 {
		return c.Expires // inlined: each verification of an API key asks
	}
	return idleEnd(c)
}

func idleEnd(c *store.Credential) time.Time {
	if idle := c.Seen.Add(c.Idle); c.Expires.IsZero() || idle.Before(c.Expires) {
		return idle
	}
	return c.Expires
}

// isDue reports whether it has to be written that a session is in use.
func isDue(now time.Time, c *store.Credential) bool {
	return !now.Before(c.Seen.Add(c.Idle / 10))
}

// errTouched: that a credential is in use was written, and it has to be read again.
var errTouched = errors.New("touched")

// touch writes that a credential is in use, and returns errTouched. What was judged
// must still hold, or it is a conflict: nothing that has ended is brought back.
func (c *core) touch(ctx context.Context, now time.Time, of *store.Credential) error {
	err := c.store.Apply(ctx, store.Change{Steps: []store.Step{
		store.TouchCredential{Space: of.Space, ID: of.ID, Revision: of.Revision, Was: of.Seen, At: now},
	}})
	c.forget(of.ID) // whatever came of it
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	return errTouched
}
