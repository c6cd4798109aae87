package keyfob

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// A room says how many credentials of one kind, subject and purpose may be live at
// once, and what becomes of the others when one more is made.
type room struct {
	most   int           // 0: as many as anybody likes
	refuse bool          // the new one is refused, instead of the oldest replaced
	pause  time.Duration // between two of them
	counts bool          // guesses at them are counted: the subject gets a budget

	// Of a session: see there.
	from       string
	since      time.Time
	attributes map[string]string
}

// errFull: a subject has as many as it may have.
var errFull = fmt.Errorf("%w: the subject has no room for another", ErrConflict)

// A cleared room is the part of a change that makes it.
type cleared struct {
	steps  []store.Step
	events []store.Event
}

// makeRoom ends what has to end for one more credential like c, which is live
// from then on if it is new. The change is carried out only if nobody else makes
// or ends one meanwhile; otherwise it is a conflict, and the room has to be made
// anew.
func (a *Authority) makeRoom(ctx context.Context, now time.Time, c *store.Credential, want room) (cleared, error) {
	items, err := a.live(ctx, c)
	if err != nil {
		return cleared{}, err
	}
	var done cleared
	var stay []string
	for i := range items { // the newest first
		old := items[i].Credential
		if old.ID == c.ID {
			continue // its own step comes before
		}
		if !isOver(now, old.Expires) {
			// What is further ahead than that was made by a clock that was wrong.
			if since := now.Sub(old.Created); since < want.pause && since > -want.pause {
				return cleared{}, &tooSoon{want.pause - max(since, 0)}
			}
			if want.refuse || len(stay) < want.most-1 {
				stay = append(stay, old.ID)
				continue
			}
		}
		old.State, old.Updated = StateReplaced, now
		done.steps = append(done.steps, store.UpdateCredential{Credential: old})
		done.events = append(done.events, eventOf(&old, now, "replaced"))
	}
	if want.refuse && len(stay) >= want.most {
		return cleared{}, fmt.Errorf("%w: it has %d of the kind %s; revoke one", errFull, len(stay), c.Kind)
	}
	done.steps = append(done.steps, store.RequireLive{
		Space: c.Space, Kind: c.Kind, Subject: c.Subject, Purpose: c.Purpose, IDs: stay,
	})
	if want.counts {
		if err := a.giveBudget(ctx, c, &done); err != nil {
			return cleared{}, err
		}
	}
	return done, nil
}

// giveBudget makes the budget of a subject that has none, so that a flood of
// guesses at others leaves it its own.
func (a *Authority) giveBudget(ctx context.Context, c *store.Credential, done *cleared) error {
	name := subjectBudget(c.Space, c.Subject)
	_, err := a.store.Budget(ctx, c.Space, name)
	if errors.Is(err, store.ErrNotFound) {
		done.steps = append(done.steps, store.WriteBudget{Budget: store.Budget{Space: c.Space, Name: name}})
		return nil
	}
	if err != nil {
		return fmt.Errorf("issue: %w", err)
	}
	return nil
}

// maxLive bounds what is live of one kind, subject and purpose at once.
const maxLive = 100

// live returns the credentials of c's kind, subject and purpose whose state is not
// final, the newest first.
func (a *Authority) live(ctx context.Context, c *store.Credential) ([]store.Item, error) {
	items, err := a.store.Credentials(ctx, store.Query{
		Space: c.Space, Kind: c.Kind, Subject: c.Subject, Purpose: c.Purpose,
		States: []State{StateActive, StateSuspended}, Limit: maxLive,
	})
	if err != nil {
		return nil, fmt.Errorf("look for others: %w", err)
	}
	return items, nil
}
