package storetest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// orderChecks are the sentences of the paragraph Order, and of the methods that
// return lists.
var orderChecks = group{"Order", []check{
	{"Credentials are by Created and then by ID, both descending", credentialOrder},
	{"Credentials in pages of any size are the whole list", credentialPages},
	{"Credentials after any position", credentialPositions},
	{"a Query narrows by kind, subject and states", credentialFilters},
	{"a Query narrows by purpose", narrowByPurpose},
	{"a Query narrows by a part of the name, bytewise", narrowByName},
	{"a Query narrows by one of the scopes", narrowByScope},
	{"a Query narrows by what expires or has ended before a time", narrowByEnd},
	{"a Query narrows by all of its fields together", narrowByAll},
	{"a Query leaves the caller's States alone", credentialStates},
	{"credentials added meanwhile neither repeat nor hide another", credentialsAdded},
	{"credentials removed meanwhile neither repeat nor hide another", credentialsRemoved},
	{"Spaces are in ascending order of their names, bytewise", spaceOrder},
	{"Spaces begin after a name", spacePositions},
	{"spaces added meanwhile neither repeat nor hide another", spacesAdded},
	{"Events are in the order of the changes and within a change", eventOrder},
	{"Events in pages of any size are the whole list", eventPages},
	{"an EventQuery narrows by credential and type", narrowEvents},
	{"Newest returns the events the newest first, in pages of any size", newestEvents},
	{"events added meanwhile neither repeat nor hide another", eventsAdded},
	{"a limit may be any number", limits},
}}

// fill puts credentials of several kinds, subjects and states into a space, and
// as many into another; times of creation are few, so that many are equal. It
// returns those of the first in the order of lists.
func (e *env) fill(n int) (space string, items []store.Item) {
	e.Helper()
	here, there := e.space(), e.space()
	kinds := []store.Kind{store.KindAPIKey, store.KindSession, store.KindLink}
	subjects := []string{"alice", "bob", "Alice", ""}
	states := []store.State{store.StateActive, store.StateSuspended, store.StateRevoked}
	var steps []store.Step
	for i := range n {
		for _, space := range []string{here.ID, there.ID} {
			c := e.newCredential(space)
			c.Created = start.Add(time.Duration(i*7%11) * time.Millisecond)
			c.Kind, c.Subject, c.State = kinds[i%3], subjects[i/2%4], states[i/3%3]
			v := e.newVersion(c, 1)
			c.Current = v.ID
			steps = append(steps,
				store.CreateCredential{Credential: copyCredential(c)}, store.CreateVersion{Version: copyVersion(v)})
			if space == here.ID {
				items = append(items, store.Item{Credential: c, Versions: []store.Version{v}})
			}
		}
	}
	e.apply(steps...)
	slices.SortFunc(items, newerFirst)
	return here.ID, items
}

// newerFirst is the order of lists.
func newerFirst(a, b store.Item) int {
	return cmp.Or(
		b.Credential.Created.Compare(a.Credential.Created),
		strings.Compare(b.Credential.ID, a.Credential.ID),
	)
}

func credentialOrder(e *env) {
	space, want := e.fill(24)
	for i, item := range want { // with both versions
		if i%5 == 0 && !item.Credential.State.Final() {
			want[i] = e.rotate(item)
		}
	}
	e.mustEqual("the list", e.credentials(store.Query{Space: space, Limit: len(want)}), want)

	same := e.space()
	var ids []string
	var steps []store.Step
	for i := range 40 {
		c := e.newCredential(same.ID)
		c.Created = start
		if i < 4 { // bytewise: digits, then capitals, then small letters
			c.ID = "0Aa~"[i:i+1] + c.ID[1:]
		}
		steps = append(steps, store.CreateCredential{Credential: c})
		ids = append(ids, c.ID)
	}
	e.apply(steps...)
	slices.Sort(ids)
	slices.Reverse(ids)
	e.mustEqual("ids of equal Created", idsOf(e.pages(store.Query{Space: same.ID, Limit: 3})), ids)
}

func idsOf(items []store.Item) []string {
	var ids []string
	for _, item := range items {
		ids = append(ids, item.Credential.ID)
	}
	return ids
}

func credentialPages(e *env) {
	space, want := e.fill(24)
	for size := 1; size <= len(want)+1; size++ {
		query := store.Query{Space: space, Limit: size}
		var got []store.Item
		for i := 0; i <= len(want); i += size { // each page full but the last
			page := e.credentials(query)
			e.mustEqual(fmt.Sprintf("page from %d of size %d", i, size), len(page), min(size, len(want)-i))
			if got = append(got, page...); len(page) == 0 {
				break
			}
			query.After = position(page[len(page)-1])
		}
		e.mustEqual(fmt.Sprintf("the list in pages of %d", size), got, want)
	}
}

