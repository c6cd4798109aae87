package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// useChecks are the sentences of the steps that use a credential or one of its
// time steps, record that, and remove it.
var useChecks = group{"Uses", []check{
	{"UseCredential adds 1 to Used, and leaves the revision as it is", useCredential},
	{"UseCredential: the credential is there, in the same space", useElsewhere},
	{"UseCredential: its stored revision is Revision", useStale},
	{"UseCredential: its stored Used is lower than its stored Uses", useUp},
	{"UseCredential: its stored state is not final", useFinal},
	{"UpdateCredential leaves Used as it is", updateUsed},
	{"ClaimStep makes Step + 1 NextStep, and leaves the revision as it is", claimStep},
	{"ClaimStep: the credential is there, in the same space", claimElsewhere},
	{"ClaimStep: its stored revision is Revision", claimStale},
	{"ClaimStep: its stored state is active", claimInactive},
	{"ClaimStep: its stored NextStep is Step or lower", claimAgain},
	{"UpdateCredential leaves NextStep as it is", updateNextStep},
	{"RecordUse moves FirstUsed back and LastUsed on", recordVersion},
	{"RecordUse does so for each address", recordAddress},
	{"RecordUse keeps the addresses that were used last", recordMost},
	{"RecordUse of a version that is not in the space is passed over", recordElsewhere},
	{"RecordUse changes no revision", recordRevision},
	{"Uses returns none of a version that is not there", usesMissing},
	{"DeleteCredential removes a credential, its versions and their uses", deleteCredential},
	{"DeleteCredential: the credential is there, in the same space", deleteElsewhere},
	{"DeleteCredential: its stored revision is Revision", deleteStale},
	{"after DeleteCredential the ids are free", deleteFrees},
}}

// limited creates a credential that may be used so often.
func (e *env) limited(space string, uses int64) store.Credential {
	e.Helper()
	item, change := e.newIssue(space)
	c := &item.Credential
	c.Uses, c.Used = uses, 0
	change.Steps[0] = store.CreateCredential{Credential: copyCredential(*c)}
	e.applyChange(change)
	return *c
}

// use makes the step that uses a credential.
func use(c store.Credential) store.UseCredential {
	return store.UseCredential{Space: c.Space, ID: c.ID, Revision: c.Revision}
}

// one makes a change of one step.
func one(step store.Step) store.Change { return store.Change{Steps: []store.Step{step}} }

func useCredential(e *env) {
	space := e.space()
	other := e.issue(space.ID)
	for _, state := range []store.State{store.StateActive, store.StateSuspended} {
		c := e.limited(space.ID, 3)
		c.State = state
		e.apply(store.UpdateCredential{Credential: copyCredential(c)})
		c.Revision++
		for range 3 {
			e.apply(use(c))
			c.Used++
			e.equal("Credential", e.credential(space.ID, c.ID).Credential, c)
			e.equal("Version", e.version(space.ID, c.Current).Credential, c)
			e.equal("Credentials", e.credentials(store.Query{Space: space.ID, Limit: 1})[0].Credential, c)
		}
	}
	e.equal("another credential", e.credential(space.ID, other.Credential.ID), other)
}

func useElsewhere(e *env) {
	here, there := e.space(), e.space()
	c := e.limited(here.ID, 3)
	e.refused("a credential that is not there", 0, one(use(e.newCredential(here.ID))))
	for _, space := range []string{there.ID, here.Name, e.newSpace().ID, ""} {
		e.refused("another space", 0, one(store.UseCredential{Space: space, ID: c.ID, Revision: 1}))
	}
	e.refused("the id of a version", 0, one(store.UseCredential{Space: here.ID, ID: c.Current, Revision: 1}))
}

func useStale(e *env) {
	space := e.space()
	c := e.limited(space.ID, 9)
	e.apply(use(c), store.UpdateCredential{Credential: c}) // to revision 2
	for _, revision := range []int64{-1, 0, 1, 3} {
		e.refused("a wrong revision", 0, one(store.UseCredential{Space: space.ID, ID: c.ID, Revision: revision}))
	}
	e.apply(store.UseCredential{Space: space.ID, ID: c.ID, Revision: 2})
}

func useUp(e *env) {
	space := e.space()
	for _, uses := range []int64{-1, 0, 1, 3} {
		c := e.limited(space.ID, uses)
		for range uses {
			e.apply(use(c))
		}
		e.refused(fmt.Sprintf("once more than %d times", uses), 0, one(use(c)))
	}
	c := e.limited(space.ID, 2)
	e.refused("three times in one change", 2, store.Change{Steps: []store.Step{use(c), use(c), use(c)}})
	e.apply(use(c), use(c))
	for _, test := range []struct {
		uses int64
		more bool
	}{{3, true}, {2, false}, {0, false}, {4, true}} { // Used is 2, and then 3
		c.Uses = test.uses
		e.apply(store.UpdateCredential{Credential: copyCredential(c)})
		c.Revision++
		if test.more {
			e.apply(use(c))
		} else {
			e.refused(fmt.Sprintf("after Uses was set to %d", test.uses), 0, one(use(c)))
		}
	}
	e.equal("Used", e.credential(space.ID, c.ID).Credential.Used, int64(4))
}

