// Package cache keeps versions that were read from a store, and knows how old
// that knowledge is.
//
// Three things bound it. What this process changes is invalid here before the
// change is acknowledged. What others change is in the log of events, which is
// followed by its numbers. And each answer says its age: the time since the log
// was last read up to its end, or since the entry itself was read if that is
// later. Whoever asks decides how old is too old.
//
// A fill that raced with a change is never served. Each invalidation takes the
// next number of one counter, and its shard of credentials or of subjects keeps it;
// an entry keeps what the counter was before its read, and is good while the
// numbers of its two shards are not higher. So no lock is held, and nothing has to
// be found and removed: one invalidation ends all entries of a shard, which is a
// small part.
package cache

import (
	"hash/maphash"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// shards is how many parts of the credentials and subjects are invalidated apart.
const shards = 1 << 14

// A Cache is bounded in its entries. It is safe for concurrent use.
type Cache struct {
	entries *table // by version id
	seed    maphash.Seed
	count   atomic.Uint64         // of invalidations
	shards  [shards]atomic.Uint64 // the count at the last one of each
	all     atomic.Uint64         // the count at the last one of all
	start   time.Time
	read    atomic.Pointer[moment] // when the reading of the log began that reached its end last
	wake    chan struct{}
	asleep  atomic.Bool // whether wake is waited for

	// The store is out of reach while it has failed more often than recovered
	// says: a success tells of the failures before it began, and of no later one.
	failures  atomic.Uint64
	recovered atomic.Uint64
}

// An Entry is what is known of one version. What was found must not be changed.
type Entry struct {
	id    [idLength]byte
	count uint64 // of invalidations before it was read
	at    moment // before it was read
	shard uint16 // of its credential
	other uint16 // of its credential's subject

	// Proof and Recorded are for the caller's own use.
	Proof    Proof
	Recorded atomic.Pointer[Recorded]

	Found  store.Found
	scopes [2]string // those of the credential, if they are so few
}

// warm reads something of each line of memory (64 bytes) that whoever got the
// entry reads next, and adds it up, so that the processor waits for all of them at
// once, and not for one after the other. The sum is not 0: there is an id in it.
func (e *Entry) warm() int {
	c, v := &e.Found.Credential, &e.Found.Version
	return len(c.ID) + len(c.Subject) + len(c.Scopes) + len(c.CIDRs) + c.Seen.Nanosecond() + len(c.State) +
		len(c.Current) + len(v.Prefix) + v.RootKey + v.Ends.Nanosecond() + len(e.scopes[0])
}

// idLength is the length of a version's id. Another one is of no version.
const idLength = 16

// is reports whether an entry is of the version with that id.
func (e *Entry) is(id string) bool { return string(e.id[:]) == id }

// Recorded says which use of a version was recorded last.
type Recorded struct {
	Second int64
	From   netip.Addr
}

// New makes a Cache of up to size entries.
func New(size int) *Cache {
	return &Cache{
		entries: newTable(size),
		seed:    maphash.MakeSeed(),
		start:   time.Now(),
		wake:    make(chan struct{}, 1),
	}
}

// A Fill is the moment before a read.
type Fill struct {
	count    uint64
	failures uint64
	at       moment
}

// Begin starts a fill. The read of the store comes after it.
func (c *Cache) Begin() Fill { return Fill{c.count.Load(), c.failures.Load(), c.moment(time.Now())} }

// Put keeps what was read after Begin. The store was there, then.
func (c *Cache) Put(begin Fill, found store.Found) *Entry {
	raise(&c.recovered, begin.failures)
	e := &Entry{Found: found, count: begin.count, at: begin.at}
	e.shard, e.other = c.shard(found.Credential.ID), c.subjectShard(found.Credential.Space, found.Credential.Subject)
	if scopes := found.Credential.Scopes; 0 < len(scopes) && len(scopes) <= len(e.scopes) {
		e.Found.Credential.Scopes = append(e.scopes[:0], scopes...)
	}
	if copy(e.id[:], found.Version.ID) == len(found.Version.ID) {
		c.entries.put(found.Version.ID, e)
	}
	return e
}

// Get returns what is known of a version, and how old that is. The third result
// is false when nothing is, and while the store is out of reach as far as is
// known: then it has to be asked, and nothing is decided without it.
func (c *Cache) Get(version string, now time.Time) (*Entry, time.Duration, bool) {
	// Before the entry is looked at: a reading of the log that ends meanwhile may
	// have invalidated it.
	read := c.read.Load()
	if c.failures.Load() > c.recovered.Load() {
		c.wakeUp()
		return nil, 0, false
	}
	e := c.entries.get(version)
	if e == nil || e.warm() == 0 || c.isOver(e) {
		return nil, 0, false
	}
	at := c.moment(now)
	age := at.since(e.at)
	if read != nil {
		age = max(0, min(age, at.since(*read))) // below 0 if the reading began after now
	}
	if age > interval {
		c.wakeUp()
	}
	return e, age, true
}

// isOver reports whether what an entry knows was invalidated since it was read. No
// shard has a higher number than the count.
func (c *Cache) isOver(e *Entry) bool {
	return c.count.Load() > e.count &&
		(c.shards[e.shard].Load() > e.count || c.shards[e.other].Load() > e.count || c.all.Load() > e.count)
}

// A moment is a time by both clocks: the monotonic one stands still while the
// machine sleeps, and the other may be set back.
type moment struct{ monotonic, wall int64 } // nanoseconds

func (c *Cache) moment(t time.Time) moment { return moment{int64(t.Sub(c.start)), t.UnixNano()} }

// since is the time between two moments by the clock that was more ahead.
func (m moment) since(then moment) time.Duration {
	return time.Duration(max(m.monotonic-then.monotonic, m.wall-then.wall))
}

// Invalidate ends all that is known of a credential. It comes after the change
// was committed, and before anybody is told that it was.
func (c *Cache) Invalidate(credential string) {
	raise(&c.shards[c.shard(credential)], c.count.Add(1))
}

// InvalidateAbout ends all that is known of what an event is about: a credential, or
// those of a subject.
func (c *Cache) InvalidateAbout(e *store.Event) {
	if e.Credential != "" {
		c.Invalidate(e.Credential)
	} else if e.Subject != "" {
		raise(&c.shards[c.subjectShard(e.Space, e.Subject)], c.count.Add(1))
	}
}

// Failed says that the store could not do what was asked of it.
func (c *Cache) Failed() { c.failures.Add(1) }

// invalidateAll ends all that is known.
func (c *Cache) invalidateAll() { raise(&c.all, c.count.Add(1)) }

func (c *Cache) shard(credential string) uint16 {
	return uint16(maphash.String(c.seed, credential) % shards)
}

func (c *Cache) subjectShard(space, subject string) uint16 {
	return uint16(maphash.Comparable(c.seed, [2]string{space, subject}) % shards)
}

func raise(to *atomic.Uint64, n uint64) {
	for {
		was := to.Load()
		if was >= n || to.CompareAndSwap(was, n) {
			return
		}
	}
}
