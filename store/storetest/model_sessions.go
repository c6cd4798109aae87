package storetest

import (
	"slices"

	"github.com/keyfob-dev/keyfob/store"
)

// stepOfSessions carries out a step that is about the use of a session or the
// revocation of a subject, or reports that its condition does not hold.
func (m *model) stepOfSessions(step store.Step) bool {
	switch s := step.(type) {
	case store.TouchCredential:
		for i, c := range m.credentials {
			if c.ID == s.ID && c.Space == s.Space && c.Revision == s.Revision &&
				c.State == store.StateActive && c.Seen.Equal(s.Was) {
				m.credentials[i].Seen = s.At
				return true
			}
		}
		return false
	case store.RevokeSubject:
		for i := range m.credentials {
			if c := &m.credentials[i]; concerns(s, *c) && !c.State.Final() {
				c.State, c.Reason, c.Updated = store.StateRevoked, s.Reason, s.At
			}
		}
		m.revocations = append(m.revocations, s)
		return true
	case store.RequireUnrevoked:
		return !slices.ContainsFunc(m.revocations, func(r store.RevokeSubject) bool {
			return r.Space == s.Space && r.Kind == s.Kind && r.Subject == s.Subject &&
				!r.At.Before(s.Since) && (s.Until.IsZero() || !r.At.After(s.Until))
		})
	}
	return false
}

// concerns reports whether a credential is of a revocation's space, kind and
// subject.
func concerns(r store.RevokeSubject, c store.Credential) bool {
	return c.Space == r.Space && c.Kind == r.Kind && c.Subject == r.Subject
}
