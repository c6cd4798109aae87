package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// onStep breaks the steps of one type.
func onStep[S store.Step](fn func(s store.Store, step S) store.Step) func(store.Store) store.Store {
	return onApply(func(s store.Store, ctx context.Context, change store.Change) error {
		return s.Apply(ctx, withStep(change, func(step store.Step) store.Step {
			if step, ok := step.(S); ok {
				return fn(s, step)
			}
			return step
		}))
	})
}

// passes answers nil instead of a conflict at a step of one type.
func passes[S store.Step](s store.Store, ctx context.Context, change store.Change) error {
	err := s.Apply(ctx, change)
	var conflict *store.ConflictError
	if errors.As(err, &conflict) {
		if _, ok := change.Steps[conflict.Step].(S); ok {
			return nil
		}
	}
	return err
}

// storedRevision is the revision of a credential that is there.
func storedRevision(s store.Store, space, id string, otherwise int64) int64 {
	item, err := s.Credential(background, space, id)
	if err != nil || item.Credential.ID != id {
		return otherwise
	}
	return item.Credential.Revision
}

var brokenUses = []breakage{
	{"what is used up is used again", on(
		"Uses/UseCredential: its stored Used is lower than its stored Uses",
		"Concurrency/of the uses of what may be used once exactly one is applied",
		"Concurrency/of many uses as many are applied as there may be", checkModel,
	), onApply(passes[store.UseCredential])},
	{"a use is looked at first and then written", on(
		"Concurrency/of the uses of what may be used once exactly one is applied",
	), onApply(lookThenUse)},
	{"a use asks for no revision", on("Uses/UseCredential: its stored revision is Revision", checkModel),
		onStep(func(s store.Store, u store.UseCredential) store.Step {
			u.Revision = storedRevision(s, u.Space, u.ID, u.Revision)
			return u
		})},
	{"a use raises the revision", on("Uses/UseCredential adds 1 to Used, and leaves the revision as it is", checkModel),
		onApply(useRaisesRevision)},
	{"a use asks for no space", on("Uses/UseCredential: the credential is there, in the same space", checkModel),
		inItsSpace(func(step store.Step, spaceOf func(id string) string) store.Step {
			if u, ok := step.(store.UseCredential); ok {
				u.Space = spaceOf(u.ID)
				return u
			}
			return step
		})},
	{"an update writes Used", on("Uses/UpdateCredential leaves Used as it is", checkModel), updatesUsed},
	{"a read of a version lacks Used", on("Uses/UseCredential adds 1 to Used, and leaves the revision as it is",
		"Reads/Version returns the version with that id, and its credential",
	), onVersion(func(found *store.Found) { found.Credential.Used = 0 })},
	{"a read of a version lacks its networks", on("Reads/Version returns the version with that id, and its credential"),
		onVersion(func(found *store.Found) { found.Credential.CIDRs = nil })},
	{"limits are per second", on("Conditions/UpdateCredential writes the mutable fields", checkModel),
		onItem(func(item *store.Item) { item.Credential.Limit.Per = item.Credential.Limit.Per.Truncate(time.Second) })},
	{"the last record of use wins", on("Uses/RecordUse moves FirstUsed back and LastUsed on", checkModel), lastRecord},
	{"all addresses are kept", on("Uses/RecordUse keeps the addresses that were used last"), manyAddresses(1000)},
	{"fewer addresses are kept", on("Uses/RecordUse keeps the addresses that were used last"), manyAddresses(store.MaxAddresses - 1)},
	{"uses are the oldest first", on("Uses/RecordUse does so for each address", checkModel),
		onUses(func(uses []store.Use) { slices.Reverse(uses) })},
	{"uses of one time are in the order of addresses", on("Uses/RecordUse does so for each address"),
		onUses(func(uses []store.Use) {
			slices.SortFunc(uses, func(a, b store.Use) int {
				if a.Last.Equal(b.Last) {
					return strings.Compare(a.Address, b.Address)
				}
				return b.Last.Compare(a.Last)
			})
		})},
	{"a record of use writes to any space", on("Uses/RecordUse of a version that is not in the space is passed over", checkModel),
		inItsSpace(func(step store.Step, spaceOf func(id string) string) store.Step {
			if u, ok := step.(store.RecordUse); ok {
				u.Space = spaceOf(u.Version)
				return u
			}
			return step
		})},
	{"a record of use of nothing is refused", on("Uses/RecordUse of a version that is not in the space is passed over", checkModel),
		onApply(refusesRecord)},
	{"a record of use raises the revision", on("Uses/RecordUse changes no revision", checkModel), onApply(recordRaisesRevision)},
	{"a deletion asks for no revision", on("Uses/DeleteCredential: its stored revision is Revision"),
		onStep(func(s store.Store, d store.DeleteCredential) store.Step {
			d.Revision = storedRevision(s, d.Space, d.ID, d.Revision)
			return d
		})},
	{"a deletion asks for no space", on("Uses/DeleteCredential: the credential is there, in the same space", checkModel),
		inItsSpace(func(step store.Step, spaceOf func(id string) string) store.Step {
			if d, ok := step.(store.DeleteCredential); ok {
				d.Space = spaceOf(d.ID)
				return d
			}
			return step
		})},
	{"a deletion of nothing is done", on("Concurrency/of deletions exactly one is applied, and nothing is left", checkModel),
		onApply(passes[store.DeleteCredential])},
	{"a deletion leaves the versions", on("Uses/DeleteCredential removes a credential, its versions and their uses", checkModel),
		leavesVersions},
	{"a deletion leaves the uses", on("Uses/DeleteCredential removes a credential, its versions and their uses"),
		leavesUses},
	{"a deletion removes the events", on("Uses/DeleteCredential removes a credential, its versions and their uses", checkModel),
		removesEvents},
	{"an id never comes back", on("Uses/after DeleteCredential the ids are free"), rememberIDs},
}

