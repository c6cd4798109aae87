package memory

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// apply carries out one step. It reports whether the step's condition held;
// when it did not, the change is to be rolled back.
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
	case store.UseCredential:
		return tx.useCredential(s), nil
	case store.ClaimStep:
		return tx.claimStep(s), nil
	case store.TouchCredential:
		return tx.touchCredential(s), nil
	case store.RevokeSubject:
		tx.revokeSubject(s)
		return true, nil
	case store.RequireUnrevoked:
		return tx.isUnrevoked(s), nil
	case store.RequireLive:
		return tx.areLive(s), nil
	case store.DeleteCredential:
		return tx.deleteCredential(s), nil
	case store.CreateVersion:
		return tx.createVersion(s.Version), nil
	case store.EndVersion:
		return tx.endVersion(s), nil
	case store.RecordUse:
		tx.recordUse(s)
		return true, nil
	case store.CreateSetting:
		return tx.createSetting(s), nil
	case store.SealEvents:
		return tx.sealEvents(s)
	case store.RaiseMark:
		tx.raiseMark(s.To)
		return true, nil
	case store.SetMark:
		return tx.setMark(s), nil
	case store.WriteBudget:
		return tx.writeBudget(s.Budget), nil
	case store.ClearBudget:
		tx.clearBudget(s)
		return true, nil
	case store.DeleteBudgets:
		tx.deleteBudgets(s.Until)
		return true, nil
	case store.CreateReplay:
		return tx.createReplay(s.Replay), nil
	case store.DeleteReplays:
		tx.deleteReplays(s.Until)
		return true, nil
	}
	return false, fmt.Errorf("unknown step %T", step)
}

func (tx *tx) createSpace(space store.Space) bool {
	if tx.spaces[space.ID] != nil || tx.byName[space.Name] != nil {
		return false
	}
	space.Revision = 1
	put(tx, tx.spaces, space.ID, &space)
	put(tx, tx.byName, space.Name, &space)
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
	created := &credential{cloneCredential(c), len(tx.revocations[keyOf(&c)])}
	created.Revision = 1
	put(tx, tx.credentials, c.ID, created)
	tx.list(created)
	tx.onRollback(func() { tx.unlist(created) })
	return true
}

func (tx *tx) updateCredential(c store.Credential) bool {
	stored := tx.credentials[c.ID]
	if stored == nil || stored.Space != c.Space ||
		stored.Revision != c.Revision || tx.present(stored).State.Final() {
		return false
	}
	c = cloneCredential(c)
	updated := stored.Credential
	updated.Name = c.Name
	updated.Scopes = c.Scopes
	updated.Attributes = c.Attributes
	updated.NotBefore = c.NotBefore
	updated.Expires = c.Expires
	updated.CIDRs = c.CIDRs
	updated.Uses = c.Uses
	updated.Limit = c.Limit
	updated.State = c.State
	updated.Reason = c.Reason
	updated.Updated = c.Updated
	updated.Current = c.Current
	updated.Previous = c.Previous
	updated.Revision++
	set(tx, &stored.Credential, updated)
	return true
}

func (tx *tx) useCredential(s store.UseCredential) bool {
	stored := tx.credentials[s.ID]
	if stored == nil || stored.Space != s.Space ||
		stored.Revision != s.Revision || tx.present(stored).State.Final() || stored.Used >= stored.Uses {
		return false
	}
	set(tx, &stored.Used, stored.Used+1)
	return true
}

func (tx *tx) claimStep(s store.ClaimStep) bool {
	stored := tx.credentials[s.ID]
	if stored == nil || stored.Space != s.Space || stored.Revision != s.Revision ||
		tx.present(stored).State != store.StateActive || stored.NextStep > s.Step {
		return false
	}
	set(tx, &stored.NextStep, s.Step+1)
	return true
}

// areLive reports whether the condition of a RequireLive holds.
func (tx *tx) areLive(s store.RequireLive) bool {
	live := 0
	for _, c := range tx.lists[listKey{s.Space, s.Subject}] {
		if c.Kind != s.Kind || c.Subject != s.Subject || c.Purpose != s.Purpose || tx.present(c).State.Final() {
			continue
		}
		if !slices.Contains(s.IDs, c.ID) {
			return false
		}
		live++
	}
	return live == len(s.IDs)
}

