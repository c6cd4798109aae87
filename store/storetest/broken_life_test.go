package storetest

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"

	"github.com/keyfob-dev/keyfob/store"
)

// lookThenUse looks whether a credential may be used, and then says that it was.
func lookThenUse(s store.Store, ctx context.Context, change store.Change) error {
	if len(change.Steps) != 1 {
		return s.Apply(ctx, change)
	}
	u, ok := change.Steps[0].(store.UseCredential)
	if !ok {
		return s.Apply(ctx, change)
	}
	item, err := s.Credential(ctx, u.Space, u.ID)
	if c := item.Credential; err != nil || c.ID != u.ID || c.Revision != u.Revision || c.Used >= c.Uses {
		return &store.ConflictError{}
	}
	for range 10 {
		runtime.Gosched()
	}
	return passes[store.UseCredential](s, ctx, change)
}

// useRaisesRevision writes an update after a use.
func useRaisesRevision(s store.Store, ctx context.Context, change store.Change) error {
	err := s.Apply(ctx, change)
	for _, step := range change.Steps {
		if u, ok := step.(store.UseCredential); ok && err == nil {
			raise(s, u.Space, u.ID)
		}
	}
	return err
}

// recordRaisesRevision writes an update after a record of use.
func recordRaisesRevision(s store.Store, ctx context.Context, change store.Change) error {
	err := s.Apply(ctx, change)
	for _, step := range change.Steps {
		if u, ok := step.(store.RecordUse); ok && err == nil {
			raise(s, u.Space, u.Version)
		}
	}
	return err
}

// raise updates a credential to what it is.
func raise(s store.Store, space, id string) {
	if item, err := s.Credential(background, space, id); err == nil {
		_ = s.Apply(background, one(store.UpdateCredential{Credential: item.Credential}))
	}
}

// inItsSpace changes steps, given the space in which a credential or a version
// was created.
func inItsSpace(fn func(step store.Step, spaceOf func(id string) string) store.Step) func(store.Store) store.Store {
	return func(s store.Store) store.Store {
		var spaces sync.Map
		return &broken{Store: s, apply: func(ctx context.Context, change store.Change) error {
			err := s.Apply(ctx, withStep(change, func(step store.Step) store.Step {
				return fn(step, func(id string) string {
					space, ok := spaces.Load(id)
					if !ok {
						return "nowhere"
					}
					return space.(string)
				})
			}))
			for _, step := range change.Steps {
				switch step := step.(type) {
				case store.CreateCredential:
					if err == nil {
						spaces.Store(step.Credential.ID, step.Credential.Space)
					}
				case store.CreateVersion:
					if err == nil {
						spaces.Store(step.Version.ID, step.Version.Space)
					}
				}
			}
			return err
		}}
	}
}

// updatesUsed answers with what the last update said of Used.
func updatesUsed(s store.Store) store.Store {
	var used sync.Map
	return &broken{
		Store: s,
		apply: func(ctx context.Context, change store.Change) error {
			err := s.Apply(ctx, change)
			for _, step := range change.Steps {
				if u, ok := step.(store.UpdateCredential); ok && err == nil {
					used.Store(u.Credential.ID, u.Credential.Used)
				}
			}
			return err
		},
		credential: func(ctx context.Context, space, id string) (store.Item, error) {
			item, err := s.Credential(ctx, space, id)
			if n, ok := used.Load(item.Credential.ID); ok {
				item.Credential.Used = n.(int64)
			}
			return item, err
		},
	}
}

// onVersion breaks what Version returns.
func onVersion(fn func(*store.Found)) func(store.Store) store.Store {
	return func(s store.Store) store.Store {
		return &broken{Store: s, version: func(ctx context.Context, space, id string) (store.Found, error) {
			found, err := s.Version(ctx, space, id)
			if err == nil {
				fn(&found)
			}
			return found, err
		}}
	}
}

