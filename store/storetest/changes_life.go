package storetest

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/keyfob-dev/keyfob/store"
)

func (m *maker) replayName(n int) string { return fmt.Sprintf("%s replay %d", m.prefix, n) }

func (m *maker) address(n int) string { return fmt.Sprintf("192.0.2.%d", n) }

// numbered returns the events whose numbers are known.
func (m *maker) numbered() []store.Event {
	return slices.DeleteFunc(slices.Clone(m.model.events), func(e store.Event) bool { return e.Number == 0 })
}

func (m *maker) use() []store.Step {
	c, _ := m.stored()
	return []store.Step{store.UseCredential{Space: m.space(c.Space), ID: c.ID, Revision: m.revision(c.Revision)}}
}

func (m *maker) delete() []store.Step {
	c, _ := m.stored()
	return []store.Step{store.DeleteCredential{Space: m.space(c.Space), ID: c.ID, Revision: m.revision(c.Revision)}}
}

// recordUses makes uses of one version, mostly, from more addresses than are
// kept.
func (m *maker) recordUses() []store.Step {
	v := pick(m, "version", m.model.versions)
	var steps []store.Step
	for range rapid.IntRange(1, 2*store.MaxAddresses).Draw(m.T, "uses") {
		s := store.RecordUse{Space: m.space(v.Space), Version: v.ID}
		if !m.mostly("of the version") {
			s.Version = m.anyID('v', poolVersions)
		}
		if m.mostly("address known") {
			s.Address = m.address(rapid.IntRange(1, poolAddresses).Draw(m.T, "address"))
		}
		first := rapid.IntRange(1, len(poolTimes)-1).Draw(m.T, "first") // the zero time is none
		s.First, s.Last = poolTimes[first], poolTimes[rapid.IntRange(first, len(poolTimes)-1).Draw(m.T, "last")]
		steps = append(steps, s)
	}
	return steps
}

// seal makes a step that seals one or more events of a space, mostly those that
// come next.
func (m *maker) seal() []store.Step {
	events := m.numbered()
	s := store.SealEvents{Space: pick(m, "event", events).Space}
	s.After = m.model.heads[s.Space].Seq
	if !m.mostly("after") {
		s.After = rapid.Int64Range(-1, 4).Draw(m.T, "any after")
	}
	if m.mostly("of the space and unsealed") {
		events = slices.DeleteFunc(events, func(e store.Event) bool { return e.Seq != 0 || e.Space != s.Space })
	}
	for _, e := range events[:min(len(events), rapid.IntRange(1, 3).Draw(m.T, "seals"))] {
		s.Seals = append(s.Seals, store.Seal{Event: e.Number, Link: []byte(pick(m, "link", poolBytes))})
	}
	if len(s.Seals) == 0 {
		return nil
	}
	return []store.Step{s}
}

func (m *maker) moveMark() []store.Step {
	to := pick(m, "to", poolTimes)
	if rapid.Bool().Draw(m.T, "raise") {
		return []store.Step{store.RaiseMark{To: to}}
	}
	s := store.SetMark{Was: m.model.mark, To: to}
	if !m.mostly("was") {
		s.Was = pick(m, "any was", poolTimes)
	}
	return []store.Step{s}
}

func (m *maker) createReplay() []store.Step {
	return []store.Step{store.CreateReplay{Replay: store.Replay{
		Space: pick(m, "space", m.model.spaces).ID, Name: m.replayName(rapid.IntRange(0, poolReplays-1).Draw(m.T, "replay")),
		Request: []byte(pick(m, "request", poolBytes)), Sealed: []byte(pick(m, "sealed", poolBytes)),
		Expires: pick(m, "expires", poolTimes),
	}}}
}

func (m *maker) deleteReplays() []store.Step {
	return []store.Step{store.DeleteReplays{Until: pick(m, "until", poolTimes)}}
}

// eventQuery makes up a query of a page.
func (m *maker) eventQuery() store.EventQuery {
	q := store.EventQuery{
		Space: m.anyID('s', poolSpaces), Limit: rapid.IntRange(1, 3).Draw(m.T, "limit"), Newest: rapid.Bool().Draw(m.T, "newest"),
	}
	if !m.mostly("any credential") {
		q.Credential = m.anyID('c', poolCredentials)
	}
	if !m.mostly("any type") {
		q.Type = pick(m, "type", poolTypes)
	}
	return q
}