func (tx *tx) deleteCredential(s store.DeleteCredential) bool {
	stored := tx.credentials[s.ID]
	if stored == nil || stored.Space != s.Space || stored.Revision != s.Revision {
		return false
	}
	for _, v := range tx.numbers[s.ID] {
		remove(tx, tx.versions, v.ID)
		if tx.uses[v.ID] != nil {
			remove(tx, tx.uses, v.ID)
		}
	}
	if tx.numbers[s.ID] != nil {
		remove(tx, tx.numbers, s.ID)
	}
	remove(tx, tx.credentials, s.ID)
	tx.unlist(stored)
	tx.onRollback(func() { tx.list(stored) })
	return true
}

func (tx *tx) createVersion(v store.Version) bool {
	credential := tx.credentials[v.Credential]
	numbers := tx.numbers[v.Credential]
	if tx.versions[v.ID] != nil || credential == nil ||
		credential.Space != v.Space || numbers[v.Number] != nil {
		return false
	}
	v = cloneVersion(v)
	put(tx, tx.versions, v.ID, &v)
	if numbers == nil {
		numbers = map[int64]*store.Version{}
		put(tx, tx.numbers, v.Credential, numbers)
	}
	put(tx, numbers, v.Number, &v)
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
	put(tx, tx.settings, s.Name, cloneBytes(s.Value))
	return true
}

func (tx *tx) recordUse(s store.RecordUse) {
	v := tx.versions[s.Version]
	if v == nil || v.Space != s.Space {
		return
	}
	set(tx, &v.FirstUsed, earlier(v.FirstUsed, s.First))
	set(tx, &v.LastUsed, later(v.LastUsed, s.Last))
	if s.Address == "" {
		return
	}
	uses := slices.Clone(tx.uses[v.ID])
	i := slices.IndexFunc(uses, func(u store.Use) bool { return u.Address == s.Address })
	if i < 0 {
		i = len(uses)
		uses = append(uses, store.Use{Address: s.Address})
	}
	uses[i].First = earlier(uses[i].First, s.First)
	uses[i].Last = later(uses[i].Last, s.Last)
	slices.SortFunc(uses, func(a, b store.Use) int {
		return cmp.Or(b.Last.Compare(a.Last), strings.Compare(b.Address, a.Address))
	})
	put(tx, tx.uses, v.ID, uses[:min(len(uses), store.MaxAddresses)])
}

// earlier returns the earlier of two times, of which the first may be absent.
func earlier(stored, t time.Time) time.Time {
	if stored.IsZero() || t.Before(stored) {
		return t
	}
	return stored
}

// later returns the later of two times.
func later(stored, t time.Time) time.Time {
	if t.After(stored) {
		return t
	}
	return stored
}

var errNoSeals = errors.New("a SealEvents without Seals")

func (tx *tx) sealEvents(s store.SealEvents) (bool, error) {
	if len(s.Seals) == 0 {
		return false, errNoSeals
	}
	if tx.heads[s.Space].Seq != s.After {
		return false, nil
	}
	head := store.Head{Seq: s.After}
	for _, seal := range s.Seals {
		if seal.Event < 1 || seal.Event > int64(len(tx.log)) {
			return false, nil
		}
		e := tx.log[seal.Event-1]
		if e.Space != s.Space || e.Seq != 0 {
			return false, nil
		}
		head = store.Head{Seq: head.Seq + 1, Link: cloneBytes(seal.Link)}
		set(tx, &e.Seq, head.Seq)
		set(tx, &e.Link, head.Link)
	}
	put(tx, tx.heads, s.Space, head)
	return true, nil
}

func (tx *tx) raiseMark(to time.Time) { set(tx, &tx.mark, later(tx.mark, to)) }

func (tx *tx) setMark(s store.SetMark) bool {
	if !tx.mark.Equal(s.Was) {
		return false
	}
	set(tx, &tx.mark, s.To)
	return true
}

func (tx *tx) createReplay(r store.Replay) bool {
	key := nameKey{r.Space, r.Name}
	if _, ok := tx.replays[key]; ok {
		return false
	}
	put(tx, tx.replays, key, cloneReplay(r))
	return true
}

func (tx *tx) deleteReplays(until time.Time) {
	for key, r := range maps.Clone(tx.replays) {
		if !r.Expires.After(until) {
			remove(tx, tx.replays, key)
		}
	}
}
