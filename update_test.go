package keyfob_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
)

func TestUpdate(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		k := issue(t, a, keyfob.APIKey{Name: "a", Scopes: []string{"read"}, Attributes: map[string]string{"x": "1"}})
		clock.Add(time.Minute)
		want := k.Credential
		want.Name, want.Scopes, want.Attributes = "b", []string{"write"}, map[string]string{"y": "2"}
		want.NotBefore, want.Expires = clock.Now().Add(-time.Hour), clock.Now().Add(time.Hour)
		want.CIDRs, want.Uses = cidrs("192.0.2.0/24"), 5
		sent := want
		sent.Subject, sent.State, sent.Used, sent.Kind, sent.Space = "mallory", "revoked", 4, "link", "keyfob" // not Update's to write
		got, err := a.Update(t.Context(), sent)
		want.Revision, want.Updated = 2, clock.Now()
		if d := cmp.Diff(want, got, cmp.Comparer(samePrefix)); err != nil || d != "" {
			t.Fatalf("Update: %v, (-want +got):\n%s", err, d)
		}
		if got, err = a.Get(t.Context(), want.ID); err != nil || !cmp.Equal(want, got, cmp.Comparer(samePrefix)) {
			t.Errorf("Get: %v\n%s", err, cmp.Diff(want, got, cmp.Comparer(samePrefix)))
		}
		e := events(t, st, "default")
		last := e[len(e)-1]
		if last.Type != "apikey.updated" || last.Subject != "alice" || last.Reason != "name, scopes, not_before, expires_at, cidrs, uses, attributes" {
			t.Errorf("event %+v", last)
		}
		_, err = a.Verify(t.Context(), k.Secret.Reveal(), keyfob.Check{Scopes: []string{"read"}})
		if got := keyfob.Reason(err); got != "ip" {
			t.Errorf("Verify by the new policy says %q, want ip", got)
		}

		if _, err := a.Update(t.Context(), k.Credential); !errors.Is(err, keyfob.ErrConflict) {
			t.Errorf("a stale revision: %v, want ErrConflict", err)
		}
		ahead := got
		ahead.Revision++
		if _, err := a.Update(t.Context(), ahead); !errors.Is(err, keyfob.ErrConflict) {
			t.Errorf("a revision that is not there yet: %v, want ErrConflict", err)
		}
		if n := len(events(t, st, "default")); n != len(e) {
			t.Errorf("refused updates made %d events", n-len(e))
		}
	})
}

