package lastuse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

var epoch = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// recorded keeps the steps that it is given, unless it fails.
type recorded struct {
	*memory.Store
	mu      sync.Mutex
	changes []store.Change
	fails   int // so many calls are still to fail
}

func (r *recorded) Apply(ctx context.Context, change store.Change) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fails > 0 {
		r.fails--
		return errors.New("down")
	}
	change.Steps = slices.Clone(change.Steps)
	r.changes = append(r.changes, change)
	return nil
}

// uses returns what was written, by version and address.
func (r *recorded) uses(t *testing.T) map[string]store.RecordUse {
	t.Helper()
	uses := map[string]store.RecordUse{}
	for _, change := range r.changes {
		if len(change.Steps) == 0 || len(change.Steps) > batch || len(change.Events) != 0 {
			t.Errorf("a change of %d steps and %d events", len(change.Steps), len(change.Events))
		}
		for _, step := range change.Steps {
			use := step.(store.RecordUse)
			was, written := uses[use.Version+use.Address]
			if written {
				use.First, use.Last = minTime(was.First, use.First), maxTime(was.Last, use.Last)
			}
			uses[use.Version+use.Address] = use
		}
	}
	return uses
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func maxTime(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func TestFlush(t *testing.T) {
	st := &recorded{}
	r := NewRecorder(st)
	r.Record("s", "v", "", epoch.Add(2*time.Second))
	r.Record("s", "v", "", epoch) // of another goroutine, and late
	r.Record("s", "v", "", epoch.Add(time.Second))
	r.Record("s", "v", "192.0.2.1", epoch)
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := store.RecordUse{Space: "s", Version: "v", First: epoch, Last: epoch.Add(2 * time.Second)}
	uses := st.uses(t)
	if got := uses["v"]; got != want || len(uses) != 2 {
		t.Errorf("written %+v, want %+v and one more", got, want)
	}
	if err := r.Flush(t.Context()); err != nil || len(st.changes) != 1 {
		t.Errorf("with nothing gathered: %d changes, %v", len(st.changes), err)
	}
}

// What cannot be written is written the next time, once, and nothing is lost.
func TestFlushFails(t *testing.T) {
	const n = 3*batch + 7
	for fails := range 5 {
		st := &recorded{}
		r := NewRecorder(st)
		for i := range n {
			r.Record("s", fmt.Sprint(i), "", epoch)
		}
		st.fails = 1
		var err error
		for range fails {
			err = r.Flush(t.Context())
			st.fails = 1
		}
		if fails > 0 && err == nil {
			t.Error("Flush says nothing of a failure")
		}
		r.Record("s", "0", "", epoch.Add(time.Second))
		st.fails = 0
		if err := r.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		uses := st.uses(t)
		if len(uses) != n || !uses["0"].Last.Equal(epoch.Add(time.Second)) || !uses["0"].First.Equal(epoch) {
			t.Errorf("after %d failures %d uses are written, want %d; the first is %+v", fails, len(uses), n, uses["0"])
		}
	}
}

func TestBounded(t *testing.T) {
	st := &recorded{}
	r := NewRecorder(st)
	for i := range most + 1000 {
		r.Record("s", fmt.Sprint(i), "", epoch)
	}
	r.Record("s", "0", "", epoch.Add(time.Second)) // one that is known is noted all the same
	if n := len(r.gathered); n != most {
		t.Errorf("%d gathered, want %d", n, most)
	}
	if !r.gathered[key{"s", "0", ""}].last.Equal(epoch.Add(time.Second)) {
		t.Error("a later use of what is known was left out")
	}
}

// A Recorder writes at each interval, and at once when it is half full.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &recorded{}
		r := NewRecorder(st)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			r.Run(ctx)
			close(ended)
		}()
		written := func() int {
			synctest.Wait()
			st.mu.Lock()
			defer st.mu.Unlock()
			return len(st.changes)
		}
		r.Record("s", "v", "", time.Now())
		time.Sleep(Interval - 1)
		if n := written(); n != 0 {
			t.Errorf("%d changes before the interval", n)
		}
		time.Sleep(time.Nanosecond)
		if n := written(); n != 1 {
			t.Errorf("%d changes after the interval, want 1", n)
		}
		for i := range most / 2 {
			r.Record("s", fmt.Sprint(i), "", time.Now())
		}
		if n := written(); n != 1+most/2/batch {
			t.Errorf("%d changes when it is half full", n)
		}
		stop()
		<-ended
	})
}

func TestConcurrentUse(t *testing.T) {
	st := &recorded{}
	r := NewRecorder(st)
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			for i := range 1000 {
				r.Record("s", fmt.Sprint(i), "", epoch.Add(time.Duration(g)*time.Second))
				if i%100 == 0 {
					if err := r.Flush(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	group.Wait()
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	uses := st.uses(t)
	for i := range 1000 {
		if use := uses[fmt.Sprint(i)]; !use.First.Equal(epoch) || !use.Last.Equal(epoch.Add(7*time.Second)) {
			t.Fatalf("version %d: %+v", i, use)
		}
	}
}
