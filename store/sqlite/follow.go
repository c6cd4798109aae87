package sqlite

import (
	"context"

	"github.com/keyfob-dev/keyfob/store"
)

const (
	sqlLastEvent = `SELECT number FROM events ORDER BY number DESC LIMIT 1`

	sqlEventsAfter = `
		SELECT space, ` + eventColumns + ` FROM events
		WHERE number > ?1 ORDER BY number LIMIT ?2`
)

// LastEvent returns the highest number of an event.
func (s *Store) LastEvent(ctx context.Context) (number int64, err error) {
	_, err = s.read(ctx, func(r *row) error {
		number = r.integer()
		return nil
	}, sqlLastEvent)
	return number, err
}

// EventsAfter returns up to limit events of all spaces after a number.
func (s *Store) EventsAfter(ctx context.Context, number int64, limit int) (events []store.Event, err error) {
	if limit < 1 {
		return nil, badLimit(limit)
	}
	_, err = s.read(ctx, func(r *row) error {
		space := r.text()
		events = append(events, r.event(space))
		return nil
	}, sqlEventsAfter, number, limit)
	if err != nil {
		return nil, err
	}
	return events, nil
}