// onUses breaks what Uses returns.
func onUses(fn func([]store.Use)) func(store.Store) store.Store {
	return func(s store.Store) store.Store {
		return &broken{Store: s, uses: func(ctx context.Context, space, version string) ([]store.Use, error) {
			uses, err := s.Uses(ctx, space, version)
			fn(uses)
			return uses, err
		}}
	}
}

// onEvents breaks what Events returns.
func onEvents(fn func([]store.Event, store.EventQuery) []store.Event) func(store.Store) store.Store {
	return func(s store.Store) store.Store {
		return &broken{Store: s, events: func(ctx context.Context, q store.EventQuery) ([]store.Event, error) {
			events, err := s.Events(ctx, q)
			return fn(events, q), err
		}}
	}
}

// onEventQuery breaks what Events asks for.
func onEventQuery(fn func(*store.EventQuery)) func(store.Store) store.Store {
	return func(s store.Store) store.Store {
		return &broken{Store: s, events: func(ctx context.Context, q store.EventQuery) ([]store.Event, error) {
			fn(&q)
			return s.Events(ctx, q)
		}}
	}
}

// onUnsealed breaks what Unsealed returns, given all that it might.
func onUnsealed(fn func(events []store.Event, limit int) []store.Event) func(store.Store) store.Store {
	return func(s store.Store) store.Store {
		return &broken{Store: s, unsealed: func(ctx context.Context, limit int) ([]store.Event, error) {
			if limit < 1 {
				return s.Unsealed(ctx, limit)
			}
			events, err := s.Unsealed(ctx, everything)
			events = fn(events, limit)
			return events[:min(len(events), limit)], err
		}}
	}
}

// narrowsWrong narrows lists by a test instead of by the fields that widen
// clears.
func narrowsWrong(
	test func(store.Query, store.Credential) bool, widen func(*store.Query),
) func(store.Store) store.Store {
	return func(s store.Store) store.Store {
		return &broken{Store: s, credentials: func(ctx context.Context, q store.Query) ([]store.Item, error) {
			whole := q
			widen(&whole)
			whole.Limit = everything
			items, err := s.Credentials(ctx, whole)
			items = slices.DeleteFunc(items, func(item store.Item) bool { return !test(q, item.Credential) })
			if len(items) == 0 {
				items = nil
			}
			return items[:min(len(items), q.Limit)], err
		}}
	}
}

// lastRecord answers with the times of the last record of use.
func lastRecord(s store.Store) store.Store {
	var records sync.Map
	return &broken{
		Store: s,
		apply: func(ctx context.Context, change store.Change) error {
			err := s.Apply(ctx, change)
			for _, step := range change.Steps {
				if u, ok := step.(store.RecordUse); ok && err == nil {
					records.Store(u.Space+u.Version, u)
				}
			}
			return err
		},
		version: func(ctx context.Context, space, id string) (store.Found, error) {
			found, err := s.Version(ctx, space, id)
			if u, ok := records.Load(space + id); ok && err == nil {
				found.Version.FirstUsed, found.Version.LastUsed = u.(store.RecordUse).First, u.(store.RecordUse).Last
			}
			return found, err
		},
	}
}

// manyAddresses keeps another number of addresses.
func manyAddresses(most int) func(store.Store) store.Store {
	return func(s store.Store) store.Store {
		var mu sync.Mutex
		var m model
		return &broken{
			Store: s,
			apply: func(ctx context.Context, change store.Change) error {
				err := s.Apply(ctx, change)
				mu.Lock()
				defer mu.Unlock()
				for _, step := range change.Steps {
					if u, ok := step.(store.RecordUse); ok && err == nil {
						m.uses = append(m.uses, versionUse{u.Space + u.Version, store.Use{Address: u.Address, First: u.First, Last: u.Last}})
					}
				}
				return err
			},
			uses: func(_ context.Context, space, version string) ([]store.Use, error) {
				mu.Lock()
				defer mu.Unlock()
				uses := m.usesOf(space + version)
				slices.SortFunc(uses, lastUsedFirst)
				return uses[:min(len(uses), most)], nil
			},
		}
	}
}

