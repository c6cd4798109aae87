package nonce

import (
	"bytes"
	"sync"
)

// A Store keeps one small record for one [Key] or one [Counter]: in a file, or in a
// row of a database.
//
// Swap MUST be atomic and durable: when it returns nil, the new record is what every
// later Load returns, in this process and in every other, through kill and power loss.
// A Swap that returns another error may have taken effect or not. A Store MUST be safe
// for concurrent use. It is asked once for every block of numbers, while those who
// want one wait for it; one that can hang sets its own time limit.
//
// In SQL, Swap is
//
//	INSERT INTO counts (name, record) VALUES ($name, $new)          -- where old is nil
//	UPDATE counts SET record = $new WHERE name = $name AND record = $old
//
// and ErrChanged where that concerns no row, or one is there already. Several
// processes can then share a key: each reserves its own numbers.
type Store interface {
	// Load returns the record, and nil if there is none yet.
	Load() ([]byte, error)

	// Swap puts new in the place of old, or, where old is nil, of nothing. If the
	// record is another one, it changes nothing, and returns an error that wraps
	// ErrChanged. It does not keep the slices.
	Swap(old, new []byte) error
}

// Memory is a Store for a key that lives no longer than its process, such as one for
// the connections that the process holds. The zero value is ready for use.
type Memory struct {
	mu     sync.Mutex
	record []byte
}

// Load returns the record.
func (m *Memory) Load() ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return bytes.Clone(m.record), nil
}

// Swap replaces the record.
func (m *Memory) Swap(old, new []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if (m.record == nil) != (old == nil) || !bytes.Equal(m.record, old) {
		return ErrChanged
	}
	m.record = bytes.Clone(new)
	return nil
}
