package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// timeChecks are the sentences of the paragraph Time.
var timeChecks = group{"Time", []check{
	{"times come back equal, in UTC with whole milliseconds", timesKept},
	{"times come back equal after an update", timesUpdated},
	{"the zero time comes back as the zero time", timesZero},
	{"lists are in the order of times near and far", timesOrdered},
}}

// instants are times that storage may mistake for others, in ascending order.
var instants = []time.Time{
	{},
	time.Date(1, time.January, 1, 0, 0, 0, 1e6, time.UTC),
	time.Date(999, time.December, 31, 23, 59, 59, 999e6, time.UTC),
	time.Date(1677, time.September, 21, 0, 12, 43, 0, time.UTC), // before the first of UnixNano
	time.Date(1899, time.December, 31, 23, 59, 59, 999e6, time.UTC),
	time.UnixMilli(-1).UTC(),
	time.UnixMilli(0).UTC(),
	time.UnixMilli(1).UTC(),
	time.UnixMilli(1<<31*1000 - 1).UTC(),
	time.UnixMilli(1 << 31 * 1000).UTC(), // after the last of 32 bits
	time.Date(2024, time.February, 29, 23, 59, 59, 1e6, time.UTC),
	time.Date(2262, time.April, 12, 0, 0, 0, 0, time.UTC), // after the last of UnixNano
	time.Date(9999, time.December, 31, 23, 59, 59, 999e6, time.UTC),
}

func init() { slices.SortFunc(instants, time.Time.Compare) }

// sameTime compares times: as instants, and in that they are UTC.
func (e *env) sameTime(what string, got, want time.Time) {
	e.Helper()
	if !got.Equal(want) || got.IsZero() != want.IsZero() {
		e.Errorf("%s is %v; want %v", what, got, want)
	}
	if got.Location() != time.UTC {
		e.Errorf("%s, %v, is in %v; want UTC", what, got, got.Location())
	}
}

func timesKept(e *env) {
	for i, at := range instants {
		next := instants[(i+1)%len(instants)]
		space := e.newSpace()
		space.Created = at
		item, change := e.newIssue(space.ID)
		c, v := item.Credential, item.Versions[0]
		c.Created, c.Expires, c.NotBefore, c.Updated, c.Seen = at, next, at, next, at
		v.Created, v.Ends, v.FirstUsed, v.LastUsed = at, next, at, next
		event := change.Events[0]
		event.Time = at
		e.applyChange(store.Change{
			Steps: []store.Step{
				store.CreateSpace{Space: space}, store.CreateCredential{Credential: c}, store.CreateVersion{Version: v},
			},
			Events: []store.Event{event},
		})
		e.sameTime("Space.Created", e.spaceNamed(space.Name).Created, at)
		found := e.version(space.ID, v.ID)
		listed := e.credentials(store.Query{Space: space.ID, Limit: 1})[0]
		for _, got := range []store.Item{
			e.credential(space.ID, c.ID), listed,
			{Credential: found.Credential, Versions: []store.Version{found.Version}},
		} {
			e.sameTime("Credential.Created", got.Credential.Created, at)
			e.sameTime("Credential.Expires", got.Credential.Expires, next)
			e.sameTime("Credential.NotBefore", got.Credential.NotBefore, at)
			e.sameTime("Credential.Updated", got.Credential.Updated, next)
			e.sameTime("Credential.Seen", got.Credential.Seen, at)
			e.sameTime("Version.Created", got.Versions[0].Created, at)
			e.sameTime("Version.Ends", got.Versions[0].Ends, next)
			e.sameTime("Version.FirstUsed", got.Versions[0].FirstUsed, at)
			e.sameTime("Version.LastUsed", got.Versions[0].LastUsed, next)
		}
		e.sameTime("Event.Time", e.allEvents(space.ID)[0].Time, at)
		spaces, err := e.store.Spaces(background, "", everything)
		i := slices.IndexFunc(spaces, func(s store.Space) bool { return s.ID == space.ID })
		if err != nil || i < 0 {
			e.Fatalf("Spaces: %v, %v; want one with %s", spaces, err, space.ID)
		}
		e.sameTime("Space.Created in a list", spaces[i].Created, at)
	}
}

