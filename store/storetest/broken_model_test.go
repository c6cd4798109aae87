package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// A modelStore is a store on a model, some of whose steps may be carried out by
// others: those that know how to do it wrong.
type modelStore struct {
	mu     sync.RWMutex
	model  *model
	closed bool
	step   func(m *model, step store.Step) (holds, done bool)
}

// right carries out no step.
func right(*model, store.Step) (holds, done bool) { return false, false }

// modeled is a store on a model that carries out the steps of one type in a way of
// its own.
func modeled[S store.Step](fn func(m *model, step S) (holds bool)) func(store.Store) store.Store {
	return func(store.Store) store.Store {
		return &modelStore{model: &model{}, step: func(m *model, step store.Step) (holds, done bool) {
			if s, ok := step.(S); ok {
				return fn(m, s), true
			}
			return false, false
		}}
	}
}

// TestModel sees that the model is what stores are to be, by the checks of Run but
// for those that it is too slow for, or that would compare it with itself.
func TestModel(t *testing.T) {
	open := func() store.Store { return &modelStore{model: &model{}, step: right} }
	for _, g := range groups {
		if g.name == concurrencyChecks.name || g.name == modelChecks.name {
			continue
		}
		for _, c := range g.checks {
			for _, message := range runs(t, g.name+"/"+c.name, open) {
				t.Errorf("%s/%s: %s", g.name, c.name, message)
			}
		}
	}
}

func (s *modelStore) Apply(ctx context.Context, change store.Change) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return store.ErrUnavailable
	}
	next := s.model.clone()
	for i, step := range copyChange(change).Steps {
		if seals, ok := step.(store.SealEvents); ok && len(seals.Seals) == 0 {
			return errors.New("no seals")
		}
		if step == nil || !strings.HasPrefix(fmt.Sprintf("%T", step), "store.") {
			return fmt.Errorf("a step of type %T", step)
		}
		holds, done := s.step(next, step)
		if !done {
			holds = next.step(step)
		}
		if !holds {
			return &store.ConflictError{Step: i}
		}
	}
	for _, e := range copyEvents(change.Events) {
		e.Number, e.Seq, e.Link = int64(len(next.events))+1, 0, nil
		next.events = append(next.events, e)
	}
	s.model = next
	return nil
}

// read asks the model, which does not change meanwhile.
func read[T any](s *modelStore, ctx context.Context, fn func(m *model) (answer T, ok bool)) (answer T, err error) {
	if err := ctx.Err(); err != nil {
		return answer, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return answer, store.ErrUnavailable
	}
	answer, ok := fn(s.model)
	if !ok {
		return answer, store.ErrNotFound
	}
	return answer, nil
}

// list asks the model for a page of what it lists.
func list[T any](s *modelStore, ctx context.Context, limit int, fn func(m *model) []T) ([]T, error) {
	page, err := read(s, ctx, func(m *model) ([]T, bool) { return fn(m), true })
	switch {
	case err != nil:
		return nil, err
	case limit < 1:
		return nil, errors.New("a limit below 1")
	case len(page) == 0:
		return nil, nil
	}
	return page[:min(len(page), limit)], nil
}

func (s *modelStore) Space(ctx context.Context, name string) (store.Space, error) {
	return read(s, ctx, func(m *model) (store.Space, bool) { return m.space(name) })
}

func (s *modelStore) Spaces(ctx context.Context, after string, limit int) ([]store.Space, error) {
	return list(s, ctx, limit, func(m *model) (spaces []store.Space) {
		for _, name := range m.names(after, everything) {
			space, _ := m.space(name)
			spaces = append(spaces, space)
		}
		return spaces
	})
}

func (s *modelStore) Credential(ctx context.Context, space, id string) (store.Item, error) {
	return read(s, ctx, func(m *model) (store.Item, bool) { return m.credential(space, id) })
}

func (s *modelStore) Version(ctx context.Context, space, id string) (store.Found, error) {
	return read(s, ctx, func(m *model) (store.Found, bool) { return m.version(space, id) })
}

func (s *modelStore) Versions(ctx context.Context, space, credential string) ([]store.Version, error) {
	return list(s, ctx, everything, func(m *model) []store.Version { return m.versionsOf(space, credential) })
}

func (s *modelStore) Credentials(ctx context.Context, q store.Query) ([]store.Item, error) {
	return list(s, ctx, q.Limit, func(m *model) []store.Item {
		q := q
		q.Limit = max(q.Limit, 0)
		return m.list(q)
	})
}

func (s *modelStore) Uses(ctx context.Context, space, version string) ([]store.Use, error) {
	return list(s, ctx, everything, func(m *model) []store.Use { return m.usesIn(space, version) })
}

func (s *modelStore) Events(ctx context.Context, q store.EventQuery) ([]store.Event, error) {
	return list(s, ctx, q.Limit, func(m *model) []store.Event {
		return slices.DeleteFunc(m.log(q), func(e store.Event) bool {
			return q.After != 0 && (q.Newest && e.Number >= q.After || !q.Newest && e.Number <= q.After)
		})
	})
}

func (s *modelStore) LastEvent(ctx context.Context) (int64, error) {
	return read(s, ctx, func(m *model) (int64, bool) { return int64(len(m.events)), true })
}

func (s *modelStore) EventsAfter(ctx context.Context, number int64, limit int) ([]store.Event, error) {
	return list(s, ctx, limit, func(m *model) []store.Event {
		return copyEvents(m.events[min(max(number, 0), int64(len(m.events))):])
	})
}

func (s *modelStore) Unsealed(ctx context.Context, limit int) ([]store.Event, error) {
	return list(s, ctx, limit, func(m *model) []store.Event { return m.unsealed() })
}

func (s *modelStore) Head(ctx context.Context, space string) (store.Head, error) {
	return read(s, ctx, func(m *model) (store.Head, bool) {
		head := m.heads[space]
		head.Link = copyBytes(head.Link)
		return head, true
	})
}

func (s *modelStore) Mark(ctx context.Context) (time.Time, error) {
	return read(s, ctx, func(m *model) (time.Time, bool) { return m.mark, true })
}

func (s *modelStore) Replay(ctx context.Context, space, name string) (store.Replay, error) {
	return read(s, ctx, func(m *model) (store.Replay, bool) { return m.replay(space, name) })
}

func (s *modelStore) Budget(ctx context.Context, space, name string) (store.Budget, error) {
	return read(s, ctx, func(m *model) (store.Budget, bool) { return m.budget(space, name) })
}

func (s *modelStore) Setting(ctx context.Context, name string) ([]byte, error) {
	return read(s, ctx, func(m *model) ([]byte, bool) { return m.setting(name) })
}

func (s *modelStore) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}
