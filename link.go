package keyfob

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/token"
)

// Bounds of one-time secrets.
const (
	maxPurpose = 64  // bytes
	maxBinding = 256 // bytes

	defaultLinkTTL = time.Hour
	maxLinkTTL     = 30 * 24 * time.Hour

	maxLinkPause = 24 * time.Hour

	maxLinks = 3 // live at once, of one subject and purpose
)

// A Link asks for the token of a link that is mailed: 256 bits of secret that are
// redeemed once. A subject may have three of one purpose at once, of which the
// newest stay; redeeming one ends the others.
type Link struct {
	Subject string // whom it stands for; up to 256 bytes of UTF-8; required

	// Purpose is what it is for: 1 to 64 of a-z, 0-9, "-", "_" and ".". A link is
	// redeemed for no other. Required.
	Purpose string

	// TTL is how long it lives: whole milliseconds, up to 30 days; 0 is an hour.
	TTL time.Duration

	// Binding ties it to the browser that asked for it: a hash of a random cookie,
	// up to 256 bytes of UTF-8. It is redeemed only with the same one. Empty: from
	// anywhere.
	Binding string

	// Pause is how old the newest one of the subject and purpose that is live must
	// be, up to a day: a younger one has this refused with ErrTooSoon, so that
	// nobody is flooded with mail. 0: of any age.
	Pause time.Duration

	// Attributes are for the application, as those of an APIKey.
	Attributes map[string]string
}

func (l Link) record(c *store.Credential) error {
	if err := checkNamed("subject", l.Subject, maxSubject); err != nil {
		return err
	}
	if err := CheckPurpose(l.Purpose); err != nil {
		return err
	}
	if err := checkText("binding", l.Binding, maxBinding); err != nil {
		return err
	}
	if err := checkAttributes(l.Attributes); err != nil {
		return err
	}
	if l.Pause < 0 || l.Pause > maxLinkPause {
		return badInput("pause", "is %v; it is up to %v", l.Pause, maxLinkPause)
	}
	ttl, err := checkTTL(l.TTL, defaultLinkTTL, maxLinkTTL)
	if err != nil {
		return err
	}
	c.Kind, c.Subject, c.Purpose, c.Binding = KindLink, l.Subject, l.Purpose, l.Binding
	c.Attributes, c.Expires = l.Attributes, c.Created.Add(ttl)
	return nil
}

func (Link) draw(k *core, c *store.Credential, prefix string) (drawn, error) {
	return k.drawFirst(c, prefix), nil
}

func (l Link) room() room { return room{most: maxLinks, pause: l.Pause} }

// CheckPurpose says whether text can be a purpose: 1 to 64 of a-z, 0-9, "-", "_"
// and ".". The error is an *InputError.
func CheckPurpose(text string) error {
	if text == "" || len(text) > maxPurpose {
		return badInput("purpose", "has %d bytes; it has 1 to %d, such as password-reset", len(text), maxPurpose)
	}
	for _, b := range []byte(text) {
		if (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '-' && b != '_' && b != '.' {
			return badInput("purpose", "holds the byte 0x%02x; it is of a-z, 0-9, -, _ and .", b)
		}
	}
	return nil
}

// checkTTL returns how long something lives that was asked to live for ttl.
func checkTTL(ttl, otherwise, most time.Duration) (time.Duration, error) {
	if ttl == 0 {
		return otherwise, nil
	}
	if ttl < 0 || ttl > most || ttl%time.Millisecond != 0 {
		return 0, badInput("ttl", "is %v; it is up to %v, in whole milliseconds, or left out for %v", ttl, most, otherwise)
	}
	return ttl, nil
}

func (a *Authority) inspectLink(ctx context.Context, space string, attempt *Attempt) (Credential, error) {
	found, err := a.findLink(ctx, space, attempt.Secret)
	if err != nil {
		return Credential{}, err
	}
	now := a.now()
	err = judgeLink(now, &found.Credential, attempt)
	if err != nil && !errors.Is(err, ErrBinding) {
		return Credential{}, err
	}
	return a.credentialOf(now, &found.Credential, found.Version), err
}

// redeemLink ends a link and its siblings. The condition that its revision is the
// one that was judged names the winner.
func (a *Authority) redeemLink(ctx context.Context, space string, attempt *Attempt) (Credential, error) {
	for {
		found, err := a.findLink(ctx, space, attempt.Secret)
		if err != nil {
			return Credential{}, err
		}
		now, c := a.now(), found.Credential
		if err := judgeLink(now, &c, attempt); err != nil {
			return Credential{}, err
		}
		c.State, c.Updated = StateRedeemed, now
		won := eventOf(&c, now, "redeemed")
		won.Version = found.Version.ID
		room, err := a.makeRoom(ctx, now, &c, room{})
		if err != nil {
			return Credential{}, err
		}
		steps := append([]store.Step{store.UpdateCredential{Credential: c}}, room.steps...)
		steps = append(steps, store.ClearBudget{Space: space, Name: subjectBudget(space, c.Subject)})
		err = a.applyAll(ctx, append([]store.Event{won}, room.events...), steps)
		if errors.Is(err, store.ErrConflict) {
			continue // redeemed, revoked, or joined by a sibling meanwhile: judge it anew
		}
		if err != nil {
			return Credential{}, fmt.Errorf("redeem: %w", err)
		}
		c.Revision++
		return a.credentialOf(now, &c, found.Version), nil
	}
}

// findLink returns the version whose secret is presented; see find.
func (c *core) findLink(ctx context.Context, space string, secret Secret) (store.Found, error) {
	presented, err := token.Parse(secret.Reveal())
	if err != nil {
		return store.Found{}, &invalid{ErrMalformed}
	}
	found, err := c.store.Version(ctx, space, presented.ID())
	unknown := errors.Is(err, store.ErrNotFound)
	if err != nil && !unknown {
		return store.Found{}, fmt.Errorf("find: %w", err)
	}
	if unknown {
		found = c.stranger(KindLink, space, presented)
	}
	same, err := c.prove(&found, presented)
	if err != nil {
		return store.Found{}, err
	}
	if unknown || !same || found.Credential.Kind != KindLink {
		return store.Found{}, &invalid{ErrUnknown}
	}
	return found, nil
}

// judgeLink decides on a link whose secret was presented.
func judgeLink(now time.Time, c *store.Credential, attempt *Attempt) error {
	if err := judgeLife(now, c); err != nil {
		return err
	}
	switch {
	case c.Purpose != attempt.Purpose:
		return &invalid{ErrPurpose}
	case !token.Equal(c.Binding, attempt.Binding):
		return &invalid{ErrBinding}
	}
	return nil
}

// judgeLife says why a one-time secret that was presented is good no more.
func judgeLife(now time.Time, c *store.Credential) error {
	switch {
	case c.State == StateRedeemed:
		return &invalid{ErrRedeemed}
	case c.State == StateReplaced:
		return &invalid{ErrReplaced}
	case c.State == StateRevoked:
		return &invalid{ErrRevoked}
	case c.State != StateActive && c.State != StateSuspended:
		return fmt.Errorf("redeem: the credential's state %q is none of this version of keyfob", c.State)
	case isOver(now, c.Expires):
		return &invalid{ErrExpired}
	case c.State == StateSuspended:
		return &invalid{ErrSuspended}
	}
	return nil
}
