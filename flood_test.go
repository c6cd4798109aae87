package keyfob_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// budgets are the names of those that a spied store was told to write.
func (c *calls) budgets(prefix string) map[string]bool {
	names := map[string]bool{}
	for _, change := range c.changes {
		for _, step := range change.Steps {
			if w, ok := step.(store.WriteBudget); ok && strings.HasPrefix(w.Budget.Name, prefix) {
				names[w.Budget.Name] = true
			}
		}
	}
	return names
}

// P10: guesses at subjects that nobody knows make 1000 budgets an hour in a space,
// and no more; who is known is served all the same.
func TestFloodOfSubjects(t *testing.T) {
	a, clock := open(t, spied{memory.Open()})
	createSpace(t, a, "acme", "acme")
	c := &calls{}
	ctx := context.WithValue(t.Context(), callsKey{}, c)
	code := mustIssue(t, a, login)
	authenticator := mustIssue(t, a, keyfob.TOTP{Subject: "has-totp", Account: "a"})
	set := mustIssue(t, a, keyfob.Recovery{Subject: "has-recovery"})
	for i := range 1000 {
		if _, err := a.Redeem(ctx, guess(fmt.Sprint("stranger", i))); !errors.Is(err, keyfob.ErrUnknown) {
			t.Fatalf("subject %d: %v", i, err)
		}
	}
	clock.Add(time.Minute)
	for i := range 100 {
		if _, err := a.Redeem(ctx, guess(fmt.Sprint("more", i))); !errors.Is(err, keyfob.ErrLocked) || keyfob.RetryAfter(err) != 59*time.Minute {
			t.Fatalf("subject %d: %v", 1000+i, err)
		}
	}
	if n := len(c.budgets("subject/")); n != 1000 {
		t.Errorf("%d budgets of subjects were made, want 1000", n)
	}
	wantAnswer(t, a, guess("stranger7"), "unknown")
	wantAnswer(t, a.In("acme"), guess("more1"), "unknown")
	wantAnswer(t, a, byCode(code), "ok")
	wantAnswer(t, a, guess("has-totp"), "unknown")
	if _, err := a.Confirm(t.Context(), byTOTP(t, authenticator, clock.Now())); err != nil {
		t.Errorf("confirm in a flood: %v", err)
	}
	wantAnswer(t, a, keyfob.Attempt{Kind: keyfob.KindRecovery, Subject: "has-recovery", Secret: set.Secrets[3]}, "ok")
	mustIssue(t, a, keyfob.Code{Subject: "new", Purpose: "login"}) // who gets one is known from then on
	wantAnswer(t, a, guess("new"), "unknown")
	clock.Add(59*time.Minute - time.Millisecond)
	wantLocked(t, a, guess("more1"), time.Millisecond)
	clock.Add(time.Millisecond)
	wantAnswer(t, a, guess("more1"), "unknown")
}

// from is a guess from an address, at a subject at whom few are made.
func from(ip string, n int) keyfob.Attempt {
	g := guess(fmt.Sprint("subject", n/3))
	g.IP = netip.MustParseAddr(ip)
	return g
}

// P5: 1000 guesses an hour from one address, whomever they are at. What has one
// IPv6 address has its /64, and an IPv4 address in IPv6 is the IPv4 address.
func TestGuessesFromAnAddress(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		home, clock := open(t, st)
		for _, c := range []struct{ ip, same, other string }{
			{"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"},
			{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2:ffff::%eth0", "2001:db8:1:3:3:4:5:6"},
		} {
			name := map[bool]string{true: "v4", false: "v6"}[strings.Contains(c.ip, ".")]
			createSpace(t, home, name, "acme")
			a := home.In(name)
			for i := range 1000 {
				if got := answer(t, a, from(c.ip, i)); got != "unknown" {
					t.Fatalf("guess %d: %s", i, got)
				}
			}
			clock.Add(time.Minute)
			for _, ip := range []string{c.ip, c.same} {
				_, err := a.Redeem(t.Context(), from(ip, 1200))
				if !errors.Is(err, keyfob.ErrRateLimited) || !errors.Is(err, keyfob.ErrInvalid) || keyfob.RetryAfter(err) != 59*time.Minute {
					t.Errorf("the 1001st, from %s: %v, try again in %v", ip, err, keyfob.RetryAfter(err))
				}
			}
			for range 3 { // what was refused was not counted
				wantAnswer(t, a, from(c.other, 1200), "unknown")
			}
			wantAnswer(t, a.In("default"), from(c.ip, 0), "unknown")
			none := guess("subject900")
			wantAnswer(t, a, none, "unknown")
			l := byLink(mustIssue(t, a, keyfob.Link{Subject: "alice", Purpose: "login"}))
			l.IP = netip.MustParseAddr(c.ip)
			wantAnswer(t, a, l, "ok") // which cannot be guessed at
			clock.Add(59*time.Minute - time.Millisecond)
			wantAnswer(t, a, from(c.ip, 1203), "rate_limited")
			clock.Add(time.Millisecond)
			wantAnswer(t, a, from(c.ip, 1203), "unknown")
		}
	})
}

// P10: guesses from ever new addresses make 1000 budgets an hour, which go when
// their hour is over; the subjects' are counted all the same.
func TestFloodOfAddresses(t *testing.T) {
	inner := memory.Open()
	a, clock := open(t, spied{inner})
	c := &calls{}
	ctx := context.WithValue(t.Context(), callsKey{}, c)
	for i := range 1100 {
		if _, err := a.Redeem(ctx, from(fmt.Sprintf("2001:db8:%x::1", i), i)); !errors.Is(err, keyfob.ErrUnknown) {
			t.Fatalf("address %d: %v", i, err)
		}
	}
	made := c.budgets("address/")
	if len(made) != 1000 {
		t.Errorf("%d budgets of addresses were made, want 1000", len(made))
	}
	wantAnswer(t, a, from("2001:db8:ffff::1", 1098), "unknown") // the third at subject366, all from others
	wantLocked(t, a, from("2001:db8:fffe::1", 1098), time.Second)
	clock.Add(time.Hour)
	wantAnswer(t, a, from("2001:db8:fffd::1", 1100), "unknown")
	space := spaceID(t, inner, "default")
	for name := range made {
		if b, err := inner.Budget(t.Context(), space, name); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("%+v is still there, %v", b, err)
		}
	}
}

// P7: names of budgets do not show what strangers typed.
func TestBudgetsHideSubjects(t *testing.T) {
	a, _ := open(t, spied{memory.Open()})
	c := &calls{}
	attempt := guess("my-password-in-the-wrong-field")
	attempt.IP = netip.MustParseAddr("192.0.2.77")
	if _, err := a.Redeem(context.WithValue(t.Context(), callsKey{}, c), attempt); !errors.Is(err, keyfob.ErrUnknown) {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%+v", c.changes); strings.Contains(text, attempt.Subject) || strings.Contains(text, "192.0.2.77") || len(c.budgets("")) != 4 {
		t.Errorf("the change is %s", text)
	}
}
