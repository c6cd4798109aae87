package storetest

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// budgetChecks are the sentences about budgets.
var budgetChecks = group{"Budgets", []check{
	{"WriteBudget writes a budget, all of it", writeBudget},
	{"WriteBudget with revision 0: the space has none of its name", writeBudgetTaken},
	{"WriteBudget: the stored revision is Budget.Revision", writeBudgetStale},
	{"ClearBudget sets Consecutive to 0, and raises the revision by 1", clearBudget},
	{"ClearBudget of what is not in the space does nothing", clearBudgetElsewhere},
	{"DeleteBudgets removes, in all spaces, what expires at Until or earlier", deleteBudgets},
	{"Budget answers ErrNotFound for what is not in the space", budgetElsewhere},
}}

// write writes a budget and returns what it is then.
func (e *env) write(b store.Budget) store.Budget {
	e.Helper()
	e.apply(store.WriteBudget{Budget: b})
	b.Revision++
	return b
}

func writeBudget(e *env) {
	space := e.space()
	other := e.write(e.newBudget(space.ID))
	b := e.newBudget(space.ID)
	for _, set := range []func(){
		func() {},
		func() {},
		func() { b.Window = b.Window.Add(time.Millisecond) },
		func() { b.Guesses++ },
		func() { b.Consecutive++ },
		func() { b.Last = b.Last.Add(time.Millisecond) },
		func() { b.Expires = b.Expires.Add(time.Millisecond) },
		func() { b.Window, b.Last, b.Expires = time.Time{}, time.Time{}, time.Time{} },
		func() { b.Guesses, b.Consecutive = 0, 0 },
		func() { b.Guesses, b.Consecutive = math.MaxInt64, math.MaxInt64-1 },
		func() { b.Guesses, b.Consecutive = math.MaxInt32+1, 1<<53+1 },
		func() { b.Expires = at(-1) }, // expired or not
	} {
		set()
		b = e.write(b)
		e.mustEqual("the budget", e.budget(space.ID, b.Name), b)
	}
	bare := e.write(store.Budget{Space: space.ID, Name: "bare"})
	e.equal("a budget with nothing in it", e.budget(space.ID, "bare"), bare)
	for i, at := range instants {
		b := e.newBudget(space.ID)
		for range 2 { // a new one, and another time in its place
			b.Window, b.Last, b.Expires = at, instants[(i+1)%len(instants)], instants[(i+2)%len(instants)]
			b = e.write(b)
			got := e.budget(space.ID, b.Name)
			e.sameTime("Window", got.Window, b.Window)
			e.sameTime("Last", got.Last, b.Last)
			e.sameTime("Expires", got.Expires, b.Expires)
			i++
		}
	}
	for what, text := range texts {
		b := e.newBudget(space.ID)
		b.Name = text
		b = e.write(e.write(b))
		e.equal("a name with "+what, e.budget(space.ID, text), b)
	}
	e.equal("another budget", e.budget(space.ID, other.Name), other)
}

func writeBudgetTaken(e *env) {
	here, there := e.space(), e.space()
	old := e.write(e.newBudget(here.ID))
	other := e.newBudget(here.ID)
	other.Name = old.Name
	same := old
	same.Revision = 0
	for _, b := range []store.Budget{same, other} {
		e.refused("a name that is taken", 0, one(store.WriteBudget{Budget: b}))
	}
	other.Space = there.ID
	other = e.write(other)
	e.equal("the budget that was there", e.budget(here.ID, old.Name), old)
	e.equal("that of another space", e.budget(there.ID, old.Name), other)
	again := e.newBudget(here.ID)
	e.refused("the same twice", 1, store.Change{Steps: []store.Step{
		store.WriteBudget{Budget: again}, store.WriteBudget{Budget: again},
	}})
	folded := e.newBudget(here.ID)
	folded.Name = swapCase(old.Name)
	e.write(folded)
	e.equal("the budget that was there", e.budget(here.ID, old.Name), old)
}

func writeBudgetStale(e *env) {
	here, there := e.space(), e.space()
	b := e.write(e.write(e.newBudget(here.ID))) // to revision 2
	for _, revision := range []int64{-1, 0, 1, 3} {
		stale := b
		stale.Revision, stale.Guesses = revision, 99
		e.refused("a wrong revision", 0, one(store.WriteBudget{Budget: stale}))
	}
	for _, revision := range []int64{-1, 1, 2} {
		missing := e.newBudget(here.ID)
		missing.Revision = revision
		e.refused("a budget that is not there", 0, one(store.WriteBudget{Budget: missing}))
		elsewhere := b
		elsewhere.Space, elsewhere.Revision = there.ID, revision
		e.refused("a budget of another space", 0, one(store.WriteBudget{Budget: elsewhere}))
	}
	e.refused("one revision twice", 1, store.Change{Steps: []store.Step{
		store.WriteBudget{Budget: b}, store.WriteBudget{Budget: b},
	}})
	e.refused("after it was cleared", 1, store.Change{Steps: []store.Step{
		store.ClearBudget{Space: here.ID, Name: b.Name}, store.WriteBudget{Budget: b},
	}})
	next := b
	next.Revision++
	e.apply(store.WriteBudget{Budget: b}, store.WriteBudget{Budget: next})
	next.Revision++
	e.equal("the budget", e.budget(here.ID, b.Name), next)
}