func updateUsed(e *env) {
	space := e.space()
	c := e.limited(space.ID, 5)
	e.apply(use(c), use(c))
	for _, used := range []int64{0, 1, 5, 7} {
		c.Used = used
		e.apply(store.UpdateCredential{Credential: copyCredential(c)})
		c.Revision++
		c.Used = 2
		e.equal("the credential", e.credential(space.ID, c.ID).Credential, c)
	}
}

// at is a time some hours after the start.
func at(hours int) time.Time { return start.Add(time.Duration(hours) * time.Hour) }

// used makes a Use, with times in hours after the start.
func used(address string, first, last int) store.Use {
	return store.Use{Address: address, First: at(first), Last: at(last)}
}

func recordVersion(e *env) {
	space := e.space()
	item := e.rotate(e.issue(space.ID))
	v := item.Versions[0]
	for _, u := range []struct{ first, last, wantFirst, wantLast int }{
		{5, 6, 5, 6}, {5, 6, 5, 6}, {7, 8, 5, 8}, {6, 7, 5, 8}, {3, 4, 3, 8}, {1, 9, 1, 9}, {-9, -9, -9, 9}, {20, 20, -9, 20},
	} {
		e.apply(store.RecordUse{Space: space.ID, Version: v.ID, First: at(u.first), Last: at(u.last)})
		v.FirstUsed, v.LastUsed = at(u.wantFirst), at(u.wantLast)
		item.Versions[0] = v
		e.equal("Version", e.version(space.ID, v.ID), store.Found{Credential: item.Credential, Version: v})
		e.equal("Credential", e.credential(space.ID, v.ID), item)
		e.equal("Credentials", e.credentials(store.Query{Space: space.ID, Limit: 9}), []store.Item{item})
	}
	e.equal("uses from addresses that are not known", len(e.uses(space.ID, v.ID)), 0)
	old := item.Versions[1]
	e.apply(store.RecordUse{Space: space.ID, Version: old.ID, First: at(1), Last: at(2)})
	old.FirstUsed, old.LastUsed = at(1), at(2)
	e.equal("the version before", e.credential(space.ID, v.ID).Versions, []store.Version{v, old})
}

func recordAddress(e *env) {
	space := e.space()
	item := e.rotate(e.issue(space.ID))
	v, old := item.Versions[0].ID, item.Versions[1].ID
	record := func(version, address string, first, last int) {
		e.apply(store.RecordUse{
			Space: space.ID, Version: version, Address: address, First: at(first), Last: at(last),
		})
	}
	record(v, "192.0.2.1", 3, 4)
	record(v, "2001:db8::1", 5, 6)
	e.equal("two addresses", e.uses(space.ID, v), []store.Use{used("2001:db8::1", 5, 6), used("192.0.2.1", 3, 4)})
	record(v, "192.0.2.1", 5, 7)
	e.equal("used later", e.uses(space.ID, v), []store.Use{used("192.0.2.1", 3, 7), used("2001:db8::1", 5, 6)})
	record(v, "192.0.2.1", 1, 2)
	record(v, "2001:db8::1", 4, 7)
	e.equal("used earlier, and of one time", e.uses(space.ID, v), []store.Use{
		used("2001:db8::1", 4, 7), used("192.0.2.1", 1, 7),
	})
	record(old, "192.0.2.1", 8, 9)
	e.equal("of the version before", e.uses(space.ID, old), []store.Use{used("192.0.2.1", 8, 9)})
	e.equal("of the version after", len(e.uses(space.ID, v)), 2)
	version := e.version(space.ID, v).Version
	e.equal("FirstUsed and LastUsed", []time.Time{version.FirstUsed, version.LastUsed}, []time.Time{at(1), at(7)})
	record(v, "2001:DB8::1", 10, 10)
	e.equal("another spelling is another address", len(e.uses(space.ID, v)), 3)
}

