package storetest

import (
	"fmt"
	"math"

	"github.com/keyfob-dev/keyfob/store"
)

func useFinal(e *env) {
	space := e.space()
	for _, state := range []store.State{store.StateRedeemed, store.StateReplaced, store.StateRevoked} {
		c := e.limited(space.ID, 9)
		e.apply(use(c))
		c.State = state
		update := store.UpdateCredential{Credential: copyCredential(c)}
		c.Revision++
		e.refused(string(state)+" in the same change", 1, store.Change{Steps: []store.Step{update, use(c)}})
		e.apply(update)
		e.refused(string(state), 0, one(use(c)))
		c.Used++
		e.equal("the credential", e.credential(space.ID, c.ID).Credential, c)
	}
}

// totp creates a credential none of whose time steps is claimed.
func (e *env) totp(space string) store.Credential {
	e.Helper()
	item, change := e.newIssue(space)
	c := &item.Credential
	c.Kind, c.NextStep = store.KindTOTP, 0
	change.Steps[0] = store.CreateCredential{Credential: copyCredential(*c)}
	e.applyChange(change)
	return *c
}

// claim makes the step that claims a time step of a credential.
func claim(c store.Credential, step int64) store.ClaimStep {
	return store.ClaimStep{Space: c.Space, ID: c.ID, Revision: c.Revision, Step: step}
}

func claimStep(e *env) {
	space := e.space()
	other, key := e.totp(space.ID), e.issue(space.ID).Credential
	for _, c := range []store.Credential{e.totp(space.ID), key} { // no condition concerns its kind
		for _, step := range []int64{
			0, 1, 5, 58_000_000, math.MaxInt32 - 1, math.MaxInt32, 1<<53 + 1, math.MaxInt64 - 2, math.MaxInt64 - 1,
		} {
			if step < c.NextStep {
				continue
			}
			e.apply(claim(c, step))
			c.NextStep = step + 1
			e.equal("Credential", e.credential(space.ID, c.ID).Credential, c)
			e.equal("Version", e.version(space.ID, c.Current).Credential, c)
			query := store.Query{Space: space.ID, Subject: c.Subject, Limit: 1}
			e.equal("Credentials", e.credentials(query)[0].Credential, c)
		}
	}
	e.equal("another credential", e.credential(space.ID, other.ID).Credential, other)
}

func claimElsewhere(e *env) {
	here, there := e.space(), e.space()
	c := e.totp(here.ID)
	e.refused("a credential that is not there", 0, one(claim(e.newCredential(here.ID), 9)))
	for _, space := range []string{there.ID, here.Name, e.newSpace().ID, ""} {
		e.refused("another space", 0, one(store.ClaimStep{Space: space, ID: c.ID, Revision: 1, Step: 9}))
	}
	e.refused("the id of a version", 0, one(store.ClaimStep{Space: here.ID, ID: c.Current, Revision: 1, Step: 9}))
}

func claimStale(e *env) {
	space := e.space()
	c := e.totp(space.ID)
	e.apply(claim(c, 1), store.UpdateCredential{Credential: copyCredential(c)}) // to revision 2
	for _, revision := range []int64{-1, 0, 1, 3} {
		c.Revision = revision
		e.refused("a wrong revision", 0, one(claim(c, 9)))
	}
	c.Revision = 2
	e.refused("the revision before an update of the same change", 1, store.Change{Steps: []store.Step{
		store.UpdateCredential{Credential: copyCredential(c)}, claim(c, 9),
	}})
	update := store.UpdateCredential{Credential: copyCredential(c)}
	c.Revision = 3
	e.apply(update, claim(c, 9))
	c.NextStep = 10
	e.equal("the credential", e.credential(space.ID, c.ID).Credential, c)
}

func claimInactive(e *env) {
	space := e.space()
	for _, state := range []store.State{
		store.StateSuspended, store.StateRedeemed, store.StateReplaced, store.StateRevoked,
	} {
		c := e.totp(space.ID)
		c.State = state
		update := store.UpdateCredential{Credential: copyCredential(c)}
		c.Revision++
		e.refused(string(state)+" in the same change", 1, store.Change{Steps: []store.Step{update, claim(c, 9)}})
		e.apply(update)
		e.refused(string(state), 0, one(claim(c, 9)))
		if state.Final() {
			continue
		}
		c.State = store.StateActive
		e.apply(store.UpdateCredential{Credential: copyCredential(c)})
		c.Revision++
		e.apply(claim(c, 9))
	}
}

func claimAgain(e *env) {
	space := e.space()
	for _, next := range []int64{0, 1, 2, 58_000_000, 1<<53 + 2} { // the last differs by less than floats can tell
		c := e.totp(space.ID)
		if next > 0 {
			e.apply(claim(c, next-1))
		}
		for _, step := range []int64{next - 1, next - 2, next / 2, 0} {
			if step >= 0 && step < next {
				e.refused(fmt.Sprintf("step %d when the next is %d", step, next), 0, one(claim(c, step)))
			}
		}
		e.refused("one step twice", 1, store.Change{Steps: []store.Step{claim(c, next), claim(c, next)}})
		e.refused("a later one first", 1, store.Change{Steps: []store.Step{claim(c, next+1), claim(c, next)}})
		e.apply(claim(c, next), claim(c, next+1), claim(c, next+5))
		e.equal("NextStep", e.credential(space.ID, c.ID).Credential.NextStep, next+6)
	}
	c := e.newCredential(space.ID) // of which earlier ones were claimed elsewhere
	c.NextStep = 7
	e.apply(store.CreateCredential{Credential: copyCredential(c)})
	e.refused("step 6 when it came with 7", 0, one(claim(c, 6)))
	e.apply(claim(c, 7))
}

func updateNextStep(e *env) {
	space := e.space()
	c := e.totp(space.ID)
	e.apply(claim(c, 7))
	for _, next := range []int64{0, 1, 7, 9, math.MaxInt64} {
		c.NextStep = next
		e.apply(store.UpdateCredential{Credential: copyCredential(c)})
		c.Revision++
		c.NextStep = 8
		e.equal("the credential", e.credential(space.ID, c.ID).Credential, c)
		e.refused("a step that was claimed before the update", 0, one(claim(c, 7)))
	}
	e.apply(claim(c, 8))
}
