package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/keyfob-dev/keyfob/store"
)

// A tally counts acknowledged changes.
type tally struct {
	mu      sync.Mutex
	updates map[string]int64 // of each credential, and of the space
	rotated map[string]int64 // of each credential
	claimed map[string]int64 // time steps of each credential
	guesses int64            // of the budget
	events  map[string]bool  // ids
	issued  []string
}

// workload applies changes of many kinds to few credentials, most of which
// conflict, and compares what is stored with what was acknowledged.
func workload(e *env) {
	const workers, changes = 8, 40
	space := e.space()
	var items []store.Item
	e.write(store.Budget{Space: space.ID, Name: "guesses"})
	t := &tally{updates: map[string]int64{}, rotated: map[string]int64{}, claimed: map[string]int64{}, events: map[string]bool{}}
	for range 5 {
		item := e.issue(space.ID)
		items = append(items, item)
		t.issued = append(t.issued, item.Credential.ID)
	}
	for _, event := range e.allEvents(space.ID) {
		t.events[event.ID] = true
	}
	for i, err := range together(workers, func(i int) error {
		random := rand.New(rand.NewPCG(1, uint64(i)))
		for range changes {
			if err := e.work(t, random, space, items[random.IntN(len(items))].Credential.ID); err != nil {
				return err
			}
		}
		return nil
	}) {
		if err != nil {
			e.Errorf("worker %d: %v", i, err)
		}
	}
	e.settle(t, space)
}

// work applies one change. A conflict is no error.
func (e *env) work(t *tally, random *rand.Rand, space store.Space, id string) error {
	item, err := e.store.Credential(background, space.ID, id)
	if err != nil {
		return err
	}
	what := random.IntN(7)
	item, change, err := e.workOn(item, what, random, space)
	if err != nil {
		return err
	}
	err = e.store.Apply(background, copyChange(change))
	if errors.Is(err, store.ErrConflict) {
		return nil
	}
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, event := range change.Events {
		t.events[event.ID] = true
	}
	switch what {
	case 0:
		t.issued = append(t.issued, item.Credential.ID)
		return nil
	case 1:
		t.rotated[id]++
	case 4:
		t.updates[space.ID]++
	case 5:
		t.claimed[id]++
		return nil
	case 6:
		t.guesses++
		return nil
	}
	t.updates[id]++
	return nil
}

// workOn makes one of the changes of a workload, and what the item is then.
func (e *env) workOn(item store.Item, what int, random *rand.Rand, space store.Space) (store.Item, store.Change, error) {
	c := item.Credential
	var change store.Change
	switch what {
	case 0:
		item, change = e.newIssue(space.ID)
	case 1:
		item, change = e.newRotation(item)
	case 2:
		c.State = []store.State{store.StateActive, store.StateSuspended}[random.IntN(2)]
		fallthrough
	case 3:
		c.Reason = fmt.Sprint(random.Uint64())
		change.Steps = []store.Step{store.UpdateCredential{Credential: c}}
		change.Events = []store.Event{e.newEvent(c), e.newEvent(c)}
	case 4:
		stored, err := e.store.Space(background, space.Name)
		if err != nil {
			return item, change, err
		}
		change.Steps = []store.Step{store.UpdateSpace{Space: stored}, store.UpdateCredential{Credential: c}}
		change.Events = []store.Event{e.newEvent(c)}
	case 5:
		change.Steps = []store.Step{claim(c, c.NextStep)}
		change.Events = []store.Event{e.newEvent(c)}
	case 6:
		b, err := e.store.Budget(background, space.ID, "guesses")
		if err != nil {
			return item, change, err
		}
		b.Guesses++
		b.Consecutive++
		change.Steps = []store.Step{store.WriteBudget{Budget: b}}
		change.Events = []store.Event{e.newEvent(c)}
	}
	return item, change, nil
}

