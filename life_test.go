package keyfob_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
)

func TestLife(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		ctx := keyfob.WithActor(t.Context(), "admin")
		k, err := a.Issue(ctx, keyfob.APIKey{
			Subject: "alice", Name: "laptop", Scopes: []string{"read", "write"},
			Expires: clock.Now().Add(90 * 24 * time.Hour), Attributes: map[string]string{"team": "blue"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if text := k.Secret.Reveal(); !strings.HasPrefix(text, "default_") || len(text) != len("default_")+65 {
			t.Errorf("the token has the form of %q", strings.Map(func(r rune) rune { return 'x' }, text))
		}
		want := keyfob.Credential{
			ID: k.Credential.ID, Space: "default", Kind: keyfob.KindAPIKey, Subject: "alice", Name: "laptop",
			Scopes: []string{"read", "write"}, Attributes: map[string]string{"team": "blue"},
			State: keyfob.StateActive, Revision: 1, Created: clock.Now(), Expires: clock.Now().Add(90 * 24 * time.Hour),
			Versions: []keyfob.Version{{
				ID: k.Credential.Versions[0].ID, Number: 1, Prefix: "default", State: keyfob.VersionActive, Created: clock.Now(),
			}},
		}
		check := func(what string, got keyfob.Credential, err error) {
			t.Helper()
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			// Last uses are written some seconds later; TestLastUse is about them.
			if d := cmp.Diff(want, got, cmpopts.IgnoreFields(keyfob.Version{}, "FirstUsed", "LastUsed")); d != "" {
				t.Errorf("%s (-want +got):\n%s", what, d)
			}
		}
		check("Issue", k.Credential, nil)
		c, err := a.Verify(ctx, k.Secret.Reveal(), keyfob.Check{Scopes: []string{"read"}})
		check("Verify", c, err)
		c, err = a.Get(ctx, want.ID)
		check("Get by the credential's id", c, err)
		c, err = a.Get(ctx, want.Versions[0].ID)
		check("Get by the version's id", c, err)

		clock.Add(time.Hour)
		r, err := a.Rotate(ctx, want.ID, 24*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		old := want.Versions[0]
		old.State, old.Ends = keyfob.VersionGrace, clock.Now().Add(24*time.Hour)
		want.Revision, want.Updated = 2, clock.Now()
		want.Versions = []keyfob.Version{{
			ID: r.Credential.Versions[0].ID, Number: 2, Prefix: "default", State: keyfob.VersionActive, Created: clock.Now(),
		}, old}
		check("Rotate", r.Credential, nil)
		c, err = a.Get(ctx, want.ID)
		check("Get after Rotate", c, err)
		wantVerdict(t, a, k.Secret.Reveal(), "ok")
		wantVerdict(t, a, r.Secret.Reveal(), "ok")
		if c, _ = a.Verify(ctx, k.Secret.Reveal(), keyfob.Check{}); len(c.Versions) != 1 || c.Versions[0].Number != 1 {
			t.Errorf("Verify of the old token names the versions %v", c.Versions)
		}

		clock.Add(24*time.Hour - time.Millisecond)
		wantVerdict(t, a, k.Secret.Reveal(), "ok")
		clock.Add(time.Millisecond)
		wantVerdict(t, a, k.Secret.Reveal(), "replaced")
		wantVerdict(t, a, r.Secret.Reveal(), "ok")

		if err := a.Revoke(ctx, r.Credential.Versions[0].ID, "leaked"); err != nil {
			t.Fatal(err)
		}
		wantVerdict(t, a, r.Secret.Reveal(), "revoked")
		wantVerdict(t, a, k.Secret.Reveal(), "revoked")
		want.State, want.Reason, want.Revision, want.Updated = keyfob.StateRevoked, "leaked", 3, clock.Now()
		want.Versions[0].State, want.Versions[1].State = keyfob.VersionEnded, keyfob.VersionEnded
		c, err = a.Get(ctx, want.ID)
		check("Get after Revoke", c, err)

		got := events(t, st, "default")
		if types := eventTypes(got); !slices.Equal(types, []string{"space.created", "apikey.issued", "apikey.rotated", "apikey.revoked"}) {
			t.Fatalf("events %v", types)
		}
		for i, e := range got[1:] {
			version := []string{k.Credential.Versions[0].ID, r.Credential.Versions[0].ID, ""}[i]
			reason := []string{"", "", "leaked"}[i]
			if e.Actor != "admin" || e.Credential != want.ID || e.Subject != "alice" || e.Version != version || e.Reason != reason {
				t.Errorf("event %s is %+v", e.Type, e)
			}
		}
	})
}

func TestExpiry(t *testing.T) {
	a, clock := open(t, openSQLite(t))
	k := issue(t, a, keyfob.APIKey{Expires: clock.Now().Add(time.Hour)})
	clock.Add(time.Hour - time.Millisecond)
	wantVerdict(t, a, k.Secret.Reveal(), "ok")
	clock.Add(time.Millisecond)
	wantVerdict(t, a, k.Secret.Reveal(), "expired")
	c, err := a.Get(t.Context(), k.Credential.ID)
	if err != nil || c.State != keyfob.StateExpired || c.Versions[0].State != keyfob.VersionEnded {
		t.Errorf("Get: %+v, %v", c, err)
	}
	if _, err := a.Rotate(t.Context(), k.Credential.ID, 0); !errors.Is(err, keyfob.ErrConflict) {
		t.Errorf("Rotate of an expired key: %v, want ErrConflict", err)
	}
}

// P12: rotation never extends a life.
func TestRotationKeepsExpiry(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		expires := clock.Now().Add(2 * time.Hour)
		k := issue(t, a, keyfob.APIKey{Expires: expires})
		r, err := a.Rotate(t.Context(), k.Credential.ID, 24*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if !r.Credential.Expires.Equal(expires) {
			t.Errorf("the credential expires at %v after the rotation, before it at %v", r.Credential.Expires, expires)
		}
		if ends := r.Credential.Versions[1].Ends; !ends.Equal(expires) {
			t.Errorf("the old version ends at %v, want with its credential at %v", ends, expires)
		}
		clock.Add(2*time.Hour - time.Millisecond)
		wantVerdict(t, a, k.Secret.Reveal(), "ok")
		wantVerdict(t, a, r.Secret.Reveal(), "ok")
		clock.Add(time.Millisecond)
		wantVerdict(t, a, k.Secret.Reveal(), "expired")
		wantVerdict(t, a, r.Secret.Reveal(), "expired")
	})
}

// P12: a second rotation waits for the grace to end, unless its own is 0.
func TestSecondRotation(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		rotate := func(id string, grace time.Duration) (string, error) {
			r, err := a.Rotate(t.Context(), id, grace)
			return r.Secret.Reveal(), err
		}
		k := issue(t, a, keyfob.APIKey{})
		one, id := k.Secret.Reveal(), k.Credential.ID
		two, err := rotate(id, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		clock.Add(time.Hour - time.Millisecond)
		if _, err := rotate(id, time.Hour); !errors.Is(err, keyfob.ErrConflict) {
			t.Errorf("a second rotation within grace: %v, want ErrConflict", err)
		}
		wantVerdict(t, a, one, "ok")
		three, err := rotate(id, 0)
		if err != nil {
			t.Fatal(err)
		}
		for tok, want := range map[string]string{one: "replaced", two: "replaced", three: "ok"} {
			wantVerdict(t, a, tok, want)
		}
		four, err := rotate(id, time.Hour)
		if err != nil {
			t.Fatalf("a rotation after one with grace 0: %v", err)
		}
		clock.Add(time.Hour)
		five, err := rotate(id, time.Hour)
		if err != nil {
			t.Fatalf("a rotation when the grace is over: %v", err)
		}
		for tok, want := range map[string]string{one: "replaced", two: "replaced", three: "replaced", four: "ok", five: "ok"} {
			wantVerdict(t, a, tok, want)
		}
	})
}

