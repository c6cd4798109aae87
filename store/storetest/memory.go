package storetest

import "github.com/keyfob-dev/keyfob/store"

// memoryChecks are the sentences of the paragraph Memory.
var memoryChecks = group{"Memory", []check{
	{"a store does not keep what the caller passed", passedMutated},
	{"a store does not write to what the caller passed", passedUntouched},
	{"a store does not keep what it returned", returnedMutated},
	{"a later call does not change what was returned", returnedStays},
	{"a nil and an empty slice or map are the same, and come back as nil", emptyIsNil},
	{"an empty list is nil", emptyList},
}}

// spoil overwrites all slices and maps of a change.
func spoil(change store.Change) {
	for i, step := range change.Steps {
		switch s := step.(type) {
		case store.CreateCredential:
			spoilCredential(s.Credential)
		case store.UpdateCredential:
			spoilCredential(s.Credential)
		case store.CreateVersion:
			spoilBytes(s.Version.Digest)
			spoilBytes(s.Version.Sealed)
		case store.CreateSetting:
			spoilBytes(s.Value)
		case store.SealEvents:
			for i := range s.Seals {
				spoilBytes(s.Seals[i].Link)
				s.Seals[i] = store.Seal{}
			}
		case store.RequireLive:
			for i := range s.IDs {
				s.IDs[i] = "spoiled"
			}
		case store.CreateReplay:
			spoilBytes(s.Replay.Request)
			spoilBytes(s.Replay.Sealed)
		}
		change.Steps[i] = nil
	}
	for i := range change.Events {
		spoilBytes(change.Events[i].MAC)
		spoilBytes(change.Events[i].Link)
		change.Events[i] = store.Event{}
	}
}

func spoilItem(item store.Item) {
	spoilCredential(item.Credential)
	spoilVersions(item.Versions)
}

func spoilVersions(versions []store.Version) {
	for i := range versions {
		spoilBytes(versions[i].Digest)
		spoilBytes(versions[i].Sealed)
		versions[i] = store.Version{}
	}
}

func spoilCredential(c store.Credential) {
	for i := range c.Scopes {
		c.Scopes[i] = "spoiled"
	}
	for i := range c.CIDRs {
		c.CIDRs[i] = "spoiled"
	}
	for key := range c.Attributes {
		c.Attributes[key] = "spoiled"
	}
	if c.Attributes != nil {
		c.Attributes["another"] = "spoiled"
	}
}

func spoilBytes(b []byte) {
	for i := range b {
		b[i] = 0xee
	}
}

func passedMutated(e *env) {
	space := e.space()
	item, change := e.newIssue(space.ID)
	setting := e.newSetting()
	want := copyBytes(setting.Value)
	events := copyEvents(change.Events)
	replay := e.newReplay(space.ID)
	change.Steps = append(change.Steps, setting, store.CreateReplay{Replay: copyReplay(replay)})
	e.applyChange(change)
	spoil(change)
	e.equal("the credential", e.credential(space.ID, item.Credential.ID), item)
	e.equal("the versions", e.versions(space.ID, item.Credential.ID), item.Versions)
	e.equal("the events", numberless(e.allEvents(space.ID)), events)
	e.equal("the setting", e.setting(setting.Name), want)
	e.equal("the replay", e.replay(space.ID, replay.Name), replay)

	seals := e.newSeals(space.ID, 0, e.allEvents(space.ID)[0].Number)
	head := store.Head{Seq: 1, Link: copyBytes(seals.Seals[0].Link)}
	e.apply(seals)
	spoil(one(seals))
	e.equal("the head", e.head(space.ID), head)
	e.equal("the link", e.allEvents(space.ID)[0].Link, head.Link)

	item.Credential.Scopes, item.Credential.CIDRs = []string{"updated"}, []string{"updated"}
	item.Credential.Attributes = map[string]string{"updated": "yes"}
	update := store.Change{Steps: []store.Step{
		store.UpdateCredential{Credential: copyCredential(item.Credential)},
	}}
	e.applyChange(update)
	item.Credential.Revision++
	spoil(update)
	e.equal("the updated credential", e.credential(space.ID, item.Credential.ID), item)
}

func passedUntouched(e *env) {
	e = e.with(e.open())
	s := e.newScene()
	change := store.Change{Steps: s.good, Events: s.events}
	want := copyChange(change)
	e.applyChange(change)
	e.equal("the change", change, want)
	refused := copyChange(change)
	if problem := notConflict(e.store.Apply(background, refused), 0); problem != "" {
		e.Errorf("the same change again: %s", problem)
	}
	e.equal("the refused change", refused, want)
}

