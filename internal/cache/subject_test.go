package cache

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

func foundOf(version, space, subject string, state store.State) store.Found {
	f := found(version, version, state)
	f.Credential.Space, f.Credential.Subject = space, subject
	return f
}

// A fill whose read was before a subject's revocation, and whose end comes at any
// moment of it, is never served once that is acknowledged.
func TestFillAgainstInvalidateAbout(t *testing.T) {
	const rounds = 200_000
	c := New(1000)
	var revoked atomic.Bool // what the store says
	start, ready := make(chan string), make(chan struct{})
	go func() { // the reader
		for name := range start {
			for range 2 {
				begin := c.Begin()
				state := store.StateActive
				if revoked.Load() {
					state = store.StateRevoked
				}
				c.Put(begin, foundOf(name, "s", "of"+name, state))
			}
			ready <- struct{}{}
		}
	}()
	stale, served := 0, 0
	for round := range rounds {
		name := fmt.Sprint(round % 64)
		about := &store.Event{Space: "s", Subject: "of" + name}
		revoked.Store(false)
		c.InvalidateAbout(about)
		start <- name
		for range round % 8 {
			_, _, _ = c.Get(id(name), time.Now())
		}
		revoked.Store(true)
		c.InvalidateAbout(about)
		if e, _, ok := c.Get(id(name), time.Now()); ok && e.Found.Credential.State != store.StateRevoked {
			stale++
		}
		<-ready
		if e, _, ok := c.Get(id(name), time.Now()); ok {
			served++
			if e.Found.Credential.State != store.StateRevoked {
				stale++
			}
		}
	}
	close(start)
	if stale != 0 || served == 0 {
		t.Errorf("%d of %d rounds served what was known before the revocation; %d were served at all", stale, rounds, served)
	}
	t.Logf("%d rounds: %d stale, %d served from a fill after the revocation", rounds, stale, served)
}

// An event ends what is known of its credential, or where it has none, of its
// subject in its space; and next to nothing else.
func TestInvalidateAbout(t *testing.T) {
	for what, c := range map[string]struct {
		event     store.Event
		one, rest bool // still served: that one, and most others
	}{
		"its credential":             {store.Event{Space: "s", Credential: "v7", Subject: "u7"}, false, true},
		"another, of its subject":    {store.Event{Space: "s", Credential: "v8", Subject: "u7"}, true, true},
		"its subject":                {store.Event{Space: "s", Subject: "u7"}, false, true},
		"another subject":            {store.Event{Space: "s", Subject: "u8"}, true, true},
		"its subject elsewhere":      {store.Event{Space: "t", Subject: "u7"}, true, true},
		"space and subject run over": {store.Event{Space: "su", Subject: "7"}, true, true},
		"a space":                    {store.Event{Space: "s"}, true, true},
	} {
		kept, others := 0, 0
		for range 5 { // with seeds of their own: shards may meet by chance
			cache := New(1000)
			for i := range 100 {
				cache.Put(cache.Begin(), foundOf(fmt.Sprint("v", i), "s", fmt.Sprint("u", i), store.StateActive))
			}
			cache.InvalidateAbout(&c.event)
			for i := range 100 {
				_, _, ok := cache.Get(id(fmt.Sprint("v", i)), time.Now())
				switch {
				case ok && i == 7:
					kept++
				case ok:
					others++
				}
			}
		}
		if c.one && kept < 4 || !c.one && kept != 0 || others < 485 {
			t.Errorf("%s: served %d of 5 times, and %d of 495 others", what, kept, others)
		}
	}
}
