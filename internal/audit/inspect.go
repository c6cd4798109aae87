package audit

import (
	"bytes"
	"crypto/hmac"
	"fmt"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// A Finding names what was done to a log.
type Finding string

// What can be found.
const (
	Edited     Finding = "edited"      // an event is not what was written
	Removed    Finding = "removed"     // events are missing from the middle
	Truncated  Finding = "truncated"   // events are missing from the end
	RolledBack Finding = "rolled_back" // the log is not the one of the checkpoint, or ends before it
)

// A Problem is one finding.
type Problem struct {
	Found Finding
	Seq   int64  // of the first event concerned, as far as it has one
	Event string // its id, where there is one
	Text  string // for people
}

// maxProblems is how many problems an Inspection keeps; the others are counted.
const maxProblems = 100

// An Inspection goes through the events of one space in the order of their
// numbers. Its fields are set before the first Add.
type Inspection struct {
	// Key returns the audit subkey of a root key, nil where there is none.
	Key func(rootKey int) []byte

	// Head is the head of the chain, read before the first event.
	Head store.Head

	// Checkpoints of this chain, whose signatures were found good.
	Checkpoints []Checkpoint

	Events   int64 // added
	Sealed   int64 // those of them that are in the chain
	Problems []Problem
	More     int64 // problems beyond Problems

	last    store.Head // of the chain so far
	unknown bool       // the link before is not known, since its event is missing
	open    bool       // the chain has ended, and what comes is not sealed yet

	seen map[[16]byte]bool // ids: a copy of an event has a good MAC as well
}

// Add inspects the next event.
func (n *Inspection) Add(e *store.Event) {
	n.Events++
	n.meetID(e)
	key := n.Key(e.RootKey)
	good := key != nil && hmac.Equal(MAC(key, e), e.MAC)
	if !good {
		n.find(Edited, e.Seq, e.ID, "event %s is not what keyfob wrote: its MAC is wrong", e.ID)
	}
	if n.open {
		return // it was sealed, or not, after the head was read
	}
	if e.Seq == 0 {
		if n.last.Seq < n.Head.Seq {
			n.last.Seq++
			n.find(Edited, n.last.Seq, e.ID, "event %s, number %d, has lost its place in the chain", e.ID, n.last.Seq)
			n.unknown = true
			return
		}
		n.open = true
		return
	}
	n.Sealed++
	if want := n.last.Seq + 1; e.Seq != want {
		if e.Seq < want {
			n.find(Edited, e.Seq, e.ID, "event %s has the number %d in the chain, which comes before %d", e.ID, e.Seq, want)
			return
		}
		n.find(Removed, want, "", "%s missing before event %s, which is number %d", span(want, e.Seq-1), e.ID, e.Seq)
		n.unknown = true
	}
	if good && !n.unknown && !bytes.Equal(Link(n.last.Link, e.Seq, e), e.Link) {
		n.find(Edited, e.Seq, e.ID, "event %s, number %d, is not what was sealed, or the one before it is not", e.ID, e.Seq)
	}
	n.last, n.unknown = store.Head{Seq: e.Seq, Link: e.Link}, false
	n.meet()
}

// meetID finds an event that is there twice.
func (n *Inspection) meetID(e *store.Event) {
	if n.seen == nil {
		n.seen = map[[16]byte]bool{}
	}
	var id [16]byte
	if copy(id[:], e.ID) != len(e.ID) || n.seen[id] {
		n.find(Edited, e.Seq, e.ID, "event %s is there twice, or has an id that is none", e.ID)
	}
	n.seen[id] = true
}

// meet compares the chain with the checkpoints of the place that it has come to.
func (n *Inspection) meet() {
	for _, c := range n.Checkpoints {
		if c.Seq == n.last.Seq && !bytes.Equal(c.Link, n.last.Link) {
			n.find(RolledBack, c.Seq, "", "number %d is not the event of the checkpoint of %s: the database is an older copy that was written on, or was made anew",
				c.Seq, c.Time.Format(time.RFC3339))
		}
	}
}

// End says that there is no further event. The head is the one of now.
func (n *Inspection) End(head store.Head) {
	switch {
	case n.last.Seq < n.Head.Seq:
		n.find(Truncated, n.last.Seq+1, "", "%s missing from the end of the chain", span(n.last.Seq+1, n.Head.Seq))
	case head.Seq < n.last.Seq, n.last.Seq == n.Head.Seq && !n.unknown && !bytes.Equal(n.last.Link, n.Head.Link):
		n.find(Edited, n.last.Seq, "", "the head of the chain is not its last event")
	}
	for _, c := range n.Checkpoints {
		if c.Seq > n.last.Seq {
			n.find(RolledBack, n.last.Seq+1, "", "the chain ends at number %d, before the checkpoint of %s at number %d: its end was cut off, or the database is an older copy",
				n.last.Seq, c.Time.Format(time.RFC3339), c.Seq)
		}
	}
}

func (n *Inspection) find(what Finding, seq int64, event, format string, args ...any) {
	if len(n.Problems) == maxProblems {
		n.More++
		return
	}
	n.Problems = append(n.Problems, Problem{what, seq, event, fmt.Sprintf(format, args...)})
}

// span is "number 3 is" or "numbers 3 to 5 are".
func span(first, last int64) string {
	if first == last {
		return fmt.Sprintf("number %d is", first)
	}
	return fmt.Sprintf("numbers %d to %d are", first, last)
}
