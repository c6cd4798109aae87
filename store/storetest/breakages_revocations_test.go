package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

const (
	checkRevoke     = "Revocations/RevokeSubject revokes what is there and not final, and leaves the revision as it is"
	checkFinal      = "Revocations/RevokeSubject leaves what is final as it is"
	checkSubject    = "Revocations/RevokeSubject is about one space, kind and subject"
	checkLater      = "Revocations/RevokeSubject does not touch what is created later"
	checkWithin     = "Revocations/RevokeSubject sees the steps before it, and does not touch what later ones create"
	checkNobody     = "Revocations/RevokeSubject has no condition"
	checkRevoked    = "Revocations/RevokeSubject: conditions see what it makes of the stored state"
	checkLive       = "Revocations/RevokeSubject: RequireLive sees what it makes of the stored state"
	checkQueries    = "Revocations/RevokeSubject: queries see what it makes of the stored state"
	checkRefused    = "Revocations/nothing remains of a RevokeSubject whose change is refused"
	raceUpdate      = "Concurrency/no update is applied after the revocation of a subject was acknowledged"
	raceCreation    = "Concurrency/what is created while its subject is revoked is revoked, or was created later"
	raceManyRevoked = "Concurrency/of revocations of one subject all are applied, and the first one counts"
)

var brokenRevocations = []breakage{
	{"nothing is revoked", on(checkRevoke, checkSubject, checkLater, "Revocations/RevokeSubject revokes however many there are", checkModel),
		onStep(func(store.Store, store.RevokeSubject) store.Step { return nothing })},
	{"one only is revoked", on("Revocations/RevokeSubject revokes however many there are", checkRevoke),
		modeled(func(m *model, s store.RevokeSubject) bool {
			m.revocations = append(m.revocations, s)
			if i := slices.IndexFunc(m.credentials, func(c store.Credential) bool { return mayRevoke(s, c) }); i >= 0 {
				setRevoked(&m.credentials[i], s)
			}
			return true
		})},
	{"what is suspended is not revoked", on(checkRevoke, checkLive, checkQueries),
		revokes(func(s store.RevokeSubject, c store.Credential) bool {
			return c.State == store.StateActive && mayRevoke(s, c)
		}, setRevoked)},
	{"what was redeemed is revoked", on(checkFinal, checkQueries),
		revokes(func(s store.RevokeSubject, c store.Credential) bool {
			return mayRevoke(s, c) || concerns(s, c) && c.State == store.StateRedeemed
		}, setRevoked)},
	{"what was revoked is revoked again", on(checkFinal, checkLater),
		revokes(func(s store.RevokeSubject, c store.Credential) bool {
			return mayRevoke(s, c) || concerns(s, c) && c.State == store.StateRevoked
		}, setRevoked)},
	{"all kinds are revoked", on(checkSubject, checkQueries),
		revokes(func(s store.RevokeSubject, c store.Credential) bool { s.Kind = c.Kind; return mayRevoke(s, c) }, setRevoked)},
	{"all spaces are revoked", on(checkSubject),
		revokes(func(s store.RevokeSubject, c store.Credential) bool { s.Space = c.Space; return mayRevoke(s, c) }, setRevoked)},
	{"no subject is any subject", on(checkSubject),
		revokes(func(s store.RevokeSubject, c store.Credential) bool {
			if s.Subject == "" {
				s.Subject = c.Subject
			}
			return mayRevoke(s, c)
		}, setRevoked)},
	{"no subject is none", on(checkSubject),
		revokes(func(s store.RevokeSubject, c store.Credential) bool { return s.Subject != "" && mayRevoke(s, c) }, setRevoked)},
	{"no kind is any kind", on(checkNobody),
		revokes(func(s store.RevokeSubject, c store.Credential) bool {
			if s.Kind == "" {
				s.Kind = c.Kind
			}
			return mayRevoke(s, c)
		}, setRevoked)},
	{"subjects of any case are revoked", on(checkSubject),
		revokes(func(s store.RevokeSubject, c store.Credential) bool {
			return strings.EqualFold(s.Subject, c.Subject) && s.Space == c.Space && s.Kind == c.Kind && !c.State.Final()
		}, setRevoked)},
	{"subjects are revoked by how they begin", on(checkSubject),
		revokes(func(s store.RevokeSubject, c store.Credential) bool {
			return strings.HasPrefix(c.Subject, s.Subject) && s.Space == c.Space && s.Kind == c.Kind && !c.State.Final()
		}, setRevoked)},
	{"what has a purpose is not revoked", on(checkRevoke, checkQueries),
		revokes(func(s store.RevokeSubject, c store.Credential) bool { return c.Purpose == "" && mayRevoke(s, c) }, setRevoked)},
	{"a revocation raises the revision", on(checkRevoke, checkRevoked),
		revokes(mayRevoke, func(c *store.Credential, s store.RevokeSubject) { setRevoked(c, s); c.Revision++ })},
	{"a revocation leaves the reason", on(checkRevoke, checkLater),
		revokes(mayRevoke, func(c *store.Credential, s store.RevokeSubject) { s.Reason = c.Reason; setRevoked(c, s) })},
	{"a revocation without a reason leaves the one before", on(checkRevoke),
		revokes(mayRevoke, func(c *store.Credential, s store.RevokeSubject) {
			if s.Reason == "" {
				s.Reason = c.Reason
			}
			setRevoked(c, s)
		})},
	{"a revocation leaves Updated", on(checkRevoke, checkQueries),
		revokes(mayRevoke, func(c *store.Credential, s store.RevokeSubject) { s.At = c.Updated; setRevoked(c, s) })},
	{"a revocation moves Updated on only", on(checkRevoke),
		revokes(mayRevoke, func(c *store.Credential, s store.RevokeSubject) {
			if c.Updated.After(s.At) {
				s.At = c.Updated
			}
			setRevoked(c, s)
		})},
	{"a revocation ends what it revokes", on(checkRevoke),
		revokes(mayRevoke, func(c *store.Credential, s store.RevokeSubject) { setRevoked(c, s); c.Expires = s.At })},
	{"a revocation is a touch", on(checkRevoke),
		revokes(mayRevoke, func(c *store.Credential, s store.RevokeSubject) { setRevoked(c, s); c.Seen = s.At })},
	{"a revocation suspends", on(checkRevoke, checkRevoked, checkLive),
		revokes(mayRevoke, func(c *store.Credential, s store.RevokeSubject) { setRevoked(c, s); c.State = store.StateSuspended })},
	{"what is created later is revoked", on(checkLater, checkWithin, checkRevoked, checkNobody),
		modeled(func(m *model, s store.CreateCredential) bool {
			holds := m.step(s)
			c := &m.credentials[len(m.credentials)-1]
			for _, r := range m.revocations {
				if holds && mayRevoke(r, *c) {
					setRevoked(c, r)
				}
			}
			return holds
		})},
	{"an id that was revoked stays so", on(checkWithin, checkRevoked), func(store.Store) store.Store {
		gone := map[string]store.RevokeSubject{}
		return &modelStore{model: &model{}, step: func(m *model, step store.Step) (holds, done bool) {
			switch s := step.(type) {
			case store.RevokeSubject:
				for _, c := range m.credentials {
					if mayRevoke(s, c) {
						gone[c.ID] = s
					}
				}
			case store.CreateCredential:
				holds = m.step(s)
				if r, ok := gone[s.Credential.ID]; ok && holds {
					setRevoked(&m.credentials[len(m.credentials)-1], r)
				}
				return holds, true
			}
			return false, false
		}}
	}},
	{"what later steps create is revoked", on(checkWithin, checkModel), revocationsMoved(false)},
	{"what earlier steps create is not revoked", on(checkWithin, checkModel), revocationsMoved(true)},
	{"a revocation of nobody is a conflict", on(checkNobody),
		modeled(func(m *model, s store.RevokeSubject) bool {
			return slices.ContainsFunc(m.credentials, func(c store.Credential) bool { return mayRevoke(s, c) }) && m.step(s)
		})},
	{"a revocation remains of a refused change", on(checkRefused, checkRemains),
		onApply(func(s store.Store, ctx context.Context, change store.Change) error {
			err := s.Apply(ctx, change)
			for _, step := range change.Steps {
				if r, ok := step.(store.RevokeSubject); ok && errors.Is(err, store.ErrConflict) {
					_ = s.Apply(ctx, one(r))
				}
			}
			return err
		})},
	{"revocations of refused changes are counted", on(checkRefused), func(store.Store) store.Store {
		var mu sync.Mutex
		var all []store.RevokeSubject
		return &modelStore{model: &model{}, step: func(m *model, step store.Step) (holds, done bool) {
			mu.Lock()
			defer mu.Unlock()
			switch s := step.(type) {
			case store.RevokeSubject:
				all = append(all, s)
			case store.RequireUnrevoked:
				m.revocations = all
			}
			return false, false
		}}
	}},
	{"of revocations at one time one is a conflict", on(raceManyRevoked), oneRevocation},
	{"credentials are looked at first and then revoked", on(raceCreation), lookThenRevoke},
	{"what was revoked so is updated", on(checkRevoked),
		ignoresRevocations[store.UpdateCredential](func(c *store.Credential, after store.Credential) {
			if after.Revision > c.Revision {
				*c = after
			}
		})},
	{"what was revoked so is updated late", on(raceUpdate),
		lateUpdates(ignoresRevocations[store.UpdateCredential](func(c *store.Credential, after store.Credential) {
			if after.Revision > c.Revision {
				*c = after
			}
		}))},
	{"what was revoked so is used", on(checkRevoked),
		ignoresRevocations[store.UseCredential](func(c *store.Credential, after store.Credential) { c.Used = after.Used })},
	{"steps of what was revoked so are claimed", on(checkRevoked),
		ignoresRevocations[store.ClaimStep](func(c *store.Credential, after store.Credential) { c.NextStep = after.NextStep })},
	{"what was revoked so is touched", on(checkRevoked, raceNoTouch),
		ignoresRevocations[store.TouchCredential](func(c *store.Credential, after store.Credential) { c.Seen = after.Seen })},
	{"what was revoked so is live", on(checkLive, checkLater, raceCreation),
		ignoresRevocations[store.RequireLive](func(*store.Credential, store.Credential) {})},
	{"what was revoked so is not removed", on(checkRevoked),
		modeled(func(m *model, s store.DeleteCredential) bool {
			return !slices.ContainsFunc(m.credentials, func(c store.Credential) bool { return c.ID == s.ID && bySubject(m, c) }) && m.step(s)
		})},
	{"what was revoked so gets no versions", on(checkRevoked),
		modeled(func(m *model, s store.CreateVersion) bool {
			return !slices.ContainsFunc(m.credentials, func(c store.Credential) bool { return c.ID == s.Version.Credential && bySubject(m, c) }) &&
				m.step(s)
		})},
	{"Credential returns what was written", on(checkRevoke, checkLater, checkModel),
		reads(func(s store.Store, w *asWritten, b *broken) {
			b.credential = func(ctx context.Context, space, id string) (store.Item, error) {
				item, err := s.Credential(ctx, space, id)
				w.restore(&item.Credential)
				return item, err
			}
		})},
	{"Version returns what was written", on(checkRevoke, checkSubject, checkModel),
		reads(func(s store.Store, w *asWritten, b *broken) {
			b.version = func(ctx context.Context, space, id string) (store.Found, error) {
				found, err := s.Version(ctx, space, id)
				w.restore(&found.Credential)
				return found, err
			}
		})},
	{"Credentials returns what was written", on(checkRevoke, checkQueries),
		reads(func(s store.Store, w *asWritten, b *broken) {
			b.credentials = func(ctx context.Context, q store.Query) ([]store.Item, error) {
				items, err := s.Credentials(ctx, q)
				for i := range items {
					w.restore(&items[i].Credential)
				}
				return items, err
			}
		})},
	{"lists are narrowed by states as they were written", on(checkQueries, checkModel),
		listsBy(func(q store.Query, c store.Credential) bool {
			return q.States == nil || slices.Contains(q.States, c.State)
		}, func(q *store.Query) { q.States = nil })},
	{"what has ended had been written so", on(checkQueries),
		listsBy(func(q store.Query, c store.Credential) bool {
			return q.EndedBefore.IsZero() || endedBefore(c, q.EndedBefore)
		}, func(q *store.Query) { q.EndedBefore = time.Time{} })},
	{"what was revoked so has ended when it was last written", on(checkQueries),
		reads(func(s store.Store, w *asWritten, b *broken) {
			b.credentials = narrowsWrong(func(q store.Query, c store.Credential) bool {
				state := c.State
				w.restore(&c)
				c.State = state
				return q.EndedBefore.IsZero() || endedBefore(c, q.EndedBefore)
			}, func(q *store.Query) { q.EndedBefore = time.Time{} })(s).Credentials
		})},
}
