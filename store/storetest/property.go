package storetest

import (
	"errors"

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
		c := comparison{t, e.store, m, &model{}}
		for range rapid.IntRange(1, 10).Draw(t, "changes") {
			m.model = *c.model
			change := m.change()
			t.Logf("Apply %+v", change)
			err := e.store.Apply(background, copyChange(change))
			if conflict, ok := c.model.apply(change); ok {
				if applied++; err != nil {
					t.Fatalf("Apply: %v; want nil", err)
				}
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
	c.events(m.anyID('s', poolSpaces), rapid.IntRange(1, 3).Draw(c.T, "limit"))
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
		for _, subject := range poolSubjects {
			c.list(store.Query{Space: space, Subject: subject, Limit: everything})
		}
		c.events(space, everything)
	}
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

// events asks for the events of a space in pages.
func (c *comparison) events(space string, size int) {
	c.Helper()
	want := c.model.log(space)
	query := store.EventQuery{Space: space, Limit: size}
	for i := 0; i <= len(want); i += size {
		page, err := c.store.Events(background, query)
		wantPage := want[i:min(i+size, len(want))]
		if len(wantPage) == 0 {
			wantPage = nil
		}
		c.same("Events", numberless(page), err, wantPage, true)
		for _, event := range page {
			if event.Number <= query.After {
				c.Fatalf("Events: number %d after number %d", event.Number, query.After)
			}
			query.After = event.Number
		}
	}
}
