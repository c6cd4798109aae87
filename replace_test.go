package keyfob_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// A sign-in takes the place of the session before it, in one change: no secret from
// before is good after it, and attributes go no further than to whom they were of.
func TestSignInTakesThePlace(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		for what, c := range map[string]struct {
			before, asked, want map[string]string
			was, is             string
		}{
			"nobody's":             {map[string]string{"cart": "7"}, nil, map[string]string{"cart": "7"}, "", "alice"},
			"nobody's, with more":  {map[string]string{"cart": "7", "lang": "de"}, map[string]string{"lang": "fr", "mfa": "1"}, map[string]string{"cart": "7", "lang": "fr", "mfa": "1"}, "", "alice"},
			"nobody's, of none":    {nil, nil, nil, "", "alice"},
			"the same subject's":   {map[string]string{"cart": "7"}, map[string]string{"mfa": "1"}, map[string]string{"cart": "7", "mfa": "1"}, "alice", "alice"},
			"another's":            {map[string]string{"cart": "7"}, map[string]string{"mfa": "1"}, map[string]string{"mfa": "1"}, "bob", "alice"},
			"another's, of none":   {map[string]string{"cart": "7"}, nil, nil, "bob", "alice"},
			"a sign-out to nobody": {map[string]string{"cart": "7"}, nil, nil, "bob", ""},
		} {
			old := mustIssue(t, a, keyfob.Session{Subject: c.was, Attributes: c.before})
			for range 2 {
				wantSession(t, a, old, "ok")
			}
			clock.Add(time.Minute)
			n := len(events(t, st, "default"))
			s := mustIssue(t, a, keyfob.Session{Subject: c.is, Attributes: maps.Clone(c.asked), From: versionOf(old)})
			wantSession(t, a, old, "replaced")
			got, err := a.Verify(t.Context(), s.Secret.Reveal(), keyfob.Check{Kind: keyfob.KindSession})
			if err != nil || got.Subject != c.is || !maps.Equal(got.Attributes, c.want) || !maps.Equal(s.Credential.Attributes, c.want) {
				t.Errorf("%s: %q with %v, %v; want %q with %v", what, got.Subject, got.Attributes, err, c.is, c.want)
			}
			if got.ID == old.Credential.ID || versionOf(s) == versionOf(old) || !got.Created.Equal(clock.Now()) {
				t.Errorf("%s: it is the session before it", what)
			}
			gone, err := a.Get(t.Context(), old.Credential.ID)
			if err != nil || gone.State != keyfob.StateReplaced || !gone.Updated.Equal(clock.Now()) {
				t.Errorf("%s: %s, %v", what, gone.State, err)
			}
			made := events(t, st, "default")[n:]
			if d := cmp.Diff([]string{"session.replaced", "session.issued"}, eventTypes(made)); d != "" {
				t.Fatal("events (-want +got):\n" + d)
			}
			if made[0].Credential != gone.ID || made[0].Subject != c.was || made[1].Credential != got.ID || made[1].Subject != c.is {
				t.Errorf("events %+v", made)
			}
		}
	})
}

