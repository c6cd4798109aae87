package keyfob_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// guess is a wrong one at a subject's authenticators.
func guess(subject string) keyfob.Attempt {
	return keyfob.Attempt{Kind: keyfob.KindTOTP, Subject: subject, Secret: keyfob.NewSecret("047306")}
}

// lockedFor is how long a guess has to wait, -1 if it was not refused as one.
func lockedFor(t *testing.T, a *keyfob.Authority, attempt keyfob.Attempt) time.Duration {
	t.Helper()
	_, err := a.Redeem(t.Context(), attempt)
	if !errors.Is(err, keyfob.ErrLocked) {
		return -1
	}
	if got := keyfob.Reason(err); got != "locked" || !errors.Is(err, keyfob.ErrInvalid) {
		t.Errorf("the reason is %q of %v", got, err)
	}
	return keyfob.RetryAfter(err)
}

func wantLocked(t *testing.T, a *keyfob.Authority, attempt keyfob.Attempt, want time.Duration) {
	t.Helper()
	if got := lockedFor(t, a, attempt); got != want {
		t.Errorf("locked for %v, want %v", got, want)
	}
}

// followLink has a subject succeed.
func followLink(t *testing.T, a *keyfob.Authority, subject string) {
	t.Helper()
	wantAnswer(t, a, byLink(mustIssue(t, a, keyfob.Link{Subject: subject, Purpose: "login"})), "ok")
}

// P5: three guesses in a row are free; after them the wait is a second, and doubles
// up to an hour, to the millisecond. The hundredth is the last. What is refused is
// not counted.
func TestGrowingDelay(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		for n := 1; n <= 100; n++ {
			wantAnswer(t, a, guess("alice"), "unknown")
			if n < 3 {
				continue
			}
			wait := time.Hour
			if n < 15 {
				wait = time.Second << (n - 3)
			}
			if n == 100 {
				wait = 0 // nobody knows
			}
			for range 3 {
				wantLocked(t, a, guess("alice"), wait)
			}
			clock.Add(wait - time.Millisecond)
			if n < 100 {
				wantLocked(t, a, guess("alice"), time.Millisecond)
			}
			clock.Add(time.Millisecond)
		}
		clock.Add(1000 * time.Hour)
		wantLocked(t, a, guess("alice"), 0)
		wantAnswer(t, a, guess("bob"), "unknown")
		wantAnswer(t, a, byCode(mustIssue(t, a, login)), "locked")
		// Each wait of a quarter of an hour or more.
		want := []string{"alice: 13 guesses in a row; for 17m4s", "alice: 14 guesses in a row; for 34m8s"}
		for n := 15; n < 100; n++ {
			want = append(want, fmt.Sprintf("alice: %d guesses in a row; for 1h0m0s", n))
		}
		want = append(want, "alice: 100 guesses in a row; until a success or an unlock")
		if d := cmp.Diff(want, lockouts(t, st)); d != "" {
			t.Errorf("lockouts (-want +got):\n%s", d)
		}
		followLink(t, a, "alice")
		wantAnswer(t, a, guess("alice"), "unknown")
	})
}

// lockouts are the events that tell of one.
func lockouts(t *testing.T, st store.Store) (all []string) {
	t.Helper()
	for _, e := range events(t, st, "default") {
		if e.Type == "subject.locked" {
			all = append(all, e.Subject+": "+e.Reason)
		}
	}
	return all
}

// P5: 30 guesses in an hour, and no success gives one of them back.
func TestGuessesInAWindow(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		begin := clock.Now()
		for i := range 30 {
			if i%3 == 0 {
				followLink(t, a, "alice") // which ends the row
			}
			wantAnswer(t, a, guess("alice"), "unknown")
			clock.Add(time.Second)
		}
		followLink(t, a, "alice")
		wantLocked(t, a, guess("alice"), time.Hour-30*time.Second)
		wantAnswer(t, a, byCode(mustIssue(t, a, login)), "locked")
		followLink(t, a, "alice")
		want := []string{"alice: 30 guesses since " + begin.Format(time.RFC3339) + "; for 1h0m0s from then"}
		if got := lockouts(t, st); !cmp.Equal(got, want) {
			t.Errorf("lockouts %q, want %q", got, want)
		}
		clock.Add(time.Hour - 30*time.Second - time.Millisecond)
		wantLocked(t, a, guess("alice"), time.Millisecond)
		clock.Add(time.Millisecond)
		wantAnswer(t, a, guess("alice"), "unknown")
	})
}

