package storetest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyfob-dev/keyfob/store"
)

// atomicityChecks are the sentences of the paragraph Atomicity.
var atomicityChecks = group{"Atomicity", []check{
	{"all steps and events of a change", wholeChange},
	{"nothing remains of a change whose condition does not hold", nothingRemains},
	{"nothing remains of the writes that a refused change made twice", nothingRemainsTwice},
	{"a step sees what the steps before it wrote", stepsSee},
	{"a condition sees what the steps before it wrote", conditionsSee},
	{"the ConflictError names the first step whose condition does not hold", firstConflict},
	{"a change of events only, and one of nothing", noSteps},
	{"the steps of package store are the only ones", unknownSteps},
	{"many steps in one change", manySteps},
}}

func wholeChange(e *env) {
	e = e.with(e.open())
	s := e.newScene()
	before := e.snapshot()
	e.applyChange(store.Change{Steps: s.good, Events: s.events})
	after := e.snapshot()
	var space store.Space
	var c store.Credential
	for _, step := range s.good {
		switch step := step.(type) {
		case store.CreateSpace:
			e.equal("the new space", e.spaceNamed(step.Space.Name), step.Space)
		case store.UpdateSpace:
			space = e.spaceNamed(step.Space.Name)
			e.equal("the prefix of the space", space.Prefix, step.Space.Prefix)
		case store.CreateCredential:
			c = step.Credential
			e.equal("the new credential", e.credential(c.Space, c.ID).Credential, c)
		case store.UpdateCredential:
			got := e.credential(step.Credential.Space, step.Credential.ID).Credential
			e.equal("the name of the credential", got.Name, step.Credential.Name)
		case store.CreateVersion:
			e.equal("the new version", e.version(step.Version.Space, step.Version.ID).Version, step.Version)
		case store.EndVersion:
			e.equal("the end of the version", e.version(step.Space, step.ID).Version.Ends, step.Ends)
		case store.CreateSetting:
			e.equal("the new setting", e.setting(step.Name), step.Value)
		case store.UseCredential:
			e.equal("Used", e.credential(step.Space, step.ID).Credential.Used, int64(1))
		case store.DeleteCredential:
			e.missing(step.Space, step.ID)
		case store.RecordUse:
			e.equal("LastUsed", e.version(step.Space, step.Version).Version.LastUsed, step.Last)
			e.equal("the use", e.uses(step.Space, step.Version), []store.Use{used("192.0.2.1", 1, 2)})
		case store.SealEvents:
			e.equal("the head", e.head(step.Space), store.Head{Seq: 3, Link: step.Seals[1].Link})
		case store.RaiseMark:
			e.equal("the mark", e.mark(), step.To)
		case store.CreateReplay:
			e.equal("the new replay", e.replay(step.Replay.Space, step.Replay.Name), step.Replay)
		default:
			e.seeCodeStep(step)
			e.seeSessionStep(step)
		}
	}
	e.equal("the new events of a space", numberless(last(e.allEvents(space.ID), 1)), s.events[1:2])
	e.equal("the events of the other", numberless(e.allEvents(c.Space)), []store.Event{s.events[0], s.events[2]})
	if len(before) != len(after) || cmp.Equal(before, after) {
		e.Errorf("the change did nothing")
	}
}

// last returns the last n events.
func last(events []store.Event, n int) []store.Event {
	return events[max(0, len(events)-n):]
}

func nothingRemains(e *env) {
	e = e.with(e.open())
	s := e.newScene()
	before := e.snapshot()
	for i, bad := range s.bad {
		for at := range len(s.good) + 1 {
			if i > 0 && at%6 != i%6 { // each bad step at some places, the first at all
				continue
			}
			change := store.Change{Steps: slices.Insert(slices.Clone(s.good), at, bad), Events: s.events}
			what := fmt.Sprintf("%T at step %d", bad, at)
			if problem := notConflict(e.store.Apply(background, change), at); problem != "" {
				e.Errorf("%s: Apply: %s", what, problem)
			}
			e.mustEqual(what+": what the refused change left", e.snapshot(), before)
		}
	}
	c := s.good[0].(store.CreateCredential).Credential
	for what, query := range map[string]store.Query{
		"space": {}, "subject": {Subject: c.Subject}, "kind": {Kind: c.Kind}, "state": {States: []store.State{c.State}},
	} {
		query.Space, query.Limit = c.Space, 1
		e.equal("credentials by "+what, len(e.credentials(query)), 0)
	}
	e.applyChange(store.Change{Steps: s.good, Events: s.events}) // none of it is taken
}

