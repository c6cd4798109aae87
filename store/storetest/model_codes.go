package storetest

import (
	"cmp"
	"slices"

	"github.com/keyfob-dev/keyfob/store"
)

// stepOfCodes carries out a step that is about a time step, live credentials or
// a budget, or reports that its condition does not hold.
func (m *model) stepOfCodes(step store.Step) bool {
	switch s := step.(type) {
	case store.ClaimStep:
		for i, c := range m.credentials {
			if c.ID == s.ID && c.Space == s.Space && c.Revision == s.Revision &&
				c.State == store.StateActive && c.NextStep <= s.Step {
				m.credentials[i].NextStep = s.Step + 1
				return true
			}
		}
		return false
	case store.RequireLive:
		ids := slices.Sorted(slices.Values(s.IDs))
		return slices.Equal(ids, m.live(s.Space, s.Kind, s.Subject, s.Purpose))
	case store.WriteBudget:
		return m.writeBudget(s.Budget)
	case store.ClearBudget:
		for i, b := range m.budgets {
			if b.Space == s.Space && b.Name == s.Name {
				m.budgets[i].Consecutive = 0
				m.budgets[i].Revision++
			}
		}
		return true
	case store.DeleteBudgets:
		m.budgets = slices.DeleteFunc(m.budgets, func(b store.Budget) bool {
			return !b.Expires.IsZero() && !b.Expires.After(s.Until)
		})
		return true
	}
	return m.stepOfSessions(step)
}

// live returns the ids of the live credentials of a space, kind, subject and
// purpose, sorted.
func (m *model) live(space string, kind store.Kind, subject, purpose string) []string {
	var ids []string
	for _, c := range m.credentials {
		if c.Space == space && c.Kind == kind && c.Subject == subject && c.Purpose == purpose && !c.State.Final() {
			ids = append(ids, c.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

func (m *model) writeBudget(b store.Budget) bool {
	for i, old := range m.budgets {
		if old.Space == b.Space && old.Name == b.Name {
			if b.Revision == 0 || old.Revision != b.Revision {
				return false
			}
			b.Revision++
			m.budgets[i] = b
			return true
		}
	}
	if b.Revision != 0 {
		return false
	}
	b.Revision = 1
	m.budgets = append(m.budgets, b)
	return true
}

// budget answers as Budget does: ok is whether it is there.
func (m *model) budget(space, name string) (budget store.Budget, ok bool) {
	for _, b := range m.budgets {
		if b.Space == space && b.Name == name {
			return b, true
		}
	}
	return store.Budget{}, false
}

// versionsOf answers as Versions does.
func (m *model) versionsOf(space, credential string) []store.Version {
	var versions []store.Version
	for _, v := range m.versions {
		if v.Space == space && v.Credential == credential {
			versions = append(versions, copyVersion(v))
		}
	}
	slices.SortFunc(versions, func(a, b store.Version) int { return cmp.Compare(a.Number, b.Number) })
	return versions
}
