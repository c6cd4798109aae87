package keyfob_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// P3: what a node acknowledges holds there at once, also when it had nothing to do
// any more, since another was faster: the cache may not know that yet.
func TestAcknowledgedOfAnother(t *testing.T) {
	type does func(ctx context.Context, a *keyfob.Authority, i keyfob.Issued) error
	once := func(do does) does {
		return func(ctx context.Context, a *keyfob.Authority, i keyfob.Issued) error {
			return do(withKey(ctx, "0123456789abcdef"), a, i)
		}
	}
	revoke := func(ctx context.Context, a *keyfob.Authority, i keyfob.Issued) error {
		return a.Revoke(ctx, i.Credential.ID, "")
	}
	suspend := func(ctx context.Context, a *keyfob.Authority, i keyfob.Issued) error {
		return second(a.Suspend(ctx, i.Credential.ID, ""))
	}
	renews := once(func(ctx context.Context, a *keyfob.Authority, i keyfob.Issued) error {
		return second(a.Renew(ctx, versionOf(i)))
	})
	rotates := once(func(ctx context.Context, a *keyfob.Authority, i keyfob.Issued) error {
		return second(a.Rotate(ctx, i.Credential.ID, 0))
	})
	signsIn := once(func(ctx context.Context, a *keyfob.Authority, i keyfob.Issued) error {
		return second(a.Issue(ctx, keyfob.Session{Subject: "alice", From: versionOf(i)}))
	})
	for what, c := range map[string]struct {
		kind        keyfob.Kind
		there, here does
		want        string
	}{
		"Revoke": {keyfob.KindSession, revoke, revoke, "revoked"},
		"RevokeSubject, Revoke": {keyfob.KindSession, func(ctx context.Context, a *keyfob.Authority, i keyfob.Issued) error {
			return a.RevokeSubject(ctx, "alice", "", keyfob.KindSession)
		}, revoke, "revoked"},
		"a sign-in, Revoke": {keyfob.KindSession, signsIn, revoke, "replaced"},
		"Suspend":           {keyfob.KindSession, suspend, suspend, "suspended"},
		"Renew once":        {keyfob.KindSession, renews, renews, "replaced"},
		"a sign-in once":    {keyfob.KindSession, signsIn, signsIn, "replaced"},
		"Rotate once":       {keyfob.KindAPIKey, rotates, rotates, "replaced"},
		"Revoke a key":      {keyfob.KindAPIKey, revoke, revoke, "revoked"},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st, rk := memory.Open(), newRootKey(t)
				here := openWith(t, keyfob.Config{Store: st, RootKey: rk})
				there := openWith(t, keyfob.Config{Store: st, RootKey: rk})
				defer here.Close(context.Background())
				defer there.Close(context.Background())
				synctest.Wait() // the first reading of the log is over; no time passes, so there is no other
				i := of(t, there, nil, c.kind, "alice")
				verify := func() string {
					return reasonOf(t, second(here.Verify(t.Context(), i.Secret.Reveal(), keyfob.Check{Kind: c.kind})))
				}
				if got := verify(); got != "ok" {
					t.Fatal(got)
				}
				if err := c.there(t.Context(), there, i); err != nil {
					t.Fatal(err)
				}
				if got := verify(); got != "ok" {
					t.Fatalf("%q: this node knew of it, and the test shows nothing", got)
				}
				if err := c.here(t.Context(), here, i); err != nil {
					t.Fatal(err)
				}
				if got := verify(); got != c.want {
					t.Errorf("%q once it is acknowledged, want %q", got, c.want)
				}
			})
		})
	}
}
