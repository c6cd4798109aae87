package keyfob_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// ofAlice is a session that lasts as long as nobody says anything else.
var ofAlice = keyfob.Session{Subject: "alice"}

// session is what Verify says of a session's token, in one word.
func session(t *testing.T, a *keyfob.Authority, token string) string {
	t.Helper()
	return reasonOf(t, second(a.Verify(t.Context(), token, keyfob.Check{Kind: keyfob.KindSession})))
}

func wantSession(t *testing.T, a *keyfob.Authority, i keyfob.Issued, want string) {
	t.Helper()
	if got := session(t, a, i.Secret.Reveal()); got != want {
		t.Errorf("Verify says %q, want %q", got, want)
	}
}

// versionOf is the id of the newest version, as Verify returned it.
func versionOf(i keyfob.Issued) string { return i.Credential.Versions[0].ID }

func TestSessionLife(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		ctx := keyfob.WithActor(t.Context(), "app")
		begun := clock.Now()
		s, err := a.Issue(ctx, keyfob.Session{Subject: "alice", Attributes: map[string]string{"theme": "dark"}})
		if err != nil {
			t.Fatal(err)
		}
		if text := s.Secret.Reveal(); !strings.HasPrefix(text, "default_") || len(text) != len("default_")+65 {
			t.Errorf("the token has the form of %q", strings.Map(func(r rune) rune { return 'x' }, text))
		}
		want := keyfob.Credential{
			ID: s.Credential.ID, Space: "default", Kind: keyfob.KindSession, Subject: "alice",
			Attributes: map[string]string{"theme": "dark"}, Idle: 30 * time.Minute, Seen: begun,
			State: keyfob.StateActive, Revision: 1, Created: begun, Expires: begun.Add(12 * time.Hour),
			Versions: []keyfob.Version{{
				ID: versionOf(s), Number: 1, Prefix: "default", State: keyfob.VersionActive, Created: begun,
			}},
		}
		check := func(what string, got keyfob.Credential, err error) {
			t.Helper()
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if d := cmp.Diff(want, got, cmpopts.IgnoreFields(keyfob.Version{}, "FirstUsed", "LastUsed")); d != "" {
				t.Errorf("%s (-want +got):\n%s", what, d)
			}
		}
		verify := func(what string) {
			t.Helper()
			c, err := a.Verify(ctx, s.Secret.Reveal(), keyfob.Check{Kind: keyfob.KindSession})
			check(what, c, err)
		}
		check("Issue", s.Credential, nil)
		verify("Verify")
		c, err := a.Get(ctx, want.ID)
		check("Get", c, err)
		page, err := a.List(ctx, keyfob.Filter{Kind: keyfob.KindSession, Subject: "alice"})
		if err != nil || len(page.Items) != 1 {
			t.Fatalf("%d sessions, %v", len(page.Items), err)
		}
		check("List", page.Items[0], nil)

		clock.Add(10 * time.Minute)
		want.Seen = clock.Now()
		verify("Verify, later")
		changed := want
		changed.Attributes = map[string]string{"theme": "light", "cart": "7"}
		if c, err = a.Update(ctx, changed); err != nil {
			t.Fatal(err)
		}
		want.Attributes, want.Revision, want.Updated = changed.Attributes, 2, clock.Now()
		check("Update", c, nil)
		verify("Verify after Update")

		wantVerdict(t, a, s.Secret.Reveal(), "unknown") // it is no API key
		if err := a.Revoke(ctx, versionOf(s), "signed out"); err != nil {
			t.Fatal(err)
		}
		wantSession(t, a, s, "revoked")
		var types []string
		for _, e := range events(t, st, "default")[1:] {
			if e.Credential != want.ID || e.Subject != "alice" || e.Actor != "app" {
				t.Errorf("event %+v", e)
			}
			types = append(types, e.Type+" "+e.Reason)
		}
		if d := cmp.Diff([]string{"session.issued ", "session.updated attributes", "session.revoked signed out"}, types); d != "" {
			t.Error("events (-want +got):\n" + d)
		}
	})
}

