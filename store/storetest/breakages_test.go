package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// breakages are in the order of the contract.
var breakages = slices.Concat(
	brokenChanges, brokenUses, brokenClaims, brokenLive, brokenSessions, brokenRevocations, brokenUnrevoked, brokenBudgets,
	brokenChain, brokenMarks, brokenReplays,
	brokenReads, brokenVersions, brokenPurposes, brokenQueries, brokenMemory, brokenRest,
)

// on names checks of a group.
func on(checks ...string) []string { return checks }

var brokenChanges = []breakage{
	{"steps are applied one by one", on(checkRemains, checkModel), onApply(oneByOne)},
	{"events of refused changes stay", on(checkRemains),
		onApply(func(s store.Store, ctx context.Context, change store.Change) error {
			err := s.Apply(ctx, change)
			if errors.Is(err, store.ErrConflict) {
				_ = s.Apply(ctx, store.Change{Events: change.Events})
			}
			return err
		})},
	{"events are lost", on("Atomicity/all steps and events of a change", checkModel),
		onApply(func(s store.Store, ctx context.Context, change store.Change) error {
			return s.Apply(ctx, store.Change{Steps: change.Steps})
		})},
	{"events are in the wrong order", on("Order/Events are in the order of the changes and within a change"),
		onApply(func(s store.Store, ctx context.Context, change store.Change) error {
			change = copyChange(change)
			slices.Reverse(change.Events)
			return s.Apply(ctx, change)
		})},
	{"a conflict is always at step 0",
		on("Atomicity/the ConflictError names the first step whose condition does not hold", checkModel),
		onApply(func(s store.Store, ctx context.Context, change store.Change) error {
			err := s.Apply(ctx, change)
			if errors.Is(err, store.ErrConflict) {
				return &store.ConflictError{}
			}
			return err
		})},
	{"a conflict does not say where", on("Errors/a conflict is a ConflictError and no other error"),
		onApply(func(s store.Store, ctx context.Context, change store.Change) error {
			err := s.Apply(ctx, change)
			if errors.Is(err, store.ErrConflict) {
				return store.ErrConflict
			}
			return err
		})},
	{"revisions do not matter",
		on("Conditions/UpdateCredential: its stored revision is Credential.Revision", checkModel), onApply(anyRevision)},
	{"conditions are looked at and then forgotten",
		on("Concurrency/of updates at one revision exactly one is applied"), onApply(checkThenWrite)},
	{"steps of other types are passed over", on("Atomicity/the steps of package store are the only ones"),
		onApply(func(s store.Store, ctx context.Context, change store.Change) error {
			change.Steps = slices.DeleteFunc(slices.Clone(change.Steps), func(step store.Step) bool {
				return step == nil || !strings.HasPrefix(fmt.Sprintf("%T", step), "store.")
			})
			return s.Apply(ctx, change)
		})},
	{"text is trimmed", on("Records/text comes back byte for byte"), onApply(withText(strings.TrimSpace))},
	{"text ends at a NUL", on("Records/text that storage may not hold is kept whole or refused whole"),
		onApply(withText(func(s string) string { s, _, _ = strings.Cut(s, "\x00"); return s }))},
	{"scopes are sorted", on("Records/scopes and networks keep their order, and each its place"),
		onItem(func(item *store.Item) { slices.Sort(item.Credential.Scopes) })},
}

// withText changes the names of credentials on their way in.
func withText(fn func(string) string) func(store.Store, context.Context, store.Change) error {
	return func(s store.Store, ctx context.Context, change store.Change) error {
		return s.Apply(ctx, withStep(change, func(step store.Step) store.Step {
			if create, ok := step.(store.CreateCredential); ok {
				create.Credential.Name = fn(create.Credential.Name)
				return create
			}
			return step
		}))
	}
}

var brokenReads = []breakage{
	{"what is in another space is found", on("Reads/reads answer ErrNotFound for what is in another space"), anySpace},
	{"ids are found in any case", on("Records/ids and names differ by case"), foldsCase},
	{"the version before is not there", on("Reads/an Item has the newest version and the version before it, in this order"),
		onItem(func(item *store.Item) { item.Versions = item.Versions[:min(1, len(item.Versions))] })},
	{"versions are the oldest first", on("Reads/an Item has the newest version and the version before it, in this order"),
		onItem(func(item *store.Item) { slices.Reverse(item.Versions) })},
	{"a position is included", on(checkPages, checkModel), onList(func(all []store.Item, q store.Query) []store.Item {
		return pageFrom(all, q, func(item store.Item) bool { return comparePositions(position(item), q.After) <= 0 })
	})},
	{"a position is a time only", on(checkPages, checkModel), onList(func(all []store.Item, q store.Query) []store.Item {
		return pageFrom(all, q, func(item store.Item) bool { return item.Credential.Created.Before(q.After.Created) })
	})},
	{"a position at the zero time is the start", on("Order/Credentials after any position"),
		onList(func(all []store.Item, q store.Query) []store.Item {
			return pageFrom(all, q, func(item store.Item) bool {
				return q.After.Created.IsZero() || comparePositions(position(item), q.After) < 0
			})
		})},
	{"ids are ascending", on("Order/Credentials are by Created and then by ID, both descending", checkModel),
		onList(idsAscending)},
	{"lists are by offset", on(
		"Order/credentials added meanwhile neither repeat nor hide another",
		"Order/credentials removed meanwhile neither repeat nor hide another",
	), byOffset},
	{"states are filtered after the limit", on("Order/a Query narrows by kind, subject and states"),
		func(s store.Store) store.Store {
			return &broken{Store: s, credentials: func(ctx context.Context, q store.Query) ([]store.Item, error) {
				states := q.States
				q.States = nil
				items, err := s.Credentials(ctx, q)
				return slices.DeleteFunc(items, func(item store.Item) bool {
					return len(states) > 0 && !slices.Contains(states, item.Credential.State)
				}), err
			}}
		}},
	{"reads see half a change", on("Concurrency/reads see whole changes only"), torn},
}

