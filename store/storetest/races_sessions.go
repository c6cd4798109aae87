package storetest

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// sessionRounds is how often the races about one session are run.
const sessionRounds = 20

// A crowd counts goroutines that are done, for one that is to come when some are.
type crowd struct{ done atomic.Int64 }

// wait waits until n are done.
func (c *crowd) wait(n int) {
	for c.done.Load() < int64(n) {
		runtime.Gosched()
	}
}

// raceTouches moves one Seen from where all have found it.
func raceTouches(e *env) {
	space := e.space()
	c := e.session(space.ID)
	for round := range 5 {
		changes := make([]store.Change, racers)
		for i := range changes {
			changes[i] = one(touch(c, at(1+round*racers+i)))
		}
		c.Seen = at(1 + round*racers + e.race(space.ID, changes))
		e.everywhere("after a race", c)
	}
}

// raceTouchRevoke touches a session from several goroutines while its subject is
// revoked. What was applied must be one chain of times, of which none is lost.
func raceTouchRevoke(e *env) {
	const touchers, each = 15, 8
	space := e.space()
	for round := range sessionRounds {
		c := e.session(space.ID)
		by := revoke(c, "over", at(100))
		var touched crowd
		var acknowledged atomic.Bool
		var mu sync.Mutex
		next := map[time.Time]time.Time{}
		for i, err := range together(touchers+1, func(i int) error {
			if i == touchers {
				touched.wait(round * touchers * each / sessionRounds)
				defer acknowledged.Store(true)
				return e.store.Apply(background, one(by))
			}
			for n := range each {
				touched.done.Add(1)
				found, err := e.store.Version(background, space.ID, c.Current)
				if err != nil {
					return err
				}
				after := acknowledged.Load()
				s := touch(found.Credential, at(i*each+n))
				if err := e.store.Apply(background, one(s)); err != nil {
					if problem := notConflict(err, 0); problem != "" {
						return errors.New(problem)
					}
					continue
				}
				if after {
					return errors.New("a touch was applied after the revocation was acknowledged")
				}
				mu.Lock()
				next[s.Was] = s.At
				mu.Unlock()
			}
			return nil
		}) {
			if err != nil {
				e.Errorf("goroutine %d: %v", i, err)
			}
		}
		links := 0
		for to, ok := next[c.Seen]; ok; to, ok = next[c.Seen] {
			c.Seen = to
			links++
		}
		e.equal("touches in the chain", links, len(next))
		e.everywhere("at the end", revoked(c, by))
	}
}

// raceUpdateRevoke updates a credential, or ends it, from several goroutines while
// its subject is revoked.
func raceUpdateRevoke(e *env) {
	space := e.space()
	for round := range sessionRounds {
		c := e.session(space.ID)
		by := revoke(c, "over", at(100))
		updates := make([]store.Credential, racers)
		for i := range updates {
			updates[i] = copyCredential(c)
			updates[i].Name = fmt.Sprint(i)
			if i%2 == 1 {
				updates[i].State, updates[i].Reason = store.StateReplaced, fmt.Sprint("replaced by ", i)
			}
		}
		var updated crowd
		var acknowledged atomic.Bool
		want, applied := c, 0
		for i, err := range together(racers+1, func(i int) error {
			if i == racers {
				updated.wait(round % 3)
				defer acknowledged.Store(true)
				return e.store.Apply(background, one(by))
			}
			defer updated.done.Add(1)
			after := acknowledged.Load()
			err := e.store.Apply(background, one(store.UpdateCredential{Credential: copyCredential(updates[i])}))
			if err == nil && after {
				return errors.New("an update was applied after the revocation was acknowledged")
			}
			return err
		}) {
			switch {
			case err == nil && i < racers:
				want, applied = updates[i], applied+1
				want.Revision++
			case err != nil && (i == racers || notConflict(err, 0) != ""):
				e.Errorf("goroutine %d: %v", i, err)
			}
		}
		if applied > 1 {
			e.Fatalf("%d updates of one revision were applied", applied)
		}
		if !want.State.Final() {
			want = revoked(want, by)
		}
		e.everywhere("at the end", want)
	}
}

// raceCreateRevoke creates credentials of a subject that is revoked meanwhile, half
// of them on the condition that it is not.
func raceCreateRevoke(e *env) {
	space := e.space()
	for round := range sessionRounds {
		first := e.newCredential(space.ID)
		first.Kind = kinds[round%len(kinds)] // storage may think of some as soon final
		by := revoke(first, "over", at(1))
		created := make([]store.Credential, racers)
		late := make([]bool, racers)  // begun after the revocation was acknowledged
		early := make([]bool, racers) // acknowledged before it began
		for i := range created {
			created[i] = e.alike(first)
		}
		var tried crowd
		var begun, acknowledged atomic.Bool
		errs := together(racers+1, func(i int) error {
			if i == racers {
				tried.wait(round * racers / sessionRounds)
				begun.Store(true)
				defer acknowledged.Store(true)
				return e.store.Apply(background, one(by))
			}
			defer tried.done.Add(1)
			change := one(store.CreateCredential{Credential: copyCredential(created[i])})
			if i%2 == 1 {
				change.Steps = append([]store.Step{unrevoked(first, by.At)}, change.Steps...)
			}
			late[i] = acknowledged.Load()
			err := e.store.Apply(background, change)
			early[i] = !begun.Load()
			return err
		})
		if err := errs[racers]; err != nil {
			e.Fatalf("the revocation: %v", err)
		}
		var live []string
		for i, c := range created {
			if err := errs[i]; err != nil {
				if problem := notConflict(err, 0); problem != "" || i%2 == 0 || early[i] {
					e.Errorf("Apply of %d: %v", i, err)
				}
				e.missing(space.ID, c.ID)
				continue
			}
			got := e.credential(space.ID, c.ID).Credential
			if got.State == store.StateActive {
				live = append(live, c.ID)
			} else {
				c = revoked(c, by)
			}
			e.equal("a credential", got, c)
			switch active := got.State == store.StateActive; {
			case active && early[i]:
				e.Errorf("%d is active; it was there before the revocation began", i)
			case active && i%2 == 1:
				e.Errorf("%d is active; it was to be created only if its subject was not revoked", i)
			case !active && late[i]:
				e.Errorf("%d is %s; it was created after the revocation was acknowledged", i, got.State)
			}
		}
		e.apply(require(first, live...))
	}
}

// raceRevocations revokes one subject many times at once.
func raceRevocations(e *env) {
	space := e.space()
	for range 5 {
		first := e.session(space.ID)
		all := []store.Credential{first, e.sibling(first), e.sibling(first)}
		for i, err := range together(racers, func(i int) error {
			return e.store.Apply(background, one(revoke(first, fmt.Sprint(i), at(i))))
		}) {
			if err != nil {
				e.Errorf("Apply of %d: %v; want nil, for there is no condition", i, err)
			}
		}
		winner := e.credential(space.ID, first.ID).Credential
		by := revoke(first, winner.Reason, winner.Updated)
		if by.Reason != fmt.Sprint(int(by.At.Sub(at(0)).Hours())) {
			e.Errorf("the reason %q and the time %v are not of one revocation", by.Reason, by.At)
		}
		for _, c := range all {
			e.everywhere("one that was there", revoked(c, by))
		}
		e.everywhere("one that was created after all", e.sibling(first))
		e.refused("the latest", 0, one(unrevoked(first, at(racers-1))))
		e.apply(unrevoked(first, at(racers)))
	}
}
