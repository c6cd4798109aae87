package keyfob

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// Rollback takes a rotation back while the version before is still in its grace:
// that one is the newest again, and lives as long as its credential; the one
// that had replaced it ends at once. The id is the credential's or one of its
// versions'.
//
// ErrConflict: nothing is in its grace, or somebody else changed the credential
// at the same time, or it is revoked or expired. Errors besides: ErrNotFound,
// ErrSpace, ErrUnavailable.
func (a *Authority) Rollback(ctx context.Context, id string) (Credential, error) {
	space, err := a.spaceID(ctx, a.space)
	if err != nil {
		return Credential{}, err
	}
	item, err := a.item(ctx, space, id)
	if err != nil {
		return Credential{}, err
	}
	now, c := a.now(), item.Credential
	if err := mayEdit("roll back", now, &c); err != nil {
		return Credential{}, err
	}
	before, ok := inGrace(now, &item)
	if !ok {
		return Credential{}, fmt.Errorf("roll back: %w: no version is in its grace; there is nothing to go back to", ErrConflict)
	}
	newest := item.Versions[0]
	c.Current, c.Previous, c.Updated = before.ID, newest.ID, now
	e := eventOf(&c, now, "rolled_back")
	e.Version = before.ID
	err = a.apply(ctx, e,
		store.UpdateCredential{Credential: c},
		store.EndVersion{Space: c.Space, ID: newest.ID, Was: newest.Ends, Ends: now},
		store.EndVersion{Space: c.Space, ID: before.ID, Was: before.Ends})
	if errors.Is(err, store.ErrConflict) {
		return Credential{}, fmt.Errorf("roll back: %w: somebody else changed the credential at the same time", ErrConflict)
	}
	if err != nil {
		return Credential{}, fmt.Errorf("roll back: %w", err)
	}
	c.Revision++
	newest.Ends, before.Ends = now, time.Time{}
	return a.credentialOf(now, &c, before, newest), nil
}
