package session_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/session"
	"github.com/keyfob-dev/keyfob/store"
)

var theme = session.NewAttribute[string]("theme")

// late is what a slow request does when its session may have ended.
var late = map[string]func(w http.ResponseWriter, r *http.Request) error{
	"read": func(w http.ResponseWriter, r *http.Request) error {
		_, err := io.WriteString(w, session.Subject(r))
		return err
	},
	"write":  func(w http.ResponseWriter, r *http.Request) error { return theme.Set(w, r, "dark") },
	"delete": func(_ http.ResponseWriter, r *http.Request) error { return theme.Delete(r) },
	"renew":  session.Renew,
	"sign in": func(w http.ResponseWriter, r *http.Request) error {
		return session.SignIn(w, r, session.User{Subject: "alice"})
	},
}

// ends are the ways in which a session ends beside a slow request, with what is said
// of its secret from then on.
var ends = map[string]struct {
	reason string
	end    func(b *browser)
}{
	"sign out":             {"revoked", func(b *browser) { b.get("/out") }},
	"sign out everywhere":  {"revoked", func(b *browser) { b.get("/everywhere?subject=alice") }},
	"renew":                {"replaced", func(b *browser) { b.get("/renew") }},
	"sign in":              {"replaced", func(b *browser) { b.get("/in?subject=alice") }},
	"sign in, another":     {"replaced", func(b *browser) { b.get("/in?subject=bob") }},
	"revoked from outside": {"revoked", func(b *browser) { b.must(b.a.Revoke(b.Context(), b.session().ID, "")) }},
}

// session is what the Authority knows of the browser's.
func (b *browser) session() keyfob.Credential {
	b.Helper()
	c, err := b.a.Verify(b.Context(), b.cookie(), keyfob.Check{Kind: keyfob.KindSession})
	b.must(err)
	return c
}

// P4: when a session has ended, or was renewed, nothing that a request does which
// was under way brings its secret back, writes into it, or renews it.
func TestEndedStaysEnded(t *testing.T) {
	each(t, func(p *app) {
		for how, end := range ends {
			for what, do := range late {
				p.clock.Advance(time.Millisecond) // what was signed out everywhere may sign in again
				b := p.signedIn("alice")
				b.check(b.write("theme", "light"))
				secret, thief := b.cookie(), b.with()
				s := thief.slowly(do)
				end.end(b)
				after := p.newest()
				a := s.finish()
				p.judgeLate(how+", then "+what, what, s, a)
				p.dead(secret, end.reason)
				if now := p.newest(); what != "sign in" && !slices.EqualFunc(now, after, sameRecord) {
					p.Errorf("%s, then %s: something was written: %+v became %+v", how, what, after, now)
				}
				if what == "sign in" && how != "sign out everywhere" {
					thief.want("alice") // the password was right, and nobody revoked the subject
				}
			}
		}
	})
}

// write writes an attribute of the browser's session from outside.
func (b *browser) write(name, value string) error {
	c := b.session()
	c.Attributes = map[string]string{"remembered": "false", name: value}
	_, err := b.a.Update(b.Context(), c)
	return err
}

// newest are the records of the sessions.
func (p *app) newest() []keyfob.Credential {
	p.Helper()
	page, err := p.a.List(p.Context(), keyfob.Filter{Kind: keyfob.KindSession, Limit: 1000})
	p.must(err)
	return page.Items
}

func sameRecord(a, b keyfob.Credential) bool {
	return a.ID == b.ID && a.Revision == b.Revision && a.State == b.State && a.Attributes["theme"] == b.Attributes["theme"]
}

// judgeLate holds what is true of an answer that came too late.
func (p *app) judgeLate(name, what string, s *slow, a answer) {
	p.Helper()
	switch what {
	case "read":
		if s.err != nil || a.body != "alice" || len(a.setCookies()) > 0 {
			p.Errorf("%s: %v, %q, sets %d cookies", name, s.err, a.body, len(a.setCookies()))
		}
	case "sign in":
		if !errors.Is(s.err, keyfob.ErrConflict) && (s.err != nil || len(a.setCookies()) != 1) {
			p.Errorf("%s: %v, sets %d cookies", name, s.err, len(a.setCookies()))
		}
	default:
		if keyfob.Reason(s.err) == "" || s.err == nil || len(a.setCookies()) > 0 {
			p.Errorf("%s: %v, sets %d cookies", name, s.err, len(a.setCookies()))
		}
	}
}

