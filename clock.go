package keyfob

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// markInterval is how often the time is written while the Authority works; it
// is written with each event as well.
const markInterval = 10 * time.Second

// now is the time of a verb: the later one of the clock's and of all that was
// ever the time of a verb here, or that others told the store of, which is seen
// within markInterval. So a clock that is set back revives nothing. It is in UTC and whole milliseconds, as records keep it.
func (c *core) now() time.Time { return c.nowBy(c.clock()) }

// nowBy is now, by a reading of the clock.
func (c *core) nowBy(reading time.Time) time.Time {
	now := reading.UnixMilli()
	for {
		mark := c.mark.Load()
		if now <= mark {
			return time.UnixMilli(mark).UTC()
		}
		if c.mark.CompareAndSwap(mark, now) {
			return time.UnixMilli(now).UTC()
		}
	}
}

// readClocks returns the time of a verb and the real time, which is what the age
// of knowledge is told by. Where they are by one clock it is read once.
func (c *core) readClocks() (now, real time.Time) {
	real = time.Now()
	if c.realTime {
		return c.nowBy(real), real
	}
	return c.now(), real
}

// readMark takes over the time that the store was told of.
func (c *core) readMark(ctx context.Context) error {
	mark, err := c.store.Mark(ctx)
	if err != nil {
		return fmt.Errorf("read the time's mark: %w", err)
	}
	if !mark.IsZero() {
		c.mark.Store(mark.UnixMilli())
		c.written.Store(mark.UnixMilli())
	}
	return nil
}

// keepMark reads what others have told the store, and writes the time that verbs
// have had since it was written last, at each interval until ctx ends.
func (c *core) keepMark(ctx context.Context) {
	ticker := time.NewTicker(markInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if mark, err := c.store.Mark(ctx); err == nil && !mark.IsZero() {
				c.nowBy(mark)
			}
			_ = c.writeMark(ctx) // what fails is written the next time
		}
	}
}

func (c *core) writeMark(ctx context.Context) error {
	mark := c.mark.Load()
	if mark <= c.written.Load() {
		return nil
	}
	err := c.store.Apply(ctx, store.Change{Steps: []store.Step{store.RaiseMark{To: time.UnixMilli(mark).UTC()}}})
	if err == nil {
		c.noteWritten(mark)
	}
	return err
}

func (c *core) noteWritten(mark int64) {
	for was := c.written.Load(); was < mark && !c.written.CompareAndSwap(was, mark); was = c.written.Load() {
	}
}

// ClockBehind is how far the clock is behind the highest time that the Authority
// has seen, or its store some seconds ago; 0 when it is not. Verbs work with that highest time
// meanwhile, so that what has ended stays ended; but nothing else ends, either. A
// node that is more than 30 seconds behind should get no requests.
func (a *Authority) ClockBehind() time.Duration {
	return max(0, a.now().Sub(a.clock()))
}

// AcceptClock makes the clock's time the highest that was ever seen, although
// it is earlier: the way back after a clock that was wrongly ahead. What had
// expired in the meantime is accepted again until its expiry. It returns how far
// the mark was set back; 0 when the clock was not behind, and nothing was done.
//
// Only the owner of the database should do that, when no other process works on
// it. Errors: ErrConflict (another process does), ErrUnavailable.
func (a *Authority) AcceptClock(ctx context.Context) (time.Duration, error) {
	space, err := a.spaceID(ctx, OwnSpace)
	if err != nil {
		return 0, err
	}
	now := a.clock().UTC().Truncate(time.Millisecond)
	stored, err := a.store.Mark(ctx)
	if err != nil {
		return 0, fmt.Errorf("accept the clock: %w", err)
	}
	behind := max(stored.Sub(now), time.UnixMilli(a.mark.Load()).Sub(now))
	if behind <= 0 {
		return 0, nil
	}
	e := store.Event{Space: space, Time: now, Type: "clock.accepted", Reason: fmt.Sprintf("set back by %v", behind)}
	e, err = a.event(ctx, e)
	if err != nil {
		return 0, err
	}
	err = a.store.Apply(ctx, store.Change{
		Steps:  []store.Step{store.SetMark{Was: stored, To: now}},
		Events: []store.Event{e},
	})
	if errors.Is(err, store.ErrConflict) {
		return 0, fmt.Errorf("accept the clock: %w: another process told the time meanwhile; stop it, and try again", ErrConflict)
	}
	if err != nil {
		return 0, fmt.Errorf("accept the clock: %w", err)
	}
	a.mark.Store(now.UnixMilli())
	a.written.Store(now.UnixMilli())
	a.sealer.Wake()
	return behind, nil
}
