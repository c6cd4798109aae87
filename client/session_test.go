package client_test

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/client"
	"github.com/keyfob-dev/keyfob/store/memory"
)

var ofSession = keyfob.Check{Kind: keyfob.KindSession}

// session makes a session behind the server's back.
func (e *env) session(s keyfob.Session) keyfob.Issued {
	e.Helper()
	issued, err := e.a.Issue(e.Context(), s)
	e.must(err)
	return issued
}

// wantReason has a session's token verified by a Client and by the Authority, who
// must say the same.
func (l *life) wantReason(text keyfob.Secret, reason string) {
	l.Helper()
	for who, v := range map[string]keyfob.Verbs{"Client": l.c, "Authority": l.a} {
		if _, err := v.Verify(l.Context(), text.Reveal(), ofSession); keyfob.Reason(err) != reason {
			l.Errorf("%s: %v, want %s", who, err, reason)
		}
	}
}

// TestSessionLife lives through a session's life by the Client, and has the
// Authority tell after each verb what became of it.
func TestSessionLife(t *testing.T) {
	eachStore(t, func(e *env) {
		ctx, c := e.Context(), e.client(client.Config{Space: "acme"})
		_, err := c.Spaces().Create(ctx, keyfob.Space{Name: "acme", Prefix: "acme"})
		e.must(err)
		nobody, err := c.Issue(ctx, keyfob.Session{Attributes: map[string]string{"cart": "7"}})
		e.must(err)
		if got := nobody.Credential; got.Idle != 30*time.Minute || !got.Expires.Equal(got.Created.Add(12*time.Hour)) || got.Subject != "" {
			e.Errorf("of nobody: %+v", got)
		}
		s, err := c.Issue(ctx, &keyfob.Session{
			Subject: "alice", Attributes: map[string]string{"theme": "dark"}, Idle: 100 * time.Second, Remembered: true,
			From: nobody.Credential.Versions[0].ID, Since: e.clock.Now(),
		})
		e.must(err)
		l := &life{e, c, e.a.In("acme"), s.Credential.ID}
		same(t, "Issue", s.Credential, l.now())
		if got := s.Credential; got.Idle != 100*time.Second || !got.Expires.Equal(got.Created.Add(30*24*time.Hour)) || len(got.Attributes) != 2 || got.Kind != keyfob.KindSession {
			e.Errorf("Issue: %+v", got)
		}
		l.wantReason(nobody.Secret, "replaced")
		l.use(s.Secret)
		l.change()
		l.renew(s.Secret)
	})
}

// use uses a session after a tenth of its idle time, which is written.
func (l *life) use(secret keyfob.Secret) {
	l.Helper()
	l.clock.Advance(10 * time.Second)
	v, err := l.c.Judge(l.Context(), secret.Reveal(), ofSession)
	l.must(err)
	same(l.T, "Judge", v.Credential, l.now())
	if !v.Credential.Seen.Equal(l.clock.Now().Truncate(time.Millisecond)) || v.Credential.Revision != 1 {
		l.Errorf("used: %+v", v.Credential)
	}
	if _, err := l.c.Verify(l.Context(), secret.Reveal(), keyfob.Check{}); !errors.Is(err, keyfob.ErrUnknown) {
		l.Errorf("as an API key: %v", err)
	}
}

// change writes a session's attributes, of which nothing gets lost.
func (l *life) change() {
	l.Helper()
	ctx, was := l.Context(), l.now()
	changed := was
	changed.Attributes, changed.Subject, changed.Idle, changed.Name = map[string]string{"theme": "light"}, "mallory", time.Hour, "x"
	updated, err := l.c.Update(ctx, changed)
	l.must(err)
	same(l.T, "Update", updated, l.now())
	if !maps.Equal(updated.Attributes, changed.Attributes) || updated.Subject != "alice" || updated.Idle != was.Idle || updated.Name != "" || updated.Revision != 2 {
		l.Errorf("Update: %+v", updated)
	}
	if _, err := l.c.Update(ctx, was); !errors.Is(err, keyfob.ErrConflict) {
		l.Errorf("Update of an old revision: %v", err)
	}
	updated.Attributes = nil
	updated, err = l.c.Update(ctx, updated)
	l.must(err)
	if same(l.T, "Update", updated, l.now()); updated.Attributes != nil {
		l.Errorf("Update took nothing away: %+v", updated)
	}
}

// renew hands out another secret, and has all end.
func (l *life) renew(secret keyfob.Secret) {
	l.Helper()
	ctx, version := l.Context(), l.now().Versions[0].ID
	renewed, err := l.c.Renew(ctx, version)
	l.must(err)
	same(l.T, "Renew", renewed.Credential, l.now())
	l.wantReason(secret, "replaced")
	l.wantReason(renewed.Secret, "ok")
	if _, err := l.c.Renew(ctx, version); !errors.Is(err, keyfob.ErrConflict) {
		l.Errorf("Renew of what was renewed: %v", err)
	}
	again, err := l.c.Renew(ctx, l.id)
	l.must(err)
	for _, filter := range []keyfob.Filter{{Kind: keyfob.KindSession}, {Subject: "alice"}, {Kind: keyfob.KindSession, States: []keyfob.State{keyfob.StateReplaced}}} {
		got, err := l.c.List(ctx, filter)
		l.must(err)
		want, err := l.a.List(ctx, filter)
		l.must(err)
		if same(l.T, "List", got.Items, want.Items); len(got.Items) == 0 {
			l.Errorf("List of %+v: nothing", filter)
		}
	}
	l.must(l.c.RevokeSubject(ctx, "alice", "password reset", keyfob.KindSession, keyfob.KindLink))
	l.wantReason(again.Secret, "revoked")
	if got := l.now(); got.State != keyfob.StateRevoked || got.Reason != "password reset" {
		l.Errorf("RevokeSubject: %+v", got)
	}
	if _, err := l.c.Renew(ctx, l.id); !errors.Is(err, keyfob.ErrConflict) {
		l.Errorf("Renew of what has ended: %v", err)
	}
	events, err := l.c.Events().List(ctx, keyfob.EventFilter{Type: "session.subject_revoked"})
	l.must(err)
	if len(events.Items) != 1 || events.Items[0].Subject != "alice" || events.Items[0].Reason != "password reset" || events.Items[0].Actor != l.owner.Credential.ID {
		l.Errorf("events: %+v", events)
	}
	l.clock.Advance(time.Second)
	if n, err := l.c.Purge(ctx, keyfob.KindSession, l.clock.Now()); n != 2 || err != nil {
		l.Errorf("Purge: %d, %v", n, err)
	}
}

