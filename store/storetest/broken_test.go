package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// A breakage is a way in which a store may be broken, and the checks that must
// see it.
type breakage struct {
	what   string
	checks []string
	open   func(store.Store) store.Store
}

// The checks that more than one breakage fails.
const (
	checkRemains = "Atomicity/nothing remains of a change whose condition does not hold"
	checkPages   = "Order/Credentials in pages of any size are the whole list"
	checkModel   = "Model/made-up changes have the outcome that the model says"
	checkEnded   = "Context/a method whose context has ended returns the context's error and does nothing"
)

// onApply breaks Apply.
func onApply(fn func(s store.Store, ctx context.Context, change store.Change) error) func(store.Store) store.Store {
	return func(s store.Store) store.Store {
		return &broken{Store: s, apply: func(ctx context.Context, change store.Change) error { return fn(s, ctx, change) }}
	}
}

// onItem breaks what Credential returns.
func onItem(fn func(*store.Item)) func(store.Store) store.Store {
	return func(s store.Store) store.Store {
		return &broken{Store: s, credential: func(ctx context.Context, space, id string) (store.Item, error) {
			item, err := s.Credential(ctx, space, id)
			if err == nil {
				fn(&item)
			}
			return item, err
		}}
	}
}

// onList breaks Credentials, given all items that the query asks for, whatever
// its position and limit.
func onList(fn func(all []store.Item, q store.Query) []store.Item) func(store.Store) store.Store {
	return func(s store.Store) store.Store {
		return &broken{Store: s, credentials: func(ctx context.Context, q store.Query) ([]store.Item, error) {
			whole := q
			whole.After, whole.Limit = store.Position{}, everything
			all, err := s.Credentials(ctx, whole)
			return fn(all, q), err
		}}
	}
}

// pageFrom cuts the page of a list that begins with the first item for which
// begins is true.
func pageFrom(all []store.Item, q store.Query, begins func(store.Item) bool) []store.Item {
	if q.After == (store.Position{}) {
		return all[:min(len(all), q.Limit)]
	}
	for i, item := range all {
		if begins(item) {
			return all[i:min(len(all), i+q.Limit)]
		}
	}
	return nil
}

// hidden is a store that is kept: Close hides it.
type hidden struct {
	store.Store
	mu     sync.RWMutex
	closed bool
}

func (h *hidden) do(fn func() error) error {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.closed {
		return fmt.Errorf("hidden: %w", store.ErrUnavailable)
	}
	return fn()
}

func (h *hidden) Apply(ctx context.Context, change store.Change) error {
	return h.do(func() error { return h.Store.Apply(ctx, change) })
}

func (h *hidden) Version(ctx context.Context, space, id string) (found store.Found, err error) {
	err = h.do(func() error {
		found, err = h.Store.Version(ctx, space, id)
		return err
	})
	return found, err
}

func (h *hidden) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	return nil
}

// oneByOne applies each step by itself.
func oneByOne(s store.Store, ctx context.Context, change store.Change) error {
	for i, step := range change.Steps {
		if err := s.Apply(ctx, store.Change{Steps: []store.Step{step}}); errors.Is(err, store.ErrConflict) {
			return &store.ConflictError{Step: i}
		} else if err != nil {
			return err
		}
	}
	return s.Apply(ctx, store.Change{Events: change.Events})
}

// withStep changes steps of the change.
func withStep(change store.Change, fn func(store.Step) store.Step) store.Change {
	change = copyChange(change)
	for i, step := range change.Steps {
		change.Steps[i] = fn(step)
	}
	return change
}

// anyRevision gives each update of a credential the revision that is stored.
func anyRevision(s store.Store, ctx context.Context, change store.Change) error {
	return s.Apply(ctx, withStep(change, func(step store.Step) store.Step {
		if update, ok := step.(store.UpdateCredential); ok {
			if item, err := s.Credential(ctx, update.Credential.Space, update.Credential.ID); err == nil {
				update.Credential.Revision = item.Credential.Revision
			}
			return update
		}
		return step
	}))
}

