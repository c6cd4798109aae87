package keyfob

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/token"
)

// A Request is what Issue takes: an APIKey, Session, Link, Code, TOTP or Recovery.
type Request interface {
	// record checks the request and writes it into the credential that is to
	// be made at the time c.Created.
	record(c *store.Credential) error

	// draw makes the credential's versions, and what is handed out.
	draw(k *core, c *store.Credential, prefix string) (drawn, error)

	// room says how many of them may be live at once.
	room() room
}

// drawn is what is made for one request.
type drawn struct {
	versions []store.Version // the newest first
	secret   Secret
	secrets  []Secret
	uri      Secret
	ended    []string // ids of the credentials whose place it takes
}

// Issued is a new secret and its credential. keyfob cannot show it again.
type Issued struct {
	Credential Credential
	Secret     Secret   // a keyed token, a code, or a seed in base32; empty for a Recovery
	Secrets    []Secret // the codes of a Recovery
	URI        Secret   // the otpauth URI of a TOTP
}

// Issue makes a credential and hands out its secret. Errors: ErrInput, ErrSpace,
// ErrUnavailable; ErrTooSoon for a Code and a Link; ErrConflict for a TOTP of a
// subject that has ten, and for a Session's From and Since. When it returns nil the
// credential is stored for good; after ErrUnavailable or a context's end it may be
// stored, but nobody holds its secret.
func (a *Authority) Issue(ctx context.Context, request Request) (Issued, error) {
	if request == nil {
		return Issued{}, badInput("request", "is nil; give an APIKey, Session, Link, Code, TOTP or Recovery")
	}
	space, err := a.lookUpSpace(ctx, a.space)
	if err != nil {
		return Issued{}, err
	}
	c := store.Credential{
		ID: token.NewID(), Space: space.ID,
		State: StateActive, Revision: 1, Created: a.now(),
	}
	if err := request.record(&c); err != nil {
		return Issued{}, err
	}
	o, err := a.once(ctx, space.ID, "issue", c.Kind, request)
	if err != nil {
		return Issued{}, err
	}
	if issued, was, err := o.answered(ctx, a); was || err != nil {
		return issued, err
	}
	d, err := request.draw(a.core, &c, space.Prefix)
	if err != nil {
		return Issued{}, err
	}
	for i := range d.versions {
		d.versions[i].Created = c.Created
	}
	c.Current = d.versions[0].ID
	for {
		err := a.create(ctx, request.room(), &c, &d, o)
		if err == nil {
			return d.issued(a.credentialOf(c.Created, &c, d.versions[0])), nil
		}
		lost := errors.Is(err, store.ErrConflict)
		if lost || errors.Is(err, ErrTooSoon) { // maybe to a twin, which has the room now
			if issued, was, err := o.answered(ctx, a); was || err != nil {
				return issued, err
			}
		}
		if !lost || errors.Is(err, errFull) || errors.Is(err, errOver) || errors.Is(err, errSince) {
			return Issued{}, fmt.Errorf("issue: %w", err)
		}
		// Somebody was faster: the room has to be made anew, or the twin's answer is
		// over already.
	}
}

// create carries out the change that makes a credential, and room for it.
func (a *Authority) create(ctx context.Context, want room, c *store.Credential, d *drawn, o *once) error {
	var room cleared
	var err error
	switch {
	case c.Kind == KindSession:
		room, err = a.makePlace(ctx, c, want)
	case want.most != 0:
		room, err = a.makeRoom(ctx, c.Created, c, want)
	}
	if err != nil {
		return err
	}
	d.ended = nil
	for i := range room.events {
		d.ended = append(d.ended, room.events[i].Credential)
	}
	steps, err := o.keep(c.Created, d, *c, d.versions[0])
	if err != nil {
		return err
	}
	steps = append(append(steps, room.steps...), store.CreateCredential{Credential: *c})
	for i := range d.versions {
		steps = append(steps, store.CreateVersion{Version: d.versions[i]})
	}
	e := eventOf(c, c.Created, "issued")
	e.Version = c.Current
	return refusedSince(steps, a.applyAll(ctx, append(room.events, e), steps))
}

// issued is what is handed out, with its credential.
func (d *drawn) issued(c Credential) Issued {
	return Issued{Credential: c, Secret: d.secret, Secrets: d.secrets, URI: d.uri}
}

// draw makes a new version of a credential, and the token that belongs to it.
func (c *core) draw(of *store.Credential, number int64, prefix string) (store.Version, Secret) {
	t := token.New(prefix)
	v := store.Version{
		ID: t.ID(), Credential: of.ID, Space: of.Space, Number: number, Prefix: prefix,
		RootKey: c.keys.active,
	}
	v.Digest = c.keys.now().secretDigest(digestMessage(of, &v), t.Secret())
	return v, NewSecret(t.Reveal())
}

// drawFirst draws the first version of a credential that has one token.
func (c *core) drawFirst(of *store.Credential, prefix string) drawn {
	v, text := c.draw(of, 1, prefix)
	return drawn{versions: []store.Version{v}, secret: text}
}

// eventOf begins the event of a change to a credential.
func eventOf(c *store.Credential, at time.Time, what string) store.Event {
	return store.Event{
		Space: c.Space, Time: at, Type: string(c.Kind) + "." + what,
		Credential: c.ID, Subject: c.Subject,
	}
}
