package cache

import (
	"fmt"
	"sync"
	"testing"
	"unsafe"
)

// An entry fits 768 bytes, which the runtime hands out in one piece; of one byte more
// it would take 896, a hundred thousand times.
func TestEntrySize(t *testing.T) {
	if n := unsafe.Sizeof(Entry{}); n > 768 {
		t.Errorf("an entry has %d bytes", n)
	}
}

// entries counts what a table can find.
func entries(t *table) (n int) {
	for i := range *t.slots.Load() {
		if e := (*t.slots.Load())[i].entry.Load(); e != nil && t.get(string(e.id[:])) == e {
			n++
		}
	}
	return n
}

func newEntry(i int) (string, *Entry) {
	name := id(fmt.Sprint(i))
	return name, &Entry{id: [idLength]byte([]byte(name))}
}

// As many entries as a table is for are all kept, while it grows and afterwards.
func TestTableKeepsAll(t *testing.T) {
	const most = 100_000
	table := newTable(most)
	lost := 0
	for i := range most {
		table.put(newEntry(i))
		if early, e := newEntry(i / 2); table.get(early) == nil || !e.is(early) {
			lost++
		}
	}
	for i := range most {
		if name, _ := newEntry(i); table.get(name) == nil {
			lost++
		}
	}
	t.Logf("%d entries in %d slots; %d look-ups found nothing", table.count, len(*table.slots.Load()), lost)
	if lost > most/1000 {
		t.Errorf("%d look-ups found nothing", lost)
	}
}

// A table that is full removes what is of no use before what is.
func TestTableKeepsWhatIsInUse(t *testing.T) {
	const most, hot = 1000, 100
	table := newTable(most)
	lost := 0
	for i := range 20 * most {
		table.put(newEntry(i))
		for range 2 { // each of the hot ones every 50 rounds
			name, e := newEntry((2*i + i%2) % hot)
			if table.get(name) == nil && i > hot {
				lost++
				table.put(name, e)
			}
		}
	}
	// Where a window is full, a new entry takes the place of another one.
	if n := entries(table); n > most || n < most-most/100 || n != table.count {
		t.Errorf("%d entries, counted as %d, want %d or some less", n, table.count, most)
	}
	if lost > 20 {
		t.Errorf("what is in use was removed %d times", lost)
	}
}

func TestTableReplaces(t *testing.T) {
	table := newTable(10)
	name, first := newEntry(1)
	_, second := newEntry(1)
	table.put(name, first)
	table.put(name, second)
	if table.get(name) != second || table.count != 1 {
		t.Errorf("not the second one is found, or %d entries are counted", table.count)
	}
}

// While others write, who reads finds what was asked for or nothing.
func TestTableConcurrently(t *testing.T) {
	table := newTable(500)
	var group sync.WaitGroup
	found := make([]int, 4)
	for g := range 4 {
		group.Go(func() {
			for i := range 50_000 {
				name, e := newEntry((i*7 + g*i) % 2000)
				if got := table.get(name); got == nil {
					table.put(name, e)
				} else if !got.is(name) {
					t.Errorf("%s is found as %s", name, got.id)
				} else {
					found[g]++
				}
			}
		})
	}
	group.Wait()
	if n := entries(table); n > 500 || n != table.count {
		t.Errorf("%d entries, counted as %d, want at most 500", n, table.count)
	}
	if found[0] == 0 {
		t.Error("nothing was ever found: the test shows nothing")
	}
}

func TestProof(t *testing.T) {
	var p Proof
	if p.Holds("") || p.Holds("secret") {
		t.Error("a Proof holds what was never kept")
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 1000 {
				p.Keep("secret")
				if p.Holds("secreu") || p.Holds("secret ") || p.Holds("") {
					t.Error("a Proof holds another secret")
				}
			}
		})
	}
	group.Wait()
	if !p.Holds("secret") {
		t.Error("a Proof does not hold what was kept")
	}
	if n := testing.AllocsPerRun(100, func() { p.Holds("0123456789012345678901234567890123456789012345678") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
