package storetest

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/keyfob-dev/keyfob/store"
)

func (m *maker) budgetName(n int) string { return fmt.Sprintf("%s budget %d", m.prefix, n) }

// claim claims a time step, mostly one that may be, and else mostly the last one.
func (m *maker) claim() []store.Step {
	c, _ := m.stored()
	step := c.NextStep + pick(m, "further", poolSteps)
	if m.seldom("claimed") {
		step = max(0, c.NextStep-pick(m, "back", []int64{1, 1, 2, 3}))
	}
	return []store.Step{store.ClaimStep{Space: m.space(c.Space), ID: c.ID, Revision: m.revision(c.Revision), Step: step}}
}

// requirement makes a step that requires, mostly, what is live.
func (m *maker) requirement(space string, kind store.Kind, subject, purpose string) store.RequireLive {
	s := store.RequireLive{
		Space: m.space(space), Kind: kind, Subject: subject, Purpose: purpose, IDs: m.model.live(space, kind, subject, purpose),
	}
	if len(s.IDs) > 1 {
		s.IDs = rapid.Permutation(s.IDs).Draw(m.T, "order")
	}
	if m.seldom("one less") && len(s.IDs) > 0 {
		s.IDs = s.IDs[1:]
	}
	if id := m.anyID('c', poolCredentials); m.seldom("one more") && !slices.Contains(s.IDs, id) {
		s.IDs = append(s.IDs, id)
	}
	return s
}

func (m *maker) requireLive() []store.Step {
	return []store.Step{m.requirement(
		pick(m, "space", m.model.spaces).ID, pick(m, "kind", poolKinds), pick(m, "subject", poolSubjects), pick(m, "purpose", poolTexts),
	)}
}

// replaceLive requires what is live beside one credential, writes that, and
// requires what is live then.
func (m *maker) replaceLive() []store.Step {
	c, _ := m.stored()
	before := m.requirement(c.Space, c.Kind, c.Subject, c.Purpose)
	next := m.mutable(c)
	next.Revision = m.revision(c.Revision)
	after := before
	switch at := slices.Index(before.IDs, c.ID); {
	case at >= 0 && next.State.Final():
		after.IDs = slices.Delete(slices.Clone(before.IDs), at, at+1)
	case at < 0 && !next.State.Final():
		after.IDs = append(slices.Clone(before.IDs), c.ID)
	}
	return []store.Step{before, store.UpdateCredential{Credential: next}, after}
}

func (m *maker) writeBudget() []store.Step {
	b := store.Budget{
		Space: pick(m, "space", m.model.spaces).ID, Name: m.budgetName(rapid.IntRange(0, poolBudgets-1).Draw(m.T, "budget")),
		Window: pick(m, "window", poolTimes), Last: pick(m, "last", poolTimes), Expires: pick(m, "expires", poolTimes),
		Guesses: pick(m, "guesses", poolSteps), Consecutive: pick(m, "consecutive", poolSteps),
	}
	old, _ := m.model.budget(b.Space, b.Name)
	b.Revision = m.revision(old.Revision)
	if m.seldom("new") {
		b.Revision = 0
	}
	return []store.Step{store.WriteBudget{Budget: b}}
}

func (m *maker) clearBudget() []store.Step {
	name := m.budgetName(rapid.IntRange(0, poolBudgets-1).Draw(m.T, "budget"))
	return []store.Step{store.ClearBudget{Space: pick(m, "space", m.model.spaces).ID, Name: name}}
}

func (m *maker) deleteBudgets() []store.Step {
	return []store.Step{store.DeleteBudgets{Until: pick(m, "until", poolTimes)}}
}
