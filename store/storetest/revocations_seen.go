package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// These are about what the steps and queries see of a revocation.

func revokedConditions(e *env) {
	space := e.space()
	for _, kind := range []store.Kind{store.KindSession, store.KindLink} {
		for _, state := range []store.State{store.StateActive, store.StateSuspended} {
			first := e.newCredential(space.ID)
			first.Kind = kind
			c := e.sibling(first)
			c.State = state
			e.apply(store.UpdateCredential{Credential: copyCredential(c)})
			c.Revision++
			by := revoke(c, "over", at(1))
			resumed, ended := copyCredential(c), copyCredential(c)
			resumed.State, ended.State = store.StateActive, store.StateReplaced
			steps := map[string]store.Step{
				"an update": store.UpdateCredential{Credential: c}, "an update to active": store.UpdateCredential{Credential: resumed},
				"an update to a final state": store.UpdateCredential{Credential: ended},
				"a use":                      use(c), "a time step": claim(c, 9), "a touch": touch(c, at(2)),
			}
			for what, step := range steps {
				e.refused(what+" in the same change", 1, store.Change{Steps: []store.Step{by, step}})
			}
			e.apply(by)
			for what, step := range steps {
				e.refused(what, 0, one(step))
			}
			e.everywhere("after them", revoked(c, by))
			// What no condition on the state forbids.
			v := e.newVersion(c, 2)
			e.apply(
				store.CreateVersion{Version: copyVersion(v)}, store.EndVersion{Space: space.ID, ID: c.Current, Ends: at(1)},
				store.RecordUse{Space: space.ID, Version: c.Current, Address: "192.0.2.1", First: at(1), Last: at(2)},
			)
			e.equal("a version that was added", e.version(space.ID, v.ID), store.Found{Credential: revoked(c, by), Version: v})
			e.refused("a deletion of another revision", 0, one(store.DeleteCredential{Space: space.ID, ID: c.ID, Revision: c.Revision + 1}))
			e.apply(store.DeleteCredential{Space: space.ID, ID: c.ID, Revision: c.Revision})
			e.missing(space.ID, c.ID)
			e.missing(space.ID, v.ID)
			c.Revision = 1
			e.apply(store.CreateCredential{Credential: copyCredential(c)}) // the id is free again
			e.equal("the same id again", e.credential(space.ID, c.ID).Credential, c)
		}
	}
}

func revokedLive(e *env) {
	space := e.space()
	for _, kind := range kinds {
		first := e.newCredential(space.ID)
		first.Kind = kind
		active, suspended, elsewhere := e.sibling(first), e.sibling(first), e.alike(first)
		suspended.State = store.StateSuspended
		elsewhere.Purpose = "another purpose"
		e.apply(store.UpdateCredential{Credential: copyCredential(suspended)}, store.CreateCredential{Credential: elsewhere})
		e.apply(require(first, active.ID, suspended.ID), revoke(first, "over", at(1)), require(first), require(elsewhere))
		what := string(kind)
		for _, ids := range [][]string{{active.ID}, {suspended.ID}, {active.ID, suspended.ID}, {e.id()}} {
			e.conflicts(what+" revoked", require(first, ids...))
		}
		young := e.sibling(first)
		e.apply(require(first, young.ID), require(elsewhere))
		for _, ids := range [][]string{nil, {active.ID}, {young.ID, active.ID}} {
			e.conflicts(what+" beside what was revoked", require(first, ids...))
		}
		e.apply(revoke(first, "over again", at(1)))
		e.conflicts(what+" revoked again", require(first, young.ID))
		e.apply(require(first))
	}
}

// revokedQueries compares lists with what the credentials were made, in all states,
// by revocations in between.
func revokedQueries(e *env) {
	space := e.space()
	states := []store.State{
		store.StateActive, store.StateSuspended, store.StateRedeemed, store.StateReplaced, store.StateRevoked,
	}
	subjects, purposes := []string{"alice", "bob"}, []string{"", "login"}
	ends := []time.Time{{}, at(-1), at(2), at(9)}
	var items []store.Item
	for round := range 3 {
		more := e.filled(space.ID, 40, func(i int, c *store.Credential) {
			c.Kind, c.State, c.Subject = kinds[i%2*2], states[i/2%5], subjects[i/10%2]
			c.Purpose, c.Expires = purposes[i/20], ends[i%4]
			c.Created = c.Created.Add(time.Duration(i*round%5) * time.Millisecond)
		})
		items = append(items, more...)
		if round == 2 {
			break // these are left as they are
		}
		by := store.RevokeSubject{
			Space: space.ID, Kind: kinds[2], Subject: subjects[round], Reason: fmt.Sprint("round ", round), At: at(5 * round),
		}
		e.apply(by)
		for i, item := range items {
			if c := item.Credential; concerns(by, c) && !c.State.Final() {
				items[i].Credential = revoked(c, by)
			}
		}
	}
	slices.SortFunc(items, newerFirst)
	e.equal("the whole list", e.pages(store.Query{Space: space.ID, Limit: 7}), items)
	live, found := states[:2], 0
	for _, query := range []store.Query{
		{States: live}, {States: states[:1]}, {States: states[1:2]}, {States: states[4:]}, {States: states[2:4]}, {States: states[3:]},
		{States: []store.State{store.StateRevoked, store.StateActive}}, {EndedBefore: at(1)}, {EndedBefore: at(0)},
		{EndedBefore: at(0).Add(time.Millisecond)}, {EndedBefore: at(5)}, {EndedBefore: at(6)}, {EndedBefore: at(100)},
		{EndedBefore: at(6), States: states[4:]}, {EndedBefore: at(6), States: live},
	} {
		for _, kind := range []store.Kind{"", kinds[0], kinds[2]} {
			for _, subject := range []string{"", "alice", "bob"} {
				for _, purpose := range []string{"", "login"} {
					query.Space, query.Kind, query.Subject, query.Purpose = space.ID, kind, subject, purpose
					found += e.narrowed(query, items, func(c store.Credential) bool {
						return (kind == "" || c.Kind == kind) && (subject == "" || c.Subject == subject) &&
							(purpose == "" || c.Purpose == purpose) &&
							(query.States == nil || slices.Contains(query.States, c.State)) &&
							(query.EndedBefore.IsZero() || endedBefore(c, query.EndedBefore))
					})
				}
			}
		}
	}
	if found == 0 {
		e.Error("no query found anything")
	}
}

