package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// revocationChecks are the sentences of the steps that revoke a subject and
// require that it was not revoked.
var revocationChecks = group{"Revocations", []check{
	{"RevokeSubject revokes what is there and not final, and leaves the revision as it is", revokeSubject},
	{"RevokeSubject leaves what is final as it is", revokeFinal},
	{"RevokeSubject is about one space, kind and subject", revokeOthers},
	{"RevokeSubject does not touch what is created later", revokeLater},
	{"RevokeSubject sees the steps before it, and does not touch what later ones create", revokeWithin},
	{"RevokeSubject has no condition", revokeNobody},
	{"RevokeSubject: conditions see what it makes of the stored state", revokedConditions},
	{"RevokeSubject: RequireLive sees what it makes of the stored state", revokedLive},
	{"RevokeSubject: queries see what it makes of the stored state", revokedQueries},
	{"RevokeSubject revokes however many there are", revokeMany},
	{"nothing remains of a RevokeSubject whose change is refused", revokeRefused},
	{"RequireUnrevoked writes nothing", requireUnrevoked},
	{"RequireUnrevoked: no RevokeSubject has an At that is Since or later, and not after Until", requireUnrevokedSince},
	{"RequireUnrevoked is about one space, kind and subject", requireUnrevokedOthers},
	{"RequireUnrevoked sees the steps before it", requireUnrevokedSees},
}}

// revoke makes the step that revokes the subject of a credential.
func revoke(c store.Credential, reason string, at time.Time) store.RevokeSubject {
	return store.RevokeSubject{Space: c.Space, Kind: c.Kind, Subject: c.Subject, Reason: reason, At: at}
}

// revoked is what a step makes of a credential that is not final.
func revoked(c store.Credential, by store.RevokeSubject) store.Credential {
	c.State, c.Reason, c.Updated = store.StateRevoked, by.Reason, by.At
	return c
}

// unrevoked makes the step that requires that the subject of a credential was not
// revoked.
func unrevoked(c store.Credential, since time.Time) store.RequireUnrevoked {
	return store.RequireUnrevoked{Space: c.Space, Kind: c.Kind, Subject: c.Subject, Since: since}
}

// sibling creates a credential with one version that is alike to another.
func (e *env) sibling(c store.Credential) store.Credential {
	e.Helper()
	next := e.alike(c)
	v := e.newVersion(next, 1)
	next.Current = v.ID
	e.apply(store.CreateCredential{Credential: copyCredential(next)}, store.CreateVersion{Version: copyVersion(v)})
	return next
}

func revokeSubject(e *env) {
	space := e.space()
	for _, kind := range kinds {
		first := e.newCredential(space.ID)
		first.Kind = kind
		active, suspended, bare := e.sibling(first), e.sibling(first), e.sibling(first)
		suspended.State, suspended.Reason = store.StateSuspended, "of the suspension"
		bare.Reason, bare.Updated = "", time.Time{}
		rotated := e.rotate(e.credential(space.ID, e.sibling(first).ID))
		e.apply(
			store.UpdateCredential{Credential: copyCredential(suspended)}, store.UpdateCredential{Credential: copyCredential(bare)},
			use(active), claim(active, 9), touch(active, at(7)),
		)
		active.Used, active.NextStep, active.Seen = active.Used+1, 10, at(7)
		suspended.Revision++
		bare.Revision++
		by := revoke(first, "why "+string(kind), at(8))
		if kind == store.KindCode {
			by.Reason, by.At = "", time.Time{} // which are to come back as well
		}
		versions := e.versions(space.ID, rotated.Credential.ID)
		event := e.newEvent(active)
		e.applyChange(store.Change{Steps: []store.Step{by}, Events: []store.Event{copyEvent(event)}})
		for what, c := range map[string]store.Credential{
			"active": active, "suspended": suspended, "without a reason": bare, "rotated": rotated.Credential,
		} {
			e.everywhere(what, revoked(c, by))
			e.sameTime("Updated", e.version(space.ID, c.Current).Credential.Updated, by.At)
		}
		e.equal("the versions", e.versions(space.ID, rotated.Credential.ID), versions)
		e.equal("the event", numberless(last(e.allEvents(space.ID), 1)), []store.Event{event})
	}
}

