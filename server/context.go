package server

import (
	"context"
	"sync"
	"time"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

// A requestContext is the context of a request that has come so far that there
// is an exchange.
type requestContext struct {
	context.Context
	x *exchange
}

type exchangeKey struct{}

// Value returns the exchange for its key.
func (c *requestContext) Value(key any) any {
	if key == (exchangeKey{}) {
		return c.x
	}
	return c.Context.Value(key)
}

// exchangeOf returns the exchange that a handler works for, if it is one that
// was admitted to this operation. It panics otherwise: a handler that was
// reached by another way must not run.
func exchangeOf(ctx context.Context, name oas.OperationName) *exchange {
	x, ok := ctx.Value(exchangeKey{}).(*exchange)
	if !ok || x.name != name || x.caller == nil && operations[name].needs != anyone {
		panic("server: an operation was reached by a request that was not admitted to it")
	}
	return x
}

// A workContext ends at a deadline, as one of context.WithDeadline. It has a timer
// only from the first call of Done on: what is answered from memory waits for
// nothing, and does without.
type workContext struct {
	parent   context.Context
	deadline time.Time

	mu     sync.Mutex
	timed  context.Context // nil before the first call of Done
	cancel context.CancelFunc
}

// Deadline returns when the work must have ended.
func (c *workContext) Deadline() (time.Time, bool) {
	if d, ok := c.parent.Deadline(); ok && d.Before(c.deadline) {
		return d, true
	}
	return c.deadline, true
}

// Done starts the timer.
func (c *workContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timed == nil {
		c.timed, c.cancel = context.WithDeadline(c.parent, c.deadline)
	}
	return c.timed.Done()
}

// Err is not nil from the deadline on, with a timer or without.
func (c *workContext) Err() error {
	if timed := c.current(); timed != c.parent {
		return timed.Err()
	}
	if err := c.parent.Err(); err != nil || time.Now().Before(c.deadline) {
		return err
	}
	c.Done() // or Err would say something else when the parent ends as well
	return c.current().Err()
}

// Value returns what the parent has. Package context asks in this way for what
// ends with the channel of Done, which is never the parent.
func (c *workContext) Value(key any) any { return c.current().Value(key) }

func (c *workContext) current() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timed != nil {
		return c.timed
	}
	return c.parent
}

// end stops the timer, if there is one.
func (c *workContext) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel != nil {
		c.cancel()
	}
}