// TestSessionsAreNotKept: the server learns of each use of a session, and a logout
// by somebody else counts at once, however old verdicts on keys may be.
func TestSessionsAreNotKept(t *testing.T) {
	c := newCached(t, client.Config{})
	s := c.session(keyfob.Session{Subject: "alice", Idle: 100 * time.Second})
	text, key := s.Secret.Reveal(), c.key(keyfob.APIKey{}).Secret.Reveal()
	c.wantAsked("a key", true, key, keyfob.Check{}, nil)
	for range 15 {
		c.wantAsked("a session", true, text, ofSession, nil)
		c.env.clock.Advance(10 * time.Second)
	}
	c.wantAsked("a key", false, key, keyfob.Check{}, nil)
	if n := c.Cached(); n != 1 {
		t.Errorf("%d verdicts are kept, want the key's", n)
	}
	c.must(c.a.Revoke(t.Context(), s.Credential.ID, ""))
	c.wantAsked("after the logout", true, text, ofSession, keyfob.ErrRevoked)
}

// TestRevokeSubjectIsNotRepeated: when its answer is lost, all has ended, once; and
// what is issued then lives.
func TestRevokeSubjectIsNotRepeated(t *testing.T) {
	e := newEnv(t, memory.Open())
	f := newFlaky(e)
	c := e.client(client.Config{URL: f.url})
	c.Sleep(new(waits).sleep)
	before := e.session(keyfob.Session{Subject: "alice"})
	f.lose.Store(1)
	if err := c.RevokeSubject(t.Context(), "alice", "", keyfob.KindSession); !errors.Is(err, keyfob.ErrUnavailable) {
		t.Errorf("its answer was lost: %v", err)
	}
	after := e.session(keyfob.Session{Subject: "alice"})
	if _, err := c.Verify(t.Context(), before.Secret.Reveal(), ofSession); !errors.Is(err, keyfob.ErrRevoked) {
		t.Errorf("the session before: %v", err)
	}
	if _, err := c.Verify(t.Context(), after.Secret.Reveal(), ofSession); err != nil {
		t.Errorf("the session after: %v", err)
	}
	if events, err := e.a.Events().List(t.Context(), keyfob.EventFilter{Type: "session.subject_revoked"}); len(events.Items) != 1 || err != nil {
		t.Errorf("%d events, %v", len(events.Items), err)
	}
}

// TestRenewIsDoneOnce: when its answers are lost, the session was renewed once, and
// the secret comes with a later answer.
func TestRenewIsDoneOnce(t *testing.T) {
	e := newEnv(t, memory.Open())
	f := newFlaky(e)
	c := e.client(client.Config{URL: f.url})
	c.Sleep(new(waits).sleep)
	s := e.session(keyfob.Session{Subject: "alice"})
	f.lose.Store(2)
	renewed, err := c.Renew(t.Context(), s.Credential.Versions[0].ID)
	e.must(err)
	if _, err := c.Verify(t.Context(), renewed.Secret.Reveal(), ofSession); err != nil || renewed.Credential.Versions[0].Number != 2 {
		t.Errorf("%+v, %v", renewed.Credential, err)
	}
	events, err := e.a.Events().List(t.Context(), keyfob.EventFilter{Type: "session.renewed"})
	if keys := []string{<-f.keys, <-f.keys, <-f.keys}; len(events.Items) != 1 || err != nil || len(slices.Compact(keys)) != 1 {
		t.Errorf("%d events, %v, keys %q", len(events.Items), err, keys)
	}
}

// TestOtherKindsAreNoSessions: what only the kind tells apart.
func TestOtherKindsAreNoSessions(t *testing.T) {
	e := newEnv(t, memory.Open())
	ctx, c := t.Context(), e.client(client.Config{})
	key, s := e.key(keyfob.APIKey{}).Credential, e.session(keyfob.Session{Subject: "alice"}).Credential
	asSession, asKey := key, s
	asSession.Kind, asKey.Kind = keyfob.KindSession, keyfob.KindAPIKey
	second := func(_ any, err error) error { return err }
	for what, err := range map[string]error{
		"Renew of a key": second(c.Renew(ctx, key.ID)), "Update of a key": second(c.Update(ctx, asSession)), "Update of a session": second(c.Update(ctx, asKey)),
		"Rotate of a session": second(c.Rotate(ctx, s.ID, 0)), "Suspend of a session": second(c.Suspend(ctx, s.ID, "")),
	} {
		if !errors.Is(err, keyfob.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, was := range []keyfob.Credential{key, s} {
		is, err := e.a.Get(ctx, was.ID)
		e.must(err)
		same(t, string(was.Kind), is, was)
	}
}
