package password

import (
	"fmt"
	"slices"
)

// contradiction explains why no password satisfies the policy: it drops one rule
// after the other, and keeps out those without which nothing satisfies it still.
// What is left are rules of which each is needed for the contradiction.
func (s *spec) contradiction() error {
	c := *s
	rules := s.rules()
	kept := slices.Clone(rules)
	for i := len(rules) - 1; i >= 0; i-- {
		without := c
		rules[i].drop(&without)
		if !without.satisfiable() {
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

// satisfiable reports whether some password satisfies the policy, or may.
func (s *spec) satisfiable() bool {
	a, err := s.build(s.length)
	if err != nil {
		return true
	}
	return a.accepting(a.reach(s.length)[s.length])
}
