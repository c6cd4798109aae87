package storetest

import (
	"bytes"
	"crypto/sha256"
	"maps"
	"slices"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// id makes an id.
func (e *env) id() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	id := e.unique()
	e.ids = append(e.ids, id)
	return id
}

// start is when the records of the checks begin. It has milliseconds.
var start = time.Date(2026, time.March, 4, 5, 6, 7, 89e6, time.UTC)

// now is a clock that moves on by a millisecond each time.
func (e *env) now() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.made++
	return start.Add(time.Duration(e.made) * time.Millisecond)
}

// ownName begins the names of spaces of all checks that do not care.
const ownName = "space "

// newSpace makes a space, which the store does not have yet.
func (e *env) newSpace() store.Space {
	id, now := e.id(), e.now()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.spaces = append(e.spaces, id)
	e.names = append(e.names, ownName+id)
	return store.Space{ID: id, Name: ownName + id, Prefix: "acme_live", Revision: 1, Created: now}
}

// newCredential makes a credential with all fields but Current and Previous.
func (e *env) newCredential(space string) store.Credential {
	id, now := e.id(), e.now()
	return store.Credential{
		ID: id, Space: space, Kind: store.KindAPIKey,
		Subject: "subject of " + id, Purpose: "purpose of " + id, Binding: "binding of " + id,
		Name:       "name of " + id,
		Scopes:     []string{"write", "read", "read"},
		Attributes: map[string]string{"team": "blue", "id": id},
		NotBefore:  now.Add(-time.Hour),
		Expires:    now.Add(24 * time.Hour),
		CIDRs:      []string{"192.0.2.0/24", "2001:db8::/32"},
		Uses:       9, Used: 2, NextStep: 4,
		Limit: store.Limit{Rate: 100, Per: 1500 * time.Millisecond, Burst: 20},
		Idle:  1500 * time.Millisecond, Seen: now.Add(2 * time.Minute),
		Updated: now.Add(time.Minute),
		State:   store.StateActive, Reason: "reason of " + id, Revision: 1, Created: now,
	}
}

// newVersion makes a version of a credential, which has no end.
func (e *env) newVersion(c store.Credential, number int64) store.Version {
	id := e.id()
	digest := sha256.Sum256([]byte("digest of " + id))
	sealed := []byte("sealed secret of " + id)
	return store.Version{
		ID: id, Credential: c.ID, Space: c.Space, Number: number, Prefix: "acme_live",
		Digest: digest[:], Sealed: sealed, RootKey: 3, Created: e.now(),
	}
}

// newEvent makes an event about a credential.
func (e *env) newEvent(c store.Credential) store.Event {
	id := e.id()
	mac := sha256.Sum256([]byte("mac of " + id))
	return store.Event{
		ID: id, Space: c.Space, Time: e.now(), Actor: "actor of " + id, Type: "apikey.issued",
		Credential: c.ID, Version: c.Current, Subject: c.Subject, Reason: "reason of " + id,
		RootKey: 2, MAC: mac[:],
	}
}

// newSetting makes a setting, which the store does not have yet.
func (e *env) newSetting() store.CreateSetting {
	name := "setting " + e.id()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.settings = append(e.settings, name)
	return store.CreateSetting{Name: name, Value: []byte("value of " + name)}
}

// newReplay makes a replay, which the store does not have yet.
func (e *env) newReplay(space string) store.Replay {
	name, now := "replay "+e.id(), e.now()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.replays = append(e.replays, name)
	return store.Replay{
		Space: space, Name: name, Request: []byte("request of " + name), Sealed: []byte("answer of " + name),
		Expires: now.Add(10 * time.Minute),
	}
}

// newBudget makes a budget, which the store does not have yet: its revision is 0.
func (e *env) newBudget(space string) store.Budget {
	name, now := "budget "+e.id(), e.now()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.budgets = append(e.budgets, name)
	return store.Budget{
		Space: space, Name: name, Window: now, Guesses: 3, Consecutive: 5, Last: now.Add(time.Second),
		Expires: now.Add(24 * time.Hour),
	}
}

// newSeals makes the step that seals the events with these numbers.
func (e *env) newSeals(space string, after int64, numbers ...int64) store.SealEvents {
	s := store.SealEvents{Space: space, After: after}
	for _, number := range numbers {
		link := sha256.Sum256([]byte("link of " + e.id()))
		s.Seals = append(s.Seals, store.Seal{Event: number, Link: link[:]})
	}
	return s
}

