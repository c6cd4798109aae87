package keyfob

import (
	"context"
	"fmt"
	"time"

	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/token"
)

// A Request is what Issue takes: an APIKey.
type Request interface {
	// record checks the request and writes it into the credential that is to
	// be made at the time c.Created.
	record(c *store.Credential) error
}

// Issued is a new secret and its credential.
type Issued struct {
	Credential Credential
	Secret     Secret // a keyed token; keyfob cannot show it again
}

// Issue makes a credential and hands out its secret. Errors: ErrInput,
// ErrSpace, ErrUnavailable. When it returns nil the credential is stored for
// good; after ErrUnavailable or a context's end it may be stored, but nobody
// holds its secret.
func (a *Authority) Issue(ctx context.Context, request Request) (Issued, error) {
	if request == nil {
		return Issued{}, badInput("request", "is nil; give an APIKey")
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
	v, text := a.draw(&c, 1, space.Prefix)
	v.Created = c.Created
	c.Current = v.ID
	steps, err := o.keep(c.Created, text, c, v)
	if err != nil {
		return Issued{}, err
	}
	e := eventOf(&c, c.Created, "issued")
	e.Version = v.ID
	err = a.apply(ctx, e, append(steps, store.CreateCredential{Credential: c}, store.CreateVersion{Version: v})...)
	if o.isTwin(err) {
		if issued, was, err := o.answered(ctx, a); was || err != nil {
			return issued, err
		}
		return a.Issue(ctx, request) // the twin's answer is over already
	}
	if err != nil {
		return Issued{}, fmt.Errorf("issue: %w", err)
	}
	return Issued{Credential: a.credentialOf(c.Created, &c, v), Secret: text}, nil
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

// eventOf begins the event of a change to a credential.
func eventOf(c *store.Credential, at time.Time, what string) store.Event {
	return store.Event{
		Space: c.Space, Time: at, Type: string(c.Kind) + "." + what,
		Credential: c.ID, Subject: c.Subject,
	}
}
