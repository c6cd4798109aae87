package keyfob_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// P3, on the node that acknowledged: what a verb has changed is known to the next
// verification, however well the key was known before.
func TestChangesAreKnownAtOnce(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		ctx := t.Context()
		must := func(_ any, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		for range 20 {
			k := issue(t, a, keyfob.APIKey{Scopes: []string{"read"}})
			id, tok := k.Credential.ID, k.Secret.Reveal()
			known := func(token, want string) {
				t.Helper()
				for range 2 {
					wantVerdict(t, a, token, want, "read")
				}
			}
			known(tok, "ok")
			must(a.Suspend(ctx, id, ""))
			known(tok, "suspended")
			must(a.Resume(ctx, id))
			known(tok, "ok")
			r, err := a.Rotate(ctx, id, time.Hour)
			must(r, err)
			known(tok, "ok")
			known(r.Secret.Reveal(), "ok")
			must(a.Rollback(ctx, id))
			known(r.Secret.Reveal(), "replaced")
			known(tok, "ok")
			r, err = a.Rotate(ctx, id, 0)
			must(r, err)
			known(tok, "replaced")
			known(r.Secret.Reveal(), "ok")
			c := r.Credential
			c.Scopes = []string{"write"}
			c, err = a.Update(ctx, c)
			must(c, err)
			known(r.Secret.Reveal(), "scope")
			c.Scopes, c.Expires = []string{"read"}, clock.Now().Add(time.Minute)
			must(a.Update(ctx, c))
			known(r.Secret.Reveal(), "ok")
			must(nil, a.Revoke(ctx, id, ""))
			known(r.Secret.Reveal(), "revoked")
			clock.Add(time.Minute)
			_, err = a.Purge(ctx, keyfob.KindAPIKey, clock.Now())
			must(nil, err)
			known(r.Secret.Reveal(), "unknown")
		}
	})
}

// The same under load: who begins after the revocation was acknowledged is
// refused.
func TestRevokeAgainstVerify(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		var accepted, late atomic.Int64
		const rounds = 100
		for range rounds {
			k := issue(t, a, keyfob.APIKey{})
			var revoked atomic.Bool
			var group sync.WaitGroup
			for range 4 {
				group.Go(func() {
					for !revoked.Load() {
						if _, err := a.Verify(t.Context(), k.Secret.Reveal(), keyfob.Check{}); err == nil {
							accepted.Add(1)
						}
					}
					if _, err := a.Verify(t.Context(), k.Secret.Reveal(), keyfob.Check{}); err == nil {
						late.Add(1)
					}
				})
			}
			group.Go(func() {
				if err := a.Revoke(t.Context(), k.Credential.ID, ""); err != nil {
					t.Error(err)
				}
				revoked.Store(true)
			})
			group.Wait()
		}
		t.Logf("%d rounds: %d accepted before the revocation was acknowledged, %d after", rounds, accepted.Load(), late.Load())
		if late.Load() != 0 {
			t.Errorf("%d accepted after the revocation was acknowledged", late.Load())
		}
	})
}

// P3, on every other node: within the bound, which the answer tells.
func TestOthersChangesAreKnownWithinTheBound(t *testing.T) {
	for _, bound := range []time.Duration{time.Second, 50 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			st, rk := memory.Open(), newRootKey(t)
			here := openWith(t, keyfob.Config{Store: st, RootKey: rk, MaxStaleness: bound})
			there := openWith(t, keyfob.Config{Store: st, RootKey: rk})
			defer here.Close(context.Background())
			defer there.Close(context.Background())
			k := issue(t, there, keyfob.APIKey{})
			fromCache := 0
			var oldest time.Duration
			verify := func() bool {
				v, err := here.Judge(t.Context(), k.Secret.Reveal(), keyfob.Check{})
				if v.Staleness > 0 {
					fromCache++
				}
				oldest = max(oldest, v.Staleness)
				if err != nil && keyfob.Reason(err) != "revoked" {
					t.Fatal(err)
				}
				return err == nil
			}
			for range 1000 {
				if !verify() {
					t.Fatal("refused before the revocation")
				}
				time.Sleep(7 * time.Millisecond)
			}
			if err := there.Revoke(t.Context(), k.Credential.ID, ""); err != nil {
				t.Fatal(err)
			}
			revoked := time.Now()
			var last time.Duration
			for range 1000 {
				if verify() {
					last = time.Since(revoked)
				}
				time.Sleep(7 * time.Millisecond)
			}
			if last > bound || oldest > bound {
				t.Errorf("bound %v: accepted %v after the revocation elsewhere, on knowledge up to %v old", bound, last, oldest)
			}
			if fromCache < 1000 {
				t.Errorf("only %d of 2000 were decided from the cache: the test shows nothing", fromCache)
			}
			t.Logf("bound %v: accepted for %v after the revocation elsewhere; oldest knowledge %v", bound, last, oldest)
		})
	}
}

// broken is a store that can be out of reach.
type broken struct {
	store.Store
	down atomic.Bool
}

func (b *broken) Version(ctx context.Context, space, id string) (store.Found, error) {
	if b.down.Load() {
		return store.Found{}, store.ErrUnavailable
	}
	return b.Store.Version(ctx, space, id)
}

func (b *broken) LastEvent(ctx context.Context) (int64, error) {
	if b.down.Load() {
		return 0, store.ErrUnavailable
	}
	return b.Store.LastEvent(ctx)
}