// newIssue makes a credential with its first version, and the change that
// creates both and tells of it by an event.
func (e *env) newIssue(space string) (store.Item, store.Change) {
	c := e.newCredential(space)
	v := e.newVersion(c, 1)
	c.Current = v.ID
	item := store.Item{Credential: c, Versions: []store.Version{v}}
	return item, store.Change{
		Steps: []store.Step{
			store.CreateCredential{Credential: copyCredential(c)},
			store.CreateVersion{Version: copyVersion(v)},
		},
		Events: []store.Event{e.newEvent(c)},
	}
}

// newRotation makes the change that gives the credential of an item a new
// version and ends the one before it, and what the item is then.
func (e *env) newRotation(item store.Item) (store.Item, store.Change) {
	c, old := copyCredential(item.Credential), copyVersion(item.Versions[0])
	v := e.newVersion(c, old.Number+1)
	c.Current, c.Previous = v.ID, old.ID
	was := old.Ends
	old.Ends = e.now()
	event := e.newEvent(c)
	event.Type = "apikey.rotated"
	change := store.Change{
		Steps: []store.Step{
			store.CreateVersion{Version: copyVersion(v)},
			store.UpdateCredential{Credential: copyCredential(c)},
			store.EndVersion{Space: c.Space, ID: old.ID, Was: was, Ends: old.Ends},
		},
		Events: []store.Event{event},
	}
	c.Revision++
	return store.Item{Credential: c, Versions: []store.Version{v, old}}, change
}

// The copies share no memory with what they were made from, and are as a store
// returns it: without empty slices and maps.

func copyCredential(c store.Credential) store.Credential {
	c.Scopes, c.Attributes, c.CIDRs = slices.Clone(c.Scopes), maps.Clone(c.Attributes), slices.Clone(c.CIDRs)
	if len(c.Scopes) == 0 {
		c.Scopes = nil
	}
	if len(c.CIDRs) == 0 {
		c.CIDRs = nil
	}
	if len(c.Attributes) == 0 {
		c.Attributes = nil
	}
	return c
}

func copyVersion(v store.Version) store.Version {
	v.Digest, v.Sealed = copyBytes(v.Digest), copyBytes(v.Sealed)
	return v
}

func copyItem(item store.Item) store.Item {
	versions := item.Versions
	item = store.Item{Credential: copyCredential(item.Credential)}
	for _, v := range versions {
		item.Versions = append(item.Versions, copyVersion(v))
	}
	return item
}

func copyEvent(e store.Event) store.Event {
	e.MAC, e.Link = copyBytes(e.MAC), copyBytes(e.Link)
	return e
}

func copyReplay(r store.Replay) store.Replay {
	r.Request, r.Sealed = copyBytes(r.Request), copyBytes(r.Sealed)
	return r
}

func copyEvents(events []store.Event) []store.Event {
	var copies []store.Event
	for _, e := range events {
		copies = append(copies, copyEvent(e))
	}
	return copies
}

func copyBytes(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return bytes.Clone(b)
}

// copyStep copies a step.
func copyStep(step store.Step) store.Step {
	switch s := step.(type) {
	case store.CreateCredential:
		return store.CreateCredential{Credential: copyCredential(s.Credential)}
	case store.UpdateCredential:
		return store.UpdateCredential{Credential: copyCredential(s.Credential)}
	case store.CreateVersion:
		return store.CreateVersion{Version: copyVersion(s.Version)}
	case store.CreateSetting:
		return store.CreateSetting{Name: s.Name, Value: copyBytes(s.Value)}
	case store.SealEvents:
		s.Seals = slices.Clone(s.Seals)
		for i := range s.Seals {
			s.Seals[i].Link = copyBytes(s.Seals[i].Link)
		}
		return s
	case store.RequireLive:
		s.IDs = slices.Clone(s.IDs)
		return s
	case store.CreateReplay:
		return store.CreateReplay{Replay: copyReplay(s.Replay)}
	}
	return step // holds no slice and no map
}

// copyChange copies a change.
func copyChange(change store.Change) store.Change {
	copied := store.Change{Events: copyEvents(change.Events)}
	for _, step := range change.Steps {
		copied.Steps = append(copied.Steps, copyStep(step))
	}
	return copied
}
