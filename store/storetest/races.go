package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// useRounds is how often the race for a last use is run.
const useRounds = 200

// raceUses races for the one use of a credential, again and again.
func raceUses(e *env) {
	space := e.space()
	for round := range useRounds {
		c := e.limited(space.ID, 1)
		won := 0
		for i, err := range together(racers, func(int) error { return e.store.Apply(background, one(use(c))) }) {
			if err == nil {
				won++
			} else if problem := notConflict(err, 0); problem != "" {
				e.Errorf("Apply of %d: %s", i, problem)
			}
		}
		if won != 1 {
			e.Fatalf("round %d: %d of %d uses were applied; want 1", round, won, racers)
		}
		e.equal("Used", e.credential(space.ID, c.ID).Credential.Used, int64(1))
	}
}

// raceManyUses uses a credential until it is used up, each goroutine several
// times, and reads Used meanwhile.
func raceManyUses(e *env) {
	const uses, each = 50, 4
	space := e.space()
	c := e.limited(space.ID, uses)
	var won atomic.Int64
	for _, err := range together(racers, func(int) error {
		for range each {
			acknowledged := won.Load()
			found, err := e.store.Version(background, space.ID, c.Current)
			if err != nil {
				return err
			}
			if used := found.Credential.Used; used < acknowledged || used > uses {
				return fmt.Errorf("a read has Used %d when %d uses of %d were acknowledged before", used, acknowledged, uses)
			}
			change := one(use(c))
			change.Events = []store.Event{e.newEvent(c)}
			switch err := e.store.Apply(background, change); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, store.ErrConflict):
				return err
			}
		}
		return nil
	}) {
		if err != nil {
			e.Error(err)
		}
	}
	e.equal("uses that were applied", won.Load(), int64(uses))
	c.Used = uses
	e.equal("the credential", e.credential(space.ID, c.ID).Credential, c)
	e.equal("events of uses", len(e.allEvents(space.ID)), uses+1)
}

// raceRevocation uses a credential from several goroutines while it is revoked:
// once that is acknowledged, no use may be.
func raceRevocation(e *env) {
	const rounds, users, each = 20, 8, 30
	space := e.space()
	total := 0
	for range rounds {
		c := e.limited(space.ID, 1<<40)
		revoked := copyCredential(c)
		revoked.State = store.StateRevoked
		var acknowledged atomic.Bool
		var applied, begun atomic.Int64
		for _, err := range together(users+1, func(i int) error {
			if i == users {
				for begun.Load() < users {
					if _, err := e.store.Version(background, space.ID, c.Current); err != nil {
						return err
					}
				}
				err := e.store.Apply(background, one(store.UpdateCredential{Credential: revoked}))
				acknowledged.Store(err == nil)
				return err
			}
			for n := 0; n < each; n++ {
				late := acknowledged.Load()
				err := e.store.Apply(background, one(use(c)))
				begun.Add(1)
				switch {
				case err == nil && late:
					return errors.New("a use was applied that began after the revocation was acknowledged")
				case err == nil:
					applied.Add(1)
				case !errors.Is(err, store.ErrConflict):
					return err
				case late:
					return nil
				}
			}
			return nil
		}) {
			if err != nil {
				e.Error(err)
			}
		}
		got := e.credential(space.ID, c.ID).Credential
		e.equal("State", got.State, store.StateRevoked)
		e.equal("Used", got.Used, applied.Load())
		e.refused("a use after the revocation", 0, one(use(c)))
		total += int(applied.Load())
	}
	e.Logf("%d uses were applied before %d revocations", total, rounds)
}