func revokeFinal(e *env) {
	space := e.space()
	for _, kind := range kinds {
		for _, state := range []store.State{store.StateRedeemed, store.StateReplaced, store.StateRevoked} {
			created := e.newCredential(space.ID)
			created.Kind, created.State = kind, state
			v := e.newVersion(created, 1)
			created.Current = v.ID
			e.apply(store.CreateCredential{Credential: copyCredential(created)}, store.CreateVersion{Version: v})
			updated := e.sibling(created)
			updated.State, updated.Reason, updated.Updated = state, "of the update", at(2)
			e.apply(store.UpdateCredential{Credential: copyCredential(updated)})
			updated.Revision++
			live := e.sibling(created)
			by := revoke(created, "too late for some", at(3))
			e.apply(by)
			e.apply(revoke(created, "too late for all", at(1)))
			e.everywhere(string(state)+" when created", created)
			e.everywhere(string(state)+" by an update", updated)
			e.everywhere("revoked through its subject", revoked(live, by))
			e.refused("an update", 0, one(store.UpdateCredential{Credential: updated}))
		}
	}
}

// revokeOthers has one credential of each of many spaces, kinds and subjects, of
// which no two may be taken for one, and revokes some.
func revokeOthers(e *env) {
	here, there := e.space(), e.space()
	var all []store.Credential
	for _, space := range []string{here.ID, there.ID} {
		for _, kind := range []store.Kind{store.KindSession, store.KindLink, store.KindAPIKey} {
			for _, subject := range []string{"alice", "Alice", "alice ", "ali", "ali%", "alic_", "\u00e9", "e\u0301", ""} {
				c := e.newCredential(space)
				c.Kind, c.Subject = kind, subject
				all = append(all, e.sibling(c))
			}
		}
	}
	steps := map[int]store.RevokeSubject{}
	for _, i := range []int{0, 4, 8, 10, 15, 18, 26, 29, 51} {
		steps[i] = revoke(all[i], fmt.Sprintf("why %d", i), at(i))
		e.apply(steps[i])
		for n, c := range all {
			if by, ok := steps[n]; ok {
				c = revoked(c, by)
			}
			e.mustEqual(fmt.Sprintf("%d after %d", n, i), e.version(c.Space, c.Current).Credential, c)
		}
	}
	for n, c := range all {
		if by, ok := steps[n]; ok {
			c = revoked(c, by)
		}
		if c.Subject != "" && c.Purpose != "" {
			e.everywhere(fmt.Sprintf("%d", n), c)
		}
	}
}

// revokeLater revokes a subject several times: what was created before each of
// them has the reason and time of the first that came after it.
func revokeLater(e *env) {
	space := e.space()
	for _, kind := range []store.Kind{store.KindSession, store.KindLink} {
		first := e.newCredential(space.ID)
		first.Kind = kind
		var all []store.Credential
		for round, hour := range []int{5, 5, 2, 9, 1} { // times may be equal, and go back
			for range 2 {
				all = append(all, e.sibling(first))
			}
			for _, c := range all[2*round:] {
				e.everywhere("one that is new", c)
			}
			by := revoke(first, fmt.Sprintf("why %d", round), at(hour))
			e.apply(by)
			for i := range all[2*round:] {
				all[2*round+i] = revoked(all[2*round+i], by)
			}
			for _, c := range all {
				e.everywhere(fmt.Sprintf("after round %d", round), c)
			}
			e.apply(require(first))
		}
		e.apply(revoke(first, "nobody", at(3)), revoke(first, "nobody again", at(4)))
		for _, c := range all {
			e.everywhere("after two that met nobody", c)
		}
	}
}

