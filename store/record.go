package store

import "time"

// A Kind says what a credential is for. Its text is the same in Go, in URLs, in
// the command and in events.
type Kind string

// The kinds of credential.
const (
	KindAPIKey   Kind = "apikey"
	KindSession  Kind = "session"
	KindLink     Kind = "link"
	KindCode     Kind = "code"
	KindTOTP     Kind = "totp"
	KindRecovery Kind = "recovery"
)

// A State is the stored part of what a credential's state is; that it is not
// yet valid, expired or used up follows from its other fields and the time, and
// is never stored.
type State string

// The states of a credential. Redeemed, replaced and revoked are final.
const (
	StateActive    State = "active"
	StateSuspended State = "suspended"
	StateRedeemed  State = "redeemed"
	StateReplaced  State = "replaced"
	StateRevoked   State = "revoked"
)

// Final reports whether no credential ever leaves the state.
func (s State) Final() bool {
	return s == StateRedeemed || s == StateReplaced || s == StateRevoked
}

// A Space is an isolated namespace.
type Space struct {
	ID       string // 16 base62 characters; immutable, and part of every digest
	Name     string // unique; immutable
	Prefix   string // of tokens issued from now on
	Revision int64  // 1 when created; each update adds 1
	Created  time.Time
}

// A Credential is the record of one thing handed out. It holds no secret and no
// digest: those belong to its versions.
type Credential struct {
	ID    string // 16 base62 characters, of one namespace with version ids
	Space string // the space's id
	Kind  Kind

	// Immutable: part of the digest of each version.
	Subject string
	Purpose string
	Binding string

	Name       string
	Scopes     []string
	Attributes map[string]string
	NotBefore  time.Time // zero: from the start
	Expires    time.Time // zero: never
	CIDRs      []string  // networks that it may be used from; none: from anywhere
	Uses       int64     // how often it may be used; 0: without limit
	Limit      Limit

	Used int64 // how often it was used, while Uses was not 0

	// NextStep is, of a TOTP, the lowest time step (RFC 6238, section 4.2) whose
	// code may still be accepted; 0: none was ever accepted.
	NextStep int64

	// Of a session; immutable but for Seen. It is over when Idle has passed since
	// Seen, which only TouchCredential moves.
	Idle time.Duration // in whole milliseconds; 0: it has no such end
	Seen time.Time     // when it was last known to be in use; zero: nobody has said

	// State, Reason and Updated are also what RevokeSubject has made them.
	State    State
	Reason   string // why the state is what it is; empty when nobody said
	Revision int64  // 1 when created; each update adds 1
	Created  time.Time
	Updated  time.Time // zero: never

	Current  string // id of the newest version
	Previous string // id of the version before it; empty when there is none
}

// A Limit says how often a credential may be used. Its zero value is no limit.
type Limit struct {
	Rate  int64         // uses
	Per   time.Duration // in this time, in whole milliseconds
	Burst int64         // uses at once
}

// A Version is one secret of a credential.
type Version struct {
	ID         string // 16 base62 characters; the public part of a token
	Credential string // the credential's id
	Space      string // the space's id
	Number     int64  // 1 for the first, 2 for its successor and so on
	Prefix     string // of its token; copied from the space
	Digest     []byte // HMAC-SHA-256, 32 bytes
	Sealed     []byte // the secret, encrypted; nil: it is not kept
	RootKey    int    // number of the root key that the digest was made with
	Created    time.Time
	Ends       time.Time // zero: with its credential
	FirstUsed  time.Time // zero: never
	LastUsed   time.Time // zero: never
}

// MaxAddresses is how many addresses are kept of the uses of one version.
const MaxAddresses = 16

// A Use is the use of a version from one address.
type Use struct {
	Address string
	First   time.Time
	Last    time.Time
}

// An Item is a credential with the versions that its Current and Previous name,
// in this order.
type Item struct {
	Credential Credential
	Versions   []Version
}

// Found is one version and its credential.
type Found struct {
	Credential Credential
	Version    Version
}

// An Event is one row of the audit log. Events are only ever appended.
type Event struct {
	Number     int64  // given by the store: 1 or more, and higher for later events of any space; ignored in a Change
	ID         string // 16 base62 characters
	Space      string // the space's id
	Time       time.Time
	Actor      string
	Type       string // kind or noun, dot, past participle: "apikey.issued"
	Credential string // id; empty when the event is about a space
	Version    string // id; empty when the event is about no single version
	Subject    string
	Reason     string
	RootKey    int    // number of the root key that the MAC was made with
	MAC        []byte // HMAC-SHA-256 over all fields above but Number

	// Of the chain, by SealEvents; ignored in a Change.
	Seq  int64  // 1 for the first event of its space's chain; 0: not sealed
	Link []byte // SHA-256 over the link before and this event; nil: not sealed
}

// A Head is the end of a space's chain.
type Head struct {
	Seq  int64 // of the last event that was sealed; 0: none was
	Link []byte
}

// A Replay is the answer to a request, kept for its repetition.
type Replay struct {
	Space   string // the space's id
	Name    string // unique in the space
	Request []byte // what tells the request from another
	Sealed  []byte // the answer, encrypted
	Expires time.Time
}

// A Budget counts the guesses that were made at short secrets: of one subject,
// from one address, or of whatever its name says.
type Budget struct {
	Space       string    // the space's id
	Name        string    // unique in the space
	Window      time.Time // when the present window began; zero: no guess was made
	Guesses     int64     // in the window
	Consecutive int64     // since the last success
	Last        time.Time // when the last guess was made; zero: none was
	Expires     time.Time // from when on it tells nothing any more; zero: never
	Revision    int64     // 1 when created; each change adds 1
}

// A Query asks for a page of a space's credentials. Fields with their zero
// value do not narrow.
type Query struct {
	Space   string // the space's id; required
	Kind    Kind
	Subject string
	Purpose string
	States  []State

	NameContains  string    // bytewise
	Scope         string    // one of its scopes
	ExpiresBefore time.Time // Expires is set, and earlier

	// EndedBefore: Expires is set, and earlier; or the state is final, and
	// Updated is earlier, as the zero time is.
	EndedBefore time.Time

	After Position // the last item of the page before; zero: from the start
	Limit int      // at least 1
}

// A Position is the place of a credential in the order of lists: by Created
// and then by ID, both descending.
type Position struct {
	Created time.Time
	ID      string
}

// An EventQuery asks for a page of a space's events.
type EventQuery struct {
	Space      string // the space's id; required
	Credential string // id; fields with their zero value do not narrow
	Type       string

	Newest bool  // the newest first, instead of the oldest
	After  int64 // the Number of the last event of the page before; 0: from the start
	Limit  int   // at least 1
}