// raceDeletes removes a credential while others use it, update it and give it
// versions: what was acknowledged came before, and nothing is left.
func raceDeletes(e *env) {
	space := e.space()
	for range 6 {
		item := e.issue(space.ID)
		c := item.Credential
		changes := make([]store.Change, racers)
		for i := range changes {
			changes[i] = one(store.DeleteCredential{Space: space.ID, ID: c.ID, Revision: 1})
		}
		e.race(space.ID, changes)
		e.missing(space.ID, c.ID)

		item = e.issue(space.ID)
		c = item.Credential
		var versions []store.Version
		for i := range racers {
			versions = append(versions, e.newVersion(c, int64(i+2)))
		}
		for i, err := range together(racers, func(i int) error {
			switch i % 4 {
			case 0:
				return e.store.Apply(background, one(store.DeleteCredential{Space: space.ID, ID: c.ID, Revision: 1}))
			case 1:
				return e.store.Apply(background, one(store.CreateVersion{Version: versions[i]}))
			case 2:
				return e.store.Apply(background, one(use(c)))
			}
			return e.store.Apply(background, one(store.RecordUse{
				Space: space.ID, Version: c.Current, Address: fmt.Sprint(i), First: at(1), Last: at(2),
			}))
		}) {
			if err != nil && notConflict(err, 0) != "" {
				e.Errorf("Apply of %d: %v", i, err)
			}
		}
		for _, v := range append(versions, item.Versions...) {
			e.missing(space.ID, v.ID)
			e.equal("uses", len(e.uses(space.ID, v.ID)), 0)
		}
	}
}

// raceRecords records uses of one version from many addresses at once.
func raceRecords(e *env) {
	space := e.space()
	item := e.issue(space.ID)
	v := item.Versions[0].ID
	for i, err := range together(racers, func(i int) error {
		for n := range 3 {
			err := e.store.Apply(background, one(store.RecordUse{
				Space: space.ID, Version: v, Address: fmt.Sprintf("192.0.2.%d", 100+i%32),
				First: at(i - n), Last: at(100 + i - n),
			}))
			if err != nil {
				return err
			}
		}
		return nil
	}) {
		if err != nil {
			e.Errorf("Apply of %d: %v", i, err)
		}
	}
	found := e.version(space.ID, v).Version
	e.equal("FirstUsed", found.FirstUsed, at(-2))
	e.equal("LastUsed", found.LastUsed, at(100+racers-1))
	uses := e.uses(space.ID, v)
	e.equal("number of addresses", len(uses), store.MaxAddresses)
	for i, u := range uses { // the last used of all come to stay, whatever was before
		e.equal("an address", u.Address, fmt.Sprintf("192.0.2.%d", 131-i))
		e.equal("its Last", u.Last, at(100+racers-1-i))
	}
}

// raceSealers seals the events of two spaces from several goroutines, while
// others append more.
func raceSealers(e *env) {
	e = e.with(e.open())
	const sealers, writers, changes = 4, 3, 12
	spaces := []store.Space{e.space(), e.space()}
	var writing atomic.Int32
	writing.Store(writers)
	var lost atomic.Int64
	for i, err := range together(sealers+writers, func(i int) error {
		if i < writers {
			defer writing.Add(-1)
			for n := range changes {
				c := store.Credential{Space: spaces[(i+n)%2].ID}
				change := store.Change{Events: []store.Event{e.newEvent(c), e.newEvent(c)}}
				if err := e.store.Apply(background, change); err != nil {
					return err
				}
			}
			return nil
		}
		for last := false; ; {
			n, err := e.sealSome(5, &lost)
			if err != nil {
				return err
			}
			if n == 0 && last {
				return nil
			}
			last = n == 0 && writing.Load() == 0
		}
	}) {
		if err != nil {
			e.Errorf("goroutine %d: %v", i, err)
		}
	}
	for _, space := range spaces {
		events := e.allEvents(space.ID)
		e.equal("number of events", len(events), writers*changes)
		seen := map[int64]bool{}
		for _, event := range events {
			if event.Seq < 1 || event.Seq > int64(len(events)) || seen[event.Seq] || string(event.Link) != event.ID {
				e.Errorf("event %d of %d has Seq %d and link %q", event.Number, len(events), event.Seq, event.Link)
			}
			seen[event.Seq] = true
			if head := e.head(space.ID); event.Seq == head.Seq {
				e.equal("the link of the head", string(head.Link), event.ID)
			}
		}
		e.equal("Seq of the head", e.head(space.ID).Seq, int64(len(events)))
	}
	e.Logf("%d seals were refused", lost.Load())
}

