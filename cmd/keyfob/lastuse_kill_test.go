package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/token"
)

// A user is a key that is verified again and again, from an address of its own.
type user struct {
	text, id, ip string
	asked        time.Time // when the last verification that was acknowledged began
	answered     time.Time // and when its answer came
}

// A verifying is users at work.
type verifying struct {
	users        []*user
	acknowledged atomic.Int64
	ended        sync.WaitGroup
}

// issueUsers makes users of the server of dir.
func issueUsers(t *testing.T, dir string) *verifying {
	t.Helper()
	v := &verifying{}
	for i := range 5 {
		text := must(t, dir, "", "apikey", "issue", "--subject", "alice")
		k, err := token.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		v.users = append(v.users, &user{text: text, id: k.ID(), ip: fmt.Sprintf("192.0.2.%d", i)})
	}
	return v
}

// begin lets each user verify its key twenty times a second until the server is
// gone.
func (v *verifying) begin(c *caller) {
	for _, u := range v.users {
		v.ended.Go(func() {
			turn := time.NewTicker(50 * time.Millisecond)
			defer turn.Stop()
			for ; ; <-turn.C {
				asked := time.Now()
				a, err := c.post(verify, map[string]any{"token": u.text, "ip": u.ip})
				if err != nil || !a.Valid {
					return
				}
				u.asked, u.answered = asked, time.Now()
				v.acknowledged.Add(1)
			}
		})
	}
}

// more waits for so many more verifications.
func (v *verifying) more(t *testing.T, n int64) {
	t.Helper()
	n += v.acknowledged.Load()
	for end := time.Now().Add(30 * time.Second); v.acknowledged.Load() < n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d verifications, want %d", v.acknowledged.Load(), n)
		}
	}
}

// lastUse is when a server says that a key was used last, and from where.
func lastUse(t *testing.T, dir, id string) (at time.Time, from string) {
	t.Helper()
	var key struct {
		Versions []struct {
			LastUsedAt time.Time             `json:"last_used_at"`
			UsedFrom   []struct{ IP string } `json:"used_from"`
		}
	}
	unmarshal(t, must(t, dir, "", "apikey", "show", id, "--json"), &key)
	v := key.Versions[0]
	if len(v.UsedFrom) > 0 {
		from = v.UsedFrom[0].IP
	}
	return v.LastUsedAt, from
}

// Killed under load, the server loses the last uses of ten seconds at most.
func TestKillLosesFewLastUses(t *testing.T) {
	t.Parallel()
	const bound = 10 * time.Second
	dir := t.TempDir()
	s := serve(t, dir)
	v := issueUsers(t, dir)
	began := time.Now()
	v.begin(s.caller())
	// A kill before anything is written loses most; afterwards it loses what came
	// since.
	for _, u := range v.users {
		for at, _ := lastUse(t, dir, u.id); at.IsZero(); at, _ = lastUse(t, dir, u.id) {
			if time.Since(began) > bound {
				t.Fatalf("after %v nothing is written: a kill would lose all of it", bound)
			}
			v.more(t, 20)
		}
	}
	unwritten := time.Since(began)
	v.more(t, 100)
	s.kill()
	v.ended.Wait()
	s = serve(t, dir)
	var lost time.Duration
	for _, u := range v.users {
		at, from := lastUse(t, dir, u.id)
		if from != u.ip {
			t.Errorf("used from %q, want %s", from, u.ip)
		}
		lost = max(lost, u.answered.Sub(at))
	}
	t.Logf("killed after %d verifications of %d keys: the last uses of %v are lost, and of %v had it come before the first were written; the bound is %v",
		v.acknowledged.Load(), len(v.users), lost.Round(time.Millisecond), unwritten.Round(time.Millisecond), bound)
	if lost > bound {
		t.Errorf("the last uses of %v are lost", lost)
	}
	s.stop()
}

// Ended in order under load, the server has written down each last use, which is
// one a second for each key and address.
func TestStopLosesNoLastUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := serve(t, dir)
	v := issueUsers(t, dir)
	v.begin(s.caller())
	v.more(t, 150)
	s.stop()
	v.ended.Wait()
	s = serve(t, dir)
	var behind time.Duration
	for _, u := range v.users {
		at, from := lastUse(t, dir, u.id)
		if at.Before(u.asked.Truncate(time.Second)) || from != u.ip {
			t.Errorf("used at %v from %q, want %v from %s", at, from, u.asked, u.ip)
		}
		behind = max(behind, u.answered.Sub(at))
	}
	t.Logf("ended after %d verifications of %d keys: what is written of each is up to %v before its last, in the same second", v.acknowledged.Load(), len(v.users), behind.Round(time.Millisecond))
	s.stop()
}
