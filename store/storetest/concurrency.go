package storetest

import (
	"fmt"
	"sync"

	"github.com/keyfob-dev/keyfob/store"
)

// concurrencyChecks are the sentences of the paragraph Concurrency.
var concurrencyChecks = group{"Concurrency", []check{
	{"of updates at one revision exactly one is applied", raceUpdates},
	{"of spaces of one name exactly one is created", raceSpaces},
	{"of credentials of one id exactly one is created", raceCredentials},
	{"of versions of one number exactly one is created", raceVersions},
	{"of ends of one version exactly one is applied", raceEnds},
	{"of settings of one name exactly one is created", raceSettings},
	{"of final states exactly one is reached", raceFinal},
	{"of changes that cross exactly one is applied", raceCrossing},
	{"of the uses of what may be used once exactly one is applied", raceUses},
	{"of many uses as many are applied as there may be", raceManyUses},
	{"no use is applied after a revocation was acknowledged", raceRevocation},
	{"of deletions exactly one is applied, and nothing is left", raceDeletes},
	{"records of use do not lose one another", raceRecords},
	{"of seals after one head exactly one is applied", raceSeals},
	{"of several sealers none breaks the chain", raceSealers},
	{"of new marks exactly one is set, and none is lower than it was raised to", raceMarks},
	{"of replays of one name exactly one is created", raceReplays},
	{"of claims of one time step exactly one is applied", raceClaims},
	{"of claims of several time steps each is applied once at most", raceSteps},
	{"of changes that require the same live credentials exactly one is applied", raceLive},
	{"of changes that each make what the other requires not to be one side is applied", raceLiveCrossing},
	{"there are never more live credentials than the changes allow", raceRoom},
	{"of redemptions exactly one is applied", raceRedeem},
	{"of writes of a budget at one revision exactly one is applied", raceBudgets},
	{"of guesses that a budget counts none is lost", raceGuesses},
	{"of touches of one Seen exactly one is applied", raceTouches},
	{"no touch is applied after the revocation of a subject was acknowledged", raceTouchRevoke},
	{"no update is applied after the revocation of a subject was acknowledged", raceUpdateRevoke},
	{"what is created while its subject is revoked is revoked, or was created later", raceCreateRevoke},
	{"of revocations of one subject all are applied, and the first one counts", raceRevocations},
	{"changes that do not concern one another are all applied", noRace},
	{"acknowledged changes are what is stored", workload},
	{"a read that begins after Apply has returned sees the change", readYourWrites},
	{"reads see whole changes only", wholeReads},
	{"whoever follows the events misses none", followEvents},
	{"whoever follows the events of all spaces misses none", followAll},
}}

// racers is how many goroutines race for one thing.
const racers = 64

// together calls fn from n goroutines at once and returns what it returned.
func together(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	begin := make(chan struct{})
	var ready, done sync.WaitGroup
	for i := range n {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-begin
			errs[i] = fn(i)
		})
	}
	ready.Wait()
	close(begin)
	done.Wait()
	return errs
}

// race applies changes at once of which exactly one can be applied, each with
// an event in the space, and returns its index. All others must conflict at
// their first step and leave nothing.
func (e *env) race(space string, changes []store.Change) int {
	e.Helper()
	events := make([]store.Event, len(changes))
	for i := range changes {
		events[i] = e.newEvent(store.Credential{Space: space})
		changes[i].Events = []store.Event{copyEvent(events[i])}
	}
	before := len(e.allEvents(space))
	winner, won := 0, 0
	for i, err := range together(len(changes), func(i int) error {
		return e.store.Apply(background, changes[i])
	}) {
		if err == nil {
			winner = i
			won++
		} else if problem := notConflict(err, 0); problem != "" {
			e.Errorf("Apply of %d: %s", i, problem)
		}
	}
	if won != 1 {
		e.Fatalf("%d of %d changes that exclude one another were applied; want 1", won, len(changes))
	}
	after := e.allEvents(space)
	e.equal("the new events", numberless(last(after, len(after)-before)), events[winner:winner+1])
	return winner
}

func raceUpdates(e *env) {
	space := e.space()
	item := e.issue(space.ID)
	for range 6 {
		changes := make([]store.Change, racers)
		for i := range changes {
			c := copyCredential(item.Credential)
			c.Name = fmt.Sprint("racer ", i)
			changes[i].Steps = []store.Step{store.UpdateCredential{Credential: c}}
		}
		item.Credential.Name = fmt.Sprint("racer ", e.race(space.ID, changes))
		item.Credential.Revision++
		e.equal("the credential", e.credential(space.ID, item.Credential.ID), item)
	}
	for range 2 {
		changes := make([]store.Change, racers)
		for i := range changes {
			update := space
			update.Prefix = fmt.Sprint("racer", i)
			changes[i].Steps = []store.Step{store.UpdateSpace{Space: update}}
		}
		space.Prefix = fmt.Sprint("racer", e.race(space.ID, changes))
		space.Revision++
		e.equal("the space", e.spaceNamed(space.Name), space)
	}
}

