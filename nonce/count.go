package nonce

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// defaultBlock is how many numbers are reserved at a time: few enough that it takes
// tens of thousands of restarts to use up 2^32, and so many that a file's fsync costs
// each message less than its encryption.
const defaultBlock = 1 << 16

// maxTries bounds how often a reservation is tried again because others were faster.
const maxTries = 64

// A count hands out the numbers below limit, each once. The stored record says from
// where on none was taken.
type count struct {
	store Store
	owner string // in the record
	block uint64
	limit uint64

	current atomic.Pointer[reserve]

	mu    sync.Mutex // held while a block is reserved
	floor uint64     // the highest stored count that was seen
}

// A reserve is a block of numbers that the store knows as taken.
type reserve struct {
	first, size uint64
	taken       atomic.Uint64 // also by those who came too late
}

func newCount(store Store, owner string, block, limit uint64) (*count, error) {
	if store == nil {
		return nil, fmt.Errorf("%w: there is no Store; give one, or new(nonce.Memory) for what dies with the process", ErrConfig)
	}
	if block == 0 {
		block = defaultBlock
	}
	c := &count{store: store, owner: owner, block: block, limit: limit}
	c.current.Store(new(reserve))
	return c, nil
}

// create begins a count in a store that has none.
func (c *count) create() error {
	err := c.store.Swap(nil, formatRecord(c.owner, 0))
	switch {
	case errors.Is(err, ErrChanged):
		return fmt.Errorf("%w: create is for a new key, and open for one that has a count", ErrExists)
	case err != nil:
		return fmt.Errorf("store the count: %w", err)
	}
	return nil
}

// open looks at the count that is stored.
func (c *count) open(atLeast uint64) error {
	c.floor = atLeast
	_, _, err := c.load()
	return err
}

// load returns the stored record and the count in it. c.mu is held, or nobody else
// has c yet.
func (c *count) load() (record []byte, n uint64, err error) {
	record, err = c.store.Load()
	if err != nil {
		return nil, 0, fmt.Errorf("load the count: %w", err)
	}
	if record == nil {
		return nil, 0, fmt.Errorf("%w: its key may have been used before; create is for a new one", ErrMissing)
	}
	n, err = parseRecord(record, c.owner)
	if err != nil {
		return nil, 0, err
	}
	if n < c.floor {
		return nil, 0, fmt.Errorf("%w: to %d, and it was %d or more; replace the key", ErrWentBack, n, c.floor)
	}
	c.floor = n
	return record, n, nil
}

// next returns a number that nobody got before.
func (c *count) next() (uint64, error) {
	for {
		r := c.current.Load()
		if n := r.taken.Add(1) - 1; n < r.size {
			return r.first + n, nil
		}
		if err := c.reserve(r); err != nil {
			return 0, err
		}
	}
}

// reserve puts a new block in the place of the one that is used up.
func (c *count) reserve(spent *reserve) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current.Load() != spent {
		return nil // somebody else did
	}
	for range maxTries {
		old, n, err := c.load()
		if err != nil {
			return err
		}
		if n >= c.limit {
			return fmt.Errorf("%w: %d of %d; replace the key", ErrExhausted, n, c.limit)
		}
		size := min(c.block, c.limit-n)
		err = c.store.Swap(old, formatRecord(c.owner, n+size))
		if errors.Is(err, ErrChanged) {
			continue // another process, which may as well have put it back
		}
		if err != nil {
			return fmt.Errorf("store the count: %w", err)
		}
		c.floor = n + size
		c.current.Store(&reserve{first: n, size: size})
		return nil
	}
	return fmt.Errorf("reserve numbers: %w, %d times", ErrChanged, maxTries)
}

// reserved returns the stored count, as far as it was seen.
func (c *count) reserved() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.floor
}
