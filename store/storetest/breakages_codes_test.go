package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// The checks of this file that more than one breakage fails.
const (
	checkClaim     = "Uses/ClaimStep makes Step + 1 NextStep, and leaves the revision as it is"
	checkClaimed   = "Uses/ClaimStep: its stored NextStep is Step or lower"
	checkMissing   = "Live/RequireLive: those of IDs are live"
	checkExtra     = "Live/RequireLive: no others are live"
	checkStates    = "Live/RequireLive: what is suspended is live, what is final is not"
	checkOthers    = "Live/RequireLive is about one space, kind, subject and purpose"
	checkBudget    = "Budgets/WriteBudget writes a budget, all of it"
	checkStale     = "Budgets/WriteBudget: the stored revision is Budget.Revision"
	checkClear     = "Budgets/ClearBudget sets Consecutive to 0, and raises the revision by 1"
	checkNoClear   = "Budgets/ClearBudget of what is not in the space does nothing"
	checkExpired   = "Budgets/DeleteBudgets removes, in all spaces, what expires at Until or earlier"
	checkVersions  = "Reads/Versions returns all versions of a credential, in ascending order of their numbers"
	checkNone      = "Reads/Versions returns none of a credential that is not there"
	checkPurpose   = "Order/a Query narrows by purpose"
	raceClaim      = "Concurrency/of claims of one time step exactly one is applied"
	raceClaimSteps = "Concurrency/of claims of several time steps each is applied once at most"
	raceOneBudget  = "Concurrency/of writes of a budget at one revision exactly one is applied"
	raceRequired   = "Concurrency/of changes that require the same live credentials exactly one is applied"
	raceCrossed    = "Concurrency/of changes that each make what the other requires not to be one side is applied"
	raceRooms      = "Concurrency/there are never more live credentials than the changes allow"
)

var brokenClaims = []breakage{
	{"an update resets the next step", on("Uses/UpdateCredential leaves NextStep as it is", checkModel),
		updatesNextStep(func(store.Credential) int64 { return 0 })},
	{"an update writes the next step", on("Uses/UpdateCredential leaves NextStep as it is", checkModel),
		updatesNextStep(func(c store.Credential) int64 { return c.NextStep })},
	{"a step that was claimed is claimed again", on(checkClaimed, raceClaim, raceClaimSteps, checkModel),
		onApply(passesIf(func(s store.Store, claim store.ClaimStep) bool {
			c := storedCredential(s, claim.Space, claim.ID)
			return c.Revision == claim.Revision && c.State == store.StateActive
		}))},
	{"the last step is claimed again", on(checkClaimed, raceClaim, checkModel),
		onApply(passesIf(func(s store.Store, claim store.ClaimStep) bool {
			c := storedCredential(s, claim.Space, claim.ID)
			return c.Revision == claim.Revision && c.State == store.StateActive && c.NextStep == claim.Step+1
		}))},
	{"the next step is not claimed", on(checkClaim, checkClaimed, raceClaim, checkModel),
		onStep(func(s store.Store, claim store.ClaimStep) store.Step {
			if storedCredential(s, claim.Space, claim.ID).NextStep == claim.Step {
				return impossible
			}
			return claim
		})},
	{"a claim is of the step after as well", on(checkClaim, checkClaimed, checkModel),
		onStep(func(_ store.Store, claim store.ClaimStep) store.Step {
			claim.Step = min(claim.Step, 1<<60) + 1
			return claim
		})},
	{"a claim is looked at first and then written", on(raceClaim), lookThenClaim},
	{"a claim asks for no revision", on("Uses/ClaimStep: its stored revision is Revision", checkModel),
		onStep(func(s store.Store, claim store.ClaimStep) store.Step {
			claim.Revision = storedRevision(s, claim.Space, claim.ID, claim.Revision)
			return claim
		})},
	{"steps of what is suspended are claimed", on("Uses/ClaimStep: its stored state is active", checkModel),
		claimsIn(store.StateSuspended)},
	{"steps of what is revoked are claimed", on("Uses/ClaimStep: its stored state is active", checkModel),
		claimsIn(store.StateRevoked)},
	{"a claim asks for no space", on("Uses/ClaimStep: the credential is there, in the same space", checkModel),
		inItsSpace(func(step store.Step, spaceOf func(id string) string) store.Step {
			if claim, ok := step.(store.ClaimStep); ok {
				claim.Space = spaceOf(claim.ID)
				return claim
			}
			return step
		})},
	{"a claim of nothing is done", on("Uses/ClaimStep: the credential is there, in the same space", checkModel),
		onApply(passesIf(func(s store.Store, claim store.ClaimStep) bool {
			return storedCredential(s, claim.Space, claim.ID).ID == ""
		}))},
	{"a claim raises the revision", on(checkClaim, checkModel), onApply(claimRaisesRevision)},
	{"a read of a version lacks the next step", on(checkClaim, checkModel),
		onVersion(func(found *store.Found) { found.Credential.NextStep = 0 })},
}

