package keyfob_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// live counts what is live of a kind.
func live(t *testing.T, a *keyfob.Authority, kind keyfob.Kind, subject string) int {
	t.Helper()
	page, err := a.List(t.Context(), keyfob.Filter{
		Kind: kind, Subject: subject, States: []keyfob.State{keyfob.StateActive, keyfob.StateSuspended}, Limit: 1000,
	})
	if err != nil {
		t.Fatal(err)
	}
	return len(page.Items)
}

// Three links of a subject and purpose may be live; redeeming one ends the others,
// in the same change and with an event for each.
func TestSiblings(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, spied{st})
		var links []keyfob.Issued
		for range 4 {
			links = append(links, mustIssue(t, a, reset))
			clock.Add(time.Second)
		}
		others := []keyfob.Issued{
			mustIssue(t, a, keyfob.Link{Subject: "alice", Purpose: "login"}), mustIssue(t, a, keyfob.Link{Subject: "bob", Purpose: "password-reset"}),
		}
		wantAnswer(t, a, byLink(links[0]), "replaced")
		for _, l := range append(others, links[1:]...) {
			if _, err := a.Inspect(t.Context(), byLink(l)); err != nil {
				t.Errorf("one of three, or of another subject or purpose: %v", err)
			}
		}
		c := &calls{}
		if _, err := a.Redeem(context.WithValue(t.Context(), callsKey{}, c), byLink(links[2])); err != nil {
			t.Fatal(err)
		}
		if len(c.changes) != 1 {
			t.Fatalf("%d changes, want 1", len(c.changes))
		}
		var got []string
		for _, e := range c.changes[0].Events {
			got = append(got, e.Type+" "+e.Credential)
		}
		want := []string{
			"link.redeemed " + links[2].Credential.ID, "link.replaced " + links[3].Credential.ID, "link.replaced " + links[1].Credential.ID,
		}
		if !slices.Equal(got, want) {
			t.Errorf("the change has the events %v, want %v", got, want)
		}
		wantAnswer(t, a, byLink(links[1]), "replaced")
		wantAnswer(t, a, byLink(links[2]), "redeemed")
		wantAnswer(t, a, byLink(links[3]), "replaced")
		for _, l := range others {
			wantAnswer(t, a, byLink(l), "ok")
		}
	})
}

// Whatever races, never are more than three links live, and after a redemption
// only those that were issued later.
func TestConcurrentLinks(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		for range 10 {
			first := mustIssue(t, a, reset)
			won := race(t, 16, func() string {
				clock.Add(time.Millisecond) // so that who began first may come last
				_, err := a.Issue(t.Context(), reset)
				if n := live(t, a, keyfob.KindLink, "alice"); n > 3 {
					t.Errorf("%d links are live", n)
				}
				return fmt.Sprint(err)
			})
			if won["<nil>"] != 16 {
				t.Fatalf("issuing 16: %v", won)
			}
			if n := live(t, a, keyfob.KindLink, "alice"); n != 3 {
				t.Errorf("%d links are live, want 3", n)
			}
			wantAnswer(t, a, byLink(first), "replaced")
		}
		for range 50 {
			var links []keyfob.Issued
			for range 3 {
				links = append(links, mustIssue(t, a, reset))
			}
			var mu sync.Mutex
			won := race(t, 9, func() string {
				mu.Lock()
				l := links[0]
				links = append(links[1:], l)
				mu.Unlock()
				return answer(t, a, byLink(l))
			})
			if won["ok"] != 1 || won["undecided"] != 0 {
				t.Fatalf("of three siblings at once: %v", won)
			}
		}
	})
}

