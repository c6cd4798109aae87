package storetest

import (
	"fmt"
	"slices"

	"github.com/keyfob-dev/keyfob/store"
)

// liveChecks are the sentences of the step that requires which credentials are
// live.
var liveChecks = group{"Live", []check{
	{"RequireLive writes nothing", requireLive},
	{"RequireLive: those of IDs are live", requireMissing},
	{"RequireLive: no others are live", requireExtra},
	{"RequireLive: what is suspended is live, what is final is not", requireStates},
	{"RequireLive is about one space, kind, subject and purpose", requireOthers},
	{"RequireLive sees the steps before it", requireSees},
}}

// kinds are all of them.
var kinds = []store.Kind{
	store.KindAPIKey, store.KindSession, store.KindLink, store.KindCode, store.KindTOTP, store.KindRecovery,
}

// conflicts sees that a step is refused, but not that it left nothing.
func (e *env) conflicts(what string, step store.Step) {
	e.Helper()
	if problem := notConflict(e.store.Apply(background, one(step)), 0); problem != "" {
		e.Errorf("%s: Apply: %s", what, problem)
	}
}

// require makes the step that requires the live credentials of the space, kind,
// subject and purpose of a credential.
func require(c store.Credential, ids ...string) store.RequireLive {
	return store.RequireLive{Space: c.Space, Kind: c.Kind, Subject: c.Subject, Purpose: c.Purpose, IDs: ids}
}

// alike makes a credential of the space, kind, subject and purpose of another.
func (e *env) alike(c store.Credential) store.Credential {
	next := e.newCredential(c.Space)
	next.Kind, next.Subject, next.Purpose = c.Kind, c.Subject, c.Purpose
	return next
}

// live creates n credentials that are alike, and returns one of them and the ids
// of all.
func (e *env) live(space string, n int) (store.Credential, []string) {
	e.Helper()
	c := e.newCredential(space)
	c.Kind = store.KindCode
	var ids []string
	var steps []store.Step
	for range n {
		c = e.alike(c)
		ids = append(ids, c.ID)
		steps = append(steps, store.CreateCredential{Credential: copyCredential(c)})
	}
	e.apply(steps...)
	return c, ids
}

func requireLive(e *env) {
	space := e.space()
	nobody := e.newCredential(space.ID)
	c, ids := e.live(space.ID, 3)
	many, all := e.live(space.ID, 100)
	before := e.snapshot()
	e.apply(require(nobody), store.RequireLive{Space: space.ID, Kind: store.KindCode, Subject: "nobody", IDs: []string{}})
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {0, 2, 1}} {
		given := []string{ids[order[0]], ids[order[1]], ids[order[2]]}
		step := require(c, slices.Clone(given)...)
		e.apply(step, step)
		e.equal("IDs that were passed", step.IDs, given)
	}
	slices.Sort(all)
	e.apply(require(many, all...))
	slices.Reverse(all)
	e.apply(require(many, all...))
	e.mustEqual("what is stored", e.snapshot(), before)

	update := copyCredential(c)
	update.Name = "among others"
	event := e.newEvent(c)
	e.applyChange(store.Change{
		Steps:  []store.Step{require(c, ids...), store.UpdateCredential{Credential: update}, require(c, ids...)},
		Events: []store.Event{copyEvent(event)},
	})
	update.Revision++
	e.equal("the credential", e.credential(space.ID, c.ID).Credential, update)
	e.equal("the events", numberless(e.allEvents(space.ID)), []store.Event{event})
}

func requireMissing(e *env) {
	here, there := e.space(), e.space()
	c, ids := e.live(here.ID, 2)
	item := e.issue(here.ID)
	foreign := e.alike(c)
	foreign.Space = there.ID
	e.apply(store.CreateCredential{Credential: copyCredential(foreign)})
	for what, id := range map[string]string{
		"nobody's id": e.id(), "no id": "", "an id in another case": swapCase(ids[0]), "a part of an id": ids[0][1:],
		"the id of a credential of another subject": item.Credential.ID, "the id of a version": item.Versions[0].ID,
		"the id of a credential of another space": foreign.ID,
	} {
		e.refused(what+" besides", 0, one(require(c, ids[0], ids[1], id)))
		e.refused(what+" first", 0, one(require(c, id, ids[0], ids[1])))
		e.refused(what+" instead", 0, one(require(c, ids[0], id)))
		e.refused(what+" alone", 0, one(require(c, id)))
		e.refused(what+" where none is live", 0, one(require(e.newCredential(here.ID), id)))
	}
	e.apply(require(c, ids...), require(foreign, foreign.ID))
}

func requireExtra(e *env) {
	space := e.space()
	c, ids := e.live(space.ID, 3)
	for _, given := range [][]string{nil, {}, ids[:1], ids[1:2], ids[2:], ids[:2], ids[1:], {ids[0], ids[2]}} {
		e.refused(fmt.Sprintf("%d of 3", len(given)), 0, one(require(c, given...)))
	}
	many, all := e.live(space.ID, 40)
	for i := range all {
		fewer := slices.Delete(slices.Clone(all), i, i+1)
		e.conflicts(fmt.Sprintf("all but the one of %d", i), require(many, fewer...))
	}
	e.refused("39 of 40 after two steps", 2, store.Change{
		Steps: []store.Step{
			require(c, ids...), store.UpdateCredential{Credential: c}, require(many, all[1:]...), require(c),
		},
		Events: []store.Event{e.newEvent(c)},
	})
}

