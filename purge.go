package keyfob

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// purgeBatch is how many credentials are removed in one transaction.
const purgeBatch = 100

// Purge removes the credentials of a kind that ended before a time: those that
// expired earlier, and those that were revoked, redeemed or replaced earlier. It returns how many.
// Their tokens are answered as unknown from then on; their events stay, and each
// gets one more. After an error some may be removed, each wholly. A session that
// ended since nobody used it stays until its Expires.
//
// Errors: ErrInput (also for a time in the future), ErrSpace, ErrUnavailable.
func (a *Authority) Purge(ctx context.Context, kind Kind, endedBefore time.Time) (int64, error) {
	if err := checkKind(kind); err != nil {
		return 0, err
	}
	endedBefore = wholeMillisecond(endedBefore)
	if endedBefore.IsZero() {
		return 0, badInput("ended_before", "is missing; give a time that lies behind")
	}
	if endedBefore.After(a.now()) {
		return 0, badInput("ended_before", "lies in the future; give a time that lies behind")
	}
	space, err := a.spaceID(ctx, a.space)
	if err != nil {
		return 0, err
	}
	var purged int64
	query := store.Query{Space: space, Kind: kind, EndedBefore: endedBefore, Limit: purgeBatch}
	for {
		items, err := a.store.Credentials(ctx, query)
		if err != nil {
			return purged, fmt.Errorf("purge: %w", err)
		}
		if len(items) == 0 {
			return purged, nil
		}
		last := items[len(items)-1].Credential
		query.After = store.Position{Created: last.Created, ID: last.ID}
		switch err := a.purge(ctx, items); {
		case errors.Is(err, store.ErrConflict): // another purge was faster, maybe with a part
			query.After = store.Position{}
		case err != nil:
			return purged, fmt.Errorf("purge: %w", err)
		default:
			purged += int64(len(items))
		}
	}
}

func (a *Authority) purge(ctx context.Context, items []store.Item) error {
	now := a.now()
	var steps []store.Step
	var events []store.Event
	for i := range items {
		c := &items[i].Credential
		steps = append(steps, store.DeleteCredential{Space: c.Space, ID: c.ID, Revision: c.Revision})
		events = append(events, eventOf(c, now, "purged"))
	}
	return a.applyAll(ctx, events, steps)
}