var brokenChain = []breakage{
	{"a seal asks for no head", on(
		"Chain/SealEvents: the space's head has the Seq After", checkModel,
	), onStep(func(s store.Store, seals store.SealEvents) store.Step {
		head, _ := s.Head(background, seals.Space)
		seals.After = head.Seq
		return seals
	})},
	{"what cannot be sealed is passed over", on("Chain/SealEvents: each event is there, in the same space, and has no Seq",
		"Concurrency/of seals after one head exactly one is applied", checkModel,
	),
		onApply(passes[store.SealEvents])},
	{"sealed events are left out of a seal", on("Chain/SealEvents: each event is there, in the same space, and has no Seq"),
		onApply(leavesOutSealed)},
	{"a seal of nothing is done", on("Chain/SealEvents has at least one seal"),
		onApply(func(s store.Store, ctx context.Context, change store.Change) error {
			change.Steps = slices.DeleteFunc(slices.Clone(change.Steps), func(step store.Step) bool {
				seals, ok := step.(store.SealEvents)
				return ok && len(seals.Seals) == 0
			})
			return s.Apply(ctx, change)
		})},
	{"the events of a seal are in the order of their numbers", on("Chain/SealEvents writes the next links of a space's chain"),
		onStep(func(_ store.Store, seals store.SealEvents) store.Step {
			slices.SortFunc(seals.Seals, func(a, b store.Seal) int { return int(a.Event - b.Event) })
			return seals
		})},
	{"the head has the first link", on("Chain/SealEvents writes the next links of a space's chain", checkModel), firstLink},
	{"events lack their links", on("Chain/SealEvents writes the next links of a space's chain", checkModel),
		onEvents(func(events []store.Event, _ store.EventQuery) []store.Event {
			for i := range events {
				events[i].Link = nil
			}
			return events
		})},
	{"what is sealed is still unsealed", on("Chain/Unsealed returns events of all spaces that have no Seq, by number", checkModel),
		everUnsealed},
	{"events of one space only are unsealed", on("Chain/Unsealed returns events of all spaces that have no Seq, by number", checkModel),
		onUnsealed(func(events []store.Event, limit int) []store.Event {
			for i, e := range events {
				if e.Space != events[0].Space {
					return events[:i]
				}
			}
			return events
		})},
	{"what is unsealed is the newest", on("Chain/Unsealed returns events of all spaces that have no Seq, by number"),
		onUnsealed(func(events []store.Event, limit int) []store.Event { return events[max(0, len(events)-limit):] })},
	{"the last event is not counted", on(
		"Chain/EventsAfter returns events of all spaces, by number; LastEvent the highest number",
	), func(s store.Store) store.Store {
		return &broken{Store: s, lastEvent: func(ctx context.Context) (int64, error) {
			number, err := s.LastEvent(ctx)
			return max(0, number-1), err
		}}
	}},
	{"events after a number begin with it", on(
		"Chain/EventsAfter returns events of all spaces, by number; LastEvent the highest number",
		"Concurrency/whoever follows the events of all spaces misses none",
	), func(s store.Store) store.Store {
		return &broken{Store: s, eventsAfter: func(ctx context.Context, number int64, limit int) ([]store.Event, error) {
			return s.EventsAfter(ctx, number-1, limit)
		}}
	}},
	{"an event comes sealed", on("Chain/a new event is not sealed, whatever the caller thinks"), comesSealed},
	{"all spaces have one head", on("Chain/Head returns the zero Head where nothing was sealed", checkModel), oneHead},
}