// A node whose clock is behind works as another: what the others made in its
// future is in nobody's way.
func TestRoomBehindAnotherClock(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		behind, ahead := newClock(), newClock()
		rk := newRootKey(t)
		b := openWith(t, keyfob.Config{Store: st, RootKey: rk, Now: behind.Now})
		a := openWith(t, keyfob.Config{Store: st, RootKey: rk, Now: ahead.Now})
		ahead.Add(20 * time.Second)
		early := mustIssue(t, a, reset)
		late := mustIssue(t, b, reset)
		mustIssue(t, a, keyfob.TOTP{Subject: "alice", Account: "alice"})
		mustIssue(t, b, keyfob.TOTP{Subject: "alice", Account: "alice"})
		old := mustIssue(t, a, keyfob.Recovery{Subject: "alice"})
		recent := mustIssue(t, b, keyfob.Recovery{Subject: "alice"})
		wantAnswer(t, b, byLink(late), "ok")
		wantAnswer(t, a, byLink(early), "replaced")
		wantAnswer(t, a, keyfob.Attempt{Kind: keyfob.KindRecovery, Subject: "alice", Secret: old.Secrets[0]}, "replaced")
		wantAnswer(t, b, keyfob.Attempt{Kind: keyfob.KindRecovery, Subject: "alice", Secret: recent.Secrets[0]}, "ok")
		first := mustIssue(t, a, login)
		_, err := b.Issue(t.Context(), login)
		if !errors.Is(err, keyfob.ErrTooSoon) || keyfob.RetryAfter(err) != 30*time.Second {
			t.Errorf("a code made in the future: %v, try again in %v", err, keyfob.RetryAfter(err))
		}
		wantAnswer(t, b, byCode(first), "ok")
	})
}

// Codes of one subject and purpose come 30 seconds apart, and one is live.
func TestCodesComeApart(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		first := mustIssue(t, a, login)
		for _, at := range []time.Duration{0, time.Second, 28 * time.Second, time.Second - time.Millisecond} {
			clock.Add(at)
			_, err := a.Issue(t.Context(), login)
			want := first.Credential.Created.Add(30 * time.Second).Sub(clock.Now())
			if !errors.Is(err, keyfob.ErrTooSoon) || errors.Is(err, keyfob.ErrConflict) || keyfob.RetryAfter(err) != want {
				t.Errorf("%v, try again in %v, want %v", err, keyfob.RetryAfter(err), want)
			}
		}
		mustIssue(t, a, keyfob.Code{Subject: "alice", Purpose: "verify-email"})
		mustIssue(t, a, keyfob.Code{Subject: "bob", Purpose: "login"})
		clock.Add(time.Millisecond)
		won := race(t, 16, func() string {
			_, err := a.Issue(t.Context(), login)
			return fmt.Sprint(errors.Is(err, keyfob.ErrTooSoon), err == nil)
		})
		if won["false true"] != 1 || won["true false"] != 15 {
			t.Errorf("16 at once: %v", won)
		}
		wantAnswer(t, a, byCode(first), "replaced")
		if n := live(t, a, keyfob.KindCode, "alice"); n != 2 { // login and verify-email
			t.Errorf("%d codes are live, want 2", n)
		}
	})
}

// A link comes as long after the newest one that is live as it asks for.
func TestLinksComeApart(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		paused := func(purpose string) keyfob.Link {
			return keyfob.Link{Subject: "alice", Purpose: purpose, TTL: time.Hour, Pause: time.Minute}
		}
		wantWait := func(want time.Duration) {
			t.Helper()
			_, err := a.Issue(t.Context(), paused("login"))
			if !errors.Is(err, keyfob.ErrTooSoon) || errors.Is(err, keyfob.ErrConflict) || keyfob.RetryAfter(err) != want {
				t.Errorf("%v, try again in %v, want %v", err, keyfob.RetryAfter(err), want)
			}
		}
		old := mustIssue(t, a, paused("login"))
		for _, at := range []time.Duration{0, time.Second, 58 * time.Second, time.Second - time.Millisecond} {
			clock.Add(at)
			wantWait(old.Credential.Created.Add(time.Minute).Sub(clock.Now()))
		}
		mustIssue(t, a, paused("verify-email"))
		mustIssue(t, a, keyfob.Link{Subject: "bob", Purpose: "login", Pause: 24 * time.Hour})
		clock.Add(time.Millisecond)
		won := race(t, 16, func() string {
			_, err := a.Issue(t.Context(), paused("login"))
			return fmt.Sprint(errors.Is(err, keyfob.ErrTooSoon), err == nil)
		})
		if won["false true"] != 1 || won["true false"] != 15 {
			t.Errorf("16 at once: %v", won)
		}
		clock.Add(10 * time.Second)
		recent := mustIssue(t, a, keyfob.Link{Subject: "alice", Purpose: "login"}) // which asks for none
		clock.Add(50 * time.Second)
		wantWait(10 * time.Second) // the newest counts
		for _, l := range []keyfob.Issued{old, recent} {
			if _, err := a.Inspect(t.Context(), byLink(l)); err != nil {
				t.Errorf("after those that were refused: %v", err)
			}
		}
		if _, err := a.Suspend(t.Context(), recent.Credential.ID, ""); err != nil {
			t.Fatal(err)
		}
		wantWait(10 * time.Second)

		// What is live no more does not count.
		if err := a.Revoke(t.Context(), recent.Credential.ID, ""); err != nil {
			t.Fatal(err)
		}
		redeemed := mustIssue(t, a, paused("login"))
		wantAnswer(t, a, byLink(redeemed), "ok")
		mustIssue(t, a, paused("login"))
		short := paused("invite")
		short.TTL = 10 * time.Second
		mustIssue(t, a, short)
		clock.Add(10*time.Second - time.Millisecond)
		if _, err := a.Issue(t.Context(), short); !errors.Is(err, keyfob.ErrTooSoon) {
			t.Errorf("a millisecond before it expires: %v", err)
		}
		clock.Add(time.Millisecond)
		mustIssue(t, a, short)
	})
}

