package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// eachPage reads a list in pages, and calls between after each that is full.
func (e *env) eachPage(query store.Query, between func(page []store.Item)) []store.Item {
	e.Helper()
	var all []store.Item
	for range mostPages {
		page := e.credentials(query)
		all = append(all, page...)
		if len(page) < query.Limit {
			return all
		}
		query.After = position(page[len(page)-1])
		between(page)
	}
	e.Fatalf("Credentials(%+v): the list does not end", query)
	return nil
}

func credentialsAdded(e *env) {
	for size := 1; size <= 5; size++ {
		space, items := e.fill(12)
		pages := 0
		got := e.eachPage(store.Query{Space: space, Limit: size}, func(page []store.Item) {
			if pages++; pages > 5 {
				return
			}
			at := position(page[len(page)-1])
			for _, created := range []time.Time{
				at.Created.Add(time.Millisecond), at.Created.Add(time.Hour), // before the place
				at.Created, // before or after it
			} {
				c := e.newCredential(space)
				c.Created = created
				e.apply(store.CreateCredential{Credential: c})
			}
		})
		e.noneHidden(fmt.Sprintf("in pages of %d", size), got, items)
	}
}

func credentialsRemoved(e *env) {
	for size := 1; size <= 5; size++ {
		space, all := e.fill(36)
		items := slices.DeleteFunc(slices.Clone(all), func(item store.Item) bool {
			return item.Credential.State != store.StateActive
		})
		query := store.Query{Space: space, States: []store.State{store.StateActive}, Limit: size}
		gone, pages := map[string]bool{}, 0
		got := e.eachPage(query, func(page []store.Item) {
			if pages++; pages%2 == 0 {
				return
			}
			// The row at the place leaves the list, and one that is to come.
			leave := page[len(page)-1:]
			i := slices.IndexFunc(items, func(item store.Item) bool {
				return item.Credential.ID == leave[0].Credential.ID
			})
			if i >= 0 && i+2 < len(items) {
				leave = append(leave, items[i+2])
			}
			for _, item := range leave {
				if c := item.Credential; !gone[c.ID] {
					c.State = store.StateRevoked
					e.apply(store.UpdateCredential{Credential: c})
					gone[c.ID] = true
				}
			}
		})
		stayed := slices.DeleteFunc(slices.Clone(items), func(item store.Item) bool { return gone[item.Credential.ID] })
		e.noneHidden(fmt.Sprintf("in pages of %d", size), got, stayed)
		if len(gone) < 2 || len(stayed) < 2 {
			e.Errorf("of %d credentials %d left the list", len(items), len(gone))
		}
	}
}

// noneHidden sees that got is in order, repeats nothing and holds all of want.
func (e *env) noneHidden(what string, got, want []store.Item) {
	e.Helper()
	for i := range len(got) - 1 {
		if newerFirst(got[i], got[i+1]) >= 0 {
			e.Errorf("%s: %s at %v is followed by %s at %v", what,
				got[i].Credential.ID, got[i].Credential.Created, got[i+1].Credential.ID, got[i+1].Credential.Created)
		}
	}
	ids := idsOf(got)
	for _, id := range idsOf(want) {
		if !slices.Contains(ids, id) {
			e.Errorf("%s: %s, which was there all the time, is missing", what, id)
		}
	}
}

// named creates spaces of these names, in this order.
func (e *env) named(names []string) {
	e.Helper()
	var steps []store.Step
	for _, name := range names {
		space := e.newSpace()
		space.Name = name
		steps = append(steps, store.CreateSpace{Space: space})
	}
	e.apply(steps...)
}

// namesAfter reads the names of the spaces after a name, in pages.
func (e *env) namesAfter(after string, size int) []string {
	e.Helper()
	var names []string
	for range mostPages {
		page, err := e.store.Spaces(background, after, size)
		if err != nil || len(page) > size {
			e.Fatalf("Spaces(%q, %d): %d spaces, %v", after, size, len(page), err)
		}
		for _, space := range page {
			names = append(names, space.Name)
			after = space.Name
		}
		if len(page) < size {
			return names
		}
	}
	e.Fatalf("Spaces(%q, %d): the list does not end", after, size)
	return nil
}

// spaceNames are in the order that lists must have.
var spaceNames = []string{
	" ", "'", "-", "0", "10", "9", "A", "B", "Z", "_", "a", "a ", "a-b", "aB", "a_b", "aa", "ab", "b", "z", "~",
	"\u00c9", "\u00df", "\u00e9", "\u0416", "\uff5e", "\ufffd", "\U0001f511",
}

