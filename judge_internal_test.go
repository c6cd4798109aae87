package keyfob

import (
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// What judge says when several things are wrong: what ended a credential for
// good goes before what ends by itself, and nothing before the kind.
func TestJudge(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	live := store.Found{
		Credential: store.Credential{Kind: KindAPIKey, State: StateActive, Expires: now.Add(time.Hour)},
		Version:    store.Version{Ends: now.Add(time.Minute)},
	}
	otherKind := func(f *store.Found) { f.Credential.Kind = store.KindLink }
	revoked := func(f *store.Found) { f.Credential.State = StateRevoked }
	expired := func(f *store.Found) { f.Credential.Expires = now }
	gone := func(f *store.Found) { f.Credential.State = StateReplaced }
	replaced := func(f *store.Found) { f.Version.Ends = now }
	noScope := func(f *store.Found) { f.Credential.Scopes = []string{"write"} }
	for _, c := range []struct {
		want   string
		change []func(*store.Found)
	}{
		{"unknown", []func(*store.Found){otherKind, revoked, expired, replaced, noScope}},
		{"revoked", []func(*store.Found){revoked, expired, replaced, noScope}},
		{"replaced", []func(*store.Found){gone, expired, noScope}},
		{"expired", []func(*store.Found){expired, replaced, noScope}},
		{"replaced", []func(*store.Found){replaced, noScope}},
		{"scope", []func(*store.Found){noScope}},
	} {
		f := live
		for _, change := range c.change {
			change(&f)
		}
		if got := Reason(judge(now, &f, &Check{Kind: KindAPIKey, Scopes: []string{"read"}})); got != c.want {
			t.Errorf("judge says %q, want %q", got, c.want)
		}
	}
	if err := judge(now, &live, &Check{Kind: KindAPIKey}); err != nil {
		t.Errorf("judge refuses what is right: %v", err)
	}
}
