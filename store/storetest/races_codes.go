package storetest

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/keyfob-dev/keyfob/store"
)

func raceClaims(e *env) {
	space := e.space()
	c := e.totp(space.ID)
	for _, step := range []int64{0, 1, 2, 9, 58_000_000} {
		changes := make([]store.Change, racers)
		for i := range changes {
			changes[i] = one(claim(c, step))
		}
		e.race(space.ID, changes)
		c.NextStep = step + 1
		e.equal("the credential", e.credential(space.ID, c.ID).Credential, c)
	}
}

// raceSteps claims a few time steps, each from several goroutines.
func raceSteps(e *env) {
	const steps = 8
	space := e.space()
	for range 6 {
		c := e.totp(space.ID)
		var claimed [steps]atomic.Int64
		for i, err := range together(racers, func(i int) error {
			step := i * 5 % steps
			acknowledged := -1
			for n := range claimed {
				if claimed[n].Load() > 0 {
					acknowledged = n
				}
			}
			err := e.store.Apply(background, one(claim(c, int64(step))))
			if err == nil && acknowledged >= step {
				return fmt.Errorf("step %d was applied after step %d was acknowledged", step, acknowledged)
			}
			if err == nil {
				claimed[step].Add(1)
			} else if problem := notConflict(err, 0); problem != "" {
				return errors.New(problem)
			}
			return nil
		}) {
			if err != nil {
				e.Errorf("Apply of %d: %v", i, err)
			}
		}
		for step := range claimed {
			if n := claimed[step].Load(); n > 1 {
				e.Errorf("step %d was claimed %d times", step, n)
			}
		}
		e.equal("claims of the last step", claimed[steps-1].Load(), int64(1))
		c.NextStep = steps
		e.equal("the credential", e.credential(space.ID, c.ID).Credential, c)
	}
}

// liveRacers is how many goroutines race for a place among the live credentials.
const liveRacers = 32

// raceLive has goroutines issue one credential more of those that they know.
func raceLive(e *env) {
	space := e.space()
	first := e.newCredential(space.ID)
	var ids []string
	for range 6 {
		changes, created := make([]store.Change, liveRacers), make([]store.Credential, liveRacers)
		for i := range changes {
			created[i] = e.alike(first)
			changes[i].Steps = []store.Step{
				require(first, ids...), store.CreateCredential{Credential: copyCredential(created[i])},
			}
		}
		ids = append(ids, created[e.race(space.ID, changes)].ID)
		e.apply(require(first, ids...))
	}
	e.equal("number of credentials", len(e.credentials(store.Query{Space: space.ID, Limit: 99})), 6)
}

// raceLiveCrossing has goroutines issue to one subject where another has none, and
// to the other where the first has none: only one of the two may come to have any.
func raceLiveCrossing(e *env) {
	space := e.space()
	for range 20 {
		sides := [2]store.Credential{e.newCredential(space.ID), e.newCredential(space.ID)}
		changes := make([]store.Change, liveRacers)
		for i := range changes {
			changes[i].Steps = []store.Step{
				require(sides[i%2]), store.CreateCredential{Credential: e.alike(sides[1-i%2])},
			}
		}
		var won [2]atomic.Int64
		for i, err := range together(liveRacers, func(i int) error { return e.store.Apply(background, changes[i]) }) {
			if err == nil {
				won[i%2].Add(1)
			} else if problem := notConflict(err, 0); problem != "" {
				e.Errorf("Apply of %d: %s", i, problem)
			}
		}
		a, b := won[0].Load(), won[1].Load()
		if max(a, b) != liveRacers/2 || min(a, b) != 0 {
			e.Fatalf("%d changes of one side and %d of the other were applied; want %d and none", a, b, liveRacers/2)
		}
	}
}

// raceRoom issues to subjects that may have a few live credentials each: whoever
// finds no room ends the oldest in the same change, and now and then somebody makes
// room.
func raceRoom(e *env) {
	const room, rounds, each = 3, 5, 4
	space := e.space()
	var issued, ended, refused atomic.Int64
	for range rounds {
		first := e.newCredential(space.ID)
		query := store.Query{
			Space: space.ID, Kind: first.Kind, Subject: first.Subject, Purpose: first.Purpose,
			States: []store.State{store.StateActive, store.StateSuspended}, Limit: 99,
		}
		for i, err := range together(liveRacers, func(i int) error {
			for n := range each {
				items, err := e.store.Credentials(background, query)
				if err != nil {
					return err
				}
				if len(items) > room {
					return fmt.Errorf("%d credentials are live; want %d at most", len(items), room)
				}
				runtime.Gosched() // others may change that meanwhile
				change, issues := e.roomChange(first, items, room, (i+n)%4 == 0)
				err = e.store.Apply(background, change)
				switch {
				case err == nil && issues:
					issued.Add(1)
				case err == nil:
					ended.Add(1)
				case notConflict(err, 0) != "":
					return err
				default:
					refused.Add(1)
				}
			}
			return nil
		}) {
			if err != nil {
				e.Errorf("goroutine %d: %v", i, err)
			}
		}
		if n := len(e.credentials(query)); n > room {
			e.Errorf("%d credentials are live; want %d at most", n, room)
		}
	}
	all := e.credentials(store.Query{Space: space.ID, Limit: everything})
	e.equal("number of credentials", int64(len(all)), issued.Load())
	e.Logf("%d credentials were issued, %d changes ended one, %d were refused", issued.Load(), ended.Load(), refused.Load())
}