var brokenMarks = []breakage{
	{"a mark that is raised is set", on(
		"Mark/RaiseMark makes To the mark, unless that is later already",
		"Concurrency/of new marks exactly one is set, and none is lower than it was raised to", checkModel,
	), onStep(func(s store.Store, raise store.RaiseMark) store.Step {
		was, _ := s.Mark(background)
		return store.SetMark{Was: was, To: raise.To}
	})},
	{"a mark that is set is raised", on("Mark/SetMark makes To the mark, be it earlier or later", checkModel),
		onApply(func(s store.Store, ctx context.Context, change store.Change) error {
			return s.Apply(ctx, withStep(change, func(step store.Step) store.Step {
				if set, ok := step.(store.SetMark); ok {
					if was, _ := s.Mark(background); was.Equal(set.Was) {
						return store.RaiseMark{To: set.To}
					}
				}
				return step
			}))
		})},
	{"a mark is set whatever it was", on("Mark/SetMark: the mark is Was",
		"Concurrency/of new marks exactly one is set, and none is lower than it was raised to", checkModel,
	), onApply(setsAnyMark)},
	{"a mark has no milliseconds", on("Mark/SetMark makes To the mark, be it earlier or later"), func(s store.Store) store.Store {
		return &broken{Store: s, mark: func(ctx context.Context) (time.Time, error) {
			mark, err := s.Mark(ctx)
			return mark.Truncate(time.Second), err
		}}
	}},
}

var brokenReplays = []breakage{
	{"a replay takes the place of another", on("Replays/CreateReplay: the space has none of its name",
		"Concurrency/of replays of one name exactly one is created", checkModel,
	), onApply(passes[store.CreateReplay])},
	{"replays that end at a time stay until later", on(
		"Replays/DeleteReplays removes, in all spaces, what ends at Until or earlier", checkModel,
	), onStep(func(_ store.Store, d store.DeleteReplays) store.Step {
		return store.DeleteReplays{Until: d.Until.Add(-time.Millisecond)}
	})},
	{"replays that end after a time go as well", on(
		"Replays/DeleteReplays removes, in all spaces, what ends at Until or earlier",
	), onStep(func(_ store.Store, d store.DeleteReplays) store.Step {
		return store.DeleteReplays{Until: d.Until.Add(time.Millisecond)}
	})},
	{"replays are removed in one space only", on("Replays/DeleteReplays removes, in all spaces, what ends at Until or earlier"),
		keepsReplays},
	{"replays of all spaces are found", on("Replays/Replay answers ErrNotFound for what is not in the space", checkModel),
		anyReplay},
}

