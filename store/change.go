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
// Attributes, Expires, State, Reason, Current, Previous). Condition: the
// credential is there, in the same space; its stored revision is
// Credential.Revision, the new one being higher by 1; and its stored state is
// not final.
type UpdateCredential struct{ Credential Credential }

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

func (CreateSpace) step()      {}
func (UpdateSpace) step()      {}
func (CreateCredential) step() {}
func (UpdateCredential) step() {}
func (CreateVersion) step()    {}
func (EndVersion) step()       {}
func (CreateSetting) step()    {}
