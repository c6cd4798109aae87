// Package lastuse gathers when and from where secrets were used, and writes it
// in batches, so that no verification waits for a write.
package lastuse

import (
	"context"
	"sync"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// Interval is how often a Recorder writes: what it has gathered since is lost
// when the process is killed.
const Interval = 5 * time.Second

// most is how many uses a Recorder gathers between two writes; batch, how many
// go into one change.
const (
	most  = 100_000
	batch = 500
)

// A Recorder gathers uses. It is safe for concurrent use.
type Recorder struct {
	store store.Store
	full  chan struct{}

	mu       sync.Mutex
	gathered map[key]span

	writing sync.Mutex
}

type key struct{ space, version, address string }

type span struct{ first, last time.Time }

// NewRecorder makes a Recorder for a store. It writes in Run and in Flush only.
func NewRecorder(st store.Store) *Recorder {
	return &Recorder{store: st, full: make(chan struct{}, 1), gathered: map[key]span{}}
}

// Record notes a use of a version (an id) in a space (an id) at a time, from an
// address or, if that is empty, from nobody knows where. It never waits for the
// store. Where more is used than can be gathered, the newest is left out.
func (r *Recorder) Record(space, version, address string, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.add(key{space, version, address}, at)
	if len(r.gathered) == most/2 {
		select {
		case r.full <- struct{}{}:
		default:
		}
	}
}

func (r *Recorder) add(k key, at time.Time) {
	s, known := r.gathered[k]
	if !known && len(r.gathered) >= most {
		return
	}
	if !known || at.Before(s.first) {
		s.first = at
	}
	if at.After(s.last) {
		s.last = at
	}
	r.gathered[k] = s
}

// Run writes what was gathered at each Interval, and earlier when it is much,
// until ctx ends.
func (r *Recorder) Run(ctx context.Context) {
	ticker := time.NewTicker(Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-r.full:
		}
		_ = r.Flush(ctx) // what failed is tried again with the next
	}
}

// Flush writes what was gathered. What cannot be written stays gathered.
func (r *Recorder) Flush(ctx context.Context) error {
	r.writing.Lock()
	defer r.writing.Unlock()
	r.mu.Lock()
	gathered := r.gathered
	r.gathered = make(map[key]span, len(gathered))
	r.mu.Unlock()

	steps := make([]store.Step, 0, min(batch, len(gathered)))
	written := make([]key, 0, cap(steps))
	write := func() error {
		if err := r.store.Apply(ctx, store.Change{Steps: steps}); err != nil {
			return err
		}
		for _, k := range written {
			delete(gathered, k)
		}
		steps, written = steps[:0], written[:0]
		return nil
	}
	var err error
	for k, s := range gathered {
		steps = append(steps, store.RecordUse{Space: k.space, Version: k.version, Address: k.address, First: s.first, Last: s.last})
		written = append(written, k)
		if len(steps) == batch {
			if err = write(); err != nil {
				break
			}
		}
	}
	if err == nil && len(steps) > 0 {
		err = write()
	}
	if err != nil {
		r.takeBack(gathered)
	}
	return err
}

// takeBack gathers again what was not written. It is tried at the next interval,
// however much it is.
func (r *Recorder) takeBack(gathered map[key]span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for k, s := range gathered {
		r.add(k, s.first)
		r.add(k, s.last)
	}
}
