package storetest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/keyfob-dev/keyfob/store"
)

// chainChecks are the sentences about the chain of events.
var chainChecks = group{"Chain", []check{
	{"SealEvents writes the next links of a space's chain", sealEvents},
	{"SealEvents: the space's head has the Seq After", sealAfter},
	{"SealEvents: each event is there, in the same space, and has no Seq", sealOnce},
	{"SealEvents has at least one seal", sealNothing},
	{"a new event is not sealed, whatever the caller thinks", newUnsealed},
	{"Unsealed returns events of all spaces that have no Seq, by number", unsealed},
	{"EventsAfter returns events of all spaces, by number; LastEvent the highest number", eventsOfAll},
	{"Head returns the zero Head where nothing was sealed", headZero},
}}

// sealed writes what a step writes to events, and returns the head.
func sealed(events []store.Event, s store.SealEvents) store.Head {
	var head store.Head
	for n, seal := range s.Seals {
		i := slices.IndexFunc(events, func(e store.Event) bool { return e.Number == seal.Event })
		head = store.Head{Seq: s.After + int64(n) + 1, Link: seal.Link}
		events[i].Seq, events[i].Link = head.Seq, head.Link
	}
	return head
}

func sealEvents(e *env) {
	here, there := e.space(), e.space()
	c, other := e.newCredential(here.ID), e.newCredential(there.ID)
	e.record(c, 5)
	e.record(other, 3)
	want, others := e.allEvents(here.ID), e.allEvents(there.ID)
	after := int64(0)
	for _, n := range []int{1, 3, 2} {
		var numbers []int64
		for _, event := range want[after:][:n] {
			numbers = append(numbers, event.Number)
		}
		s := e.newSeals(here.ID, after, numbers...)
		e.applyChange(copyChange(one(s)))
		head := sealed(want, s)
		e.equal("Head", e.head(here.ID), head)
		e.equal("Events", e.allEvents(here.ID), want)
		after = head.Seq
	}
	e.equal("Events, the newest first", e.events(store.EventQuery{Space: here.ID, Newest: true, Limit: 1})[0], want[len(want)-1])
	// The order is that of the seals.
	s := e.newSeals(there.ID, 0, others[2].Number, others[0].Number)
	s.Seals[1].Link = nil // a link is whatever it is
	e.applyChange(copyChange(one(s)))
	head := sealed(others, s)
	e.equal("Head of another space", e.head(there.ID), head)
	e.equal("Events of another space", e.allEvents(there.ID), others)
	e.equal("Events of the first", e.allEvents(here.ID), want)
}

func sealAfter(e *env) {
	space := e.space()
	e.record(e.newCredential(space.ID), 4)
	events := e.allEvents(space.ID)
	for stored := range int64(3) {
		for _, after := range []int64{-1, 0, 1, 2, 3} {
			if after != stored {
				e.refused(fmt.Sprintf("after %d when %d are sealed", after, stored), 0,
					one(e.newSeals(space.ID, after, events[stored].Number)))
			}
		}
		e.refused("the same twice", 1, store.Change{Steps: []store.Step{
			e.newSeals(space.ID, stored, events[stored].Number), e.newSeals(space.ID, stored, events[stored+1].Number),
		}})
		e.apply(e.newSeals(space.ID, stored, events[stored].Number))
	}
	e.apply(e.newSeals(space.ID, 3, events[3].Number), e.newSeals(space.ID, 4, events[4].Number))
	e.equal("Seq of the head", e.head(space.ID).Seq, int64(5))
}

func sealOnce(e *env) {
	here, there := e.space(), e.space()
	e.record(e.newCredential(here.ID), 4)
	e.record(e.newCredential(there.ID), 2)
	events, others := e.allEvents(here.ID), e.allEvents(there.ID)
	e.apply(e.newSeals(here.ID, 0, events[1].Number))
	first, last := events[0].Number, events[len(events)-1].Number
	for what, bad := range map[string]int64{
		"an event that is sealed":                 events[1].Number,
		"an event of another space":               others[0].Number,
		"an event that is not there":              1 << 40,
		"an event with a number that none can be": 0,
		"an event with a negative number":         -1,
		"an event that is sealed already":         first,
	} {
		e.refused(what+", as the last", 0, one(e.newSeals(here.ID, 1, first, bad)))
		if bad != first {
			e.refused(what+", as the first", 0, one(e.newSeals(here.ID, 1, bad, first)))
			e.refused(what+", alone", 0, one(e.newSeals(here.ID, 1, bad)))
		}
		e.refused(what+", after another step", 1, store.Change{Steps: []store.Step{
			e.newSeals(here.ID, 1, last), e.newSeals(here.ID, 2, first, bad),
		}})
	}
	for _, space := range []string{here.Name, e.newSpace().ID, ""} {
		e.refused("another space", 0, one(e.newSeals(space, 0, first)))
	}
	e.refused("the other space", 0, one(e.newSeals(there.ID, 0, first)))
	e.apply(e.newSeals(here.ID, 1, first, last))
}

