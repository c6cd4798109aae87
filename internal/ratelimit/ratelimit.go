// Package ratelimit meters uses by GCRA, the generic cell rate algorithm (ITU-T
// I.371, annex A; virtual scheduling): one time for each meter, no window that
// starts anew, and no queue.
package ratelimit

import (
	"hash/maphash"
	"sync"
	"time"
)

// A Limit allows Rate uses in Per, evenly spread, and Burst at once.
type Limit struct {
	Rate  int64
	Per   time.Duration
	Burst int64
}

// A Verdict is what a meter says.
type Verdict struct {
	Allowed   bool
	Remaining int64         // uses that are left at once
	Reset     time.Duration // until all of Burst is there again
	Retry     time.Duration // until the next use is allowed; 0: it is now
}

const shards = 256

// Meters hold a meter for each credential that has a limit and was used of late.
// They live in memory: a new process begins with full ones. They are safe for
// concurrent use.
type Meters struct {
	seed   maphash.Seed
	most   int // of one shard
	shards [shards]shard
}

type shard struct {
	mu   sync.Mutex
	full map[string]time.Time // when the meter will have all of its Burst again
}

// NewMeters makes Meters for about most credentials at once. Beyond those that
// are not full again yet, others are refused: it fails closed.
func NewMeters(most int) *Meters {
	m := &Meters{seed: maphash.MakeSeed(), most: max(1, most/shards)}
	for i := range m.shards {
		m.shards[i].full = map[string]time.Time{}
	}
	return m
}

// Take takes one use from the meter of that id at the time now, if the limit
// allows it; a refusal takes nothing. Limit.Rate, Per and Burst are 1 or more,
// and Span(limit) is not negative.
func (m *Meters) Take(id string, now time.Time, limit Limit) Verdict {
	s := &m.shards[maphash.String(m.seed, id)%shards]
	each, span := interval(limit), Span(limit)
	s.mu.Lock()
	defer s.mu.Unlock()
	full, known := s.full[id]
	if !known && len(s.full) >= m.most && !s.sweep(now) {
		return Verdict{Retry: each, Reset: span}
	}
	if full.Before(now) || full.After(now.Add(span)) {
		// Or it is a meter of an earlier limit, or of a clock that was set back.
		full = now
	}
	next := full.Add(each)
	if over := next.Sub(now) - span; over > 0 {
		return Verdict{Retry: over, Reset: full.Sub(now)}
	}
	s.full[id] = next
	reset := next.Sub(now)
	return Verdict{
		Allowed: true, Remaining: int64((span - reset) / each), Reset: reset,
		Retry: max(0, reset+each-span),
	}
}

// GiveBack gives back a use that Take allowed and that came to nothing.
func (m *Meters) GiveBack(id string, limit Limit) {
	if limit == (Limit{}) {
		return
	}
	s := &m.shards[maphash.String(m.seed, id)%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if full, known := s.full[id]; known {
		s.full[id] = full.Add(-interval(limit))
	}
}

// sweep forgets meters that are full, which is what a new one is. It reports
// whether there is room.
func (s *shard) sweep(now time.Time) bool {
	before := len(s.full)
	for id, full := range s.full {
		if !full.After(now) {
			delete(s.full, id)
		}
	}
	return len(s.full) < before
}

// interval is the time between two uses at the rate, rounded up: never more
// than Rate uses come in Per.
func interval(l Limit) time.Duration {
	return (l.Per + time.Duration(l.Rate) - 1) / time.Duration(l.Rate)
}

// Span is how long an empty meter takes to be full again. It is negative when
// that is more than a Duration holds.
func Span(l Limit) time.Duration {
	each := interval(l)
	span := each * time.Duration(l.Burst)
	if each <= 0 || span/each != time.Duration(l.Burst) {
		return -1
	}
	return span
}
