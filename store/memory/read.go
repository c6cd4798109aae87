package memory

import (
	"context"
	"fmt"
	"slices"

	"github.com/keyfob-dev/keyfob/store"
)

// Space returns the space of that name.
func (s *Store) Space(ctx context.Context, name string) (space store.Space, err error) {
	err = s.read(ctx, func(t *tables) error {
		stored := t.byName[name]
		if stored == nil {
			return notFound("space", name)
		}
		space = *stored
		return nil
	})
	return space, err
}

// Spaces returns up to limit spaces after the name after, by name.
func (s *Store) Spaces(ctx context.Context, after string, limit int) (spaces []store.Space, err error) {
	err = s.read(ctx, func(t *tables) error {
		if limit < 1 {
			return badLimit(limit)
		}
		start, found := slices.BinarySearch(t.names, after)
		if found {
			start++
		}
		for _, name := range t.names[start:][:min(len(t.names)-start, limit)] {
			spaces = append(spaces, *t.byName[name])
		}
		return nil
	})
	return spaces, err
}

// Credential returns the credential whose id, or one of whose versions' id, is
// id.
func (s *Store) Credential(ctx context.Context, space, id string) (item store.Item, err error) {
	err = s.read(ctx, func(t *tables) error {
		c := t.credentials[id]
		if v := t.versions[id]; c == nil && v != nil {
			c = t.credentials[v.Credential]
		}
		if c == nil || c.Space != space {
			return notFound("credential", id)
		}
		item = t.item(c)
		return nil
	})
	return item, err
}

// Version returns the version with that id, and its credential.
func (s *Store) Version(ctx context.Context, space, id string) (found store.Found, err error) {
	err = s.read(ctx, func(t *tables) error {
		v := t.versions[id]
		if v == nil || v.Space != space {
			return notFound("version", id)
		}
		found.Credential = cloneCredential(*t.credentials[v.Credential])
		found.Version = cloneVersion(*v)
		return nil
	})
	return found, err
}

// Credentials returns a page of credentials, the newest first.
func (s *Store) Credentials(ctx context.Context, q store.Query) (items []store.Item, err error) {
	err = s.read(ctx, func(t *tables) error {
		if q.Limit < 1 {
			return badLimit(q.Limit)
		}
		list := t.lists[listKey{q.Space, q.Subject}]
		end := len(list)
		if !q.After.Created.IsZero() || q.After.ID != "" {
			end, _ = slices.BinarySearchFunc(list, q.After, comparePosition)
		}
		for _, c := range slices.Backward(list[:end]) {
			if q.Kind != "" && q.Kind != c.Kind ||
				len(q.States) > 0 && !slices.Contains(q.States, c.State) {
				continue
			}
			items = append(items, t.item(c))
			if len(items) == q.Limit {
				break
			}
		}
		return nil
	})
	return items, err
}

// Events returns a page of a space's events, the oldest first.
func (s *Store) Events(ctx context.Context, q store.EventQuery) (events []store.Event, err error) {
	err = s.read(ctx, func(t *tables) error {
		if q.Limit < 1 {
			return badLimit(q.Limit)
		}
		list := t.events[q.Space]
		start, found := slices.BinarySearchFunc(list, q.After, compareNumber)
		if found {
			start++
		}
		for _, e := range list[start:][:min(len(list)-start, q.Limit)] {
			events = append(events, cloneEvent(e))
		}
		return nil
	})
	return events, err
}

// Setting returns the value of a setting.
func (s *Store) Setting(ctx context.Context, name string) (value []byte, err error) {
	err = s.read(ctx, func(t *tables) error {
		stored, ok := t.settings[name]
		if !ok {
			return notFound("setting", name)
		}
		value = cloneBytes(stored)
		return nil
	})
	return value, err
}

// item returns c with its newest version and the one before it.
func (t *tables) item(c *store.Credential) store.Item {
	item := store.Item{Credential: cloneCredential(*c)}
	for _, id := range []string{c.Current, c.Previous} {
		if v := t.versions[id]; v != nil && v.Credential == c.ID {
			item.Versions = append(item.Versions, cloneVersion(*v))
		}
	}
	return item
}

func notFound(what, name string) error {
	return fmt.Errorf("store/memory: %s %q: %w", what, name, store.ErrNotFound)
}

func badLimit(limit int) error {
	return fmt.Errorf("store/memory: a limit of %d; it must be at least 1", limit)
}
