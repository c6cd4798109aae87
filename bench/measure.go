package main

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// A row is one comparison: keyfob and, beside it, a peer.
type row struct {
	name    string
	targets []target      // none: the row is for reading only
	turn    time.Duration // 0: as env has it

	// prepare makes the sides ready. What it opens, it hands to env.onEnd.
	prepare func(*env) (ours, peer side, err error)
}

// A side is one of the two that a row compares.
type side struct {
	run func(n int) error // does it n times
	per int               // operations in each time; 0 is 1

	// cpu is the clock of the processor time that run costs. Nil: that of this
	// process, in which run works, and then allocations are counted as well.
	cpu func() (time.Duration, error)
}

// A metric is what is compared.
type metric string

const (
	wall   metric = "wall"
	cpu    metric = "cpu"
	allocs metric = "allocs"
)

// A target is what a row has to reach in one of the metrics.
type target struct {
	by   metric
	sort sort
	than float64
}

type sort int

const (
	atMost   sort = iota // keyfob's share of the peer is at most than
	atLeast              // the peer's share of keyfob is at least than
	count                // keyfob's figure itself is at most than
	fewer                // keyfob's figure is lower than the peer's
	noTarget             // keyfob's share of the peer, to be read
)

func (t target) String() string {
	switch t.sort {
	case atMost:
		return fmt.Sprintf("<= %g of %s", t.than, t.by)
	case atLeast:
		return fmt.Sprintf(">= %g in %s", t.than, t.by)
	case count:
		return fmt.Sprintf("<= %g %s", t.than, t.by)
	case fewer:
		return fmt.Sprintf("fewer %s", t.by)
	}
	return "-"
}

// A cost is what one operation took in one turn.
type cost struct {
	wall, cpu, allocs float64 // in nanoseconds, and a number
}

func (c cost) of(m metric) float64 {
	switch m {
	case wall:
		return c.wall
	case cpu:
		return c.cpu
	}
	return c.allocs
}

// A result is a row that was measured: the turns of both sides, by rounds.
type result struct {
	row
	ours, peer []cost
	skipped    string // why it was not measured
}

// A skip is the error of a row that cannot be measured here.
type skip string

func (s skip) Error() string { return string(s) }

// measure measures a row: the sides take turns, and every second round the other
// one begins, so that whatever else the machine does falls on both.
func (e *env) measure(r row) (res result, err error) {
	res.row = r
	defer func() {
		err = errors.Join(err, e.endRow())
		if err != nil {
			err = fmt.Errorf("%s: %w", r.name, err)
		}
	}()
	ours, peer, err := r.prepare(e)
	if reason := skip(""); errors.As(err, &reason) {
		res.skipped = string(reason)
		return res, nil
	}
	if err != nil {
		return res, err
	}
	sides := []*side{&ours, &peer}
	turns := [2][]cost{}
	times := [2]int{}
	for i, s := range sides {
		if times[i], err = s.fill(e.turnOf(r)); err != nil {
			return res, err
		}
	}
	for round := range e.rounds {
		for i := range sides {
			i := (i + round) % 2
			c, err := sides[i].take(times[i])
			if err != nil {
				return res, err
			}
			turns[i] = append(turns[i], c)
		}
	}
	res.ours, res.peer = turns[0], turns[1]
	return res, e.ctx.Err()
}

// turnOf is how long a turn of a row is.
func (e *env) turnOf(r row) time.Duration {
	if e.small || r.turn == 0 {
		return e.turn
	}
	return r.turn
}

// fill finds how often run has to be called for a turn of that length. It is the
// warm-up as well.
func (s *side) fill(turn time.Duration) (int, error) {
	for n := 1; ; n *= 2 {
		start := time.Now()
		if err := s.run(n); err != nil {
			return 0, err
		}
		took := time.Since(start)
		if took >= turn {
			return n, nil
		}
		if took > turn/10 {
			return 1 + int(float64(n)*float64(turn)/float64(took)), nil
		}
	}
}

// take is one turn of a side.
func (s *side) take(n int) (cost, error) {
	clock := s.cpu
	if clock == nil {
		clock = ownCPU
	}
	runtime.GC() // what the other side has left behind is not this one's
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begin, err := clock()
	if err != nil {
		return cost{}, err
	}
	start := time.Now()
	err = s.run(n)
	took := time.Since(start)
	if err != nil {
		return cost{}, err
	}
	end, err := clock()
	if err != nil {
		return cost{}, err
	}
	runtime.ReadMemStats(&after)
	operations := float64(n * max(s.per, 1))
	c := cost{wall: float64(took) / operations, cpu: float64(end-begin) / operations}
	if s.cpu == nil {
		c.allocs = float64(after.Mallocs-before.Mallocs) / operations
	}
	return c, nil
}

// ratio returns what the target judges: the median over the rounds, and the
// lowest and the highest of them.
func (r *result) ratio(t target) (median, low, high float64) {
	each := make([]float64, len(r.ours))
	for i := range each {
		ours, peer := r.ours[i].of(t.by), r.peer[i].of(t.by)
		switch t.sort {
		case atLeast:
			each[i] = peer / ours
		case count, fewer:
			each[i] = ours
		default:
			each[i] = ours / peer
		}
	}
	return middle(each), slices.Min(each), slices.Max(each)
}

// reached tells whether the median is as the target wants it.
func (r *result) reached(t target) bool {
	median, _, _ := r.ratio(t)
	switch t.sort {
	case atLeast:
		return median >= t.than
	case fewer:
		return median < r.median(r.peer, t.by)
	case count:
		return median < t.than+0.5 // what runs beside allocates now and then
	}
	return median <= t.than
}

// median returns the median of one figure of a side.
func (r *result) median(side []cost, m metric) float64 {
	each := make([]float64, len(side))
	for i := range side {
		each[i] = side[i].of(m)
	}
	return middle(each)
}

// middle returns the median.
func middle(each []float64) float64 {
	sorted := slices.Sorted(slices.Values(each))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
