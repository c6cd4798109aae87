package keyfob_test

import (
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
)

func TestPurge(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		createSpace(t, a, "acme", "acme")
		in := func(d time.Duration) keyfob.APIKey { return keyfob.APIKey{Expires: clock.Now().Add(d)} }
		keys := map[string]keyfob.Issued{
			"revoked early": issue(t, a, keyfob.APIKey{}), "revoked late": issue(t, a, keyfob.APIKey{}),
			"expired early": issue(t, a, in(time.Hour)), "expired late": issue(t, a, in(3*time.Hour)),
			"lives": issue(t, a, keyfob.APIKey{}), "suspended": issue(t, a, keyfob.APIKey{}), "of acme": issue(t, a.In("acme"), in(time.Hour)),
		}
		revoke := func(which string) {
			if err := a.Revoke(t.Context(), keys[which].Credential.ID, ""); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := a.Suspend(t.Context(), keys["suspended"].Credential.ID, ""); err != nil {
			t.Fatal(err)
		}
		clock.Add(time.Hour)
		revoke("revoked early")
		clock.Add(time.Hour)
		before := clock.Now()
		revoke("revoked late")
		clock.Add(time.Hour)

		wantPurge := func(kind keyfob.Kind, before time.Time, field string) {
			t.Helper()
			_, err := a.Purge(t.Context(), kind, before)
			wantInput(t, "Purge", err, field, "")
		}
		wantPurge(keyfob.KindAPIKey, clock.Now().Add(time.Millisecond), "ended_before")
		wantPurge(keyfob.KindAPIKey, time.Time{}, "ended_before")
		wantPurge("", before, "kind")
		wantPurge("everything", before, "kind")

		n, err := a.Purge(t.Context(), keyfob.KindAPIKey, before)
		if n != 2 || err != nil {
			t.Fatalf("Purge: %d, %v; want 2", n, err)
		}
		for which, want := range map[string]string{
			"revoked early": "unknown", "expired early": "unknown", "revoked late": "revoked", "expired late": "expired",
			"lives": "ok", "suspended": "suspended",
		} {
			if got := verdict(t, a, keys[which].Secret.Reveal()); got != want {
				t.Errorf("the key that %s: %q, want %q", which, got, want)
			}
		}
		wantVerdict(t, a.In("acme"), keys["of acme"].Secret.Reveal(), "expired")
		purged, issued := 0, 0
		for _, e := range events(t, st, "default") {
			if id := e.Credential; id == keys["revoked early"].Credential.ID || id == keys["expired early"].Credential.ID {
				switch e.Type {
				case "apikey.purged":
					purged++
				case "apikey.issued":
					issued++
				}
			}
		}
		if purged != 2 || issued != 2 {
			t.Errorf("of the keys that were purged %d events of that, and %d of their issue; want 2 and 2", purged, issued)
		}
		if n, err := a.Purge(t.Context(), keyfob.KindAPIKey, before); n != 0 || err != nil {
			t.Errorf("again: %d, %v; want 0", n, err)
		}
	})
}

func TestPurgeOfMany(t *testing.T) {
	a, clock := open(t, openSQLite(t))
	for range 250 {
		issue(t, a, keyfob.APIKey{Expires: clock.Now().Add(time.Minute)})
	}
	left := issue(t, a, keyfob.APIKey{})
	clock.Add(time.Hour)
	if n, err := a.Purge(t.Context(), keyfob.KindAPIKey, clock.Now()); n != 250 || err != nil {
		t.Errorf("Purge: %d, %v; want 250", n, err)
	}
	page, err := a.List(t.Context(), keyfob.Filter{})
	if err != nil || len(page.Items) != 1 || page.Items[0].ID != left.Credential.ID {
		t.Errorf("%d keys left, %v; want 1", len(page.Items), err)
	}
}