func nothingRemainsTwice(e *env) {
	e = e.with(e.open())
	space := e.space()
	item := e.rotate(e.issue(space.ID))
	c, old := item.Credential, item.Versions[1]
	first, second := copyCredential(c), copyCredential(c)
	first.Name, first.Scopes = "first", nil
	second.Name, second.Attributes = "second", map[string]string{"second": "one"}
	second.Revision++
	prefix := space
	prefix.Prefix, prefix.Revision = "second", 2
	gone := e.limited(space.ID, 3)
	record := store.RecordUse{Space: space.ID, Version: gone.Current, Address: "192.0.2.1", First: at(1), Last: at(2)}
	replay := e.newReplay(space.ID)
	expired := replay
	expired.Expires = at(-1)
	code, budget := e.totp(space.ID), e.newBudget(space.ID)
	session, over := e.session(space.ID), e.session(space.ID)
	seen, again := session, e.alike(over)
	seen.Seen = at(1)
	counted := budget
	counted.Guesses, counted.Revision = counted.Guesses+1, 1
	e.apply(store.RecordUse{Space: space.ID, Version: gone.Current, Address: "192.0.2.1", First: at(2), Last: at(2)})
	record.Last = at(3)
	events := e.allEvents(space.ID)
	steps := []store.Step{
		use(gone), use(gone), record, record,
		e.newSeals(space.ID, 0, events[0].Number), e.newSeals(space.ID, 1, events[1].Number),
		store.RaiseMark{To: at(1)}, store.SetMark{Was: at(1), To: at(0)}, store.SetMark{Was: at(0)},
		store.CreateReplay{Replay: expired}, store.DeleteReplays{Until: at(-1)}, store.CreateReplay{Replay: replay},
		claim(code, 1), claim(code, 2), store.UpdateCredential{Credential: code},
		store.WriteBudget{Budget: budget}, store.WriteBudget{Budget: counted}, store.ClearBudget{Space: space.ID, Name: budget.Name},
		touch(session, at(1)), touch(seen, at(2)), unrevoked(over, at(1)),
		revoke(over, "first", at(1)), store.CreateCredential{Credential: again}, revoke(over, "second", at(2)), require(over),
		store.DeleteBudgets{Until: at(1000)}, store.WriteBudget{Budget: budget}, require(code, code.ID),
		store.DeleteCredential{Space: space.ID, ID: gone.ID, Revision: 1},
		store.CreateCredential{Credential: gone},
		store.DeleteCredential{Space: space.ID, ID: gone.ID, Revision: 1},
		store.UpdateCredential{Credential: first},
		store.UpdateCredential{Credential: second},
		store.EndVersion{Space: space.ID, ID: old.ID, Was: old.Ends},
		store.EndVersion{Space: space.ID, ID: old.ID, Ends: e.now()},
		store.UpdateSpace{Space: space},
		store.UpdateSpace{Space: prefix},
		store.CreateSpace{Space: space},
	}
	e.refused("everything twice", len(steps)-1, store.Change{Steps: steps, Events: []store.Event{e.newEvent(c)}})
	e.apply(steps[:len(steps)-1]...)
}

func stepsSee(e *env) {
	space := e.newSpace()
	item, issue := e.newIssue(space.ID)
	rotated, rotation := e.newRotation(item)
	again, rotation2 := e.newRotation(rotated)
	setting := e.newSetting()
	updated := space
	updated.Prefix = "globex"
	twice := updated
	twice.Prefix, twice.Revision = "initech", 2
	revoked := copyCredential(again.Credential)
	revoked.State = store.StateRevoked
	newest := again.Versions[0]
	ends := []time.Time{e.now(), {}, e.now()}

	steps := []store.Step{
		setting,
		store.CreateSpace{Space: space}, store.UpdateSpace{Space: updated}, store.UpdateSpace{Space: twice},
	}
	steps = append(steps, issue.Steps...)
	steps = append(steps, rotation.Steps...)
	steps = append(steps, rotation2.Steps...)
	steps = append(steps,
		use(revoked),
		store.RecordUse{Space: space.ID, Version: newest.ID, First: at(1), Last: at(2)},
		store.UpdateCredential{Credential: copyCredential(revoked)},
		store.EndVersion{Space: space.ID, ID: newest.ID, Ends: ends[0]},
		store.EndVersion{Space: space.ID, ID: newest.ID, Was: ends[0], Ends: ends[1]},
		store.EndVersion{Space: space.ID, ID: newest.ID, Was: ends[1], Ends: ends[2]},
	)
	events := slices.Concat(issue.Events, rotation.Events, rotation2.Events)
	e.applyChange(store.Change{Steps: steps, Events: events})

	revoked.Revision++
	again.Credential = revoked
	again.Versions[0].Ends = ends[2]
	again.Versions[0].FirstUsed, again.Versions[0].LastUsed = at(1), at(2)
	again.Credential.Used++
	twice.Revision++
	e.equal("the space", e.spaceNamed(space.Name), twice)
	e.equal("the credential", e.credential(space.ID, revoked.ID), again)
	e.equal("the first version", e.version(space.ID, item.Versions[0].ID).Version, rotated.Versions[1])
	e.equal("the events", numberless(e.allEvents(space.ID)), events)
}

