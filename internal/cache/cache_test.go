package cache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// id is a text of that length.
func id(name string) string { return fmt.Sprintf("%0*s", idLength, name) }

func found(version, credential string, state store.State) store.Found {
	return store.Found{
		Version:    store.Version{ID: id(version), Credential: credential},
		Credential: store.Credential{ID: credential, State: state},
	}
}

// A fill whose read was before a change, and whose end comes at any moment of
// it, is never served once the change is acknowledged.
func TestFillAgainstInvalidate(t *testing.T) {
	const rounds = 1_000_000
	c := New(1000)
	var revoked atomic.Bool // what the store says
	start, ready := make(chan string), make(chan struct{})
	go func() { // the reader
		for name := range start {
			for range 2 {
				begin := c.Begin()
				state := store.StateActive
				if revoked.Load() {
					state = store.StateRevoked
				}
				c.Put(begin, found(name, name, state))
			}
			ready <- struct{}{}
		}
	}()
	stale, served := 0, 0
	for round := range rounds {
		name := fmt.Sprint(round % 64)
		revoked.Store(false)
		c.Invalidate(name)
		start <- name
		for range round % 8 {
			_, _, _ = c.Get(id(name), time.Now())
		}
		revoked.Store(true)
		c.Invalidate(name)
		// Acknowledged: whatever is served from here on must know of it.
		if e, _, ok := c.Get(id(name), time.Now()); ok && e.Found.Credential.State != store.StateRevoked {
			stale++
		}
		<-ready
		if e, _, ok := c.Get(id(name), time.Now()); ok {
			served++
			if e.Found.Credential.State != store.StateRevoked {
				stale++
			}
		}
	}
	close(start)
	if stale != 0 {
		t.Errorf("%d of %d rounds served what was known before the revocation", stale, rounds)
	}
	if served == 0 {
		t.Error("nothing was ever served: the test shows nothing")
	}
	t.Logf("%d rounds: %d stale, %d served from a fill after the change", rounds, stale, served)
}

// Until the log was read once, nothing tells what others have changed since an
// entry was read: what is cached by then is not renewed by that reading.
func TestFirstReadingOfTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &logged{Store: memory.Open()}
		st.fail.Store(true)
		c := New(1000)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go c.Follow(ctx, st)
		synctest.Wait()
		c.Put(c.Begin(), found("a", "a", store.StateActive))
		write(t, st, "a")
		st.fail.Store(false)
		time.Sleep(time.Second)
		_, _, _ = c.Get(id("a"), time.Now()) // which has the log read
		synctest.Wait()
		if _, age, ok := c.Get(id("a"), time.Now()); ok {
			t.Errorf("served, with an age of %v, although it was changed before the log was first read", age)
		}
	})
}

// A read that began before a failure says nothing of the store after it.
func TestLateSuccess(t *testing.T) {
	c := New(10)
	c.Put(c.Begin(), found("v", "c", store.StateActive))
	early := c.Begin()
	c.Failed()
	c.Put(early, found("v", "c", store.StateActive))
	if _, _, ok := c.Get(id("v"), time.Now()); ok {
		t.Error("served after a failure, since an earlier read succeeded")
	}
	c.Put(c.Begin(), found("v", "c", store.StateActive))
	if _, _, ok := c.Get(id("v"), time.Now()); !ok {
		t.Error("not served although a later read succeeded")
	}
}

// Invalidations that race for one shard leave the highest number there.
func TestConcurrentInvalidations(t *testing.T) {
	c := New(10)
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			for range 1000 {
				c.Invalidate("a")
			}
		})
	}
	group.Wait()
	raise(&c.shards[c.shard("a")], 1) // one that comes late
	if got := c.shards[c.shard("a")].Load(); got != 16_000 {
		t.Errorf("the shard's number is %d, want 16000", got)
	}
}

func TestInvalidateIsOfOneShard(t *testing.T) {
	c := New(1000)
	for i := range 100 {
		id := fmt.Sprint(i)
		c.Put(c.Begin(), found("v"+id, "c"+id, store.StateActive))
	}
	c.Invalidate("c7")
	gone := 0
	for i := range 100 {
		_, _, ok := c.Get(id(fmt.Sprintf("v%d", i)), time.Now())
		if !ok {
			gone++
		}
		if i == 7 && ok {
			t.Error("what was invalidated is served")
		}
	}
	if gone > 3 {
		t.Errorf("%d of 100 credentials were invalidated with one", gone)
	}
	c.invalidateAll()
	for i := range 100 {
		if _, _, ok := c.Get(id(fmt.Sprintf("v%d", i)), time.Now()); ok {
			t.Fatal("served after all was invalidated")
		}
	}
}

