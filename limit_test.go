package keyfob_test

import (
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
)

func TestLimit(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		k := issue(t, a, keyfob.APIKey{Scopes: []string{"read"}, Limit: keyfob.Limit{Rate: 6, Per: time.Minute, Burst: 3}})
		tok := k.Secret.Reveal()
		judge := func(token, want string, scopes ...string) keyfob.Verdict {
			t.Helper()
			v, err := a.Judge(t.Context(), token, keyfob.Check{Scopes: scopes})
			if got := keyfob.Reason(err); got != want {
				t.Errorf("Judge says %q, want %q", got, want)
			}
			return v
		}
		for i := range 100 { // refusals and bad secrets take nothing
			judge(tok, "scope", "write")
			judge(tok[:len(tok)-6], "malformed")
			if i%10 == 0 {
				other := "0"
				if tok[len(tok)-7] == '0' {
					other = "1"
				}
				judge(withChecksum(tok[:len(tok)-7]+other), "unknown")
			}
		}
		for i := range 3 {
			v := judge(tok, "ok")
			want := keyfob.Meter{Limit: keyfob.Limit{Rate: 6, Per: time.Minute, Burst: 3}, Remaining: int64(2 - i), Reset: time.Duration(i+1) * 10 * time.Second}
			if i == 2 {
				want.Retry = 10 * time.Second
			}
			if v.Meter != want {
				t.Errorf("use %d: meter %+v, want %+v", i+1, v.Meter, want)
			}
		}
		v := judge(tok, "rate_limited")
		if v.Meter.Remaining != 0 || v.Meter.Retry != 10*time.Second || v.Meter.Reset != 30*time.Second || v.Credential.ID != "" {
			t.Errorf("refused: %+v", v)
		}
		clock.Add(10*time.Second - time.Millisecond)
		judge(tok, "rate_limited")
		clock.Add(time.Millisecond)
		judge(tok, "ok")
		judge(tok, "rate_limited")

		// The limit is the credential's: a rotation gives no second one.
		r, err := a.Rotate(t.Context(), k.Credential.ID, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		judge(r.Secret.Reveal(), "rate_limited")
		clock.Add(10 * time.Second)
		judge(r.Secret.Reveal(), "ok")
		judge(tok, "rate_limited")

		// A new limit counts at once; without one, nothing is metered.
		c := r.Credential
		c.Limit = keyfob.Limit{}
		if c, err = a.Update(t.Context(), c); err != nil || c.Limit != (keyfob.Limit{}) {
			t.Fatalf("Update: %+v, %v", c, err)
		}
		if v := judge(tok, "ok"); v.Meter != (keyfob.Meter{}) {
			t.Errorf("without a limit: meter %+v", v.Meter)
		}
	})
}

// Not more than the limit, whatever races.
func TestLimitUnderRace(t *testing.T) {
	a, _ := open(t, openSQLite(t))
	tok := issue(t, a, keyfob.APIKey{Limit: keyfob.Limit{Rate: 100, Per: time.Hour}}).Secret.Reveal()
	var accepted atomic.Int64
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			for range 10 {
				if _, err := a.Verify(t.Context(), tok, keyfob.Check{}); err == nil {
					accepted.Add(1)
				} else if !errors.Is(err, keyfob.ErrRateLimited) {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if accepted.Load() != 100 {
		t.Errorf("%d of 640 accepted, want 100", accepted.Load())
	}
}

// Uses and limit together: what the limit refuses uses nothing up, and what has
// no uses left takes nothing from the limit.
func TestLimitAndUses(t *testing.T) {
	a, clock := open(t, openSQLite(t))
	k := issue(t, a, keyfob.APIKey{Uses: 2, Limit: keyfob.Limit{Rate: 1, Per: time.Minute}})
	wantVerdict(t, a, k.Secret.Reveal(), "ok")
	wantVerdict(t, a, k.Secret.Reveal(), "rate_limited")
	if c, err := a.Get(t.Context(), k.Credential.ID); err != nil || c.Used != 1 {
		t.Errorf("%+v, %v", c, err)
	}
	clock.Add(time.Minute)
	wantVerdict(t, a, k.Secret.Reveal(), "ok")
	wantVerdict(t, a, k.Secret.Reveal(), "exhausted")
}

func TestLimitRefuses(t *testing.T) {
	a, _ := open(t, openSQLite(t))
	for _, c := range []struct {
		limit keyfob.Limit
		field string
	}{
		{keyfob.Limit{Rate: -1, Per: time.Second}, "rate"}, {keyfob.Limit{Per: time.Second}, "rate"}, {keyfob.Limit{Burst: 5}, "rate"},
		{keyfob.Limit{Rate: 1_000_000_001, Per: time.Second}, "rate"}, {keyfob.Limit{Rate: math.MaxInt64, Per: time.Second}, "rate"},
		{keyfob.Limit{Rate: 1}, "per"}, {keyfob.Limit{Rate: 1, Per: -time.Second}, "per"}, {keyfob.Limit{Rate: 1, Per: time.Microsecond}, "per"},
		{keyfob.Limit{Rate: 1, Per: time.Second + 1}, "per"}, {keyfob.Limit{Rate: 1, Per: 367 * day}, "per"},
		{keyfob.Limit{Rate: 1, Per: time.Second, Burst: -1}, "burst"}, {keyfob.Limit{Rate: 1, Per: time.Second, Burst: math.MaxInt64}, "burst"},
		{keyfob.Limit{Rate: 1, Per: 366 * day, Burst: 2}, "burst"}, {keyfob.Limit{Rate: 1, Per: day, Burst: 1_000_000_000}, "burst"},
	} {
		_, err := a.Issue(t.Context(), keyfob.APIKey{Subject: "alice", Limit: c.limit})
		wantInput(t, "Issue", err, c.field, "")
	}
	k := issue(t, a, keyfob.APIKey{Limit: keyfob.Limit{Rate: 1_000_000_000, Per: 366 * day, Burst: 1_000_000_000}})
	wantVerdict(t, a, k.Secret.Reveal(), "ok")
}
