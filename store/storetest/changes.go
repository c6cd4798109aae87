package storetest

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/keyfob-dev/keyfob/store"
)

// Few names of each sort, so that made-up changes meet what earlier ones made.
const (
	poolSpaces      = 3
	poolCredentials = 5
	poolVersions    = 9
	poolSettings    = 2
	poolReplays     = 2
	poolBudgets     = 2
	poolAddresses   = store.MaxAddresses + 4
)

var (
	poolTimes    = []time.Time{{}, time.UnixMilli(0).UTC(), start, start.Add(time.Millisecond), start.AddDate(1, 0, 0)}
	poolKinds    = []store.Kind{store.KindAPIKey, store.KindCode, store.KindSession}
	poolSubjects = []string{"", "alice", "Alice", "bob"}
	poolStates   = []store.State{
		store.StateActive, store.StateActive, store.StateActive, store.StateSuspended,
		store.StateRedeemed, store.StateReplaced, store.StateRevoked,
	}
	poolTexts      = []string{"", "one", "two"}
	poolScopes     = [][]string{nil, {}, {"read"}, {"write", "read"}}
	poolAttributes = []map[string]string{nil, {}, {"team": "blue"}, {"team": "red", "": ""}}
	poolCIDRs      = [][]string{nil, {}, {"192.0.2.0/24"}, {"2001:db8::/32", "192.0.2.0/24"}}
	poolLimits     = []store.Limit{{}, {Rate: 1, Per: time.Millisecond}, {Rate: 100, Per: time.Hour, Burst: 7}}
	poolUses       = []int64{2, 1, 3, 0}
	poolIdle       = []time.Duration{0, time.Millisecond, 30 * time.Minute}
	poolSteps      = []int64{0, 1, 2, 3}
	poolTypes      = []string{"apikey.updated", "apikey.revoked"}
	poolBytes      = []string{"", "\x00", "some bytes"}
)

// A maker makes changes up. It draws each condition so that it mostly holds
// where the model says that it can.
type maker struct {
	*rapid.T
	prefix string // of all ids and names, which no other run has
	model  model  // as it will be after the steps made so far
	events int    // how many it has made
}

func pick[T any](m *maker, what string, of []T) T { return rapid.SampledFrom(of).Draw(m.T, what) }

// mostly reports true nine times out of ten.
func (m *maker) mostly(what string) bool { return rapid.IntRange(0, 9).Draw(m.T, what) > 0 }

// seldom reports true one time out of four.
func (m *maker) seldom(what string) bool {
	return rapid.SampledFrom([]bool{false, true, false, false}).Draw(m.T, what)
}

// id returns the name of the nth record of a sort: s, c, v or e.
func (m *maker) id(sort byte, n int) string { return fmt.Sprintf("%s%c%03d", m.prefix, sort, n) }

func (m *maker) anyID(sort byte, pool int) string {
	return m.id(sort, rapid.IntRange(0, pool-1).Draw(m.T, "id "+string(sort)))
}

// spaceName returns the name of the nth space.
func (m *maker) spaceName(n int) string { return fmt.Sprintf("%s-%d", m.prefix, n) }

func (m *maker) settingName(n int) string { return fmt.Sprintf("%s setting %d", m.prefix, n) }

// revision returns a revision, mostly the stored one.
func (m *maker) revision(stored int64) int64 {
	if m.mostly("revision") {
		return stored
	}
	return rapid.Int64Range(0, 4).Draw(m.T, "any revision")
}

// space returns the id of a space, mostly the right one.
func (m *maker) space(right string) string {
	if m.mostly("space") {
		return right
	}
	return m.anyID('s', poolSpaces)
}

// change makes a change of a few operations and events.
func (m *maker) change() store.Change {
	var change store.Change
	for range rapid.IntRange(1, 3).Draw(m.T, "operations") {
		steps := m.operation()
		m.model.apply(store.Change{Steps: steps}) // where it cannot be, the rest does not matter
		change.Steps = append(change.Steps, steps...)
	}
	if len(m.model.spaces) > 0 {
		for range rapid.IntRange(0, 2).Draw(m.T, "events") {
			change.Events = append(change.Events, m.event())
		}
	}
	return change
}

