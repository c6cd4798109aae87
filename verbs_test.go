package keyfob_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/otp"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// A scene is what a verb is tried on: an Authority in a space that has a key,
// which was rotated a minute ago with an hour of grace.
type scene struct {
	a     *keyfob.Authority // in the space acme
	clock *clock
	st    store.Store
	key   keyfob.Issued
	old   keyfob.Secret // the version before
	made  keyfob.Issued // what a verb's prepare made, of another kind
}

func newScene(t *testing.T, st store.Store) *scene {
	t.Helper()
	a, clock := open(t, st)
	createSpace(t, a, "acme", "acme")
	s := &scene{a: a.In("acme"), clock: clock, st: st}
	first := issue(t, s.a, keyfob.APIKey{Subject: "subject-of-acme", Name: "name-of-acme", Scopes: []string{"read"}, Attributes: map[string]string{"a": "1"}})
	s.old = first.Secret
	clock.Add(time.Minute)
	var err error
	if s.key, err = s.a.Rotate(t.Context(), first.Credential.ID, time.Hour); err != nil {
		t.Fatal(err)
	}
	clock.Add(time.Minute)
	return s
}

// A verb is one of the Authority's, its spaces' or its log's. Where there are kinds
// of it, its name is followed by a comma and the kind.
type verb struct {
	prepare func(ctx context.Context, s *scene) error
	do      func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error)
	event   string // type of the one event that it writes; empty: it changes nothing that has events
	abroad  string // what it answers about the key in another space; empty: it is of no space
}

func id(s *scene) string { return s.key.Credential.ID }

var verbs = map[string]verb{
	"Issue": {event: "apikey.issued", abroad: "its own", do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.Issue(ctx, keyfob.APIKey{Subject: "bob"})
	}},
	"Issue, link":     {event: "link.issued", abroad: "its own", do: issues(reset)},
	"Issue, code":     {event: "code.issued", abroad: "its own", do: issues(longCode)},
	"Issue, totp":     {event: "totp.issued", abroad: "its own", do: issues(app)},
	"Issue, recovery": {event: "recovery.issued", abroad: "its own", do: issues(paper)},
	"Inspect": {abroad: "unknown", prepare: makes(ofAcme.link), do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.Inspect(ctx, byLink(s.made))
	}},
	"Redeem, link": {event: "link.redeemed", abroad: "unknown", prepare: makes(ofAcme.link), do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.Redeem(ctx, byLink(s.made))
	}},
	"Redeem, code": {event: "code.redeemed", abroad: "unknown", prepare: makes(ofAcme.code), do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.Redeem(ctx, byCode(s.made))
	}},
	"Redeem, totp": {abroad: "unknown", prepare: enrolled, do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		attempt, err := totpAt(s.made, s.clock.Now())
		if err != nil {
			return nil, err
		}
		return a.Redeem(ctx, attempt)
	}},
	"Redeem, recovery": {event: "recovery.redeemed", abroad: "unknown", prepare: makes(ofAcme.recovery), do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.Redeem(ctx, byRecovery(s.made, 5))
	}},
	"Confirm": {event: "totp.confirmed", abroad: "unknown", prepare: makes(ofAcme.totp), do: confirms},
	"Unlock": {event: "subject.unlocked", abroad: "its own", prepare: guessed, do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return nil, a.Unlock(ctx, "subject-of-acme", "why")
	}},
	"Verify": {abroad: "unknown", do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.Verify(ctx, s.key.Secret.Reveal(), keyfob.Check{})
	}},
	"Judge": {abroad: "unknown", do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.Judge(ctx, s.old.Reveal(), keyfob.Check{})
	}},
	"Get": {abroad: "not found", do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.Get(ctx, id(s))
	}},
	"List": {abroad: "its own", do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.List(ctx, keyfob.Filter{})
	}},
	"Update": {event: "apikey.updated", abroad: "not found", do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		c := s.key.Credential
		c.Name = "changed"
		return a.Update(ctx, c)
	}},
	"Rotate": {event: "apikey.rotated", abroad: "not found", do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.Rotate(ctx, id(s), 0)
	}},
	"Rollback": {event: "apikey.rolled_back", abroad: "not found", do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.Rollback(ctx, id(s))
	}},
	"Suspend": {event: "apikey.suspended", abroad: "not found", do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.Suspend(ctx, id(s), "why")
	}},
	"Resume": {event: "apikey.resumed", abroad: "not found", prepare: suspend, do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.Resume(ctx, id(s))
	}},
	"Revoke": {event: "apikey.revoked", abroad: "not found", do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return nil, a.Revoke(ctx, id(s), "why")
	}},
	"Purge": {event: "apikey.purged", abroad: "its own", prepare: revokeLongAgo, do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.Purge(ctx, keyfob.KindAPIKey, s.clock.Now())
	}},
	"AcceptClock": {event: "clock.accepted", prepare: setBack, do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.AcceptClock(ctx)
	}},
	"Spaces.Create": {event: "space.created", do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.Spaces().Create(ctx, keyfob.Space{Name: "new", Prefix: "new"})
	}},
	"Spaces.Get": {do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.Spaces().Get(ctx, "acme")
	}},
	"Spaces.List": {do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.Spaces().List(ctx, "", 10)
	}},
	"Spaces.Update": {event: "space.updated", do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.Spaces().Update(ctx, keyfob.Space{Name: "acme", Prefix: "changed", Revision: 1})
	}},
	"Events.List": {abroad: "its own", do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.Events().List(ctx, keyfob.EventFilter{Credential: id(s)})
	}},
	"Events.Checkpoint": {abroad: "its own", do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.Events().Checkpoint(ctx)
	}},
	"Events.Verify": {abroad: "its own", do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.Events().Verify(ctx)
	}},
}

