package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// The checks of this file and of that about revocations that more than one breakage
// fails.
const (
	checkSessions  = "Sessions/Idle and Seen come back as they were"
	checkTouch     = "Sessions/TouchCredential makes At Seen, and leaves the revision as it is"
	checkTouchable = "Sessions/TouchCredential: its stored state is active"
	checkWas       = "Sessions/TouchCredential: its stored Seen is Was"
	checkLeavesIt  = "Sessions/UpdateCredential leaves Idle and Seen as they are"
	raceOneTouch   = "Concurrency/of touches of one Seen exactly one is applied"
	raceNoTouch    = "Concurrency/no touch is applied after the revocation of a subject was acknowledged"
)

var brokenSessions = []breakage{
	{"a touch asks for no space", on("Sessions/TouchCredential: the credential is there, in the same space"),
		touches(func(c store.Credential, s store.TouchCredential) bool { s.Space = c.Space; return mayTouch(c, s) }, setSeen)},
	{"a touch of nothing is done", on("Sessions/TouchCredential: the credential is there, in the same space"),
		onApply(passesIf(func(s store.Store, touch store.TouchCredential) bool {
			return storedCredential(s, touch.Space, touch.ID).ID == ""
		}))},
	{"a touch asks for no revision", on("Sessions/TouchCredential: its stored revision is Revision"),
		touches(func(c store.Credential, s store.TouchCredential) bool { s.Revision = c.Revision; return mayTouch(c, s) }, setSeen)},
	{"a touch asks for no state", on(checkTouchable, "Revocations/RevokeSubject: conditions see what it makes of the stored state",
		raceNoTouch,
	),
		touches(func(c store.Credential, s store.TouchCredential) bool {
			c.State = store.StateActive
			return mayTouch(c, s)
		}, setSeen)},
	{"what is suspended is touched", on(checkTouchable),
		touches(func(c store.Credential, s store.TouchCredential) bool {
			if c.State == store.StateSuspended {
				c.State = store.StateActive
			}
			return mayTouch(c, s)
		}, setSeen)},
	{"what was replaced is touched", on(checkTouchable),
		touches(func(c store.Credential, s store.TouchCredential) bool {
			if c.State == store.StateReplaced {
				c.State = store.StateActive
			}
			return mayTouch(c, s)
		}, setSeen)},
	{"a touch asks not for Was", on(checkWas, raceOneTouch),
		touches(func(c store.Credential, s store.TouchCredential) bool { s.Was = c.Seen; return mayTouch(c, s) }, setSeen)},
	{"a touch from nothing is from anything", on(checkWas),
		touches(func(c store.Credential, s store.TouchCredential) bool {
			if s.Was.IsZero() {
				s.Was = c.Seen
			}
			return mayTouch(c, s)
		}, setSeen)},
	{"a touch from anything may be from nothing", on(checkWas),
		touches(func(c store.Credential, s store.TouchCredential) bool {
			if c.Seen.IsZero() {
				s.Was = c.Seen
			}
			return mayTouch(c, s)
		}, setSeen)},
	{"a touch from nothing is refused", on(checkTouch),
		touches(func(c store.Credential, s store.TouchCredential) bool { return !s.Was.IsZero() && mayTouch(c, s) }, setSeen)},
	{"a touch is from the same second", on(checkWas),
		touches(func(c store.Credential, s store.TouchCredential) bool {
			c.Seen, s.Was = c.Seen.Truncate(time.Second), s.Was.Truncate(time.Second)
			return mayTouch(c, s)
		}, setSeen)},
	{"a touch is from a later time as well", on(checkWas),
		touches(func(c store.Credential, s store.TouchCredential) bool {
			return mayTouch(c, s) || s.Was.After(c.Seen) && c.State == store.StateActive && c.Revision == s.Revision && c.Space == s.Space
		}, setSeen)},
	{"times of touches are compared with their zones", on(checkWas),
		touches(func(c store.Credential, s store.TouchCredential) bool { return mayTouch(c, s) && s.Was == c.Seen }, setSeen)},
	{"a touch only moves on", on(checkTouch),
		touches(mayTouch, func(c *store.Credential, s store.TouchCredential) {
			if s.At.After(c.Seen) {
				c.Seen = s.At
			}
		})},
	{"a touch raises the revision", on(checkTouch),
		touches(mayTouch, func(c *store.Credential, s store.TouchCredential) { c.Seen = s.At; c.Revision++ })},
	{"a touch writes Updated", on(checkTouch),
		touches(mayTouch, func(c *store.Credential, s store.TouchCredential) { c.Seen, c.Updated = s.At, s.At })},
	{"a touch does nothing", on(checkTouch, raceOneTouch, raceNoTouch),
		touches(mayTouch, func(*store.Credential, store.TouchCredential) {})},
	{"a touch is looked at first and then written", on(raceOneTouch, raceNoTouch), lookThenTouch},
	{"an update writes Seen", on(checkLeavesIt),
		updates(func(c *store.Credential, old store.Credential) { c.Idle = old.Idle })},
	{"an update writes Idle", on(checkLeavesIt),
		updates(func(c *store.Credential, old store.Credential) { c.Seen = old.Seen })},
	{"an update forgets Seen", on(checkLeavesIt),
		updates(func(c *store.Credential, old store.Credential) { c.Idle, c.Seen = old.Idle, time.Time{} })},
	{"Idle is in seconds", on(checkSessions, checkModel),
		onItem(func(item *store.Item) { item.Credential.Idle = item.Credential.Idle.Truncate(time.Second) })},
	{"Idle has 32 bits", on(checkSessions),
		onItem(func(item *store.Item) {
			item.Credential.Idle = time.Duration(int32(item.Credential.Idle.Milliseconds())) * time.Millisecond
		})},
	{"nobody has seen is the epoch", on(checkSessions, checkModel),
		onItem(func(item *store.Item) {
			if item.Credential.Seen.IsZero() {
				item.Credential.Seen = time.UnixMilli(0).UTC()
			}
		})},
	{"a read of a version lacks Idle", on(checkSessions, "Reads/Version returns the version with that id, and its credential", checkModel),
		onVersion(func(found *store.Found) { found.Credential.Idle = 0 })},
	{"a read of a version lacks Seen", on(checkSessions, checkTouch, checkModel),
		onVersion(func(found *store.Found) { found.Credential.Seen = time.Time{} })},
	{"lists lack Seen", on(checkSessions, checkModel), func(s store.Store) store.Store {
		return &broken{Store: s, credentials: func(ctx context.Context, q store.Query) ([]store.Item, error) {
			items, err := s.Credentials(ctx, q)
			for i := range items {
				items[i].Credential.Seen = time.Time{}
			}
			return items, err
		}}
	}},
	{"what is final is used", on("Uses/UseCredential: its stored state is not final",
		"Revocations/RevokeSubject: conditions see what it makes of the stored state",
	), modeled(func(m *model, s store.UseCredential) bool {
		for i, c := range m.credentials {
			if c.ID == s.ID && c.Space == s.Space && c.Revision == s.Revision && c.Used < c.Uses {
				m.credentials[i].Used++
				return true
			}
		}
		return false
	})},
	{"what is final is used, and of any revision", on("Concurrency/no use is applied after a revocation was acknowledged"),
		modeled(func(m *model, s store.UseCredential) bool {
			for i, c := range m.credentials {
				if c.ID == s.ID && c.Space == s.Space && c.Used < c.Uses {
					m.credentials[i].Used++
					return true
				}
			}
			return false
		})},
	{"what is suspended is not used", on("Uses/UseCredential adds 1 to Used, and leaves the revision as it is"),
		onStep(func(s store.Store, u store.UseCredential) store.Step {
			if storedCredential(s, u.Space, u.ID).State == store.StateSuspended {
				return impossible
			}
			return u
		})},
}

