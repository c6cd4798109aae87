package storetest

import (
	"slices"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// touch moves a credential's Seen, mostly from where it is.
func (m *maker) touch() []store.Step {
	c, _ := m.stored()
	s := store.TouchCredential{
		Space: m.space(c.Space), ID: c.ID, Revision: m.revision(c.Revision), Was: c.Seen, At: pick(m, "at", poolTimes),
	}
	if !m.mostly("was") {
		s.Was = pick(m, "any was", poolTimes)
	}
	return []store.Step{s}
}

// revokeSubject revokes a subject, mostly one that has a credential, and then
// mostly requires what is live and what may be created.
func (m *maker) revokeSubject() []store.Step {
	c, _ := m.stored()
	if !m.mostly("subject with a credential") {
		c.Subject, c.Kind = pick(m, "subject", poolSubjects), pick(m, "kind", poolKinds)
	}
	s := store.RevokeSubject{
		Space: m.space(c.Space), Kind: c.Kind, Subject: c.Subject, Reason: pick(m, "reason", poolTexts), At: pick(m, "at", poolTimes),
	}
	if m.seldom("alone") {
		return []store.Step{s}
	}
	m.model.apply(one(s)) // once more than what it returns, which does no harm
	return []store.Step{s, m.requirement(c.Space, c.Kind, c.Subject, c.Purpose), m.unrevoked(s)}
}

func (m *maker) requireUnrevoked() []store.Step {
	s := store.RevokeSubject{
		Space: pick(m, "space", m.model.spaces).ID, Kind: pick(m, "kind", poolKinds), Subject: pick(m, "subject", poolSubjects),
	}
	if len(m.model.revocations) > 0 && m.mostly("of one that was revoked") {
		s = pick(m, "revocation", m.model.revocations)
	}
	return []store.Step{m.unrevoked(s)}
}

// unrevoked makes a step that requires that a subject was not revoked, mostly
// since the first time for which that is so.
func (m *maker) unrevoked(of store.RevokeSubject) store.RequireUnrevoked {
	times := append(slices.Clone(poolTimes), poolTimes[len(poolTimes)-1].Add(time.Millisecond))
	s := store.RequireUnrevoked{
		Space: of.Space, Kind: of.Kind, Subject: of.Subject,
		Since: pick(m, "since", times), Until: pick(m, "until", append(slices.Clone(times), time.Time{})),
	}
	if m.mostly("unrevoked") {
		i := slices.IndexFunc(times, func(t time.Time) bool { s.Since = t; return m.model.step(s) })
		s.Since = times[i] // the last one is later than all
	}
	return s
}