// ofAcme are requests for the subject of the scene's space.
var ofAcme = struct {
	link     keyfob.Link
	code     keyfob.Code
	totp     keyfob.TOTP
	recovery keyfob.Recovery
}{
	keyfob.Link{Subject: "subject-of-acme", Purpose: "login"},
	keyfob.Code{Subject: "subject-of-acme", Purpose: "login", Format: otp.FormatUnambiguous, Chars: 16},
	keyfob.TOTP{Subject: "subject-of-acme", Account: "account-of-acme"},
	keyfob.Recovery{Subject: "subject-of-acme"},
}

// longCode is one that nothing else looks like.
var longCode = keyfob.Code{Subject: "alice", Purpose: "login", Format: otp.FormatUnambiguous, Chars: 16}

func issues(request keyfob.Request) func(context.Context, *keyfob.Authority, *scene) (any, error) {
	return func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		s.clock.Add(time.Minute) // a code may be asked for again
		return a.Issue(ctx, request)
	}
}

func makes(request keyfob.Request) func(context.Context, *scene) error {
	return func(ctx context.Context, s *scene) (err error) {
		s.made, err = s.a.Issue(ctx, request)
		return err
	}
}

func confirms(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
	attempt, err := totpAt(s.made, s.clock.Now())
	if err != nil {
		return nil, err
	}
	return a.Confirm(ctx, attempt)
}

func enrolled(ctx context.Context, s *scene) error {
	if err := makes(ofAcme.totp)(ctx, s); err != nil {
		return err
	}
	_, err := confirms(ctx, s.a, s)
	s.clock.Add(period)
	return err
}

func guessed(ctx context.Context, s *scene) error {
	if _, err := s.a.Redeem(ctx, guess("subject-of-acme")); !errors.Is(err, keyfob.ErrUnknown) {
		return fmt.Errorf("a wrong guess: %w", err)
	}
	return nil
}

func suspend(ctx context.Context, s *scene) error {
	_, err := s.a.Suspend(ctx, id(s), "")
	return err
}

func revokeLongAgo(ctx context.Context, s *scene) error {
	err := s.a.Revoke(ctx, id(s), "")
	s.clock.Add(time.Hour)
	return err
}

func setBack(ctx context.Context, s *scene) error {
	s.clock.Add(-time.Hour)
	return nil
}

// A verb that comes later comes into the table as well.
func TestVerbsAreAll(t *testing.T) {
	var names []string
	for prefix, of := range map[string]reflect.Type{
		"": reflect.TypeFor[*keyfob.Authority](), "Spaces.": reflect.TypeFor[keyfob.Spaces](), "Events.": reflect.TypeFor[keyfob.Events](),
	} {
		for i := range of.NumMethod() {
			name := prefix + of.Method(i).Name
			if !slices.Contains([]string{"In", "Spaces", "Events", "Close", "ClockBehind"}, name) { // which ask no store
				names = append(names, name)
			}
		}
	}
	inTable := map[string]bool{}
	for name := range verbs {
		name, _, _ = strings.Cut(name, ",")
		inTable[name] = true
	}
	for _, name := range names {
		if !inTable[name] {
			t.Errorf("%s is not in the table of verbs", name)
		}
	}
	if len(names) != len(inTable) {
		t.Errorf("%d verbs, and %d in the table", len(names), len(inTable))
	}
}

// onEachVerb runs a test on every verb, on a scene where it has something to do.
func onEachVerb(t *testing.T, test func(t *testing.T, name string, v verb, newScene func(t *testing.T) *scene)) {
	for name, v := range verbs {
		t.Run(name, func(t *testing.T) {
			test(t, name, v, func(t *testing.T) *scene {
				t.Helper()
				s := newScene(t, spied{memory.Open()})
				if v.prepare != nil {
					if err := v.prepare(t.Context(), s); err != nil {
						t.Fatal(err)
					}
				}
				return s
			})
		})
	}
}

