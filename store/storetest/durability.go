package storetest

import (
	"fmt"
	"slices"

	"github.com/keyfob-dev/keyfob/store"
)

// durabilityChecks are what can be seen of the paragraph Durability by closing
// a store and opening it again.
var durabilityChecks = group{"Durability", []check{
	{"all records are there when the store is opened again", reopened},
	{"records of every form are there when the store is opened again", reopenedForms},
	{"conditions are those of before", reopenedConditions},
	{"numbers of events go on rising", reopenedNumbers},
	{"what was acknowledged while others closed the store is there", reopenedClosed},
	{"nothing of a refused change is there", reopenedRefused},
	{"revocations of subjects are those of before, and go on", reopenedRevocations},
	{"an empty store is empty when it is opened again", reopenedEmpty},
}}

// reopen closes the store and opens it again.
func (e *env) reopen() {
	e.Helper()
	if err := e.store.Close(); err != nil {
		e.Fatalf("Close: %v", err)
	}
	e.store = e.open()
}

func reopened(e *env) {
	space, items := e.fill(24)
	for i := range items {
		if !items[i].Credential.State.Final() {
			items[i] = e.rotate(items[i])
		}
	}
	e.space()
	e.apply(e.newSetting(), e.newSetting())
	scene := e.newScene()
	e.applyChange(store.Change{Steps: scene.good, Events: scene.events})
	before := e.snapshot()
	for range 3 {
		e.reopen()
		e.mustEqual("after reopening", e.snapshot(), before)
		e.equal("the list", e.pages(store.Query{Space: space, Limit: 5}), items)
	}
}

func reopenedForms(e *env) {
	spaces, want := map[string]string{}, map[string]map[string]any{}
	for what, text := range texts {
		space, answers, change := e.textChange(text)
		e.applyChange(change)
		spaces[what], want[what] = space, answers
	}
	timesKept(e)
	timesZero(e)
	bytesKept(e)
	numbersKept(e)
	scopesKept(e)
	before := e.snapshot()
	e.reopen()
	e.mustEqual("after reopening", e.snapshot(), before)
	for what, text := range texts {
		e.equal(what, e.textAnswers(spaces[what], text), want[what])
	}
}

func reopenedConditions(e *env) {
	s := e.newScene()
	change := store.Change{Steps: s.good, Events: s.events}
	e.applyChange(copyChange(change))
	e.reopen()
	for i, step := range slices.Concat(s.bad, s.good) { // what was good is now taken, stale, used up or gone
		switch step.(type) {
		case store.RecordUse, store.RaiseMark, store.DeleteReplays, store.ClearBudget, store.DeleteBudgets, store.RevokeSubject:
			continue // which have no condition
		case store.RequireLive, store.RequireUnrevoked:
			if i >= len(s.bad) {
				continue // which writes nothing
			}
		}
		e.refused(fmt.Sprintf("%T", step), 0, store.Change{Steps: []store.Step{step}, Events: s.events})
	}
}

func reopenedNumbers(e *env) {
	space := e.space()
	c := e.newCredential(space.ID)
	var want []store.Event
	for range 4 {
		want = append(want, e.record(c, 3)...)
		e.reopen()
		e.equal("the events", numberless(e.allEvents(space.ID)), want)
	}
}

func reopenedClosed(e *env) {
	space := e.space()
	for range 3 {
		acknowledged := e.closeUnderWay(space.ID)
		e.store = e.open()
		for _, want := range acknowledged {
			e.equal("an acknowledged credential", e.credential(space.ID, want.Credential.ID), want)
		}
		// Others may be there, each with its version and its event.
		items := e.credentials(store.Query{Space: space.ID, Limit: everything})
		told := map[string]bool{}
		for _, event := range e.allEvents(space.ID) {
			told[event.Credential] = true
		}
		e.equal("credentials with an event", len(told), len(items))
		for _, item := range items {
			if len(item.Versions) != 1 || !told[item.Credential.ID] {
				e.Errorf("half a change: %v", item)
			}
		}
	}
}

func reopenedRefused(e *env) {
	s := e.newScene()
	before := e.snapshot()
	for i, bad := range s.bad {
		at := i % (len(s.good) + 1)
		e.refused(fmt.Sprintf("%T", bad), at, store.Change{
			Steps: slices.Insert(slices.Clone(s.good), at, bad), Events: s.events,
		})
	}
	e.reopen()
	e.equal("after reopening", e.snapshot(), before)
	e.applyChange(store.Change{Steps: s.good, Events: s.events})
}

func reopenedRevocations(e *env) {
	space := e.space()
	first := e.session(space.ID)
	all := []store.Credential{first}
	for round := range 3 {
		all = append(all, e.sibling(first))
		e.reopen()
		e.apply(unrevoked(first, at(10)), touch(all[len(all)-1], at(round)))
		all[len(all)-1].Seen = at(round)
		by := revoke(first, fmt.Sprint("round ", round), at(9-round))
		e.apply(by)
		e.reopen()
		e.refused("since the first", 0, one(unrevoked(first, at(9))))
		for i := range all {
			if !all[i].State.Final() {
				e.refused("a touch", 0, one(touch(all[i], at(50))))
				all[i] = revoked(all[i], by)
			}
			e.everywhere(fmt.Sprintf("%d after round %d", i, round), all[i])
		}
	}
}

func reopenedEmpty(e *env) {
	for range 2 {
		spaces, err := e.store.Spaces(background, "", 1)
		if err != nil || len(spaces) > 0 {
			e.Errorf("Spaces: %v, %v; want none", spaces, err)
		}
		e.reopen()
	}
	e.issue(e.space().ID)
	before := e.snapshot()
	e.reopen()
	e.equal("after reopening", e.snapshot(), before)
}
