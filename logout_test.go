package keyfob_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// A pause holds a request up at one of its calls to the store: after a read, before
// a change, or after it.
type pause struct {
	left    int // so many of them go by before
	reached chan struct{}
	release chan struct{}
}

type pauseKey struct{}

func newPause(left int) *pause {
	return &pause{left, make(chan struct{}), make(chan struct{})}
}

// here is one of the places where a request may be held up.
func here(ctx context.Context) {
	p, ok := ctx.Value(pauseKey{}).(*pause)
	if !ok {
		return
	}
	if p.left--; p.left == -1 {
		close(p.reached)
		<-p.release
	}
}

// pausing is a store that holds requests up.
type pausing struct{ store.Store }

func (p pausing) Version(ctx context.Context, space, id string) (store.Found, error) {
	found, err := p.Store.Version(ctx, space, id)
	here(ctx)
	return found, err
}

func (p pausing) Credential(ctx context.Context, space, id string) (store.Item, error) {
	item, err := p.Store.Credential(ctx, space, id)
	here(ctx)
	return item, err
}

func (p pausing) Credentials(ctx context.Context, query store.Query) ([]store.Item, error) {
	items, err := p.Store.Credentials(ctx, query)
	here(ctx)
	return items, err
}

func (p pausing) Apply(ctx context.Context, change store.Change) error {
	here(ctx)
	err := p.Store.Apply(ctx, change)
	here(ctx)
	return err
}

// while runs a request, has it held up at the place that left says, does what is to
// be done meanwhile, and lets it go on. It reports whether the request was over
// before it got there.
func while(ctx context.Context, left int, request func(context.Context), do func()) (over bool) {
	p, ended := newPause(left), make(chan struct{})
	go func() {
		defer close(ended)
		request(context.WithValue(ctx, pauseKey{}, p))
	}()
	select {
	case <-p.reached:
	case <-ended:
		over = true
	}
	do()
	close(p.release)
	<-ended
	return over
}

// A slow request is one that a session's end may come across. It returns what it
// handed out, if it did.
type slow struct {
	due bool // that it is in use has to be written
	do  func(ctx context.Context, a *keyfob.Authority, s keyfob.Issued) (keyfob.Issued, error)
}

func verifies(ctx context.Context, a *keyfob.Authority, s keyfob.Issued) (keyfob.Issued, error) {
	_, err := a.Verify(ctx, s.Secret.Reveal(), keyfob.Check{Kind: keyfob.KindSession})
	return keyfob.Issued{}, err
}

var slowRequests = map[string]slow{
	"a verification":           {do: verifies},
	"a verification, with use": {due: true, do: verifies},
	"Update": {do: func(ctx context.Context, a *keyfob.Authority, s keyfob.Issued) (keyfob.Issued, error) {
		c := s.Credential
		c.Attributes = map[string]string{"late": "x"}
		_, err := a.Update(ctx, c)
		return keyfob.Issued{}, err
	}},
	"Renew": {do: func(ctx context.Context, a *keyfob.Authority, s keyfob.Issued) (keyfob.Issued, error) {
		return a.Renew(ctx, versionOf(s))
	}},
	"a sign-in": {do: func(ctx context.Context, a *keyfob.Authority, s keyfob.Issued) (keyfob.Issued, error) {
		return a.Issue(ctx, keyfob.Session{Subject: s.Credential.Subject, From: versionOf(s)})
	}},
	"Suspend, Resume": {do: func(ctx context.Context, a *keyfob.Authority, s keyfob.Issued) (keyfob.Issued, error) {
		_, err := a.Suspend(ctx, s.Credential.ID, "")
		if err == nil {
			_, err = a.Resume(ctx, s.Credential.ID)
		}
		return keyfob.Issued{}, err
	}},
}