var brokenLive = []breakage{
	{"what is live is not asked for", on(checkMissing, checkExtra, checkRemains, raceRequired, raceCrossed, raceRooms, checkModel),
		onStep(func(store.Store, store.RequireLive) store.Step { return nothing })},
	{"others may be live", on(checkExtra, raceRequired, raceCrossed, raceRooms, checkModel),
		requires(matches, func(ids, live []string) bool {
			return !slices.ContainsFunc(ids, func(id string) bool { return !slices.Contains(live, id) })
		})},
	{"what is required may be gone", on(checkMissing, checkModel),
		requires(matches, func(ids, live []string) bool {
			return !slices.ContainsFunc(live, func(id string) bool { return !slices.Contains(ids, id) })
		})},
	{"live credentials are counted", on(checkMissing, checkOthers, checkModel),
		requires(matches, func(ids, live []string) bool { return len(ids) == len(live) })},
	{"the order of ids matters", on("Live/RequireLive writes nothing", checkModel), requires(matches, slices.Equal[[]string])},
	{"purposes do not matter", on(checkOthers, checkModel),
		requires(func(r store.RequireLive, c store.Credential) bool { r.Purpose = c.Purpose; return matches(r, c) }, equalIDs)},
	{"no purpose is any purpose", on(checkOthers, checkModel),
		requires(func(r store.RequireLive, c store.Credential) bool {
			if r.Purpose == "" {
				r.Purpose = c.Purpose
			}
			return matches(r, c)
		}, equalIDs)},
	{"kinds do not matter", on(checkOthers, checkModel),
		requires(func(r store.RequireLive, c store.Credential) bool { r.Kind = c.Kind; return matches(r, c) }, equalIDs)},
	{"no kind is any kind", on(checkOthers),
		requires(func(r store.RequireLive, c store.Credential) bool {
			if r.Kind == "" {
				r.Kind = c.Kind
			}
			return matches(r, c)
		}, equalIDs)},
	{"subjects do not matter", on(checkOthers, checkModel),
		requires(func(r store.RequireLive, c store.Credential) bool { r.Subject = c.Subject; return matches(r, c) }, equalIDs)},
	{"subjects are of any case", on(checkOthers, checkModel),
		requires(func(r store.RequireLive, c store.Credential) bool {
			return strings.EqualFold(c.Subject, r.Subject) && c.Kind == r.Kind && c.Purpose == r.Purpose && !c.State.Final()
		}, equalIDs)},
	{"spaces do not matter", on(checkOthers, checkMissing, checkModel), requiresAnywhere},
	{"what is final is live", on(checkStates, checkModel),
		requires(func(r store.RequireLive, c store.Credential) bool { c.State = store.StateActive; return matches(r, c) }, equalIDs)},
	{"what was replaced is live", on(checkStates),
		requires(func(r store.RequireLive, c store.Credential) bool {
			if c.State == store.StateReplaced {
				c.State = store.StateActive
			}
			return matches(r, c)
		}, equalIDs)},
	{"what is suspended is not live", on(checkStates, checkModel),
		requires(func(r store.RequireLive, c store.Credential) bool {
			return c.State == store.StateActive && matches(r, c)
		}, equalIDs)},
	{"what is live is looked at before the change", on(
		"Live/RequireLive sees the steps before it", raceRequired, raceCrossed, checkModel,
	), requires(matches, equalIDs)},
	{"ids are sorted in place", on("Live/RequireLive writes nothing", "Memory/a store does not write to what the caller passed"),
		onApply(func(s store.Store, ctx context.Context, change store.Change) error {
			for _, step := range change.Steps {
				if r, ok := step.(store.RequireLive); ok {
					slices.Sort(r.IDs)
				}
			}
			return s.Apply(ctx, change)
		})},
}

