package keyfob

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// A Kind says what a credential is for.
type Kind = store.Kind

// The kinds of credential that can be issued.
const (
	KindAPIKey   = store.KindAPIKey
	KindSession  = store.KindSession
	KindLink     = store.KindLink
	KindCode     = store.KindCode
	KindTOTP     = store.KindTOTP
	KindRecovery = store.KindRecovery
)

// A State says what a credential is now.
type State = store.State

// The states of a credential that are stored. Redeemed, replaced and revoked are
// final.
const (
	StateActive    = store.StateActive
	StateSuspended = store.StateSuspended
	StateRedeemed  = store.StateRedeemed
	StateReplaced  = store.StateReplaced
	StateRevoked   = store.StateRevoked
)

// The states that are computed and never stored: of an active credential, and
// StateExpired of a suspended one as well.
const (
	StateNotYet    = State("not_yet")
	StateExpired   = State("expired")
	StateExhausted = State("exhausted")
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
	Purpose    string // of a link or a code
	Name       string
	Scopes     []string
	Attributes map[string]string
	NotBefore  time.Time      // zero: from the start
	Expires    time.Time      // zero: never
	CIDRs      []netip.Prefix // none: from anywhere
	Uses       int64          // how often it may be used; 0: without limit
	Limit      Limit          // how often in a time; zero: no limit

	// Used is how often it was used, while Uses was not 0; of a code, how many
	// guesses were made at it; of a recovery set, how many of its codes are gone.
	Used int64

	// Of a session: it ends when it was not used for Idle, in whole milliseconds.
	// Seen is when it was last used, as far as that was written: that is done as
	// soon as a tenth of Idle has passed since. Zero of other kinds.
	Idle time.Duration
	Seen time.Time

	// Confirmed tells of a TOTP that a code of it was accepted once.
	Confirmed bool

	State    State
	Reason   string // why it was revoked or suspended; empty when nobody said
	Revision int64  // grows by one with each change; not with uses
	Created  time.Time
	Updated  time.Time // zero: never

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

	// FirstUsed and LastUsed are when Verify accepted it; zero: never. Get and List
	// tell them, some seconds late; Verify's own are as old as what it knows. Of a
	// session they are as exact as a tenth of Idle. What a process that is killed
	// had not written yet is lost.
	FirstUsed time.Time
	LastUsed  time.Time

	// From is where it was used from, the last used first, of up to 16 addresses
	// that Check.IP named. Only Get fills it.
	From []Use
}

// A Use is the use of a version from one address.
type Use struct {
	IP    netip.Addr
	First time.Time
	Last  time.Time
}

// credentialOf is what a user sees of a record at the time now.
func (a *Authority) credentialOf(now time.Time, row *store.Credential, versions ...store.Version) (c Credential) {
	c = a.withoutLists(now, row)
	c.Scopes = slices.Clone(row.Scopes)
	for i := range versions {
		c.Versions = append(c.Versions, versionOf(now, row, &versions[i]))
	}
	return c
}

// verified is what a user sees of a credential whose use was just counted, and of
// the version that was presented, in as little new memory as that takes. Nothing
// that is written into it gets into the record.
func (a *Authority) verified(now time.Time, found *store.Found) (c Credential) {
	row := &found.Credential
	c = a.withoutLists(now, row)
	if row.Uses != 0 {
		c.Used++
	}
	c.Versions, c.Scopes = newLists(row.Scopes)
	fillVersion(&c.Versions[0], now, row, &found.Version)
	return c
}

// newLists makes a list for one version and a copy of the scopes, in one piece of
// memory if there are up to two scopes, and no more of it if there is one.
func newLists(scopes []string) ([]Version, []string) {
	if len(scopes) == 1 {
		lists := new(struct {
			version [1]Version
			scope   [1]string
		})
		lists.scope[0] = scopes[0]
		return lists.version[:], lists.scope[:]
	}
	lists := new(struct {
		version [1]Version
		scopes  [2]string
	})
	if len(scopes) == 0 {
		return lists.version[:], nil
	}
	return lists.version[:], append(lists.scopes[:0], scopes...)
}

// withoutLists is a credential without its scopes and versions. It is set field by
// field: as a whole it would be made first, and copied then.
func (a *Authority) withoutLists(now time.Time, row *store.Credential) (c Credential) {
	c.ID, c.Space, c.Kind = row.ID, a.space, row.Kind
	c.Subject, c.Purpose, c.Name = row.Subject, row.Purpose, row.Name
	c.Attributes = maps.Clone(row.Attributes)
	c.NotBefore, c.Expires = row.NotBefore, row.Expires
	c.CIDRs = networks(row.CIDRs)
	c.Uses, c.Limit, c.Used = row.Uses, Limit(row.Limit), row.Used
	c.Idle, c.Seen = row.Idle, row.Seen
	c.Confirmed = row.NextStep != 0
	c.State, c.Reason, c.Revision = stateOf(now, row), row.Reason, row.Revision
	c.Created, c.Updated = row.Created, row.Updated
	return c
}

func versionOf(now time.Time, c *store.Credential, v *store.Version) (shown Version) {
	fillVersion(&shown, now, c, v)
	return shown
}

func fillVersion(to *Version, now time.Time, c *store.Credential, v *store.Version) {
	to.ID, to.Number, to.Prefix = v.ID, v.Number, v.Prefix
	to.State = versionState(now, c, v)
	to.Created, to.Ends = v.Created, v.Ends
	to.FirstUsed, to.LastUsed = v.FirstUsed, v.LastUsed
}

// stateOf is the stored state, or what the time and the uses have made of it.
func stateOf(now time.Time, c *store.Credential) State {
	switch {
	case c.State.Final():
		return c.State
	case isOver(now, endOf(c)):
		return StateExpired
	case c.State != StateActive:
		return c.State
	case now.Before(c.NotBefore):
		return StateNotYet
	case isExhausted(c):
		return StateExhausted
	default:
		return StateActive
	}
}

func isExhausted(c *store.Credential) bool { return c.Uses != 0 && c.Used >= c.Uses }

func versionState(now time.Time, c *store.Credential, v *store.Version) VersionState {
	switch {
	case c.State.Final() || isOver(now, endOf(c)) || isPast(now, c, v):
		return VersionEnded
	case v.Ends.IsZero():
		return VersionActive
	default:
		return VersionGrace
	}
}

// isPast reports whether a newer secret has taken a version's place, and its grace
// is over. Of a session there is none, whatever the clock of who renewed it says.
func isPast(now time.Time, c *store.Credential, v *store.Version) bool {
	return isOver(now, v.Ends) || c.Kind == KindSession && v.ID != c.Current
}

// isOver reports whether the time end has come. The instant itself is over:
// what expires at noon is refused at noon.
func isOver(now, end time.Time) bool {
	return !end.IsZero() && !now.Before(end)
}
