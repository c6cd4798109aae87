package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyfob-dev/keyfob/store"
)

// contextChecks are the sentences of the paragraph Context.
var contextChecks = group{"Context", []check{
	{"a method whose context has ended returns the context's error and does nothing", endedContext},
	{"a change whose context ends meanwhile takes effect wholly or not at all", endingContext},
	{"a read whose context ends meanwhile answers rightly or with an error", endingRead},
}}

// A call is one method of Store with arguments that it has an answer to.
type call struct {
	name string
	do   func(ctx context.Context) (any, error)
}

// calls returns a call of each method but Close, on a space with something in
// it. The change of Apply can be applied once.
func (e *env) calls() []call {
	e.Helper()
	space := e.space()
	item := e.issue(space.ID)
	e.apply(store.RecordUse{Space: space.ID, Version: item.Versions[0].ID, Address: "192.0.2.1", First: at(1), Last: at(2)})
	setting := e.newSetting()
	replay, budget := e.newReplay(space.ID), e.newBudget(space.ID)
	e.apply(setting, store.CreateReplay{Replay: replay}, store.WriteBudget{Budget: budget})
	s := e.store
	_, change := e.newIssue(space.ID)
	return []call{
		{"Apply", func(ctx context.Context) (any, error) { return nil, s.Apply(ctx, change) }},
		{"Space", func(ctx context.Context) (any, error) { return s.Space(ctx, space.Name) }},
		{"Spaces", func(ctx context.Context) (any, error) { return s.Spaces(ctx, "", 1) }},
		{"Credential", func(ctx context.Context) (any, error) { return s.Credential(ctx, space.ID, item.Credential.ID) }},
		{"Version", func(ctx context.Context) (any, error) { return s.Version(ctx, space.ID, item.Versions[0].ID) }},
		{"Versions", func(ctx context.Context) (any, error) { return s.Versions(ctx, space.ID, item.Credential.ID) }},
		{"Credentials", func(ctx context.Context) (any, error) {
			return s.Credentials(ctx, store.Query{Space: space.ID, Limit: 1})
		}},
		{"Events", func(ctx context.Context) (any, error) {
			return s.Events(ctx, store.EventQuery{Space: space.ID, Limit: 1})
		}},
		{"Uses", func(ctx context.Context) (any, error) { return s.Uses(ctx, space.ID, item.Versions[0].ID) }},
		{"LastEvent", func(ctx context.Context) (any, error) { return s.LastEvent(ctx) }},
		{"EventsAfter", func(ctx context.Context) (any, error) { return s.EventsAfter(ctx, 0, 1) }},
		{"Unsealed", func(ctx context.Context) (any, error) { return s.Unsealed(ctx, 1) }},
		{"Head", func(ctx context.Context) (any, error) { return s.Head(ctx, space.ID) }},
		{"Mark", func(ctx context.Context) (any, error) { return s.Mark(ctx) }},
		{"Replay", func(ctx context.Context) (any, error) { return s.Replay(ctx, space.ID, replay.Name) }},
		{"Budget", func(ctx context.Context) (any, error) { return s.Budget(ctx, space.ID, budget.Name) }},
		{"Setting", func(ctx context.Context) (any, error) { return s.Setting(ctx, setting.Name) }},
	}
}

func endedContext(e *env) {
	canceled, cancel := context.WithCancel(background)
	cancel()
	expired, cancel := context.WithDeadline(background, start.AddDate(-9, 0, 0))
	defer cancel()
	because, cancelBecause := context.WithCancelCause(background)
	cancelBecause(errors.New("a cause"))
	calls := e.calls()
	before := e.snapshot()
	for _, ctx := range []context.Context{canceled, expired, because} {
		for _, call := range calls {
			if _, err := call.do(ctx); !errors.Is(err, ctx.Err()) {
				e.Errorf("%s: %v; want %v", call.name, err, ctx.Err())
			}
			if diff := cmp.Diff(before, e.snapshot()); diff != "" {
				e.Errorf("%s did something (-before +after):\n%s", call.name, diff)
			}
		}
	}
	for _, call := range calls { // with one that has not ended
		if _, err := call.do(background); err != nil {
			e.Errorf("%s: %v", call.name, err)
		}
	}
}

// ended reports whether err is what a method may return whose context ended
// after it began.
func ended(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, store.ErrUnavailable)
}

func endingContext(e *env) {
	space := e.space()
	base := e.issue(space.ID)
	applied := 0
	for i := range 40 {
		next, change := e.newRotation(base)
		for range i % 10 { // some take longer
			_, issue := e.newIssue(space.ID)
			change.Steps = append(change.Steps, issue.Steps...)
			change.Events = append(change.Events, issue.Events...)
		}
		before := len(e.allEvents(space.ID))
		ctx, cancel := context.WithCancel(background)
		errs := together(2, func(i int) error {
			if i == 0 {
				cancel()
				return nil
			}
			return e.store.Apply(ctx, copyChange(change))
		})
		if err := errs[1]; err != nil && !ended(err) {
			e.Errorf("Apply: %v; want nil, the context's error or ErrUnavailable", err)
		}
		events := len(e.allEvents(space.ID)) - before
		item := e.credential(space.ID, base.Credential.ID)
		switch {
		case cmp.Equal(item, next) && events == len(change.Events):
			base = next
			applied++
		case !cmp.Equal(item, base) || events != 0 || errs[1] == nil:
			e.Fatalf("Apply: %v, with %d of %d events; the credential (-before +after):\n%s",
				errs[1], events, len(change.Events), cmp.Diff(base, item))
		}
	}
	e.Logf("%d of 40 changes were applied", applied)
	// The store is as good as before.
	e.rotate(base)
}

func endingRead(e *env) {
	calls := e.calls()[1:] // without Apply
	want := make([]any, len(calls))
	for i, call := range calls {
		answer, err := call.do(background)
		if err != nil {
			e.Fatalf("%s: %v", call.name, err)
		}
		want[i] = answer
	}
	for range 20 {
		ctx, cancel := context.WithCancel(background)
		for _, err := range together(len(calls)+1, func(i int) error {
			if i == len(calls) {
				cancel()
				return nil
			}
			answer, err := calls[i].do(ctx)
			if err != nil && !ended(err) {
				return fmt.Errorf("%s: %w", calls[i].name, err)
			}
			// The one of these may by now be of another check.
			shared := slices.Contains([]string{"Spaces", "Unsealed", "LastEvent"}, calls[i].name)
			if diff := cmp.Diff(want[i], answer); err == nil && diff != "" && !shared {
				return fmt.Errorf("%s (-want +got):\n%s", calls[i].name, diff)
			}
			return nil
		}) {
			if err != nil {
				e.Error(err)
			}
		}
	}
	for _, call := range calls {
		ctx, cancel := context.WithTimeout(background, time.Hour)
		if _, err := call.do(ctx); err != nil {
			e.Errorf("%s afterwards: %v", call.name, err)
		}
		cancel()
	}
}
