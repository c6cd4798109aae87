package keyfob

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"fmt"
	"time"

	"github.com/keyfob-dev/keyfob/internal/audit"
	"github.com/keyfob-dev/keyfob/store"
)

// A Checkpoint says, signed, how far the log of a space had come. Keep it where
// nobody who can write to the database can change it: it is what shows later that
// the end of the log was cut off, or that an older copy took the database's place.
type Checkpoint struct {
	Space   string    // name
	SpaceID string    // 16 base62 characters
	Seq     int64     // of the last event in the chain; 0: none was
	Link    []byte    // of that event, 32 bytes; empty while Seq is 0
	Time    time.Time // when it was signed
	RootKey int       // number of the root key that the signing key is derived from

	// Key is the Ed25519 public key (RFC 8032) and Signature what it signed.
	Key       ed25519.PublicKey
	Signature []byte
}

// Verify reports whether the checkpoint is what the owner of key signed. It needs
// no root key: key is one that you took from an earlier checkpoint or from the
// server, and not the checkpoint's own, which anybody can write into it.
func (c *Checkpoint) Verify(key ed25519.PublicKey) bool {
	return c.signed().Verify(key, c.Signature)
}

func (c *Checkpoint) signed() *audit.Checkpoint {
	return &audit.Checkpoint{Space: c.SpaceID, Name: c.Space, Seq: c.Seq, Link: c.Link, Time: c.Time, RootKey: c.RootKey}
}

// Checkpoint seals what the log has, and signs how far it has come. Errors:
// ErrSpace, ErrUnavailable.
func (l Events) Checkpoint(ctx context.Context) (Checkpoint, error) {
	space, err := l.a.spaceID(ctx, l.a.space)
	if err != nil {
		return Checkpoint{}, err
	}
	if err := l.a.sealer.Seal(ctx); err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	head, err := l.a.store.Head(ctx, space)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	key := l.a.keys.now().checkpoint
	c := Checkpoint{
		Space: l.a.space, SpaceID: space, Seq: head.Seq, Link: head.Link, Time: l.a.now(),
		RootKey: l.a.keys.active, Key: key.Public().(ed25519.PublicKey),
	}
	c.Signature = c.signed().Sign(key)
	return c, nil
}

// A Finding names what was done to a log.
type Finding = audit.Finding

// What Verify of the log finds. FoundRolledBack comes from a checkpoint only: a
// log whose end was cut off with care, and one of an older copy, are whole in
// themselves.
const (
	FoundEdited     = audit.Edited     // "edited": an event is not what was written
	FoundRemoved    = audit.Removed    // "removed": events are missing from the middle
	FoundTruncated  = audit.Truncated  // "truncated": events are missing from the end
	FoundRolledBack = audit.RolledBack // "rolled_back": the log is not the checkpoint's
)

// A Problem is one thing that is wrong with a log.
type Problem = audit.Problem

// An AuditReport says what is to be said of a log.
type AuditReport struct {
	Events   int64     // read
	Sealed   int64     // those of them that are in the chain
	Problems []Problem // up to 100; none: the log is whole
	More     int64     // problems beyond those
}

// Verify reads the whole log of the space and proves it: each event's MAC, the
// chain, and that it goes through the checkpoints, if any are given. What was
// done to it is in the report and no error.
//
// Without a checkpoint, a log is found whole whose end somebody cut off, the
// chain's head set back, or that is of an older copy of the database. Events of
// the last second, which are not in the chain yet, can be removed unseen. Errors:
// ErrInput (a checkpoint of another space, or one that this root key did not
// sign), ErrSpace, ErrUnavailable.
func (l Events) Verify(ctx context.Context, checkpoints ...Checkpoint) (AuditReport, error) {
	space, err := l.a.spaceID(ctx, l.a.space)
	if err != nil {
		return AuditReport{}, err
	}
	n := audit.Inspection{Key: l.a.keys.auditKey}
	for i := range checkpoints {
		if err := l.check(space, &checkpoints[i]); err != nil {
			return AuditReport{}, err
		}
		n.Checkpoints = append(n.Checkpoints, *checkpoints[i].signed())
	}
	if n.Head, err = l.a.store.Head(ctx, space); err != nil {
		return AuditReport{}, fmt.Errorf("verify log: %w", err)
	}
	query := store.EventQuery{Space: space, Limit: maxLimit}
	for {
		rows, err := l.a.store.Events(ctx, query)
		if err != nil {
			return AuditReport{}, fmt.Errorf("verify log: %w", err)
		}
		for i := range rows {
			n.Add(&rows[i])
		}
		if len(rows) < query.Limit {
			break
		}
		query.After = rows[len(rows)-1].Number
	}
	head, err := l.a.store.Head(ctx, space)
	if err != nil {
		return AuditReport{}, fmt.Errorf("verify log: %w", err)
	}
	n.End(head)
	return AuditReport{Events: n.Events, Sealed: n.Sealed, Problems: n.Problems, More: n.More}, nil
}

// check refuses a checkpoint that says nothing about this log.
func (l Events) check(space string, c *Checkpoint) error {
	sub := l.a.keys.numbers[c.RootKey]
	if sub == nil {
		return badInput("checkpoint", "was signed under number %d of the root key, which is not here", c.RootKey)
	}
	key := sub.checkpoint.Public().(ed25519.PublicKey)
	if !c.Verify(key) || !hmac.Equal(key, c.Key) {
		return badInput("checkpoint", "was changed, or signed under another root key; take the file as it was written")
	}
	if c.SpaceID != space || c.Space != l.a.space {
		return badInput("checkpoint", "is of another space: %q", c.Space)
	}
	return nil
}