// settle compares what is stored with what was acknowledged.
func (e *env) settle(t *tally, space store.Space) {
	e.Helper()
	e.equal("updates of the space", e.spaceNamed(space.Name).Revision-1, t.updates[space.ID])
	items := e.credentials(store.Query{Space: space.ID, Limit: everything})
	e.equal("number of credentials", len(items), len(t.issued))
	for _, id := range t.issued {
		item := e.credential(space.ID, id)
		e.equal("updates of a credential", item.Credential.Revision-1, t.updates[id])
		e.equal("number of the current version", item.Versions[0].Number-1, t.rotated[id])
		e.equal("claimed time steps", item.Credential.NextStep-4, t.claimed[id]) // they begin with 4
		e.equal("id of the current version", item.Versions[0].ID, item.Credential.Current)
	}
	budget := e.budget(space.ID, "guesses")
	e.equal("guesses of the budget", []int64{budget.Guesses, budget.Consecutive, budget.Revision - 1}, slices.Repeat([]int64{t.guesses}, 3))
	events := e.allEvents(space.ID)
	e.equal("number of events", len(events), len(t.events))
	for _, event := range events {
		if !t.events[event.ID] {
			e.Errorf("event %s of a change that was not acknowledged", event.ID)
		}
		delete(t.events, event.ID)
	}
	if len(t.events) > 0 {
		e.Errorf("%d events of acknowledged changes are missing or there twice", len(t.events))
	}
}

func readYourWrites(e *env) {
	const workers, rounds = 8, 12
	space := e.space()
	for i, err := range together(workers, func(int) error {
		for range rounds {
			item, change := e.newIssue(space.ID)
			if err := e.store.Apply(background, change); err != nil {
				return err
			}
			got, err := e.store.Version(background, space.ID, item.Versions[0].ID)
			if err != nil {
				return err
			}
			if got.Credential.ID != item.Credential.ID {
				return fmt.Errorf("version of %s; want one of %s", got.Credential.ID, item.Credential.ID)
			}
			c := copyCredential(item.Credential)
			c.State = store.StateRevoked
			update := store.Change{Steps: []store.Step{store.UpdateCredential{Credential: c}}}
			if err := e.store.Apply(background, update); err != nil {
				return err
			}
			got, err = e.store.Version(background, space.ID, item.Versions[0].ID)
			if err != nil || got.Credential.State != store.StateRevoked {
				return fmt.Errorf("a revoked credential is %s: %w", got.Credential.State, err)
			}
		}
		return nil
	}) {
		if err != nil {
			e.Errorf("worker %d: %v", i, err)
		}
	}
}

// A pair is two credentials that are rotated at once, in one change with two
// events, and both named after the number of their current version: readers
// must never see one without the other, nor a part of either.
type pair struct {
	*env
	space string
	items [2]store.Item
	first string       // id of the first version of one of them
	reads atomic.Int64 // how many rounds of all reads have been made
	done  atomic.Bool  // no more changes will come
}

func wholeReads(e *env) {
	const readers = 4
	space := e.space()
	p := &pair{env: e, space: space.ID, items: [2]store.Item{e.issue(space.ID), e.issue(space.ID)}}
	for i := range p.items {
		c := &p.items[i].Credential
		c.Name = fmt.Sprint(p.items[i].Versions[0].Number)
		e.apply(store.UpdateCredential{Credential: copyCredential(*c)})
		c.Revision++
	}
	ids := [2]string{p.items[0].Credential.ID, p.items[1].Credential.ID}
	p.first = p.items[0].Versions[0].ID
	for i, err := range together(readers+1, func(i int) error {
		if i == 0 {
			defer p.done.Store(true)
			return p.write(readers * 50)
		}
		var events eventCount
		for last := false; !last; { // once more after the last change
			last = p.done.Load()
			if err := p.read(ids, &events); err != nil {
				return err
			}
			p.reads.Add(1)
		}
		return nil
	}) {
		if err != nil {
			e.Errorf("goroutine %d: %v", i, err)
		}
	}
}

// write rotates both credentials again and again, until others have read enough
// meanwhile.
func (p *pair) write(enough int64) error {
	const least, most = 40, 200
	for n := 0; n < least || n < most && p.reads.Load() < enough; n++ {
		var change store.Change
		for i, item := range p.items {
			next, rotation := p.newRotation(item)
			next.Credential.Name = fmt.Sprint(next.Versions[0].Number)
			update := copyCredential(next.Credential)
			update.Revision--
			rotation.Steps[1] = store.UpdateCredential{Credential: update}
			change.Steps = append(change.Steps, rotation.Steps...)
			change.Events = append(change.Events, rotation.Events...)
			p.items[i] = next
		}
		if err := p.store.Apply(background, change); err != nil {
			return err
		}
		runtime.Gosched()
	}
	return nil
}

