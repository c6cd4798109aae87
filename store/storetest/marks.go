package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// markChecks are the sentences about the store's mark. Each has a store of its
// own.
var markChecks = group{"Mark", []check{
	{"RaiseMark makes To the mark, unless that is later already", raiseMark},
	{"SetMark makes To the mark, be it earlier or later", setMark},
	{"SetMark: the mark is Was", setMarkWas},
}}

func raiseMark(e *env) {
	e = e.with(e.open())
	e.sameTime("the mark of a new store", e.mark(), time.Time{})
	highest := time.Time{}
	for _, to := range []time.Time{
		{}, start, start.Add(-time.Millisecond), {}, start.AddDate(-900, 0, 0), start, start.Add(time.Millisecond),
		start.AddDate(1, 0, 0), start, start.AddDate(900, 0, 0), time.UnixMilli(0).UTC(),
	} {
		e.apply(store.RaiseMark{To: to})
		if to.After(highest) {
			highest = to
		}
		e.sameTime(fmt.Sprintf("the mark after %v", to), e.mark(), highest)
	}
	for _, first := range instants { // where there is none
		e.apply(store.SetMark{Was: e.mark()}, store.RaiseMark{To: first})
		e.sameTime("the first mark", e.mark(), first)
	}
}

func setMark(e *env) {
	e = e.with(e.open())
	was := time.Time{}
	for _, to := range append(slices.Clone(instants), start, start, start.Add(-time.Hour), time.Time{}, time.Time{}, start) {
		e.apply(store.SetMark{Was: was, To: to})
		e.sameTime("the mark", e.mark(), to)
		was = to
	}
	e.apply(store.RaiseMark{To: start.Add(-1)}, store.SetMark{Was: start, To: at(-2)}, store.RaiseMark{To: at(-1)})
	e.sameTime("the mark after a change of several steps", e.mark(), at(-1))
}

func setMarkWas(e *env) {
	e = e.with(e.open())
	marks := []time.Time{{}, time.UnixMilli(0).UTC(), start, start.Add(time.Millisecond), start.Add(-time.Millisecond)}
	stored := time.Time{}
	for _, next := range append(marks, time.Time{}) {
		for _, was := range marks {
			if !was.Equal(stored) {
				e.refused(fmt.Sprintf("from %v when it is %v", was, stored), 0, one(store.SetMark{Was: was, To: at(1)}))
			}
		}
		e.refused("the same twice", 1, store.Change{Steps: []store.Step{
			store.SetMark{Was: stored, To: at(5)}, store.SetMark{Was: stored, To: at(6)},
		}})
		e.refused("after it was raised", 1, store.Change{Steps: []store.Step{
			store.RaiseMark{To: at(5)}, store.SetMark{Was: stored, To: at(6)},
		}})
		e.apply(store.SetMark{Was: stored, To: next})
		stored = next
	}
}

// replayChecks are the sentences about replays.
var replayChecks = group{"Replays", []check{
	{"CreateReplay adds a replay", createReplay},
	{"CreateReplay: the space has none of its name", createReplayTaken},
	{"DeleteReplays removes, in all spaces, what ends at Until or earlier", deleteReplays},
	{"Replay answers ErrNotFound for what is not in the space", replayElsewhere},
}}

func createReplay(e *env) {
	space := e.space()
	for i, value := range [][]byte{{0}, []byte("some text"), {0xff, 0, 0xfe}, nil} {
		r := e.newReplay(space.ID)
		r.Request, r.Sealed = value, append(copyBytes(value), value...)
		if i == 1 {
			r.Expires = time.Time{} // it has expired, whenever that was
		}
		e.apply(store.CreateReplay{Replay: copyReplay(r)})
		e.equal("the replay", e.replay(space.ID, r.Name), r)
	}
	for _, at := range instants {
		r := e.newReplay(space.ID)
		r.Expires = at
		e.apply(store.CreateReplay{Replay: copyReplay(r)})
		e.sameTime("Expires", e.replay(space.ID, r.Name).Expires, at)
	}
	for what, text := range texts {
		r := e.newReplay(space.ID)
		r.Name = text
		e.apply(store.CreateReplay{Replay: copyReplay(r)})
		e.equal("a name with "+what, e.replay(space.ID, text), r)
	}
}

