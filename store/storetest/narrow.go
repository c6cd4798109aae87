package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// filled creates credentials that fill makes, each changed by a function, and
// returns them in the order of lists.
func (e *env) filled(space string, n int, set func(i int, c *store.Credential)) []store.Item {
	e.Helper()
	var items []store.Item
	var steps []store.Step
	for i := range n {
		item, change := e.newIssue(space)
		item.Credential.Created = start.Add(time.Duration(i*7%11) * time.Millisecond)
		set(i, &item.Credential)
		steps = append(steps, store.CreateCredential{Credential: copyCredential(item.Credential)}, change.Steps[1])
		items = append(items, item)
	}
	e.apply(steps...)
	slices.SortFunc(items, newerFirst)
	return items
}

// narrowed sees that a query returns the items for which want is true, in pages
// of several sizes, and returns how many there are.
func (e *env) narrowed(query store.Query, items []store.Item, want func(c store.Credential) bool) int {
	e.Helper()
	var ids []string
	for _, item := range items {
		if want(item.Credential) {
			ids = append(ids, item.Credential.ID)
		}
	}
	for _, size := range []int{7, everything} {
		query.Limit = size
		e.mustEqual(fmt.Sprintf("%+v", query), idsOf(e.pages(query)), ids)
	}
	return len(ids)
}

func narrowByPurpose(e *env) {
	space := e.space()
	purposes := []string{"", "login", "Login", "login ", "logi", "password-reset", "100%", "_____", "a,b", "é", "e\u0301"}
	live := []store.State{store.StateActive, store.StateSuspended}
	items := e.filled(space.ID, 9*len(purposes), func(i int, c *store.Credential) {
		c.Purpose, c.Subject = purposes[i%len(purposes)], []string{"alice", "bob"}[i/len(purposes)%2]
		c.Kind = kinds[i%len(kinds)]
		c.State = []store.State{store.StateActive, store.StateRevoked, store.StateSuspended, store.StateRedeemed}[i/5%4]
	})
	narrow := func(purpose, subject string, kind store.Kind, states []store.State) int {
		query := store.Query{Space: space.ID, Kind: kind, Subject: subject, Purpose: purpose, States: states}
		return e.narrowed(query, items, func(c store.Credential) bool {
			return (purpose == "" || c.Purpose == purpose) && (subject == "" || c.Subject == subject) &&
				(kind == "" || c.Kind == kind) && (states == nil || slices.Contains(states, c.State))
		})
	}
	for _, purpose := range append(slices.Clone(purposes), "absent", "LOGIN", "%", "login\x00") {
		for _, subject := range []string{"", "alice", "nobody"} {
			narrow(purpose, subject, "", nil)
			narrow(purpose, subject, store.KindLink, live)
		}
	}
	for _, kind := range kinds { // storage may think of some as soon final
		found := 0
		for _, purpose := range purposes {
			for _, states := range [][]store.State{nil, live, live[:1], {store.StateRedeemed, store.StateActive}} {
				found += narrow(purpose, "alice", kind, states)
			}
		}
		if found == 0 {
			e.Errorf("no query of kind %s found anything", kind)
		}
	}
}

