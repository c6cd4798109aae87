package storetest

import (
	"errors"
	"math"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// readChecks are the sentences of the methods of Store and of the types that
// they return.
var readChecks = group{"Reads", []check{
	{"Space returns the space of that name", readSpace},
	{"Credential returns the credential whose id, or one of whose versions' id, is id", readCredential},
	{"an Item has the newest version and the version before it, in this order", readItem},
	{"Version returns the version with that id, and its credential", readVersion},
	{"Versions returns all versions of a credential, in ascending order of their numbers", readVersions},
	{"Versions returns none of a credential that is not there", versionsMissing},
	{"Setting returns the value of a setting", readSetting},
	{"reads answer ErrNotFound for what is not there", readMissing},
	{"reads answer ErrNotFound for what is in another space", readElsewhere},
	{"lists hold nothing of another space", listElsewhere},
	{"a new store is empty", readEmpty},
	{"stores share nothing", readOther},
}}

func isNotFound(err error) bool {
	return errors.Is(err, store.ErrNotFound) &&
		!errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrUnavailable)
}

func readSpace(e *env) {
	for range 3 {
		space := e.space()
		e.equal("the space", e.spaceNamed(space.Name), space)
	}
}

func readCredential(e *env) {
	space := e.space()
	e.issue(space.ID)
	item := e.issue(space.ID)
	ids := []string{item.Credential.ID, item.Versions[0].ID}
	for range 3 {
		for _, id := range ids {
			e.equal("Credential by "+id, e.credential(space.ID, id), item)
		}
		item = e.rotate(item)
		ids = append(ids, item.Credential.Current)
	}
	item.Credential.State = store.StateRevoked
	e.apply(store.UpdateCredential{Credential: copyCredential(item.Credential)})
	item.Credential.Revision++
	for _, id := range ids {
		e.equal("Credential by "+id, e.credential(space.ID, id), item)
	}
}

func readItem(e *env) {
	space := e.space()
	c := e.newCredential(space.ID)
	e.apply(store.CreateCredential{Credential: copyCredential(c)})
	e.equal("without versions", e.credential(space.ID, c.ID), store.Item{Credential: c})

	first, second, third := e.newVersion(c, 1), e.newVersion(c, 2), e.newVersion(c, 3)
	for _, v := range []store.Version{third, first, second} { // as they come
		e.apply(store.CreateVersion{Version: copyVersion(v)})
	}
	for _, want := range [][]store.Version{
		{first}, {second, first}, {third, second}, {third}, {second, first}, {third, first},
	} {
		c.Current, c.Previous = want[0].ID, ""
		if len(want) > 1 {
			c.Previous = want[1].ID
		}
		e.apply(store.UpdateCredential{Credential: copyCredential(c)})
		c.Revision++
		item := store.Item{Credential: c, Versions: want}
		e.equal("Credential", e.credential(space.ID, c.ID), item)
		e.equal("Credentials", e.credentials(store.Query{Space: space.ID, Limit: 2}), []store.Item{item})
	}
}

func readVersion(e *env) {
	space := e.space()
	first := e.issue(space.ID)
	second := e.rotate(first)
	third := e.rotate(second)
	c := third.Credential
	e.apply(use(c))
	c.Used++
	for _, state := range []store.State{store.StateActive, store.StateSuspended, store.StateRevoked} {
		c.State = state
		e.apply(store.UpdateCredential{Credential: copyCredential(c)})
		c.Revision++
		for _, v := range []store.Version{second.Versions[1], third.Versions[1], third.Versions[0]} {
			e.equal("Version", e.version(space.ID, v.ID), store.Found{Credential: c, Version: v})
		}
	}
}

func readSetting(e *env) {
	one, two := e.newSetting(), e.newSetting()
	e.apply(one, two)
	e.equal("the one", e.setting(one.Name), one.Value)
	e.equal("the other", e.setting(two.Name), two.Value)
}

// missing asks for what is not in a space.
func (e *env) missing(space, id string) {
	e.Helper()
	if _, err := e.store.Credential(background, space, id); !isNotFound(err) {
		e.Errorf("Credential(%q, %q): %v; want ErrNotFound", space, id, err)
	}
	if _, err := e.store.Version(background, space, id); !isNotFound(err) {
		e.Errorf("Version(%q, %q): %v; want ErrNotFound", space, id, err)
	}
}

