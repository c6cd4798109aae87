package keyfob_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
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
	"Issue, session":  {event: "session.issued", abroad: "its own", do: issues(ofAlice)},
	"Verify, session": {abroad: "unknown", prepare: makes(ofAcme.session), do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.Verify(ctx, s.made.Secret.Reveal(), keyfob.Check{Kind: keyfob.KindSession})
	}},
	"Verify, session in use": {abroad: "unknown", prepare: isDue, do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.Verify(ctx, s.made.Secret.Reveal(), keyfob.Check{Kind: keyfob.KindSession})
	}},
	"Update, session": {event: "session.updated", abroad: "not found", prepare: makes(ofAcme.session), do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.Update(ctx, changed(s.made.Credential, func(c *keyfob.Credential) { c.Attributes = map[string]string{"a": "1"} }))
	}},
	"Revoke, session": {event: "session.revoked", abroad: "not found", prepare: makes(ofAcme.session), do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return nil, a.Revoke(ctx, s.made.Credential.Versions[0].ID, "why")
	}},
	"Renew": {event: "session.renewed", abroad: "not found", prepare: makes(ofAcme.session), do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return a.Renew(ctx, s.made.Credential.Versions[0].ID)
	}},
	"RevokeSubject": {event: "session.subject_revoked", abroad: "its own", prepare: makes(ofAcme.session), do: func(ctx context.Context, a *keyfob.Authority, s *scene) (any, error) {
		return nil, a.RevokeSubject(ctx, "subject-of-acme", "why", keyfob.KindSession)
	}},
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
	session  keyfob.Session
}{
	keyfob.Link{Subject: "subject-of-acme", Purpose: "login"},
	keyfob.Code{Subject: "subject-of-acme", Purpose: "login", Format: otp.FormatUnambiguous, Chars: 16},
	keyfob.TOTP{Subject: "subject-of-acme", Account: "account-of-acme"},
	keyfob.Recovery{Subject: "subject-of-acme"},
	keyfob.Session{Subject: "subject-of-acme"},
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

// isDue makes a session of which it has to be written that it is in use.
func isDue(ctx context.Context, s *scene) error {
	err := makes(ofAcme.session)(ctx, s)
	s.clock.Add(29 * time.Minute)
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

// needEvents reports whether one of the steps changes a credential's life, its
// policy, a space or the mark, or gives guesses back, which an event has to tell.
func needEvents(steps []store.Step) bool {
	return slices.ContainsFunc(steps, func(s store.Step) bool {
		switch s := s.(type) {
		case store.UseCredential, store.RecordUse, store.SealEvents, store.RaiseMark, store.DeleteReplays,
			store.ClaimStep, store.ClearBudget, store.DeleteBudgets, store.RequireLive,
			store.TouchCredential, store.RequireUnrevoked:
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
			c := &items[i].Credential
			c.Used, c.NextStep, c.Seen = 0, 0, time.Time{} // counted without an event
			for j := range items[i].Versions {             // written some seconds late
				items[i].Versions[j].FirstUsed, items[i].Versions[j].LastUsed = time.Time{}, time.Time{}
			}
		}
		fmt.Fprintf(&b, "%+v\n%+v\n%v\n", space, items, eventTypes(events(t, s.st, space.Name)))
	}
	return b.String()
}