// An eventCount is how far a reader has followed the events.
type eventCount struct {
	n     int
	after int64
}

// read makes each read of the credentials with these ids.
func (p *pair) read(ids [2]string, count *eventCount) error {
	item, err := p.store.Credential(background, p.space, ids[0])
	if err != nil {
		return err
	}
	if err := consistent(item); err != nil {
		return fmt.Errorf("one credential: %w", err)
	}
	events, err := p.store.Events(background, store.EventQuery{Space: p.space, After: count.after, Limit: everything})
	if err != nil {
		return err
	}
	if count.n += len(events); len(events) > 0 {
		count.after = events[len(events)-1].Number
	}
	if count.n%2 != 0 || int64(count.n) < 2*item.Versions[0].Number {
		return fmt.Errorf("%d events when both credentials have version %d", count.n, item.Versions[0].Number)
	}
	versions, err := p.store.Versions(background, p.space, ids[0])
	if err != nil || int64(len(versions)) < item.Versions[0].Number {
		return fmt.Errorf("%d versions when the credential has %d: %w", len(versions), item.Versions[0].Number, err)
	}
	for i, v := range versions {
		if newest := i == len(versions)-1; v.Number != int64(i+1) || v.Ends.IsZero() != newest {
			return fmt.Errorf("half a change: of %d versions the one of %d ends at %v", len(versions), v.Number, v.Ends)
		}
	}
	items, err := p.store.Credentials(background, store.Query{Space: p.space, Limit: 3})
	if err != nil {
		return err
	}
	if len(items) != 2 || items[0].Credential.Name != items[1].Credential.Name {
		return fmt.Errorf("a list with half a change: %v", items)
	}
	for _, item := range items {
		if err := consistent(item); err != nil {
			return fmt.Errorf("one of a list: %w", err)
		}
	}
	for _, id := range []string{p.first, item.Credential.Current} {
		found, err := p.store.Version(background, p.space, id)
		if err != nil {
			return err
		}
		isCurrent := found.Credential.Current == found.Version.ID
		if isCurrent != found.Version.Ends.IsZero() {
			return fmt.Errorf("half a change: version %d ends at %v when the credential's name is %s",
				found.Version.Number, found.Version.Ends, found.Credential.Name)
		}
	}
	return nil
}

// consistent reports what is wrong with one of the two credentials.
func consistent(item store.Item) error {
	c, versions := item.Credential, item.Versions
	ok := len(versions) > 0 && versions[0].ID == c.Current && versions[0].Ends.IsZero() &&
		fmt.Sprint(versions[0].Number) == c.Name && c.Revision == versions[0].Number+1
	if ok && c.Previous != "" {
		ok = len(versions) == 2 && versions[1].ID == c.Previous && !versions[1].Ends.IsZero()
	}
	if !ok {
		return fmt.Errorf("half a change: %v", item)
	}
	return nil
}

// followEvents reads the events from where it left off, over and over, while
// others append: order of numbers must be order of commits, or it would pass an
// event by that was numbered before another and committed after it.
func followEvents(e *env) {
	const workers, changes = 8, 20
	space := e.space()
	c := e.newCredential(space.ID)
	var working atomic.Int32
	working.Store(workers)
	var followed []store.Event
	for i, err := range together(workers+1, func(i int) error {
		if i > 0 {
			defer working.Add(-1)
			for range changes {
				change := store.Change{Events: []store.Event{e.newEvent(c), e.newEvent(c)}}
				if err := e.store.Apply(background, change); err != nil {
					return err
				}
			}
			return nil
		}
		query := store.EventQuery{Space: space.ID, Limit: 3}
		for last := false; ; {
			page, err := e.store.Events(background, query)
			if err != nil {
				return err
			}
			followed = append(followed, page...)
			switch {
			case len(page) > 0 && page[0].Number <= query.After:
				return fmt.Errorf("event %d after number %d", page[0].Number, query.After)
			case len(page) > 0:
				query.After = page[len(page)-1].Number
			case last:
				return nil
			default:
				last = working.Load() == 0
			}
		}
	}) {
		if err != nil {
			e.Errorf("goroutine %d: %v", i, err)
		}
	}
	all := e.allEvents(space.ID)
	e.equal("number of events", len(all), 2*workers*changes)
	e.equal("the events that the follower saw", followed, all)
}
