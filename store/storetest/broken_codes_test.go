package storetest

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"

	"github.com/keyfob-dev/keyfob/store"
)

// Steps that stand for others: one that nothing refuses, and one that is always
// refused.
var (
	nothing    = store.RaiseMark{}
	impossible = store.RequireLive{IDs: []string{"nobody"}}
)

// passesIf answers nil instead of a conflict at a step of one type for which a
// test is true.
func passesIf[S store.Step](test func(s store.Store, step S) bool) func(store.Store, context.Context, store.Change) error {
	return func(s store.Store, ctx context.Context, change store.Change) error {
		err := s.Apply(ctx, change)
		var conflict *store.ConflictError
		if errors.As(err, &conflict) {
			if step, ok := change.Steps[conflict.Step].(S); ok && test(s, step) {
				return nil
			}
		}
		return err
	}
}

// storedCredential is a credential that is there.
func storedCredential(s store.Store, space, id string) store.Credential {
	item, err := s.Credential(background, space, id)
	if err != nil || item.Credential.ID != id {
		return store.Credential{}
	}
	return item.Credential
}

// storedBudget is a budget that is there, by the space and name of another.
func storedBudget(s store.Store, of store.Budget) store.Budget {
	b, err := s.Budget(background, of.Space, of.Name)
	if err != nil {
		return store.Budget{}
	}
	return b
}

// updatesNextStep answers with what fn makes of the last update, until a step is
// claimed.
func updatesNextStep(fn func(store.Credential) int64) func(store.Store) store.Store {
	return func(s store.Store) store.Store {
		var steps sync.Map
		return &broken{
			Store: s,
			apply: func(ctx context.Context, change store.Change) error {
				err := s.Apply(ctx, change)
				for _, step := range change.Steps {
					switch step := step.(type) {
					case store.UpdateCredential:
						if err == nil {
							steps.Store(step.Credential.ID, fn(step.Credential))
						}
					case store.ClaimStep:
						steps.Delete(step.ID)
					}
				}
				return err
			},
			credential: func(ctx context.Context, space, id string) (store.Item, error) {
				item, err := s.Credential(ctx, space, id)
				if n, ok := steps.Load(item.Credential.ID); ok {
					item.Credential.NextStep = n.(int64)
				}
				return item, err
			},
		}
	}
}

// claimsIn claims the steps of credentials in a state.
func claimsIn(state store.State) func(store.Store) store.Store {
	return onApply(passesIf(func(s store.Store, claim store.ClaimStep) bool {
		c := storedCredential(s, claim.Space, claim.ID)
		return c.State == state && c.Revision == claim.Revision && c.NextStep <= claim.Step
	}))
}

// claimRaisesRevision writes an update after a claim.
func claimRaisesRevision(s store.Store, ctx context.Context, change store.Change) error {
	err := s.Apply(ctx, change)
	for _, step := range change.Steps {
		if claim, ok := step.(store.ClaimStep); ok && err == nil {
			raise(s, claim.Space, claim.ID)
		}
	}
	return err
}

// lookThenClaim looks whether a step may be claimed, and then says that it was.
func lookThenClaim(s store.Store) store.Store {
	return &broken{Store: s, apply: func(ctx context.Context, change store.Change) error {
		for i, step := range change.Steps {
			if claim, ok := step.(store.ClaimStep); ok {
				c := storedCredential(s, claim.Space, claim.ID)
				if c.Revision != claim.Revision || c.State != store.StateActive || c.NextStep > claim.Step {
					return &store.ConflictError{Step: i}
				}
				for range 10 {
					runtime.Gosched()
				}
			}
		}
		return passes[store.ClaimStep](s, ctx, change)
	}}
}

// matches reports whether a step is about a credential that is live.
func matches(r store.RequireLive, c store.Credential) bool {
	return c.Kind == r.Kind && c.Subject == r.Subject && c.Purpose == r.Purpose && !c.State.Final()
}

