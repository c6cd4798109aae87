package keyfobtest_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/keyfobtest"
)

func issue(t *testing.T, a *keyfob.Authority, k keyfob.APIKey) keyfob.Issued {
	t.Helper()
	i, err := a.Issue(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// What the examples say, since an Example has no *testing.T to run with.
func TestNew(t *testing.T) {
	a, clock := keyfobtest.New(t)
	if d := time.Since(clock.Now()); d < 0 || d > time.Hour {
		t.Errorf("the clock differs by %v", d)
	}
	key := issue(t, a, keyfob.APIKey{Subject: "alice", Scopes: []string{"read"}, Expires: clock.Now().Add(time.Hour)})
	if !key.Credential.Created.Equal(clock.Now()) {
		t.Errorf("issued at %v, and it is %v", key.Credential.Created, clock.Now())
	}
	want := func(status int) {
		t.Helper()
		if got := ask(guarded(a), key.Secret.Reveal()); got != status {
			t.Errorf("status %d, want %d", got, status)
		}
	}
	want(http.StatusOK)
	clock.Advance(time.Hour - time.Millisecond)
	want(http.StatusOK)
	clock.Advance(time.Millisecond)
	want(http.StatusUnauthorized)
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(http.StatusServiceUnavailable)
}

// Two Authorities know nothing of one another.
func TestNewTwice(t *testing.T) {
	a, _ := keyfobtest.New(t)
	b, _ := keyfobtest.New(t)
	key := issue(t, a, keyfob.APIKey{Subject: "alice"})
	if _, err := b.Verify(t.Context(), key.Secret.Reveal(), keyfob.Check{}); !errors.Is(err, keyfob.ErrUnknown) {
		t.Errorf("the token of another: %v, want ErrUnknown", err)
	}
}

// A test that ends closes its Authority, and leaves nothing running.
func TestNewCloses(t *testing.T) {
	var a *keyfob.Authority
	synctest.Test(t, func(t *testing.T) { // which fails when a goroutine is left
		var clock *keyfobtest.Clock
		a, clock = keyfobtest.New(t)
		key := issue(t, a, keyfob.APIKey{Subject: "alice"})
		if _, err := a.Verify(t.Context(), key.Secret.Reveal(), keyfob.Check{}); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute) // the Authority's own work goes by the bubble's time
		synctest.Wait()
		c, err := a.Get(t.Context(), key.Credential.ID)
		if err != nil || !c.Versions[0].LastUsed.Equal(clock.Now()) {
			t.Errorf("last used %v, %v; want %v", c.Versions[0].LastUsed, err, clock.Now())
		}
		page, err := a.Events().List(t.Context(), keyfob.EventFilter{})
		if err != nil || len(page.Items) != 2 || page.Items[1].Seq != 2 {
			t.Errorf("events %+v, %v; want two that are sealed", page.Items, err)
		}
	})
	if _, err := a.Get(t.Context(), "0000000000000000"); !errors.Is(err, keyfob.ErrUnavailable) {
		t.Errorf("after its test the Authority answers %v, want ErrUnavailable", err)
	}
}

func TestClock(t *testing.T) {
	var clock keyfobtest.Clock
	start := time.Date(2027, 1, 2, 3, 4, 5, 6_789_000, time.FixedZone("", 3600))
	clock.Set(start)
	want := func(want time.Time) {
		t.Helper()
		if got := clock.Now(); got != want.UTC().Truncate(time.Millisecond) {
			t.Errorf("the clock shows %v, want %v", got, want)
		}
	}
	want(start)
	clock.Advance(211 * time.Microsecond) // what is less than a millisecond is not lost
	want(start.Add(time.Millisecond))
	clock.Advance(-time.Hour)
	want(start.Add(time.Millisecond - time.Hour))
	clock.Set(start)
	want(start)
}
