package password

import (
	"fmt"
	"slices"
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
	text := ""
	for i, r := range kept {
		if i > 0 {
			text += "; "
		}
		text += r.text
	}
	return fmt.Errorf("%w: no password of %s can have: %s; relax one of these, or change the length", ErrUnsatisfiable, counted(s.length, "character"), text)
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