func recordMost(e *env) {
	const most = store.MaxAddresses
	space := e.space()
	v, other := e.issue(space.ID).Versions[0].ID, e.issue(space.ID).Versions[0].ID
	var steps []store.Step
	var want []store.Use
	record := func(address string, first, last int) {
		for _, version := range []string{v, other} {
			steps = append(steps, store.RecordUse{
				Space: space.ID, Version: version, Address: address, First: at(first), Last: at(last),
			})
		}
		want = append(want, store.Use{Address: address, First: at(first), Last: at(last)})
	}
	for i := range most { // neither up nor down, two of each time
		n := (i*5 + 3) % most
		record(fmt.Sprintf("192.0.2.%d", 100+n), 50-n, 50+n/2)
	}
	e.apply(steps...)
	slices.SortFunc(want, lastUsedFirst)
	e.mustEqual("as many as are kept", e.uses(space.ID, v), want)

	keep := func(what string, kept bool, address string, first, last int) {
		e.Helper()
		before := slices.Clone(want)
		steps = nil
		record(address, first, last)
		e.apply(steps...)
		slices.SortFunc(want, lastUsedFirst)
		if want = want[:most]; !kept {
			want = before
		}
		e.mustEqual(what, e.uses(space.ID, v), want)
		e.mustEqual(what+", of another version", e.uses(space.ID, other), want)
	}
	keep("one that was used before all others", false, "198.51.100.1", 1, 2)
	keep("one that was used first, and last", true, "198.51.100.2", 1, 99)
	end := want[most-1]
	keep("one of the last one's time and lower", false, end.Address[:len(end.Address)-1], 50, int(end.Last.Sub(start).Hours()))
	keep("one of the last one's time and higher", true, end.Address+"0", 50, int(end.Last.Sub(start).Hours()))
	keep("one in the middle", true, "198.51.100.3", 50, 54)
	for i := range 3 * most {
		keep("the newest", true, fmt.Sprintf("203.0.113.%d", i), 100+i, 100+i)
	}
	// What was passed over was used all the same.
	version := e.version(space.ID, v).Version
	e.equal("FirstUsed", version.FirstUsed, at(1))
}

func recordElsewhere(e *env) {
	here, there := e.space(), e.space()
	item := e.issue(here.ID)
	e.apply(store.RecordUse{
		Space: here.ID, Version: item.Versions[0].ID, Address: "192.0.2.1", First: at(2), Last: at(2),
	})
	before := e.snapshot()
	for _, space := range []string{there.ID, here.Name, e.newSpace().ID, ""} {
		for _, address := range []string{"", "192.0.2.1", "192.0.2.2"} {
			e.apply(store.RecordUse{
				Space: space, Version: item.Versions[0].ID, Address: address, First: at(1), Last: at(9),
			})
		}
	}
	for _, id := range []string{"", e.newSpace().ID, item.Credential.ID} {
		e.apply(store.RecordUse{Space: here.ID, Version: id, Address: "192.0.2.3", First: at(1), Last: at(9)})
	}
	after := e.snapshot()
	for what, answer := range before {
		e.equal(what, after[what], answer)
	}
	if uses, err := e.store.Uses(background, there.ID, item.Versions[0].ID); err != nil || uses != nil {
		e.Errorf("Uses of a version of another space: %v, %v; want none", uses, err)
	}
}

func recordRevision(e *env) {
	space := e.space()
	item := e.issue(space.ID)
	c := item.Credential
	record := store.RecordUse{Space: space.ID, Version: c.Current, Address: "192.0.2.1", First: at(2), Last: at(2)}
	for _, state := range []store.State{store.StateActive, store.StateRevoked} { // which no condition concerns
		c.State = state
		e.apply(store.UpdateCredential{Credential: copyCredential(c)})
		c.Revision++
		e.apply(record)
		e.equal("the credential", e.credential(space.ID, c.ID).Credential, c)
		record.Address += "0"
	}
	e.equal("the space", e.spaceNamed(space.Name), space)
	e.equal("number of addresses", len(e.uses(space.ID, c.Current)), 2)
}

func usesMissing(e *env) {
	space := e.space()
	item := e.issue(space.ID)
	e.apply(store.RecordUse{
		Space: space.ID, Version: item.Versions[0].ID, Address: "192.0.2.1", First: at(2), Last: at(2),
	})
	for _, id := range []string{"", e.newSpace().ID, item.Credential.ID, item.Versions[0].ID[1:], e.issue(space.ID).Versions[0].ID} {
		if uses := e.uses(space.ID, id); uses != nil {
			e.Errorf("Uses of %q are %#v; want nil", id, uses)
		}
	}
}

