package keyfob_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// calls are those that are made to a spied store under one context.
type calls struct {
	mu      sync.Mutex
	n       int
	fail    int  // the number of the one that fails; 0: none
	late    bool // if that is a change, it takes effect all the same
	changes []store.Change
}

type callsKey struct{}

// spied is a store that keeps count of what is asked of it under a context that
// has calls.
type spied struct{ store.Store }

func (s spied) call(ctx context.Context) error {
	c, ok := ctx.Value(callsKey{}).(*calls)
	if !ok {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n++; c.n == c.fail {
		return fmt.Errorf("the disk is on fire: %w", store.ErrUnavailable)
	}
	return nil
}

func spy[T any](s spied, ctx context.Context, read func() (T, error)) (T, error) {
	if err := s.call(ctx); err != nil {
		return *new(T), err
	}
	return read()
}

func (s spied) Apply(ctx context.Context, change store.Change) error {
	err := s.call(ctx)
	if c, ok := ctx.Value(callsKey{}).(*calls); ok {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.changes = append(c.changes, change)
		if err != nil && !c.late {
			return err
		}
	}
	if applied := s.Store.Apply(ctx, change); applied != nil {
		return applied
	}
	return err
}

func (s spied) Space(ctx context.Context, name string) (store.Space, error) {
	return spy(s, ctx, func() (store.Space, error) { return s.Store.Space(ctx, name) })
}

func (s spied) Spaces(ctx context.Context, after string, limit int) ([]store.Space, error) {
	return spy(s, ctx, func() ([]store.Space, error) { return s.Store.Spaces(ctx, after, limit) })
}

func (s spied) Credential(ctx context.Context, space, id string) (store.Item, error) {
	return spy(s, ctx, func() (store.Item, error) { return s.Store.Credential(ctx, space, id) })
}

func (s spied) Version(ctx context.Context, space, id string) (store.Found, error) {
	return spy(s, ctx, func() (store.Found, error) { return s.Store.Version(ctx, space, id) })
}

func (s spied) Versions(ctx context.Context, space, credential string) ([]store.Version, error) {
	return spy(s, ctx, func() ([]store.Version, error) { return s.Store.Versions(ctx, space, credential) })
}

func (s spied) Budget(ctx context.Context, space, name string) (store.Budget, error) {
	return spy(s, ctx, func() (store.Budget, error) { return s.Store.Budget(ctx, space, name) })
}

func (s spied) Credentials(ctx context.Context, q store.Query) ([]store.Item, error) {
	return spy(s, ctx, func() ([]store.Item, error) { return s.Store.Credentials(ctx, q) })
}

func (s spied) Events(ctx context.Context, q store.EventQuery) ([]store.Event, error) {
	return spy(s, ctx, func() ([]store.Event, error) { return s.Store.Events(ctx, q) })
}

func (s spied) Unsealed(ctx context.Context, limit int) ([]store.Event, error) {
	return spy(s, ctx, func() ([]store.Event, error) { return s.Store.Unsealed(ctx, limit) })
}

func (s spied) Head(ctx context.Context, space string) (store.Head, error) {
	return spy(s, ctx, func() (store.Head, error) { return s.Store.Head(ctx, space) })
}

func (s spied) Mark(ctx context.Context) (time.Time, error) {
	return spy(s, ctx, func() (time.Time, error) { return s.Store.Mark(ctx) })
}

func (s spied) Replay(ctx context.Context, space, name string) (store.Replay, error) {
	return spy(s, ctx, func() (store.Replay, error) { return s.Store.Replay(ctx, space, name) })
}