func clearBudget(e *env) {
	space := e.space()
	other := e.write(e.newBudget(space.ID))
	full, bare := e.newBudget(space.ID), e.newBudget(space.ID)
	bare.Window, bare.Last, bare.Expires, bare.Guesses, bare.Consecutive = time.Time{}, time.Time{}, time.Time{}, 0, 0
	for _, b := range []store.Budget{full, bare} {
		b = e.write(b)
		for range 3 { // also where it is 0
			e.apply(store.ClearBudget{Space: space.ID, Name: b.Name})
			b.Consecutive = 0
			b.Revision++
			e.equal("the budget", e.budget(space.ID, b.Name), b)
		}
		b.Consecutive = 7
		b = e.write(b)
		e.apply(store.ClearBudget{Space: space.ID, Name: b.Name}, store.ClearBudget{Space: space.ID, Name: b.Name})
		b.Consecutive = 0
		b.Revision += 2
		e.equal("the budget that was cleared twice", e.budget(space.ID, b.Name), b)
	}
	e.equal("another budget", e.budget(space.ID, other.Name), other)
}

func clearBudgetElsewhere(e *env) {
	here, there := e.space(), e.space()
	b, event := e.write(e.newBudget(here.ID)), e.newEvent(e.newCredential(here.ID))
	missing := e.newBudget(here.ID)
	before := e.snapshot()
	for _, space := range []string{there.ID, here.Name, ""} {
		e.apply(store.ClearBudget{Space: space, Name: b.Name})
	}
	for _, name := range []string{missing.Name, "", b.Name[1:], b.Name + " ", swapCase(b.Name), "%"} {
		e.apply(store.ClearBudget{Space: here.ID, Name: name})
	}
	e.mustEqual("what is stored", e.snapshot(), before)
	e.applyChange(store.Change{ // the rest of the change happens
		Steps:  []store.Step{store.ClearBudget{Space: here.ID, Name: missing.Name}, store.WriteBudget{Budget: missing}},
		Events: []store.Event{copyEvent(event)},
	})
	missing.Revision++
	e.equal("the budget", e.budget(here.ID, missing.Name), missing)
	e.equal("the events", numberless(e.allEvents(here.ID)), []store.Event{event})
}

func deleteBudgets(e *env) {
	e = e.with(e.open())
	spaces := []store.Space{e.space(), e.space()}
	until := at(5)
	var stay, leave []store.Budget
	for i, expires := range []time.Time{
		until, until.Add(time.Millisecond), until.Add(-time.Millisecond), {}, at(-1000), at(1000), {}, time.UnixMilli(0).UTC(), at(6),
	} {
		for _, space := range spaces {
			b := e.newBudget(space.ID)
			b.Name = fmt.Sprint("budget ", i)
			b.Expires = expires
			b = e.write(b)
			if expires.IsZero() || expires.After(until) {
				stay = append(stay, b)
			} else {
				leave = append(leave, b)
			}
		}
	}
	see := func(what string, budgets []store.Budget, there bool) {
		e.Helper()
		for _, b := range budgets {
			got, err := e.store.Budget(background, b.Space, b.Name)
			if there {
				e.equal(what, got, b)
			} else if !isNotFound(err) {
				e.Errorf("%s: Budget that expires at %v: %v; want ErrNotFound", what, b.Expires, err)
			}
		}
	}
	fresh := leave[0]
	fresh.Revision = 0
	e.refused("the same twice", 2, store.Change{Steps: []store.Step{
		store.DeleteBudgets{Until: until}, store.WriteBudget{Budget: fresh}, store.WriteBudget{Budget: fresh},
	}})
	for _, before := range []time.Time{{}, instants[1], at(-1001)} {
		e.apply(store.DeleteBudgets{Until: before})
		see("until before all but the epoch", slices.DeleteFunc(slices.Clone(leave), func(b store.Budget) bool {
			return !b.Expires.After(before)
		}), true)
		see("until before those that stay", stay, true)
	}
	for range 2 { // nothing is no conflict
		e.apply(store.DeleteBudgets{Until: until})
		see("those that go", leave, false)
		see("those that stay", stay, true)
	}
	see("one that came back", []store.Budget{e.write(fresh)}, true)
	e.apply(store.DeleteBudgets{Until: instants[len(instants)-1]})
	for _, b := range stay {
		see("with an end or without", []store.Budget{b}, b.Expires.IsZero())
	}
}

func budgetElsewhere(e *env) {
	here, there := e.space(), e.space()
	b := e.write(e.newBudget(here.ID))
	for _, space := range []string{there.ID, here.Name, e.newSpace().ID, ""} {
		if _, err := e.store.Budget(background, space, b.Name); !isNotFound(err) {
			e.Errorf("Budget of another space: %v; want ErrNotFound", err)
		}
	}
	for _, name := range []string{"", b.Name + " ", b.Name[1:], swapCase(b.Name), e.newReplay(here.ID).Name} {
		if _, err := e.store.Budget(background, here.ID, name); !isNotFound(err) {
			e.Errorf("Budget(%q): %v; want ErrNotFound", name, err)
		}
	}
	if _, err := e.store.Replay(background, here.ID, b.Name); !isNotFound(err) {
		e.Errorf("Replay of the name of a budget: %v; want ErrNotFound", err)
	}
}
