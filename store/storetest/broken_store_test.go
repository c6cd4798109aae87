package storetest

import (
	"context"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// A broken store does all that the store in it does, but for the methods that
// are given.
type broken struct {
	store.Store
	apply       func(context.Context, store.Change) error
	credential  func(ctx context.Context, space, id string) (store.Item, error)
	version     func(ctx context.Context, space, id string) (store.Found, error)
	versions    func(ctx context.Context, space, credential string) ([]store.Version, error)
	credentials func(context.Context, store.Query) ([]store.Item, error)
	uses        func(ctx context.Context, space, version string) ([]store.Use, error)
	events      func(context.Context, store.EventQuery) ([]store.Event, error)
	lastEvent   func(context.Context) (int64, error)
	eventsAfter func(ctx context.Context, number int64, limit int) ([]store.Event, error)
	unsealed    func(ctx context.Context, limit int) ([]store.Event, error)
	head        func(ctx context.Context, space string) (store.Head, error)
	mark        func(context.Context) (time.Time, error)
	replay      func(ctx context.Context, space, name string) (store.Replay, error)
	budget      func(ctx context.Context, space, name string) (store.Budget, error)
	close       func() error
}

func (b *broken) Apply(ctx context.Context, change store.Change) error {
	if b.apply != nil {
		return b.apply(ctx, change)
	}
	return b.Store.Apply(ctx, change)
}

func (b *broken) Credential(ctx context.Context, space, id string) (store.Item, error) {
	if b.credential != nil {
		return b.credential(ctx, space, id)
	}
	return b.Store.Credential(ctx, space, id)
}

func (b *broken) Version(ctx context.Context, space, id string) (store.Found, error) {
	if b.version != nil {
		return b.version(ctx, space, id)
	}
	return b.Store.Version(ctx, space, id)
}

func (b *broken) Versions(ctx context.Context, space, credential string) ([]store.Version, error) {
	if b.versions != nil {
		return b.versions(ctx, space, credential)
	}
	return b.Store.Versions(ctx, space, credential)
}

func (b *broken) Credentials(ctx context.Context, q store.Query) ([]store.Item, error) {
	if b.credentials != nil {
		return b.credentials(ctx, q)
	}
	return b.Store.Credentials(ctx, q)
}

func (b *broken) Uses(ctx context.Context, space, version string) ([]store.Use, error) {
	if b.uses != nil {
		return b.uses(ctx, space, version)
	}
	return b.Store.Uses(ctx, space, version)
}

func (b *broken) Events(ctx context.Context, q store.EventQuery) ([]store.Event, error) {
	if b.events != nil {
		return b.events(ctx, q)
	}
	return b.Store.Events(ctx, q)
}

func (b *broken) LastEvent(ctx context.Context) (int64, error) {
	if b.lastEvent != nil {
		return b.lastEvent(ctx)
	}
	return b.Store.LastEvent(ctx)
}

func (b *broken) EventsAfter(ctx context.Context, number int64, limit int) ([]store.Event, error) {
	if b.eventsAfter != nil {
		return b.eventsAfter(ctx, number, limit)
	}
	return b.Store.EventsAfter(ctx, number, limit)
}

func (b *broken) Unsealed(ctx context.Context, limit int) ([]store.Event, error) {
	if b.unsealed != nil {
		return b.unsealed(ctx, limit)
	}
	return b.Store.Unsealed(ctx, limit)
}

func (b *broken) Head(ctx context.Context, space string) (store.Head, error) {
	if b.head != nil {
		return b.head(ctx, space)
	}
	return b.Store.Head(ctx, space)
}

func (b *broken) Mark(ctx context.Context) (time.Time, error) {
	if b.mark != nil {
		return b.mark(ctx)
	}
	return b.Store.Mark(ctx)
}

func (b *broken) Replay(ctx context.Context, space, name string) (store.Replay, error) {
	if b.replay != nil {
		return b.replay(ctx, space, name)
	}
	return b.Store.Replay(ctx, space, name)
}

func (b *broken) Budget(ctx context.Context, space, name string) (store.Budget, error) {
	if b.budget != nil {
		return b.budget(ctx, space, name)
	}
	return b.Store.Budget(ctx, space, name)
}

func (b *broken) Close() error {
	if b.close != nil {
		return b.close()
	}
	return b.Store.Close()
}
