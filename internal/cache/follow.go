package cache

import (
	"context"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// interval is how old knowledge becomes before the log is read again; page, how
// many events are read at once; and mostBehind, after how many it is cheaper to
// forget everything.
const (
	interval   = 200 * time.Millisecond
	page       = 500
	mostBehind = 10 * page
)

// Follow reads the log of all spaces up to its end, again and again while the
// Cache is asked for what is older than the interval, and invalidates what
// others have changed. It returns when ctx ends.
func (c *Cache) Follow(ctx context.Context, st store.Store) {
	last, known := int64(0), false
	for {
		begin := c.Begin()
		var err error
		if known {
			last, err = c.readLog(ctx, st, last)
		} else {
			// What changed before this number is never read: it is unknown whether
			// what is cached so far tells of it.
			if last, err = st.LastEvent(ctx); err == nil {
				c.invalidateAll()
				known = true
			}
		}
		if err == nil {
			raise(&c.recovered, begin.failures)
			c.read.Store(&begin.at)
		} else if ctx.Err() == nil {
			c.Failed()
		}
		c.asleep.Store(true)
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		}
	}
}

// wakeUp has the log read, if nobody else has done so.
func (c *Cache) wakeUp() {
	if c.asleep.Load() && c.asleep.CompareAndSwap(true, false) {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
}

// readLog invalidates what the events after a number are about, and returns the
// number of the last.
func (c *Cache) readLog(ctx context.Context, st store.Store, after int64) (int64, error) {
	end, err := st.LastEvent(ctx)
	if err != nil {
		return after, err
	}
	if end-after > mostBehind {
		c.invalidateAll()
		return end, nil
	}
	for after < end {
		events, err := st.EventsAfter(ctx, after, page)
		if err != nil {
			return after, err
		}
		if len(events) == 0 {
			break
		}
		for i := range events {
			c.InvalidateAbout(&events[i])
		}
		after = events[len(events)-1].Number
	}
	return after, nil
}