// P5: right guesses are guesses as well.
func TestSuccessesAreGuesses(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		for range 30 {
			wantAnswer(t, a, byCode(mustIssue(t, a, login)), "ok")
			clock.Add(time.Second)
		}
		wantLocked(t, a, byCode(mustIssue(t, a, login)), time.Hour-30*time.Second)
	})
}

// P6: a lockout's event is in the change that counts the last guess.
func TestLockoutEvent(t *testing.T) {
	a, clock := open(t, spied{memory.Open()})
	c := &calls{}
	ctx := context.WithValue(t.Context(), callsKey{}, c)
	for c.n < 10_000 {
		_, err := a.Redeem(ctx, guess("alice"))
		if errors.Is(err, keyfob.ErrLocked) && keyfob.RetryAfter(err) == 0 {
			break
		}
		clock.Add(keyfob.RetryAfter(err))
	}
	for _, change := range c.changes {
		last := false
		for _, step := range change.Steps {
			w, ok := step.(store.WriteBudget)
			last = last || ok && w.Budget.Consecutive >= 13 // the next must wait 1024 s
		}
		if types := eventTypes(change.Events); last != slices.Equal(types, []string{"subject.locked"}) || !last && len(types) != 0 {
			t.Errorf("the last guess: %v, events %v", last, types)
		}
	}
	if len(c.changes) != 100 {
		t.Errorf("%d guesses, want 100", len(c.changes))
	}
}

// P5: of a thousand guesses at once, whatever the clock does meanwhile, five are
// compared with a code.
func TestGuessesAtOnce(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		for _, tick := range []time.Duration{0, time.Second} {
			clock := newClock()
			a := openWith(t, keyfob.Config{Store: st, RootKey: parsedKey(t), Now: func() time.Time {
				clock.Add(tick)
				return clock.Now()
			}})
			request := keyfob.Code{Subject: "at once " + tick.String(), Purpose: "login"}
			attempt := wrong(byCode(mustIssue(t, a, request)))
			won := race(t, 1000, func() string { return answer(t, a, attempt) })
			want := map[time.Duration]int{0: 3, time.Second: 5}[tick]
			if won["unknown"] != want || won["unknown"]+won["exhausted"] > 30 || won["unknown"]+won["exhausted"]+won["locked"] != 1000 {
				t.Errorf("a clock that ticks by %v: %v; want %d compared", tick, won, want)
			}
			t.Logf("1000 guesses at once, a clock that ticks by %v: %v", tick, won)
		}
	})
}

// parsedKey is a root key that is the same each time.
func parsedKey(t *testing.T) keyfob.RootKey {
	t.Helper()
	rk, err := keyfob.ParseRootKey("keyfob-root-1:ykV0YzrSnnBnHFgFpYJHSG3VuTdtW9x3mQX0YcZ3ooI=")
	if err != nil {
		t.Fatal(err)
	}
	return rk
}

// P5: neither other codes, purposes, kinds and addresses, nor a restart gives a
// guess back.
func TestNothingResetsGuesses(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		clock := newClock()
		config := keyfob.Config{Store: st, RootKey: parsedKey(t), Now: clock.Now}
		a := openWith(t, config)
		totp := mustIssue(t, a, keyfob.TOTP{Subject: "alice", Account: "alice"})
		recovery := mustIssue(t, a, keyfob.Recovery{Subject: "alice"})
		code := mustIssue(t, a, login)
		clock.Add(30 * time.Second)
		for range 3 {
			wantAnswer(t, a, wrong(byCode(code)), "unknown")
		}
		first := mustIssue(t, a, login)
		other := mustIssue(t, a, keyfob.Code{Subject: "alice", Purpose: "verify-email"})
		set := mustIssue(t, a, keyfob.Recovery{Subject: "alice"})
		mustIssue(t, a, keyfob.TOTP{Subject: "alice", Account: "alice"})
		mustIssue(t, a, reset)
		if err := a.Revoke(t.Context(), recovery.Credential.ID, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Suspend(t.Context(), totp.Credential.ID, ""); err != nil {
			t.Fatal(err)
		}
		from := byCode(first)
		from.IP = netip.MustParseAddr("192.0.2.1")
		if err := a.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		b := openWith(t, config)
		for what, attempt := range map[string]keyfob.Attempt{
			"a new code": byCode(first), "another purpose": byCode(other), "another address": from, "no such purpose": {
				Kind: keyfob.KindCode, Subject: "alice", Purpose: "nothing", Secret: code.Secret,
			},
			"totp": guess("alice"), "recovery": {Kind: keyfob.KindRecovery, Subject: "alice", Secret: set.Secrets[0]},
		} {
			if got := lockedFor(t, b, attempt); got != time.Second {
				t.Errorf("%s: locked for %v, want 1s", what, got)
			}
		}
		if _, err := b.Confirm(t.Context(), guess("alice")); !errors.Is(err, keyfob.ErrLocked) {
			t.Errorf("confirm: %v", err)
		}
		clock.Add(time.Second)
		wantAnswer(t, b, byCode(other), "ok")
	})
}