// calls are those that are made to a spied store under one context.
type calls struct {
	mu      sync.Mutex
	n       int
	fail    int  // the number of the one that fails; 0: none
	late    bool // if that is a change, it takes effect all the same
	changes []store.Change
}

type callsKey struct{}

// spied is a store that keeps count of what is asked of it under a context that
// has calls.
type spied struct{ store.Store }

func (s spied) call(ctx context.Context) error {
	c, ok := ctx.Value(callsKey{}).(*calls)
	if !ok {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n++; c.n == c.fail {
		return fmt.Errorf("the disk is on fire: %w", store.ErrUnavailable)
	}
	return nil
}

func spy[T any](s spied, ctx context.Context, read func() (T, error)) (T, error) {
	if err := s.call(ctx); err != nil {
		return *new(T), err
	}
	return read()
}

func (s spied) Apply(ctx context.Context, change store.Change) error {
	err := s.call(ctx)
	if c, ok := ctx.Value(callsKey{}).(*calls); ok {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.changes = append(c.changes, change)
		if err != nil && !c.late {
			return err
		}
	}
	if applied := s.Store.Apply(ctx, change); applied != nil {
		return applied
	}
	return err
}

func (s spied) Space(ctx context.Context, name string) (store.Space, error) {
	return spy(s, ctx, func() (store.Space, error) { return s.Store.Space(ctx, name) })
}

func (s spied) Spaces(ctx context.Context, after string, limit int) ([]store.Space, error) {
	return spy(s, ctx, func() ([]store.Space, error) { return s.Store.Spaces(ctx, after, limit) })
}

func (s spied) Credential(ctx context.Context, space, id string) (store.Item, error) {
	return spy(s, ctx, func() (store.Item, error) { return s.Store.Credential(ctx, space, id) })
}

func (s spied) Version(ctx context.Context, space, id string) (store.Found, error) {
	return spy(s, ctx, func() (store.Found, error) { return s.Store.Version(ctx, space, id) })
}

func (s spied) Versions(ctx context.Context, space, credential string) ([]store.Version, error) {
	return spy(s, ctx, func() ([]store.Version, error) { return s.Store.Versions(ctx, space, credential) })
}

func (s spied) Budget(ctx context.Context, space, name string) (store.Budget, error) {
	return spy(s, ctx, func() (store.Budget, error) { return s.Store.Budget(ctx, space, name) })
}

func (s spied) Credentials(ctx context.Context, q store.Query) ([]store.Item, error) {
	return spy(s, ctx, func() ([]store.Item, error) { return s.Store.Credentials(ctx, q) })
}

func (s spied) Events(ctx context.Context, q store.EventQuery) ([]store.Event, error) {
	return spy(s, ctx, func() ([]store.Event, error) { return s.Store.Events(ctx, q) })
}

func (s spied) Unsealed(ctx context.Context, limit int) ([]store.Event, error) {
	return spy(s, ctx, func() ([]store.Event, error) { return s.Store.Unsealed(ctx, limit) })
}

func (s spied) Head(ctx context.Context, space string) (store.Head, error) {
	return spy(s, ctx, func() (store.Head, error) { return s.Store.Head(ctx, space) })
}

func (s spied) Mark(ctx context.Context) (time.Time, error) {
	return spy(s, ctx, func() (time.Time, error) { return s.Store.Mark(ctx) })
}

func (s spied) Replay(ctx context.Context, space, name string) (store.Replay, error) {
	return spy(s, ctx, func() (store.Replay, error) { return s.Store.Replay(ctx, space, name) })
}

// needEvents reports whether one of the steps changes a credential's life, its
// policy, a space or the mark, or gives guesses back, which an event has to tell.
func needEvents(steps []store.Step) bool {
	return slices.ContainsFunc(steps, func(s store.Step) bool {
		switch s := s.(type) {
		case store.UseCredential, store.RecordUse, store.SealEvents, store.RaiseMark, store.DeleteReplays,
			store.ClaimStep, store.ClearBudget, store.DeleteBudgets, store.RequireLive:
			return false
		case store.WriteBudget:
			return s.Budget.Revision != 0 && s.Budget.Window.IsZero()
		}
		return true
	})
}

// snapshot is what a store has of all spaces, in a form that can be compared.
func (s *scene) snapshot(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	ctx := t.Context()
	spaces, err := s.st.Spaces(ctx, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, space := range spaces {
		items, err := s.st.Credentials(ctx, store.Query{Space: space.ID, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for i := range items {
			items[i].Credential.Used, items[i].Credential.NextStep = 0, 0 // counted without an event
			for j := range items[i].Versions {                            // written some seconds late
				items[i].Versions[j].FirstUsed, items[i].Versions[j].LastUsed = time.Time{}, time.Time{}
			}
		}
		fmt.Fprintf(&b, "%+v\n%+v\n%v\n", space, items, eventTypes(events(t, s.st, space.Name)))
	}
	return b.String()
}