func readMissing(e *env) {
	space := e.space()
	item := e.issue(space.ID)
	event := e.allEvents(space.ID)[0]
	for _, name := range []string{"", space.ID, space.Prefix, space.Name + " ", space.Name[1:], "nobody's"} {
		if _, err := e.store.Space(background, name); !isNotFound(err) {
			e.Errorf("Space(%q): %v; want ErrNotFound", name, err)
		}
	}
	c := item.Credential
	for _, id := range []string{"", e.id(), space.ID, event.ID, c.ID[1:], c.ID + "0", c.Subject, "%", "*"} {
		e.missing(space.ID, id)
	}
	if _, err := e.store.Version(background, space.ID, c.ID); !isNotFound(err) {
		e.Errorf("Version of the id of a credential: %v; want ErrNotFound", err)
	}
	setting := e.newSetting()
	e.apply(setting)
	for _, name := range []string{"", setting.Name + " ", setting.Name[1:], e.id()} {
		if _, err := e.store.Setting(background, name); !isNotFound(err) {
			e.Errorf("Setting(%q): %v; want ErrNotFound", name, err)
		}
	}
}

func readElsewhere(e *env) {
	here, there := e.space(), e.space()
	item := e.rotate(e.rotate(e.issue(here.ID)))
	e.rotate(e.issue(there.ID))
	first := e.newVersion(item.Credential, 9)
	e.apply(store.CreateVersion{Version: first})
	for _, space := range []string{there.ID, here.Name, e.newSpace().ID, ""} {
		for _, id := range []string{item.Credential.ID, item.Credential.Current, item.Credential.Previous, first.ID} {
			e.missing(space, id)
		}
	}
	e.equal("in its space", e.credential(here.ID, item.Credential.ID), item)
}

func listElsewhere(e *env) {
	here, there, bare := e.space(), e.space(), e.space()
	var items [2][]store.Item
	var events [2][]store.Event
	for i := range 12 { // by turns, with the same subject
		of := i % 2
		item, change := e.newIssue([]string{here.ID, there.ID}[of])
		create := change.Steps[0].(store.CreateCredential)
		create.Credential.Subject = "everybody"
		item.Credential.Subject = "everybody"
		change.Steps[0] = create
		e.applyChange(change)
		items[of] = append([]store.Item{item}, items[of]...)
		events[of] = append(events[of], change.Events...)
	}
	for of, space := range []string{here.ID, there.ID} {
		for _, size := range []int{1, 2, 5, 6, 7, 100} {
			for _, query := range []store.Query{
				{Space: space, Limit: size},
				{Space: space, Limit: size, Subject: "everybody", Kind: store.KindAPIKey},
			} {
				e.equal("the credentials of a space", e.pages(query), items[of])
			}
		}
		e.equal("the events of a space", numberless(e.allEvents(space)), events[of])
	}
	for _, space := range []string{bare.ID, here.Name, e.newSpace().ID, ""} {
		e.equal("credentials of another space", len(e.credentials(store.Query{Space: space, Limit: 9})), 0)
		e.equal("events of another space", len(e.events(store.EventQuery{Space: space, Limit: 9})), 0)
	}
	// A change that concerns two spaces.
	first, second := e.newEvent(items[0][0].Credential), e.newEvent(items[1][0].Credential)
	e.applyChange(store.Change{Events: []store.Event{second, first}})
	a, b := last(e.allEvents(here.ID), 1), last(e.allEvents(there.ID), 1)
	e.equal("the new events", append(numberless(b), numberless(a)...), []store.Event{second, first})
	if a[0].Number <= b[0].Number {
		e.Errorf("of two events the later has number %d and the earlier %d", a[0].Number, b[0].Number)
	}
}

func readEmpty(e *env) {
	e = e.with(e.open())
	spaces, err := e.store.Spaces(background, "", math.MaxInt32)
	if err != nil || len(spaces) > 0 {
		e.Errorf("Spaces: %v, %v; want none", spaces, err)
	}
	e.newSpace()
	e.newSetting()
	e.newReplay(e.id())
	e.newBudget(e.id())
	for what, answer := range e.snapshot() {
		switch answer := answer.(type) {
		case []store.Item:
			e.equal(what, len(answer), 0)
		case []store.Event:
			e.equal(what, len(answer), 0)
		case []store.Version:
			e.equal(what, len(answer), 0)
		case []store.Use:
			e.equal(what, len(answer), 0)
		case store.Head:
			e.equal(what, answer, store.Head{})
		case time.Time:
			e.equal(what, answer, time.Time{})
		default:
			e.equal(what, answer, notFound)
		}
	}
}

func readOther(e *env) {
	one, two := e.with(e.open()), e.with(e.open())
	item, change := one.newIssue(one.space().ID)
	one.applyChange(change)
	if _, err := two.store.Credential(background, item.Credential.Space, item.Credential.ID); !isNotFound(err) {
		e.Errorf("Credential that is in another store: %v; want ErrNotFound", err)
	}
	if spaces, err := two.store.Spaces(background, "", 10); err != nil || len(spaces) > 0 {
		e.Errorf("Spaces that are in another store: %v, %v; want none", spaces, err)
	}
}
