package memory

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	"github.com/keyfob-dev/keyfob/store"
)

// The clones share no memory with what they were made from; where it has an
// empty slice or map they have nil.

func cloneCredential(c store.Credential) store.Credential {
	c.Scopes = cloneStrings(c.Scopes)
	c.CIDRs = cloneStrings(c.CIDRs)
	c.Attributes = maps.Clone(c.Attributes)
	if len(c.Attributes) == 0 {
		c.Attributes = nil
	}
	return c
}

func cloneVersion(v store.Version) store.Version {
	v.Digest = cloneBytes(v.Digest)
	v.Sealed = cloneBytes(v.Sealed)
	return v
}

func cloneEvent(e store.Event) store.Event {
	e.MAC = cloneBytes(e.MAC)
	e.Link = cloneBytes(e.Link)
	return e
}

func cloneReplay(r store.Replay) store.Replay {
	r.Request = cloneBytes(r.Request)
	r.Sealed = cloneBytes(r.Sealed)
	return r
}

func cloneStrings(s []string) []string {
	if len(s) == 0 {
		return nil
	}
	return slices.Clone(s)
}

func cloneBytes(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return bytes.Clone(b)
}

func compareNumber(e *store.Event, number int64) int { return cmp.Compare(e.Number, number) }
