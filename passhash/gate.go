package passhash

import (
	"context"
	"slices"
	"sync"
)

// gate lets in as many as there is memory for, in the order in which they come, so
// that one who needs much is not passed by those who need little. The zero gate is
// empty.
type gate struct {
	mu      sync.Mutex
	used    int64
	waiting []*waiter
}

type waiter struct {
	need int64
	in   chan struct{} // closed once it was let in
}

// enter waits until need fits below limit, or ctx ends. Whoever was let in calls leave
// with the same need.
func (g *gate) enter(ctx context.Context, need, limit int64) error {
	if err := ctx.Err(); err != nil || need == 0 {
		return err
	}
	g.mu.Lock()
	w := &waiter{need, make(chan struct{})}
	g.waiting = append(g.waiting, w)
	g.admit(limit)
	g.mu.Unlock()
	select {
	case <-w.in:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.waiting, w); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	} else { // it was let in meanwhile
		g.used -= need
	}
	g.admit(limit) // those who come after may fit
	return ctx.Err()
}

func (g *gate) leave(need, limit int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.used -= need
	g.admit(limit)
}

// admit lets in the first of those who wait, as far as they fit.
func (g *gate) admit(limit int64) {
	for len(g.waiting) > 0 && g.used+g.waiting[0].need <= limit {
		g.used += g.waiting[0].need
		close(g.waiting[0].in)
		g.waiting = slices.Delete(g.waiting, 0, 1)
	}
}