func TestConcurrentRotations(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		for _, grace := range []time.Duration{time.Hour, 0} {
			k := issue(t, a, keyfob.APIKey{})
			var won, lost atomic.Int64
			var wg sync.WaitGroup
			start := make(chan struct{})
			for range 64 {
				wg.Go(func() {
					<-start
					switch _, err := a.Rotate(t.Context(), k.Credential.ID, grace); {
					case err == nil:
						won.Add(1)
					case errors.Is(err, keyfob.ErrConflict):
						lost.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			close(start)
			wg.Wait()
			c, err := a.Get(t.Context(), k.Credential.ID)
			if err != nil {
				t.Fatal(err)
			}
			if grace > 0 && won.Load() != 1 {
				t.Errorf("%d of 64 rotations succeeded, want 1", won.Load())
			}
			// Rotations with grace 0 may follow one another; none may be lost.
			if won.Load()+lost.Load() != 64 || c.Versions[0].Number != 1+won.Load() || c.Revision != 1+won.Load() {
				t.Errorf("grace %v: %d won, %d lost, newest version %d, revision %d", grace, won.Load(), lost.Load(), c.Versions[0].Number, c.Revision)
			}
			t.Logf("grace %v: %d of 64 rotations made a successor", grace, won.Load())
		}
	})
}

func TestRevokeWinsAgainstRotations(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		for round := range 20 {
			k := issue(t, a, keyfob.APIKey{})
			id := k.Credential.ID
			tokens := make(chan string, 1000)
			tokens <- k.Secret.Reveal()
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					for range 20 {
						if r, err := a.Rotate(t.Context(), id, 0); err == nil {
							tokens <- r.Secret.Reveal()
						}
					}
				})
			}
			for range 2 {
				wg.Go(func() {
					if err := a.Revoke(t.Context(), id, "race"); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			close(tokens)
			for tok := range tokens {
				wantVerdict(t, a, tok, "revoked")
			}
			var revoked int
			for _, e := range events(t, st, "default") {
				if e.Credential == id && e.Type == "apikey.revoked" {
					revoked++
				}
			}
			if revoked != 1 {
				t.Fatalf("round %d: %d events of the revocation, want 1", round, revoked)
			}
		}
	})
}