func requireStates(e *env) {
	space := e.space()
	for _, kind := range kinds { // storage may think of some as soon final
		for _, state := range []store.State{
			store.StateActive, store.StateSuspended, store.StateRedeemed, store.StateReplaced, store.StateRevoked,
		} {
			for _, created := range []bool{true, false} {
				c := e.newCredential(space.ID)
				c.Kind = kind
				update := copyCredential(c)
				update.State = state
				if created {
					c.State = state
				}
				e.apply(store.CreateCredential{Credential: copyCredential(c)})
				if !created {
					e.apply(store.UpdateCredential{Credential: update})
				}
				other := e.alike(c)
				with, without := []string{c.ID}, []string(nil)
				withOther, withoutOther := []string{other.ID, c.ID}, []string{other.ID}
				if state.Final() {
					with, without = without, with
					withOther, withoutOther = withoutOther, withOther
				}
				what := fmt.Sprintf("%s, %s", kind, state)
				e.apply(require(c, with...))
				e.conflicts(what, require(c, without...))
				e.apply(store.CreateCredential{Credential: copyCredential(other)})
				e.apply(require(c, withOther...))
				e.conflicts(what+" beside another", require(c, withoutOther...))
				e.conflicts(what+" and another", require(c, with...))
			}
		}
	}
}

// requireOthers has one credential of each of many spaces, kinds, subjects and
// purposes, of which no two may be taken for one.
func requireOthers(e *env) {
	here, there := e.space(), e.space()
	var all []store.Credential
	var steps []store.Step
	for _, space := range []string{here.ID, there.ID} {
		for _, kind := range []store.Kind{store.KindCode, store.KindSession} {
			for _, subject := range []string{"alice", "Alice", "alice ", "ali%", ""} {
				for _, purpose := range []string{"login", "Login", "logi", "login,login", "_____", ""} {
					c := e.newCredential(space)
					c.Kind, c.Subject, c.Purpose = kind, subject, purpose
					steps = append(steps, store.CreateCredential{Credential: copyCredential(c)})
					all = append(all, c)
				}
			}
		}
	}
	e.apply(steps...)
	steps = nil
	for i, c := range all {
		steps = append(steps, require(c, c.ID))
		for _, ids := range [][]string{nil, {all[(i+1)%len(all)].ID}, {c.ID, all[(i+1)%len(all)].ID}} {
			e.conflicts(fmt.Sprintf("%d others of %q for %q", len(ids), c.Subject, c.Purpose), require(c, ids...))
		}
	}
	e.apply(steps...)
	for _, c := range []store.Credential{
		{Space: here.ID, Kind: store.KindCode, Subject: "bob"},
		{Space: here.ID, Kind: store.KindCode, Subject: "alice", Purpose: "reset"},
		{Space: here.ID, Kind: store.KindTOTP, Subject: "alice", Purpose: "login"},
		{Space: here.ID, Kind: "CODE", Subject: "alice", Purpose: "login"},
		{Space: here.ID, Subject: "alice", Purpose: "login"}, // no kind is a kind that none has
		{Space: here.Name, Kind: store.KindCode, Subject: "alice", Purpose: "login"},
		{Kind: store.KindCode, Subject: "alice", Purpose: "login"},
		{},
	} {
		e.apply(require(c))
		e.conflicts("where there is none", require(c, all[0].ID))
	}
}

func requireSees(e *env) {
	space := e.space()
	with := func(c store.Credential, state store.State) store.UpdateCredential {
		c = copyCredential(c)
		c.State = state
		return store.UpdateCredential{Credential: c}
	}
	for _, test := range []struct {
		what string
		step func(c store.Credential) store.Step
		live bool // whether it is after the step
	}{
		{"suspended", func(c store.Credential) store.Step { return with(c, store.StateSuspended) }, true},
		{"redeemed", func(c store.Credential) store.Step { return with(c, store.StateRedeemed) }, false},
		{"replaced", func(c store.Credential) store.Step { return with(c, store.StateReplaced) }, false},
		{"revoked", func(c store.Credential) store.Step { return with(c, store.StateRevoked) }, false},
		{"deleted", func(c store.Credential) store.Step {
			return store.DeleteCredential{Space: c.Space, ID: c.ID, Revision: c.Revision}
		}, false},
	} {
		c, ids := e.live(space.ID, 2)
		after := ids[:1]
		if test.live {
			after = ids
		}
		step, created := test.step(c), e.alike(c)
		e.refused(test.what+": as before", 1, store.Change{Steps: []store.Step{step, require(c, slices.Concat(after, []string{e.id()})...)}})
		if !test.live {
			e.refused(test.what+": with it", 1, store.Change{Steps: []store.Step{step, require(c, ids...)}})
		}
		create := store.CreateCredential{Credential: copyCredential(created)}
		e.refused(test.what+": without a new one", 3, store.Change{Steps: []store.Step{step, require(c, after...), create, require(c, after...)}})
		e.apply(require(c, ids...), step, require(c, after...), create, require(c, slices.Concat(after, []string{created.ID})...))
	}
}