func revokeWithin(e *env) {
	space := e.space()
	old := e.session(space.ID)
	updated, before, between, after := copyCredential(old), e.alike(old), e.alike(old), e.alike(old)
	updated.Name = "updated before"
	first, second := revoke(old, "first", at(1)), revoke(old, "second", at(2))
	again := copyCredential(before) // the same id, once more
	again.Name = "again"
	e.apply(
		store.UpdateCredential{Credential: copyCredential(updated)}, store.CreateCredential{Credential: copyCredential(before)},
		first,
		store.CreateCredential{Credential: copyCredential(between)},
		store.DeleteCredential{Space: space.ID, ID: before.ID, Revision: 1},
		second,
		store.CreateCredential{Credential: copyCredential(after)}, store.CreateCredential{Credential: copyCredential(again)},
	)
	updated.Revision++
	for what, c := range map[string]store.Credential{
		"updated before": revoked(updated, first), "created between": revoked(between, second),
		"created after": after, "removed and created again": again,
	} {
		e.equal(what, e.credential(space.ID, c.ID).Credential, c)
	}
	e.apply(require(old, after.ID, again.ID))
	e.refused("an update after it", 1, store.Change{Steps: []store.Step{
		revoke(old, "third", at(3)), store.UpdateCredential{Credential: after},
	}})
	final := copyCredential(after)
	final.State, final.Reason = store.StateReplaced, "before the revocation"
	third := revoke(old, "third", at(3))
	e.apply(store.UpdateCredential{Credential: copyCredential(final)}, third)
	final.Revision++
	e.equal("ended before", e.credential(space.ID, final.ID).Credential, final)
	e.equal("not ended before", e.credential(space.ID, again.ID).Credential, revoked(again, third))
}

func revokeNobody(e *env) {
	space := e.space()
	c := e.session(space.ID)
	before := e.snapshot()
	nobody := e.newCredential(space.ID)
	e.apply(
		revoke(nobody, "nobody", at(1)), revoke(nobody, "nobody", at(1)),
		store.RevokeSubject{Space: e.newSpace().ID, Kind: c.Kind, Subject: c.Subject},
		store.RevokeSubject{Space: space.ID, Subject: c.Subject}, // no kind is a kind that none has
		store.RevokeSubject{Space: space.ID, Kind: "SESSION", Subject: c.Subject},
		store.RevokeSubject{Kind: c.Kind, Subject: c.Subject}, store.RevokeSubject{},
	)
	after := e.snapshot()
	for what, answer := range before {
		e.equal(what, after[what], answer)
	}
	e.everywhere("what was created later", e.sibling(nobody))
}

func revokeMany(e *env) {
	const n = 300
	space := e.space()
	first := e.newCredential(space.ID)
	first.Kind = store.KindSession
	var create []store.Step
	for range n {
		create = append(create, store.CreateCredential{Credential: e.alike(first)})
	}
	by := revoke(first, "all of them", at(1))
	e.apply(create...)
	e.apply(by)
	items := e.pages(store.Query{Space: space.ID, Subject: first.Subject, Limit: 7})
	e.equal("number of credentials", len(items), n)
	for _, item := range items {
		c := item.Credential
		if c.State != store.StateRevoked || c.Reason != by.Reason || !c.Updated.Equal(by.At) || c.Revision != 1 {
			e.Errorf("%+v; want one that is revoked", c)
		}
	}
	e.apply(require(first))
	e.equal("live ones", len(e.credentials(store.Query{
		Space: space.ID, Subject: first.Subject, States: []store.State{store.StateActive, store.StateSuspended}, Limit: 1,
	})), 0)
}

func revokeRefused(e *env) {
	space := e.space()
	old := e.session(space.ID)
	by, refused := revoke(old, "refused", at(5)), require(old, "nobody")
	e.refused("a revocation", 2, store.Change{
		Steps: []store.Step{by, store.CreateCredential{Credential: e.alike(old)}, refused}, Events: []store.Event{e.newEvent(old)},
	})
	e.refused("two revocations", 2, store.Change{Steps: []store.Step{by, by, refused}})
	e.apply(unrevoked(old, time.Time{}), unrevoked(old, at(5)), require(old, old.ID), touch(old, at(1)))
	old.Seen = at(1)
	young := e.sibling(old)
	e.everywhere("one of before", old)
	e.everywhere("one of after", young)
	done := revoke(old, "done", at(4))
	e.apply(done)
	e.everywhere("one of before, then", revoked(old, done))
	e.everywhere("one of after, then", revoked(young, done))
	newer := e.sibling(old)
	e.refused("and another", 1, store.Change{Steps: []store.Step{revoke(old, "refused", at(5)), refused}})
	e.everywhere("the newest", newer)
	e.everywhere("one of before, at last", revoked(old, done))
	e.apply(slices.Concat([]store.Step{require(old, newer.ID)}, []store.Step{unrevoked(old, at(5))})...)
}
