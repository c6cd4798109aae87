package keyfob_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// of makes one credential of a kind for a subject, and use says in one word what
// becomes of its secret.
func of(t *testing.T, a *keyfob.Authority, clock *clock, kind keyfob.Kind, subject string) keyfob.Issued {
	t.Helper()
	switch kind {
	case keyfob.KindAPIKey:
		return issue(t, a, keyfob.APIKey{Subject: subject})
	case keyfob.KindSession:
		return mustIssue(t, a, keyfob.Session{Subject: subject})
	case keyfob.KindLink:
		return mustIssue(t, a, keyfob.Link{Subject: subject, Purpose: "login"})
	case keyfob.KindCode:
		return mustIssue(t, a, keyfob.Code{Subject: subject, Purpose: "login"})
	case keyfob.KindTOTP:
		return enrol(t, a, clock, keyfob.TOTP{Subject: subject, Account: "a"})
	}
	return mustIssue(t, a, keyfob.Recovery{Subject: subject})
}

func use(t *testing.T, a *keyfob.Authority, clock *clock, i keyfob.Issued) string {
	t.Helper()
	switch i.Credential.Kind {
	case keyfob.KindAPIKey:
		return verdict(t, a, i.Secret.Reveal())
	case keyfob.KindSession:
		return session(t, a, i.Secret.Reveal())
	case keyfob.KindLink:
		inspected, redeemed := second(a.Inspect(t.Context(), byLink(i))), answer(t, a, byLink(i))
		if got := reasonOf(t, inspected); got != redeemed {
			t.Errorf("Inspect says %q, and Redeem %q", got, redeemed)
		}
		return redeemed
	case keyfob.KindCode:
		return answer(t, a, byCode(i))
	case keyfob.KindTOTP:
		return answer(t, a, byTOTP(t, i, clock.Now()))
	}
	return answer(t, a, byRecovery(i, 3))
}

var allKinds = []keyfob.Kind{
	keyfob.KindAPIKey, keyfob.KindSession, keyfob.KindLink, keyfob.KindCode, keyfob.KindTOTP, keyfob.KindRecovery,
}

// All of a kind that a subject has end at once, for every verb, with one event; and
// nothing else does.
func TestRevokeSubject(t *testing.T) {
	for _, kind := range allKinds {
		t.Run(string(kind), func(t *testing.T) {
			onEachStore(t, func(t *testing.T, st store.Store) { testRevokeSubject(t, st, kind) })
		})
	}
}