var brokenQueries = []breakage{
	{"names are found in any case", on("Order/a Query narrows by a part of the name, bytewise", checkModel),
		narrowsWrong(func(q store.Query, c store.Credential) bool {
			return strings.Contains(strings.ToLower(c.Name), strings.ToLower(q.NameContains))
		}, func(q *store.Query) { q.NameContains = "" })},
	{"names are found by how they begin", on("Order/a Query narrows by a part of the name, bytewise"),
		narrowsWrong(func(q store.Query, c store.Credential) bool { return strings.HasPrefix(c.Name, q.NameContains) },
			func(q *store.Query) { q.NameContains = "" })},
	{"names are patterns", on("Order/a Query narrows by a part of the name, bytewise"),
		narrowsWrong(func(q store.Query, c store.Credential) bool {
			return q.NameContains == "%" || strings.Contains(c.Name, q.NameContains)
		}, func(q *store.Query) { q.NameContains = "" })},
	{"a scope is a part of the scopes", on("Order/a Query narrows by one of the scopes", checkModel),
		narrowsWrong(func(q store.Query, c store.Credential) bool {
			return strings.Contains(strings.Join(c.Scopes, `","`), q.Scope)
		}, func(q *store.Query) { q.Scope = "" })},
	{"a scope is the first one", on("Order/a Query narrows by one of the scopes"),
		narrowsWrong(func(q store.Query, c store.Credential) bool {
			return q.Scope == "" || len(c.Scopes) > 0 && c.Scopes[0] == q.Scope
		}, func(q *store.Query) { q.Scope = "" })},
	{"what never expires expires early", on("Order/a Query narrows by what expires or has ended before a time", checkModel),
		narrowsWrong(func(q store.Query, c store.Credential) bool {
			return q.ExpiresBefore.IsZero() || c.Expires.Before(q.ExpiresBefore)
		}, func(q *store.Query) { q.ExpiresBefore = time.Time{} })},
	{"what expires at a time expires before it", on("Order/a Query narrows by what expires or has ended before a time", checkModel),
		narrowsWrong(func(q store.Query, c store.Credential) bool {
			return q.ExpiresBefore.IsZero() || !c.Expires.IsZero() && !c.Expires.After(q.ExpiresBefore)
		}, func(q *store.Query) { q.ExpiresBefore = time.Time{} })},
	{"final states end at once", on("Order/a Query narrows by what expires or has ended before a time", checkModel),
		narrowsWrong(func(q store.Query, c store.Credential) bool {
			return q.EndedBefore.IsZero() || c.State.Final() || expiresBefore(c, q.EndedBefore)
		}, func(q *store.Query) { q.EndedBefore = time.Time{} })},
	{"only what has expired has ended", on("Order/a Query narrows by what expires or has ended before a time", checkModel),
		narrowsWrong(func(q store.Query, c store.Credential) bool {
			return q.EndedBefore.IsZero() || expiresBefore(c, q.EndedBefore)
		}, func(q *store.Query) { q.EndedBefore = time.Time{} })},
	{"any state ends when it is updated", on("Order/a Query narrows by what expires or has ended before a time", checkModel),
		narrowsWrong(func(q store.Query, c store.Credential) bool {
			return q.EndedBefore.IsZero() || expiresBefore(c, q.EndedBefore) || c.Updated.Before(q.EndedBefore)
		}, func(q *store.Query) { q.EndedBefore = time.Time{} })},
	{"names are filtered after the limit", on("Order/a Query narrows by a part of the name, bytewise",
		"Order/a Query narrows by all of its fields together",
	), func(s store.Store) store.Store {
		return &broken{Store: s, credentials: func(ctx context.Context, q store.Query) ([]store.Item, error) {
			part := q.NameContains
			q.NameContains = ""
			items, err := s.Credentials(ctx, q)
			return slices.DeleteFunc(items, func(item store.Item) bool { return !strings.Contains(item.Credential.Name, part) }), err
		}}
	}},
	{"events are of any credential", on("Order/an EventQuery narrows by credential and type", checkModel),
		onEventQuery(func(q *store.EventQuery) { q.Credential = "" })},
	{"events are of any type", on("Order/an EventQuery narrows by credential and type", checkModel),
		onEventQuery(func(q *store.EventQuery) { q.Type = "" })},
	{"events are the oldest first", on("Order/Newest returns the events the newest first, in pages of any size", checkModel),
		onEventQuery(func(q *store.EventQuery) { q.Newest = false })},
	{"a page of the newest repeats its first", on("Order/Newest returns the events the newest first, in pages of any size", checkModel),
		onEventQuery(func(q *store.EventQuery) {
			if q.Newest && q.After > 0 {
				q.After++
			}
		})},
	{"types are filtered after the limit", on("Order/an EventQuery narrows by credential and type", checkModel),
		func(s store.Store) store.Store {
			return &broken{Store: s, events: func(ctx context.Context, q store.EventQuery) ([]store.Event, error) {
				typ := q.Type
				q.Type = ""
				events, err := s.Events(ctx, q)
				return slices.DeleteFunc(events, func(e store.Event) bool { return typ != "" && e.Type != typ }), err
			}}
		}},
}