// refusesRecord refuses to record a use of what is not there.
func refusesRecord(s store.Store, ctx context.Context, change store.Change) error {
	for i, step := range change.Steps {
		if u, ok := step.(store.RecordUse); ok {
			if _, err := s.Version(ctx, u.Space, u.Version); errors.Is(err, store.ErrNotFound) {
				return &store.ConflictError{Step: i}
			}
		}
	}
	return s.Apply(ctx, change)
}

// afterDeletion tells of each credential that is removed, and of what it was.
func afterDeletion(s store.Store, fn func(before store.Item, uses map[string][]store.Use)) func(context.Context, store.Change) error {
	return func(ctx context.Context, change store.Change) error {
		var gone []store.Item
		var uses []map[string][]store.Use
		for _, step := range change.Steps {
			if d, ok := step.(store.DeleteCredential); ok {
				item, _ := s.Credential(ctx, d.Space, d.ID)
				of := map[string][]store.Use{}
				for _, v := range item.Versions {
					of[v.ID], _ = s.Uses(ctx, d.Space, v.ID)
				}
				gone, uses = append(gone, item), append(uses, of)
			}
		}
		err := s.Apply(ctx, change)
		for i := range gone {
			if err == nil {
				fn(gone[i], uses[i])
			}
		}
		return err
	}
}

// leavesVersions finds the versions of what is removed.
func leavesVersions(s store.Store) store.Store {
	var left sync.Map
	return &broken{
		Store: s,
		apply: afterDeletion(s, func(item store.Item, _ map[string][]store.Use) {
			for _, v := range item.Versions {
				left.Store(v.Space+v.ID, store.Found{Credential: item.Credential, Version: v})
			}
		}),
		version: func(ctx context.Context, space, id string) (store.Found, error) {
			found, err := s.Version(ctx, space, id)
			if was, ok := left.Load(space + id); ok && errors.Is(err, store.ErrNotFound) {
				return was.(store.Found), nil
			}
			return found, err
		},
	}
}

// leavesUses returns the uses of what is removed.
func leavesUses(s store.Store) store.Store {
	var left sync.Map
	return &broken{
		Store: s,
		apply: afterDeletion(s, func(item store.Item, uses map[string][]store.Use) {
			for id, of := range uses {
				left.Store(item.Credential.Space+id, of)
			}
		}),
		uses: func(ctx context.Context, space, version string) ([]store.Use, error) {
			uses, err := s.Uses(ctx, space, version)
			if was, ok := left.Load(space + version); ok && uses == nil {
				return was.([]store.Use), err
			}
			return uses, err
		},
	}
}

// removesEvents hides the events of what is removed.
func removesEvents(s store.Store) store.Store {
	var gone sync.Map
	return &broken{
		Store: s,
		apply: afterDeletion(s, func(item store.Item, _ map[string][]store.Use) { gone.Store(item.Credential.ID, true) }),
		events: func(ctx context.Context, q store.EventQuery) ([]store.Event, error) {
			events, err := s.Events(ctx, q)
			return slices.DeleteFunc(events, func(e store.Event) bool {
				_, ok := gone.Load(e.Credential)
				return ok
			}), err
		},
	}
}

// rememberIDs creates nothing that was removed.
func rememberIDs(s store.Store) store.Store {
	var gone sync.Map
	apply := afterDeletion(s, func(item store.Item, _ map[string][]store.Use) { gone.Store(item.Credential.ID, true) })
	return &broken{Store: s, apply: func(ctx context.Context, change store.Change) error {
		deleted := map[string]bool{}
		for i, step := range change.Steps {
			switch step := step.(type) {
			case store.DeleteCredential:
				deleted[step.ID] = true
			case store.CreateCredential:
				if _, ok := gone.Load(step.Credential.ID); ok || deleted[step.Credential.ID] {
					return &store.ConflictError{Step: i}
				}
			}
		}
		return apply(ctx, change)
	}}
}