func timesUpdated(e *env) {
	space := e.space()
	item := e.issue(space.ID)
	c, v := item.Credential, item.Versions[0]
	for _, at := range append(slices.Clone(instants), start, time.Time{}, start) {
		c.Expires, c.NotBefore, c.Updated = at, at, at
		e.apply(
			store.UpdateCredential{Credential: copyCredential(c)},
			store.EndVersion{Space: space.ID, ID: v.ID, Was: v.Ends, Ends: at},
		)
		c.Revision++
		v.Ends = at
		found := e.version(space.ID, v.ID)
		e.sameTime("Credential.Expires", found.Credential.Expires, at)
		e.sameTime("Credential.NotBefore", found.Credential.NotBefore, at)
		e.sameTime("Credential.Updated", found.Credential.Updated, at)
		e.sameTime("Version.Ends", found.Version.Ends, at)
		e.sameTime("Credential.Created", found.Credential.Created, c.Created)
		if at.IsZero() {
			continue // which is no time of a use
		}
		used := e.issue(space.ID).Versions[0].ID
		e.apply(store.RecordUse{Space: space.ID, Version: used, Address: "192.0.2.1", First: at, Last: at})
		v := e.version(space.ID, used).Version
		e.sameTime("Version.FirstUsed", v.FirstUsed, at)
		e.sameTime("Version.LastUsed", v.LastUsed, at)
		e.sameTime("Use.First", e.uses(space.ID, used)[0].First, at)
		e.sameTime("Use.Last", e.uses(space.ID, used)[0].Last, at)
	}
}

func timesZero(e *env) {
	space := e.newSpace()
	space.Created = time.Time{}
	c := store.Credential{ID: e.id(), Space: space.ID, Kind: store.KindLink, State: store.StateActive, Revision: 1}
	v := store.Version{ID: e.id(), Credential: c.ID, Space: space.ID, Number: 1}
	c.Current = v.ID
	event := store.Event{ID: e.id(), Space: space.ID, Type: "link.issued"}
	e.applyChange(store.Change{
		Steps: []store.Step{
			store.CreateSpace{Space: space}, store.CreateCredential{Credential: c}, store.CreateVersion{Version: v},
		},
		Events: []store.Event{event},
	})
	got := e.credential(space.ID, c.ID)
	zeros := []time.Time{
		e.spaceNamed(space.Name).Created, got.Credential.Created, got.Credential.Expires,
		got.Credential.NotBefore, got.Credential.Updated, got.Credential.Seen,
		got.Versions[0].Created, got.Versions[0].Ends, got.Versions[0].FirstUsed, got.Versions[0].LastUsed, e.allEvents(space.ID)[0].Time,
	}
	for i, at := range zeros {
		if !at.IsZero() {
			e.Errorf("the zero time %d is %v", i, at)
		}
	}
	e.equal("the credential", got, store.Item{Credential: c, Versions: []store.Version{v}})
}

func timesOrdered(e *env) {
	space := e.space()
	var want []store.Item
	for i := range instants { // neither up nor down
		c := e.newCredential(space.ID)
		c.Created = instants[(i*5+2)%len(instants)]
		e.apply(store.CreateCredential{Credential: copyCredential(c)})
		want = append(want, store.Item{Credential: c})
	}
	slices.SortFunc(want, func(a, b store.Item) int { return b.Credential.Created.Compare(a.Credential.Created) })
	for size := range len(want) + 1 {
		got := e.pages(store.Query{Space: space.ID, Limit: size + 1})
		e.mustEqual(fmt.Sprintf("in pages of %d", size+1), got, want)
	}
}