// A subject has ten authenticators; the eleventh is refused, whatever races, until
// one is gone.
func TestElevenTOTPs(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		request := keyfob.TOTP{Subject: "alice", Account: "alice"}
		for range 5 {
			mustIssue(t, a, request)
		}
		won := race(t, 12, func() string {
			_, err := a.Issue(t.Context(), request)
			return fmt.Sprint(errors.Is(err, keyfob.ErrConflict) && !errors.Is(err, keyfob.ErrTooSoon), err == nil)
		})
		if won["false true"] != 5 || won["true false"] != 7 {
			t.Errorf("12 at once, with room for 5: %v", won)
		}
		if _, err := a.Issue(t.Context(), request); err == nil || !strings.Contains(err.Error(), "has 10") {
			t.Errorf("the eleventh: %v", err)
		}
		mustIssue(t, a, keyfob.TOTP{Subject: "bob", Account: "bob"})
		page, err := a.List(t.Context(), keyfob.Filter{Kind: keyfob.KindTOTP, Subject: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Revoke(t.Context(), page.Items[0].ID, ""); err != nil {
			t.Fatal(err)
		}
		mustIssue(t, a, request)
		if _, err := a.Issue(t.Context(), request); !errors.Is(err, keyfob.ErrConflict) {
			t.Errorf("the eleventh: %v", err)
		}
		clock.Add(time.Hour) // those that were never confirmed make room
		mustIssue(t, a, request)
		if n := live(t, a, keyfob.KindTOTP, "alice"); n != 1 {
			t.Errorf("%d are live, want 1", n)
		}
	})
}

// What of a kind cannot be changed is said to be so, and nothing changes.
func TestOtherKindsAreNotEdited(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		for _, request := range onePerKind {
			c := mustIssue(t, a, request).Credential
			changed := c
			changed.Expires, changed.Uses = clock.Now().Add(1000*time.Hour), 1000
			for verb, err := range map[string]error{
				"rotate":    second(a.Rotate(t.Context(), c.ID, 0)),
				"update":    second(a.Update(t.Context(), changed)),
				"roll back": second(a.Rollback(t.Context(), c.ID)),
			} {
				if !errors.Is(err, keyfob.ErrConflict) || !strings.Contains(err.Error(), "only API keys") {
					t.Errorf("%s of a %s: %v, want ErrConflict", verb, c.Kind, err)
				}
			}
			if got, err := a.Get(t.Context(), c.ID); err != nil || got.Revision != 1 || !got.Expires.Equal(c.Expires) || got.Uses != c.Uses {
				t.Errorf("%s: %+v, %v", c.Kind, got, err)
			}
		}
	})
}

