package storetest

import (
	"cmp"
	"slices"
	"strings"

	"github.com/keyfob-dev/keyfob/store"
)

// stepOfLife carries out a step that is about a credential's use and end, the
// chain, the mark or a replay, or reports that its condition does not hold.
func (m *model) stepOfLife(step store.Step) bool {
	switch s := step.(type) {
	case store.UseCredential:
		for i, c := range m.credentials {
			if c.ID == s.ID && c.Space == s.Space && c.Revision == s.Revision && !c.State.Final() && c.Used < c.Uses {
				m.credentials[i].Used++
				return true
			}
		}
		return false
	case store.DeleteCredential:
		return m.deleteCredential(s)
	case store.RecordUse:
		m.recordUse(s)
		return true
	case store.SealEvents:
		return m.sealEvents(s)
	case store.RaiseMark:
		if s.To.After(m.mark) {
			m.mark = s.To
		}
		return true
	case store.SetMark:
		if !m.mark.Equal(s.Was) {
			return false
		}
		m.mark = s.To
		return true
	case store.CreateReplay:
		if _, ok := m.replay(s.Replay.Space, s.Replay.Name); ok {
			return false
		}
		m.replays = append(m.replays, s.Replay)
		return true
	case store.DeleteReplays:
		m.replays = slices.DeleteFunc(m.replays, func(r store.Replay) bool { return !r.Expires.After(s.Until) })
		return true
	}
	return m.stepOfCodes(step)
}

func (m *model) deleteCredential(s store.DeleteCredential) bool {
	i := slices.IndexFunc(m.credentials, func(c store.Credential) bool {
		return c.ID == s.ID && c.Space == s.Space && c.Revision == s.Revision
	})
	if i < 0 {
		return false
	}
	m.credentials = slices.Delete(m.credentials, i, i+1)
	for _, v := range m.versions {
		if v.Credential == s.ID {
			m.uses = slices.DeleteFunc(m.uses, func(u versionUse) bool { return u.version == v.ID })
		}
	}
	m.versions = slices.DeleteFunc(slices.Clone(m.versions), func(v store.Version) bool { return v.Credential == s.ID })
	return true
}

func (m *model) recordUse(s store.RecordUse) {
	i := slices.IndexFunc(m.versions, func(v store.Version) bool { return v.ID == s.Version && v.Space == s.Space })
	if i < 0 {
		return
	}
	v := &m.versions[i]
	if v.FirstUsed.IsZero() || s.First.Before(v.FirstUsed) {
		v.FirstUsed = s.First
	}
	if v.LastUsed.IsZero() || s.Last.After(v.LastUsed) {
		v.LastUsed = s.Last
	}
	if s.Address == "" {
		return
	}
	all := append(m.usesOf(s.Version), store.Use{Address: s.Address, First: s.First, Last: s.Last})
	if i := slices.IndexFunc(all, func(u store.Use) bool { return u.Address == s.Address }); i < len(all)-1 {
		all = all[:len(all)-1]
		if s.First.Before(all[i].First) {
			all[i].First = s.First
		}
		if s.Last.After(all[i].Last) {
			all[i].Last = s.Last
		}
	}
	slices.SortFunc(all, lastUsedFirst)
	m.uses = slices.DeleteFunc(m.uses, func(u versionUse) bool { return u.version == s.Version })
	for _, u := range all[:min(len(all), store.MaxAddresses)] {
		m.uses = append(m.uses, versionUse{s.Version, u})
	}
}

// lastUsedFirst is the order of Uses.
func lastUsedFirst(a, b store.Use) int {
	return cmp.Or(b.Last.Compare(a.Last), strings.Compare(b.Address, a.Address))
}

// usesOf returns the uses of a version, in their order.
func (m *model) usesOf(version string) []store.Use {
	var uses []store.Use
	for _, u := range m.uses {
		if u.version == version {
			uses = append(uses, u.Use)
		}
	}
	return uses
}

// usesIn answers as Uses does.
func (m *model) usesIn(space, version string) []store.Use {
	if _, ok := m.version(space, version); !ok {
		return nil
	}
	return m.usesOf(version)
}

func (m *model) sealEvents(s store.SealEvents) bool {
	if m.heads[s.Space].Seq != s.After {
		return false
	}
	for n, seal := range s.Seals {
		i := slices.IndexFunc(m.events, func(e store.Event) bool { return e.Number == seal.Event })
		if i < 0 || m.events[i].Space != s.Space || m.events[i].Seq != 0 {
			return false
		}
		m.events[i].Seq, m.events[i].Link = s.After+int64(n)+1, copyBytes(seal.Link)
	}
	end := s.Seals[len(s.Seals)-1]
	if m.heads == nil {
		m.heads = map[string]store.Head{}
	}
	m.heads[s.Space] = store.Head{Seq: s.After + int64(len(s.Seals)), Link: copyBytes(end.Link)}
	return true
}

// unsealed answers as Unsealed does, without a limit.
func (m *model) unsealed() []store.Event {
	var events []store.Event
	for _, e := range m.events {
		if e.Seq == 0 {
			events = append(events, copyEvent(e))
		}
	}
	return events
}

func (m *model) replay(space, name string) (replay store.Replay, ok bool) {
	for _, r := range m.replays {
		if r.Space == space && r.Name == name {
			return copyReplay(r), true
		}
	}
	return store.Replay{}, false
}