func createReplayTaken(e *env) {
	here, there := e.space(), e.space()
	old := e.newReplay(here.ID)
	e.apply(store.CreateReplay{Replay: copyReplay(old)})
	other := e.newReplay(here.ID)
	other.Name = old.Name
	for _, r := range []store.Replay{old, other} {
		e.refused("a name that is taken", 0, one(store.CreateReplay{Replay: r}))
	}
	other.Space = there.ID
	e.apply(store.CreateReplay{Replay: copyReplay(other)})
	e.equal("the replay that was there", e.replay(here.ID, old.Name), old)
	e.equal("that of another space", e.replay(there.ID, old.Name), other)
	again := e.newReplay(here.ID)
	e.refused("the same twice", 1, store.Change{Steps: []store.Step{
		store.CreateReplay{Replay: again}, store.CreateReplay{Replay: again},
	}})
}

func deleteReplays(e *env) {
	e = e.with(e.open())
	spaces := []store.Space{e.space(), e.space()}
	until := at(5)
	var stay, leave []store.Replay
	for i, expires := range []time.Time{
		until, until.Add(time.Millisecond), until.Add(-time.Millisecond), {}, at(-1000), at(1000), time.UnixMilli(0).UTC(), at(6),
	} {
		r := e.newReplay(spaces[i/2%2].ID)
		r.Expires = expires
		e.apply(store.CreateReplay{Replay: copyReplay(r)})
		if expires.After(until) {
			stay = append(stay, r)
		} else {
			leave = append(leave, r)
		}
	}
	see := func(what string, replays []store.Replay, there bool) {
		e.Helper()
		for _, r := range replays {
			got, err := e.store.Replay(background, r.Space, r.Name)
			if there {
				e.equal(what, got, r)
			} else if !isNotFound(err) {
				e.Errorf("%s: Replay that expires at %v: %v; want ErrNotFound", what, r.Expires, err)
			}
		}
	}
	e.refused("the same twice", 2, store.Change{Steps: []store.Step{
		store.DeleteReplays{Until: until}, store.CreateReplay{Replay: leave[0]}, store.CreateReplay{Replay: leave[0]},
	}})
	e.apply(store.DeleteReplays{Until: at(-2000).AddDate(-2000, 0, 0)})
	see("until before the epoch", slices.DeleteFunc(slices.Clone(leave), func(r store.Replay) bool { return r.Expires.IsZero() }), true)
	e.apply(store.DeleteReplays{Until: until})
	see("those that go", leave, false)
	see("those that stay", stay, true)
	e.apply(store.DeleteReplays{Until: until}) // nothing is no conflict
	see("those that stay", stay, true)
	e.apply(store.CreateReplay{Replay: copyReplay(leave[0])})
	see("one that came back", leave[:1], true)
}

func replayElsewhere(e *env) {
	here, there := e.space(), e.space()
	r := e.newReplay(here.ID)
	e.apply(store.CreateReplay{Replay: copyReplay(r)})
	for _, space := range []string{there.ID, here.Name, e.newSpace().ID, ""} {
		if _, err := e.store.Replay(background, space, r.Name); !isNotFound(err) {
			e.Errorf("Replay of another space: %v; want ErrNotFound", err)
		}
	}
	for _, name := range []string{"", r.Name + " ", r.Name[1:], "REPLAY" + r.Name[6:]} {
		if _, err := e.store.Replay(background, here.ID, name); !isNotFound(err) {
			e.Errorf("Replay(%q): %v; want ErrNotFound", name, err)
		}
	}
}