// roomChange makes the change that issues a credential where these are live, in
// order of lists; or, when it may make room, ends the oldest.
func (e *env) roomChange(first store.Credential, live []store.Item, room int, mayEnd bool) (change store.Change, issues bool) {
	change = one(require(first, idsOf(live)...))
	issues = !mayEnd || len(live) == 0
	if len(live) == room || !issues {
		oldest := live[len(live)-1].Credential
		oldest.State = store.StateReplaced
		change.Steps = append(change.Steps, store.UpdateCredential{Credential: oldest})
	}
	if issues {
		change.Steps = append(change.Steps, store.CreateCredential{Credential: e.alike(first)})
	}
	return change, issues
}

// raceRedeem redeems one credential, and then one of several of which only one may
// be redeemed.
func raceRedeem(e *env) {
	space := e.space()
	redeem := func(c store.Credential) store.UpdateCredential {
		c = copyCredential(c)
		c.State = store.StateRedeemed
		return store.UpdateCredential{Credential: c}
	}
	for range 10 {
		c := e.issue(space.ID).Credential
		changes := make([]store.Change, racers)
		for i := range changes {
			changes[i] = one(redeem(c))
		}
		e.race(space.ID, changes)
		c.State = store.StateRedeemed
		c.Revision++
		e.equal("the credential", e.credential(space.ID, c.ID).Credential, c)

		siblings := []store.Credential{e.alike(c), e.alike(c), e.alike(c)}
		var ids []string
		for _, s := range siblings {
			ids = append(ids, s.ID)
			e.apply(store.CreateCredential{Credential: copyCredential(s)})
		}
		for i := range changes {
			changes[i] = store.Change{Steps: []store.Step{require(c, ids...), redeem(siblings[i%3])}}
			for _, s := range []store.Credential{siblings[(i+1)%3], siblings[(i+2)%3]} {
				s = copyCredential(s)
				s.State = store.StateReplaced
				changes[i].Steps = append(changes[i].Steps, store.UpdateCredential{Credential: s})
			}
		}
		winner := e.race(space.ID, changes) % 3
		for i, s := range siblings {
			s.State = store.StateReplaced
			if i == winner {
				s.State = store.StateRedeemed
			}
			s.Revision++
			e.equal("a sibling", e.credential(space.ID, s.ID).Credential, s)
		}
	}
}

func raceBudgets(e *env) {
	space := e.space()
	for range 3 {
		b := e.newBudget(space.ID)
		for range 4 { // at revision 0, where it is not there yet, and then at later ones
			changes, budgets := make([]store.Change, racers), make([]store.Budget, racers)
			for i := range changes {
				b.Guesses = int64(i)
				budgets[i] = b
				changes[i] = one(store.WriteBudget{Budget: b})
			}
			b = budgets[e.race(space.ID, changes)]
			b.Revision++
			e.equal("the budget", e.budget(space.ID, b.Name), b)
		}
	}
}

// raceGuesses counts guesses in one budget, which the first of them makes and each
// goroutine clears once, as a success does: no guess of the window may be lost.
func raceGuesses(e *env) {
	const guessers, each = 16, 6
	space := e.space()
	name := e.newBudget(space.ID).Name
	for i, err := range together(guessers, func(int) error {
		for n := 0; n < each; {
			b, err := e.store.Budget(background, space.ID, name)
			if errors.Is(err, store.ErrNotFound) {
				b, err = store.Budget{Space: space.ID, Name: name}, nil
			}
			if err != nil {
				return err
			}
			runtime.Gosched() // others may write it meanwhile
			b.Guesses++
			b.Consecutive++
			err = e.store.Apply(background, one(store.WriteBudget{Budget: b}))
			if err != nil && notConflict(err, 0) != "" {
				return err
			}
			if err != nil {
				continue
			}
			if n++; n == each/2 {
				if err := e.store.Apply(background, one(store.ClearBudget{Space: space.ID, Name: name})); err != nil {
					return err
				}
			}
		}
		return nil
	}) {
		if err != nil {
			e.Errorf("goroutine %d: %v", i, err)
		}
	}
	b := e.budget(space.ID, name)
	e.equal("guesses", b.Guesses, int64(guessers*each))
	e.equal("revision", b.Revision, int64(guessers*each+guessers))
	if most := int64(guessers * each / 2); b.Consecutive > most {
		e.Errorf("Consecutive is %d; want %d at most, after all have cleared it", b.Consecutive, most)
	}
}
