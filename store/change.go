package store

import "time"

// A Change is what happens in one transaction: steps, each of which has a
// condition, and the events that tell of them.
type Change struct {
	Steps  []Step
	Events []Event
}

// A Step is one conditional write. The types of this file are the only ones, as
// values; on anything else Apply does nothing and returns an error that is none
// of this package's.
type Step interface{ step() }

// CreateSpace adds a space, at revision 1. Condition: no space has its id or its
// name.
type CreateSpace struct{ Space Space }

// UpdateSpace writes the mutable fields of a space (Prefix). Condition: the
// stored revision is Space.Revision; the new one is higher by 1.
type UpdateSpace struct{ Space Space }

// CreateCredential adds a credential, at revision 1. Condition: none has its id.
type CreateCredential struct{ Credential Credential }

// UpdateCredential writes the mutable fields of a credential (Name, Scopes,
// Attributes, NotBefore, Expires, CIDRs, Uses, Limit, State, Reason, Updated,
// Current, Previous), and no other: Used, NextStep and Seen stay what they are. Condition: the
// credential is there, in the same space; its stored revision is
// Credential.Revision, the new one being higher by 1; and its stored state is
// not final.
type UpdateCredential struct{ Credential Credential }

// UseCredential adds 1 to Used, and leaves the revision as it is. Condition: the
// credential is there, in the same space; its stored revision is Revision; its
// stored state is not final; and its stored Used is lower than its stored Uses.
type UseCredential struct {
	Space    string // the space's id
	ID       string
	Revision int64
}

// ClaimStep makes Step + 1 a credential's NextStep, and leaves the revision as it
// is. Condition: the credential is there, in the same space; its stored revision
// is Revision; its stored state is active; and its stored NextStep is Step or
// lower.
type ClaimStep struct {
	Space    string // the space's id
	ID       string
	Revision int64
	Step     int64 // 0 or more, and less than the largest
}

// TouchCredential makes At a credential's Seen, and leaves its revision as it is.
// Condition: the credential is there, in the same space; its stored revision is
// Revision; its stored state is active; and its stored Seen is Was.
type TouchCredential struct {
	Space    string // the space's id
	ID       string
	Revision int64
	Was      time.Time // zero: nobody had said
	At       time.Time
}

// RevokeSubject revokes each credential of that space, kind and subject that is
// there and whose state is not final: its State becomes StateRevoked, its Reason
// Reason and its Updated At; its revision stays what it is. What is created later,
// also by a later step of the change, is not touched by it. No condition.
//
// It takes the same time however many there are. So an implementation writes none
// of them: it counts the revocations of a subject, keeps with each credential how
// many there had been when it was created, and works out what it reads. To all
// conditions, queries and reads of this package, the stored state of a credential
// is what that makes of it.
type RevokeSubject struct {
	Space   string // the space's id
	Kind    Kind
	Subject string
	Reason  string
	At      time.Time
}

// RequireUnrevoked writes nothing. Condition: no RevokeSubject of that space, kind
// and subject has an At that is Since or later, and not after Until.
type RequireUnrevoked struct {
	Space   string // the space's id
	Kind    Kind
	Subject string
	Since   time.Time
	Until   time.Time // zero: however late
}

// RequireLive writes nothing. Condition: the credentials of that space, kind,
// subject and purpose whose state is not final are those of IDs, and no others.
type RequireLive struct {
	Space   string // the space's id
	Kind    Kind
	Subject string
	Purpose string   // empty: those without a purpose
	IDs     []string // in any order, none twice
}

// DeleteCredential removes a credential, its versions and what was recorded of
// their use. Events stay. Condition: the credential is there, in the same space,
// and its stored revision is Revision.
type DeleteCredential struct {
	Space    string // the space's id
	ID       string
	Revision int64
}

// CreateVersion adds a version. Condition: none has its id, its credential is
// there, in the same space, and has no version with its number.
type CreateVersion struct{ Version Version }

// EndVersion moves the time at which a version ends. Condition: the version is
// there, in the same space, and its stored end is Was.
type EndVersion struct {
	Space string // the space's id
	ID    string
	Was   time.Time // zero: it had no end of its own
	Ends  time.Time // zero: it has none any more
}

// CreateSetting adds a setting: a small named value that concerns the whole
// store, such as the check value of a root key. Condition: none has its name.
type CreateSetting struct {
	Name  string
	Value []byte
}

// RecordUse keeps that a version was used: its FirstUsed becomes First where it
// has none or a later one, its LastUsed becomes Last where it has none or an
// earlier one, and with an Address, the same for that address's Use. Of a
// version's addresses the MaxAddresses that were used last are kept; of two with
// one time the one that is higher bytewise; of the others nothing is known any
// more. No condition: a version that is not in the space is passed over. No
// revision changes.
type RecordUse struct {
	Space   string // the space's id
	Version string
	Address string    // empty: not known
	First   time.Time // never zero
	Last    time.Time // not before First
}

// SealEvents writes the next links of a space's chain: the events of Seals, in
// this order, get the numbers after After as their Seq, and the last becomes the
// chain's head. Condition: the space's head has the Seq After (0: it has none),
// and each event is there, in the same space, and has no Seq, nor comes twice.
type SealEvents struct {
	Space string // the space's id
	After int64
	Seals []Seal // at least one; none is an error, and no conflict
}

// A Seal is the link of one event.
type Seal struct {
	Event int64 // its Number
	Link  []byte
}

// RaiseMark makes To the store's mark, unless that is later already. No
// condition.
type RaiseMark struct{ To time.Time }

// SetMark makes To the store's mark, be it earlier or later. Condition: the mark
// is Was.
type SetMark struct {
	Was time.Time
	To  time.Time
}

// WriteBudget writes a budget, all of it. Condition: with Budget.Revision 0, the
// space has none of its name, and it begins with revision 1; otherwise the stored
// revision is Budget.Revision, and the new one is higher by 1.
type WriteBudget struct{ Budget Budget }

// ClearBudget sets a budget's Consecutive to 0, and raises its revision by 1. No
// condition: where the space has none of that name, nothing happens.
type ClearBudget struct {
	Space string // the space's id
	Name  string
}

// DeleteBudgets removes, in all spaces, each budget whose Expires is set, and is
// Until or earlier. No condition.
type DeleteBudgets struct{ Until time.Time }

// CreateReplay adds a replay. Condition: the space has none of its name.
type CreateReplay struct{ Replay Replay }

// DeleteReplays removes, in all spaces, each replay whose Expires is Until or
// earlier. No condition.
type DeleteReplays struct{ Until time.Time }

func (CreateSpace) step()      {}
func (UpdateSpace) step()      {}
func (CreateCredential) step() {}
func (UpdateCredential) step() {}
func (UseCredential) step()    {}
func (DeleteCredential) step() {}
func (CreateVersion) step()    {}
func (EndVersion) step()       {}
func (RecordUse) step()        {}
func (CreateSetting) step()    {}
func (SealEvents) step()       {}
func (RaiseMark) step()        {}
func (SetMark) step()          {}
func (ClaimStep) step()        {}
func (TouchCredential) step()  {}
func (RevokeSubject) step()    {}
func (RequireUnrevoked) step() {}
func (RequireLive) step()      {}
func (WriteBudget) step()      {}
func (ClearBudget) step()      {}
func (DeleteBudgets) step()    {}
func (CreateReplay) step()     {}
func (DeleteReplays) step()    {}
