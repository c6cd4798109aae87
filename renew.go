package keyfob

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/token"
)

// Renew hands out a new secret for a session, as when somebody has proved a second
// factor or changed their password. The one before is dead when it returns nil.
// Subject, attributes and lifetime stay.
//
// The id is the session's or its version's. With that of a version only who holds
// the newest secret renews it: once it was renewed, the answer is ErrConflict, as
// it is of what has ended. Errors besides: ErrNotFound, ErrSpace, ErrUnavailable.
func (a *Authority) Renew(ctx context.Context, id string) (Issued, error) {
	may := func(now time.Time, item *store.Item, _ time.Duration) error { return mayRenew(now, item, id) }
	for {
		issued, err := a.succeed(ctx, "renew", "renewed", id, 0, may)
		if errors.Is(err, errLost) {
			continue // its attributes were changed meanwhile, or it ended
		}
		return issued, err
	}
}

// mayRenew says why a session cannot be renewed now.
func mayRenew(now time.Time, item *store.Item, id string) error {
	c := &item.Credential
	if c.Kind != KindSession {
		return fmt.Errorf("renew: %w: the credential is of the kind %s, and only sessions can be renewed; rotate an API key", ErrConflict, c.Kind)
	}
	if id != c.ID && !token.Equal(id, c.Current) {
		return fmt.Errorf("renew: %w: the session was renewed already, and this version of it is dead", ErrConflict)
	}
	return mayChange("renew", now, c)
}

// RevokeSubject ends all credentials of a subject and of these kinds at once, as
// for "sign out everywhere" or after a password was reset. Those that are issued
// later are not concerned. It takes as long for a hundred thousand as for one, and
// is one event a kind, <kind>.subject_revoked. The reason is for people and may be
// empty.
//
// When it returns nil, no verification on this store accepts one of them any more.
// Errors: ErrInput (also without a kind), ErrSpace, ErrUnavailable.
func (a *Authority) RevokeSubject(ctx context.Context, subject, reason string, kinds ...Kind) error {
	if err := checkNamed("subject", subject, maxSubject); err != nil {
		return err
	}
	if err := checkText("reason", reason, maxReason); err != nil {
		return err
	}
	if len(kinds) == 0 {
		return badInput("kinds", "is empty; name each kind that is to end, such as session")
	}
	space, err := a.spaceID(ctx, a.space)
	if err != nil {
		return err
	}
	now := a.now()
	var steps []store.Step
	var events []store.Event
	for i, kind := range kinds {
		if checkKind(kind) != nil {
			return badInput("kinds", "holds one that there is not: apikey, session, link, code, totp or recovery")
		}
		if slices.Contains(kinds[:i], kind) {
			return badInput("kinds", "holds %s twice; give it once", kind)
		}
		steps = append(steps, store.RevokeSubject{Space: space, Kind: kind, Subject: subject, Reason: reason, At: now})
		events = append(events, store.Event{
			Space: space, Time: now, Type: string(kind) + ".subject_revoked", Subject: subject, Reason: reason,
		})
	}
	if err := a.applyAll(ctx, events, steps); err != nil {
		return fmt.Errorf("revoke subject: %w", err)
	}
	return nil
}
