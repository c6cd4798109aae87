package server

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// A held is a request that a store holds up, once: when it comes to a point, it
// tells so, and goes on when it is let.
type held struct {
	at      func(point any) bool // a store.Change before it is made, a store.Found after it was read
	reached chan struct{}
	goOn    chan struct{}
}

// holding is a store in which a test holds up requests.
type holding struct {
	store.Store
	held atomic.Pointer[held]
}

// hold holds up the first request that comes to a point.
func (h *holding) hold(at func(point any) bool) *held {
	one := &held{at, make(chan struct{}), make(chan struct{})}
	h.held.Store(one)
	return one
}

func (h *holding) pass(point any) {
	if one := h.held.Load(); one != nil && one.at(point) && h.held.CompareAndSwap(one, nil) {
		close(one.reached)
		<-one.goOn
	}
}

func (h *holding) Apply(ctx context.Context, c store.Change) error {
	h.pass(c)
	return h.Store.Apply(ctx, c)
}

func (h *holding) Version(ctx context.Context, space, id string) (store.Found, error) {
	found, err := h.Store.Version(ctx, space, id)
	h.pass(found)
	return found, err
}

// writes reports whether a point is before a change with such a step.
func writes[S store.Step](point any) bool {
	c, _ := point.(store.Change)
	for _, step := range c.Steps {
		if _, ok := step.(S); ok {
			return true
		}
	}
	return false
}

// ofType reports whether a point is before a change with such an event.
func ofType(event string) func(point any) bool {
	return func(point any) bool {
		c, _ := point.(store.Change)
		for _, ev := range c.Events {
			if ev.Type == event {
				return true
			}
		}
		return false
	}
}

// A visit is one session in one round.
type visit struct {
	*env
	old string // its token, before the logout
	c   keyfob.Credential
}

func (v *visit) verify(token string) bool {
	a := v.ask(v.owner, "POST", inAcme+"verify", fields{"token": token, "kind": "session"})
	if a.status != 200 {
		v.Errorf("verify: %v", a)
	}
	return a.json["valid"] == true
}

func (v *visit) path(rest string) string { return acmeSessions + "/" + v.c.ID + rest }

func (v *visit) patch() *answer {
	return v.ask(v.owner, "PATCH", v.path(""), fields{"revision": 1, "attributes": fields{"theme": "dark"}})
}

// logouts are what makes a session's token dead, and what a verification says then.
var logouts = []struct {
	name string
	do   func(v *visit) *answer
}{
	{"revoke", func(v *visit) *answer { return v.ask(v.owner, "POST", v.path("/revoke"), fields{}) }},
	{"subjects/revoke", func(v *visit) *answer {
		return v.ask(v.owner, "POST", inAcme+"subjects/revoke", fields{"subject": v.c.Subject, "kinds": []string{"session"}})
	}},
	{"renew", func(v *visit) *answer { return v.ask(v.owner, "POST", v.path("/renew"), nil) }},
	{"a sign-in", func(v *visit) *answer {
		return v.ask(v.owner, "POST", acmeSessions, fields{"subject": v.c.Subject, "from": v.c.Versions[0].ID})
	}},
}

// slow are requests, and where they are held up: what they have read is old when
// they go on.
var slow = []struct {
	name string
	at   func(point any) bool
	do   func(v *visit) *answer
}{
	{"a verification that writes that it is used", writes[store.TouchCredential], nil},
	{"a verification that has read", func(point any) bool {
		found, ok := point.(store.Found)
		return ok && found.Credential.Kind == keyfob.KindSession
	}, nil},
	{"PATCH", ofType("session.updated"), (*visit).patch},
	{"renew", ofType("session.renewed"), func(v *visit) *answer {
		return v.ask(v.owner, "POST", acmeSessions+"/"+v.c.Versions[0].ID+"/renew", nil)
	}},
	{"a sign-in", ofType("session.replaced"), func(v *visit) *answer {
		return v.ask(v.owner, "POST", acmeSessions, fields{"subject": v.c.Subject, "from": v.c.Versions[0].ID})
	}},
}

// logoutRounds is how many sessions end on each store while requests are in flight.
const logoutRounds = 1000

