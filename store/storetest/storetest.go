// Package storetest holds every implementation of [store.Store] to the text of
// package store: each sentence of it is a subtest, named so that whoever sees
// one fail finds the sentence.
//
// An implementation runs it from its own tests:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) store.Store { return memory.Open() })
//	}
//
// and, where it promises durability, RunDurable as well:
//
//	func TestDurable(t *testing.T) {
//		storetest.RunDurable(t, func(t *testing.T) func(t *testing.T) store.Store {
//			path := filepath.Join(t.TempDir(), "keyfob.db")
//			return func(t *testing.T) store.Store {
//				s, err := sqlite.Open(path)
//				if err != nil {
//					t.Fatal(err)
//				}
//				return s
//			}
//		})
//	}
//
// Under the race detector it proves more, and one should run it so.
//
// What the suite cannot show is left to the implementation's own tests: that a
// change survives the death of the process and the loss of power, that nothing
// is answered after a failed flush, and what only one kind of storage knows,
// such as ErrInUse, ErrNewerSchema and ErrForeign.
//
// Most of the suite is examples. The group Model is not: it makes up changes
// with pgregory.net/rapid and compares all that a store answers with what a
// reference model of a few lines says. The flags of rapid, such as
// -rapid.checks, apply to it.
package storetest

import (
	"context"
	"testing"

	"github.com/keyfob-dev/keyfob/store"
)

// Run tests an implementation. Open returns a new store, empty, which shares
// nothing with the others; it fails the test when it cannot. Run closes what it
// opened. It may call open from several tests at once.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			shared := opener(t, open)()
			for _, c := range g.checks {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					c.run(newEnv(t, g.name+"/"+c.name, shared, opener(t, open)))
				})
			}
		})
	}
}

// RunDurable tests what an implementation that keeps its records promises
// beyond Run: that they are there when the store is opened again. Place returns
// a function that opens the store of one new place, such as a file or a schema:
// empty when called first, and later with what is kept there. RunDurable has at
// most one store of a place open at a time.
func RunDurable(t *testing.T, place func(t *testing.T) (open func(t *testing.T) store.Store)) {
	t.Run(durability.name, func(t *testing.T) {
		for _, c := range durability.checks {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				open := opener(t, place(t))
				e := newEnv(t, durability.name+"/"+c.name, open(), open)
				e.alone = true
				c.run(e)
			})
		}
	})
}

// groups are the checks of Run, and durability those of RunDurable. A group is
// a paragraph of the contract or a part of it.
var (
	groups = []group{
		conditionChecks, useChecks, liveChecks, sessionChecks, revocationChecks, budgetChecks, chainChecks, markChecks, replayChecks, atomicityChecks, readChecks,
		recordChecks, timeChecks, memoryChecks, orderChecks, concurrencyChecks, contextChecks, errorChecks,
		closeChecks, modelChecks,
	}
	durability = durabilityChecks
)

// A group of checks shares a store. Its checks run at the same time, each in
// spaces of its own.
type group struct {
	name   string
	checks []check
}

// A check is one sentence of the contract.
type check struct {
	name string
	run  func(*env)
}

// opener returns a function that opens a store that is closed when t ends.
func opener(t *testing.T, open func(t *testing.T) store.Store) func() store.Store {
	return func() store.Store {
		t.Helper()
		s := open(t)
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
		return s
	}
}

// background is the context of calls that no check means to end.
var background = context.Background()
