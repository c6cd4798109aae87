package memory

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// tables holds the records and their indexes. Records in it are its own: they
// are copied on their way in and on their way out.
type tables struct {
	spaces      map[string]*store.Space // by id
	byName      map[string]*store.Space
	names       []string                    // of all spaces, ascending
	credentials map[string]*credential      // by id
	revocations map[subjectKey][]revocation // in the order in which they were made
	lists       map[listKey][]*credential
	versions    map[string]*store.Version           // by id
	numbers     map[string]map[int64]*store.Version // by credential and number
	uses        map[string][]store.Use              // by version, in the order of Uses
	log         []*store.Event                      // all; the one with number n has index n-1
	events      map[string][]*store.Event           // by space, ascending
	sealed      int                                 // at least so many of log, from the start, have a Seq
	heads       map[string]store.Head               // by space
	replays     map[nameKey]store.Replay
	budgets     map[nameKey]store.Budget
	settings    map[string][]byte
	mark        time.Time
}

// A credential is a record, with how often its subject had been revoked when it
// was created.
type credential struct {
	store.Credential
	epoch int
}

// A revocation is what a RevokeSubject says.
type revocation struct {
	reason string
	at     time.Time
}

// A subjectKey names the credentials that a RevokeSubject revokes.
type subjectKey struct {
	space   string
	kind    store.Kind
	subject string
}

// A listKey names a list of credentials, which is in ascending order of Created
// and then ID, the reverse of what queries ask for: new credentials go to the
// end of the slice. Each credential is in the list of its space, whose subject
// is empty, and in that of its subject.
type listKey struct{ space, subject string }

// A nameKey names a replay or a budget.
type nameKey struct{ space, name string }

func newTables() *tables {
	return &tables{
		spaces:      map[string]*store.Space{},
		byName:      map[string]*store.Space{},
		credentials: map[string]*credential{},
		revocations: map[subjectKey][]revocation{},
		lists:       map[listKey][]*credential{},
		versions:    map[string]*store.Version{},
		numbers:     map[string]map[int64]*store.Version{},
		uses:        map[string][]store.Use{},
		events:      map[string][]*store.Event{},
		heads:       map[string]store.Head{},
		replays:     map[nameKey]store.Replay{},
		budgets:     map[nameKey]store.Budget{},
		settings:    map[string][]byte{},
	}
}

// listsOf returns the keys of the lists that c is in.
func listsOf(c *credential) []listKey {
	keys := []listKey{{space: c.Space}}
	if c.Subject != "" {
		keys = append(keys, listKey{c.Space, c.Subject})
	}
	return keys
}

// comparePosition orders a credential against a position, ascending.
func comparePosition(c *credential, p store.Position) int {
	return cmp.Or(c.Created.Compare(p.Created), strings.Compare(c.ID, p.ID))
}

// list adds c to its lists.
func (t *tables) list(c *credential) {
	for _, key := range listsOf(c) {
		i, _ := slices.BinarySearchFunc(t.lists[key], positionOf(c), comparePosition)
		t.lists[key] = slices.Insert(t.lists[key], i, c)
	}
}

// unlist takes c out of its lists.
func (t *tables) unlist(c *credential) {
	for _, key := range listsOf(c) {
		i, _ := slices.BinarySearchFunc(t.lists[key], positionOf(c), comparePosition)
		t.lists[key] = slices.Delete(t.lists[key], i, i+1)
		if len(t.lists[key]) == 0 {
			delete(t.lists, key)
		}
	}
}

func positionOf(c *credential) store.Position {
	return store.Position{Created: c.Created, ID: c.ID}
}

// append adds an event to the log.
func (t *tables) append(e store.Event) {
	e = cloneEvent(e)
	e.Number, e.Seq, e.Link = int64(len(t.log))+1, 0, nil
	t.log = append(t.log, &e)
	t.events[e.Space] = append(t.events[e.Space], &e)
}

// passSealed counts the events that Unsealed need not look at.
func (t *tables) passSealed() {
	for t.sealed < len(t.log) && t.log[t.sealed].Seq != 0 {
		t.sealed++
	}
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

// put gives a map's key a value.
func put[K comparable, V any](tx *tx, m map[K]V, key K, value V) {
	was, ok := m[key]
	tx.onRollback(func() {
		if ok {
			m[key] = was
		} else {
			delete(m, key)
		}
	})
	m[key] = value
}

// remove takes an entry out of a map that has it.
func remove[K comparable, V any](tx *tx, m map[K]V, key K) {
	was := m[key]
	tx.onRollback(func() { m[key] = was })
	delete(m, key)
}