func (m *maker) event() store.Event {
	m.events++
	return store.Event{
		ID: m.id('e', m.events), Space: pick(m, "space", m.model.spaces).ID, Time: pick(m, "time", poolTimes),
		Type: pick(m, "type", poolTypes), Reason: pick(m, "reason", poolTexts), Subject: pick(m, "subject", poolSubjects),
		Credential: m.anyID('c', poolCredentials), MAC: []byte(pick(m, "mac", poolBytes)),
	}
}

func (m *maker) operation() []store.Step {
	operations := []func() []store.Step{m.createSpace, m.createSetting, m.moveMark}
	if len(m.model.spaces) > 0 {
		operations = append(operations, m.issue, m.issue, m.updateSpace, m.createReplay, m.deleteReplays,
			m.writeBudget, m.writeBudget, m.clearBudget, m.deleteBudgets, m.requireLive, m.requireUnrevoked)
	}
	if len(m.model.credentials) > 0 {
		operations = append(operations,
			m.rotate, m.rotate, m.update, m.update, m.addVersion, m.use, m.use, m.delete,
			m.claim, m.claim, m.replaceLive, m.touch, m.touch, m.revokeSubject)
	}
	if len(m.model.versions) > 0 {
		operations = append(operations, m.end, m.recordUses)
	}
	if len(m.numbered()) > 0 {
		operations = append(operations, m.seal, m.seal)
	}
	return pick(m, "operation", operations)()
}

func (m *maker) createSpace() []store.Step {
	n := rapid.IntRange(0, poolSpaces-1).Draw(m.T, "space")
	space := store.Space{
		ID: m.id('s', n), Name: m.spaceName(n), Prefix: pick(m, "prefix", poolTexts), Created: pick(m, "created", poolTimes),
		Revision: 1,
	}
	if !m.mostly("name") {
		space.Name = m.spaceName(rapid.IntRange(0, poolSpaces-1).Draw(m.T, "name of another"))
	}
	return []store.Step{store.CreateSpace{Space: space}}
}

func (m *maker) updateSpace() []store.Step {
	space := pick(m, "space", m.model.spaces)
	space.Prefix = pick(m, "prefix", poolTexts)
	space.Revision = m.revision(space.Revision)
	return []store.Step{store.UpdateSpace{Space: space}}
}

func (m *maker) createSetting() []store.Step {
	n := rapid.IntRange(0, poolSettings-1).Draw(m.T, "setting")
	return []store.Step{store.CreateSetting{Name: m.settingName(n), Value: []byte(pick(m, "value", poolBytes))}}
}

// mutable draws the mutable fields of a credential but those that name its
// versions.
func (m *maker) mutable(c store.Credential) store.Credential {
	c.Name = pick(m, "name", poolTexts)
	c.Reason = pick(m, "reason", poolTexts)
	c.Scopes = pick(m, "scopes", poolScopes)
	c.Attributes = pick(m, "attributes", poolAttributes)
	c.NotBefore = pick(m, "not before", poolTimes)
	c.Expires = pick(m, "expires", poolTimes)
	c.CIDRs = pick(m, "networks", poolCIDRs)
	c.Uses = pick(m, "uses", poolUses)
	c.Limit = pick(m, "rate", poolLimits)
	c.Updated = pick(m, "updated", poolTimes)
	c.State = pick(m, "state", poolStates)
	return c
}

func (m *maker) version(c store.Credential, number int64) store.Version {
	return store.Version{
		ID: m.anyID('v', poolVersions), Credential: c.ID, Space: c.Space, Number: number,
		Digest: []byte(pick(m, "digest", poolBytes)), Sealed: []byte(pick(m, "sealed", poolBytes)), RootKey: 1, Created: pick(m, "created", poolTimes),
	}
}

func (m *maker) issue() []store.Step {
	c := m.mutable(store.Credential{
		ID: m.anyID('c', poolCredentials), Space: pick(m, "space", m.model.spaces).ID,
		Kind: pick(m, "kind", poolKinds), Subject: pick(m, "subject", poolSubjects),
		Purpose: pick(m, "purpose", poolTexts), Binding: pick(m, "binding", poolTexts),
		Created: pick(m, "created", poolTimes), NextStep: pick(m, "next step", poolSteps), Revision: 1,
		Idle: pick(m, "idle", poolIdle), Seen: pick(m, "seen", poolTimes),
	})
	v := m.version(c, 1)
	v.Space = m.space(v.Space)
	c.Current = v.ID
	return []store.Step{store.CreateCredential{Credential: c}, store.CreateVersion{Version: v}}
}

