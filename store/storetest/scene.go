package storetest

import (
	"slices"

	"github.com/keyfob-dev/keyfob/store"
)

// A scene is a store with something in it, a step of each type that can be
// applied to it, in any company, and one of each that cannot. SetMark and
// RaiseMark do not go together; the first is only among those that cannot.
type scene struct {
	good, bad []store.Step
	events    []store.Event
}

// newScene makes a scene in a store that no other check has, for some of its
// steps concern all spaces.
func (e *env) newScene() scene {
	e.Helper()
	if !e.alone {
		e.Fatal("a scene in a store of several checks")
	}
	here, there := e.space(), e.space()
	item, old := e.rotate(e.issue(here.ID)), e.issue(here.ID)
	issued, change := e.newIssue(there.ID)
	taken := e.newSetting()
	e.apply(taken)

	updated := copyCredential(item.Credential)
	updated.Name, updated.State = "another", store.StateRevoked
	stale := copyCredential(old.Credential)
	stale.Revision++
	end := store.EndVersion{Space: here.ID, ID: item.Versions[1].ID, Was: item.Versions[1].Ends, Ends: e.now()}
	prefix := here
	prefix.Prefix = "globex"
	used, gone := e.limited(here.ID, 1), e.rotate(e.issue(here.ID)).Credential
	record := store.RecordUse{Space: here.ID, Version: gone.Current, Address: "192.0.2.1", First: at(1), Last: at(2)}
	e.apply(record, store.RaiseMark{To: at(1)})
	record.Version = old.Credential.Current
	events := e.allEvents(here.ID)
	e.mustEqual("number of events", len(events), 6)
	e.apply(e.newSeals(here.ID, 0, events[1].Number))
	tooOften := use(old.Credential)
	tooOften.Revision++
	good, bad := e.sceneOfCodes(here, there)
	goodOnes, badOnes := e.sceneOfSessions(here)
	good, bad = append(good, goodOnes...), append(bad, badOnes...)
	return scene{
		good: append(append(change.Steps, good...),
			store.CreateSpace{Space: e.newSpace()},
			store.UpdateSpace{Space: prefix},
			store.UpdateCredential{Credential: updated},
			store.CreateVersion{Version: e.newVersion(old.Credential, 2)},
			end,
			e.newSetting(),
			use(used),
			store.DeleteCredential{Space: here.ID, ID: gone.ID, Revision: gone.Revision},
			record,
			e.newSeals(here.ID, 1, events[0].Number, events[3].Number),
			store.RaiseMark{To: at(2)},
		),
		bad: append(bad,
			store.CreateSpace{Space: there},
			store.UpdateSpace{Space: e.newSpace()},
			store.CreateCredential{Credential: old.Credential},
			store.UpdateCredential{Credential: stale},
			store.CreateVersion{Version: old.Versions[0]},
			store.EndVersion{Space: there.ID, ID: item.Versions[1].ID, Was: item.Versions[1].Ends},
			taken,
			tooOften,
			store.DeleteCredential{Space: there.ID, ID: old.Credential.ID, Revision: 1},
			e.newSeals(here.ID, 0, events[2].Number),
			e.newSeals(here.ID, 1, events[2].Number, events[1].Number),
			store.SetMark{Was: at(0), To: at(9)},
		),
		events: append(change.Events, e.newEvent(updated), e.newEvent(issued.Credential)),
	}
}

// sceneOfCodes makes the steps of a scene that are about time steps, live
// credentials, budgets and replays.
func (e *env) sceneOfCodes(here, there store.Space) (good, bad []store.Step) {
	e.Helper()
	totp := e.newCredential(here.ID) // whose NextStep is 4
	e.apply(store.CreateCredential{Credential: copyCredential(totp)})
	c, ids := e.live(here.ID, 3)
	slices.Sort(ids)
	slices.Reverse(ids) // which a store must leave so
	counted, cleared, expired := e.write(e.newBudget(here.ID)), e.write(e.newBudget(there.ID)), e.newBudget(there.ID)
	expired.Expires = at(-1)
	e.write(expired)
	taken, stale := cleared, counted
	taken.Revision, stale.Revision = 0, 7
	counted.Guesses++
	old, replay := e.newReplay(there.ID), e.newReplay(here.ID)
	old.Expires = at(-1)
	e.apply(store.CreateReplay{Replay: old}, store.CreateReplay{Replay: replay})
	good = []store.Step{
		claim(totp, 4),
		require(c, ids...),
		store.WriteBudget{Budget: counted},
		store.WriteBudget{Budget: e.newBudget(here.ID)},
		store.ClearBudget{Space: there.ID, Name: cleared.Name},
		store.DeleteBudgets{Until: at(0)},
		store.CreateReplay{Replay: e.newReplay(there.ID)},
		store.DeleteReplays{Until: at(0)},
	}
	bad = []store.Step{
		claim(totp, 3),
		require(c, ids[1:]...),
		store.WriteBudget{Budget: taken},
		store.WriteBudget{Budget: stale},
		store.CreateReplay{Replay: replay},
	}
	return good, bad
}

// sceneOfSessions makes the steps of a scene that are about sessions.
func (e *env) sceneOfSessions(here store.Space) (good, bad []store.Step) {
	e.Helper()
	c, over, gone := e.session(here.ID), e.session(here.ID), e.session(here.ID)
	e.apply(touch(c, at(1)), revoke(over, "over", at(5)))
	stale := touch(c, at(2))
	c.Seen = at(1)
	return []store.Step{
			touch(c, at(2)),
			revoke(gone, "gone", at(3)),
			unrevoked(over, at(6)),
		}, []store.Step{
			stale,
			touch(over, at(2)),
			unrevoked(over, at(5)),
		}
}

// seeSessionStep sees that a good step of sceneOfSessions has been carried out.
func (e *env) seeSessionStep(step store.Step) {
	e.Helper()
	switch step := step.(type) {
	case store.TouchCredential:
		e.equal("Seen", e.credential(step.Space, step.ID).Credential.Seen, step.At)
	case store.RevokeSubject:
		of := e.credentials(store.Query{Space: step.Space, Subject: step.Subject, Limit: 1})[0].Credential
		e.equal("the credential of the subject", of, revoked(of, step))
		e.refused("a condition", 0, one(unrevoked(of, step.At)))
	}
}

// seeCodeStep sees that a good step of sceneOfCodes has been carried out.
func (e *env) seeCodeStep(step store.Step) {
	e.Helper()
	switch step := step.(type) {
	case store.ClaimStep:
		e.equal("NextStep", e.credential(step.Space, step.ID).Credential.NextStep, step.Step+1)
	case store.WriteBudget:
		step.Budget.Revision++
		e.equal("the budget", e.budget(step.Budget.Space, step.Budget.Name), step.Budget)
	case store.ClearBudget:
		e.equal("Consecutive", e.budget(step.Space, step.Name).Consecutive, int64(0))
	}
}
