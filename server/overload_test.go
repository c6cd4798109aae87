package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/sqlite"
)

// openSQLite makes a store in a file.
func openSQLite(t *testing.T) store.Store {
	t.Helper()
	st, err := sqlite.Open(filepath.Join(t.TempDir(), "keyfob.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

// quiet puts a server without a log in the place of e's, which keeps its log in
// memory.
func (e *env) quiet(limits Limits) {
	e.Helper()
	e.must(e.stop())
	s, err := New(Config{Authority: e.a, Logger: slog.New(slog.DiscardHandler), Limits: limits})
	e.must(err)
	e.start(s)
}

// A rest is what a process holds while nothing is asked of it.
type rest struct {
	goroutines, files int
	heap              int64 // bytes that are live
}

// What a process may hold more than before it was loaded.
const (
	moreGoroutines = 5
	moreFiles      = 3
	moreHeap       = 1 << 20
)

func resting() rest {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what pools kept over the first
	runtime.ReadMemStats(&m)
	files, _ := os.ReadDir("/dev/fd") // where there is none, 0 before and after
	return rest{runtime.NumGoroutine(), len(files), int64(m.HeapAlloc)}
}

func (r rest) String() string {
	return fmt.Sprintf("%d goroutines, %d files, %d kB live", r.goroutines, r.files, r.heap>>10)
}

// isBack waits until the process holds no more than before.
func (e *env) isBack(before rest) {
	e.Helper()
	e.http.CloseIdleConnections()
	after := resting()
	for range 200 {
		if after.goroutines <= before.goroutines+moreGoroutines && after.files <= before.files+moreFiles && after.heap <= before.heap+moreHeap {
			e.Logf("before: %v; afterwards: %v", before, after)
			return
		}
		time.Sleep(25 * time.Millisecond) // connections end when they notice
		after = resting()
	}
	e.Errorf("before: %v; afterwards: %v", before, after)
}

// capacity is how many requests may be at work.
const capacity = 8

// A load is of clients that ask as often as they can.
type load struct {
	*env
	clients       int
	good, revoked string
	took          []time.Duration // by the requests that were decided

	sent                           atomic.Int64
	decided, undecided, turnedAway atomic.Int64
	serve                          chan struct{} // a look-up of the store takes one
	served                         atomic.Int64  // look-ups
	inside, most                   atomic.Int64  // look-ups at once
}

// run sends n requests. For each five the store has the time that one takes.
func (l *load) run(n int64) {
	l.sent.Store(0)
	l.decided.Store(0)
	l.undecided.Store(0)
	l.turnedAway.Store(0)
	l.serve = make(chan struct{}, 2*n)
	l.st.set(l.lookUp)
	tr := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: l.clients}
	client := &http.Client{Transport: tr, Timeout: 30 * time.Second}
	var wg sync.WaitGroup
	for range l.clients {
		wg.Go(func() {
			for i := l.sent.Add(1); i <= n; i = l.sent.Add(1) {
				if i%5 == 0 { // a request looks up its caller and its token
					l.serve <- struct{}{}
					l.serve <- struct{}{}
				}
				if i == n {
					close(l.serve) // nobody comes who would let the last ones go on
				}
				l.one(client, i)
			}
		})
	}
	wg.Wait()
	tr.CloseIdleConnections()
	l.st.set(nil)
}

// lookUp is how the store answers under load: when it has the time, and one in
// forty times not at all.
func (l *load) lookUp(ctx context.Context, call string) error {
	if call != "Version" {
		return nil
	}
	inside := l.inside.Add(1)
	defer l.inside.Add(-1)
	for most := l.most.Load(); inside > most && !l.most.CompareAndSwap(most, inside); most = l.most.Load() {
	}
	if inside > capacity {
		return nil // too many: one that waited as well could leave nobody to go on
	}
	select {
	case <-l.serve:
	case <-ctx.Done():
		return ctx.Err()
	}
	if l.served.Add(1)%40 == 0 {
		return fmt.Errorf("%w: by the test", store.ErrUnavailable)
	}
	return nil
}

// one sends one request and judges the answer.
func (l *load) one(client *http.Client, i int64) {
	text, valid := l.good, true
	if i%2 == 0 {
		text, valid = l.revoked, false
	}
	start := time.Now()
	a := l.askWith(client, l.owner, "POST", "/v1/spaces/acme/verify", map[string]any{"token": text})
	took := time.Since(start)
	_, judged := a.json["valid"]
	switch {
	case a.status == 200 && a.json["valid"] == valid:
		l.took[l.decided.Add(1)-1] = took
	case a.status == 503 && !judged && a.problem() == unavailable.name:
		l.undecided.Add(1)
	case a.status == 503 && !judged && a.problem() == busy.name && a.header.Get("Retry-After") == "1":
		l.turnedAway.Add(1)
	default:
		l.Errorf("a token of which valid is %v is answered with %v", valid, a)
	}
}

// TestFiveTimesCapacity is P10 and P8: of five requests the server has the time
// for one. It turns the others away at once, so that those it takes are not late;
// it decides what the store has answered, and nothing else; and it keeps nothing
// of it all.
func TestFiveTimesCapacity(t *testing.T) {
	const requests = 4000
	limits := Limits{Requests: capacity, Work: 20 * time.Second}
	e := newEnvWith(t, limits, keyfob.Config{Store: openSQLite(t), MaxStaleness: -1}) // each look-up goes to the store
	e.quiet(limits)
	l := &load{env: e, clients: 5 * capacity, took: make([]time.Duration, requests)}
	revoked := e.key("acme")
	e.must(e.a.In("acme").Revoke(t.Context(), revoked.Credential.ID, ""))
	l.good, l.revoked = e.key("acme").Secret.Reveal(), revoked.Secret.Reveal()
	l.run(400) // to have what stays: the store's connections, figures, pools
	before := resting()
	start := time.Now()
	l.run(requests)
	all := time.Since(start)

	decided, undecided, turnedAway := l.decided.Load(), l.undecided.Load(), l.turnedAway.Load()
	took := l.took[:decided]
	slices.Sort(took)
	if decided == 0 {
		t.Fatal("nothing was decided")
	}
	t.Logf("%d requests of %d clients in %v, five for each that there was time for: %d decided, p50 %v, p99 %v; %d undecided; %d (%.0f %%) turned away; at most %d at the store at once",
		requests, l.clients, all.Round(time.Millisecond), decided, took[decided/2].Round(time.Microsecond), took[decided*99/100].Round(time.Microsecond),
		undecided, turnedAway, 100*float64(turnedAway)/requests, l.most.Load())
	if decided+undecided+turnedAway != requests || undecided == 0 {
		t.Errorf("%d decided, %d undecided, %d turned away", decided, undecided, turnedAway)
	}
	if turnedAway < requests*70/100 || turnedAway > requests*85/100 {
		t.Errorf("%d of %d turned away; there was time for one of five", turnedAway, requests)
	}
	if most := l.most.Load(); most > capacity {
		t.Errorf("%d at the store at once, and %d may be at work", most, capacity)
	}
	e.want(e.ask(e.owner, "GET", "/v1/spaces", nil), 200, "")
	e.isBack(before)
}
