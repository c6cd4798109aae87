package passhash

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestMemoryBound fills the memory of a Hasher: what needs some waits, all of it, and
// goes on as memory gets free; what needs none is not held up.
func TestMemoryBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const each = 8 << 10
		h := &Hasher{Params: Argon2id{Memory: 8, Time: 1}, Memory: 2*each + 1}
		hash, err := h.Hash(t.Context(), "hunter2")
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := h.gate.enter(t.Context(), each, h.Memory); err != nil {
				t.Fatal(err)
			}
		}
		var done atomic.Int32
		for range 3 {
			go func() {
				if _, err := h.Hash(t.Context(), "hunter2"); err != nil {
					t.Error(err)
				}
				done.Add(1)
			}()
			go func() {
				if err := h.Verify(t.Context(), "hunter2", hash); err != nil {
					t.Error(err)
				}
				done.Add(1)
			}()
		}
		synctest.Wait()
		if n := done.Load(); n != 0 {
			t.Errorf("%d went on without memory", n)
		}
		if err := h.Verify(t.Context(), "x", "$pbkdf2-sha256$i=1,l=32$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"); !errors.Is(err, ErrMismatch) {
			t.Errorf("PBKDF2: %v", err)
		}
		h.gate.leave(each, h.Memory)
		synctest.Wait()
		if n := done.Load(); n != 6 || h.gate.used != each || len(h.gate.waiting) != 0 {
			t.Errorf("%d of 6 went on; %d bytes used", n, h.gate.used)
		}
	})
}

// Who waits gives up with its context, and holds nobody up.
func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hasher{Params: Argon2id{Memory: 8, Time: 1}, Memory: 10 << 10}
		if err := h.gate.enter(t.Context(), 8<<10, h.Memory); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		behind := make(chan error, 1)
		go func() {
			synctest.Wait() // until the other waits
			behind <- h.gate.enter(t.Context(), 1<<10, h.Memory)
		}()
		start := time.Now()
		hash, err := h.Hash(ctx, "hunter2")
		if !errors.Is(err, context.DeadlineExceeded) || hash != "" || time.Since(start) != time.Minute {
			t.Errorf("%q, %v, after %v", hash, err, time.Since(start))
		}
		if err := <-behind; err != nil { // which fits now
			t.Error(err)
		}
		if h.gate.used != 9<<10 || len(h.gate.waiting) != 0 {
			t.Errorf("%d bytes used, %d wait", h.gate.used, len(h.gate.waiting))
		}
	})
}

// A context that has ended ends all, also where there is memory or none is needed.
func TestEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, p := range []Params{Argon2id{Memory: 8}, PBKDF2{Iterations: 1}} {
		h := &Hasher{Params: p}
		if hash, err := h.Hash(ctx, "hunter2"); !errors.Is(err, context.Canceled) || hash != "" || h.gate.used != 0 {
			t.Errorf("%q, %v", hash, err)
		}
		hash, err := h.Hash(t.Context(), "hunter2")
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Verify(ctx, "hunter2", hash); !errors.Is(err, context.Canceled) || errors.Is(err, ErrMismatch) {
			t.Error(err)
		}
	}
}

// Who needs much is not passed by those who need little and come later.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gate
		var order []int64
		enter := func(need int64) {
			go func() {
				if err := g.enter(t.Context(), need, 10); err != nil {
					t.Error(err)
				}
				order = append(order, need)
				g.leave(need, 10)
			}()
			synctest.Wait()
		}
		if err := g.enter(t.Context(), 5, 10); err != nil {
			t.Fatal(err)
		}
		enter(6) // does not fit
		enter(5) // would fit
		if len(order) != 0 {
			t.Errorf("%d was let in", order)
		}
		g.leave(5, 10)
		synctest.Wait()
		if !slices.Equal(order, []int64{6, 5}) {
			t.Errorf("let in: %d", order)
		}
	})
}

// Who is let in at the moment that his context ends either stays or gives back what he
// got.
func TestLetInAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gate
		for range 200 {
			if err := g.enter(t.Context(), 1, 1); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				if g.enter(ctx, 1, 1) == nil {
					g.leave(1, 1)
				}
			}()
			synctest.Wait()
			cancel() // which wakes him, most often to find that he was let in
			g.leave(1, 1)
			synctest.Wait()
			if g.used != 0 || len(g.waiting) != 0 {
				t.Fatalf("%d used and %d waiting are left", g.used, len(g.waiting))
			}
		}
	})
}

// TestGateUnderLoad has many come, stay and give up, at random. No more than the limit
// is ever in, and nothing is left in the end.
func TestGateUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 100
		var g gate
		var in, most, ended atomic.Int64
		var all sync.WaitGroup
		for range 2000 {
			all.Go(func() {
				time.Sleep(rand.N(time.Second)) // of the bubble
				ctx, cancel := context.WithTimeout(t.Context(), rand.N(5*time.Second))
				defer cancel()
				need := 1 + rand.Int64N(limit)
				if g.enter(ctx, need, limit) != nil {
					ended.Add(1)
					return
				}
				now := in.Add(need)
				for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
				}
				time.Sleep(rand.N(20 * time.Millisecond))
				in.Add(-need)
				g.leave(need, limit)
			})
		}
		all.Wait()
		if most.Load() > limit || most.Load() < limit/2 || ended.Load() == 0 || ended.Load() == 2000 {
			t.Errorf("at most %d of %d were in; %d gave up", most.Load(), limit, ended.Load())
		}
		if g.used != 0 || len(g.waiting) != 0 {
			t.Errorf("%d used and %d waiting are left", g.used, len(g.waiting))
		}
	})
}