// equalIDs compares ids in any order.
func equalIDs(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// requires judges what is live by a test of its own, before the change: those that
// match must hold.
func requires(
	match func(store.RequireLive, store.Credential) bool, holds func(ids, live []string) bool,
) func(store.Store) store.Store {
	return onStep(func(s store.Store, r store.RequireLive) store.Step {
		return judged(s, r, []string{r.Space}, match, holds)
	})
}

// judged is a step that does what a test of its own says of another.
func judged(
	s store.Store, r store.RequireLive, spaces []string,
	match func(store.RequireLive, store.Credential) bool, holds func(ids, live []string) bool,
) store.Step {
	var live []string
	for _, space := range spaces {
		items, _ := s.Credentials(background, store.Query{Space: space, Limit: everything})
		for _, item := range items {
			if match(r, item.Credential) {
				live = append(live, item.Credential.ID)
			}
		}
	}
	for range 10 {
		runtime.Gosched()
	}
	if holds(r.IDs, live) {
		return nothing
	}
	return impossible
}

// requiresAnywhere takes the live credentials of all spaces for those of one.
func requiresAnywhere(s store.Store) store.Store {
	var mu sync.Mutex
	var spaces []string
	return &broken{Store: s, apply: func(ctx context.Context, change store.Change) error {
		mu.Lock()
		defer mu.Unlock()
		for _, step := range change.Steps {
			if create, ok := step.(store.CreateSpace); ok && !slices.Contains(spaces, create.Space.ID) {
				spaces = append(spaces, create.Space.ID)
			}
		}
		return s.Apply(ctx, withStep(change, func(step store.Step) store.Step {
			if r, ok := step.(store.RequireLive); ok {
				return judged(s, r, spaces, matches, equalIDs)
			}
			return step
		}))
	}}
}

// writesAnyBudget takes the stored revision of a budget for what it should be.
func writesAnyBudget(s store.Store, ctx context.Context, change store.Change) (err error) {
	for range racers { // others may write it meanwhile
		err = s.Apply(ctx, withStep(change, func(step store.Step) store.Step {
			if w, ok := step.(store.WriteBudget); ok && w.Budget.Revision != 0 {
				if old := storedBudget(s, w.Budget); old.Revision != 0 {
					w.Budget.Revision = old.Revision
				}
				return w
			}
			return step
		}))
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
	return err
}

// onBudget breaks what Budget returns.
func onBudget(fn func(*store.Budget)) func(store.Store) store.Store {
	return func(s store.Store) store.Store {
		return &broken{Store: s, budget: func(ctx context.Context, space, name string) (store.Budget, error) {
			b, err := s.Budget(ctx, space, name)
			if err == nil {
				fn(&b)
			}
			return b, err
		}}
	}
}

// clears does something else with a budget that is there than to clear it.
func clears(fn func(store.Store, store.Budget) store.Step) func(store.Store) store.Store {
	return onStep(func(s store.Store, c store.ClearBudget) store.Step {
		if b := storedBudget(s, store.Budget{Space: c.Space, Name: c.Name}); b.Revision > 0 {
			return fn(s, b)
		}
		return c
	})
}

// A budgetKey is a budget's space and name.
type budgetKey struct{ space, name string }

// hidesBudgets hides some budgets: after each step, fn adds to those that are
// hidden or takes from them.
func hidesBudgets(s store.Store, fn func(hidden map[budgetKey]bool, step store.Step)) store.Store {
	var mu sync.Mutex
	hidden := map[budgetKey]bool{}
	return &broken{
		Store: s,
		apply: func(ctx context.Context, change store.Change) error {
			err := s.Apply(ctx, change)
			mu.Lock()
			defer mu.Unlock()
			for _, step := range change.Steps {
				if err == nil {
					fn(hidden, step)
				}
			}
			return err
		},
		budget: func(ctx context.Context, space, name string) (store.Budget, error) {
			mu.Lock()
			defer mu.Unlock()
			if hidden[budgetKey{space, name}] {
				return store.Budget{}, store.ErrNotFound
			}
			return s.Budget(ctx, space, name)
		},
	}
}

// clearDeletes removes what it should clear.
func clearDeletes(s store.Store) store.Store {
	return hidesBudgets(s, func(hidden map[budgetKey]bool, step store.Step) {
		switch step := step.(type) {
		case store.ClearBudget:
			hidden[budgetKey{step.Space, step.Name}] = true
		case store.WriteBudget:
			delete(hidden, budgetKey{step.Budget.Space, step.Budget.Name})
		}
	})
}

// deletesEndless removes budgets without an end as well.
func deletesEndless(s store.Store) store.Store {
	endless := map[budgetKey]bool{}
	return hidesBudgets(s, func(hidden map[budgetKey]bool, step store.Step) {
		switch step := step.(type) {
		case store.WriteBudget:
			key := budgetKey{step.Budget.Space, step.Budget.Name}
			endless[key] = step.Budget.Expires.IsZero()
			delete(hidden, key)
		case store.DeleteBudgets:
			for key := range endless {
				hidden[key] = hidden[key] || endless[key]
			}
		}
	})
}

// keepsBudgets removes the budgets of the first space that it has seen only: each
// other one that goes is written again.
func keepsBudgets(s store.Store) store.Store {
	var mu sync.Mutex
	var first string
	kept := map[budgetKey]store.Budget{}
	return &broken{
		Store: s,
		apply: func(ctx context.Context, change store.Change) error {
			err := s.Apply(ctx, change)
			mu.Lock()
			defer mu.Unlock()
			for _, step := range change.Steps {
				if w, ok := step.(store.WriteBudget); ok && err == nil {
					if first == "" {
						first = w.Budget.Space
					}
					w.Budget.Revision++
					if w.Budget.Space != first {
						kept[budgetKey{w.Budget.Space, w.Budget.Name}] = w.Budget
					}
				}
			}
			return err
		},
		budget: func(ctx context.Context, space, name string) (store.Budget, error) {
			mu.Lock()
			defer mu.Unlock()
			b, err := s.Budget(ctx, space, name)
			if old, ok := kept[budgetKey{space, name}]; ok && errors.Is(err, store.ErrNotFound) {
				return old, nil
			}
			return b, err
		},
	}
}

// anyBudget finds the budgets of other spaces.
func anyBudget(s store.Store) store.Store {
	var spaces sync.Map
	return &broken{
		Store: s,
		apply: func(ctx context.Context, change store.Change) error {
			for _, step := range change.Steps {
				if w, ok := step.(store.WriteBudget); ok {
					spaces.Store(w.Budget.Name, w.Budget.Space)
				}
			}
			return s.Apply(ctx, change)
		},
		budget: func(ctx context.Context, space, name string) (store.Budget, error) {
			b, err := s.Budget(ctx, space, name)
			if other, ok := spaces.Load(name); ok && err != nil {
				return s.Budget(ctx, other.(string), name)
			}
			return b, err
		},
	}
}
