package memory

import (
	"cmp"
	"slices"
	"strings"

	"github.com/keyfob-dev/keyfob/store"
)

// tables holds the records and their indexes. Records in it are its own: they
// are copied on their way in and on their way out.
type tables struct {
	spaces      map[string]*store.Space // by id
	byName      map[string]*store.Space
	names       []string                     // of all spaces, ascending
	credentials map[string]*store.Credential // by id
	lists       map[listKey][]*store.Credential
	versions    map[string]*store.Version // by id
	numbers     map[numberKey]bool        // of the versions that are there
	events      map[string][]store.Event  // by space, ascending
	number      int64                     // of the newest event
	settings    map[string][]byte
}

// A listKey names a list of credentials, which is in ascending order of Created
// and then ID, the reverse of what queries ask for: new credentials go to the
// end of the slice. Each credential is in the list of its space, whose subject
// is empty, and in that of its subject.
type listKey struct{ space, subject string }

// A numberKey names a version by its number.
type numberKey struct {
	credential string
	number     int64
}

func newTables() *tables {
	return &tables{
		spaces:      map[string]*store.Space{},
		byName:      map[string]*store.Space{},
		credentials: map[string]*store.Credential{},
		lists:       map[listKey][]*store.Credential{},
		versions:    map[string]*store.Version{},
		numbers:     map[numberKey]bool{},
		events:      map[string][]store.Event{},
		settings:    map[string][]byte{},
	}
}

// listsOf returns the keys of the lists that c is in.
func listsOf(c *store.Credential) []listKey {
	keys := []listKey{{space: c.Space}}
	if c.Subject != "" {
		keys = append(keys, listKey{c.Space, c.Subject})
	}
	return keys
}

// comparePosition orders a credential against a position, ascending.
func comparePosition(c *store.Credential, p store.Position) int {
	return cmp.Or(c.Created.Compare(p.Created), strings.Compare(c.ID, p.ID))
}

// list adds c to its lists.
func (t *tables) list(c *store.Credential) {
	for _, key := range listsOf(c) {
		i, _ := slices.BinarySearchFunc(t.lists[key], positionOf(c), comparePosition)
		t.lists[key] = slices.Insert(t.lists[key], i, c)
	}
}

// unlist takes c out of its lists.
func (t *tables) unlist(c *store.Credential) {
	for _, key := range listsOf(c) {
		i, _ := slices.BinarySearchFunc(t.lists[key], positionOf(c), comparePosition)
		t.lists[key] = slices.Delete(t.lists[key], i, i+1)
		if len(t.lists[key]) == 0 {
			delete(t.lists, key)
		}
	}
}

func positionOf(c *store.Credential) store.Position {
	return store.Position{Created: c.Created, ID: c.ID}
}

// A tx is a change under way: each write notes how to take it back.
type tx struct {
	*tables
	undo []func()
}

// rollback takes back all writes, the last one first.
func (tx *tx) rollback() {
	for _, fn := range slices.Backward(tx.undo) {
		fn()
	}
}

func (tx *tx) onRollback(fn func()) { tx.undo = append(tx.undo, fn) }

// set gives *p a value.
func set[T any](tx *tx, p *T, value T) {
	was := *p
	tx.onRollback(func() { *p = was })
	*p = value
}

// add puts an entry into a map that has none of its key.
func add[K comparable, V any](tx *tx, m map[K]V, key K, value V) {
	tx.onRollback(func() { delete(m, key) })
	m[key] = value
}
