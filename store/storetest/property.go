package storetest

import (
	"errors"
	"strings"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/keyfob-dev/keyfob/store"
)

// modelChecks compare a store with the model.
var modelChecks = group{"Model", []check{
	{"made-up changes have the outcome that the model says", compareModel},
}}

// compareModel applies made-up changes to the store and to a model, and
// compares what both answer.
func compareModel(e *env) {
	applied, refused := 0, 0
	rapid.Check(e, func(t *rapid.T) {
		m := &maker{T: t, prefix: e.id()[:12]}
		c := comparison{t, e.store, m, &model{mark: e.mark()}, e.lastEvent()}
		for range rapid.IntRange(1, 12).Draw(t, "changes") {
			m.model = *c.model
			change := m.change()
			t.Logf("Apply %+v", change)
			err := e.store.Apply(background, copyChange(change))
			if conflict, ok := c.model.apply(change); ok {
				if applied++; err != nil {
					t.Fatalf("Apply: %v; want nil", err)
				}
				c.number()
			} else {
				if refused++; err == nil || notConflict(err, conflict) != "" {
					t.Fatalf("Apply: %s", notConflict(err, conflict))
				}
			}
			c.someReads()
		}
		c.allReads()
	})
	if applied == 0 || refused == 0 {
		e.Errorf("%d changes were applied and %d refused; want some of both", applied, refused)
	}
	e.Logf("%d changes were applied, %d refused", applied, refused)
}

// A comparison asks a store and a model the same questions.
type comparison struct {
	*rapid.T
	store store.Store
	maker *maker
	model *model
	begin int64 // the number of the last event of others
}

// same compares an answer of the store with that of the model; ok is false when
// the model says that there is nothing.
func (c *comparison) same(what string, got any, err error, want any, ok bool) {
	c.Helper()
	switch {
	case !ok && isNotFound(err):
	case !ok:
		c.Fatalf("%s: %v; want ErrNotFound", what, err)
	case err != nil:
		c.Fatalf("%s: %v", what, err)
	case !same(got, want):
		c.Fatalf("%s (-want +got):\n%s", what, cmp.Diff(want, got))
	}
}

// someReads asks some questions that are made up.
func (c *comparison) someReads() {
	c.Helper()
	m := c.maker
	c.list(m.query())
	c.list(m.query())
	c.spaces(pick(m, "after", []string{m.prefix, m.spaceName(0), m.spaceName(1)}), rapid.IntRange(1, 3).Draw(c.T, "limit"))
	c.ids(m.anyID('s', poolSpaces), m.anyID('c', poolCredentials))
	c.ids(m.anyID('s', poolSpaces), m.anyID('v', poolVersions))
	c.events(m.eventQuery())
}

// number gives the new events of the model the numbers that the store has given
// them: higher ones than before, in the order in which they came.
func (c *comparison) number() {
	c.Helper()
	last, latest := int64(0), map[string]store.Event{}
	for i := range c.model.events {
		e := &c.model.events[i]
		if e.Number == 0 {
			if latest[e.ID].ID == "" {
				page, err := c.store.Events(background, store.EventQuery{Space: e.Space, After: last, Limit: everything})
				if err != nil {
					c.Fatalf("Events: %v", err)
				}
				for _, e := range page {
					latest[e.ID] = e
				}
			}
			e.Number = latest[e.ID].Number
		}
		if e.Number <= last {
			c.Fatalf("event %s has number %d after number %d", e.ID, e.Number, last)
		}
		last = e.Number
	}
}

