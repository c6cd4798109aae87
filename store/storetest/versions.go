package storetest

import (
	"cmp"
	"slices"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

func createVersion(e *env) {
	space := e.space()
	item := e.issue(space.ID)
	final := e.issue(space.ID).Credential
	final.State = store.StateRevoked
	e.apply(store.UpdateCredential{Credential: final})
	for _, c := range []store.Credential{item.Credential, final} { // no condition concerns its state
		for _, number := range []int64{2, 3, 7, 1 << 40} {
			v := e.newVersion(c, number)
			if number == 3 {
				v.Ends, v.FirstUsed, v.LastUsed = e.now(), e.now(), e.now()
			}
			e.apply(store.CreateVersion{Version: copyVersion(v)})
			e.equal("the version", e.version(space.ID, v.ID).Version, v)
		}
	}
	e.equal("the first version", e.version(space.ID, item.Versions[0].ID).Version, item.Versions[0])
}

func createVersionTaken(e *env) {
	here, there := e.space(), e.space()
	item, sibling, foreign := e.issue(here.ID), e.issue(here.ID), e.issue(there.ID)
	for _, of := range []store.Item{item, sibling, foreign} {
		v := e.newVersion(of.Credential, 2)
		v.ID = item.Versions[0].ID
		e.refused("an id that is taken", 0, store.Change{Steps: []store.Step{store.CreateVersion{Version: v}}})
	}
}

func createVersionElsewhere(e *env) {
	here, there := e.space(), e.space()
	item := e.issue(here.ID)
	missing := e.newVersion(e.newCredential(here.ID), 1)
	e.refused("no such credential", 0, store.Change{Steps: []store.Step{store.CreateVersion{Version: missing}}})
	ofVersion := e.newVersion(item.Credential, 2)
	ofVersion.Credential = item.Versions[0].ID
	e.refused("a version instead of a credential", 0, store.Change{Steps: []store.Step{
		store.CreateVersion{Version: ofVersion},
	}})
	for _, space := range []string{there.ID, here.Name, e.newSpace().ID, ""} {
		v := e.newVersion(item.Credential, 2)
		v.Space = space
		e.refused("another space", 0, store.Change{Steps: []store.Step{store.CreateVersion{Version: v}}})
	}
}

func createVersionNumber(e *env) {
	space := e.space()
	item, other := e.issue(space.ID), e.issue(space.ID)
	item = e.rotate(item)
	for _, number := range []int64{1, 2} {
		v := e.newVersion(item.Credential, number)
		e.refused("a number that is taken", 0, store.Change{Steps: []store.Step{store.CreateVersion{Version: v}}})
	}
	e.apply(store.CreateVersion{Version: e.newVersion(other.Credential, 2)}) // a number of its own
}

func endVersion(e *env) {
	space := e.space()
	first := e.issue(space.ID)
	item := e.rotate(first)
	other := e.issue(space.ID)
	final := copyCredential(item.Credential)
	final.State = store.StateRevoked
	for _, v := range item.Versions {
		was := v.Ends
		for i, ends := range []time.Time{
			e.now(), e.now(), e.now().Add(-time.Hour), time.UnixMilli(0).UTC(), {}, {}, e.now(),
		} {
			if i == 3 && v.ID == item.Credential.Current {
				e.apply(store.UpdateCredential{Credential: final}) // no condition concerns its state
			}
			e.apply(store.EndVersion{Space: space.ID, ID: v.ID, Was: was, Ends: ends})
			v.Ends, was = ends, ends
			e.equal("the version", e.version(space.ID, v.ID).Version, v)
		}
	}
	e.equal("another credential", e.credential(space.ID, other.Credential.ID), other)
}

func endVersionElsewhere(e *env) {
	here, there := e.space(), e.space()
	item := e.issue(here.ID)
	end := func(space, id string) store.Change {
		return store.Change{Steps: []store.Step{store.EndVersion{Space: space, ID: id, Ends: e.now()}}}
	}
	e.refused("a version that is not there", 0, end(here.ID, e.id()))
	e.refused("the id of a credential", 0, end(here.ID, item.Credential.ID))
	for _, space := range []string{there.ID, here.Name, e.newSpace().ID, ""} {
		e.refused("another space", 0, end(space, item.Versions[0].ID))
	}
}

func endVersionWas(e *env) {
	space := e.space()
	item := e.issue(space.ID)
	id := item.Versions[0].ID
	zero, epoch, some := time.Time{}, time.UnixMilli(0).UTC(), e.now()
	ends := []time.Time{zero, epoch, some, some.Add(time.Millisecond), some.Add(-time.Millisecond)}
	stored := zero
	for _, next := range append(ends, zero) {
		for _, was := range ends {
			if was.Equal(stored) {
				continue
			}
			e.refused("an end that is not the stored one", 0, store.Change{Steps: []store.Step{
				store.EndVersion{Space: space.ID, ID: id, Was: was, Ends: e.now()},
			}})
		}
		e.apply(store.EndVersion{Space: space.ID, ID: id, Was: stored, Ends: next})
		stored = next
	}
}

func createSetting(e *env) {
	for _, value := range [][]byte{{0}, []byte("some text"), {0xff, 0, 0xfe}, nil} {
		s := e.newSetting()
		s.Value = value
		e.apply(s)
		e.equal("the setting", e.setting(s.Name), value)
	}
}

func createSettingTaken(e *env) {
	for _, old := range [][]byte{nil, []byte("old")} {
		s := e.newSetting()
		s.Value = copyBytes(old)
		e.apply(s)
		for _, value := range [][]byte{nil, []byte("old"), []byte("new")} {
			s.Value = value
			e.refused("a name that is taken", 0, store.Change{Steps: []store.Step{s}})
		}
		e.equal("the setting", e.setting(s.Name), old)
	}
}

func readVersions(e *env) {
	here, there := e.space(), e.space()
	item := e.issue(here.ID)
	c := item.Credential
	want := item.Versions
	e.equal("one version", e.versions(here.ID, c.ID), want)
	for _, number := range []int64{7, 2, 1 << 40, 10, 9, 3} { // as they come; 10 is no text
		v := e.newVersion(c, number)
		switch number {
		case 2:
			v.Sealed = nil // not kept
		case 3:
			v.Ends, v.FirstUsed, v.LastUsed = e.now(), e.now(), e.now()
		}
		e.apply(store.CreateVersion{Version: copyVersion(v)})
		want = append(want, v)
		slices.SortFunc(want, func(a, b store.Version) int { return cmp.Compare(a.Number, b.Number) })
		e.mustEqual("the versions", e.versions(here.ID, c.ID), want)
	}
	for i := range want { // which are what Version says
		e.apply(
			store.EndVersion{Space: here.ID, ID: want[i].ID, Was: want[i].Ends, Ends: at(9)},
			store.RecordUse{Space: here.ID, Version: want[i].ID, First: at(-9), Last: at(9)},
		)
		want[i].Ends, want[i].FirstUsed, want[i].LastUsed = at(9), at(-9), at(9)
		e.equal("Version", e.version(here.ID, want[i].ID).Version, want[i])
	}
	sibling, foreign := e.rotate(e.issue(here.ID)), e.issue(there.ID)
	final := copyCredential(c)
	final.State = store.StateRevoked
	e.apply(store.UpdateCredential{Credential: final}) // its state does not matter
	e.mustEqual("the versions", e.versions(here.ID, c.ID), want)
	e.equal("those of a sibling", e.versions(here.ID, sibling.Credential.ID), []store.Version{sibling.Versions[1], sibling.Versions[0]})
	e.equal("those in another space", e.versions(there.ID, foreign.Credential.ID), foreign.Versions)

	many := e.issue(here.ID)
	var steps []store.Step
	for i := range 200 {
		v := e.newVersion(many.Credential, int64(i+2))
		steps = append(steps, store.CreateVersion{Version: copyVersion(v)})
		many.Versions = append(many.Versions, v)
	}
	e.apply(steps...)
	e.equal("many versions", e.versions(here.ID, many.Credential.ID), many.Versions)
}

func versionsMissing(e *env) {
	here, there := e.space(), e.space()
	item := e.rotate(e.issue(here.ID))
	bare := e.newCredential(here.ID)
	e.apply(store.CreateCredential{Credential: copyCredential(bare)})
	c := item.Credential
	ids := []string{"", e.id(), bare.ID, c.Current, c.Previous, c.ID[1:], c.ID + "0", swapCase(c.ID), c.Subject, "%"}
	for _, id := range ids {
		if versions := e.versions(here.ID, id); versions != nil {
			e.Errorf("Versions of %q are %v; want nil", id, versions)
		}
	}
	for _, space := range []string{there.ID, here.Name, e.newSpace().ID, ""} {
		if versions := e.versions(space, c.ID); versions != nil {
			e.Errorf("Versions in another space are %v; want nil", versions)
		}
	}
}