// TestLogoutStays is P4 over HTTP: once a logout is acknowledged, the session's
// token is never good again, whatever was in flight, and whatever that does later.
func TestLogoutStays(t *testing.T) {
	for name, open := range map[string]func(*testing.T) store.Store{
		"memory": func(*testing.T) store.Store { return memory.Open() },
		"sqlite": openSQLite,
	} {
		t.Run(name, func(t *testing.T) {
			st, now := &holding{Store: open(t)}, new(clock)
			now.Set(time.Now())
			e := newEnvWith(t, Limits{}, keyfob.Config{Store: st, Now: now.Now})
			var n tally
			for i := range logoutRounds {
				issued, err := e.a.In("acme").Issue(t.Context(), keyfob.Session{Subject: fmt.Sprint("user", i), Idle: 20 * time.Minute})
				e.must(err)
				v := &visit{e, issued.Secret.Reveal(), issued.Credential}
				if i%2 == 0 && !v.verify(v.old) { // now it is in the cache
					e.Errorf("round %d: not good from the start", i)
				}
				now.Advance(3 * time.Minute) // a touch is due
				if i%4 < 2 {
					v.race(&n, i)
				} else {
					v.overtake(&n, st, i)
				}
				if t.Failed() {
					t.Fatalf("in round %d", i)
				}
			}
			t.Logf("%d rounds, %d of them with a request held up until the logout was acknowledged: in flight %d verifications were good, %d not; "+
				"of %d that began after the acknowledgement none was; %d changes were in time, %d came too late",
				logoutRounds, n.overtaken.Load(), n.good.Load(), n.bad.Load(), n.after.Load(), n.changed.Load(), n.late.Load())
		})
	}
}

// tally counts what became of requests.
type tally struct{ overtaken, good, bad, after, changed, late atomic.Int64 }

// race has a session used, changed and ended at once.
func (v *visit) race(n *tally, round int) {
	var over atomic.Bool
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for range 4 {
				began := over.Load()
				good := v.verify(v.old)
				switch {
				case good && began:
					v.Errorf("round %d: good after the logout", round)
				case began:
					n.after.Add(1)
				case good:
					n.good.Add(1)
				default:
					n.bad.Add(1)
				}
			}
		})
	}
	all.Go(func() {
		switch a := v.patch(); a.status {
		case 200:
			n.changed.Add(1)
		case 409:
			n.late.Add(1)
		default:
			v.Errorf("round %d: %v", round, a)
		}
	})
	all.Go(func() {
		if a := logouts[round/4%len(logouts)].do(v); a.status >= 300 {
			v.Errorf("round %d: the logout: %v", round, a)
		}
		over.Store(true)
	})
	all.Wait()
	v.isDead(n, round)
}

// overtake holds a request up, has the session end, and lets the request go on.
func (v *visit) overtake(n *tally, st *holding, round int) {
	// Of each pair the combinations are gone through in turn.
	request, logout := slow[round/4%len(slow)], logouts[round/4/len(slow)%len(logouts)]
	if round%2 == 0 && request.do == nil { // what is in the cache is not read
		request = slow[0]
	}
	one := st.hold(request.at)
	goOn := sync.OnceFunc(func() { close(one.goOn) })
	defer goOn()
	done := make(chan *answer, 1)
	go func() {
		if request.do != nil {
			done <- request.do(v)
			return
		}
		done <- v.ask(v.owner, "POST", inAcme+"verify", fields{"token": v.old, "kind": "session"})
	}()
	select {
	case <-one.reached:
	case <-time.After(10 * time.Second):
		v.Fatalf("round %d: %s does not come to where it is held up", round, request.name)
	}
	if a := logout.do(v); a.status >= 300 {
		v.Errorf("round %d: %s while %s is held up: %v", round, logout.name, request.name, a)
	}
	v.isDead(n, round)
	goOn()
	a := <-done
	switch {
	case request.do == nil && a.json["valid"] != false:
		v.Errorf("round %d: %s, after %s, was answered %v", round, request.name, logout.name, a)
	case request.do != nil && a.status != 409:
		v.Errorf("round %d: %s, after %s, was answered %v", round, request.name, logout.name, a)
	case request.do == nil:
		n.bad.Add(1)
	default:
		n.late.Add(1)
	}
	n.overtaken.Add(1)
	v.isDead(n, round)
}

// isDead wants the token of a session that was ended to be no good.
func (v *visit) isDead(n *tally, round int) {
	for range 3 {
		if v.verify(v.old) {
			v.Errorf("round %d: good after the logout", round)
		}
		n.after.Add(1)
	}
}
