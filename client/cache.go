package client

import (
	"crypto/sha256"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/framing"
)

// A cache keeps verdicts on tokens that were accepted. Each has a life that is
// fixed when it comes: until the bound, the credential's expiry or the version's
// end, whatever is first. Nothing is kept that came of a question that was asked
// before this Client changed something. Nothing is kept of sessions: the server is
// to learn that they are used, and a logout waits for no bound. A nil cache keeps
// nothing.
type cache struct {
	most  int           // entries of one half
	bound time.Duration // of what is known, from when the server knew it

	mu      sync.Mutex
	changes uint64 // of this Client
	// Two halves are enough to forget what is not asked for: when the young one is
	// full it becomes the old one, and what is found in the old one is young again.
	young, old map[cacheKey]*entry
}

type cacheKey [sha256.Size]byte

// An entry is a verdict that was given. It is not changed.
type entry struct {
	verdict keyfob.Verdict
	ip      netip.Addr    // that was asked about
	begin   time.Time     // before it was asked for
	life    time.Duration // from then on
}

// A fill is the moment before a question.
type fill struct {
	at      time.Time
	changes uint64
}

func newCache(size int, bound time.Duration) *cache {
	return &cache{most: max(size/2, 1), bound: bound, young: map[cacheKey]*entry{}}
}

// key is a hash over all of the question but the address: most credentials may be
// used from anywhere. The order of scopes does not matter.
func (q *question) key() cacheKey {
	b := framing.Append(make([]byte, 0, 512), "keyfob/client/cache/v1")
	b = framing.Append(b, q.space)
	b = framing.Append(b, q.check.Kind)
	b = framing.Append(b, q.token)
	scopes := q.check.Scopes
	if len(scopes) > 1 {
		scopes = slices.Sorted(slices.Values(scopes))
	}
	for _, scope := range scopes {
		b = framing.Append(b, scope)
	}
	defer clear(b) // the token is in it
	return sha256.Sum256(b)
}

// get returns the verdict on a question, if one is kept that is good now.
func (c *cache) get(q *question, now time.Time) (keyfob.Verdict, bool) {
	if c == nil || q.check.Kind == keyfob.KindSession {
		return keyfob.Verdict{}, false
	}
	key := q.key()
	e := c.find(key)
	if e == nil {
		return keyfob.Verdict{}, false
	}
	age := since(e.begin, now)
	if age < 0 || age >= e.life || len(e.verdict.Credential.CIDRs) > 0 && e.ip != q.check.IP {
		return keyfob.Verdict{}, false
	}
	v := e.verdict
	v.Credential = clone(v.Credential)
	v.Staleness += age
	return v, true
}

func (c *cache) find(key cacheKey) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.young[key]; e != nil {
		return e
	}
	e := c.old[key]
	if e != nil {
		c.add(key, e)
	}
	return e
}

// add is called with the lock.
func (c *cache) add(key cacheKey, e *entry) {
	if len(c.young) >= c.most {
		c.old, c.young = c.young, make(map[cacheKey]*entry)
	}
	c.young[key] = e
}

// begin is called before the server is asked.
func (c *cache) begin(now time.Time) fill {
	if c == nil {
		return fill{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return fill{now, c.changes}
}

// put keeps a verdict that accepts a token, unless each use of that counts.
func (c *cache) put(q *question, begin fill, v keyfob.Verdict) {
	if c == nil || v.Credential.Kind == keyfob.KindSession || v.Credential.Uses != 0 || v.Credential.Limit != (keyfob.Limit{}) || v.Meter != (keyfob.Meter{}) {
		return
	}
	life := c.bound - v.Staleness
	for _, end := range []time.Time{v.Credential.Expires, v.Credential.Versions[0].Ends} {
		if !end.IsZero() {
			life = min(life, end.Sub(begin.at))
		}
	}
	if life <= 0 {
		return
	}
	e := &entry{verdict: v, ip: q.check.IP, begin: begin.at, life: life}
	e.verdict.Credential = clone(v.Credential)
	key := q.key()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes == begin.changes {
		c.add(key, e)
	}
}

// clear forgets everything. It comes after a change, whatever became of that, and
// before anybody is told.
func (c *cache) clear() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	c.young, c.old = map[cacheKey]*entry{}, nil
}

// since is the time between two moments by the clock that was more ahead: the
// monotonic one stands still while the machine sleeps, and the other may be set
// back.
func since(then, now time.Time) time.Duration {
	return max(now.Sub(then), now.Round(0).Sub(then.Round(0)))
}

// clone copies what a caller could change.
func clone(c keyfob.Credential) keyfob.Credential {
	c.Scopes = slices.Clone(c.Scopes)
	c.Attributes = maps.Clone(c.Attributes)
	c.CIDRs = slices.Clone(c.CIDRs)
	c.Versions = slices.Clone(c.Versions)
	return c
}