func credentialPositions(e *env) {
	space, items := e.fill(24)
	var positions []store.Position
	for _, item := range items {
		p := position(item)
		positions = append(positions, p,
			store.Position{Created: p.Created, ID: ""},
			store.Position{Created: p.Created, ID: "~"},
			store.Position{Created: p.Created, ID: p.ID[:8]},
			store.Position{Created: p.Created, ID: p.ID + "0"},
			store.Position{Created: p.Created.Add(time.Millisecond), ID: p.ID},
			store.Position{Created: p.Created.Add(-time.Millisecond), ID: p.ID},
		)
	}
	positions = append(positions,
		store.Position{}, store.Position{ID: "a"}, store.Position{ID: "~"}, store.Position{Created: start.AddDate(-900, 0, 0)},
		store.Position{Created: start.AddDate(900, 0, 0), ID: "a"},
	)
	for _, after := range positions {
		var want []string
		for _, item := range items {
			if after == (store.Position{}) || newerFirst(item, store.Item{
				Credential: store.Credential{Created: after.Created, ID: after.ID},
			}) > 0 {
				want = append(want, item.Credential.ID)
			}
		}
		got := e.credentials(store.Query{Space: space, After: after, Limit: everything})
		e.mustEqual(fmt.Sprintf("after %v", after), idsOf(got), want)
	}
}

func credentialFilters(e *env) {
	space, items := e.fill(36)
	found, queries := 0, 0
	for _, kind := range []store.Kind{"", store.KindAPIKey, store.KindSession, store.KindLink, store.KindTOTP, "APIKEY"} {
		for _, subject := range []string{"", "alice", "bob", "Alice", "nobody", "ali%", "bo_"} {
			for _, states := range [][]store.State{
				nil, {}, {store.StateActive}, {store.StateSuspended}, {store.StateRevoked}, {store.StateRedeemed}, {""},
				{store.StateRevoked, store.StateActive}, {store.StateActive, store.StateActive},
				{store.StateActive, store.StateRevoked, store.StateSuspended, "nonsense"},
			} {
				var want []string
				for _, item := range items {
					c := item.Credential
					if (kind == "" || kind == c.Kind) && (subject == "" || subject == c.Subject) &&
						(len(states) == 0 || slices.Contains(states, c.State)) {
						want = append(want, c.ID)
					}
				}
				found += len(want)
				queries++
				query := store.Query{Space: space, Kind: kind, Subject: subject, States: states, Limit: []int{2, 5, everything}[queries%3]}
				e.mustEqual(fmt.Sprintf("%+v", query), idsOf(e.pages(query)), want)
			}
		}
	}
	if found == 0 {
		e.Errorf("no query found anything")
	}
}

func credentialStates(e *env) {
	space, _ := e.fill(6)
	states := []store.State{store.StateSuspended, store.StateRevoked, store.StateActive, store.StateActive}
	given := slices.Clone(states)
	e.credentials(store.Query{Space: space, States: given[:3], Limit: 10})
	e.mustEqual("the States of a query", given, states)
}

func limits(e *env) {
	space, items := e.fill(6)
	events := e.record(items[0].Credential, 3)
	first := e.events(store.EventQuery{Space: space, Limit: 1})[0].Number
	e.named([]string{e.name + " 1", e.name + " 2"})
	for _, limit := range []int{len(items), len(items) + 1, math.MaxInt32, math.MaxInt} {
		got := e.credentials(store.Query{Space: space, Limit: limit})
		e.mustEqual("credentials", idsOf(got), idsOf(items))
		got = e.credentials(store.Query{Space: space, Limit: limit, After: position(items[0])})
		e.mustEqual("credentials after the first", idsOf(got), idsOf(items[1:]))
		all := e.events(store.EventQuery{Space: space, Limit: limit})
		e.mustEqual("events", numberless(all), events[:min(limit, len(events))])
		rest := e.events(store.EventQuery{Space: space, After: first, Limit: limit})
		e.mustEqual("events after the first", numberless(rest), events[1:][:min(limit, len(events)-1)])
		spaces, err := e.store.Spaces(background, e.name+" 1", limit)
		if err != nil || len(spaces) == 0 || spaces[0].Name != e.name+" 2" {
			e.Errorf("Spaces with a limit of %d: %d, %v", limit, len(spaces), err)
		}
	}
}
