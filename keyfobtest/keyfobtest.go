// Package keyfobtest gives tests an Authority: one in memory, whose clock stands
// still until the test moves it.
//
//	a, clock := keyfobtest.New(t)
//	key, err := a.Issue(t.Context(), keyfob.APIKey{Subject: "alice", Expires: clock.Now().Add(time.Hour)})
//	…
//	clock.Advance(time.Hour) // and now it is expired
//
// It is the real thing and no mock: what it answers is what a server on a
// database would. To see what a program does when nothing can be verified, close
// it: from then on its verbs answer [keyfob.ErrUnavailable].
package keyfobtest

import (
	"context"
	"encoding/base64"
	"sync"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/random"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// New opens an Authority in memory, under a root key of its own, and closes it
// when the test ends. Its clock shows the time of the call. It works within
// testing/synctest.
func New(t testing.TB) (*keyfob.Authority, *Clock) {
	t.Helper()
	key, err := keyfob.ParseRootKey("keyfob-root-1:" + base64.StdEncoding.EncodeToString(random.Bytes(32)))
	if err != nil {
		t.Fatal(err)
	}
	st, clock := memory.Open(), &Clock{}
	clock.Set(time.Now())
	a, err := keyfob.Open(t.Context(), keyfob.Config{Store: st, RootKey: key, Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return a, clock
}

// A Clock shows a time that moves only when it is told to. It is safe for
// concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now returns the time of the clock, in UTC and in whole milliseconds, as records
// keep it: a credential that is issued now has it as its Created.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now.Truncate(time.Millisecond)
}

// Advance moves the clock on by d; back, where d is negative. An Authority does
// not follow it back: see [keyfob.Authority.ClockBehind].
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Set sets the clock.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t.UTC().Round(0) // the clock moves on by what it is told alone
}