// checkThenWrite looks at the revision of a credential first, and then writes
// whatever it has become.
func checkThenWrite(s store.Store, ctx context.Context, change store.Change) error {
	for i, step := range change.Steps {
		update, ok := step.(store.UpdateCredential)
		if !ok {
			return s.Apply(ctx, change)
		}
		c := update.Credential
		if item, err := s.Credential(ctx, c.Space, c.ID); err != nil || item.Credential.Revision != c.Revision {
			return &store.ConflictError{Step: i}
		}
	}
	runtime.Gosched()
	for {
		if err := anyRevision(s, ctx, change); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

// torn reads a credential and its versions at two moments, between which it
// lets others have their way.
func torn(s store.Store) store.Store {
	var changes atomic.Int64
	return &broken{
		Store: s,
		apply: func(ctx context.Context, change store.Change) error {
			defer changes.Add(1)
			return s.Apply(ctx, change)
		},
		credential: func(ctx context.Context, space, id string) (store.Item, error) {
			before := changes.Load()
			item, err := s.Credential(ctx, space, id)
			for n := 0; n < 1000 && changes.Load() == before; n++ {
				runtime.Gosched()
			}
			for i := range item.Versions {
				var found store.Found
				if found, err = s.Version(ctx, space, item.Versions[i].ID); err == nil {
					item.Versions[i] = found.Version
				}
			}
			return item, err
		},
	}
}

// byOffset pages by how many rows it has returned.
func byOffset(s store.Store) store.Store {
	var mu sync.Mutex
	offsets := map[store.Position]int{}
	return onList(func(all []store.Item, q store.Query) []store.Item {
		mu.Lock()
		defer mu.Unlock()
		from := min(offsets[q.After], len(all))
		page := all[from:min(len(all), from+q.Limit)]
		if len(page) > 0 {
			offsets[position(page[len(page)-1])] = from + len(page)
		}
		return page
	})(s)
}

// remembers returns the item that it has returned before.
func remembers(s store.Store) store.Store {
	var mu sync.Mutex
	items := map[string]store.Item{}
	return &broken{
		Store: s,
		apply: func(ctx context.Context, change store.Change) error {
			mu.Lock()
			defer mu.Unlock()
			clear(items)
			return s.Apply(ctx, change)
		},
		credential: func(ctx context.Context, space, id string) (store.Item, error) {
			mu.Lock()
			defer mu.Unlock()
			if item, ok := items[space+id]; ok {
				return item, nil
			}
			item, err := s.Credential(ctx, space, id)
			if err == nil {
				items[space+id] = item
			}
			return item, err
		},
	}
}

// keeps answers with the scopes that the caller passed.
func keeps(s store.Store) store.Store {
	var mu sync.Mutex
	scopes := map[string][]string{}
	return &broken{
		Store: s,
		apply: func(ctx context.Context, change store.Change) error {
			err := s.Apply(ctx, change)
			mu.Lock()
			defer mu.Unlock()
			for _, step := range change.Steps {
				if create, ok := step.(store.CreateCredential); ok && err == nil {
					scopes[create.Credential.ID] = create.Credential.Scopes
				}
			}
			return err
		},
		credential: func(ctx context.Context, space, id string) (store.Item, error) {
			item, err := s.Credential(ctx, space, id)
			mu.Lock()
			defer mu.Unlock()
			if kept, ok := scopes[item.Credential.ID]; ok && err == nil && item.Credential.Revision == 1 {
				item.Credential.Scopes = kept
			}
			return item, err
		},
	}
}

// anySpace finds what is in another space.
func anySpace(s store.Store) store.Store {
	var mu sync.Mutex
	var spaces []string
	return &broken{
		Store: s,
		apply: func(ctx context.Context, change store.Change) error {
			mu.Lock()
			defer mu.Unlock()
			for _, step := range change.Steps {
				if create, ok := step.(store.CreateSpace); ok {
					spaces = append(spaces, create.Space.ID)
				}
			}
			return s.Apply(ctx, change)
		},
		credential: func(ctx context.Context, space, id string) (item store.Item, err error) {
			mu.Lock()
			defer mu.Unlock()
			for _, space := range append([]string{space}, spaces...) {
				if item, err = s.Credential(ctx, space, id); err == nil {
					break
				}
			}
			return item, err
		},
	}
}

// foldsCase finds credentials by ids in the wrong case.
func foldsCase(s store.Store) store.Store {
	return &broken{Store: s, credential: func(ctx context.Context, space, id string) (store.Item, error) {
		item, err := s.Credential(ctx, space, id)
		if err == nil {
			return item, nil
		}
		all, _ := s.Credentials(ctx, store.Query{Space: space, Limit: everything})
		for _, item := range all {
			if strings.EqualFold(item.Credential.ID, id) {
				return item, nil
			}
		}
		return item, err
	}}
}

// cutTime makes times of items others.
func cutTime(fn func(time.Time) time.Time) func(store.Store) store.Store {
	return onItem(func(item *store.Item) {
		item.Credential.Created = fn(item.Credential.Created)
		item.Credential.Expires = fn(item.Credential.Expires)
	})
}

// idsAscending sorts a list by ids where Created is equal.
func idsAscending(all []store.Item, q store.Query) []store.Item {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b store.Item) int {
		return cmp.Or(b.Credential.Created.Compare(a.Credential.Created), strings.Compare(a.Credential.ID, b.Credential.ID))
	})
	return pageFrom(all, q, func(item store.Item) bool {
		c := item.Credential
		return cmp.Or(q.After.Created.Compare(c.Created), strings.Compare(c.ID, q.After.ID)) > 0
	})
}