func deleteCredential(e *env) {
	space := e.space()
	other := e.issue(space.ID)
	for _, state := range []store.State{store.StateActive, store.StateRevoked} {
		item := e.rotate(e.issue(space.ID))
		c := item.Credential
		c.State = state
		e.apply(
			store.UpdateCredential{Credential: c},
			store.RecordUse{Space: space.ID, Version: c.Current, Address: "192.0.2.1", First: at(2), Last: at(2)},
			store.RecordUse{Space: space.ID, Version: c.Previous, Address: "192.0.2.1", First: at(2), Last: at(2)},
		)
		events := e.allEvents(space.ID)
		e.apply(store.DeleteCredential{Space: space.ID, ID: c.ID, Revision: c.Revision + 1})
		for _, id := range []string{c.ID, c.Current, c.Previous} {
			e.missing(space.ID, id)
			e.equal("uses", len(e.uses(space.ID, id)), 0)
		}
		e.equal("the events", e.allEvents(space.ID), events)
		of := e.events(store.EventQuery{Space: space.ID, Credential: c.ID, Limit: 9})
		e.equal("number of events of the credential", len(of), 2)
		for what, query := range map[string]store.Query{
			"space": {}, "subject": {Subject: c.Subject}, "state": {States: []store.State{store.StateRevoked}},
		} {
			query.Space, query.Limit = space.ID, 9
			for _, left := range e.credentials(query) {
				e.equal("left in the list by "+what, left, other)
			}
		}
		if versions := e.versions(space.ID, c.ID); versions != nil {
			e.Errorf("Versions of what was removed are %v; want nil", versions)
		}
		e.apply(require(c)) // it is not live
		e.refused("an update", 0, one(store.UpdateCredential{Credential: c}))
		c.Revision++
		e.refused("a time step", 0, one(claim(c, 9)))
		c.Revision--
		e.refused("another version", 0, one(store.CreateVersion{Version: e.newVersion(c, 9)}))
		e.refused("an end", 0, one(store.EndVersion{Space: space.ID, ID: c.Current}))
		e.refused("again", 0, one(store.DeleteCredential{Space: space.ID, ID: c.ID, Revision: c.Revision + 1}))
	}
	bare := e.newCredential(space.ID) // without versions
	e.apply(store.CreateCredential{Credential: bare}, store.DeleteCredential{Space: space.ID, ID: bare.ID, Revision: 1})
	e.missing(space.ID, bare.ID)
	e.equal("another credential", e.credential(space.ID, other.Credential.ID), other)
}

func deleteElsewhere(e *env) {
	here, there := e.space(), e.space()
	c := e.issue(here.ID).Credential
	missing := e.newCredential(here.ID)
	e.refused("a credential that is not there", 0, one(store.DeleteCredential{Space: here.ID, ID: missing.ID, Revision: 1}))
	for _, space := range []string{there.ID, here.Name, e.newSpace().ID, ""} {
		e.refused("another space", 0, one(store.DeleteCredential{Space: space, ID: c.ID, Revision: 1}))
	}
	e.refused("the id of a version", 0, one(store.DeleteCredential{Space: here.ID, ID: c.Current, Revision: 1}))
}

func deleteStale(e *env) {
	space := e.space()
	c := e.rotate(e.issue(space.ID)).Credential // to revision 2
	e.apply(store.RecordUse{Space: space.ID, Version: c.Current, Address: "192.0.2.1", First: at(2), Last: at(2)})
	for _, revision := range []int64{-1, 0, 1, 3} {
		e.refused("a wrong revision", 0, one(store.DeleteCredential{Space: space.ID, ID: c.ID, Revision: revision}))
	}
	e.refused("after an update", 1, store.Change{Steps: []store.Step{
		store.UpdateCredential{Credential: c}, store.DeleteCredential{Space: space.ID, ID: c.ID, Revision: 2},
	}})
	e.apply(use(c), store.DeleteCredential{Space: space.ID, ID: c.ID, Revision: 2}) // a use leaves the revision
}

func deleteFrees(e *env) {
	here, there := e.space(), e.space()
	item := e.rotate(e.issue(here.ID))
	c := item.Credential
	record := store.RecordUse{Space: here.ID, Version: c.Current, Address: "192.0.2.1", First: at(2), Last: at(2)}
	e.apply(record)
	next := copyItem(item)
	next.Credential.Space, next.Credential.Revision, next.Credential.Previous = there.ID, 1, ""
	next.Versions = next.Versions[:1]
	next.Versions[0].Space = there.ID
	steps := []store.Step{
		store.DeleteCredential{Space: here.ID, ID: c.ID, Revision: c.Revision},
		store.CreateCredential{Credential: copyCredential(next.Credential)},
		store.CreateVersion{Version: copyVersion(next.Versions[0])},
	}
	e.refused("and taken again", 3, store.Change{Steps: append(steps[:3:3], steps[1])})
	e.equal("the uses that were there", len(e.uses(here.ID, c.Current)), 1)
	e.apply(steps...)
	e.equal("the new credential", e.credential(there.ID, c.ID), next)
	e.equal("its versions", e.versions(there.ID, c.ID), next.Versions)
	e.missing(here.ID, c.ID)
	e.missing(there.ID, item.Versions[1].ID)
	e.equal("the uses of the new version", len(e.uses(there.ID, c.Current)), 0)
}
