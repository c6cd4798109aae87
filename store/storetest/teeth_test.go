package storetest

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// A recorder is a test that may fail without failing the one that it is part
// of.
type recorder struct {
	testing.TB
	mu       sync.Mutex
	failed   bool
	messages []string
}

func (r *recorder) note(message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = true
	r.messages = append(r.messages, message)
}

func (r *recorder) Helper()                           {}
func (r *recorder) Log(...any)                        {}
func (r *recorder) Logf(string, ...any)               {}
func (r *recorder) Fail()                             { r.note("Fail") }
func (r *recorder) Error(args ...any)                 { r.note(fmt.Sprint(args...)) }
func (r *recorder) Errorf(format string, args ...any) { r.note(fmt.Sprintf(format, args...)) }

// Failed is also what a check asks.
func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

// A stop is the panic of a test that must not go on.
type stop struct{}

func (r *recorder) FailNow()          { r.Fail(); panic(stop{}) }
func (r *recorder) Fatal(args ...any) { r.Error(args...); panic(stop{}) }
func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	panic(stop{})
}

// runs runs a check against a store, and returns what it complains of.
func runs(t *testing.T, name string, open func() store.Store) []string {
	t.Helper()
	for _, g := range append(slices.Clone(groups), durability) {
		for _, c := range g.checks {
			if g.name+"/"+c.name != name {
				continue
			}
			r := &recorder{TB: t}
			func() {
				defer func() {
					if p := recover(); p != nil && p != (stop{}) {
						panic(p)
					}
				}()
				c.run(newEnv(r, name, nil, open).with(open()))
			}()
			return r.messages
		}
	}
	t.Fatalf("there is no check %q", name)
	return nil
}

// TestTeeth sees that each of some broken stores fails the check that is meant
// for it, and that a store which is whole does not.
func TestTeeth(t *testing.T) {
	// More of the made-up changes than usual, for some breakages are seldom met.
	for name, value := range map[string]string{
		"rapid.nofailfile": "true", "rapid.shrinktime": "0s", "rapid.checks": "2000",
	} {
		was := flag.Lookup(name).Value.String()
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { flag.Set(name, was) })
	}
	for _, b := range breakages {
		t.Run(b.what, func(t *testing.T) {
			t.Parallel()
			for _, name := range b.checks {
				messages := runs(t, name, func() store.Store { return b.open(memory.Open()) })
				if len(messages) == 0 {
					t.Errorf("the check %q passes", name)
					continue
				}
				first, _, _ := strings.Cut(messages[0], "\n")
				t.Logf("%s: %s", name, first)
			}
		})
	}
}

// TestMemory sees that the checks pass where nothing is broken.
func TestMemory(t *testing.T) {
	Run(t, func(*testing.T) store.Store { return &broken{Store: memory.Open()} })
}

// TestKept does so for those of durability: what is closed is only hidden.
func TestKept(t *testing.T) {
	RunDurable(t, func(*testing.T) func(*testing.T) store.Store {
		kept := memory.Open()
		return func(*testing.T) store.Store { return &hidden{Store: kept} }
	})
}