var brokenBudgets = []breakage{
	{"a budget takes the place of another", on(
		"Budgets/WriteBudget with revision 0: the space has none of its name", raceOneBudget, checkModel,
	), onStep(func(s store.Store, w store.WriteBudget) store.Step {
		if w.Budget.Revision == 0 {
			w.Budget.Revision = storedBudget(s, w.Budget).Revision
		}
		return w
	})},
	{"a budget of any revision is written over", on(checkStale, raceOneBudget,
		"Concurrency/of guesses that a budget counts none is lost", checkModel,
	), onApply(writesAnyBudget)},
	{"a budget that is gone is made again", on(checkStale, checkModel),
		onStep(func(s store.Store, w store.WriteBudget) store.Step {
			if storedBudget(s, w.Budget).Revision == 0 {
				w.Budget.Revision = 0
			}
			return w
		})},
	{"the window of a budget is written once", on(checkBudget, checkModel),
		onStep(func(s store.Store, w store.WriteBudget) store.Step {
			if old := storedBudget(s, w.Budget); old.Revision > 0 {
				w.Budget.Window = old.Window
			}
			return w
		})},
	{"a budget lacks its window", on(checkBudget, checkModel), onBudget(func(b *store.Budget) { b.Window = time.Time{} })},
	{"a budget lacks its last guess", on(checkBudget, checkModel), onBudget(func(b *store.Budget) { b.Last = time.Time{} })},
	{"a budget lacks its end", on(checkBudget, checkModel), onBudget(func(b *store.Budget) { b.Expires = time.Time{} })},
	{"a budget has no milliseconds", on(checkBudget, checkModel),
		onBudget(func(b *store.Budget) { b.Last = b.Last.Truncate(time.Second) })},
	{"a budget without an end ends at the epoch", on(checkBudget, checkExpired, checkModel),
		onBudget(func(b *store.Budget) {
			if b.Expires.IsZero() {
				b.Expires = time.UnixMilli(0).UTC()
			}
		})},
	{"budgets of all spaces are found", on("Budgets/Budget answers ErrNotFound for what is not in the space", checkModel), anyBudget},
	{"what is cleared goes", on(checkClear, checkModel), clearDeletes},
	{"nothing is cleared", on(checkClear, checkModel), clears(func(store.Store, store.Budget) store.Step { return nothing })},
	{"what is clear is not cleared again", on(checkClear, checkModel), clears(func(_ store.Store, b store.Budget) store.Step {
		if b.Consecutive == 0 {
			return nothing
		}
		return store.ClearBudget{Space: b.Space, Name: b.Name}
	})},
	{"all guesses are cleared", on(checkClear, "Concurrency/of guesses that a budget counts none is lost", checkModel),
		clears(func(_ store.Store, b store.Budget) store.Step {
			b.Guesses, b.Consecutive = 0, 0
			return store.WriteBudget{Budget: b}
		})},
	{"nothing to clear is a conflict", on(checkNoClear, checkModel),
		onStep(func(s store.Store, c store.ClearBudget) store.Step {
			if storedBudget(s, store.Budget{Space: c.Space, Name: c.Name}).Revision == 0 {
				return impossible
			}
			return c
		})},
	{"what is cleared comes to be", on(checkNoClear, checkModel),
		onStep(func(s store.Store, c store.ClearBudget) store.Step {
			if b := (store.Budget{Space: c.Space, Name: c.Name}); storedBudget(s, b).Revision == 0 {
				return store.WriteBudget{Budget: b}
			}
			return c
		})},
	{"budgets without an end go", on(checkExpired, checkModel), deletesEndless},
	{"budgets that end at a time stay until later", on(checkExpired, checkModel),
		onStep(func(_ store.Store, d store.DeleteBudgets) store.Step {
			return store.DeleteBudgets{Until: d.Until.Add(-time.Millisecond)}
		})},
	{"budgets that end after a time go as well", on(checkExpired),
		onStep(func(_ store.Store, d store.DeleteBudgets) store.Step {
			return store.DeleteBudgets{Until: d.Until.Add(time.Millisecond)}
		})},
	{"budgets are removed in one space only", on(checkExpired), keepsBudgets},
	{"contexts of reads of budgets are ignored", on(checkEnded), func(s store.Store) store.Store {
		return &broken{Store: s, budget: func(ctx context.Context, space, name string) (store.Budget, error) {
			return s.Budget(context.WithoutCancel(ctx), space, name)
		}}
	}},
	{"a closed store has no budgets", on("Close/later calls answer ErrUnavailable"), func(s store.Store) store.Store {
		return &broken{Store: s, budget: func(ctx context.Context, space, name string) (store.Budget, error) {
			b, err := s.Budget(ctx, space, name)
			if errors.Is(err, store.ErrUnavailable) {
				err = store.ErrNotFound
			}
			return b, err
		}}
	}},
}