// Of updates that read the same revision one is written, and no other is lost.
func TestConcurrentUpdates(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		k := issue(t, a, keyfob.APIKey{Attributes: map[string]string{}})
		const writers = 32
		var group sync.WaitGroup
		for i := range writers {
			group.Go(func() {
				for {
					c, err := a.Get(t.Context(), k.Credential.ID)
					if err != nil {
						t.Error(err)
						return
					}
					if c.Attributes == nil {
						c.Attributes = map[string]string{}
					}
					c.Attributes[fmt.Sprint(i)] = "x"
					if _, err = a.Update(t.Context(), c); err == nil {
						return
					}
					if !errors.Is(err, keyfob.ErrConflict) {
						t.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
		c, err := a.Get(t.Context(), k.Credential.ID)
		if err != nil || len(c.Attributes) != writers || c.Revision != writers+1 {
			t.Errorf("%d attributes of %d, revision %d, %v", len(c.Attributes), writers, c.Revision, err)
		}
	})
}

// What has ended is brought back by nothing.
func TestNothingRevives(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		expired := issue(t, a, keyfob.APIKey{Expires: clock.Now().Add(time.Minute)})
		revoked := issue(t, a, keyfob.APIKey{})
		if err := a.Revoke(t.Context(), revoked.Credential.ID, ""); err != nil {
			t.Fatal(err)
		}
		clock.Add(time.Minute)
		for reason, k := range map[string]keyfob.Issued{"expired": expired, "revoked": revoked} {
			c, err := a.Get(t.Context(), k.Credential.ID)
			if err != nil {
				t.Fatal(err)
			}
			n := len(events(t, st, "default"))
			c.Expires, c.State = clock.Now().Add(time.Hour), keyfob.StateActive
			_, update := a.Update(t.Context(), c)
			_, suspend := a.Suspend(t.Context(), c.ID, "")
			_, resume := a.Resume(t.Context(), c.ID)
			_, rollback := a.Rollback(t.Context(), c.ID)
			_, rotate := a.Rotate(t.Context(), c.ID, 0)
			for verb, err := range map[string]error{"Update": update, "Suspend": suspend, "Resume": resume, "Rollback": rollback, "Rotate": rotate} {
				if !errors.Is(err, keyfob.ErrConflict) {
					t.Errorf("%s of a key that is %s: %v, want ErrConflict", verb, reason, err)
				}
			}
			wantVerdict(t, a, k.Secret.Reveal(), reason)
			if len(events(t, st, "default")) != n {
				t.Errorf("refused verbs left events")
			}
		}
	})
}

func TestSuspend(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		k := issue(t, a, keyfob.APIKey{})
		r, err := a.Rotate(t.Context(), k.Credential.ID, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		clock.Add(time.Minute)
		c, err := a.Suspend(t.Context(), k.Credential.Versions[0].ID, "looks odd")
		if err != nil || c.State != keyfob.StateSuspended || c.Reason != "looks odd" || c.Revision != 3 || !c.Updated.Equal(clock.Now()) {
			t.Fatalf("Suspend: %+v, %v", c, err)
		}
		for _, tok := range []keyfob.Secret{k.Secret, r.Secret} {
			wantVerdict(t, a, tok.Reveal(), "suspended")
		}
		if c, err = a.Suspend(t.Context(), c.ID, "again"); err != nil || c.Revision != 3 || c.Reason != "looks odd" {
			t.Errorf("Suspend again: %+v, %v", c, err)
		}
		if page, err := a.List(t.Context(), keyfob.Filter{States: []keyfob.State{keyfob.StateSuspended}}); err != nil || len(page.Items) != 1 {
			t.Errorf("List of the suspended: %d, %v", len(page.Items), err)
		}
		if c, err = a.Resume(t.Context(), c.ID); err != nil || c.State != keyfob.StateActive || c.Reason != "" || c.Revision != 4 {
			t.Fatalf("Resume: %+v, %v", c, err)
		}
		for _, tok := range []keyfob.Secret{k.Secret, r.Secret} {
			wantVerdict(t, a, tok.Reveal(), "ok")
		}
		if c, err = a.Resume(t.Context(), c.ID); err != nil || c.Revision != 4 {
			t.Errorf("Resume again: %+v, %v", c, err)
		}
		types := eventTypes(events(t, st, "default"))
		if want := []string{"space.created", "apikey.issued", "apikey.rotated", "apikey.suspended", "apikey.resumed"}; !slices.Equal(types, want) {
			t.Errorf("events %v", types)
		}
		if _, err := a.Suspend(t.Context(), c.ID, "a\x00b"); !errors.Is(err, keyfob.ErrInput) {
			t.Errorf("a reason with NUL: %v", err)
		}
	})
}

// However often a key is suspended and resumed beside it, a revocation wins.
func TestSuspendAgainstRevoke(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		for range 50 {
			k := issue(t, a, keyfob.APIKey{})
			var group sync.WaitGroup
			for range 4 {
				group.Go(func() {
					_, _ = a.Suspend(t.Context(), k.Credential.ID, "")
					_, _ = a.Resume(t.Context(), k.Credential.ID)
				})
			}
			group.Go(func() {
				if err := a.Revoke(t.Context(), k.Credential.ID, ""); err != nil {
					t.Error(err)
				}
			})
			group.Wait()
			wantVerdict(t, a, k.Secret.Reveal(), "revoked")
		}
	})
}
