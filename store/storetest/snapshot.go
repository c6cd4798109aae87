package storetest

import (
	"errors"
	"strings"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// everything is a limit that no list of a check reaches.
const everything = 10_000

// mostPages is more than any list of a check has.
const mostPages = 100

// A snapshot is all that a store answers about the names that an env has given
// out: records, and notFound where there is none.
type snapshot map[string]any

const notFound = "not found"

// snapshot asks the store for everything that the check may have put there.
func (e *env) snapshot() snapshot {
	e.Helper()
	e.mu.Lock()
	ids, spaces, names, settings, replays, budgets := e.ids, e.spaces, e.names, e.settings, e.replays, e.budgets
	e.mu.Unlock()
	s := snapshot{}
	for _, name := range names {
		space, err := e.store.Space(background, name)
		s.note(e, "Space "+name, space, err)
		if short, ok := strings.CutPrefix(name, ownName); ok { // no name of another check is between these
			spaces, err := e.store.Spaces(background, ownName+short[:len(short)-1], 1)
			if err == nil && (len(spaces) == 0 || spaces[0].Name != name) {
				err = store.ErrNotFound
			}
			s.note(e, "Spaces with "+name, spaces, err)
		}
	}
	for _, name := range settings {
		value, err := e.store.Setting(background, name)
		s.note(e, "Setting "+name, value, err)
	}
	for _, space := range spaces {
		items, err := e.store.Credentials(background, store.Query{Space: space, Limit: everything})
		s.note(e, "Credentials of "+space, items, err)
		events, err := e.store.Events(background, store.EventQuery{Space: space, Limit: everything})
		s.note(e, "Events of "+space, events, err)
		for _, id := range ids {
			item, err := e.store.Credential(background, space, id)
			s.note(e, "Credential "+space+" "+id, item, err)
			found, err := e.store.Version(background, space, id)
			s.note(e, "Version "+space+" "+id, found, err)
			uses, err := e.store.Uses(background, space, id)
			s.note(e, "Uses "+space+" "+id, uses, err)
			versions, err := e.store.Versions(background, space, id)
			s.note(e, "Versions "+space+" "+id, versions, err)
		}
		head, err := e.store.Head(background, space)
		s.note(e, "Head of "+space, head, err)
		for _, name := range replays {
			replay, err := e.store.Replay(background, space, name)
			s.note(e, "Replay "+space+" "+name, replay, err)
		}
		for _, name := range budgets {
			budget, err := e.store.Budget(background, space, name)
			s.note(e, "Budget "+space+" "+name, budget, err)
		}
	}
	if e.alone {
		mark, err := e.store.Mark(background)
		s.note(e, "Mark", mark, err)
		events, err := e.store.Unsealed(background, everything)
		s.note(e, "Unsealed", events, err)
		events, err = e.store.EventsAfter(background, 0, everything)
		s.note(e, "EventsAfter", events, err)
	}
	return s
}

// note keeps an answer.
func (s snapshot) note(e *env, what string, value any, err error) {
	e.Helper()
	if err != nil {
		value = notFound
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		e.Fatalf("%s: %v", what, err)
	}
	s[what] = value
}

// spaceNamed reads a space that is there.
func (e *env) spaceNamed(name string) store.Space {
	e.Helper()
	space, err := e.store.Space(background, name)
	if err != nil {
		e.Fatalf("Space(%q): %v", name, err)
	}
	return space
}

// credential reads a credential that is there, by its id or one of a version.
func (e *env) credential(space, id string) store.Item {
	e.Helper()
	item, err := e.store.Credential(background, space, id)
	if err != nil {
		e.Fatalf("Credential(%q, %q): %v", space, id, err)
	}
	return item
}

// version reads a version that is there.
func (e *env) version(space, id string) store.Found {
	e.Helper()
	found, err := e.store.Version(background, space, id)
	if err != nil {
		e.Fatalf("Version(%q, %q): %v", space, id, err)
	}
	return found
}

// versions reads all versions of a credential.
func (e *env) versions(space, credential string) []store.Version {
	e.Helper()
	versions, err := e.store.Versions(background, space, credential)
	if err != nil {
		e.Fatalf("Versions(%q, %q): %v", space, credential, err)
	}
	return versions
}

// setting reads a setting that is there.
func (e *env) setting(name string) []byte {
	e.Helper()
	value, err := e.store.Setting(background, name)
	if err != nil {
		e.Fatalf("Setting(%q): %v", name, err)
	}
	return value
}

// credentials reads one page of a list.
func (e *env) credentials(query store.Query) []store.Item {
	e.Helper()
	items, err := e.store.Credentials(background, query)
	if err != nil {
		e.Fatalf("Credentials(%+v): %v", query, err)
	}
	if len(items) > query.Limit {
		e.Fatalf("Credentials(%+v): %d items", query, len(items))
	}
	return items
}

// pages reads a whole list in pages of the query's limit.
func (e *env) pages(query store.Query) []store.Item {
	e.Helper()
	var all []store.Item
	for range mostPages {
		page := e.credentials(query)
		all = append(all, page...)
		if len(page) < query.Limit {
			return all
		}
		query.After = position(page[len(page)-1])
	}
	e.Fatalf("Credentials(%+v): the list does not end", query)
	return nil
}

// position is the place of an item in a list.
func position(item store.Item) store.Position {
	return store.Position{Created: item.Credential.Created, ID: item.Credential.ID}
}

// events reads one page of a list of events.
func (e *env) events(query store.EventQuery) []store.Event {
	e.Helper()
	events, err := e.store.Events(background, query)
	if err != nil {
		e.Fatalf("Events(%+v): %v", query, err)
	}
	if len(events) > query.Limit {
		e.Fatalf("Events(%+v): %d events", query, len(events))
	}
	return events
}

// allEvents reads all events of a space. Their numbers must rise.
func (e *env) allEvents(space string) []store.Event {
	e.Helper()
	events := e.events(store.EventQuery{Space: space, Limit: everything})
	last := int64(0)
	for _, event := range events {
		if event.Number <= last {
			e.Fatalf("event %d follows event %d", event.Number, last)
		}
		last = event.Number
	}
	return events
}

// uses reads from where a version was used.
func (e *env) uses(space, version string) []store.Use {
	e.Helper()
	uses, err := e.store.Uses(background, space, version)
	if err != nil {
		e.Fatalf("Uses(%q, %q): %v", space, version, err)
	}
	return uses
}

// unsealed reads events that are not sealed.
func (e *env) unsealed(limit int) []store.Event {
	e.Helper()
	events, err := e.store.Unsealed(background, limit)
	if err != nil {
		e.Fatalf("Unsealed(%d): %v", limit, err)
	}
	return events
}

// lastEvent reads the highest number of an event.
func (e *env) lastEvent() int64 {
	e.Helper()
	number, err := e.store.LastEvent(background)
	if err != nil {
		e.Fatalf("LastEvent: %v", err)
	}
	return number
}

// eventsAfter reads events of all spaces.
func (e *env) eventsAfter(number int64, limit int) []store.Event {
	e.Helper()
	events, err := e.store.EventsAfter(background, number, limit)
	if err != nil {
		e.Fatalf("EventsAfter(%d, %d): %v", number, limit, err)
	}
	return events
}

// head reads the head of a chain.
func (e *env) head(space string) store.Head {
	e.Helper()
	head, err := e.store.Head(background, space)
	if err != nil {
		e.Fatalf("Head(%q): %v", space, err)
	}
	return head
}

// mark reads the mark.
func (e *env) mark() time.Time {
	e.Helper()
	mark, err := e.store.Mark(background)
	if err != nil {
		e.Fatalf("Mark: %v", err)
	}
	return mark
}

// replay reads a replay that is there.
func (e *env) replay(space, name string) store.Replay {
	e.Helper()
	replay, err := e.store.Replay(background, space, name)
	if err != nil {
		e.Fatalf("Replay(%q, %q): %v", space, name, err)
	}
	return replay
}

// budget reads a budget that is there.
func (e *env) budget(space, name string) store.Budget {
	e.Helper()
	budget, err := e.store.Budget(background, space, name)
	if err != nil {
		e.Fatalf("Budget(%q, %q): %v", space, name, err)
	}
	return budget
}

// numberless returns events as they were given to the store.
func numberless(events []store.Event) []store.Event {
	events = copyEvents(events)
	for i := range events {
		events[i].Number = 0
	}
	return events
}