// sessionEnds are the ways in which a session's secret ends, and what Verify says
// of it from then on.
var sessionEnds = map[string]struct {
	reason string
	do     func(ctx context.Context, a *keyfob.Authority, s keyfob.Issued) error
}{
	"Revoke": {"revoked", func(ctx context.Context, a *keyfob.Authority, s keyfob.Issued) error {
		return a.Revoke(ctx, versionOf(s), "signed out")
	}},
	"RevokeSubject": {"revoked", func(ctx context.Context, a *keyfob.Authority, s keyfob.Issued) error {
		return a.RevokeSubject(ctx, s.Credential.Subject, "", keyfob.KindSession)
	}},
	"Renew": {"replaced", func(ctx context.Context, a *keyfob.Authority, s keyfob.Issued) error {
		return second(a.Renew(ctx, versionOf(s)))
	}},
	"a sign-in": {"replaced", func(ctx context.Context, a *keyfob.Authority, s keyfob.Issued) error {
		return second(a.Issue(ctx, keyfob.Session{Subject: "bob", From: versionOf(s)}))
	}},
}

// P4: what was signed out stays so, wherever a request is that began before: it
// neither brings the session back, nor has any effect, nor hands out another that
// is good.
func TestLogoutStays(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		rounds := 1000/len(slowRequests) + 1 // of each pair: 1000 of each end
		if _, ok := st.(*memory.Store); !ok {
			rounds = 1000/(len(slowRequests)*len(sessionEnds)) + 1 // 1000 in all: each is three flushes
		}
		rk, clock := newRootKey(t), newClock()
		a := openWith(t, keyfob.Config{Store: pausing{st}, RootKey: rk, Now: clock.Now})
		other := openWith(t, keyfob.Config{Store: st, RootKey: rk, Now: clock.Now, MaxStaleness: -1})
		for end := range sessionEnds {
			for name := range slowRequests {
				l := logout{a: a, other: other, clock: clock, end: end, slow: name}
				for round := range rounds {
					l.round(t, round%7)
				}
				t.Logf("%s against %s: %d rounds, of which %d were overtaken; 0 came back", end, name, rounds, l.overtaken)
				if l.overtaken < rounds/7 || l.overtaken == rounds {
					t.Errorf("%s against %s: %d of %d were overtaken: the test shows little", end, name, l.overtaken, rounds)
				}
			}
		}
	})
}

// logout are the rounds of one end of a session against one slow request.
type logout struct {
	a, other  *keyfob.Authority
	clock     *clock
	end, slow string
	rounds    int
	overtaken int // requests that were held up while the session ended
}

// is says what there is of a session and its subject.
func (l *logout) is(t *testing.T, s keyfob.Issued) string {
	t.Helper()
	c, err := l.other.Get(t.Context(), s.Credential.ID)
	if err != nil {
		t.Error(err)
	}
	for i := range c.Versions {
		c.Versions[i].FirstUsed, c.Versions[i].LastUsed, c.Versions[i].From = time.Time{}, time.Time{}, nil
	}
	return fmt.Sprintf("%+v, and %d are live", c, live(t, l.other, keyfob.KindSession, s.Credential.Subject))
}

func (l *logout) round(t *testing.T, place int) {
	t.Helper()
	end, request := sessionEnds[l.end], slowRequests[l.slow]
	l.rounds++
	s := mustIssue(t, l.a, keyfob.Session{Subject: fmt.Sprint(l.end, l.slow, l.rounds)})
	if place%2 == 1 { // or it is not in the cache yet
		wantSession(t, l.a, s, "ok")
	}
	if request.due {
		l.clock.Add(3 * time.Minute)
	}
	fatal := func(what ...any) {
		t.Helper()
		t.Fatalf("%s against %s, held up at %d: %s", l.end, l.slow, place, fmt.Sprint(what...))
	}
	dead := func(when string) {
		t.Helper()
		for _, at := range []*keyfob.Authority{l.a, l.other, l.a} {
			if got := session(t, at, s.Secret.Reveal()); got == "ok" {
				fatal(when, " it is accepted")
			}
		}
	}
	var issued keyfob.Issued
	var ended error
	was := ""
	over := while(t.Context(), place, func(ctx context.Context) {
		issued, _ = request.do(ctx, l.a, s)
	}, func() {
		if ended = end.do(t.Context(), l.a, s); ended == nil {
			dead("once it ended")
			was = l.is(t, s)
		}
	})
	if ended != nil { // the request had taken effect already, and nobody was told that the session is dead
		if !errors.Is(ended, keyfob.ErrConflict) {
			fatal(ended)
		}
		return
	}
	dead("afterwards")
	if now := l.is(t, s); now != was && l.slow != "Suspend, Resume" { // which concerns the secret after it as well
		fatal("it had an effect: ", was, " became ", now)
	}
	if text := issued.Secret.Reveal(); text != "" && l.slow == "Renew" && session(t, l.a, text) == "ok" && l.end != "Renew" {
		fatal("it handed out a secret that is good")
	}
	if !over {
		l.overtaken++
	}
}