// Before a sign-in a session is nobody's.
func TestSessionOfNobody(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		s := mustIssue(t, a, keyfob.Session{})
		c, err := a.Verify(t.Context(), s.Secret.Reveal(), keyfob.Check{Kind: keyfob.KindSession})
		if err != nil || c.Subject != "" || c.Attributes != nil {
			t.Errorf("%+v, %v", c, err)
		}
		if err := a.RevokeSubject(t.Context(), "", "", keyfob.KindSession); !errors.Is(err, keyfob.ErrInput) {
			t.Errorf("the sessions of nobody are revoked at once: %v", err)
		}
		wantSession(t, a, s, "ok")
	})
}

func TestSessionBounds(t *testing.T) {
	a, _ := open(t, memory.Open())
	const ms = time.Millisecond
	for _, c := range []struct {
		s              keyfob.Session
		idle, lifetime time.Duration
	}{
		{keyfob.Session{}, 30 * time.Minute, 12 * time.Hour},
		{keyfob.Session{Remembered: true}, 7 * day, 30 * day},
		{keyfob.Session{Idle: time.Hour}, time.Hour, 12 * time.Hour},
		{keyfob.Session{Idle: 12 * time.Hour}, 12 * time.Hour, 12 * time.Hour},
		{keyfob.Session{Lifetime: time.Minute}, time.Minute, time.Minute},
		{keyfob.Session{Lifetime: 31 * time.Minute}, 30 * time.Minute, 31 * time.Minute},
		{keyfob.Session{Lifetime: time.Second}, time.Second, time.Second},
		{keyfob.Session{Lifetime: 400 * day}, 30 * time.Minute, 400 * day},
		{keyfob.Session{Idle: 400 * day, Lifetime: 400 * day}, 400 * day, 400 * day},
		{keyfob.Session{Idle: 1001 * ms, Lifetime: 1002 * ms}, 1001 * ms, 1002 * ms},
		{keyfob.Session{Remembered: true, Lifetime: day}, day, day},
		{keyfob.Session{Remembered: true, Lifetime: 8 * day}, 7 * day, 8 * day},
		{keyfob.Session{Remembered: true, Idle: time.Minute}, time.Minute, 30 * day},
	} {
		got := mustIssue(t, a, c.s).Credential
		if got.Idle != c.idle || got.Expires.Sub(got.Created) != c.lifetime {
			t.Errorf("%+v: idle %v, lifetime %v; want %v, %v", c.s, got.Idle, got.Expires.Sub(got.Created), c.idle, c.lifetime)
		}
	}
	attributes := map[string]string{}
	for i := range 65 {
		attributes[fmt.Sprint(i)] = ""
	}
	for _, c := range []struct {
		s     keyfob.Session
		field string
	}{
		{keyfob.Session{Idle: time.Second - 1}, "idle"},
		{keyfob.Session{Idle: time.Second - ms}, "idle"},
		{keyfob.Session{Idle: time.Second + 1}, "idle"},
		{keyfob.Session{Idle: -time.Hour}, "idle"},
		{keyfob.Session{Idle: 12*time.Hour + ms}, "idle"},
		{keyfob.Session{Idle: time.Hour, Lifetime: time.Minute}, "idle"},
		{keyfob.Session{Lifetime: time.Second - ms}, "lifetime"},
		{keyfob.Session{Lifetime: time.Second + 1}, "lifetime"},
		{keyfob.Session{Lifetime: -time.Hour}, "lifetime"},
		{keyfob.Session{Lifetime: 400*day + ms}, "lifetime"},
		{keyfob.Session{Subject: strings.Repeat("a", 257)}, "subject"},
		{keyfob.Session{Subject: "a\nb"}, "subject"},
		{keyfob.Session{Attributes: attributes}, "attributes"},
		{keyfob.Session{Attributes: map[string]string{"": "x"}}, "attributes"},
		{keyfob.Session{Since: time.Now()}, "since"},
		{keyfob.Session{Subject: "a", Since: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}, "since"},
		{keyfob.Session{Subject: "a", Since: time.Date(0, 12, 31, 0, 0, 0, 0, time.UTC)}, "since"},
	} {
		_, err := a.Issue(t.Context(), c.s)
		wantInput(t, fmt.Sprintf("%+v", c.s), err, c.field, "")
	}
	if n := live(t, a, keyfob.KindSession, "a"); n != 0 {
		t.Errorf("%d were made of wrong input", n)
	}
}

