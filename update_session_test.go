package keyfob_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
)

// Update of a session writes its attributes, and nothing else that is handed in.
func TestUpdateSession(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		s := mustIssue(t, a, keyfob.Session{Subject: "alice", Idle: time.Hour, Attributes: map[string]string{"a": "1", "b": "2"}})
		other := mustIssue(t, a, keyfob.Session{Subject: "bob"})
		clock.Add(time.Minute)
		want := s.Credential
		want.Attributes, want.Revision, want.Updated = map[string]string{"b": "3"}, 2, clock.Now()
		sent := keyfob.Credential{
			ID: s.Credential.ID, Revision: 1, Attributes: map[string]string{"b": "3"},
			Space: "keyfob", Kind: keyfob.KindAPIKey, Subject: "mallory", Purpose: "login", Name: "a", Scopes: []string{"admin"},
			NotBefore: clock.Now().Add(day), Expires: clock.Now().Add(1000 * day), CIDRs: cidrs("192.0.2.0/24"), Uses: 1, Used: 1,
			Limit: keyfob.Limit{Rate: 1, Per: time.Hour}, Idle: 1000 * day, Seen: clock.Now().Add(1000 * day), Confirmed: true,
			State: keyfob.StateRevoked, Reason: "x", Created: clock.Now().Add(-day), Updated: clock.Now().Add(day),
			Versions: other.Credential.Versions,
		}
		got, err := a.Update(t.Context(), sent)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Fatalf("Update: %v (-want +got):\n%s", err, d)
		}
		if got, err = a.Get(t.Context(), s.Credential.ID); err != nil || !cmp.Equal(want, got) {
			t.Errorf("Get: %v\n%s", err, cmp.Diff(want, got))
		}
		wantSession(t, a, s, "ok")
		all := events(t, st, "default")
		if e := all[len(all)-1]; e.Type != "session.updated" || e.Reason != "attributes" || e.Subject != "alice" {
			t.Errorf("event %+v", e)
		}
		for _, revision := range []int64{0, 1, 3, -1} {
			sent.Revision = revision
			if _, err := a.Update(t.Context(), sent); !errors.Is(err, keyfob.ErrConflict) {
				t.Errorf("revision %d: %v, want ErrConflict", revision, err)
			}
		}
		got.Attributes = map[string]string{"": "x"}
		_, err = a.Update(t.Context(), got)
		wantInput(t, "Update", err, "attributes", "")
		got.Attributes = nil
		if got, err = a.Update(t.Context(), got); err != nil || got.Attributes != nil {
			t.Errorf("no attributes any more: %v, %v", got.Attributes, err)
		}
		if n := len(events(t, st, "default")); n != len(all)+1 {
			t.Errorf("%d events of what was refused", n-len(all)-1)
		}
		if err := a.Revoke(t.Context(), got.ID, ""); err != nil {
			t.Fatal(err)
		}
		got.Revision++
		if _, err := a.Update(t.Context(), got); !errors.Is(err, keyfob.ErrConflict) {
			t.Errorf("a revoked session: %v, want ErrConflict", err)
		}
	})
}

// No update of attributes is lost, whatever else goes on: other writers, touches,
// suspensions.
func TestConcurrentAttributes(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		s := mustIssue(t, a, keyfob.Session{Subject: "alice", Idle: time.Hour, Lifetime: day})
		id := s.Credential.ID
		var writers, others sync.WaitGroup
		for w := range 2 {
			writers.Go(func() {
				for i := range 30 {
					set(t, a, id, fmt.Sprint(w, i), "x")
				}
			})
		}
		others.Go(func() {
			for range 10 {
				if err := errors.Join(second(a.Suspend(t.Context(), id, "")), second(a.Resume(t.Context(), id))); err != nil {
					t.Error(err)
				}
			}
		})
		others.Go(func() {
			for range 100 {
				switch got := session(t, a, s.Secret.Reveal()); got {
				case "ok":
					clock.Add(6 * time.Minute) // and the next one touches it
				case "suspended":
				default:
					t.Error(got)
				}
			}
		})
		writers.Wait()
		others.Wait()
		if c, err := a.Get(t.Context(), id); err != nil || len(c.Attributes) != 60 {
			t.Errorf("%d attributes, %v; want 60", len(c.Attributes), err)
		}
	})
}
