// Package audit links the events of a space into a chain, signs how far it has
// come, and finds what was done to it since.
//
// Each event carries a MAC of its own from the moment it is written. Sealing
// gives it a number without gaps in its space, and a link: a hash over the link
// before and everything in the event. Who can write to the database and has not
// the root key can edit no event unseen; who removes one leaves a gap. Whoever
// cuts the end off, or puts an older copy in the place of the database, is found
// only by a checkpoint that was kept elsewhere.
package audit

import (
	"crypto/hmac"
	"crypto/sha256"

	"github.com/keyfob-dev/keyfob/internal/framing"
	"github.com/keyfob-dev/keyfob/store"
)

// MAC is HMAC-SHA-256 under the audit subkey, over all fields of an event that
// are there when it is written. The store's number is not.
func MAC(key []byte, e *store.Event) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(appendEvent(framing.Append(make([]byte, 0, 512), "keyfob/event/v1"), e))
	return h.Sum(nil)
}

// Link is SHA-256 over the link before (of the first event: nothing), the number
// in the chain, and the event with its MAC.
func Link(before []byte, seq int64, e *store.Event) []byte {
	b := framing.Append(make([]byte, 0, 512), "keyfob/chain/v1")
	b = framing.Append(b, before)
	b = framing.AppendInt(b, seq)
	b = appendEvent(b, e)
	b = framing.Append(b, e.MAC)
	sum := sha256.Sum256(b)
	return sum[:]
}

func appendEvent(b []byte, e *store.Event) []byte {
	b = framing.Append(b, e.ID)
	b = framing.Append(b, e.Space)
	b = framing.AppendInt(b, e.Time.UnixMilli())
	b = framing.Append(b, e.Actor)
	b = framing.Append(b, e.Type)
	b = framing.Append(b, e.Credential)
	b = framing.Append(b, e.Version)
	b = framing.Append(b, e.Subject)
	b = framing.Append(b, e.Reason)
	return framing.AppendInt(b, e.RootKey)
}
