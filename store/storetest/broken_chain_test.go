package storetest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/keyfob-dev/keyfob/store"
)

// leavesOutSealed seals what there is to seal of a step.
func leavesOutSealed(s store.Store, ctx context.Context, change store.Change) error {
	err := s.Apply(ctx, change)
	if !errors.Is(err, store.ErrConflict) {
		return err
	}
	open := map[int64]bool{}
	events, _ := s.Unsealed(ctx, everything)
	for _, e := range events {
		open[e.Number] = true
	}
	fewer := withStep(change, func(step store.Step) store.Step {
		if seals, ok := step.(store.SealEvents); ok {
			seals.Seals = slices.DeleteFunc(seals.Seals, func(seal store.Seal) bool { return !open[seal.Event] })
			if len(seals.Seals) > 0 {
				return seals
			}
		}
		return step
	})
	if s.Apply(ctx, fewer) == nil {
		return nil
	}
	return err
}

// firstLink answers with the first link of a seal as the head's.
func firstLink(s store.Store) store.Store {
	var links sync.Map
	return &broken{
		Store: s,
		apply: func(ctx context.Context, change store.Change) error {
			err := s.Apply(ctx, change)
			for _, step := range change.Steps {
				if seals, ok := step.(store.SealEvents); ok && err == nil {
					links.Store(seals.Space, copyBytes(seals.Seals[0].Link))
				}
			}
			return err
		},
		head: func(ctx context.Context, space string) (store.Head, error) {
			head, err := s.Head(ctx, space)
			if link, ok := links.Load(space); ok {
				head.Link = copyBytes(link.([]byte))
			}
			return head, err
		},
	}
}

// everUnsealed returns sealed events as well.
func everUnsealed(s store.Store) store.Store {
	var mu sync.Mutex
	spaces := map[string]bool{}
	return &broken{
		Store: s,
		apply: func(ctx context.Context, change store.Change) error {
			mu.Lock()
			defer mu.Unlock()
			for _, e := range change.Events {
				spaces[e.Space] = true
			}
			return s.Apply(ctx, change)
		},
		unsealed: func(ctx context.Context, limit int) ([]store.Event, error) {
			if limit < 1 {
				return s.Unsealed(ctx, limit)
			}
			mu.Lock()
			defer mu.Unlock()
			var all []store.Event
			for space := range spaces {
				events, err := s.Events(ctx, store.EventQuery{Space: space, Limit: everything})
				if err != nil {
					return nil, err
				}
				all = append(all, events...)
			}
			slices.SortFunc(all, func(a, b store.Event) int { return int(a.Number - b.Number) })
			return all[:min(len(all), limit)], nil
		},
	}
}

// comesSealed answers with what the caller said of the chain.
func comesSealed(s store.Store) store.Store {
	var given sync.Map
	return &broken{
		Store: s,
		apply: func(ctx context.Context, change store.Change) error {
			for _, e := range change.Events {
				given.Store(e.ID, copyEvent(e))
			}
			return s.Apply(ctx, change)
		},
		events: func(ctx context.Context, q store.EventQuery) ([]store.Event, error) {
			events, err := s.Events(ctx, q)
			for i := range events {
				if e, ok := given.Load(events[i].ID); ok && events[i].Seq == 0 {
					events[i].Seq, events[i].Link = e.(store.Event).Seq, e.(store.Event).Link
				}
			}
			return events, err
		},
	}
}

// oneHead answers with the head that was written last, of whatever space.
func oneHead(s store.Store) store.Store {
	var mu sync.Mutex
	var last string
	return &broken{
		Store: s,
		apply: func(ctx context.Context, change store.Change) error {
			err := s.Apply(ctx, change)
			mu.Lock()
			defer mu.Unlock()
			for _, step := range change.Steps {
				if seals, ok := step.(store.SealEvents); ok && err == nil {
					last = seals.Space
				}
			}
			return err
		},
		head: func(ctx context.Context, space string) (store.Head, error) {
			mu.Lock()
			defer mu.Unlock()
			return s.Head(ctx, last)
		},
	}
}

// setsAnyMark takes the stored mark for what it should be.
func setsAnyMark(s store.Store, ctx context.Context, change store.Change) (err error) {
	for range racers { // others may set it meanwhile
		err = s.Apply(ctx, withStep(change, func(step store.Step) store.Step {
			if set, ok := step.(store.SetMark); ok {
				set.Was, _ = s.Mark(background)
				return set
			}
			return step
		}))
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
	return err
}

// keepsReplays keeps the replays of all spaces but the first that it has seen.
func keepsReplays(s store.Store) store.Store {
	var mu sync.Mutex
	var first string
	kept := map[string]store.Replay{}
	return &broken{
		Store: s,
		apply: func(ctx context.Context, change store.Change) error {
			err := s.Apply(ctx, change)
			mu.Lock()
			defer mu.Unlock()
			for _, step := range change.Steps {
				if create, ok := step.(store.CreateReplay); ok && err == nil {
					r := create.Replay
					if first == "" {
						first = r.Space
					}
					if r.Space != first {
						kept[r.Space+r.Name] = copyReplay(r)
					}
				}
			}
			return err
		},
		replay: func(ctx context.Context, space, name string) (store.Replay, error) {
			mu.Lock()
			defer mu.Unlock()
			if r, ok := kept[space+name]; ok {
				return copyReplay(r), nil
			}
			return s.Replay(ctx, space, name)
		},
	}
}

// anyReplay finds the replays of other spaces.
func anyReplay(s store.Store) store.Store {
	var spaces sync.Map
	return &broken{
		Store: s,
		apply: func(ctx context.Context, change store.Change) error {
			for _, step := range change.Steps {
				if create, ok := step.(store.CreateReplay); ok {
					spaces.Store(create.Replay.Name, create.Replay.Space)
				}
			}
			return s.Apply(ctx, change)
		},
		replay: func(ctx context.Context, space, name string) (store.Replay, error) {
			r, err := s.Replay(ctx, space, name)
			if other, ok := spaces.Load(name); ok && err != nil {
				return s.Replay(ctx, other.(string), name)
			}
			return r, err
		},
	}
}