// The checks of RequireUnrevoked.
const (
	checkUnrevoked = "Revocations/RequireUnrevoked writes nothing"
	checkSince     = "Revocations/RequireUnrevoked: no RevokeSubject has an At that is Since or later, and not after Until"
	checkSubjects  = "Revocations/RequireUnrevoked is about one space, kind and subject"
	checkSees      = "Revocations/RequireUnrevoked sees the steps before it"
)

// requiresUnrevoked judges by the revocations of a subject that a test finds.
func requiresUnrevoked(
	match func(r store.RevokeSubject, s store.RequireUnrevoked) bool, holds func(all []store.RevokeSubject, since time.Time) bool,
) func(store.Store) store.Store {
	return modeled(func(m *model, s store.RequireUnrevoked) bool {
		return holds(slices.DeleteFunc(slices.Clone(m.revocations), func(r store.RevokeSubject) bool { return !match(r, s) }), s.Since)
	})
}

func sameSubject(r store.RevokeSubject, s store.RequireUnrevoked) bool {
	return r.Space == s.Space && r.Kind == s.Kind && r.Subject == s.Subject
}

// noneSince is the condition of a RequireUnrevoked.
func noneSince(all []store.RevokeSubject, since time.Time) bool {
	return !slices.ContainsFunc(all, func(r store.RevokeSubject) bool { return !r.At.Before(since) })
}

