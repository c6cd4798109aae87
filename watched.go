package keyfob

import (
	"context"
	"errors"
	"time"

	"github.com/keyfob-dev/keyfob/internal/cache"
	"github.com/keyfob-dev/keyfob/store"
)

// A watched store tells the cache of each failure, whatever it was that failed:
// once the store is known to be out of reach, nothing is decided without it (P8).
// It embeds no Store, so that no method is forgotten.
type watched struct {
	to    store.Store
	cache *cache.Cache
}

// noted returns err, of which the cache knows then.
func (w *watched) noted(err error) error {
	if errors.Is(err, store.ErrUnavailable) {
		w.cache.Failed()
	}
	return err
}

// patience is what a call may take that is no failure when its context ends: the
// caller may have had less time to give than a store may need.
const patience = time.Second

// timed is noted for what verifications wait for. A store that lets a deadline
// pass is out of reach, unless it had little time; a caller that went away says
// nothing of it.
func (w *watched) timed(ctx context.Context, began time.Time, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && (ctx.Err() == nil || time.Since(began) >= patience) {
		w.cache.Failed()
	}
	return w.noted(err)
}

func (w *watched) Apply(ctx context.Context, change store.Change) error {
	began := time.Now()
	return w.timed(ctx, began, w.to.Apply(ctx, change))
}

func (w *watched) Close() error { return w.to.Close() }

func (w *watched) Space(ctx context.Context, name string) (store.Space, error) {
	found, err := w.to.Space(ctx, name)
	return found, w.noted(err)
}

func (w *watched) Spaces(ctx context.Context, after string, limit int) ([]store.Space, error) {
	found, err := w.to.Spaces(ctx, after, limit)
	return found, w.noted(err)
}

func (w *watched) Credential(ctx context.Context, space, id string) (store.Item, error) {
	found, err := w.to.Credential(ctx, space, id)
	return found, w.noted(err)
}

func (w *watched) Version(ctx context.Context, space, id string) (store.Found, error) {
	began := time.Now()
	found, err := w.to.Version(ctx, space, id)
	return found, w.timed(ctx, began, err)
}

func (w *watched) Versions(ctx context.Context, space, credential string) ([]store.Version, error) {
	found, err := w.to.Versions(ctx, space, credential)
	return found, w.noted(err)
}

func (w *watched) Credentials(ctx context.Context, query store.Query) ([]store.Item, error) {
	found, err := w.to.Credentials(ctx, query)
	return found, w.noted(err)
}

func (w *watched) Uses(ctx context.Context, space, version string) ([]store.Use, error) {
	uses, err := w.to.Uses(ctx, space, version)
	return uses, w.noted(err)
}

func (w *watched) Events(ctx context.Context, query store.EventQuery) ([]store.Event, error) {
	events, err := w.to.Events(ctx, query)
	return events, w.noted(err)
}

func (w *watched) LastEvent(ctx context.Context) (int64, error) {
	number, err := w.to.LastEvent(ctx)
	return number, w.noted(err)
}

func (w *watched) EventsAfter(ctx context.Context, number int64, limit int) ([]store.Event, error) {
	events, err := w.to.EventsAfter(ctx, number, limit)
	return events, w.noted(err)
}

func (w *watched) Unsealed(ctx context.Context, limit int) ([]store.Event, error) {
	events, err := w.to.Unsealed(ctx, limit)
	return events, w.noted(err)
}

func (w *watched) Head(ctx context.Context, space string) (store.Head, error) {
	head, err := w.to.Head(ctx, space)
	return head, w.noted(err)
}

func (w *watched) Mark(ctx context.Context) (time.Time, error) {
	mark, err := w.to.Mark(ctx)
	return mark, w.noted(err)
}

func (w *watched) Replay(ctx context.Context, space, name string) (store.Replay, error) {
	replay, err := w.to.Replay(ctx, space, name)
	return replay, w.noted(err)
}

func (w *watched) Budget(ctx context.Context, space, name string) (store.Budget, error) {
	budget, err := w.to.Budget(ctx, space, name)
	return budget, w.noted(err)
}

func (w *watched) Setting(ctx context.Context, name string) ([]byte, error) {
	value, err := w.to.Setting(ctx, name)
	return value, w.noted(err)
}
