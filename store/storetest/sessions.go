package storetest

import (
	"math"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// sessionChecks are the sentences of Idle and Seen and of the step that moves the
// latter.
var sessionChecks = group{"Sessions", []check{
	{"Idle and Seen come back as they were", sessionKept},
	{"TouchCredential makes At Seen, and leaves the revision as it is", touchCredential},
	{"TouchCredential: the credential is there, in the same space", touchElsewhere},
	{"TouchCredential: its stored revision is Revision", touchStale},
	{"TouchCredential: its stored state is active", touchInactive},
	{"TouchCredential: its stored Seen is Was", touchAgain},
	{"UpdateCredential leaves Idle and Seen as they are", updateSession},
}}

// session creates a session that nobody has said to have seen.
func (e *env) session(space string) store.Credential {
	e.Helper()
	item, change := e.newIssue(space)
	c := &item.Credential
	c.Kind, c.Purpose, c.Seen = store.KindSession, "", time.Time{}
	change.Steps[0] = store.CreateCredential{Credential: copyCredential(*c)}
	e.applyChange(change)
	return *c
}

// touch makes the step that moves a credential's Seen to at.
func touch(c store.Credential, at time.Time) store.TouchCredential {
	return store.TouchCredential{Space: c.Space, ID: c.ID, Revision: c.Revision, Was: c.Seen, At: at}
}

// everywhere sees that all reads of a credential return it, and else ends the check.
func (e *env) everywhere(what string, want store.Credential) {
	e.Helper()
	e.mustEqual(what+": Credential", e.credential(want.Space, want.ID).Credential, want)
	e.mustEqual(what+": Credential by its version", e.credential(want.Space, want.Current).Credential, want)
	e.mustEqual(what+": Version", e.version(want.Space, want.Current).Credential, want)
	for list, query := range map[string]store.Query{
		"all": {}, "its kind": {Kind: want.Kind}, "its subject": {Subject: want.Subject},
		"its subject and kind": {Subject: want.Subject, Kind: want.Kind}, "its state": {States: []store.State{want.State}},
		"its subject, kind and purpose": {Subject: want.Subject, Kind: want.Kind, Purpose: want.Purpose},
		"its subject, kind and state":   {Subject: want.Subject, Kind: want.Kind, States: []store.State{want.State}},
	} {
		query.Space, query.Limit = want.Space, everything
		var got []store.Credential
		for _, item := range e.credentials(query) {
			if item.Credential.ID == want.ID {
				got = append(got, item.Credential)
			}
		}
		e.mustEqual(what+": Credentials of "+list, got, []store.Credential{want})
	}
}

func sessionKept(e *env) {
	space := e.space()
	for _, idle := range []time.Duration{
		0, time.Millisecond, 1500 * time.Millisecond, 30 * time.Minute, 400 * 24 * time.Hour,
		math.MaxInt32 * time.Millisecond, (math.MaxInt32 + 1) * time.Millisecond, math.MaxInt64 / 1_000_000 * time.Millisecond,
	} {
		for _, seen := range instants {
			item, change := e.newIssue(space.ID)
			c := &item.Credential
			c.Kind, c.Idle, c.Seen = store.KindSession, idle, seen
			change.Steps[0] = store.CreateCredential{Credential: copyCredential(*c)}
			e.applyChange(change)
			e.equal("Credential", e.credential(space.ID, c.ID).Credential, *c)
			e.equal("Version", e.version(space.ID, c.Current).Credential, *c)
			query := store.Query{Space: space.ID, Subject: c.Subject, Limit: 1}
			e.equal("Credentials", e.credentials(query)[0].Credential, *c)
		}
	}
}

func touchCredential(e *env) {
	space := e.space()
	other, key := e.session(space.ID), e.issue(space.ID).Credential
	for _, c := range []store.Credential{e.session(space.ID), key} { // no condition concerns its kind
		for _, at := range append(instants, at(1), at(1), at(0), time.Time{}, at(2)) { // also back
			e.apply(touch(c, at))
			c.Seen = at
			e.sameTime("Seen", e.version(space.ID, c.Current).Credential.Seen, at)
			e.equal("Version", e.version(space.ID, c.Current).Credential, c)
		}
		e.everywhere("after many", c)
		next := copyCredential(c)
		next.Seen = at(3)
		e.apply(touch(c, at(3)), touch(next, at(4)))
		c.Seen = at(4)
		e.everywhere("after two of one change", c)
		e.equal("its versions", len(e.versions(space.ID, c.ID)), 1)
	}
	e.everywhere("another session", other)
}

func touchElsewhere(e *env) {
	here, there := e.space(), e.space()
	c := e.session(here.ID)
	e.refused("a credential that is not there", 0, one(touch(e.newCredential(here.ID), at(1))))
	for _, space := range []string{there.ID, here.Name, e.newSpace().ID, ""} {
		e.refused("another space", 0, one(store.TouchCredential{Space: space, ID: c.ID, Revision: 1, At: at(1)}))
	}
	e.refused("the id of a version", 0, one(store.TouchCredential{Space: here.ID, ID: c.Current, Revision: 1, At: at(1)}))
	e.apply(store.DeleteCredential{Space: here.ID, ID: c.ID, Revision: 1})
	e.refused("a credential that was removed", 0, one(touch(c, at(1))))
}

func touchStale(e *env) {
	space := e.space()
	c := e.session(space.ID)
	e.apply(touch(c, at(1)), store.UpdateCredential{Credential: copyCredential(c)}) // to revision 2
	c.Seen = at(1)
	for _, revision := range []int64{-1, 0, 1, 3} {
		c.Revision = revision
		e.refused("a wrong revision", 0, one(touch(c, at(2))))
	}
	c.Revision = 2
	e.refused("the revision before an update of the same change", 1, store.Change{Steps: []store.Step{
		store.UpdateCredential{Credential: copyCredential(c)}, touch(c, at(2)),
	}})
	update := store.UpdateCredential{Credential: copyCredential(c)}
	c.Revision = 3
	e.apply(update, touch(c, at(2)))
	c.Seen = at(2)
	e.everywhere("after an update", c)
}

func touchInactive(e *env) {
	space := e.space()
	for _, state := range []store.State{
		store.StateSuspended, store.StateRedeemed, store.StateReplaced, store.StateRevoked,
	} {
		c := e.session(space.ID)
		c.State = state
		update := store.UpdateCredential{Credential: copyCredential(c)}
		c.Revision++
		e.refused(string(state)+" in the same change", 1, store.Change{Steps: []store.Step{update, touch(c, at(1))}})
		e.apply(update)
		e.refused(string(state), 0, one(touch(c, at(1))))
		if state.Final() {
			continue
		}
		c.State = store.StateActive
		e.apply(store.UpdateCredential{Credential: copyCredential(c)})
		c.Revision++
		e.apply(touch(c, at(1)))
	}
}

func touchAgain(e *env) {
	space := e.space()
	for _, seen := range append(instants, at(1)) {
		c := e.session(space.ID)
		e.apply(touch(c, seen))
		c.Seen = seen
		for _, was := range append(instants, seen.Add(-time.Millisecond), seen.Add(time.Millisecond), at(2)) {
			stale := c
			stale.Seen = was
			if !was.Equal(seen) {
				e.conflicts("Was is "+was.String()+" and Seen "+seen.String(), touch(stale, at(2)))
			}
		}
		e.refused("one Was twice", 1, store.Change{Steps: []store.Step{touch(c, at(3)), touch(c, at(4))}})
		e.apply(touch(c, at(3)))
		c.Seen = at(3)
		e.apply(touch(c, at(3)), touch(c, at(2))) // to what it is, and on
	}
	zone := e.session(space.ID)
	e.apply(touch(zone, at(1)))
	zone.Seen = at(1).In(time.FixedZone("CET", 3600)) // the same instant
	e.apply(touch(zone, at(2)))
}

func updateSession(e *env) {
	space := e.space()
	c := e.session(space.ID)
	e.apply(touch(c, at(5)))
	idle := c.Idle
	for _, seen := range []time.Time{{}, at(1), at(5), at(9)} {
		for _, other := range []time.Duration{0, time.Minute, 99 * time.Hour} {
			c.Seen, c.Idle, c.Name = seen, other, c.Name+"+"
			e.apply(store.UpdateCredential{Credential: copyCredential(c)})
			c.Revision++
			c.Seen, c.Idle = at(5), idle
			e.everywhere("after an update", c)
		}
	}
	c.Seen, c.State = time.Time{}, store.StateReplaced
	e.apply(store.UpdateCredential{Credential: copyCredential(c)})
	c.Revision++
	c.Seen = at(5)
	e.everywhere("after its end", c)
}