func returnedMutated(e *env) {
	space := e.space()
	item := e.rotate(e.issue(space.ID))
	e.apply(e.newSeals(space.ID, 0, e.allEvents(space.ID)[0].Number))
	events := copyEvents(e.allEvents(space.ID))
	setting, replay := e.newSetting(), e.newReplay(space.ID)
	want := copyBytes(setting.Value)
	record := store.RecordUse{Space: space.ID, Version: item.Versions[1].ID, Address: "192.0.2.1", First: at(1), Last: at(2)}
	e.apply(setting, record, store.CreateReplay{Replay: copyReplay(replay)})
	item.Versions[1].FirstUsed, item.Versions[1].LastUsed = at(1), at(2)
	query := store.Query{Space: space.ID, Limit: 2}
	for range 2 { // what is returned the second time may be what was the first
		spoilItem(e.credential(space.ID, item.Credential.ID))
		for _, v := range item.Versions {
			found := e.version(space.ID, v.ID)
			spoilItem(store.Item{Credential: found.Credential, Versions: []store.Version{found.Version}})
		}
		spoilVersions(e.versions(space.ID, item.Credential.ID))
		items := e.credentials(query)
		for i, item := range items {
			spoilItem(item)
			items[i] = store.Item{}
		}
		spoil(store.Change{Events: e.allEvents(space.ID)})
		spoil(store.Change{Events: e.unsealed(everything)})
		spoil(store.Change{Events: e.eventsAfter(0, everything)})
		spoilBytes(e.setting(setting.Name))
		spoilBytes(e.head(space.ID).Link)
		spoil(one(store.CreateReplay{Replay: e.replay(space.ID, replay.Name)}))
		e.uses(space.ID, record.Version)[0] = store.Use{}
	}
	e.equal("Credential", e.credential(space.ID, item.Credential.ID), item)
	for _, v := range item.Versions {
		e.equal("Version", e.version(space.ID, v.ID), store.Found{Credential: item.Credential, Version: v})
	}
	e.equal("Versions", e.versions(space.ID, item.Credential.ID), []store.Version{item.Versions[1], item.Versions[0]})
	e.equal("Credentials", e.credentials(query), []store.Item{item})
	e.equal("Events", e.allEvents(space.ID), events)
	e.equal("Setting", e.setting(setting.Name), want)
	e.equal("Head", e.head(space.ID), store.Head{Seq: 1, Link: events[0].Link})
	e.equal("Replay", e.replay(space.ID, replay.Name), replay)
	e.equal("Uses", e.uses(space.ID, record.Version), []store.Use{used("192.0.2.1", 1, 2)})
}

func returnedStays(e *env) {
	space := e.space()
	item := e.rotate(e.issue(space.ID))
	query := store.Query{Space: space.ID, Limit: 10}
	got := e.credential(space.ID, item.Credential.ID)
	found := e.version(space.ID, item.Versions[1].ID)
	items := e.credentials(query)
	events := e.allEvents(space.ID)
	record := store.RecordUse{Space: space.ID, Version: item.Versions[0].ID, Address: "192.0.2.1", First: at(1), Last: at(2)}
	seals := e.newSeals(space.ID, 0, events[1].Number)
	e.apply(record, seals)
	events = e.allEvents(space.ID)
	uses, head := e.uses(space.ID, record.Version), e.head(space.ID)
	wantFound, wantEvents := found, copyEvents(events)
	wantFound.Credential = copyCredential(found.Credential)
	wantFound.Version = copyVersion(found.Version)
	versions := e.versions(space.ID, item.Credential.ID)
	wantVersions := copyItem(store.Item{Versions: versions}).Versions

	next := copyItem(item)
	next.Credential.Scopes, next.Credential.Attributes = []string{"x", "y", "z"}, map[string]string{"team": "red"}
	e.rotate(next)
	e.apply(store.EndVersion{
		Space: space.ID, ID: item.Versions[1].ID, Was: item.Versions[1].Ends, Ends: e.now(),
	})
	e.issue(space.ID)
	record.First, record.Last = at(0), at(3)
	e.apply(record, e.newSeals(space.ID, 1, events[0].Number))
	record.Address = "192.0.2.2"
	e.apply(record)
	for range 2 { // reads may reuse memory
		e.credential(space.ID, item.Credential.ID)
		e.version(space.ID, item.Versions[1].ID)
		e.versions(space.ID, item.Credential.ID)
		e.credentials(query)
		e.allEvents(space.ID)
	}
	e.equal("what Credential returned", got, item)
	e.equal("what Version returned", found, wantFound)
	e.equal("what Versions returned", versions, wantVersions)
	e.equal("what Credentials returned", items, []store.Item{item})
	e.equal("what Events returned", events, wantEvents)
	e.equal("what Uses returned", uses, []store.Use{used("192.0.2.1", 1, 2)})
	e.equal("what Head returned", head, store.Head{Seq: 1, Link: seals.Seals[0].Link})
}

