package memory

import (
	"slices"

	"github.com/keyfob-dev/keyfob/store"
)

func keyOf(c *store.Credential) subjectKey { return subjectKey{c.Space, c.Kind, c.Subject} }

// present returns a credential as the revocations of its subject have made it.
// What it returns must not be changed.
func (t *tables) present(c *credential) *store.Credential {
	later := t.revocations[keyOf(&c.Credential)][c.epoch:]
	if len(later) == 0 || c.State.Final() {
		return &c.Credential
	}
	revoked := c.Credential
	revoked.State, revoked.Reason, revoked.Updated = store.StateRevoked, later[0].reason, later[0].at
	return &revoked
}

func (tx *tx) revokeSubject(s store.RevokeSubject) {
	key := subjectKey{s.Space, s.Kind, s.Subject}
	put(tx, tx.revocations, key, append(tx.revocations[key], revocation{s.Reason, s.At}))
}

// isUnrevoked reports whether the condition of a RequireUnrevoked holds.
func (tx *tx) isUnrevoked(s store.RequireUnrevoked) bool {
	return !slices.ContainsFunc(tx.revocations[subjectKey{s.Space, s.Kind, s.Subject}], func(r revocation) bool {
		return !r.at.Before(s.Since) && (s.Until.IsZero() || !r.at.After(s.Until))
	})
}

func (tx *tx) touchCredential(s store.TouchCredential) bool {
	stored := tx.credentials[s.ID]
	if stored == nil || stored.Space != s.Space || stored.Revision != s.Revision ||
		tx.present(stored).State != store.StateActive || !stored.Seen.Equal(s.Was) {
		return false
	}
	set(tx, &stored.Seen, s.At)
	return true
}