func narrowByName(e *env) {
	space := e.space()
	names := []string{
		"", "deploy key", "Deploy key", "DEPLOY", "100% _?*[a-z]", `a\b`, "naïve", "nai\u0308ve", "ǅ", "🔑 key", "key ", " key",
		"ab", "aab", "abab", "it's", "e", "\u00e9", "10 k" + strings.Repeat("e", 9000) + "y",
	}
	items := e.filled(space.ID, len(names), func(i int, c *store.Credential) { c.Name = names[i] })
	found := 0
	for _, part := range append(names,
		"key", "KEY", "deploy", "%", "_", "*", "?", "[a-z]", `\`, "ï", "i", "\u0308", "🔑", "b", "aba", "ey ", "'", "absent", "\x00",
		"\xc3", "\xa9", "\xf0\x9f", "ke%", "k_y", "eeey",
	) {
		query := store.Query{Space: space.ID, NameContains: part}
		found += e.narrowed(query, items, func(c store.Credential) bool { return strings.Contains(c.Name, part) })
	}
	if found < len(names) {
		e.Errorf("all queries together found %d", found)
	}
}

func narrowByScope(e *env) {
	space := e.space()
	scopes := [][]string{
		nil, {"read"}, {"write", "read"}, {"read", "read"}, {"READ"}, {"readers"}, {"a,b"}, {"a", "b"}, {`a"b`}, {`a","b`}, {`a\`, "b"},
		{"1"}, {"null"}, {"true"}, {"é"}, {"e\u0301"}, {"<b>&"}, {"read "}, {"[read]"}, {"a\x01b"}, {"1.0"},
	}
	items := e.filled(space.ID, len(scopes), func(i int, c *store.Credential) { c.Scopes = scopes[i] })
	for _, scope := range []string{
		"read", "READ", "write", "readers", "rea", "a", "b", "a,b", `a"b`, `","`, `b"`, `"b`, `a\`, `\`, "1", "01", "1.0", "null", "true",
		"é", "e\u0301", "<b>&", "read ", " read", "[read]", "a\x01b", "%", "*", "absent", `a","b`,
	} {
		query := store.Query{Space: space.ID, Scope: scope}
		e.narrowed(query, items, func(c store.Credential) bool { return slices.Contains(c.Scopes, scope) })
	}
}

func narrowByEnd(e *env) {
	space := e.space()
	times := []time.Time{{}, time.UnixMilli(0).UTC(), at(-1), at(0), at(0).Add(time.Millisecond), at(9), instants[1], instants[len(instants)-1]}
	states := []store.State{
		store.StateActive, store.StateSuspended, store.StateRedeemed, store.StateReplaced, store.StateRevoked,
	}
	items := e.filled(space.ID, len(times)*len(times), func(i int, c *store.Credential) {
		c.Expires, c.Updated, c.State = times[i%len(times)], times[i/len(times)], states[i%len(states)]
	})
	for _, t := range append(slices.Clone(instants), times...) {
		if t.IsZero() {
			continue // which does not narrow
		}
		e.narrowed(store.Query{Space: space.ID, ExpiresBefore: t}, items, func(c store.Credential) bool { return expiresBefore(c, t) })
		e.narrowed(store.Query{Space: space.ID, EndedBefore: t}, items, func(c store.Credential) bool { return endedBefore(c, t) })
	}
}

// narrowByAll uses all fields of a query together.
func narrowByAll(e *env) {
	space, other := e.space(), e.space()
	set := func(i int, c *store.Credential) {
		c.Name = []string{"deploy key", "login", "deploy"}[i%3]
		c.Scopes = [][]string{{"read"}, {"write", "read"}, {"write"}, nil}[i%4]
		c.Subject, c.Purpose = []string{"alice", "bob"}[i/2%2], []string{"", "login"}[i/7%2]
		c.Kind = []store.Kind{store.KindAPIKey, store.KindSession}[i/3%2]
		c.State = []store.State{store.StateActive, store.StateRevoked, store.StateSuspended}[i/4%3]
		c.Expires, c.Updated = []time.Time{{}, at(1), at(5)}[i/5%3], []time.Time{{}, at(1), at(5)}[i/6%3]
	}
	items := e.filled(space.ID, 60, set)
	e.filled(other.ID, 60, set)
	most := 0
	for i := range 1 << 8 {
		query := store.Query{Space: space.ID}
		use := func(bit int, set func()) {
			if i>>bit&1 == 1 {
				set()
			}
		}
		use(0, func() { query.NameContains = "deploy" })
		use(1, func() { query.Scope = "read" })
		use(2, func() { query.Subject = "alice" })
		use(3, func() { query.Kind = store.KindAPIKey })
		use(4, func() { query.States = []store.State{store.StateActive, store.StateRevoked} })
		use(5, func() { query.ExpiresBefore = at(5) })
		use(6, func() { query.EndedBefore = at(2) })
		use(7, func() { query.Purpose = "login" })
		n := e.narrowed(query, items, func(c store.Credential) bool {
			return strings.Contains(c.Name, query.NameContains) &&
				(query.Scope == "" || slices.Contains(c.Scopes, query.Scope)) &&
				(query.Subject == "" || c.Subject == query.Subject) && (query.Kind == "" || c.Kind == query.Kind) &&
				(query.Purpose == "" || c.Purpose == query.Purpose) &&
				(query.States == nil || slices.Contains(query.States, c.State)) &&
				(query.ExpiresBefore.IsZero() || expiresBefore(c, query.ExpiresBefore)) &&
				(query.EndedBefore.IsZero() || endedBefore(c, query.EndedBefore))
		})
		if query.NameContains != "" && query.Scope != "" && query.States != nil {
			most = max(most, n)
		}
	}
	if most == 0 {
		e.Errorf("no query of several fields found anything")
	}
}

func narrowEvents(e *env) {
	here, there := e.space(), e.space()
	c, other, elsewhere := e.newCredential(here.ID), e.newCredential(here.ID), e.newCredential(there.ID)
	elsewhere.ID = c.ID
	types := []string{"apikey.issued", "apikey.revoked", "apikey"}
	var events []store.Event
	for i := range 24 {
		event := e.newEvent([]store.Credential{c, other, elsewhere, {Space: here.ID}}[i%4])
		event.Type = types[i/2%3]
		events = append(events, event)
	}
	e.applyChange(store.Change{Events: copyEvents(events)})
	found := 0
	for _, credential := range []string{"", c.ID, other.ID, e.id(), c.ID[1:], swapCase(c.ID)} {
		for _, typ := range []string{"", "apikey.issued", "apikey.revoked", "apikey", "apikey.%", "APIKEY"} {
			for _, newest := range []bool{false, true} {
				var want []store.Event
				for _, event := range events {
					if event.Space == here.ID && (credential == "" || event.Credential == credential) &&
						(typ == "" || event.Type == typ) {
						want = append(want, event)
					}
				}
				if newest {
					slices.Reverse(want)
				}
				found += len(want)
				for _, size := range []int{1, 2, 5, everything} {
					query := store.EventQuery{Space: here.ID, Credential: credential, Type: typ, Newest: newest, Limit: size}
					e.mustEqual(fmt.Sprintf("%+v", query), numberless(e.eventPages(query)), want)
				}
			}
		}
	}
	if found < len(events) {
		e.Errorf("all queries together found %d events", found)
	}
}

// eventPages reads all that a query asks for, in its pages. Each is full but the
// last.
func (e *env) eventPages(query store.EventQuery) []store.Event {
	e.Helper()
	var all []store.Event
	for range mostPages {
		page := e.events(query)
		all = append(all, page...)
		if len(page) < query.Limit {
			return all
		}
		query.After = page[len(page)-1].Number
	}
	e.Fatalf("Events(%+v): the list does not end", query)
	return nil
}

func newestEvents(e *env) {
	space, other := e.space(), e.space()
	for range 3 {
		e.record(e.newCredential(space.ID), 3)
		e.record(e.newCredential(other.ID), 2)
	}
	want := e.allEvents(space.ID)
	slices.Reverse(want)
	for size := 1; size <= len(want)+1; size++ {
		got := e.eventPages(store.EventQuery{Space: space.ID, Newest: true, Limit: size})
		e.mustEqual(fmt.Sprintf("in pages of %d", size), got, want)
	}
	for i, event := range want { // also after numbers that no event of the space has
		for off := range int64(2) {
			after := event.Number + off
			got := e.events(store.EventQuery{Space: space.ID, Newest: true, After: after, Limit: everything})
			from := i + 1
			if off > 0 {
				from = slices.IndexFunc(want, func(o store.Event) bool { return o.Number < after })
			}
			e.mustEqual(fmt.Sprintf("after number %d", after), len(got), len(want)-from)
		}
	}
	first := want[len(want)-1].Number
	e.mustEqual("after the first", len(e.events(store.EventQuery{Space: space.ID, Newest: true, After: first, Limit: 1})), 0)
	// What is added meanwhile comes before the place.
	query := store.EventQuery{Space: space.ID, Newest: true, Limit: 5}
	page := e.events(query)
	e.record(e.newCredential(space.ID), 3)
	query.After, query.Limit = page[4].Number, everything
	e.mustEqual("with events added meanwhile", append(page, e.events(query)...), want)
}
