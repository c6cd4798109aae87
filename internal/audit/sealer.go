package audit

import (
	"context"
	"errors"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// How long the Sealer waits: for more events after the first, so that they are
// sealed together, and before it looks for events that other processes left.
const (
	gather = 200 * time.Millisecond
	patrol = time.Second
)

// batch is how many events are sealed in one change.
const batch = 500

// A Sealer seals the events of a store. Several may work on one store, in one
// process or in many: of those that race, one seals and the others look again.
type Sealer struct {
	store store.Store
	wake  chan struct{}
}

// NewSealer makes a Sealer, which does nothing until Run or Seal.
func NewSealer(st store.Store) *Sealer {
	return &Sealer{store: st, wake: make(chan struct{}, 1)}
}

// Wake says that there are events to seal. It never waits.
func (s *Sealer) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run seals what there is, again and again, until ctx ends. What fails stays for
// the next time.
func (s *Sealer) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
			timer.Reset(gather)
			select {
			case <-ctx.Done():
				return
			case <-timer.C:
			}
		case <-timer.C:
		}
		_ = s.Seal(ctx) // the store's failures are told by the verbs
		timer.Reset(patrol)
	}
}

// Seal seals all events that there are when it begins.
func (s *Sealer) Seal(ctx context.Context) error {
	for {
		all, err := s.store.Unsealed(ctx, batch)
		if err != nil {
			return err
		}
		events := all
		var steps []store.Step
		for len(events) > 0 {
			var step store.SealEvents
			if step, events, err = s.next(ctx, events); err != nil {
				return err
			}
			steps = append(steps, step)
		}
		if steps == nil {
			return nil
		}
		err = s.store.Apply(ctx, store.Change{Steps: steps})
		if err != nil && !errors.Is(err, store.ErrConflict) {
			return err
		}
		if err == nil && len(all) < batch {
			return nil // what came meanwhile is for the next time
		}
	}
}

// next links those of the events that are in the first one's space, and returns
// the others.
func (s *Sealer) next(ctx context.Context, events []store.Event) (step store.SealEvents, others []store.Event, err error) {
	space := events[0].Space
	head, err := s.store.Head(ctx, space)
	if err != nil {
		return step, nil, err
	}
	step = store.SealEvents{Space: space, After: head.Seq}
	for i := range events {
		if events[i].Space != space {
			others = append(others, events[i])
			continue
		}
		head.Seq++
		head.Link = Link(head.Link, head.Seq, &events[i])
		step.Seals = append(step.Seals, store.Seal{Event: events[i].Number, Link: head.Link})
	}
	return step, others, nil
}