// The same without a place: all at once, as it comes.
func TestLogoutRaces(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		const rounds = 20
		for name, end := range sessionEnds {
			accepted, late := atomic.Int64{}, atomic.Int64{}
			for range rounds {
				s := mustIssue(t, a, keyfob.Session{Subject: "alice", Lifetime: day})
				clock.Add(3 * time.Minute)
				var ended atomic.Bool
				var group sync.WaitGroup
				for range 2 {
					group.Go(func() {
						for !ended.Load() {
							if session(t, a, s.Secret.Reveal()) == "ok" {
								accepted.Add(1)
							}
						}
						if session(t, a, s.Secret.Reveal()) == "ok" {
							late.Add(1)
						}
					})
				}
				for _, request := range []string{"Update", "Renew"} {
					group.Go(func() {
						i, err := slowRequests[request].do(t.Context(), a, s)
						if err != nil && !errors.Is(err, keyfob.ErrConflict) {
							t.Error(err)
						}
						for text := i.Secret.Reveal(); text != "" && !ended.Load(); {
							_ = session(t, a, text)
						}
					})
				}
				group.Go(func() {
					if err := end.do(t.Context(), a, s); err != nil && !errors.Is(err, keyfob.ErrConflict) {
						t.Error(err)
					}
					ended.Store(true)
				})
				group.Wait()
			}
			t.Logf("%s: %d rounds, %d accepted before it was acknowledged, %d after", name, rounds, accepted.Load(), late.Load())
			if late.Load() != 0 {
				t.Errorf("%s: %d accepted after it was acknowledged", name, late.Load())
			}
		}
	})
}

// A secret that is redeemed while its subject is revoked is redeemed before, or not
// at all.
func TestRevokeSubjectAgainstRedeem(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, pausing{st})
		for _, kind := range allKinds[2:] {
			overtaken := 0
			for place := range 12 {
				subject := fmt.Sprint("subject", place) // with guesses of its own
				i := of(t, a, clock, kind, subject)
				attempt := map[keyfob.Kind]func() keyfob.Attempt{
					keyfob.KindLink: func() keyfob.Attempt { return byLink(i) },
					keyfob.KindCode: func() keyfob.Attempt { return byCode(i) },
					keyfob.KindTOTP: func() keyfob.Attempt { return byTOTP(t, i, clock.Now()) },
				}[kind]
				if attempt == nil {
					attempt = func() keyfob.Attempt { return byRecovery(i, place%10) }
				}
				var failed error
				before := 0
				over := while(t.Context(), place, func(ctx context.Context) {
					_, failed = a.Redeem(ctx, attempt())
				}, func() {
					for _, e := range events(t, st, "default") {
						if e.Type == string(kind)+".redeemed" && e.Credential == i.Credential.ID {
							before++
						}
					}
					if err := a.RevokeSubject(t.Context(), subject, "", kind); err != nil {
						t.Error(err)
					}
				})
				if reason := keyfob.Reason(failed); over != (reason == "ok") && !slices.Contains([]string{"ok", "revoked", "unknown"}, reason) {
					t.Errorf("%s, held up at %d: %v", kind, place, failed)
				}
				after := 0
				for _, e := range events(t, st, "default") {
					if e.Type == string(kind)+".redeemed" && e.Credential == i.Credential.ID {
						after++
					}
				}
				if after != before {
					t.Errorf("%s, held up at %d: it was redeemed after its subject was revoked", kind, place)
				}
				if !over {
					overtaken++
				}
				clock.Add(2 * time.Minute)
			}
			if overtaken < 2 {
				t.Errorf("%s: %d were overtaken: the test shows nothing", kind, overtaken)
			}
			t.Logf("%s: %d were overtaken", kind, overtaken)
		}
	})
}