func spaceOrder(e *env) {
	e = e.with(e.open())
	names := slices.Clone(spaceNames)
	for i := range names { // neither up nor down
		names[i] = spaceNames[(i*8+5)%len(spaceNames)]
	}
	e.named(names)
	for size := 1; size <= len(names)+1; size++ {
		e.mustEqual(fmt.Sprintf("names in pages of %d", size), e.namesAfter("", size), spaceNames)
	}
	spaces, err := e.store.Spaces(background, "a", 2)
	if err != nil || len(spaces) != 2 {
		e.Fatalf("Spaces: %v, %v; want two", spaces, err)
	}
	for _, space := range spaces {
		e.mustEqual("a space in a list", space, e.spaceNamed(space.Name))
	}
}

func spacePositions(e *env) {
	e = e.with(e.open())
	e.named(spaceNames)
	for i, name := range spaceNames {
		for _, size := range []int{1, 4, 100} {
			e.mustEqual("names after "+name, len(e.namesAfter(name, size)), len(spaceNames)-i-1)
		}
	}
	for after, first := range map[string]string{
		"\x01": " ", "A\x01": "B", "Aa": "B", "a\x01": "a ", "a!": "a-b", "\u00ea": "\u0416", "zzz": "~",
	} { // no space has these names
		e.mustEqual(fmt.Sprintf("first name after %q", after), e.namesAfter(after, 100)[0], first)
	}
	e.mustEqual("names after all", len(e.namesAfter("\U0010ffff", 1)), 0)
}

func spacesAdded(e *env) {
	e = e.with(e.open())
	e.named([]string{"b", "d", "f", "h"})
	var got []string
	for after, added := "", []string{"a", "c", "g", "i"}; ; {
		page, err := e.store.Spaces(background, after, 1)
		if err != nil {
			e.Fatalf("Spaces(%q): %v", after, err)
		}
		if len(page) == 0 {
			break
		}
		after = page[0].Name
		got = append(got, after)
		if len(added) > 0 {
			e.named(added[:1])
			added = added[1:]
		}
		if len(got) > 8 {
			break
		}
	}
	// After b comes a, behind the place; after d c, behind it; after f g; after g i.
	e.mustEqual("names", got, []string{"b", "d", "f", "g", "h", "i"})
}

// record applies changes of one, two and three events, and returns the events.
func (e *env) record(c store.Credential, changes int) []store.Event {
	e.Helper()
	var all []store.Event
	for i := range changes {
		var events []store.Event
		for range i%3 + 1 {
			events = append(events, e.newEvent(c))
		}
		e.applyChange(store.Change{Events: copyEvents(events)})
		all = append(all, events...)
	}
	return all
}

func eventOrder(e *env) {
	here, there := e.space(), e.space()
	c, other := e.newCredential(here.ID), e.newCredential(there.ID)
	var want []store.Event
	for range 4 {
		want = append(want, e.record(c, 3)...)
		e.record(other, 2)
	}
	early := e.newEvent(c) // the order is that of the changes, not of their times
	early.Time = start.AddDate(-1, 0, 0)
	want = append(want, early)
	e.applyChange(store.Change{Events: []store.Event{copyEvent(early)}})
	e.mustEqual("the events", numberless(e.allEvents(here.ID)), want)
}

func eventPages(e *env) {
	space := e.space()
	want := e.record(e.newCredential(space.ID), 8)
	for size := 1; size <= len(want)+1; size++ {
		query := store.EventQuery{Space: space.ID, Limit: size}
		var got []store.Event
		for i := 0; i <= len(want); i += size { // each page full but the last
			page := e.events(query)
			e.mustEqual(fmt.Sprintf("page from %d of size %d", i, size), len(page), min(size, len(want)-i))
			if got = append(got, page...); len(page) == 0 {
				break
			}
			query.After = page[len(page)-1].Number
		}
		e.mustEqual(fmt.Sprintf("the events in pages of %d", size), numberless(got), want)
	}
	events := e.allEvents(space.ID)
	for i, event := range events { // also after numbers that no event of the space has
		for off := range int64(2) {
			got := e.events(store.EventQuery{Space: space.ID, After: event.Number - off, Limit: everything})
			from := slices.IndexFunc(events, func(o store.Event) bool { return o.Number > event.Number-off })
			if from < 0 {
				from = len(events)
			}
			e.mustEqual(fmt.Sprintf("events after the number of %d less %d", i, off), len(got), len(events)-from)
		}
	}
	after := events[len(events)-1].Number + 1<<40
	e.mustEqual("events after all", len(e.events(store.EventQuery{Space: space.ID, After: after, Limit: 1})), 0)
}

func eventsAdded(e *env) {
	space, other := e.space(), e.space()
	c := e.newCredential(space.ID)
	want := e.record(c, 5)
	query := store.EventQuery{Space: space.ID, Limit: 2}
	var got []store.Event
	for more := 4; len(got) <= len(want); more-- {
		page := e.events(query)
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		query.After = page[len(page)-1].Number
		if more > 0 {
			e.record(e.newCredential(other.ID), 1)
			want = append(want, e.record(c, 1)...)
		}
	}
	e.mustEqual("the events", numberless(got), want)
}
