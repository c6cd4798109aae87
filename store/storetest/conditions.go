package storetest

import (
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// conditionChecks are the sentences of the types of steps: what each does, and
// each part of its condition with both outcomes.
var conditionChecks = group{"Conditions", []check{
	{"CreateSpace adds a space", createSpace},
	{"CreateSpace: no space has its id or its name", createSpaceTaken},
	{"UpdateSpace writes the mutable fields", updateSpace},
	{"UpdateSpace: the stored revision is Space.Revision", updateSpaceStale},
	{"CreateCredential adds a credential", createCredential},
	{"CreateCredential: none has its id", createCredentialTaken},
	{"UpdateCredential writes the mutable fields", updateCredential},
	{"UpdateCredential leaves the immutable fields", updateImmutable},
	{"UpdateCredential: the credential is there, in the same space", updateElsewhere},
	{"UpdateCredential: its stored revision is Credential.Revision", updateStale},
	{"UpdateCredential: its stored state is not final", updateFinal},
	{"CreateVersion adds a version", createVersion},
	{"CreateVersion: none has its id", createVersionTaken},
	{"CreateVersion: its credential is there, in the same space", createVersionElsewhere},
	{"CreateVersion: has no version with its number", createVersionNumber},
	{"EndVersion moves the time at which a version ends", endVersion},
	{"EndVersion: the version is there, in the same space", endVersionElsewhere},
	{"EndVersion: its stored end is Was", endVersionWas},
	{"CreateSetting adds a setting", createSetting},
	{"CreateSetting: none has its name", createSettingTaken},
}}

func createSpace(e *env) {
	space := e.newSpace()
	e.apply(store.CreateSpace{Space: space})
	e.equal("the space", e.spaceNamed(space.Name), space)
	for _, revision := range []int64{0, 7} { // 1 when created, whatever the caller thinks
		space := e.newSpace()
		space.Revision = revision
		e.apply(store.CreateSpace{Space: space})
		space.Revision = 1
		e.equal("the space", e.spaceNamed(space.Name), space)
	}
}

func createSpaceTaken(e *env) {
	old := e.space()
	taken := map[string]store.Space{
		"id":          {ID: old.ID, Name: e.newSpace().Name},
		"name":        {ID: e.newSpace().ID, Name: old.Name},
		"id and name": {ID: old.ID, Name: old.Name},
	}
	for what, space := range taken {
		space.Prefix, space.Revision, space.Created = "another", 1, e.now()
		e.refused(what+" taken", 0, store.Change{Steps: []store.Step{store.CreateSpace{Space: space}}})
	}
	e.equal("the space that was there", e.spaceNamed(old.Name), old)
}

func updateSpace(e *env) {
	space, other := e.space(), e.space()
	for _, prefix := range []string{"globex", "globex", "initech"} {
		update := space
		update.Prefix = prefix
		update.Name, update.Created = "not "+space.Name, e.now() // immutable
		e.apply(store.UpdateSpace{Space: update})
		space.Prefix = prefix
		space.Revision++
		e.equal("the space", e.spaceNamed(space.Name), space)
	}
	if _, err := e.store.Space(background, "not "+space.Name); !isNotFound(err) {
		e.Errorf("Space of the name that an update had: %v; want ErrNotFound", err)
	}
	e.equal("another space", e.spaceNamed(other.Name), other)
}

func updateSpaceStale(e *env) {
	space := e.space()
	e.apply(store.UpdateSpace{Space: space}) // to revision 2
	for _, revision := range []int64{-1, 0, 1, 3} {
		stale := space
		stale.Prefix, stale.Revision = "stale", revision
		e.refused("a wrong revision", 0, store.Change{Steps: []store.Step{store.UpdateSpace{Space: stale}}})
	}
	e.refused("no such space", 0, store.Change{Steps: []store.Step{store.UpdateSpace{Space: e.newSpace()}}})
	byName := e.space()
	byName.ID = e.id()
	e.refused("a space that has the name only", 0, store.Change{Steps: []store.Step{store.UpdateSpace{Space: byName}}})
}

func createCredential(e *env) {
	space := e.space()
	for _, kind := range []store.Kind{
		store.KindAPIKey, store.KindSession, store.KindLink, store.KindCode, store.KindTOTP, store.KindRecovery,
	} {
		for _, state := range []store.State{store.StateActive, store.StateSuspended, store.StateRevoked} {
			c := e.newCredential(space.ID)
			c.Kind, c.State = kind, state
			e.apply(store.CreateCredential{Credential: copyCredential(c)})
			e.equal("the credential", e.credential(space.ID, c.ID), store.Item{Credential: c})
		}
	}
	bare := store.Credential{
		ID: e.id(), Space: space.ID, Kind: store.KindLink, State: store.StateActive,
		Revision: 9, Created: e.now(),
	}
	e.apply(store.CreateCredential{Credential: bare})
	bare.Revision = 1
	e.equal("a credential with nothing in it", e.credential(space.ID, bare.ID), store.Item{Credential: bare})
}

func createCredentialTaken(e *env) {
	here, there := e.space(), e.space()
	old, final := e.issue(here.ID), e.issue(here.ID)
	final.Credential.State = store.StateRevoked
	e.apply(store.UpdateCredential{Credential: final.Credential})
	for _, id := range []string{old.Credential.ID, final.Credential.ID} {
		for _, space := range []string{here.ID, there.ID} {
			c := e.newCredential(space)
			c.ID = id
			e.refused("an id that is taken", 0, store.Change{Steps: []store.Step{store.CreateCredential{Credential: c}}})
		}
	}
	e.equal("the credential that was there", e.credential(here.ID, old.Credential.ID), old)
}

func updateCredential(e *env) {
	space := e.space()
	item, other := e.issue(space.ID), e.issue(space.ID)
	second := e.newVersion(item.Credential, 2)
	e.apply(store.CreateVersion{Version: second})
	want := &item.Credential
	updates := []struct {
		what string
		set  func(c *store.Credential)
	}{
		{"nothing", func(*store.Credential) {}},
		{"Name", func(c *store.Credential) { c.Name = "another" }},
		{"Scopes", func(c *store.Credential) { c.Scopes = []string{"z", "a"} }},
		{"Attributes", func(c *store.Credential) { c.Attributes = map[string]string{"another": "one"} }},
		{"NotBefore", func(c *store.Credential) { c.NotBefore = c.NotBefore.Add(time.Hour) }},
		{"Expires", func(c *store.Credential) { c.Expires = c.Expires.Add(time.Hour) }},
		{"CIDRs", func(c *store.Credential) { c.CIDRs = []string{"2001:db8::/64", "198.51.100.0/24", "198.51.100.0/24"} }},
		{"Uses", func(c *store.Credential) { c.Uses = 1 }}, // which is less than Used
		{"Limit.Rate", func(c *store.Credential) { c.Limit.Rate++ }},
		{"Limit.Per", func(c *store.Credential) { c.Limit.Per += time.Millisecond }},
		{"Limit.Burst", func(c *store.Credential) { c.Limit.Burst++ }},
		{"Updated", func(c *store.Credential) { c.Updated = c.Updated.Add(time.Hour) }},
		{"State", func(c *store.Credential) { c.State = store.StateSuspended }},
		{"State again", func(c *store.Credential) { c.State = store.StateActive }},
		{"Reason", func(c *store.Credential) { c.Reason = "another" }},
		{"Current and Previous", func(c *store.Credential) { c.Current, c.Previous = second.ID, c.Current }},
		{"all to nothing", func(c *store.Credential) {
			c.Name, c.Reason, c.Previous = "", "", ""
			c.Scopes, c.Attributes, c.Expires = nil, nil, time.Time{}
			c.NotBefore, c.CIDRs, c.Uses, c.Limit, c.Updated = time.Time{}, nil, 0, store.Limit{}, time.Time{}
		}},
		{"all to something", func(c *store.Credential) {
			n := e.newCredential(c.Space)
			c.Name, c.Reason, c.Scopes, c.Attributes, c.Expires = n.Name, n.Reason, n.Scopes, n.Attributes, n.Expires
			c.NotBefore, c.CIDRs, c.Uses, c.Limit, c.Updated = n.NotBefore, n.CIDRs, n.Uses, n.Limit, n.Updated
		}},
		{"a final state", func(c *store.Credential) { c.State = store.StateReplaced }},
	}
	for _, u := range updates {
		u.set(want)
		e.apply(store.UpdateCredential{Credential: copyCredential(*want)})
		want.Revision++
		e.equal("after an update of "+u.what, e.credential(space.ID, want.ID).Credential, *want)
	}
	e.equal("another credential", e.credential(space.ID, other.Credential.ID), other)
}

func updateImmutable(e *env) {
	space := e.space()
	item := e.issue(space.ID)
	c := copyCredential(item.Credential)
	c.Kind, c.Created = store.KindSession, e.now()
	c.Subject, c.Purpose, c.Binding = "another subject", "another purpose", "another binding"
	c.Name = "another name"
	e.apply(store.UpdateCredential{Credential: c})
	item.Credential.Name = "another name"
	item.Credential.Revision++
	e.equal("the credential", e.credential(space.ID, c.ID), item)
	e.equal("the whole list", e.pages(store.Query{Space: space.ID, Limit: 1}), []store.Item{item})
	for what, query := range map[string]store.Query{
		"kind":    {Space: space.ID, Kind: store.KindSession, Limit: 1},
		"subject": {Space: space.ID, Subject: "another subject", Limit: 1},
	} {
		if items := e.credentials(query); len(items) > 0 {
			e.Errorf("the list of the %s that an update had is not empty", what)
		}
	}
}

func updateElsewhere(e *env) {
	here, there := e.space(), e.space()
	item := e.issue(here.ID)
	missing := e.newCredential(here.ID)
	e.refused("a credential that is not there", 0, store.Change{Steps: []store.Step{
		store.UpdateCredential{Credential: missing},
	}})
	for _, space := range []string{there.ID, here.Name, e.newSpace().ID, ""} {
		c := copyCredential(item.Credential)
		c.Space, c.Name = space, "from elsewhere"
		e.refused("another space", 0, store.Change{Steps: []store.Step{store.UpdateCredential{Credential: c}}})
	}
	version := copyCredential(item.Credential)
	version.ID = item.Versions[0].ID
	e.refused("the id of a version", 0, store.Change{Steps: []store.Step{store.UpdateCredential{Credential: version}}})
}

func updateStale(e *env) {
	space := e.space()
	item := e.issue(space.ID)
	e.apply(store.UpdateCredential{Credential: item.Credential}) // to revision 2
	for _, revision := range []int64{-1, 0, 1, 3} {
		c := copyCredential(item.Credential)
		c.Revision, c.Name = revision, "stale"
		e.refused("a wrong revision", 0, store.Change{Steps: []store.Step{store.UpdateCredential{Credential: c}}})
	}
}

func updateFinal(e *env) {
	space := e.space()
	states := []store.State{
		store.StateActive, store.StateSuspended, store.StateRedeemed, store.StateReplaced, store.StateRevoked,
	}
	for _, from := range states {
		for _, to := range states {
			want := e.issue(space.ID).Credential
			want.State = from
			e.apply(store.UpdateCredential{Credential: copyCredential(want)})
			want.Revision++
			next := copyCredential(want)
			next.State, next.Name = to, "another name"
			err := e.store.Apply(background, store.Change{Steps: []store.Step{
				store.UpdateCredential{Credential: copyCredential(next)},
			}})
			switch {
			case from.Final():
				if problem := notConflict(err, 0); problem != "" {
					e.Errorf("from %s to %s: Apply: %s", from, to, problem)
				}
			case err != nil:
				e.Errorf("from %s to %s: Apply: %v", from, to, err)
			default:
				want = next
				want.Revision++
			}
			got := e.credential(space.ID, want.ID).Credential
			e.equal("after "+string(from)+" to "+string(to), got, want)
		}
	}
}
