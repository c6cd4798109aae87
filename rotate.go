package keyfob

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

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
	issued, err := a.succeed(ctx, "rotate", "rotated", id, grace, mayRotate)
	if errors.Is(err, errLost) {
		return Issued{}, fmt.Errorf("rotate: %w", err)
	}
	return issued, err
}

// errLost: a change was judged, and the credential is not what it was.
var errLost = fmt.Errorf("%w: somebody else changed the credential at the same time", ErrConflict)

// succeed hands out a successor of a credential's secret, if may says that this can
// be done now. The credential may change meanwhile: then it is errLost.
func (a *Authority) succeed(ctx context.Context, verb, past, id string, grace time.Duration, may func(time.Time, *store.Item, time.Duration) error) (Issued, error) {
	space, err := a.lookUpSpace(ctx, a.space)
	if err != nil {
		return Issued{}, err
	}
	o, err := a.once(ctx, space.ID, verb, id, grace)
	if err != nil {
		return Issued{}, err
	}
	if issued, was, err := o.answered(ctx, a); was || err != nil {
		return issued, err
	}
	item, err := a.item(ctx, space.ID, id)
	if err != nil {
		return Issued{}, err
	}
	now := a.now()
	if err := may(now, &item, grace); err != nil {
		if issued, was, err := o.answered(ctx, a); was || err != nil { // a twin was faster
			return issued, err
		}
		return Issued{}, err
	}
	ends, err := graceEnd(now, item.Credential.Expires, grace)
	if err != nil {
		return Issued{}, err
	}
	v, text := a.draw(&item.Credential, highest(&item)+1, space.Prefix)
	v.Created = now
	change := rotation(&item, v, ends)
	next, current := item.Credential, item.Versions[0]
	next.Previous, next.Current, next.Updated, next.Revision = current.ID, v.ID, now, next.Revision+1
	current.Ends = ends
	steps, err := o.keep(now, &drawn{secret: text}, next, v, current)
	if err != nil {
		return Issued{}, err
	}
	e := eventOf(&next, now, past)
	e.Version = v.ID
	err = a.apply(ctx, e, append(steps, change...)...)
	if o.isTwin(err) {
		if issued, was, err := o.answered(ctx, a); was || err != nil {
			return issued, err
		}
		return a.succeed(ctx, verb, past, id, grace, may) // the twin's answer is over already
	}
	if errors.Is(err, store.ErrConflict) {
		return Issued{}, errLost
	}
	if err != nil {
		return Issued{}, fmt.Errorf("%s: %w", verb, err)
	}
	return Issued{Credential: a.credentialOf(now, &next, v, current), Secret: text}, nil
}

// rotation is the change that makes v the newest version of an item, and has the
// one before end.
func rotation(item *store.Item, v store.Version, ends time.Time) []store.Step {
	c, current := item.Credential, item.Versions[0]
	c.Previous, c.Current, c.Updated = current.ID, v.ID, v.Created
	steps := []store.Step{
		store.UpdateCredential{Credential: c},
		store.CreateVersion{Version: v},
		store.EndVersion{Space: c.Space, ID: current.ID, Was: current.Ends, Ends: ends},
	}
	if before, ok := inGrace(v.Created, item); ok {
		steps = append(steps, store.EndVersion{Space: c.Space, ID: before.ID, Was: before.Ends, Ends: v.Created})
	}
	return steps
}

// mayRotate says why a credential cannot be rotated now.
func mayRotate(now time.Time, item *store.Item, grace time.Duration) error {
	if err := mayEdit("rotate", now, &item.Credential); err != nil {
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
