package password

import (
	"fmt"
	"slices"
	"strings"
)

// contradiction explains why no password satisfies the policy: it drops one rule
// after the other, and keeps out those without which nothing satisfies it still.
// What is left are rules of which each is needed for the contradiction; or more,
// where that would take too long to find out.
func (s *spec) contradiction() error {
	c := *s
	rules := s.rules()
	kept := slices.Clone(rules)
	states := 0
	for i := len(rules) - 1; i >= 0 && states < maxStates; i-- {
		without := c
		rules[i].drop(&without)
		satisfiable, cost := without.satisfiable()
		if states += cost; !satisfiable {
			c = without
			kept = slices.Delete(kept, i, i+1)
		}
	}
	return s.contradict(kept)
}

// contradict is the error for rules that contradict each other.
func (s *spec) contradict(rules []rule) error {
	var texts []string
	for _, r := range rules {
		texts = append(texts, r.text)
	}
	return fmt.Errorf("%w: no password of %s can have: %s; relax one of these, or change the length",
		ErrUnsatisfiable, counted(s.length, "character"), strings.Join(texts, "; "))
}

// overfull finds minimums of sets without common characters that are together more
// than the length. It is the usual contradiction, and found without an automaton.
func (s *spec) overfull() error {
	var minimums []rule
	for _, r := range s.rules() {
		if r.kind == minimum {
			minimums = append(minimums, r)
		}
	}
	// The largest first, so that none of those that are found can be left out.
	largest := slices.Clone(minimums)
	slices.SortStableFunc(largest, func(a, b rule) int { return b.limit.min - a.limit.min })
	taken, sum := newBitset(len(s.alphabet)), 0
	used := map[string]bool{}
	for _, r := range largest {
		if r.limit.set.meets(taken) {
			continue
		}
		for i, w := range r.limit.set {
			taken[i] |= w
		}
		used[r.text] = true
		if sum += r.limit.min; sum > s.length {
			return s.contradict(slices.DeleteFunc(minimums, func(r rule) bool { return !used[r.text] }))
		}
	}
	return nil
}

// satisfiable reports whether some password satisfies the policy, or may, and how
// many states it looked at.
func (s *spec) satisfiable() (ok bool, states int) {
	a, err := s.build(s.length)
	if err != nil {
		return true, maxStates
	}
	lists, ok := a.reach(s.length)
	if !ok {
		return true, maxStates
	}
	for _, list := range lists {
		states += len(list)
	}
	return len(lists[0]) > 0, states
}