func testRevokeSubject(t *testing.T, st store.Store, kind keyfob.Kind) {
	a, clock := open(t, st)
	createSpace(t, a, "acme", "acme")
	ctx := keyfob.WithActor(t.Context(), "support")
	var ended, others []keyfob.Issued
	for range 2 { // of a code and a recovery set one replaces the other
		ended = append(ended, of(t, a, clock, kind, "alice"))
		clock.Add(time.Minute)
	}
	for _, k := range allKinds {
		others = append(others, of(t, a, clock, k, "bob"), of(t, a.In("acme"), clock, k, "alice"))
		if k != kind {
			others = append(others, of(t, a, clock, k, "alice"))
		}
	}
	one := ended[1].Credential
	if _, err := a.Suspend(ctx, one.ID, "before"); err != nil {
		t.Fatal(err)
	}
	before, err := a.Get(ctx, one.ID)
	if err != nil {
		t.Fatal(err)
	}
	clock.Add(2 * period)
	revoked, n := clock.Now(), len(events(t, st, "default"))
	if err := a.RevokeSubject(ctx, "alice", "left", kind); err != nil {
		t.Fatal(err)
	}
	made := events(t, st, "default")[n:]
	if len(made) != 1 || made[0].Type != string(kind)+".subject_revoked" || made[0].Credential != "" || made[0].Version != "" ||
		made[0].Subject != "alice" || made[0].Reason != "left" || made[0].Actor != "support" || !made[0].Time.Equal(revoked) {
		t.Fatalf("events %+v", made)
	}
	want := before
	want.State, want.Reason, want.Updated = keyfob.StateRevoked, "left", revoked
	want.Versions = slices.Clone(before.Versions)
	for i := range want.Versions {
		want.Versions[i].State = keyfob.VersionEnded
	}
	if got, err := a.Get(ctx, one.ID); err != nil || !cmp.Equal(want, got) {
		t.Errorf("Get: %v (-want +got):\n%s", err, cmp.Diff(want, got))
	}
	refused := map[keyfob.Kind]string{keyfob.KindTOTP: "unknown"}[kind]
	for _, i := range ended {
		want := refused
		if want == "" {
			want = "revoked"
		}
		if kind == keyfob.KindCode || kind == keyfob.KindRecovery {
			clock.Add(time.Minute) // after a wrong guess
			if i.Credential.ID != one.ID {
				want = "replaced"
			}
		}
		if got := use(t, a, clock, i); got != want {
			t.Errorf("it is %q, want %q", got, want)
		}
	}
	for what, err := range map[string]error{
		"Rotate": second(a.Rotate(ctx, one.ID, 0)), "Rollback": second(a.Rollback(ctx, one.ID)), "Renew": second(a.Renew(ctx, one.ID)),
		"Update": second(a.Update(ctx, before)), "Suspend": second(a.Suspend(ctx, one.ID, "")), "Resume": second(a.Resume(ctx, one.ID)),
	} {
		if !errors.Is(err, keyfob.ErrConflict) {
			t.Errorf("%s: %v, want ErrConflict", what, err)
		}
	}
	if err := a.Revoke(ctx, one.ID, "again"); err != nil {
		t.Errorf("Revoke: %v", err)
	}
	if got, err := a.Get(ctx, one.ID); err != nil || got.Reason != "left" || got.Revision != before.Revision {
		t.Errorf("afterwards: %+v, %v", got, err)
	}
	later := of(t, a, clock, kind, "alice")
	clock.Add(2 * period)
	checkLists(t, a, kind, later, ended)
	for _, i := range append(others, later) {
		in := a
		if i.Credential.Space == "acme" {
			in = a.In("acme")
		}
		if got := use(t, in, clock, i); got != "ok" {
			t.Errorf("a %s of %s in %s is %q", i.Credential.Kind, i.Credential.Subject, i.Credential.Space, got)
		}
	}
	if n, err := a.Purge(ctx, kind, revoked.Add(time.Millisecond)); err != nil || n != int64(len(ended)) {
		t.Errorf("%d purged, %v; want %d", n, err, len(ended))
	}
	if _, err := a.Get(ctx, one.ID); !errors.Is(err, keyfob.ErrNotFound) {
		t.Errorf("what was purged: %v", err)
	}
	for _, space := range []string{"default", "acme"} {
		if r, err := a.In(space).Events().Verify(ctx); err != nil || len(r.Problems) != 0 {
			t.Errorf("the log of %s: %+v, %v", space, r.Problems, err)
		}
	}
}

// checkLists sees that alice's lists by state tell what was revoked from what came
// later.
func checkLists(t *testing.T, a *keyfob.Authority, kind keyfob.Kind, later keyfob.Issued, ended []keyfob.Issued) {
	t.Helper()
	list := func(states ...keyfob.State) (ids []string) {
		page, err := a.List(t.Context(), keyfob.Filter{Kind: kind, Subject: "alice", States: states})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page.Items {
			if len(states) > 0 && !slices.Contains(states, c.State) {
				t.Errorf("the list of %v holds one that is %s", states, c.State)
			}
			ids = append(ids, c.ID)
		}
		return ids
	}
	if got := list(keyfob.StateActive, keyfob.StateSuspended); !slices.Equal(got, []string{later.Credential.ID}) {
		t.Errorf("live are %v, want %s", got, later.Credential.ID)
	}
	if got := list(keyfob.StateRevoked, keyfob.StateReplaced); !slices.Equal(got, []string{ended[1].Credential.ID, ended[0].Credential.ID}) {
		t.Errorf("revoked are %v", got)
	}
	if got := list(); len(got) != 3 {
		t.Errorf("all are %v", got)
	}
}

// What had ended before stays as it ended, and a second revocation changes nothing
// of what the first one said.
func TestRevokeSubjectTwice(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		revoked, replaced, lives := mustIssue(t, a, ofAlice), mustIssue(t, a, ofAlice), mustIssue(t, a, ofAlice)
		if err := a.Revoke(t.Context(), revoked.Credential.ID, "lost"); err != nil {
			t.Fatal(err)
		}
		mustIssue(t, a, keyfob.Session{Subject: "alice", From: versionOf(replaced)})
		for _, reason := range []string{"first", "second"} {
			clock.Add(time.Minute)
			if err := a.RevokeSubject(t.Context(), "alice", reason, keyfob.KindSession); err != nil {
				t.Fatal(err)
			}
			for i, want := range map[*keyfob.Issued]string{&revoked: "revoked lost", &replaced: "replaced ", &lives: "revoked first"} {
				if c, err := a.Get(t.Context(), i.Credential.ID); err != nil || string(c.State)+" "+c.Reason != want {
					t.Errorf("%s: %s %s, %v; want %s", reason, c.State, c.Reason, err, want)
				}
			}
		}
		next := mustIssue(t, a, ofAlice)
		wantSession(t, a, next, "ok")
	})
}