// P8: once the store is known to be out of reach nothing is decided, however new
// the knowledge is; before that is known, nothing on knowledge beyond the bound.
// It comes back by itself.
func TestStoreGone(t *testing.T) {
	for _, askedFor := range []string{"what is not known", "the log", "nothing"} {
		synctest.Test(t, func(t *testing.T) {
			st := &broken{Store: memory.Open()}
			a := openWith(t, keyfob.Config{Store: st, RootKey: newRootKey(t)})
			defer a.Close(context.Background())
			synctest.Wait() // the first reading of the log, which forgets what was known before it, is over
			k, unused := issue(t, a, keyfob.APIKey{}), issue(t, a, keyfob.APIKey{})
			wantVerdict(t, a, k.Secret.Reveal(), "ok")
			synctest.Wait() // no other is under way
			st.down.Store(true)
			switch askedFor {
			case "what is not known":
				wantVerdict(t, a, unused.Secret.Reveal(), "undecided")
			case "the log":
				time.Sleep(300 * time.Millisecond)
				wantVerdict(t, a, k.Secret.Reveal(), "ok")
				synctest.Wait()
			case "nothing":
				time.Sleep(time.Second + 1)
			}
			for range 100 {
				wantVerdict(t, a, k.Secret.Reveal(), "undecided")
				time.Sleep(time.Second)
			}
			st.down.Store(false)
			wantVerdict(t, a, k.Secret.Reveal(), "ok")
			wantVerdict(t, a, unused.Secret.Reveal(), "ok")
		})
	}
}

// hanging is a store whose reads can wait for as long as they may.
type hanging struct {
	store.Store
	hang atomic.Bool
	err  atomic.Pointer[error] // or what they return at once
}

func (h *hanging) wait(ctx context.Context) error {
	if err := h.err.Load(); err != nil {
		return *err
	}
	if h.hang.Load() {
		<-ctx.Done()
	}
	return ctx.Err()
}

func (h *hanging) Version(ctx context.Context, space, id string) (store.Found, error) {
	if err := h.wait(ctx); err != nil {
		return store.Found{}, err
	}
	return h.Store.Version(ctx, space, id)
}

func (h *hanging) Apply(ctx context.Context, change store.Change) error {
	if err := h.wait(ctx); err != nil {
		return err
	}
	return h.Store.Apply(ctx, change)
}

func (h *hanging) LastEvent(ctx context.Context) (int64, error) {
	if err := h.wait(ctx); err != nil {
		return 0, err
	}
	return h.Store.LastEvent(ctx)
}

// A store that hangs is out of reach as one that fails is; that a caller went away,
// or gave it no time, says nothing of it.
func TestStoreHangs(t *testing.T) {
	for name, test := range map[string]struct {
		timeout time.Duration // of the call that hangs; 0: it is cancelled
		err     error         // what the store returns at once
		write   bool
		want    string // of what is in the cache
	}{
		"a read":                 {timeout: 2 * time.Second, want: "undecided"},
		"a write":                {timeout: 2 * time.Second, write: true, want: "undecided"},
		"the store's own time":   {timeout: time.Hour, err: context.DeadlineExceeded, want: "undecided"},
		"a caller in a hurry":    {timeout: 900 * time.Millisecond, want: "ok"},
		"a caller that was late": {timeout: -time.Second, want: "ok"},
		"a caller that is gone":  {want: "ok"},
		"a writer that is gone":  {write: true, want: "ok"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := &hanging{Store: memory.Open()}
				a := openWith(t, keyfob.Config{Store: st, RootKey: newRootKey(t), MaxStaleness: time.Minute})
				defer a.Close(context.Background())
				synctest.Wait() // the first reading of the log is over
				k, unused := issue(t, a, keyfob.APIKey{}), issue(t, a, keyfob.APIKey{})
				wantVerdict(t, a, k.Secret.Reveal(), "ok")
				time.Sleep(time.Second) // the events are sealed
				st.hang.Store(true)
				if test.err != nil {
					st.err.Store(&test.err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), test.timeout)
				if test.timeout == 0 {
					ctx, cancel = context.WithCancel(t.Context())
					time.AfterFunc(5*time.Second, cancel)
				}
				defer cancel()
				var err error
				if test.write {
					_, err = a.Issue(ctx, keyfob.APIKey{Subject: "alice"})
				} else {
					_, err = a.Verify(ctx, unused.Secret.Reveal(), keyfob.Check{})
				}
				if err == nil || errors.Is(err, keyfob.ErrInvalid) {
					t.Errorf("decided without the store: %v", err)
				}
				ctx, cancel = context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				_, err = a.Verify(ctx, k.Secret.Reveal(), keyfob.Check{})
				if ok := err == nil; ok != (test.want == "ok") {
					t.Errorf("what is in the cache is decided: %v, %v", ok, err)
				}
				st.hang.Store(false)
				st.err.Store(nil)
				wantVerdict(t, a, k.Secret.Reveal(), "ok")
			})
		})
	}
}

func TestConfigRefuses(t *testing.T) {
	rk := newRootKey(t)
	for field, config := range map[string]keyfob.Config{
		"Config.MaxStaleness": {MaxStaleness: time.Minute + 1}, "Config.CacheSize": {CacheSize: -1},
	} {
		config.Store, config.RootKey = memory.Open(), rk
		_, err := keyfob.Open(t.Context(), config)
		wantInput(t, "Open", err, field, "")
	}
}