// P5: a request that fails, or that its caller gives up, after its guess was
// counted is a guess.
func TestFailedRequestsAreGuesses(t *testing.T) {
	onEachStore(t, func(t *testing.T, inner store.Store) {
		st := &interrupted{Store: spied{inner}}
		a, clock := open(t, st)
		of := func(subject string) keyfob.Issued {
			return mustIssue(t, a, keyfob.Code{Subject: subject, Purpose: "login"})
		}
		failing, cancelled := of("failing"), of("cancelled")
		for range 3 {
			c := &calls{}
			after := func() { c.fail = c.n + 1 }
			st.after.Store(&after)
			_, err := a.Redeem(context.WithValue(t.Context(), callsKey{}, c), byCode(failing))
			if !errors.Is(err, keyfob.ErrUnavailable) || errors.Is(err, keyfob.ErrInvalid) {
				t.Errorf("a store that fails: %v", err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			after = cancel
			st.after.Store(&after)
			if _, err := a.Redeem(ctx, byCode(cancelled)); !errors.Is(err, context.Canceled) || errors.Is(err, keyfob.ErrInvalid) {
				t.Errorf("a context that ends: %v", err)
			}
		}
		for _, i := range []keyfob.Issued{failing, cancelled} {
			wantLocked(t, a, byCode(i), time.Second)
			if c, err := a.Get(t.Context(), i.Credential.ID); err != nil || c.Used != 3 || c.State != keyfob.StateActive {
				t.Errorf("%d guesses at the code of %s, which is %s, %v", c.Used, c.Subject, c.State, err)
			}
		}
		clock.Add(time.Second)
		for _, i := range []keyfob.Issued{failing, cancelled} {
			wantAnswer(t, a, byCode(i), "ok")
		}
	})
}

// A subject that is not known is answered as one that is and has no live code, and
// counted so; a code that is live says after five guesses that it takes no more.
func TestUnknownSubjects(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		known := mustIssue(t, a, keyfob.Code{Subject: "known", Purpose: "login", TTL: time.Second})
		wantAnswer(t, a, byCode(known), "ok")
		if err := a.Unlock(t.Context(), "known", ""); err != nil {
			t.Fatal(err)
		}
		mustIssue(t, a, keyfob.TOTP{Subject: "known", Account: "known"})
		mustIssue(t, a, keyfob.Recovery{Subject: "known"})
		live := mustIssue(t, a, keyfob.Code{Subject: "live", Purpose: "login"})
		sequence := func(subject string) (all []string) {
			for i := range 60 {
				attempt := wrong(byCode(known))
				switch i % 3 {
				case 1:
					attempt = guess(subject)
				case 2:
					attempt = keyfob.Attempt{Kind: keyfob.KindRecovery, Secret: keyfob.NewSecret("AAAA-AAAA-AAAA-AAAA-AAAA-AAAA")}
				}
				if subject == "live" {
					attempt = wrong(byCode(live))
				}
				attempt.Subject = subject
				_, err := a.Redeem(t.Context(), attempt)
				all = append(all, fmt.Sprint(err, keyfob.Reason(err), keyfob.RetryAfter(err)))
				clock.Add(keyfob.RetryAfter(err))
			}
			return all
		}
		want := sequence("known")
		if d := cmp.Diff(want, sequence("unknown")); d != "" {
			t.Errorf("(-known +unknown):\n%s", d)
		}
		got := sequence("live")
		exhausted := slices.IndexFunc(got, func(s string) bool { return strings.Contains(s, "exhausted") })
		if !cmp.Equal(got[:exhausted], want[:exhausted]) || exhausted != 8 { // 6 guesses, and 3 that waited before it
			t.Errorf("with a live code, answer %d is the first that differs: %q", exhausted, got)
		}
	})
}