// allReads asks everything.
func (c *comparison) allReads() {
	c.Helper()
	m := c.maker
	for n := range poolSpaces {
		got, err := c.store.Space(background, m.spaceName(n))
		want, ok := c.model.space(m.spaceName(n))
		c.same("Space", got, err, want, ok)
		space := m.id('s', n)
		for n := range poolCredentials {
			c.ids(space, m.id('c', n))
		}
		for n := range poolVersions {
			c.ids(space, m.id('v', n))
		}
		c.list(store.Query{Space: space, Limit: everything})
		c.list(store.Query{Space: space, States: []store.State{store.StateActive, store.StateSuspended}, Limit: everything})
		for _, subject := range poolSubjects {
			c.list(store.Query{Space: space, Subject: subject, Limit: everything})
		}
		for _, newest := range []bool{false, true} {
			c.events(store.EventQuery{Space: space, Newest: newest, Limit: everything})
		}
		head, err := c.store.Head(background, space)
		c.same("Head", head, err, c.model.heads[space], true)
		for n := range poolReplays {
			got, err := c.store.Replay(background, space, m.replayName(n))
			want, ok := c.model.replay(space, m.replayName(n))
			c.same("Replay", got, err, want, ok)
		}
		for n := range poolBudgets {
			got, err := c.store.Budget(background, space, m.budgetName(n))
			want, ok := c.model.budget(space, m.budgetName(n))
			c.same("Budget", got, err, want, ok)
		}
	}
	events, err := c.store.EventsAfter(background, c.begin, everything)
	c.same("EventsAfter", events, err, copyEvents(c.model.events), true)
	last, err := c.store.LastEvent(background)
	if n := len(c.model.events); n > 0 {
		c.same("LastEvent", last, err, c.model.events[n-1].Number, true)
	}
	mark, err := c.store.Mark(background)
	c.same("Mark", mark, err, c.model.mark, true)
	c.unsealed()
	for n := range poolSettings {
		got, err := c.store.Setting(background, m.settingName(n))
		want, ok := c.model.setting(m.settingName(n))
		c.same("Setting", got, err, want, ok)
	}
	c.spaces(m.prefix, poolSpaces)
}

// ids asks for what has an id.
func (c *comparison) ids(space, id string) {
	c.Helper()
	item, err := c.store.Credential(background, space, id)
	wantItem, ok := c.model.credential(space, id)
	c.same("Credential "+space+" "+id, item, err, wantItem, ok)
	found, err := c.store.Version(background, space, id)
	wantFound, ok := c.model.version(space, id)
	c.same("Version "+space+" "+id, found, err, wantFound, ok)
	uses, err := c.store.Uses(background, space, id)
	c.same("Uses "+space+" "+id, uses, err, c.model.usesIn(space, id), true)
	versions, err := c.store.Versions(background, space, id)
	c.same("Versions "+space+" "+id, versions, err, c.model.versionsOf(space, id), true)
}

// unsealed asks for the events without a Seq, of which the store may have others
// than those of the model.
func (c *comparison) unsealed() {
	c.Helper()
	events, err := c.store.Unsealed(background, everything)
	var got []store.Event
	for _, e := range events {
		if strings.HasPrefix(e.ID, c.maker.prefix) {
			got = append(got, e)
		}
	}
	c.same("Unsealed", got, err, c.model.unsealed(), true)
}

func (c *comparison) list(q store.Query) {
	c.Helper()
	items, err := c.store.Credentials(background, q)
	if err == nil && len(items) == 0 && items != nil {
		err = errors.New("an empty list that is not nil")
	}
	want := c.model.list(q)
	if len(want) == 0 {
		want = nil
	}
	c.same("Credentials", items, err, want, true)
}

// spaces asks for spaces, of which the store may have others after those of the
// model.
func (c *comparison) spaces(after string, limit int) {
	c.Helper()
	spaces, err := c.store.Spaces(background, after, limit)
	var got, want []store.Space
	for _, space := range spaces {
		if _, ok := c.model.space(space.Name); ok || space.Name[:min(12, len(space.Name))] == c.maker.prefix {
			got = append(got, space)
		}
	}
	for _, name := range c.model.names(after, limit) {
		space, _ := c.model.space(name)
		want = append(want, space)
	}
	c.same("Spaces", got, err, want, true)
}

// events asks for all events that a query asks for, in its pages.
func (c *comparison) events(query store.EventQuery) {
	c.Helper()
	want, size := c.model.log(query), query.Limit
	for i := 0; i <= len(want); i += size {
		page, err := c.store.Events(background, query)
		wantPage := want[i:min(i+size, len(want))]
		if len(wantPage) == 0 {
			wantPage = nil
		}
		c.same("Events", page, err, wantPage, true)
		if len(page) > 0 {
			query.After = page[len(page)-1].Number
		}
	}
}