var onePerKind = []keyfob.Request{
	reset, login, keyfob.TOTP{Subject: "alice", Account: "alice"}, keyfob.Recovery{Subject: "alice"},
}

func TestListAndPurgeOfEachKind(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		key := issue(t, a, keyfob.APIKey{})
		for _, request := range onePerKind {
			i := mustIssue(t, a, request)
			kind, purpose := i.Credential.Kind, i.Credential.Purpose
			for what, f := range map[string]keyfob.Filter{
				"kind":             {Kind: kind},
				"kind and purpose": {Kind: kind, Purpose: purpose, Subject: "alice"},
			} {
				page, err := a.List(t.Context(), f)
				if err != nil || len(page.Items) != 1 || page.Items[0].ID != i.Credential.ID || len(page.Items[0].Versions) != 1 {
					t.Errorf("%s, by its %s: %+v, %v", kind, what, page, err)
				}
			}
			if page, err := a.List(t.Context(), keyfob.Filter{Kind: kind, Purpose: "other"}); err != nil || len(page.Items) != 0 {
				t.Errorf("%s of another purpose: %+v, %v", kind, page, err)
			}
			if err := a.Revoke(t.Context(), i.Credential.ID, ""); err != nil {
				t.Fatal(err)
			}
			if n, err := a.Purge(t.Context(), kind, clock.Now()); n != 0 || err != nil {
				t.Errorf("%s: %d were purged that ended now, %v", kind, n, err)
			}
			clock.Add(time.Millisecond)
			if n, err := a.Purge(t.Context(), kind, clock.Now()); n != 1 || err != nil {
				t.Errorf("%s: %d were purged, %v; want 1", kind, n, err)
			}
			if _, err := a.Get(t.Context(), i.Credential.ID); !errors.Is(err, keyfob.ErrNotFound) {
				t.Errorf("%s is still there: %v", kind, err)
			}
		}
		page, err := a.List(t.Context(), keyfob.Filter{Limit: 1})
		if err != nil || len(page.Items) != 1 || page.Items[0].ID != key.Credential.ID {
			t.Errorf("what is left: %+v, %v", page, err)
		}
		_, err = a.List(t.Context(), keyfob.Filter{Purpose: "a b"})
		wantInput(t, "a purpose that is none", err, "purpose", "")
		_, err = a.List(t.Context(), keyfob.Filter{Kind: "Session"})
		wantInput(t, "a kind that is none", err, "kind", "")
	})
}

// A cursor of the list of one purpose is of no use for that of another.
func TestPurposeCursor(t *testing.T) {
	a, _ := open(t, memory.Open())
	for range 2 {
		mustIssue(t, a, reset)
	}
	page, err := a.List(t.Context(), keyfob.Filter{Purpose: "password-reset", Limit: 1})
	if err != nil || page.Next == "" {
		t.Fatal(page, err)
	}
	_, err = a.List(t.Context(), keyfob.Filter{Purpose: "login", Limit: 1, After: page.Next})
	wantInput(t, "of another purpose", err, "after", "")
	if page, err = a.List(t.Context(), keyfob.Filter{Purpose: "password-reset", Limit: 1, After: page.Next}); err != nil || len(page.Items) != 1 {
		t.Errorf("of the same: %+v, %v", page, err)
	}
}

// What was made while a clock was wrongly ahead has nobody wait for that long.
func TestPauseAfterAcceptedClock(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		const month = 30 * 24 * time.Hour
		paused := keyfob.Link{Subject: "alice", Purpose: "password-reset", Pause: time.Minute}
		clock.Add(month)
		old := mustIssue(t, a, login)
		mustIssue(t, a, paused)
		clock.Add(-month)
		if back, err := a.AcceptClock(t.Context()); back != month || err != nil {
			t.Fatal(back, err)
		}
		code := mustIssue(t, a, login)
		wantAnswer(t, a, byLink(mustIssue(t, a, paused)), "ok")
		if _, err := a.Issue(t.Context(), login); !errors.Is(err, keyfob.ErrTooSoon) {
			t.Errorf("the next one: %v", err)
		}
		wantAnswer(t, a, byCode(old), "replaced")
		wantAnswer(t, a, byCode(code), "ok")
	})
}