func TestBounded(t *testing.T) {
	c := New(100)
	for i := range 10_000 {
		c.Put(c.Begin(), found(fmt.Sprint(i), "c", store.StateActive))
	}
	if n := entries(c.entries); n > 100 || n != c.entries.count {
		t.Errorf("%d entries, counted as %d, want at most 100", n, c.entries.count)
	}
}

// The age is the time since the log was read to its end, or since the entry was,
// by whichever clock ran faster.
func TestAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(10)
		want := func(want time.Duration) {
			t.Helper()
			if _, age, ok := c.Get(id("v"), time.Now()); !ok || age != want {
				t.Errorf("age %v, %v; want %v", age, ok, want)
			}
		}
		c.Put(c.Begin(), found("v", "c", store.StateActive))
		time.Sleep(time.Minute)
		want(time.Minute)
		read := c.moment(time.Now())
		c.read.Store(&read)
		time.Sleep(time.Second)
		want(time.Second)
		c.Put(c.Begin(), found("v", "c", store.StateActive)) // later than the log
		time.Sleep(time.Millisecond)
		want(time.Millisecond)
		now := time.Now()
		time.Sleep(time.Minute)
		read = c.moment(time.Now()) // after now, and before it is asked
		c.read.Store(&read)
		if _, age, ok := c.Get(id("v"), now); !ok || age != 0 {
			t.Errorf("age %v, %v, by a reading of the log that began later; want 0", age, ok)
		}
	})
	c := New(10)
	then := time.Now()
	asleep := c.moment(then)
	asleep.wall += int64(time.Hour)
	if got := asleep.since(c.moment(then)); got != time.Hour {
		t.Errorf("after an hour of sleep the age is %v", got)
	}
	setBack := c.moment(then.Add(time.Minute))
	setBack.wall -= int64(time.Hour)
	if got := setBack.since(c.moment(then)); got != time.Minute {
		t.Errorf("after a minute, in which the clock was set back, the age is %v", got)
	}
}

// logged is a store whose log can fail, and counts how often it was asked.
type logged struct {
	*memory.Store
	asked atomic.Int64
	fail  atomic.Bool
}

func (l *logged) LastEvent(ctx context.Context) (int64, error) {
	l.asked.Add(1)
	if l.fail.Load() {
		return 0, errors.New("down")
	}
	return l.Store.LastEvent(ctx)
}

func write(t *testing.T, st store.Store, credentials ...string) {
	t.Helper()
	var change store.Change
	for _, id := range credentials {
		change.Events = append(change.Events, store.Event{Space: "s", Credential: id, Time: time.Now()})
	}
	if err := st.Apply(t.Context(), change); err != nil {
		t.Fatal(err)
	}
}

func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &logged{Store: memory.Open()}
		write(t, st, "before")
		c := New(1000)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go c.Follow(ctx, st)
		synctest.Wait()

		put := func(ids ...string) {
			for _, id := range ids {
				c.Put(c.Begin(), found(id, id, store.StateActive))
			}
		}
		is := func(name string) (age time.Duration, ok bool) {
			_, age, ok = c.Get(id(name), time.Now())
			synctest.Wait()
			return age, ok
		}
		put("a", "b")
		asked := st.asked.Load()
		time.Sleep(time.Hour)
		if n := st.asked.Load(); n != asked {
			t.Errorf("the log was read %d times while nobody asked", n-asked)
		}
		write(t, st, "a")
		if age, ok := is("a"); !ok || age != time.Hour { // which has the log read
			t.Errorf("%v, %v", age, ok)
		}
		if _, ok := is("a"); ok {
			t.Error("what another has changed is served after the log was read")
		}
		if age, ok := is("b"); !ok || age != 0 {
			t.Errorf("what nobody has changed: %v, %v", age, ok)
		}

		// More than one page, and more than what is read at all.
		for _, n := range []int{page*2 + 1, mostBehind + 1} {
			put("a", "b")
			var ids []string
			for range n - 1 {
				ids = append(ids, "others")
			}
			write(t, st, append(ids, "a")...)
			time.Sleep(interval + 1)
			_, _ = is("b")
			if _, ok := is("a"); ok {
				t.Errorf("after %d events what the last is about is served", n)
			}
		}

		// When the log cannot be read, nothing is known until it can.
		put("b")
		time.Sleep(time.Second)
		st.fail.Store(true)
		if age, ok := is("b"); !ok || age != time.Second {
			t.Errorf("before the failure is known: %v, %v", age, ok)
		}
		for range 5 {
			if _, ok := is("b"); ok {
				t.Error("served although the log could not be read")
			}
			time.Sleep(time.Second)
		}
		st.fail.Store(false)
		_, _ = is("b")
		if age, ok := is("b"); !ok || age != 0 {
			t.Errorf("after the log is back: %v, %v", age, ok)
		}
		c.Failed() // and so when a verb could not reach the store
		if _, ok := is("b"); ok {
			t.Error("served although the store failed")
		}
	})
}
