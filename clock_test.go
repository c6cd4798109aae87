package keyfob_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
	"github.com/keyfob-dev/keyfob/store/sqlite"
)

const day = 24 * time.Hour

// P9: a clock that is set back revives nothing, neither in the process nor after
// a restart, until the owner accepts it.
func TestClockBack(t *testing.T) {
	path, rk, clock := filepath.Join(t.TempDir(), "keyfob.db"), newRootKey(t), newClock()
	var st *sqlite.Store
	var a *keyfob.Authority
	reopen := func() {
		t.Helper()
		var err error
		if a != nil {
			if err := errors.Join(a.Close(t.Context()), st.Close()); err != nil {
				t.Fatal(err)
			}
		}
		if st, err = sqlite.Open(path); err != nil {
			t.Fatal(err)
		}
		a = openWith(t, keyfob.Config{Store: st, RootKey: rk, Now: clock.Now})
	}
	reopen()
	t.Cleanup(func() { st.Close() })
	expiring := issue(t, a, keyfob.APIKey{Expires: clock.Now().Add(day)})
	rotated := issue(t, a, keyfob.APIKey{})
	if _, err := a.Rotate(t.Context(), rotated.Credential.ID, day); err != nil {
		t.Fatal(err)
	}
	wantBoth := func(expired, replaced string) {
		t.Helper()
		wantVerdict(t, a, expiring.Secret.Reveal(), expired)
		wantVerdict(t, a, rotated.Secret.Reveal(), replaced)
	}
	wantBoth("ok", "ok")
	clock.Add(10 * day)
	wantBoth("expired", "replaced")
	clock.Add(-10 * day)
	wantBoth("expired", "replaced")
	if behind := a.ClockBehind(); behind != 10*day {
		t.Errorf("the clock is behind by %v, want 240h", behind)
	}
	reopen() // Close wrote the mark, although no event told it
	wantBoth("expired", "replaced")
	if behind := a.ClockBehind(); behind != 10*day {
		t.Errorf("after a restart the clock is behind by %v, want 240h", behind)
	}
	late := issue(t, a, keyfob.APIKey{})
	if at := late.Credential.Created; !at.Equal(clock.Now().Add(10 * day)) {
		t.Errorf("issued at %v, which is not the highest time seen", at)
	}

	if back, err := a.AcceptClock(t.Context()); back != 10*day || err != nil {
		t.Fatalf("AcceptClock: %v, %v; want 240h", back, err)
	}
	wantBoth("ok", "ok")
	if behind := a.ClockBehind(); behind != 0 {
		t.Errorf("behind by %v", behind)
	}
	if back, err := a.AcceptClock(t.Context()); back != 0 || err != nil {
		t.Errorf("AcceptClock again: %v, %v; want 0", back, err)
	}
	reopen()
	wantBoth("ok", "ok")
	all := events(t, st, keyfob.OwnSpace)
	if last := all[len(all)-1]; last.Type != "clock.accepted" || last.Reason != "set back by 240h0m0s" || !last.Time.Equal(clock.Now()) {
		t.Errorf("event %+v", last)
	}
}

// The time is told with each event, and each ten seconds of work: that much can
// be lost on a kill, and no more.
func TestMarkIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memory.Open()
		a := openWith(t, keyfob.Config{Store: st, RootKey: newRootKey(t)})
		defer a.Close(context.Background())
		k := issue(t, a, keyfob.APIKey{})
		want := func(when string, want time.Time) {
			t.Helper()
			if mark, err := st.Mark(t.Context()); err != nil || !mark.Equal(want) {
				t.Errorf("%s: mark %v, %v; want %v", when, mark, err, want)
			}
		}
		issued := k.Credential.Created
		want("after an event", issued)
		time.Sleep(time.Minute)
		want("after a minute of rest", issued)
		wantVerdict(t, a, k.Secret.Reveal(), "ok")
		used := time.Now().UTC().Truncate(time.Millisecond)
		time.Sleep(10*time.Second + time.Millisecond)
		want("ten seconds after a verification", used)
	})
}

// What one Authority told the store, another on it knows some seconds later.
func TestMarkOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, rk := memory.Open(), newRootKey(t)
		here := openWith(t, keyfob.Config{Store: st, RootKey: rk})
		there := openWith(t, keyfob.Config{Store: st, RootKey: rk, Now: func() time.Time { return time.Now().Add(time.Hour) }})
		defer here.Close(context.Background())
		defer there.Close(context.Background())
		k := issue(t, here, keyfob.APIKey{Expires: time.Now().Add(30 * time.Minute)})
		issue(t, there, keyfob.APIKey{})
		wantVerdict(t, there, k.Secret.Reveal(), "expired")
		time.Sleep(11 * time.Second)
		wantVerdict(t, here, k.Secret.Reveal(), "expired")
		if behind := here.ClockBehind(); behind < 59*time.Minute {
			t.Errorf("behind by %v, want about an hour", behind)
		}
	})
}

// Who is on the same store sees the mark of the others at its next start, and
// AcceptClock of one loses against a time that another told meanwhile.
func TestAcceptClockConflict(t *testing.T) {
	clock := newClock()
	st := &raised{Store: memory.Open(), to: clock.Now().Add(3 * day)}
	a := openWith(t, keyfob.Config{Store: st, RootKey: newRootKey(t), Now: clock.Now})
	clock.Add(-day)
	if _, err := a.AcceptClock(t.Context()); !errors.Is(err, keyfob.ErrConflict) {
		t.Errorf("AcceptClock: %v, want ErrConflict", err)
	}
}

// raised is a store whose mark somebody raises after each look at it.
type raised struct {
	store.Store
	to time.Time
}

func (r *raised) Mark(ctx context.Context) (time.Time, error) {
	mark, err := r.Store.Mark(ctx)
	r.to = r.to.Add(time.Second)
	return mark, errors.Join(err, r.Store.Apply(ctx, store.Change{Steps: []store.Step{store.RaiseMark{To: r.to}}}))
}
