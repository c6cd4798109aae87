package sqlite

import (
	"bytes"
	"context"
	"errors"

	"github.com/keyfob-dev/keyfob/store"
)

// The statements of the chain. Those of SealEvents write one row if their
// condition holds.
const (
	sqlFirstHead = `
		INSERT INTO heads (space, seq, link)
		SELECT ?1, ?3, ?4
		WHERE ?2 = 0 AND NOT EXISTS (SELECT 1 FROM heads WHERE space = ?1)`

	sqlNextHead = `UPDATE heads SET seq = ?3, link = ?4 WHERE space = ?1 AND seq = ?2`

	sqlSealEvent = `
		UPDATE events SET seq = ?3, link = ?4
		WHERE number = ?2 AND space = ?1 AND seq IS NULL`

	sqlUnsealed = `
		SELECT space, ` + eventColumns + ` FROM events INDEXED BY events_unsealed
		WHERE seq IS NULL ORDER BY number LIMIT ?1`

	sqlHead = `SELECT seq, link FROM heads WHERE space = ?1`
)

var errNoSeals = errors.New("a SealEvents without Seals")

// appendSeals appends the statements of a step, which has the index i.
func appendSeals(writes []write, s store.SealEvents, i int) ([]write, error) {
	if len(s.Seals) == 0 {
		return nil, errNoSeals
	}
	head := sqlNextHead
	if s.After == 0 {
		head = sqlFirstHead
	}
	end := s.After + int64(len(s.Seals))
	link := bytes.Clone(s.Seals[len(s.Seals)-1].Link)
	writes = append(writes, write{head, []any{s.Space, s.After, end, link}, i})
	for n, seal := range s.Seals {
		args := []any{s.Space, seal.Event, s.After + int64(n) + 1, bytes.Clone(seal.Link)}
		writes = append(writes, write{sqlSealEvent, args, i})
	}
	return writes, nil
}

// Unsealed returns up to limit events of all spaces that have no Seq.
func (s *Store) Unsealed(ctx context.Context, limit int) (events []store.Event, err error) {
	if limit < 1 {
		return nil, badLimit(limit)
	}
	_, err = s.read(ctx, func(r *row) error {
		space := r.text()
		events = append(events, r.event(space))
		return nil
	}, sqlUnsealed, limit)
	if err != nil {
		return nil, err
	}
	return events, nil
}

// Head returns the head of a space's chain.
func (s *Store) Head(ctx context.Context, space string) (head store.Head, err error) {
	_, err = s.read(ctx, func(r *row) error {
		head = store.Head{Seq: r.integer(), Link: r.blob()}
		return nil
	}, sqlHead, space)
	return head, err
}