func requireUnrevoked(e *env) {
	space := e.space()
	c := e.session(space.ID)
	e.apply(revoke(c, "over", at(1)))
	before := e.snapshot()
	late, early := unrevoked(c, at(2)), unrevoked(c, at(1))
	e.apply(late, late, unrevoked(e.newCredential(space.ID), time.Time{}))
	e.refused("too early", 0, one(early))
	e.refused("after others", 2, store.Change{
		Steps: []store.Step{late, store.CreateCredential{Credential: e.alike(c)}, early}, Events: []store.Event{e.newEvent(c)},
	})
	after := e.snapshot()
	for what, answer := range before {
		e.equal(what, after[what], answer)
	}
	created := e.alike(c)
	e.apply(late, store.CreateCredential{Credential: copyCredential(created)}, late)
	e.equal("a credential of the same change", e.credential(space.ID, created.ID).Credential, created)
}

func requireUnrevokedSince(e *env) {
	space := e.space()
	for _, hours := range [][]int{{5}, {5, 5}, {1, 5, 3}, {5, 3, 1}, {1, 3, 5}, {-7, 5, -9}} { // the latest is 5
		c := e.session(space.ID)
		e.apply(unrevoked(c, time.Time{}), unrevoked(c, at(-100)))
		for _, hour := range hours {
			e.apply(revoke(c, "over", at(hour)))
		}
		for _, since := range []time.Time{
			{}, time.UnixMilli(0).UTC(), at(-100), at(4), at(5).Add(-time.Millisecond), at(5),
		} {
			e.conflicts(fmt.Sprintf("since %v when the latest of %v", since, hours), unrevoked(c, since))
		}
		e.apply(unrevoked(c, at(5).Add(time.Millisecond)), unrevoked(c, at(6)), unrevoked(c, instants[len(instants)-1]))
		bounded := unrevoked(c, at(4))
		bounded.Until = at(5).Add(-time.Millisecond)
		e.apply(bounded)
		bounded.Until = at(5)
		e.conflicts(fmt.Sprintf("until the latest of %v", hours), bounded)
	}
	gone := e.session(space.ID)
	e.apply(revoke(gone, "over", at(1)), store.DeleteCredential{Space: space.ID, ID: gone.ID, Revision: 1})
	e.conflicts("of nobody who is there any more", unrevoked(gone, at(1)))
	for i, at := range instants[:len(instants)-1] {
		c := e.session(space.ID)
		e.apply(revoke(c, "over", at))
		e.conflicts(fmt.Sprintf("at %v", at), unrevoked(c, at))
		e.apply(unrevoked(c, at.Add(time.Millisecond)), unrevoked(c, instants[i+1]))
	}
}

func requireUnrevokedOthers(e *env) {
	here, there := e.space(), e.space()
	var all []store.Credential
	for _, space := range []string{here.ID, there.ID} {
		for _, kind := range []store.Kind{store.KindSession, store.KindAPIKey, ""} {
			for _, subject := range []string{"alice", "Alice", "alice ", "ali%", "_____", "\u00e9", "e\u0301", ""} {
				all = append(all, store.Credential{Space: space, Kind: kind, Subject: subject})
			}
		}
	}
	was := map[int]bool{}
	for _, i := range []int{0, 3, 7, 9, 17, 23, 25, 40} {
		e.apply(revoke(all[i], "over", at(1)))
		was[i] = true
		var steps []store.Step
		for n, c := range all {
			if !was[n] {
				steps = append(steps, unrevoked(c, time.Time{}))
			} else {
				e.refused(fmt.Sprintf("%d after %d", n, i), 0, one(unrevoked(c, at(1))))
			}
		}
		e.apply(steps...)
	}
}

func requireUnrevokedSees(e *env) {
	space := e.space()
	c := e.session(space.ID)
	by := revoke(c, "over", at(1))
	e.refused("a step after", 1, store.Change{Steps: []store.Step{by, unrevoked(c, at(1))}})
	e.refused("a step after two", 2, store.Change{Steps: []store.Step{by, revoke(c, "over", at(0)), unrevoked(c, at(1))}})
	e.apply(unrevoked(c, time.Time{}), by, unrevoked(c, at(2)), revoke(c, "over", at(3)), unrevoked(c, at(4)))
	e.refused("another change", 0, one(unrevoked(c, at(3))))
}