// stored picks a credential of the model, and the versions that it has.
func (m *maker) stored() (store.Credential, []store.Version) {
	c := pick(m, "credential", m.model.credentials)
	var versions []store.Version
	for _, v := range m.model.versions {
		if v.Credential == c.ID {
			versions = append(versions, v)
		}
	}
	return c, versions
}

// rotate gives a credential a new version, and the old one an end.
func (m *maker) rotate() []store.Step {
	c, versions := m.stored()
	number := int64(len(versions) + 1)
	if !m.mostly("number") {
		number = 1
	}
	v := m.version(c, number)
	old := c.Current
	c.Current, c.Previous = v.ID, c.Current
	c.Revision = m.revision(c.Revision)
	steps := []store.Step{store.CreateVersion{Version: v}, store.UpdateCredential{Credential: c}}
	for _, v := range versions {
		if v.ID == old {
			steps = append(steps, m.endOf(v))
		}
	}
	return steps
}

// update writes the mutable fields of a credential, and means to write others.
func (m *maker) update() []store.Step {
	c, versions := m.stored()
	c = m.mutable(c)
	c.Revision = m.revision(c.Revision)
	c.Space = m.space(c.Space)
	c.Kind, c.Subject = pick(m, "kind", poolKinds), pick(m, "subject", poolSubjects)
	c.Created, c.Used = pick(m, "created", poolTimes), rapid.Int64Range(0, 9).Draw(m.T, "used")
	c.NextStep = pick(m, "next step", poolSteps)
	c.Idle, c.Seen = pick(m, "idle", poolIdle), pick(m, "seen", poolTimes)
	if len(versions) > 0 {
		c.Current, c.Previous = pick(m, "current", versions).ID, ""
		if previous := pick(m, "previous", versions).ID; previous != c.Current {
			c.Previous = previous
		}
	}
	return []store.Step{store.UpdateCredential{Credential: c}}
}

func (m *maker) addVersion() []store.Step {
	c, versions := m.stored()
	v := m.version(c, int64(len(versions)+1))
	v.Space = m.space(v.Space)
	if !m.mostly("credential") {
		v.Credential = m.anyID('c', poolCredentials)
	}
	return []store.Step{store.CreateVersion{Version: v}}
}

func (m *maker) end() []store.Step {
	return []store.Step{m.endOf(pick(m, "version", m.model.versions))}
}

func (m *maker) endOf(v store.Version) store.Step {
	end := store.EndVersion{Space: m.space(v.Space), ID: v.ID, Was: v.Ends, Ends: pick(m, "ends", poolTimes)}
	if !m.mostly("was") {
		end.Was = pick(m, "any was", poolTimes)
	}
	return end
}

// query makes up a query.
func (m *maker) query() store.Query {
	q := store.Query{Space: m.anyID('s', poolSpaces), Limit: rapid.IntRange(1, 6).Draw(m.T, "limit")}
	if !m.mostly("any kind") {
		q.Kind = pick(m, "kind", poolKinds)
	}
	if !m.mostly("any subject") {
		q.Subject = pick(m, "subject", poolSubjects)
	}
	if !m.mostly("any purpose") {
		q.Purpose = pick(m, "purpose", poolTexts)
	}
	if !m.mostly("any state") {
		q.States = rapid.SliceOfN(rapid.SampledFrom(poolStates), 1, 3).Draw(m.T, "states")
	}
	if m.seldom("name") {
		q.NameContains = pick(m, "name", []string{"one", "o", "tw", "O"})
	}
	if m.seldom("scope") {
		q.Scope = pick(m, "scope", []string{"read", "write", "rea"})
	}
	if m.seldom("expired") {
		q.ExpiresBefore = pick(m, "expires", poolTimes)
	}
	if m.seldom("ended") {
		q.EndedBefore = pick(m, "ended", poolTimes)
	}
	if m.mostly("after") {
		q.After = store.Position{Created: pick(m, "created", poolTimes), ID: m.anyID('c', poolCredentials)}
	}
	return q
}
