package storetest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// A model is a store that is too slow and too simple to be wrong: slices that
// are searched from the start, and copied before a change is tried.
type model struct {
	spaces      []store.Space
	credentials []store.Credential
	versions    []store.Version
	settings    []store.CreateSetting
	events      []store.Event
	uses        []versionUse
	heads       map[string]store.Head
	replays     []store.Replay
	budgets     []store.Budget
	mark        time.Time
	revocations []store.RevokeSubject
}

// A versionUse is a Use and its version.
type versionUse struct {
	version string
	store.Use
}

// clone returns a model that is to be what m is after a change.
func (m *model) clone() *model {
	return &model{
		spaces:      slices.Clone(m.spaces),
		credentials: slices.Clone(m.credentials),
		versions:    slices.Clone(m.versions),
		settings:    slices.Clone(m.settings),
		events:      slices.Clone(m.events),
		uses:        slices.Clone(m.uses),
		heads:       maps.Clone(m.heads),
		replays:     slices.Clone(m.replays),
		budgets:     slices.Clone(m.budgets),
		mark:        m.mark,
		revocations: slices.Clone(m.revocations),
	}
}

// apply carries out a change, or returns the step whose condition does not
// hold.
func (m *model) apply(change store.Change) (conflict int, ok bool) {
	next := m.clone()
	next.events = append(next.events, copyEvents(change.Events)...)
	for i, step := range copyChange(change).Steps {
		if !next.step(step) {
			return i, false
		}
	}
	*m = *next
	return 0, true
}

// step carries out a step, or reports that its condition does not hold.
func (m *model) step(step store.Step) bool {
	switch s := step.(type) {
	case store.CreateSpace:
		for _, old := range m.spaces {
			if old.ID == s.Space.ID || old.Name == s.Space.Name {
				return false
			}
		}
		s.Space.Revision = 1
		m.spaces = append(m.spaces, s.Space)
		return true
	case store.UpdateSpace:
		for i, old := range m.spaces {
			if old.ID == s.Space.ID && old.Revision == s.Space.Revision {
				m.spaces[i].Prefix = s.Space.Prefix
				m.spaces[i].Revision++
				return true
			}
		}
		return false
	case store.CreateCredential:
		for _, old := range m.credentials {
			if old.ID == s.Credential.ID {
				return false
			}
		}
		s.Credential.Revision = 1
		m.credentials = append(m.credentials, s.Credential)
		return true
	case store.UpdateCredential:
		return m.updateCredential(s.Credential)
	case store.CreateVersion:
		return m.createVersion(s.Version)
	case store.EndVersion:
		for i, old := range m.versions {
			if old.ID == s.ID && old.Space == s.Space && old.Ends.Equal(s.Was) {
				m.versions[i].Ends = s.Ends
				return true
			}
		}
		return false
	case store.CreateSetting:
		for _, old := range m.settings {
			if old.Name == s.Name {
				return false
			}
		}
		m.settings = append(m.settings, s)
		return true
	}
	return m.stepOfLife(step)
}

func (m *model) updateCredential(c store.Credential) bool {
	for i, old := range m.credentials {
		if old.ID == c.ID && old.Space == c.Space && old.Revision == c.Revision && !old.State.Final() {
			c.Kind, c.Created = old.Kind, old.Created
			c.Subject, c.Purpose, c.Binding = old.Subject, old.Purpose, old.Binding
			c.Used, c.NextStep = old.Used, old.NextStep
			c.Idle, c.Seen = old.Idle, old.Seen
			c.Revision++
			m.credentials[i] = c
			return true
		}
	}
	return false
}

func (m *model) createVersion(v store.Version) bool {
	for _, old := range m.versions {
		if old.ID == v.ID || old.Credential == v.Credential && old.Number == v.Number {
			return false
		}
	}
	for _, c := range m.credentials {
		if c.ID == v.Credential && c.Space == v.Space {
			m.versions = append(m.versions, v)
			return true
		}
	}
	return false
}

// item returns a credential with the versions that it names.
func (m *model) item(c store.Credential) store.Item {
	item := store.Item{Credential: c}
	for _, id := range []string{c.Current, c.Previous} {
		for _, v := range m.versions {
			if v.ID == id && v.Credential == c.ID {
				item.Versions = append(item.Versions, v)
			}
		}
	}
	return copyItem(item)
}

// space answers as Space does: ok is whether it is there.
func (m *model) space(name string) (space store.Space, ok bool) {
	for _, s := range m.spaces {
		if s.Name == name {
			return s, true
		}
	}
	return store.Space{}, false
}

func (m *model) credential(space, id string) (item store.Item, ok bool) {
	for _, v := range m.versions {
		if v.ID == id {
			id = v.Credential
		}
	}
	for _, c := range m.credentials {
		if c.ID == id && c.Space == space {
			return m.item(c), true
		}
	}
	return store.Item{}, false
}

func (m *model) version(space, id string) (found store.Found, ok bool) {
	for _, v := range m.versions {
		if v.ID == id && v.Space == space {
			item, ok := m.credential(space, v.Credential)
			return store.Found{Credential: item.Credential, Version: copyVersion(v)}, ok
		}
	}
	return store.Found{}, false
}

func (m *model) setting(name string) (value []byte, ok bool) {
	for _, s := range m.settings {
		if s.Name == name {
			return copyBytes(s.Value), true
		}
	}
	return nil, false
}

// list answers as Credentials does.
func (m *model) list(q store.Query) []store.Item {
	var items []store.Item
	for _, c := range m.credentials {
		p := store.Position{Created: c.Created, ID: c.ID}
		switch {
		case c.Space != q.Space,
			q.Kind != "" && c.Kind != q.Kind,
			q.Subject != "" && c.Subject != q.Subject,
			q.Purpose != "" && c.Purpose != q.Purpose,
			len(q.States) > 0 && !slices.Contains(q.States, c.State),
			!strings.Contains(c.Name, q.NameContains),
			q.Scope != "" && !slices.Contains(c.Scopes, q.Scope),
			!q.ExpiresBefore.IsZero() && !expiresBefore(c, q.ExpiresBefore),
			!q.EndedBefore.IsZero() && !endedBefore(c, q.EndedBefore),
			q.After != (store.Position{}) && comparePositions(p, q.After) >= 0:
		default:
			items = append(items, m.item(c))
		}
	}
	slices.SortFunc(items, func(a, b store.Item) int { return comparePositions(position(b), position(a)) })
	return items[:min(len(items), q.Limit)]
}

func expiresBefore(c store.Credential, t time.Time) bool {
	return !c.Expires.IsZero() && c.Expires.Before(t)
}

func endedBefore(c store.Credential, t time.Time) bool {
	return expiresBefore(c, t) || c.State.Final() && c.Updated.Before(t)
}

// comparePositions orders positions, ascending.
func comparePositions(a, b store.Position) int {
	return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID))
}

// names answers as Spaces does, with names.
func (m *model) names(after string, limit int) []string {
	var names []string
	for _, space := range m.spaces {
		if space.Name > after {
			names = append(names, space.Name)
		}
	}
	slices.Sort(names)
	return names[:min(len(names), limit)]
}

// log answers as Events does, but for the page.
func (m *model) log(q store.EventQuery) []store.Event {
	var events []store.Event
	for _, e := range m.events {
		if e.Space == q.Space && (q.Credential == "" || e.Credential == q.Credential) && (q.Type == "" || e.Type == q.Type) {
			events = append(events, copyEvent(e))
		}
	}
	if q.Newest {
		slices.Reverse(events)
	}
	return events
}