var brokenMemory = []breakage{
	{"what was returned is returned again", on("Memory/a store does not keep what it returned"), remembers},
	{"what was passed is kept", on("Memory/a store does not keep what the caller passed"), keeps},
	{"what was passed is written to", on("Memory/a store does not write to what the caller passed"),
		onApply(func(s store.Store, ctx context.Context, change store.Change) error {
			for i := range change.Events {
				change.Events[i].Number = int64(i + 1)
			}
			return s.Apply(ctx, change)
		})},
	{"states are sorted in place", on("Order/a Query leaves the caller's States alone"),
		onList(func(all []store.Item, q store.Query) []store.Item {
			slices.Sort(q.States)
			return all[:min(len(all), q.Limit)]
		})},
	{"nil comes back as empty", on("Memory/a nil and an empty slice or map are the same, and come back as nil", checkModel),
		onItem(func(item *store.Item) {
			if item.Credential.Scopes == nil {
				item.Credential.Scopes = []string{}
			}
		})},
	{"an empty list is not nil", on("Memory/an empty list is nil", checkModel),
		onList(func(all []store.Item, _ store.Query) []store.Item { return append([]store.Item{}, all...) })},
}

var brokenRest = []breakage{
	{"times have no milliseconds", on("Time/times come back equal, in UTC with whole milliseconds"),
		cutTime(func(t time.Time) time.Time { return t.Truncate(time.Second) })},
	{"times are elsewhere", on("Time/times come back equal, in UTC with whole milliseconds"),
		cutTime(func(t time.Time) time.Time { return t.In(time.FixedZone("CET", 3600)) })},
	{"the epoch is the zero time", on("Time/times come back equal, in UTC with whole milliseconds",
		"Time/times come back equal after an update"),
		onFound(func(t time.Time) time.Time {
			if t.UnixMilli() == 0 {
				return time.Time{}
			}
			return t
		})},
	{"contexts are ignored", on(checkEnded),
		onApply(func(s store.Store, ctx context.Context, change store.Change) error {
			return s.Apply(context.WithoutCancel(ctx), change)
		})},
	{"contexts are looked at too late", on(checkEnded),
		onApply(func(s store.Store, ctx context.Context, change store.Change) error {
			if err := s.Apply(context.WithoutCancel(ctx), change); err != nil {
				return err
			}
			return ctx.Err()
		})},
	{"errors hold values", on("Errors/no error holds a digest, a MAC, a setting's value or what a replay holds"),
		onApply(func(s store.Store, ctx context.Context, change store.Change) error {
			err := s.Apply(ctx, change)
			if err != nil {
				return fmt.Errorf("%w: %x", err, change.Events[0].MAC)
			}
			return nil
		})},
	{"only the first Close is right", on("Close/Close may be called more than once"), closesOnce},
	{"a closed store goes on", on("Close/later calls answer ErrUnavailable"), func(s store.Store) store.Store {
		return &broken{Store: s, close: func() error { return nil }}
	}},
	{"nothing is kept", durabilityNames(), func(s store.Store) store.Store { return s }},
}

// onFound makes times of what Version returns others.
func onFound(fn func(time.Time) time.Time) func(store.Store) store.Store {
	return func(s store.Store) store.Store { return &founder{s, fn} }
}

type founder struct {
	store.Store
	fn func(time.Time) time.Time
}

func (f *founder) Version(ctx context.Context, space, id string) (store.Found, error) {
	found, err := f.Store.Version(ctx, space, id)
	found.Version.Ends = f.fn(found.Version.Ends)
	return found, err
}

// closesOnce answers an error to all calls of Close but the first.
func closesOnce(s store.Store) store.Store {
	closed := make(chan struct{}, 1)
	return &broken{Store: s, close: func() error {
		select {
		case closed <- struct{}{}:
			return s.Close()
		default:
			return errors.New("closed already")
		}
	}}
}

// durabilityNames are all checks of RunDurable.
func durabilityNames() []string {
	var names []string
	for _, c := range durabilityChecks.checks {
		names = append(names, durabilityChecks.name+"/"+c.name)
	}
	return names
}
