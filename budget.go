package keyfob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/keyfob-dev/keyfob/internal/framing"
	"github.com/keyfob-dev/keyfob/store"
)

// The bounds on guesses at short secrets; Redeem's comment tells of them. NIST SP
// 800-63B-4, section 3.2.2, wants at most 100 failures in a row.
const (
	guessWindow     = time.Hour
	subjectGuesses  = 30   // in a window
	addressGuesses  = 1000 // in a window
	consecutiveMost = 100
	freeGuesses     = 3 // in a row, before the next one has to wait
	longestDelay    = time.Hour
	lockout         = 15 * time.Minute // from when on a wait is an event
	newBudgets      = 1000             // of subjects, and of addresses, in a window and space
)

// Names of budgets. That of a subject hangs on no key, so that no change of the
// root key gives it another; it is a hash so that what strangers type, which may
// be anything, is not kept.
const (
	newSubjects  = "new/subjects"
	newAddresses = "new/addresses"
)

func subjectBudget(space, subject string) string { return "subject/" + budgetHash(space, subject) }

// addressBudget is that of an IPv4 address, or of the /64 that an IPv6 address is
// of: whoever has one has all.
func addressBudget(space string, ip netip.Addr) string {
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		network, _ := ip.Prefix(64)
		ip = network.Addr()
	}
	return "address/" + budgetHash(space, ip.String())
}

func budgetHash(space, text string) string {
	b := framing.Append(nil, "keyfob/budget/v1")
	b = framing.Append(b, space)
	sum := sha256.Sum256(framing.Append(b, text))
	return hex.EncodeToString(sum[:])
}

// reserve counts the guess that an attempt is, in a change of its own and before
// anything is compared, or refuses it. Of those that race for the last guess one
// gets it: each is a conflict for the others. It returns the id of the code that
// counted it; empty if none was live.
func (a *Authority) reserve(ctx context.Context, space string, attempt *Attempt) (code string, err error) {
	for {
		g := guess{a: a, space: space, now: a.now()}
		if err := g.count(ctx, attempt); err != nil {
			return "", err
		}
		err := a.applyAll(ctx, g.events, g.steps)
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("count a guess: %w", err)
		}
		if g.exhausted {
			return "", &invalid{ErrExhausted}
		}
		return g.code, nil
	}
}

// A guess is one at a short secret, and the change that counts it.
type guess struct {
	a         *Authority
	space     string
	now       time.Time
	code      string // id of the code that counts it
	exhausted bool   // its code allows no more of them

	steps  []store.Step
	events []store.Event
}

func (g *guess) count(ctx context.Context, attempt *Attempt) error {
	if err := g.countSubject(ctx, attempt.Subject); err != nil {
		return err
	}
	if attempt.IP.IsValid() {
		if err := g.countAddress(ctx, attempt.IP); err != nil {
			return err
		}
	}
	if attempt.Kind == KindCode {
		return g.countCode(ctx, attempt)
	}
	return nil
}

// countSubject takes a guess from a subject's budget.
func (g *guess) countSubject(ctx context.Context, subject string) error {
	b, err := g.budget(ctx, subjectBudget(g.space, subject))
	if err != nil {
		return err
	}
	if b.Consecutive >= consecutiveMost {
		return &refused{ErrLocked, 0}
	}
	if wait := g.waitFor(&b); wait > 0 {
		return &refused{ErrLocked, wait}
	}
	if b.Revision == 0 {
		room, err := g.countNew(ctx, newSubjects)
		if err != nil {
			return err
		}
		if room > 0 {
			return &refused{ErrLocked, room}
		}
	}
	g.take(&b)
	b.Consecutive, b.Expires = b.Consecutive+1, time.Time{}
	g.steps = append(g.steps, store.WriteBudget{Budget: b})
	if why := lockedBy(&b); why != "" {
		g.events = append(g.events, store.Event{
			Space: g.space, Time: g.now, Type: "subject.locked", Subject: subject, Reason: why,
		})
	}
	return nil
}

// lockedBy says why no guess may follow this one for a quarter of an hour or more;
// empty if one may.
func lockedBy(b *store.Budget) string {
	delay := delayAfter(b.Consecutive)
	switch {
	case b.Consecutive >= consecutiveMost:
		return fmt.Sprintf("%d guesses in a row; until a success or an unlock", b.Consecutive)
	case b.Guesses >= subjectGuesses:
		return fmt.Sprintf("%d guesses since %s; for %v from then", b.Guesses, b.Window.Format(time.RFC3339), guessWindow)
	case delay >= lockout:
		return fmt.Sprintf("%d guesses in a row; for %v", b.Consecutive, delay)
	}
	return ""
}

// delayAfter is how long the next guess must wait after so many in a row.
func delayAfter(consecutive int64) time.Duration {
	switch n := consecutive - freeGuesses; {
	case n < 0:
		return 0
	case n < 12: // 2^12 seconds are longer than longestDelay
		return time.Second << n
	}
	return longestDelay
}

