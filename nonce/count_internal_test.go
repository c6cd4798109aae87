package nonce

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"testing"
)

// A wayward is a Store whose next Swap can fail, before or after it took effect, or
// find that another process was faster.
type wayward struct {
	record []byte
	next   fault
	others []uint64 // numbers that the other process reserved
	swaps  int
}

type fault int

const (
	none fault = iota
	failsBefore
	failsAfter
	faster
)

var errStore = errors.New("the store failed")

func (w *wayward) Load() ([]byte, error) { return bytes.Clone(w.record), nil }

func (w *wayward) Swap(old, new []byte) error {
	w.swaps++
	f := w.next
	w.next = none
	switch f {
	case failsBefore:
		return errStore
	case faster:
		n, err := parseRecord(w.record, "test")
		if err != nil {
			return err
		}
		w.record = formatRecord("test", n+1)
		w.others = append(w.others, n)
	}
	if !bytes.Equal(w.record, old) {
		return ErrChanged
	}
	w.record = bytes.Clone(new)
	if f == failsAfter {
		return errStore
	}
	return nil
}

// What can happen to a count.
const (
	stepNext = iota
	stepKill // and start again
	stepFailBefore
	stepFailAfter
	stepFaster
	steps
)

// TestCountNeverGoesBack walks through everything that can happen in six steps:
// numbers taken, processes killed between any two, reservations that fail before or
// after they took effect, and another process that is faster; for small blocks and
// limits. No number comes twice, they rise, and all are below the limit.
func TestCountNeverGoesBack(t *testing.T) {
	const depth = 6
	walks, numbers := 0, 0
	for _, limit := range []uint64{1, 2, 4} {
		for block := uint64(1); block <= 3; block++ {
			for walk := range pow(steps, depth) {
				numbers += follow(t, walk, depth, block, limit)
				walks++
			}
		}
	}
	t.Logf("%d walks took %d numbers", walks, numbers)
	if numbers < 50_000 {
		t.Error("the walks lead nowhere")
	}
}

func pow(base, exponent int) int {
	n := 1
	for range exponent {
		n *= base
	}
	return n
}

func follow(t *testing.T, walk, depth int, block, limit uint64) (numbers int) {
	w := &wayward{record: formatRecord("test", 0)}
	start := func() *count {
		c, err := newCount(w, "test", block, limit)
		if err == nil {
			err = c.open(0)
		}
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := start()
	last, ended := int64(-1), false
	for i, rest := 0, walk; i < depth; i, rest = i+1, rest/steps {
		switch step := rest % steps; step {
		case stepKill:
			c = start()
		case stepFailBefore, stepFailAfter, stepFaster:
			w.next = fault(step - stepFailBefore + 1)
		default:
			n, err := c.next()
			switch {
			case errors.Is(err, errStore):
			case errors.Is(err, ErrExhausted):
				ended = true
			case err != nil:
				t.Fatalf("walk %d, step %d: %v", walk, i, err)
			case ended:
				t.Fatalf("walk %d, step %d: %d after the end", walk, i, n)
			case int64(n) <= last || n >= limit:
				t.Fatalf("walk %d, step %d, block %d: %d after %d, of %d", walk, i, block, n, last, limit)
			default:
				for _, o := range w.others {
					if o == n {
						t.Fatalf("walk %d, step %d: another process has %d, too", walk, i, n)
					}
				}
				last = int64(n)
				numbers++
			}
			if stored, err := parseRecord(w.record, "test"); err != nil || int64(stored) <= last {
				t.Fatalf("walk %d, step %d: %d was taken, and stored is %d, %v", walk, i, last, stored, err)
			}
		}
	}
	return numbers
}

// Numbers are taken one after the other, each once, and the store is asked once for a
// block.
func TestCountTakesAll(t *testing.T) {
	for block := uint64(1); block <= 10; block++ {
		w := &wayward{record: formatRecord("test", 0)}
		const limit = 20
		c, err := newCount(w, "test", block, limit)
		if err != nil {
			t.Fatal(err)
		}
		for want := range uint64(limit) {
			if n, err := c.next(); err != nil || n != want {
				t.Fatalf("block %d: %d, %v, want %d", block, n, err, want)
			}
		}
		for range 3 {
			if _, err := c.next(); !errors.Is(err, ErrExhausted) {
				t.Fatalf("block %d, after the last: %v", block, err)
			}
		}
		if want := int((limit + block - 1) / block); w.swaps != want {
			t.Errorf("block %d: %d swaps, want %d", block, w.swaps, want)
		}
	}
}

// Of those who find a block used up at once, one reserves the next.
func TestOneReserves(t *testing.T) {
	w := &wayward{record: formatRecord("test", 0)}
	c, err := newCount(w, "test", 10, 100)
	if err != nil {
		t.Fatal(err)
	}
	spent := c.current.Load()
	for range 3 {
		if err := c.reserve(spent); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := c.next(); err != nil || n != 0 || w.swaps != 1 {
		t.Errorf("%d, %v, after %d reservations", n, err, w.swaps)
	}
}

// At the very end nothing wraps around, however large the block.
func TestCountEndsAt64Bits(t *testing.T) {
	for _, block := range []uint64{1, 2, 3, 1 << 63, math.MaxUint64} {
		w := &wayward{record: formatRecord("test", math.MaxUint64-3)}
		c, err := newCount(w, "test", block, math.MaxUint64)
		if err != nil {
			t.Fatal(err)
		}
		var got []uint64
		for range 3 {
			n, err := c.next()
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, n)
		}
		if want := fmt.Sprint([]uint64{math.MaxUint64 - 3, math.MaxUint64 - 2, math.MaxUint64 - 1}); fmt.Sprint(got) != want {
			t.Errorf("block %d: %d, want %s", block, got, want)
		}
		if _, err := c.next(); !errors.Is(err, ErrExhausted) {
			t.Errorf("block %d: %v", block, err)
		}
	}
}

// A Counter has all numbers of 64 bits but the last, and then ends for good.
func TestCounterEnds(t *testing.T) {
	store := new(Memory)
	config := CounterConfig{Store: store}
	c, err := CreateCounter(config)
	if err != nil {
		t.Fatal(err)
	}
	store.record = formatRecord(c.count.owner, math.MaxUint64-2)
	for _, want := range []string{"\xff\xff\xff\xff\xff\xff\xff\xfd", "\xff\xff\xff\xff\xff\xff\xff\xfe"} {
		if b, err := c.Next(); err != nil || string(b) != "\x00\x00\x00\x00"+want {
			t.Errorf("%x, %v", b, err)
		}
	}
	again, err := OpenCounter(config)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*Counter{c, c, again} {
		if b, err := c.Append([]byte("head")); !errors.Is(err, ErrExhausted) || string(b) != "head" {
			t.Errorf("after the last: %x, %v", b, err)
		}
	}
}

// A store that always says that it has changed does not hold a caller for ever.
func TestCountGivesUp(t *testing.T) {
	w := &stubborn{wayward{record: formatRecord("test", 0)}}
	c, err := newCount(w, "test", 1, 10)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.next(); !errors.Is(err, ErrChanged) || w.swaps != maxTries {
		t.Errorf("%v, after %d swaps", err, w.swaps)
	}
}

type stubborn struct{ wayward }

func (s *stubborn) Swap(old, new []byte) error {
	s.swaps++
	return ErrChanged
}