// What is gone, was renewed, or is no session gives its place to none.
func TestSignInRefuses(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		createSpace(t, a, "acme", "acme")
		made := func() keyfob.Issued {
			return mustIssue(t, a, keyfob.Session{Attributes: map[string]string{"cart": "7"}})
		}
		idle := mustIssue(t, a, keyfob.Session{Idle: time.Second})
		clock.Add(time.Second)
		revoked, replaced, renewed, suspended, byCredential := made(), made(), made(), made(), made()
		mustIssue(t, a, keyfob.Session{From: versionOf(replaced)})
		newest := renew(t, a, renewed.Credential.ID)
		ended := mustIssue(t, a, keyfob.Session{Subject: "bob"})
		if err := errors.Join(
			a.Revoke(t.Context(), revoked.Credential.ID, ""), second(a.Suspend(t.Context(), suspended.Credential.ID, "")),
			a.RevokeSubject(t.Context(), "bob", "", keyfob.KindSession),
		); err != nil {
			t.Fatal(err)
		}
		k, link := issue(t, a, keyfob.APIKey{Subject: "bob"}), mustIssue(t, a, reset)
		abroad := mustIssue(t, a.In("acme"), keyfob.Session{})
		n := len(events(t, st, "default"))
		for what, from := range map[string]string{
			"idle": versionOf(idle), "revoked": versionOf(revoked), "replaced": versionOf(replaced), "renewed": versionOf(renewed),
			"suspended": versionOf(suspended), "ended with its subject": versionOf(ended), "by the session's id": byCredential.Credential.ID,
			"an API key": versionOf(k), "an API key's id": k.Credential.ID, "a link": versionOf(link), "of another space": versionOf(abroad),
			"unknown": "0123456789abcdef",
		} {
			i, err := a.Issue(t.Context(), keyfob.Session{Subject: "alice", From: from})
			if !errors.Is(err, keyfob.ErrConflict) || i.Secret.Reveal() != "" || strings.Contains(err.Error(), secretOf(t, newest.Secret)) {
				t.Errorf("from what is %s: %+v, %v; want ErrConflict", what, i.Credential, err)
			}
		}
		for _, from := range []string{"x", newest.Secret.Reveal()} {
			_, err := a.Issue(t.Context(), keyfob.Session{Subject: "alice", From: from})
			wantInput(t, "from what is no id", err, "from", "16 characters of 0-9, A-Z and a-z")
		}
		if n := len(events(t, st, "default")) - n; n != 0 || live(t, a, keyfob.KindSession, "alice") != 0 {
			t.Errorf("what was refused made %d events", n)
		}
		for s, want := range map[*keyfob.Issued]string{&newest: "ok", &byCredential: "ok", &suspended: "suspended"} {
			wantSession(t, a, *s, want)
		}
		wantSession(t, a.In("acme"), abroad, "ok")
		wantVerdict(t, a, k.Secret.Reveal(), "ok")
		mustIssue(t, a, keyfob.Session{Subject: "alice", From: versionOf(newest)})
		wantSession(t, a, newest, "replaced")
	})
}

// More attributes than a session may have are refused, and nothing is left out.
func TestSignInWithTooManyAttributes(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		all := map[string]string{}
		for i := range 60 {
			all[fmt.Sprint(i)] = strings.Repeat("x", 1024)
		}
		old := mustIssue(t, a, keyfob.Session{Attributes: all})
		more := map[string]string{"0": "other", "a": "", "b": "", "c": "", "d": "", "e": ""}
		_, err := a.Issue(t.Context(), keyfob.Session{Subject: "alice", Attributes: more, From: versionOf(old)})
		wantInput(t, "65 attributes", err, "attributes", "65")
		wantSession(t, a, old, "ok")
		delete(more, "e")
		s := mustIssue(t, a, keyfob.Session{Subject: "alice", Attributes: more, From: versionOf(old)})
		if got := s.Credential.Attributes; len(got) != 64 || got["0"] != "other" || got["59"] != all["59"] {
			t.Errorf("%d attributes", len(got))
		}
		wantSession(t, a, old, "replaced")
	})
}

// Of sign-ins from one session at once one has its place, and nothing is written
// into it any more.
func TestConcurrentSignIns(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		for round := range 30 {
			old := mustIssue(t, a, keyfob.Session{})
			var winner atomic.Pointer[keyfob.Issued]
			var wrote atomic.Bool
			got := race(t, 16, func() string {
				i, err := a.Issue(t.Context(), keyfob.Session{Subject: "alice", From: versionOf(old)})
				if errors.Is(err, keyfob.ErrConflict) {
					c := old.Credential
					c.Attributes = map[string]string{"late": "x"}
					if _, err := a.Update(t.Context(), c); err == nil {
						wrote.Store(true)
					}
					return "conflict"
				}
				if err != nil {
					return err.Error()
				}
				winner.Store(&i)
				return "ok"
			})
			if got["ok"] != 1 || got["conflict"] != 15 || wrote.Load() {
				t.Fatalf("round %d: %v; the session that is gone was written: %v", round, got, wrote.Load())
			}
			wantSession(t, a, old, "replaced")
			wantSession(t, a, *winner.Load(), "ok")
		}
	})
}