func sealNothing(e *env) {
	space := e.space()
	e.record(e.newCredential(space.ID), 1)
	before := e.snapshot()
	for _, seals := range [][]store.Seal{nil, {}} {
		err := e.store.Apply(background, store.Change{Steps: []store.Step{
			e.newSetting(), store.SealEvents{Space: space.ID, Seals: seals},
		}})
		if err == nil || errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrUnavailable) {
			e.Errorf("Apply of SealEvents without seals: %v; want an error that is none of a condition", err)
		}
	}
	after := e.snapshot()
	for what, answer := range before {
		e.equal(what, after[what], answer)
	}
}

func newUnsealed(e *env) {
	e = e.with(e.open())
	space := e.space()
	event := e.newEvent(e.newCredential(space.ID))
	given := copyEvent(event)
	given.Seq, given.Link = 7, []byte("a link")
	e.applyChange(store.Change{Events: []store.Event{given}})
	e.equal("Events", numberless(e.allEvents(space.ID)), []store.Event{event})
	e.equal("Unsealed", numberless(e.unsealed(9)), []store.Event{event})
	e.equal("Head", e.head(space.ID), store.Head{})
}

func unsealed(e *env) {
	e = e.with(e.open())
	if events := e.unsealed(1); events != nil {
		e.Errorf("Unsealed of a new store is %#v; want nil", events)
	}
	spaces := []store.Space{e.space(), e.space(), e.space()}
	for i := range 9 { // by turns
		e.record(e.newCredential(spaces[i*2%3].ID), 2)
	}
	var want []store.Event
	for _, space := range spaces {
		want = append(want, e.allEvents(space.ID)...)
	}
	slices.SortFunc(want, func(a, b store.Event) int { return int(a.Number - b.Number) })
	after := map[string]int64{}
	for i := range 5 { // the first, the last, and some between
		for _, limit := range []int{1, 2, len(want) - 1, len(want), len(want) + 1, everything} {
			e.mustEqual(fmt.Sprintf("Unsealed, up to %d", limit), e.unsealed(limit), want[:min(limit, len(want))])
		}
		at := []int{0, len(want) - 1, 3, 7, 0}[i]
		s := e.newSeals(want[at].Space, after[want[at].Space], want[at].Number)
		e.apply(s)
		after[s.Space]++
		want = slices.Delete(want, at, at+1)
	}
	for _, event := range want {
		e.apply(e.newSeals(event.Space, after[event.Space], event.Number))
		after[event.Space]++
	}
	if events := e.unsealed(1); events != nil {
		e.Errorf("Unsealed when all are sealed is %#v; want nil", events)
	}
	new := e.record(e.newCredential(spaces[0].ID), 1)
	e.mustEqual("Unsealed after another event", numberless(e.unsealed(9)), new)
	for _, limit := range []int{0, -1} {
		if _, err := e.store.Unsealed(background, limit); err == nil {
			e.Errorf("Unsealed with a limit of %d: no error", limit)
		}
	}
}

func eventsOfAll(e *env) {
	e = e.with(e.open())
	e.equal("LastEvent of a new store", e.lastEvent(), int64(0))
	if events := e.eventsAfter(0, 1); events != nil {
		e.Errorf("EventsAfter of a new store is %#v; want nil", events)
	}
	spaces := []store.Space{e.space(), e.space(), e.space()}
	var want []store.Event
	for i := range 9 { // by turns
		want = append(want, e.record(e.newCredential(spaces[i*2%3].ID), 2)...)
	}
	all := e.eventsAfter(0, everything)
	e.mustEqual("all events", numberless(all), want)
	e.apply(e.newSeals(all[0].Space, 0, all[0].Number)) // which does not matter
	for _, space := range spaces {
		for _, event := range e.allEvents(space.ID) {
			i := slices.IndexFunc(all, func(o store.Event) bool { return o.Number == event.Number })
			all[i] = event
		}
	}
	e.equal("LastEvent", e.lastEvent(), all[len(all)-1].Number)
	for i, event := range all {
		for _, limit := range []int{1, 3, len(all), everything} {
			got := e.eventsAfter(event.Number, limit)
			e.mustEqual(fmt.Sprintf("up to %d after event %d", limit, i), copyEvents(got), copyEvents(all[i+1:][:min(limit, len(all)-i-1)]))
		}
	}
	e.mustEqual("events after a negative number", e.eventsAfter(-1, everything), all)
	if events := e.eventsAfter(e.lastEvent()+1<<40, 1); events != nil {
		e.Errorf("EventsAfter all is %#v; want nil", events)
	}
	for _, limit := range []int{0, -1} {
		if _, err := e.store.EventsAfter(background, 0, limit); err == nil {
			e.Errorf("EventsAfter with a limit of %d: no error", limit)
		}
	}
}

func headZero(e *env) {
	here, there := e.space(), e.space()
	e.record(e.newCredential(here.ID), 1)
	e.record(e.newCredential(there.ID), 1)
	e.apply(e.newSeals(there.ID, 0, e.allEvents(there.ID)[0].Number))
	for _, space := range []string{here.ID, there.Name, e.newSpace().ID, ""} {
		e.equal("Head", e.head(space), store.Head{})
	}
}
