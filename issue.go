package keyfob

import (
	"context"
	"errors"
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
	v, text := a.draw(&c, 1, space.Prefix)
	v.Created = c.Created
	c.Current = v.ID
	e := eventOf(&c, c.Created, "issued")
	e.Version = v.ID
	if err := a.apply(ctx, e, store.CreateCredential{Credential: c}, store.CreateVersion{Version: v}); err != nil {
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
	v.Digest = c.keys.now().secretDigest(of, &v, t.Secret())
	return v, NewSecret(t.Reveal())
}

// eventOf begins the event of a change to a credential.
func eventOf(c *store.Credential, at time.Time, what string) store.Event {
	return store.Event{
		Space: c.Space, Time: at, Type: string(c.Kind) + "." + what,
		Credential: c.ID, Subject: c.Subject,
	}
}

// Rotate hands out a successor of a credential's secret. The one before it is
// accepted for as long as grace says (whole milliseconds; 0: not at all), and
// never beyond the credential's expiry, which rotation does not change.
//
// While the version before is still in its grace, a rotation is refused with
// ErrConflict, unless its grace is 0: that ends both older versions at once.
// Of rotations that race, one succeeds and the others get ErrConflict. Errors
// besides: ErrInput, ErrNotFound, ErrSpace, ErrUnavailable.
func (a *Authority) Rotate(ctx context.Context, id string, grace time.Duration) (Issued, error) {
	if grace < 0 || grace%time.Millisecond != 0 {
		return Issued{}, badInput("grace", "is %v; it is 0 or more, in whole milliseconds", grace)
	}
	space, err := a.lookUpSpace(ctx, a.space)
	if err != nil {
		return Issued{}, err
	}
	item, err := a.item(ctx, space.ID, id)
	if err != nil {
		return Issued{}, err
	}
	now, c, current := a.now(), &item.Credential, item.Versions[0]
	if err := mayRotate(now, &item, grace); err != nil {
		return Issued{}, err
	}
	ends, err := graceEnd(now, c.Expires, grace)
	if err != nil {
		return Issued{}, err
	}
	v, text := a.draw(c, highest(&item)+1, space.Prefix)
	v.Created = now
	steps := []store.Step{
		store.CreateVersion{Version: v},
		store.EndVersion{Space: c.Space, ID: current.ID, Was: current.Ends, Ends: ends},
	}
	if before, ok := inGrace(now, &item); ok {
		steps = append(steps, store.EndVersion{Space: c.Space, ID: before.ID, Was: before.Ends, Ends: now})
	}
	next := *c
	next.Previous, next.Current, next.Updated = current.ID, v.ID, now
	e := eventOf(c, now, "rotated")
	e.Version = v.ID
	err = a.apply(ctx, e, append([]store.Step{store.UpdateCredential{Credential: next}}, steps...)...)
	if errors.Is(err, store.ErrConflict) {
		return Issued{}, fmt.Errorf("rotate: %w: somebody else changed the credential at the same time", ErrConflict)
	}
	if err != nil {
		return Issued{}, fmt.Errorf("rotate: %w", err)
	}
	next.Revision++
	current.Ends = ends
	return Issued{Credential: a.credentialOf(now, &next, v, current), Secret: text}, nil
}

// mayRotate says why a credential cannot be rotated now.
func mayRotate(now time.Time, item *store.Item, grace time.Duration) error {
	if err := mayChange("rotate", now, &item.Credential); err != nil {
		return err
	}
	if before, ok := inGrace(now, item); ok && grace != 0 {
		return fmt.Errorf("rotate: %w: version %d is in its grace until %s; wait, or rotate with a grace of 0, which ends it now",
			ErrConflict, before.Number, before.Ends.Format(time.RFC3339))
	}
	return nil
}

// highest is the highest number of a version. After a rollback the newest is not
// the one that has it.
func highest(item *store.Item) int64 {
	var n int64
	for _, v := range item.Versions {
		n = max(n, v.Number)
	}
	return n
}

// inGrace returns the version before the newest while it is still accepted.
func inGrace(now time.Time, item *store.Item) (store.Version, bool) {
	if len(item.Versions) < 2 || isOver(now, item.Versions[1].Ends) {
		return store.Version{}, false
	}
	return item.Versions[1], true
}

// graceEnd is when a replaced version ends: after the grace, or with its
// credential if that is earlier.
func graceEnd(now, expires time.Time, grace time.Duration) (time.Time, error) {
	ends := now.Add(grace)
	if ends.After(latest) {
		return time.Time{}, badInput("grace", "reaches beyond the year 9999")
	}
	if !expires.IsZero() && expires.Before(ends) {
		ends = expires
	}
	return ends, nil
}