func TestRevokeSubjectInput(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		s := mustIssue(t, a, ofAlice)
		n := len(events(t, st, "default"))
		for _, c := range []struct {
			field, subject, reason string
			kinds                  []keyfob.Kind
		}{
			{"subject", "", "", allKinds},
			{"subject", strings.Repeat("a", 257), "", allKinds},
			{"subject", "a\nb", "", allKinds},
			{"reason", "alice", strings.Repeat("a", 513), allKinds},
			{"reason", "alice", "a\nb", allKinds},
			{"kinds", "alice", "", nil},
			{"kinds", "alice", "", []keyfob.Kind{keyfob.KindSession, keyfob.KindSession}},
			{"kinds", "alice", "", []keyfob.Kind{keyfob.KindSession, "everything"}},
			{"kinds", "alice", "", []keyfob.Kind{""}},
		} {
			err := a.RevokeSubject(t.Context(), c.subject, c.reason, c.kinds...)
			wantInput(t, fmt.Sprintf("%+v", c), err, c.field, "")
		}
		if err := a.In("none").RevokeSubject(t.Context(), "alice", "", keyfob.KindSession); !errors.Is(err, keyfob.ErrSpace) {
			t.Errorf("in a space that is not there: %v", err)
		}
		wantSession(t, a, s, "ok")
		if err := a.RevokeSubject(t.Context(), "Alice", "", allKinds...); err != nil { // another one, whom nobody knows
			t.Error(err)
		}
		wantSession(t, a, s, "ok")
		if err := a.RevokeSubject(t.Context(), "alice", "", allKinds...); err != nil {
			t.Error(err)
		}
		wantSession(t, a, s, "revoked")
		var want []string
		for range 2 {
			for _, kind := range allKinds {
				want = append(want, string(kind)+".subject_revoked")
			}
		}
		if d := cmp.Diff(want, eventTypes(events(t, st, "default")[n:])); d != "" {
			t.Error("events (-want +got):\n" + d)
		}
	})
}

// P3: at once on this node, also what is in the cache; on another one within the
// bound.
func TestRevokeSubjectElsewhere(t *testing.T) {
	for _, kind := range []keyfob.Kind{keyfob.KindSession, keyfob.KindAPIKey} {
		synctest.Test(t, func(t *testing.T) {
			st, rk := memory.Open(), newRootKey(t)
			here := openWith(t, keyfob.Config{Store: st, RootKey: rk})
			there := openWith(t, keyfob.Config{Store: st, RootKey: rk})
			defer here.Close(context.Background())
			defer there.Close(context.Background())
			ended, stays := of(t, there, nil, kind, "alice"), of(t, there, nil, kind, "bob")
			cached := 0
			for range 100 {
				for _, i := range []keyfob.Issued{ended, stays} {
					v, err := here.Judge(t.Context(), i.Secret.Reveal(), keyfob.Check{Kind: kind})
					if err != nil {
						t.Fatal(err)
					}
					if v.Staleness > 0 {
						cached++
					}
					if got := use(t, there, nil, i); got != "ok" {
						t.Fatal(got)
					}
				}
				time.Sleep(7 * time.Millisecond)
			}
			revoked := time.Now()
			if err := there.RevokeSubject(t.Context(), "alice", "", kind); err != nil {
				t.Fatal(err)
			}
			if got := use(t, there, nil, ended); got != "revoked" {
				t.Errorf("%q where it was revoked", got)
			}
			var last time.Duration
			for range 1000 {
				if use(t, here, nil, ended) == "ok" {
					last = time.Since(revoked)
				}
				if got := use(t, here, nil, stays); got != "ok" {
					t.Fatalf("bob's is %q", got)
				}
				time.Sleep(7 * time.Millisecond)
			}
			if last > time.Second || cached < 100 {
				t.Errorf("accepted %v after the revocation elsewhere; %d were decided from the cache", last, cached)
			}
			t.Logf("%s: accepted for %v after the subject was revoked elsewhere", kind, last)
		})
	}
}