// A session that nobody used for Idle is over at that moment, and not before; by
// every verb, and for good.
func TestSessionIdle(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		begun := clock.Now()
		sessions := map[time.Duration]keyfob.Issued{} // by how early they are used
		for _, early := range []time.Duration{time.Second, time.Millisecond, 0, -time.Second} {
			sessions[early] = mustIssue(t, a, keyfob.Session{Subject: "alice", Idle: time.Hour})
		}
		for _, early := range []time.Duration{time.Second, time.Millisecond, 0, -time.Second} {
			clock.Add(begun.Add(time.Hour - early).Sub(clock.Now()))
			s := sessions[early]
			want := map[bool]string{true: "ok", false: "expired"}[early > 0]
			wantSession(t, a, s, want)
			c, err := a.Get(t.Context(), s.Credential.ID)
			if err != nil || (c.State == keyfob.StateExpired) != (early <= 0) || (c.Versions[0].State == keyfob.VersionEnded) != (early <= 0) {
				t.Errorf("%v early: %s, %s, %v", early, c.State, c.Versions[0].State, err)
			}
			if early > 0 {
				continue
			}
			for what, err := range map[string]error{
				"Renew": second(a.Renew(t.Context(), c.ID)), "Update": second(a.Update(t.Context(), c)),
				"Suspend": second(a.Suspend(t.Context(), c.ID, "")), "Resume": second(a.Resume(t.Context(), c.ID)),
				"Issue from it": second(a.Issue(t.Context(), keyfob.Session{Subject: "alice", From: versionOf(s)})),
			} {
				if !errors.Is(err, keyfob.ErrConflict) {
					t.Errorf("%s of a session that is over: %v, want ErrConflict", what, err)
				}
			}
			wantSession(t, a, s, "expired")
		}
	})
}

// After Lifetime a session is over, however much it is used.
func TestSessionLifetime(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		s := mustIssue(t, a, keyfob.Session{Subject: "alice", Idle: 10 * time.Minute, Lifetime: time.Hour})
		for range 59 {
			clock.Add(time.Minute)
			wantSession(t, a, s, "ok")
		}
		clock.Add(59 * time.Second)
		wantSession(t, a, s, "ok")
		clock.Add(999 * time.Millisecond)
		wantSession(t, a, s, "ok")
		clock.Add(time.Millisecond)
		wantSession(t, a, s, "expired")
		if c, err := a.Get(t.Context(), s.Credential.ID); err != nil || c.State != keyfob.StateExpired || !c.Seen.Before(c.Expires) {
			t.Errorf("%+v, %v", c, err)
		}
		clock.Add(time.Second)
		wantSession(t, a, s, "expired")
	})
}

// P9: a clock that goes back revives no session.
func TestSessionsAndAClockBack(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		rk, clock := newRootKey(t), newClock()
		a := openWith(t, keyfob.Config{Store: st, RootKey: rk, Now: clock.Now})
		idle := mustIssue(t, a, keyfob.Session{Subject: "alice", Idle: time.Minute})
		old := mustIssue(t, a, keyfob.Session{Subject: "alice", Lifetime: time.Minute})
		renewed, revoked := mustIssue(t, a, ofAlice), mustIssue(t, a, keyfob.Session{Subject: "bob"})
		clock.Add(time.Minute)
		if _, err := a.Renew(t.Context(), renewed.Credential.ID); err != nil {
			t.Fatal(err)
		}
		if err := a.RevokeSubject(t.Context(), "bob", "", keyfob.KindSession); err != nil {
			t.Fatal(err)
		}
		want := func(when string) {
			t.Helper()
			for s, want := range map[*keyfob.Issued]string{&idle: "expired", &old: "expired", &renewed: "replaced", &revoked: "revoked"} {
				if got := session(t, a, s.Secret.Reveal()); got != want {
					t.Errorf("%s: %q, want %q", when, got, want)
				}
			}
		}
		want("at once")
		clock.Add(-time.Hour)
		want("the clock is set back")
		if err := a.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		a = openWith(t, keyfob.Config{Store: st, RootKey: rk, Now: clock.Now})
		want("another start")
		_, err := a.Issue(t.Context(), keyfob.Session{Subject: "bob", Since: clock.Now()})
		if !errors.Is(err, keyfob.ErrConflict) {
			t.Errorf("a sign-in that began, by that clock, before the revocation: %v", err)
		}
		s := mustIssue(t, a, ofAlice)
		clock.Add(time.Minute)
		wantSession(t, a, s, "ok")
	})
}