// sealSome seals up to limit events that are not sealed, each with its own id as
// its link, and returns how many there were to seal.
func (e *env) sealSome(limit int, lost *atomic.Int64) (int, error) {
	events, err := e.store.Unsealed(background, limit)
	if err != nil || len(events) == 0 {
		return 0, err
	}
	space := events[0].Space
	head, err := e.store.Head(background, space)
	if err != nil {
		return 0, err
	}
	s := store.SealEvents{Space: space, After: head.Seq}
	for _, event := range events {
		if event.Space == space {
			s.Seals = append(s.Seals, store.Seal{Event: event.Number, Link: []byte(event.ID)})
		}
	}
	err = e.store.Apply(background, one(s))
	if errors.Is(err, store.ErrConflict) {
		lost.Add(1)
		err = nil
	}
	return len(events), err
}

// raceSeals has sealers write the same link at once.
func raceSeals(e *env) {
	space := e.space()
	e.record(e.newCredential(space.ID), 3)
	for after := range int64(3) {
		events := e.allEvents(space.ID)
		changes := make([]store.Change, racers)
		seals := make([]store.SealEvents, racers)
		for i := range changes {
			seals[i] = e.newSeals(space.ID, after, events[after].Number)
			changes[i] = one(seals[i])
		}
		winner := seals[e.race(space.ID, changes)]
		e.equal("Head", e.head(space.ID), store.Head{Seq: after + 1, Link: winner.Seals[0].Link})
		e.equal("Link", e.allEvents(space.ID)[after].Link, winner.Seals[0].Link)
	}
}

// followAll reads the events of all spaces from where it left off, over and over,
// while others append to two of them, as caches do on other machines.
func followAll(e *env) {
	e = e.with(e.open())
	const workers, changes = 6, 20
	spaces := []store.Space{e.space(), e.space()}
	var working atomic.Int32
	working.Store(workers)
	var followed []store.Event
	for i, err := range together(workers+1, func(i int) error {
		if i > 0 {
			defer working.Add(-1)
			for n := range changes {
				a, b := store.Credential{Space: spaces[n%2].ID}, store.Credential{Space: spaces[(n+i)%2].ID}
				change := store.Change{Events: []store.Event{e.newEvent(a), e.newEvent(b)}}
				if err := e.store.Apply(background, change); err != nil {
					return err
				}
			}
			return nil
		}
		for after, done := int64(0), false; !done; { // once more after the last change
			done = working.Load() == 0
			last, err := e.store.LastEvent(background)
			if err != nil {
				return err
			}
			for after < last {
				page, err := e.store.EventsAfter(background, after, 7)
				if err != nil || len(page) == 0 {
					return fmt.Errorf("no events after %d when the last is %d: %w", after, last, err)
				}
				followed = append(followed, page...)
				after = page[len(page)-1].Number
			}
		}
		return nil
	}) {
		if err != nil {
			e.Errorf("goroutine %d: %v", i, err)
		}
	}
	e.equal("number of events", len(followed), 2*workers*changes)
	e.equal("the events that the follower saw", followed, e.eventsAfter(0, everything))
}

func raceMarks(e *env) {
	e = e.with(e.open())
	events := e.space()
	was := time.Time{}
	for round := range 3 {
		to := func(i int) time.Time { return at(-1000*round + i) }
		changes := make([]store.Change, racers)
		for i := range changes {
			changes[i] = one(store.SetMark{Was: was, To: to(i)})
		}
		was = to(e.race(events.ID, changes))
		e.equal("the mark", e.mark(), was)
	}
	for _, err := range together(racers, func(i int) error {
		to := at(100 + i*7%racers)
		if err := e.store.Apply(background, one(store.RaiseMark{To: to})); err != nil {
			return err
		}
		if got, err := e.store.Mark(background); err != nil || got.Before(to) {
			return fmt.Errorf("the mark is %v after it was raised to %v: %w", got, to, err)
		}
		return nil
	}) {
		if err != nil {
			e.Error(err)
		}
	}
	e.equal("the mark", e.mark(), at(100+racers-1))
}

func raceReplays(e *env) {
	space := e.space()
	for range 3 {
		name := e.newReplay(space.ID).Name
		changes := make([]store.Change, racers)
		replays := make([]store.Replay, racers)
		for i := range changes {
			replays[i] = store.Replay{Space: space.ID, Name: name, Sealed: fmt.Append(nil, i), Expires: at(i)}
			changes[i] = one(store.CreateReplay{Replay: copyReplay(replays[i])})
		}
		e.equal("the replay", replays[e.race(space.ID, changes)], e.replay(space.ID, name))
	}
}