// What is written into a session while somebody signs in from it is in the new one,
// or its writer is told that it is not.
func TestSignInAgainstAWriter(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		for round := range 30 {
			old := mustIssue(t, a, keyfob.Session{})
			written := make(chan bool)
			go func() {
				c := old.Credential
				c.Attributes = map[string]string{"cart": fmt.Sprint(round)}
				_, err := a.Update(t.Context(), c)
				written <- err == nil
			}()
			made := mustIssue(t, a, keyfob.Session{Subject: "alice", From: versionOf(old)})
			if wrote := <-written; wrote != (made.Credential.Attributes["cart"] == fmt.Sprint(round)) {
				t.Fatalf("written: %v, and the new session has %v", wrote, made.Credential.Attributes)
			}
		}
	})
}

// A lost answer to a sign-in is given again, although the session whose place it
// took is gone, the subject was revoked, or both.
func TestSignInOnce(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		old := mustIssue(t, a, keyfob.Session{Attributes: map[string]string{"b": "1", "a": "2"}})
		ctx := withKey(t.Context(), "0123456789abcdef")
		request := keyfob.Session{Subject: "alice", Attributes: map[string]string{"c": "3"}, From: versionOf(old), Since: clock.Now()}
		clock.Add(time.Second)
		first, err := a.Issue(ctx, request)
		if err != nil {
			t.Fatal(err)
		}
		same := func(when string) {
			t.Helper()
			again, err := a.Issue(ctx, request)
			if err != nil || again.Secret.Reveal() != first.Secret.Reveal() || !cmp.Equal(first.Credential, again.Credential) {
				t.Errorf("%s: %v\n%s", when, err, cmp.Diff(first.Credential, again.Credential))
			}
		}
		same("at once")
		clock.Add(time.Minute)
		if err := a.RevokeSubject(t.Context(), "alice", "", keyfob.KindSession); err != nil {
			t.Fatal(err)
		}
		same("after a revocation")
		wantSession(t, a, first, "revoked")
		clock.Add(10 * time.Minute)
		if _, err := a.Issue(ctx, request); !errors.Is(err, keyfob.ErrConflict) {
			t.Errorf("when the answer is over: %v", err)
		}
		for round := range 20 {
			request := keyfob.Session{Subject: "alice", From: versionOf(mustIssue(t, a, keyfob.Session{})), Since: clock.Now().Add(-time.Minute)}
			ctx := withKey(t.Context(), fmt.Sprintf("twins-%012d", round))
			answers := race(t, 16, func() string {
				i, err := a.Issue(ctx, request)
				return fmt.Sprint(i.Secret.Reveal(), err)
			})
			if len(answers) != 1 {
				t.Fatalf("%d answers to twins", len(answers))
			}
		}
	})
}

// Who began to sign in before the subject's sessions were revoked has none after.
func TestSince(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		createSpace(t, a, "acme", "acme")
		began := clock.Now()
		if err := errors.Join(
			a.RevokeSubject(t.Context(), "bob", "", keyfob.KindSession),
			a.RevokeSubject(t.Context(), "alice", "", keyfob.KindAPIKey, keyfob.KindTOTP),
			a.In("acme").RevokeSubject(t.Context(), "alice", "", keyfob.KindSession),
		); err != nil {
			t.Fatal(err)
		}
		wantSession(t, a, mustIssue(t, a, keyfob.Session{Subject: "alice", Since: began}), "ok") // none of hers was revoked here
		clock.Add(time.Second)
		revoked := clock.Now()
		if err := a.RevokeSubject(t.Context(), "alice", "", keyfob.KindSession); err != nil {
			t.Fatal(err)
		}
		clock.Add(time.Second)
		old := mustIssue(t, a, keyfob.Session{})
		n := len(events(t, st, "default"))
		const ms = time.Millisecond
		for since, refused := range map[time.Time]bool{
			began: true, revoked.Add(-ms): true, revoked: true, revoked.Add(ms - 1): true, // which is in the same millisecond
			revoked.Add(ms): false, revoked.Add(time.Second): false, revoked.Add(time.Hour): false, {}: false,
			revoked.In(time.FixedZone("", 3600)): true, revoked.Add(ms).In(time.FixedZone("", -3600)): false,
		} {
			for _, from := range []string{"", versionOf(old)} {
				i, err := a.Issue(t.Context(), keyfob.Session{Subject: "alice", Since: since, From: from})
				if refused != errors.Is(err, keyfob.ErrConflict) || refused == (err == nil) {
					t.Fatalf("since %v from the revocation: %v", since.Sub(revoked), err)
				}
				if err == nil && from != "" {
					wantSession(t, a, old, "replaced")
					old = mustIssue(t, a, keyfob.Session{})
				} else if err == nil {
					wantSession(t, a, i, "ok")
				}
			}
		}
		wantSession(t, a, old, "ok")
		for _, e := range events(t, st, "default")[n:] {
			if e.Type != "session.issued" && e.Type != "session.replaced" {
				t.Errorf("event %+v", e)
			}
		}
	})
}

