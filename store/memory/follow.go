package memory

import (
	"context"

	"github.com/keyfob-dev/keyfob/store"
)

// LastEvent returns the highest number of an event.
func (s *Store) LastEvent(ctx context.Context) (number int64, err error) {
	err = s.read(ctx, func(t *tables) error {
		number = int64(len(t.log))
		return nil
	})
	return number, err
}

// EventsAfter returns up to limit events of all spaces after a number.
func (s *Store) EventsAfter(ctx context.Context, number int64, limit int) (events []store.Event, err error) {
	err = s.read(ctx, func(t *tables) error {
		if limit < 1 {
			return badLimit(limit)
		}
		after := t.log[min(max(number, 0), int64(len(t.log))):]
		for _, e := range after[:min(limit, len(after))] {
			events = append(events, cloneEvent(*e))
		}
		return nil
	})
	return events, err
}
