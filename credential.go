package keyfob

import (
	"maps"
	"slices"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// A Kind says what a credential is for.
type Kind = store.Kind

// The kinds of credential that can be issued.
const (
	KindAPIKey = store.KindAPIKey
)

// A State says what a credential is now.
type State = store.State

// The states of a credential. Revoked is final; StateExpired is computed from
// the time and never stored.
const (
	StateActive  = store.StateActive
	StateRevoked = store.StateRevoked
	StateExpired = State("expired")
)

// The states of a version.
const (
	VersionActive = VersionState("active") // the newest
	VersionGrace  = VersionState("grace")  // replaced, and still accepted until it ends
	VersionEnded  = VersionState("ended")
)

// A VersionState says whether a version's secret is accepted.
type VersionState string

// A Credential is the record of one thing handed out. It holds no secret and
// nothing made of one.
type Credential struct {
	ID         string // 16 base62 characters; public and stable
	Space      string // name
	Kind       Kind
	Subject    string
	Name       string
	Scopes     []string
	Attributes map[string]string

	State    State
	Reason   string // why it was revoked; empty when nobody said
	Revision int64  // grows by one with each change
	Created  time.Time
	Expires  time.Time // zero: never

	// Versions are the newest version and, after a rotation, the one before
	// it, in this order. Verify returns only the one that was presented.
	Versions []Version
}

// A Version is one secret of a credential: rotation adds one.
type Version struct {
	ID      string // 16 base62 characters: the public part of its token
	Number  int64  // 1 for the first
	Prefix  string // of its token
	State   VersionState
	Created time.Time
	Ends    time.Time // zero: when its credential does
}

// credentialOf is what a user sees of a record at the time now.
func (a *Authority) credentialOf(now time.Time, row *store.Credential, versions ...store.Version) Credential {
	c := Credential{
		ID: row.ID, Space: a.space, Kind: row.Kind, Subject: row.Subject, Name: row.Name,
		Scopes: slices.Clone(row.Scopes), Attributes: maps.Clone(row.Attributes),
		State: row.State, Reason: row.Reason, Revision: row.Revision,
		Created: row.Created, Expires: row.Expires,
	}
	if c.State == StateActive && isOver(now, row.Expires) {
		c.State = StateExpired
	}
	for _, v := range versions {
		c.Versions = append(c.Versions, Version{
			ID: v.ID, Number: v.Number, Prefix: v.Prefix, State: versionState(now, row, &v),
			Created: v.Created, Ends: v.Ends,
		})
	}
	return c
}

func versionState(now time.Time, c *store.Credential, v *store.Version) VersionState {
	switch {
	case c.State.Final() || isOver(now, c.Expires) || isOver(now, v.Ends):
		return VersionEnded
	case v.Ends.IsZero():
		return VersionActive
	default:
		return VersionGrace
	}
}

// isOver reports whether the time end has come. The instant itself is over:
// what expires at noon is refused at noon.
func isOver(now, end time.Time) bool {
	return !end.IsZero() && !now.Before(end)
}