// An earlier revocation by a clock that is behind takes nothing back of a later one.
func TestSinceOfTwoClocks(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		rk, clock := newRootKey(t), newClock()
		ahead := openWith(t, keyfob.Config{Store: st, RootKey: rk, Now: func() time.Time { return clock.Now().Add(20 * time.Second) }})
		behind := openWith(t, keyfob.Config{Store: st, RootKey: rk, Now: clock.Now})
		for _, a := range []*keyfob.Authority{ahead, behind} {
			if err := a.RevokeSubject(t.Context(), "alice", "", keyfob.KindSession); err != nil {
				t.Fatal(err)
			}
		}
		_, err := behind.Issue(t.Context(), keyfob.Session{Subject: "alice", Since: clock.Now().Add(10 * time.Second)})
		if !errors.Is(err, keyfob.ErrConflict) {
			t.Errorf("%v, want ErrConflict", err)
		}
	})
}

// What a clock revoked that was ahead by a year keeps nobody out once the clock's own
// time was accepted, and the sessions from before stay dead.
func TestSinceAndAnAcceptedClock(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		old := mustIssue(t, a, keyfob.Session{Subject: "alice"})
		clock.Add(365 * day)
		if err := a.RevokeSubject(t.Context(), "alice", "", keyfob.KindSession); err != nil {
			t.Fatal(err)
		}
		clock.Add(-365 * day)
		_, err := a.Issue(t.Context(), keyfob.Session{Subject: "alice", Since: clock.Now()})
		if !errors.Is(err, keyfob.ErrConflict) {
			t.Errorf("before the clock was accepted: %v, want ErrConflict", err)
		}
		if _, err := a.AcceptClock(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantSession(t, a, old, "revoked")
		wantSession(t, a, mustIssue(t, a, keyfob.Session{Subject: "alice", Since: clock.Now()}), "ok")
		if err := a.RevokeSubject(t.Context(), "alice", "", keyfob.KindSession); err != nil {
			t.Fatal(err)
		}
		_, err = a.Issue(t.Context(), keyfob.Session{Subject: "alice", Since: clock.Now()})
		if !errors.Is(err, keyfob.ErrConflict) {
			t.Errorf("revoked after that: %v, want ErrConflict", err)
		}
	})
}

// P8: when the store fails in the midst of a sign-in the session before it lives, or
// the new one is in its place; never both, and never neither.
func TestSignInIsWhole(t *testing.T) {
	for fail := 1; ; fail++ {
		for _, late := range []bool{false, true} {
			a, _ := open(t, spied{memory.Open()})
			old := mustIssue(t, a, keyfob.Session{})
			c := &calls{fail: fail, late: late}
			_, err := a.Issue(context.WithValue(t.Context(), callsKey{}, c), keyfob.Session{Subject: "alice", From: versionOf(old)})
			if c.n < fail {
				return
			}
			if !errors.Is(err, keyfob.ErrUnavailable) {
				t.Errorf("call %d fails: %v", fail, err)
			}
			is, n := session(t, a, old.Secret.Reveal()), live(t, a, keyfob.KindSession, "alice")
			if (is == "ok") != (n == 0) || (is == "replaced") != (n == 1) {
				t.Errorf("call %d fails: the one before is %q, and %d are there", fail, is, n)
			}
		}
	}
}