var brokenUnrevoked = []breakage{
	{"revocations are not asked for", on(checkUnrevoked, checkSince, checkSubjects, checkSees),
		requiresUnrevoked(sameSubject, func([]store.RevokeSubject, time.Time) bool { return true })},
	{"no subject was ever revoked", on(checkUnrevoked, checkSince, checkSees),
		requiresUnrevoked(sameSubject, func(all []store.RevokeSubject, _ time.Time) bool { return len(all) == 0 })},
	{"Since is not among the times since", on(checkUnrevoked, checkSince, checkSees, checkRemains),
		requiresUnrevoked(sameSubject, func(all []store.RevokeSubject, since time.Time) bool {
			return noneSince(all, since.Add(time.Millisecond))
		})},
	{"since begins a millisecond before", on(checkSince),
		requiresUnrevoked(sameSubject, func(all []store.RevokeSubject, since time.Time) bool {
			return noneSince(all, since.Add(-time.Millisecond))
		})},
	{"the last revocation is the latest", on(checkSince, checkSees),
		requiresUnrevoked(sameSubject, func(all []store.RevokeSubject, since time.Time) bool {
			return noneSince(all[max(0, len(all)-1):], since)
		})},
	{"the first revocation is the latest", on(checkSince, checkSees),
		requiresUnrevoked(sameSubject, func(all []store.RevokeSubject, since time.Time) bool {
			return noneSince(all[:min(len(all), 1)], since)
		})},
	{"any time since the start is none", on(checkSince),
		requiresUnrevoked(sameSubject, func(all []store.RevokeSubject, since time.Time) bool {
			return since.IsZero() || noneSince(all, since)
		})},
	{"kinds do not matter to what was not revoked", on(checkSubjects),
		requiresUnrevoked(func(r store.RevokeSubject, s store.RequireUnrevoked) bool { s.Kind = r.Kind; return sameSubject(r, s) }, noneSince)},
	{"spaces do not matter to what was not revoked", on(checkSubjects),
		requiresUnrevoked(func(r store.RevokeSubject, s store.RequireUnrevoked) bool {
			s.Space = r.Space
			return sameSubject(r, s)
		}, noneSince)},
	{"subjects do not matter to what was not revoked", on(checkSubjects),
		requiresUnrevoked(func(r store.RevokeSubject, s store.RequireUnrevoked) bool {
			s.Subject = r.Subject
			return sameSubject(r, s)
		}, noneSince)},
	{"what was not revoked is of any case", on(checkSubjects),
		requiresUnrevoked(func(r store.RevokeSubject, s store.RequireUnrevoked) bool {
			return r.Space == s.Space && r.Kind == s.Kind && strings.EqualFold(r.Subject, s.Subject)
		}, noneSince)},
	{"revocations of nobody are forgotten", on(checkSubjects, checkSince),
		modeled(func(m *model, s store.RequireUnrevoked) bool {
			nobody := !slices.ContainsFunc(m.credentials, func(c store.Credential) bool {
				return sameSubject(store.RevokeSubject{Space: c.Space, Kind: c.Kind, Subject: c.Subject}, s)
			})
			return nobody || m.step(s)
		})},
	{"revocations are looked for before the change", on(checkSees),
		onStep(func(s store.Store, r store.RequireUnrevoked) store.Step {
			if errors.Is(s.Apply(background, one(r)), store.ErrConflict) {
				return impossible
			}
			return nothing
		})},
	{"revocations are looked at first and then forgotten", on(
		"Concurrency/what is created while its subject is revoked is revoked, or was created later",
	), lookThenCreate},
}