// rounds is how often a race is run: 1,000 times in memory, and where each round is
// written to a disk or goes over HTTP twice, a fifth of that.
func (p *app) rounds() int {
	switch {
	case testing.Short():
		return 20
	case p.path == "" && p.verbs == keyfob.Verbs(p.a):
		return 1000
	}
	return 200
}

// P4: a logout and a request that are on their way at the same time. Whichever is
// first, the secret is dead after both, and so is a new one that the session was
// given.
func TestLogoutRaces(t *testing.T) {
	each(t, func(p *app) {
		for what, do := range late {
			start := time.Now()
			for range p.rounds() {
				p.raceLogout(what, do)
			}
			p.Logf("%s: %d rounds in %v", what, p.rounds(), time.Since(start))
		}
	})
}

func (p *app) raceLogout(what string, do func(http.ResponseWriter, *http.Request) error) {
	p.Helper()
	b := p.signedIn("alice")
	secret, id := b.cookie(), b.session().ID
	other := b.with()
	s := other.slowly(do)
	var both sync.WaitGroup
	both.Go(func() { s.finish() })
	both.Go(func() { b.get("/out") })
	both.Wait()
	c, err := p.a.Get(p.Context(), id)
	p.must(err)
	if c.State != keyfob.StateRevoked && (what != "sign in" || c.State != keyfob.StateReplaced) {
		p.Fatalf("a session is %s after its logout, beside %s", c.State, what)
	}
	p.browser().plant(secret).want("no session")
	if what != "sign in" {
		other.want("no session") // with a secret by a renewal that was faster, too
	}
}

// P4: a session that is to be touched while it ends is not brought back by that. The
// end comes after the verification has read the session, and before it writes.
func TestLogoutWhileTouched(t *testing.T) {
	each(t, func(p *app) {
		for how, end := range ends {
			p.clock.Advance(time.Millisecond)
			b := p.signedIn("alice")
			secret, other := b.cookie(), b.with()
			b.session() // the cache knows it
			p.clock.Advance(29 * time.Minute)
			var begun atomic.Bool // the end is a request that touches, too
			p.st.hook(func(change store.Change) error {
				if slices.ContainsFunc(change.Steps, isTouch) && begun.CompareAndSwap(false, true) {
					end.end(b)
				}
				return nil
			})
			other.want("no session")
			p.st.hook(nil)
			p.dead(secret, end.reason)
			if how == "renew" && b.session().Subject != "alice" {
				p.Errorf("the session that was renewed is not there")
			}
		}
	})
}

func isTouch(step store.Step) bool {
	_, is := step.(store.TouchCredential)
	return is
}

// Of requests that renew at the same time one does, and its secret is the only one.
func TestRenewRaces(t *testing.T) {
	each(t, func(p *app) {
		for range 10 {
			b := p.signedIn("alice")
			secret := b.cookie()
			var all sync.WaitGroup
			thieves, errs := make([]*browser, 4), make(chan error, 4)
			p.handle("/race", func(w http.ResponseWriter, r *http.Request) { errs <- session.Renew(w, r) })
			for i := range thieves {
				thieves[i] = b.with()
				all.Go(func() { thieves[i].get("/race") })
			}
			all.Wait()
			p.dead(secret, "replaced")
			alive := 0
			for _, thief := range thieves {
				if thief.get("/who").body == "alice" {
					alive++
				}
			}
			close(errs)
			renewed := 0
			for err := range errs {
				if err == nil {
					renewed++
				}
			}
			if alive != 1 || renewed != 1 {
				p.Fatalf("%d renewed, and %d secrets are good; want 1", renewed, alive)
			}
		}
	})
}
