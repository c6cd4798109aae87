package cache

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

const (
	firstSlots = 1 << 10 // of a new table
	window     = 32      // slots in which an entry may be: nearly always in the first two
)

// A table is a bounded hash table for entries. Who reads takes no lock, and writes
// only that an entry is in use where that was not noted; who writes has just
// waited for the store.
//
// An entry is in the window of slots that begins where its hash says, and no other
// entry hangs on where it is. So one is removed by emptying its slot, and a reader
// who misses one that is being moved asks the store once more. The clock algorithm
// (second chance) finds whom to remove: the hand passes over what was of use since
// it last came by.
type table struct {
	seed maphash.Seed
	most int // entries

	slots atomic.Pointer[[]slot] // a power of two, at least twice as many as entries

	mu    sync.Mutex // of who writes
	count int        // entries
	hand  int        // the slot that the clock comes to next
}

// A slot keeps an entry, and the hash of its id, so that a reader need not look at
// entries that it does not seek. The lowest bit of the hash is inUse.
type slot struct {
	hash  atomic.Uint64
	entry atomic.Pointer[Entry]
}

const inUse = 1

func newTable(most int) *table {
	t := &table{seed: maphash.MakeSeed(), most: most}
	slots := make([]slot, firstSlots)
	t.slots.Store(&slots)
	return t
}

func (t *table) hash(id string) uint64 { return maphash.String(t.seed, id) &^ inUse }

// at returns the slot of that place in the window of a hash.
func at(slots []slot, hash uint64, place int) *slot {
	return &slots[(hash>>1+uint64(place))&uint64(len(slots)-1)]
}

// get returns the entry of an id, or nil.
func (t *table) get(id string) *Entry {
	hash, slots := t.hash(id), *t.slots.Load()
	for place := range window {
		s := at(slots, hash, place)
		is := s.hash.Load()
		if is&^inUse != hash {
			continue
		}
		if e := s.entry.Load(); e != nil && e.is(id) {
			if is&inUse == 0 {
				s.hash.CompareAndSwap(is, is|inUse)
			}
			return e
		}
	}
	return nil
}

// put keeps an entry, in the place of the one with the same id.
func (t *table) put(id string, e *Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	hash, slots := t.hash(id), *t.slots.Load()
	for place := range window {
		s := at(slots, hash, place)
		if was := s.entry.Load(); was != nil && was.is(id) {
			s.entry.Store(e)
			return
		}
	}
	if t.count == t.most {
		t.removeOne(slots)
	} else if 2*(t.count+1) > len(slots) {
		slots = t.grow(slots)
	}
	t.place(slots, hash, e)
}

// place puts an entry into an empty slot of its window. Where there is none, it
// takes the place of another one.
func (t *table) place(slots []slot, hash uint64, e *Entry) {
	free := at(slots, hash, 0)
	for place := range window {
		s := at(slots, hash, place)
		if s.entry.Load() == nil {
			free = s
			t.count++
			break
		}
		if s.hash.Load()&inUse == 0 {
			free = s
		}
	}
	free.entry.Store(e)
	free.hash.Store(hash)
}

// removeOne lets the hand go on to an entry that was of no use since it last came
// by, or once round.
func (t *table) removeOne(slots []slot) {
	for passed := 0; ; passed++ {
		s := &slots[t.hand]
		t.hand = (t.hand + 1) % len(slots)
		if s.entry.Load() == nil {
			continue
		}
		if is := s.hash.Load(); is&inUse != 0 && passed < len(slots) {
			s.hash.CompareAndSwap(is, is&^inUse)
			continue
		}
		s.entry.Store(nil)
		s.hash.Store(0)
		t.count--
		return
	}
}

// grow has the entries move into twice as many slots.
func (t *table) grow(old []slot) []slot {
	slots := make([]slot, 2*len(old))
	t.count, t.hand = 0, 0
	for i := range old {
		if e := old[i].entry.Load(); e != nil {
			t.place(slots, old[i].hash.Load(), e)
		}
	}
	t.slots.Store(&slots)
	return slots
}
