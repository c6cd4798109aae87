package nonce

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
)

// counterSize is how many bytes of a nonce count. The others are its prefix.
const counterSize = 8

// A CounterConfig says what the nonces of a [Counter] look like, and where their count
// is kept. Store must be set.
type CounterConfig struct {
	// Bytes is the size of a nonce: 12, 16, 24 or 32, where 0 stands for 12.
	Bytes int

	// Prefix is what every nonce begins with: all bytes but the last 8, or none, which
	// stands for zeros. Of several counters that serve one key, each has its own.
	Prefix []byte

	// Store keeps the count, of this counter alone.
	Store Store

	// Block is how many nonces are reserved at a time, where 0 stands for 65536. As
	// many are lost when a process ends.
	Block uint64

	// AtLeast refuses a stored count that is lower: what Reserved returned, if that is
	// known from elsewhere.
	AtLeast uint64
}

// A Counter makes the nonces of one key in order, each once: a prefix, and a number of
// 64 bits, big-endian. It is the deterministic construction of NIST SP 800-38D,
// section 8.2.1, and the form of RFC 5116, section 3.2. The numbers begin with 0, and
// rise; some are left out, where a process ended or shares the count with others.
//
// Nonces never repeat, through restarts and kills, on condition that the store keeps
// its promises and that no other counter with the same prefix serves the same key.
type Counter struct {
	prefix []byte
	count  *count
}

// CreateCounter begins a counter for a key that was never used: the store must not
// have a count, or the error wraps [ErrExists].
func CreateCounter(c CounterConfig) (*Counter, error) {
	k, err := newCounter(c)
	if err != nil {
		return nil, err
	}
	if c.AtLeast != 0 {
		return nil, fmt.Errorf("%w: AtLeast is for a counter that has a count", ErrConfig)
	}
	if err := k.count.create(); err != nil {
		return nil, fmt.Errorf("create counter: %w", err)
	}
	return k, nil
}

// OpenCounter goes on with a counter that CreateCounter began. The error wraps
// [ErrMissing], [ErrDamaged], [ErrForeign] or [ErrWentBack] for a stored count that
// cannot be relied on; then the key has to be replaced.
func OpenCounter(c CounterConfig) (*Counter, error) {
	k, err := newCounter(c)
	if err != nil {
		return nil, err
	}
	if err := k.count.open(c.AtLeast); err != nil {
		return nil, fmt.Errorf("open counter: %w", err)
	}
	return k, nil
}

func newCounter(c CounterConfig) (*Counter, error) {
	size := c.Bytes
	if size == 0 {
		size = defaultBytes
	}
	if err := CheckSize(size); err != nil {
		return nil, err
	}
	prefix := make([]byte, size-counterSize)
	if n := len(c.Prefix); n != 0 && n != len(prefix) {
		return nil, fmt.Errorf("%w: a prefix of %d bytes; a nonce of %d takes %d, or none", ErrConfig, n, size, len(prefix))
	}
	copy(prefix, c.Prefix)
	owner := "counter-" + hex.EncodeToString(prefix)
	count, err := newCount(c.Store, owner, c.Block, math.MaxUint64)
	if err != nil {
		return nil, err
	}
	return &Counter{prefix: prefix, count: count}, nil
}

// Next returns the next nonce. The error wraps [ErrExhausted] after 2^64-1 of them,
// or says what is wrong with the stored count.
func (c *Counter) Next() ([]byte, error) {
	return c.Append(make([]byte, 0, len(c.prefix)+counterSize))
}

// Append appends the next nonce to dst. With an error dst has not grown.
func (c *Counter) Append(dst []byte) ([]byte, error) {
	n, err := c.count.next()
	if err != nil {
		return dst, fmt.Errorf("next nonce: %w", err)
	}
	return binary.BigEndian.AppendUint64(append(dst, c.prefix...), n), nil
}

// Reserved returns how many nonces are used or reserved, as far as this process knows:
// the stored count, for [CounterConfig.AtLeast].
func (c *Counter) Reserved() uint64 { return c.count.reserved() }
