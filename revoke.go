package keyfob

import (
	"context"
	"errors"
	"fmt"

	"github.com/keyfob-dev/keyfob/store"
)

// Revoke ends a credential, all its versions at once and for good. The id is
// the credential's or one of its versions'. The reason is for people and may be
// empty. Revoking what is revoked already does nothing and is no error.
//
// When it returns nil, no verification on this store accepts the credential
// any more. Errors: ErrInput, ErrNotFound, ErrSpace, ErrUnavailable.
func (a *Authority) Revoke(ctx context.Context, id, reason string) error {
	if err := checkText("reason", reason, maxReason); err != nil {
		return err
	}
	space, err := a.spaceID(ctx, a.space)
	if err != nil {
		return err
	}
	// Whatever else changes the credential meanwhile, a revocation wins.
	for {
		item, err := a.item(ctx, space, id)
		if err != nil {
			return err
		}
		c := item.Credential
		if c.State.Final() {
			a.forget(c.ID) // who ended it may be another, or not done yet
			return nil
		}
		now := a.now()
		c.State, c.Reason, c.Updated = StateRevoked, reason, now
		e := eventOf(&c, now, "revoked")
		e.Reason = reason
		err = a.apply(ctx, e, store.UpdateCredential{Credential: c})
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		if err != nil {
			return fmt.Errorf("revoke: %w", err)
		}
		return nil
	}
}