func conditionsSee(e *env) {
	space := e.space()
	item := e.issue(space.ID)
	c, v := item.Credential, item.Versions[0]
	revoked, after := copyCredential(c), copyCredential(c)
	revoked.State = store.StateRevoked
	after.Revision++
	created, change := e.newIssue(space.ID)
	sameNumber := e.newVersion(created.Credential, 1)
	newSpace, sameName := e.newSpace(), e.newSpace()
	sameName.Name = newSpace.Name
	setting := e.newSetting()
	end := store.EndVersion{Space: space.ID, ID: v.ID, Ends: e.now()}
	for _, test := range []struct {
		what     string
		conflict int
		steps    []store.Step
	}{
		{"the same space again", 1, []store.Step{store.CreateSpace{Space: newSpace}, store.CreateSpace{Space: newSpace}}},
		{"the same name again", 1, []store.Step{store.CreateSpace{Space: newSpace}, store.CreateSpace{Space: sameName}}},
		{"the same revision of a space", 1, []store.Step{store.UpdateSpace{Space: space}, store.UpdateSpace{Space: space}}},
		{"the same credential again", 1, []store.Step{change.Steps[0], change.Steps[0]}},
		{"the same revision", 1, []store.Step{
			store.UpdateCredential{Credential: c}, store.UpdateCredential{Credential: c},
		}},
		{"after a final state", 1, []store.Step{
			store.UpdateCredential{Credential: revoked}, store.UpdateCredential{Credential: after},
		}},
		{"the same version again", 2, append(change.Steps[:2:2], change.Steps[1])},
		{"the same number again", 2, append(change.Steps[:2:2], store.CreateVersion{Version: sameNumber})},
		{"the same end again", 1, []store.Step{end, end}},
		{"the same setting again", 1, []store.Step{setting, setting}},
		{"a version before its credential", 0, []store.Step{change.Steps[1], change.Steps[0]}},
		{"an update before the credential", 0, []store.Step{
			store.UpdateCredential{Credential: created.Credential}, change.Steps[0],
		}},
	} {
		e.refused(test.what, test.conflict, store.Change{Steps: test.steps})
	}
}

func firstConflict(e *env) {
	e = e.with(e.open())
	s := e.newScene()
	for i := range s.bad {
		other := s.bad[(i+1)%len(s.bad)]
		e.refused("two conflicts", 1, store.Change{
			Steps: []store.Step{s.good[0], s.bad[i], s.good[1], other}, Events: s.events,
		})
	}
}

func noSteps(e *env) {
	space := e.space()
	c := e.issue(space.ID).Credential
	events := []store.Event{e.newEvent(c), e.newEvent(c)}
	e.applyChange(store.Change{Events: copyEvents(events)})
	e.equal("the events", numberless(last(e.allEvents(space.ID), 2)), events)
	before := e.snapshot()
	e.applyChange(store.Change{})
	e.applyChange(store.Change{Steps: []store.Step{}, Events: []store.Event{}})
	e.equal("after changes of nothing", e.snapshot(), before)
}

func unknownSteps(e *env) {
	space := e.newSpace()
	setting := e.newSetting()
	for _, unknown := range []store.Step{
		nil,
		struct{ store.Step }{},
		struct{ store.Step }{setting},
		&store.CreateSpace{Space: space},
		(*store.CreateSpace)(nil),
	} {
		before := e.snapshot()
		err := e.store.Apply(background, store.Change{Steps: []store.Step{store.CreateSpace{Space: space}, unknown}})
		if err == nil || errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrNotFound) {
			e.Errorf("Apply of a step of type %T: %v; want an error that is none of a condition", unknown, err)
		}
		e.equal(fmt.Sprintf("after a step of type %T", unknown), e.snapshot(), before)
	}
}

func manySteps(e *env) {
	const n = 300
	space := e.space()
	var steps []store.Step
	var events []store.Event
	for range n {
		_, change := e.newIssue(space.ID)
		steps = append(steps, change.Steps...)
		events = append(events, change.Events...)
	}
	// The last credential again, at the end.
	change := store.Change{Steps: append(slices.Clone(steps), steps[2*n-2]), Events: events}
	if problem := notConflict(e.store.Apply(background, change), 2*n); problem != "" {
		e.Errorf("Apply: %s", problem)
	}
	query := store.Query{Space: space.ID, Limit: everything}
	e.equal("credentials after a refused change", len(e.credentials(query)), 0)
	e.applyChange(store.Change{Steps: steps, Events: events})
	e.equal("number of credentials", len(e.credentials(query)), n)
	e.equal("the events", numberless(e.allEvents(space.ID)), events)
}