// The owner gives a subject its guesses back, with an event.
func TestUnlock(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		createSpace(t, a, "acme", "acme")
		before := len(events(t, st, "default"))
		for _, err := range []error{a.Unlock(t.Context(), "alice", ""), a.Unlock(t.Context(), "bob", "why")} {
			if err != nil || len(events(t, st, "default")) != before {
				t.Errorf("of somebody at whom nobody has guessed: %v, or an event", err)
			}
		}
		for range 12 { // more than a window has
			for range 3 {
				wantAnswer(t, a, guess("alice"), "unknown")
			}
			wantLocked(t, a, guess("alice"), time.Second)
			if err := a.In("acme").Unlock(t.Context(), "alice", ""); err != nil {
				t.Fatal(err)
			}
			wantLocked(t, a, guess("alice"), time.Second)
			if err := a.Unlock(keyfob.WithActor(t.Context(), "owner"), "alice", "called"); err != nil {
				t.Fatal(err)
			}
		}
		all := events(t, st, "default")
		if e := all[len(all)-1]; len(all) != before+12 || e.Type != "subject.unlocked" || e.Subject != "alice" || e.Reason != "called" || e.Actor != "owner" {
			t.Errorf("%d events, the last is %+v", len(all)-before, e)
		}
		for field, err := range map[string]error{
			"subject": a.Unlock(t.Context(), "", ""), "reason": a.Unlock(t.Context(), "alice", "a\nb"),
		} {
			wantInput(t, field, err, field, "")
		}
		if err := a.In("nowhere").Unlock(t.Context(), "alice", ""); !errors.Is(err, keyfob.ErrSpace) {
			t.Errorf("in no space: %v", err)
		}
	})
}

// P5: a node whose clock is behind gives none that is ahead a guess too early.
func TestGuessesOnTwoClocks(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		behind, ahead := newClock(), newClock()
		b := openWith(t, keyfob.Config{Store: st, RootKey: parsedKey(t), Now: behind.Now})
		a := openWith(t, keyfob.Config{Store: st, RootKey: parsedKey(t), Now: ahead.Now})
		ahead.Add(20 * time.Second)
		for range 2 {
			wantAnswer(t, a, guess("alice"), "unknown")
		}
		wantAnswer(t, b, guess("alice"), "unknown")
		wantLocked(t, a, guess("alice"), time.Second)
		wantLocked(t, b, guess("alice"), 21*time.Second)
	})
}

// Guesses of one subject at once are each counted, whoever counts them.
func TestGuessesAtOnceOnTwoNodes(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		clock := newClock()
		var nodes []*keyfob.Authority
		for range 2 {
			nodes = append(nodes, openWith(t, keyfob.Config{Store: st, RootKey: parsedKey(t), Now: clock.Now}))
		}
		var mu sync.Mutex
		n := 0
		won := race(t, 200, func() string {
			mu.Lock()
			n++
			a := nodes[n%2]
			mu.Unlock()
			return answer(t, a, guess("alice"))
		})
		if won["unknown"] != 3 || won["locked"] != 197 {
			t.Errorf("%v, want 3 compared", won)
		}
	})
}

// Unlock gives guesses back also after a clock that was wrongly ahead.
func TestUnlockAfterAcceptedClock(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		const month = 30 * 24 * time.Hour
		clock.Add(month)
		for range 3 {
			wantAnswer(t, a, guess("alice"), "unknown")
		}
		clock.Add(-month)
		if back, err := a.AcceptClock(t.Context()); back != month || err != nil {
			t.Fatal(back, err)
		}
		if err := a.Unlock(t.Context(), "alice", ""); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			wantAnswer(t, a, guess("alice"), "unknown")
		}
		wantLocked(t, a, guess("alice"), time.Second)
	})
}