func TestRevokeTwice(t *testing.T) {
	st := openSQLite(t)
	a, _ := open(t, st)
	k := issue(t, a, keyfob.APIKey{})
	for _, reason := range []string{"leaked", "again"} {
		if err := a.Revoke(t.Context(), k.Credential.ID, reason); err != nil {
			t.Fatal(err)
		}
	}
	c, err := a.Get(t.Context(), k.Credential.ID)
	if err != nil || c.Reason != "leaked" || c.Revision != 2 {
		t.Errorf("%+v, %v; want the first reason and no change by the second call", c, err)
	}
	if n := len(events(t, st, "default")); n != 3 {
		t.Errorf("%d events, want 3", n)
	}
	if _, err := a.Rotate(t.Context(), k.Credential.ID, 0); !errors.Is(err, keyfob.ErrConflict) {
		t.Errorf("Rotate of a revoked key: %v, want ErrConflict", err)
	}
	wantVerdict(t, a, k.Secret.Reveal(), "revoked")
}

func TestList(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		createSpace(t, a, "other", "other")
		issue(t, a.In("other"), keyfob.APIKey{Subject: "alice"})
		var all []string
		for i := range 25 {
			k := issue(t, a, keyfob.APIKey{Subject: fmt.Sprintf("user-%d", i%3)})
			all = append([]string{k.Credential.ID}, all...)
			clock.Add(time.Millisecond)
		}
		list := func(f keyfob.Filter) (ids []string) {
			for {
				page, err := a.List(t.Context(), f)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range page.Items {
					ids = append(ids, c.ID)
				}
				if f.After = page.Next; f.After == "" {
					return ids
				}
				if len(page.Items) != f.Limit {
					t.Fatalf("a page of %d, want %d", len(page.Items), f.Limit)
				}
			}
		}
		for _, limit := range []int{1, 2, 5, 24, 25, 26, 0} {
			if got := list(keyfob.Filter{Limit: limit}); !slices.Equal(got, all) {
				t.Errorf("limit %d: %v, want %v", limit, got, all)
			}
		}
		if err := a.Revoke(t.Context(), all[3], ""); err != nil {
			t.Fatal(err)
		}
		if got := list(keyfob.Filter{Limit: 7, States: []keyfob.State{keyfob.StateRevoked}}); !slices.Equal(got, all[3:4]) {
			t.Errorf("revoked: %v", got)
		}
		var users []string
		for i := 1; i <= 25; i++ {
			if (25-i)%3 == 1 {
				users = append(users, all[i-1])
			}
		}
		if got := list(keyfob.Filter{Limit: 2, Subject: "user-1", Kind: keyfob.KindAPIKey}); !slices.Equal(got, users) {
			t.Errorf("of one subject: %v, want %v", got, users)
		}
	})
}

func TestListRefusesCursors(t *testing.T) {
	a, _ := open(t, openSQLite(t))
	createSpace(t, a, "other", "other")
	for range 3 {
		issue(t, a, keyfob.APIKey{})
		issue(t, a.In("other"), keyfob.APIKey{})
	}
	page, err := a.List(t.Context(), keyfob.Filter{Limit: 1})
	if err != nil || page.Next == "" {
		t.Fatal(page, err)
	}
	good := page.Next
	refused := func(what string, a *keyfob.Authority, f keyfob.Filter) {
		t.Helper()
		page, err := a.List(t.Context(), f)
		var input *keyfob.InputError
		if !errors.As(err, &input) || input.Field != "after" {
			t.Errorf("%s: %v, %v; want an InputError of after", what, page, err)
		}
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range good {
		for _, r := range alphabet {
			if changed := good[:i] + string(r) + good[i+1:]; changed != good {
				refused(fmt.Sprintf("character %d changed to %c", i, r), a, keyfob.Filter{Limit: 1, After: changed})
			}
		}
	}
	for what, after := range map[string]string{
		"cut": good[:len(good)-1], "longer": good + "A", "padded": good + "=", "with a line end": good + "\n",
		"with a line end inside": good[:10] + "\r\n" + good[10:], "not base64": "!" + good[1:], "a space": " ", "huge": strings.Repeat("A", 1<<20),
	} {
		refused(what, a, keyfob.Filter{Limit: 1, After: after})
	}
	refused("in another space", a.In("other"), keyfob.Filter{Limit: 1, After: good})
	refused("with another filter", a, keyfob.Filter{Limit: 1, After: good, Subject: "alice"})
	refused("with other states", a, keyfob.Filter{Limit: 1, After: good, States: []keyfob.State{keyfob.StateActive}})
	if page, err := a.List(t.Context(), keyfob.Filter{Limit: 2, After: good}); err != nil || len(page.Items) != 2 {
		t.Errorf("unchanged, with another limit: %v, %v", page, err)
	}
}