func emptyIsNil(e *env) {
	space := e.space()
	for _, empty := range []bool{false, true} {
		item, change := e.newIssue(space.ID)
		c, v := item.Credential, item.Versions[0]
		event, setting, replay := change.Events[0], e.newSetting(), e.newReplay(space.ID)
		c.CIDRs, v.Sealed, replay.Request, replay.Sealed = nil, nil, nil, nil
		c.Scopes, c.Attributes, v.Digest, event.MAC, setting.Value = nil, nil, nil, nil, nil
		want := store.Item{Credential: c, Versions: []store.Version{v}}
		wantEvent, wantReplay := event, replay
		if empty {
			c.Scopes, c.Attributes = []string{}, map[string]string{}
			v.Digest, event.MAC, setting.Value = []byte{}, []byte{}, []byte{}
			c.CIDRs, v.Sealed, replay.Request, replay.Sealed = []string{}, []byte{}, []byte{}, []byte{}
		}
		e.applyChange(store.Change{
			Steps: []store.Step{
				store.CreateCredential{Credential: c}, store.CreateVersion{Version: v}, setting, store.CreateReplay{Replay: replay},
			},
			Events: []store.Event{event},
		})
		e.equal("Credential", e.credential(space.ID, c.ID), want)
		e.equal("Version", e.version(space.ID, v.ID), store.Found{Credential: want.Credential, Version: want.Versions[0]})
		e.equal("Versions", e.versions(space.ID, c.ID), want.Versions)
		got := last(e.allEvents(space.ID), 1)
		wantEvent.Number = got[0].Number
		e.equal("Events", got, []store.Event{wantEvent})
		if value := e.setting(setting.Name); value != nil {
			e.Errorf("Setting of nothing is %#v; want nil", value)
		}
		e.equal("Replay", e.replay(space.ID, replay.Name), wantReplay)
		seals := store.SealEvents{Space: space.ID, After: e.head(space.ID).Seq, Seals: []store.Seal{{Event: got[0].Number}}}
		if empty {
			seals.Seals[0].Link = []byte{}
		}
		e.apply(seals)
		e.equal("Head", e.head(space.ID), store.Head{Seq: seals.After + 1})
		e.equal("Link", last(e.allEvents(space.ID), 1)[0].Link, []byte(nil))

		full := copyCredential(want.Credential)
		full.Scopes, full.Attributes, full.CIDRs = []string{"a"}, map[string]string{"a": "b"}, []string{"a"}
		e.apply(store.UpdateCredential{Credential: full})
		c.Revision = 2
		e.apply(store.UpdateCredential{Credential: c})
		want.Credential.Revision = 3
		e.equal("Credential after updates", e.credential(space.ID, c.ID), want)
		e.equal("Credentials", e.credentials(store.Query{Space: space.ID, Subject: c.Subject, Limit: 2}), []store.Item{want})
	}
	bare := e.newCredential(space.ID)
	e.apply(store.CreateCredential{Credential: bare})
	if versions := e.credential(space.ID, bare.ID).Versions; versions != nil {
		e.Errorf("Versions of a credential without any are %#v; want nil", versions)
	}
	if versions := e.versions(space.ID, bare.ID); versions != nil {
		e.Errorf("all versions of a credential without any are %#v; want nil", versions)
	}
}

func emptyList(e *env) {
	space := e.space()
	if items := e.credentials(store.Query{Space: space.ID, Limit: 1}); items != nil {
		e.Errorf("Credentials of an empty space are %#v; want nil", items)
	}
	if events := e.events(store.EventQuery{Space: space.ID, Limit: 1}); events != nil {
		e.Errorf("Events of an empty space are %#v; want nil", events)
	}
	if events := e.events(store.EventQuery{Space: space.ID, Newest: true, Limit: 1}); events != nil {
		e.Errorf("Events of an empty space, the newest first, are %#v; want nil", events)
	}
	if uses := e.uses(space.ID, e.issue(space.ID).Versions[0].ID); uses != nil {
		e.Errorf("Uses of a version that was not used are %#v; want nil", uses)
	}
	if spaces, err := e.store.Spaces(background, "\U0010ffff", 1); err != nil || spaces != nil {
		e.Errorf("Spaces after all are %#v, %v; want nil", spaces, err)
	}
}
