package audit

import (
	"crypto/ed25519"
	"time"

	"github.com/keyfob-dev/keyfob/internal/framing"
)

// A Checkpoint says how far the chain of a space had come.
type Checkpoint struct {
	Space   string // the space's id
	Name    string // and name
	Seq     int64  // of the last event that was sealed
	Link    []byte // of that event; empty while Seq is 0
	Time    time.Time
	RootKey int // number of the root key that the signing key is derived from
}

// Sign signs a checkpoint by Ed25519 (RFC 8032).
func (c *Checkpoint) Sign(key ed25519.PrivateKey) []byte { return ed25519.Sign(key, c.message()) }

// Verify reports whether the signature is the key's.
func (c *Checkpoint) Verify(key ed25519.PublicKey, signature []byte) bool {
	return len(key) == ed25519.PublicKeySize && ed25519.Verify(key, c.message(), signature)
}

func (c *Checkpoint) message() []byte {
	b := framing.Append(make([]byte, 0, 256), "keyfob/checkpoint/v1")
	b = framing.Append(b, c.Space)
	b = framing.Append(b, c.Name)
	b = framing.AppendInt(b, c.Seq)
	b = framing.Append(b, c.Link)
	b = framing.AppendInt(b, c.Time.UnixMilli())
	return framing.AppendInt(b, c.RootKey)
}
