package memory

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

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
		found.Credential = cloneCredential(*t.present(t.credentials[v.Credential]))
		found.Version = cloneVersion(*v)
		return nil
	})
	return found, err
}

// Versions returns all versions of a credential, by number.
func (s *Store) Versions(ctx context.Context, space, credential string) (versions []store.Version, err error) {
	err = s.read(ctx, func(t *tables) error {
		for _, number := range slices.Sorted(maps.Keys(t.numbers[credential])) {
			if v := t.numbers[credential][number]; v.Space == space {
				versions = append(versions, cloneVersion(*v))
			}
		}
		return nil
	})
	return versions, err
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
			if !matches(t.present(c), q) {
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

// matches reports whether a credential of the query's space and subject is what
// it asks for.
func matches(c *store.Credential, q store.Query) bool {
	before := func(end time.Time) bool { return !c.Expires.IsZero() && c.Expires.Before(end) }
	return (q.Kind == "" || q.Kind == c.Kind) &&
		(q.Purpose == "" || q.Purpose == c.Purpose) &&
		(len(q.States) == 0 || slices.Contains(q.States, c.State)) &&
		strings.Contains(c.Name, q.NameContains) &&
		(q.Scope == "" || slices.Contains(c.Scopes, q.Scope)) &&
		(q.ExpiresBefore.IsZero() || before(q.ExpiresBefore)) &&
		(q.EndedBefore.IsZero() || before(q.EndedBefore) || c.State.Final() && c.Updated.Before(q.EndedBefore))
}

// Uses returns from where a version was used, the last used first.
func (s *Store) Uses(ctx context.Context, space, version string) (uses []store.Use, err error) {
	err = s.read(ctx, func(t *tables) error {
		if v := t.versions[version]; v != nil && v.Space == space {
			uses = slices.Clone(t.uses[version])
		}
		return nil
	})
	return uses, err
}

// Events returns a page of a space's events, in the order of their numbers.
func (s *Store) Events(ctx context.Context, q store.EventQuery) (events []store.Event, err error) {
	err = s.read(ctx, func(t *tables) error {
		if q.Limit < 1 {
			return badLimit(q.Limit)
		}
		for _, e := range eventsFrom(t.events[q.Space], q) {
			if q.Credential != "" && q.Credential != e.Credential || q.Type != "" && q.Type != e.Type {
				continue
			}
			events = append(events, cloneEvent(*e))
			if len(events) == q.Limit {
				break
			}
		}
		return nil
	})
	return events, err
}

// eventsFrom returns the events of a list from where a query begins, in the
// order that it asks for.
func eventsFrom(list []*store.Event, q store.EventQuery) iter.Seq2[int, *store.Event] {
	i, found := slices.BinarySearchFunc(list, q.After, compareNumber)
	switch {
	case q.Newest && q.After == 0:
		return slices.Backward(list)
	case q.Newest:
		return slices.Backward(list[:i])
	case found:
		i++
	}
	return slices.All(list[i:])
}

// Unsealed returns up to limit events of all spaces that have no Seq.
func (s *Store) Unsealed(ctx context.Context, limit int) (events []store.Event, err error) {
	err = s.read(ctx, func(t *tables) error {
		if limit < 1 {
			return badLimit(limit)
		}
		for _, e := range t.log[t.sealed:] {
			if e.Seq != 0 {
				continue
			}
			events = append(events, cloneEvent(*e))
			if len(events) == limit {
				break
			}
		}
		return nil
	})
	return events, err
}

// Head returns the head of a space's chain.
func (s *Store) Head(ctx context.Context, space string) (head store.Head, err error) {
	err = s.read(ctx, func(t *tables) error {
		head = t.heads[space]
		head.Link = cloneBytes(head.Link)
		return nil
	})
	return head, err
}

// Mark returns the store's mark.
func (s *Store) Mark(ctx context.Context) (mark time.Time, err error) {
	err = s.read(ctx, func(t *tables) error {
		mark = t.mark
		return nil
	})
	return mark, err
}

// Replay returns the replay of that name in the space.
func (s *Store) Replay(ctx context.Context, space, name string) (replay store.Replay, err error) {
	err = s.read(ctx, func(t *tables) error {
		stored, ok := t.replays[nameKey{space, name}]
		if !ok {
			return notFound("replay", name)
		}
		replay = cloneReplay(stored)
		return nil
	})
	return replay, err
}

// Budget returns the budget of that name in the space.
func (s *Store) Budget(ctx context.Context, space, name string) (budget store.Budget, err error) {
	err = s.read(ctx, func(t *tables) error {
		stored, ok := t.budgets[nameKey{space, name}]
		if !ok {
			return notFound("budget", name)
		}
		budget = stored
		return nil
	})
	return budget, err
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
func (t *tables) item(c *credential) store.Item {
	item := store.Item{Credential: cloneCredential(*t.present(c))}
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
