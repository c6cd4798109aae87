package memory

import (
	"fmt"
	"slices"

	"github.com/keyfob-dev/keyfob/store"
)

// apply carries out one step. It reports whether the step's condition held;
// when it did not, nothing has changed.
func (tx *tx) apply(step store.Step) (bool, error) {
	switch s := step.(type) {
	case store.CreateSpace:
		return tx.createSpace(s.Space), nil
	case store.UpdateSpace:
		return tx.updateSpace(s.Space), nil
	case store.CreateCredential:
		return tx.createCredential(s.Credential), nil
	case store.UpdateCredential:
		return tx.updateCredential(s.Credential), nil
	case store.CreateVersion:
		return tx.createVersion(s.Version), nil
	case store.EndVersion:
		return tx.endVersion(s), nil
	case store.CreateSetting:
		return tx.createSetting(s), nil
	}
	return false, fmt.Errorf("unknown step %T", step)
}

func (tx *tx) createSpace(space store.Space) bool {
	if tx.spaces[space.ID] != nil || tx.byName[space.Name] != nil {
		return false
	}
	space.Revision = 1
	add(tx, tx.spaces, space.ID, &space)
	add(tx, tx.byName, space.Name, &space)
	i, _ := slices.BinarySearch(tx.names, space.Name)
	tx.names = slices.Insert(tx.names, i, space.Name)
	tx.onRollback(func() {
		i, _ := slices.BinarySearch(tx.names, space.Name)
		tx.names = slices.Delete(tx.names, i, i+1)
	})
	return true
}

func (tx *tx) updateSpace(space store.Space) bool {
	stored := tx.spaces[space.ID]
	if stored == nil || stored.Revision != space.Revision {
		return false
	}
	updated := *stored
	updated.Prefix = space.Prefix
	updated.Revision++
	set(tx, stored, updated)
	return true
}

func (tx *tx) createCredential(c store.Credential) bool {
	if tx.credentials[c.ID] != nil {
		return false
	}
	c = cloneCredential(c)
	c.Revision = 1
	add(tx, tx.credentials, c.ID, &c)
	tx.list(&c)
	tx.onRollback(func() { tx.unlist(&c) })
	return true
}

func (tx *tx) updateCredential(c store.Credential) bool {
	stored := tx.credentials[c.ID]
	if stored == nil || stored.Space != c.Space ||
		stored.Revision != c.Revision || stored.State.Final() {
		return false
	}
	c = cloneCredential(c)
	updated := *stored
	updated.Name = c.Name
	updated.Scopes = c.Scopes
	updated.Attributes = c.Attributes
	updated.Expires = c.Expires
	updated.State = c.State
	updated.Reason = c.Reason
	updated.Current = c.Current
	updated.Previous = c.Previous
	updated.Revision++
	set(tx, stored, updated)
	return true
}

func (tx *tx) createVersion(v store.Version) bool {
	credential := tx.credentials[v.Credential]
	number := numberKey{v.Credential, v.Number}
	if tx.versions[v.ID] != nil || credential == nil ||
		credential.Space != v.Space || tx.numbers[number] {
		return false
	}
	v = cloneVersion(v)
	add(tx, tx.versions, v.ID, &v)
	add(tx, tx.numbers, number, true)
	return true
}

func (tx *tx) endVersion(s store.EndVersion) bool {
	stored := tx.versions[s.ID]
	if stored == nil || stored.Space != s.Space || !stored.Ends.Equal(s.Was) {
		return false
	}
	set(tx, &stored.Ends, s.Ends)
	return true
}

func (tx *tx) createSetting(s store.CreateSetting) bool {
	if _, ok := tx.settings[s.Name]; ok {
		return false
	}
	add(tx, tx.settings, s.Name, cloneBytes(s.Value))
	return true
}