// waitFor is how long a subject must wait for its next guess.
func (g *guess) waitFor(b *store.Budget) time.Duration {
	var wait time.Duration
	if g.within(b) && b.Guesses >= subjectGuesses {
		wait = b.Window.Add(guessWindow).Sub(g.now)
	}
	if delay := delayAfter(b.Consecutive); delay > 0 {
		wait = max(wait, b.Last.Add(delay).Sub(g.now))
	}
	return max(wait, 0)
}

// countAddress takes a guess from an address's budget.
func (g *guess) countAddress(ctx context.Context, ip netip.Addr) error {
	b, err := g.budget(ctx, addressBudget(g.space, ip))
	if err != nil {
		return err
	}
	if g.within(&b) && b.Guesses >= addressGuesses {
		return &refused{ErrRateLimited, b.Window.Add(guessWindow).Sub(g.now)}
	}
	if b.Revision == 0 {
		room, err := g.countNew(ctx, newAddresses)
		if err != nil {
			return err
		}
		if room > 0 {
			return nil // its subject is counted all the same
		}
		g.steps = append(g.steps, store.DeleteBudgets{Until: g.now})
	}
	g.take(&b)
	b.Expires = b.Window.Add(guessWindow)
	g.steps = append(g.steps, store.WriteBudget{Budget: b})
	return nil
}

// countNew counts a budget that is made for a guess, or says how long no more are.
func (g *guess) countNew(ctx context.Context, name string) (full time.Duration, err error) {
	b, err := g.budget(ctx, name)
	if err != nil {
		return 0, err
	}
	if g.within(&b) && b.Guesses >= newBudgets {
		return b.Window.Add(guessWindow).Sub(g.now), nil
	}
	g.take(&b)
	g.steps = append(g.steps, store.WriteBudget{Budget: b})
	return 0, nil
}

// countCode takes one of the guesses that a live code allows. That it allows no
// more is told when the others have counted this one.
func (g *guess) countCode(ctx context.Context, attempt *Attempt) error {
	live, err := g.a.live(ctx, &store.Credential{
		Space: g.space, Kind: KindCode, Subject: attempt.Subject, Purpose: attempt.Purpose,
	})
	if err != nil || len(live) == 0 {
		return err
	}
	c := &live[0].Credential
	if isExhausted(c) {
		g.exhausted = true
		return nil
	}
	g.code = c.ID
	g.steps = append(g.steps, store.UseCredential{Space: g.space, ID: c.ID, Revision: c.Revision})
	return nil
}

// budget reads a budget; one that is not there has the revision 0.
func (g *guess) budget(ctx context.Context, name string) (store.Budget, error) {
	b, err := g.a.store.Budget(ctx, g.space, name)
	if errors.Is(err, store.ErrNotFound) {
		return store.Budget{Space: g.space, Name: name}, nil
	}
	if err != nil {
		return b, fmt.Errorf("count a guess: %w", err)
	}
	return b, nil
}

// within reports whether a budget's window still lasts.
func (g *guess) within(b *store.Budget) bool {
	return !b.Window.IsZero() && g.now.Before(b.Window.Add(guessWindow))
}

// take counts one guess in the present window.
func (g *guess) take(b *store.Budget) {
	if !g.within(b) {
		b.Window, b.Guesses = g.now, 0
	}
	b.Guesses++
	if g.now.After(b.Last) { // another node's clock may be ahead
		b.Last = g.now
	}
}

// Unlock gives a subject all its guesses back: those of its window, and those in a
// row. It is the owner's, for somebody who is known by other means. The reason is
// for people and may be empty. Of a subject at which nobody has guessed it does
// nothing. Errors: ErrInput, ErrSpace, ErrUnavailable.
func (a *Authority) Unlock(ctx context.Context, subject, reason string) error {
	if err := checkNamed("subject", subject, maxSubject); err != nil {
		return err
	}
	if err := checkText("reason", reason, maxReason); err != nil {
		return err
	}
	space, err := a.spaceID(ctx, a.space)
	if err != nil {
		return err
	}
	for {
		b, err := a.store.Budget(ctx, space, subjectBudget(space, subject))
		if errors.Is(err, store.ErrNotFound) || err == nil && b.Window.IsZero() {
			return nil
		}
		if err != nil {
			return fmt.Errorf("unlock: %w", err)
		}
		b.Window, b.Guesses, b.Consecutive, b.Last = time.Time{}, 0, 0, time.Time{}
		e := store.Event{Space: space, Time: a.now(), Type: "subject.unlocked", Subject: subject, Reason: reason}
		err = a.apply(ctx, e, store.WriteBudget{Budget: b})
		if errors.Is(err, store.ErrConflict) {
			continue // a guess came in between
		}
		if err != nil {
			return fmt.Errorf("unlock: %w", err)
		}
		return nil
	}
}