func raceSpaces(e *env) {
	events := e.space()
	for _, same := range []string{"name", "id"} {
		changes := make([]store.Change, racers)
		spaces := make([]store.Space, racers)
		for i := range changes {
			spaces[i] = e.newSpace()
			if same == "name" {
				spaces[i].Name = spaces[0].Name
			} else {
				spaces[i].ID = spaces[0].ID
			}
			changes[i].Steps = []store.Step{store.CreateSpace{Space: spaces[i]}}
		}
		winner := e.race(events.ID, changes)
		for i, space := range spaces {
			switch got, err := e.store.Space(background, space.Name); {
			case i == winner || same == "name":
				e.equal("the space", got, spaces[winner])
			case !isNotFound(err):
				e.Errorf("Space of a loser: %v; want ErrNotFound", err)
			}
		}
	}
}

func raceCredentials(e *env) {
	space := e.space()
	changes := make([]store.Change, racers)
	items := make([]store.Item, racers)
	for i := range changes {
		item, _ := e.newIssue(space.ID)
		if i > 0 {
			item.Credential.ID = items[0].Credential.ID
			item.Versions[0].Credential = item.Credential.ID
		}
		items[i] = item
		changes[i].Steps = []store.Step{
			store.CreateCredential{Credential: copyCredential(item.Credential)},
			store.CreateVersion{Version: copyVersion(item.Versions[0])},
		}
	}
	winner := e.race(space.ID, changes)
	e.equal("the credential", e.credential(space.ID, items[0].Credential.ID), items[winner])
	for i, item := range items {
		if _, err := e.store.Version(background, space.ID, item.Versions[0].ID); i != winner && !isNotFound(err) {
			e.Errorf("Version of a loser: %v; want ErrNotFound", err)
		}
	}
}

func raceVersions(e *env) {
	space := e.space()
	item := e.issue(space.ID)
	for _, same := range []string{"number", "id"} {
		changes := make([]store.Change, racers)
		versions := make([]store.Version, racers)
		for i := range changes {
			v := e.newVersion(item.Credential, 2)
			if same == "id" {
				v.Number = int64(10 + i)
				if i > 0 {
					v.ID = versions[0].ID
				}
			}
			versions[i] = v
			changes[i].Steps = []store.Step{store.CreateVersion{Version: copyVersion(v)}}
		}
		winner := e.race(space.ID, changes)
		e.equal("the version", e.version(space.ID, versions[winner].ID).Version, versions[winner])
	}
}

func raceEnds(e *env) {
	space := e.space()
	v := e.issue(space.ID).Versions[0]
	for range 3 {
		changes := make([]store.Change, racers)
		ends := make([]store.EndVersion, racers)
		for i := range changes {
			ends[i] = store.EndVersion{Space: space.ID, ID: v.ID, Was: v.Ends, Ends: e.now()}
			changes[i].Steps = []store.Step{ends[i]}
		}
		v.Ends = ends[e.race(space.ID, changes)].Ends
		e.equal("the version", e.version(space.ID, v.ID).Version, v)
	}
}

func raceSettings(e *env) {
	space := e.space()
	setting := e.newSetting()
	changes := make([]store.Change, racers)
	for i := range changes {
		changes[i].Steps = []store.Step{store.CreateSetting{Name: setting.Name, Value: fmt.Append(nil, i)}}
	}
	winner := e.race(space.ID, changes)
	e.equal("the setting", string(e.setting(setting.Name)), fmt.Sprint(winner))
}

func raceFinal(e *env) {
	space := e.space()
	for range 3 {
		c := e.issue(space.ID).Credential
		changes := make([]store.Change, racers)
		states := []store.State{store.StateRedeemed, store.StateReplaced, store.StateRevoked}
		for i := range changes {
			// One of two guesses of the revision is wrong until another has won.
			next := copyCredential(c)
			next.State = states[i%3]
			next.Revision += int64(i % 2)
			changes[i].Steps = []store.Step{store.UpdateCredential{Credential: next}}
		}
		winner := e.race(space.ID, changes)
		c.State = states[winner%3]
		c.Revision++
		e.equal("the credential", e.credential(space.ID, c.ID).Credential, c)
	}
}

func raceCrossing(e *env) {
	space := e.space()
	items := []store.Item{e.issue(space.ID), e.issue(space.ID), e.issue(space.ID)}
	for range 4 {
		changes := make([]store.Change, racers)
		for i := range changes { // each in another order
			for j := range items {
				c := copyCredential(items[(i+j*(1+i%2))%3].Credential)
				c.Name = fmt.Sprint("racer ", i)
				changes[i].Steps = append(changes[i].Steps, store.UpdateCredential{Credential: c})
			}
		}
		name := fmt.Sprint("racer ", e.race(space.ID, changes))
		for i := range items {
			items[i].Credential.Name = name
			items[i].Credential.Revision++
			e.equal("a credential", e.credential(space.ID, items[i].Credential.ID), items[i])
		}
	}
}

func noRace(e *env) {
	space := e.space()
	items, changes := make([]store.Item, racers), make([]store.Change, racers)
	for i := range changes {
		items[i], changes[i] = e.newIssue(space.ID)
	}
	for i, err := range together(racers, func(i int) error { return e.store.Apply(background, changes[i]) }) {
		if err != nil {
			e.Errorf("Apply of %d: %v", i, err)
			continue
		}
		e.equal("the credential", e.credential(space.ID, items[i].Credential.ID), items[i])
	}
	e.equal("number of events", len(e.allEvents(space.ID)), racers)
}
