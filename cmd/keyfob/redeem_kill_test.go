package main

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A link is redeemed at most once, whatever races for it, and although the server is
// killed in the midst: 64 requests at once, in each of 200 rounds.
func TestKillAmidRedemptions(t *testing.T) {
	t.Parallel()
	const rounds, racers, killEach = 200, 64, 10
	dir := t.TempDir()
	s := serve(t, dir)
	c := s.caller()
	var told, lost, kills int
	began := time.Now()
	for round := range rounds {
		links := "/v1/spaces/default/links"
		issued, err := c.post(links, map[string]any{"subject": fmt.Sprintf("user %d", round), "purpose": "login"})
		if err != nil || issued.status != http.StatusCreated {
			t.Fatalf("issue: %v, status %d\n%s", err, issued.status, s.log)
		}
		redeem := func() (answer, error) {
			return c.post(links+"/redeem", map[string]any{"token": issued.Token, "purpose": "login"})
		}
		var accepted, answered atomic.Int64
		var group sync.WaitGroup
		for range racers {
			group.Go(func() {
				a, err := redeem()
				if err == nil && a.status == http.StatusOK {
					answered.Add(1)
				}
				if a.Valid {
					accepted.Add(1)
				}
			})
		}
		if round%killEach == killEach-1 {
			// Another moment each time: after so many answers.
			for want := int64(round / killEach); answered.Load() < want && answered.Load() < racers; {
				time.Sleep(50 * time.Microsecond)
			}
			s.kill()
			kills++
		}
		group.Wait()
		if round%killEach == killEach-1 {
			s = serve(t, dir)
			c = s.caller()
		}
		last, err := redeem()
		if err != nil || last.status != http.StatusOK {
			t.Fatalf("redeem: %v, status %d\n%s", err, last.status, s.log)
		}
		switch n := accepted.Load(); {
		case n > 1 || n == 1 && last.Reason != "redeemed":
			t.Fatalf("round %d: accepted %d times, and then %s", round, n, last.Reason)
		case n == 1:
			told++
		case last.Reason == "redeemed":
			lost++ // its answer did not arrive
		case last.Reason != "ok":
			t.Fatalf("round %d: accepted by nobody, and then %s", round, last.Reason)
		}
	}
	t.Logf("%d rounds of %d, %d kills, in %v: never accepted twice; %d answers were lost with the server; %s",
		rounds, racers, kills, time.Since(began).Round(time.Millisecond), lost, must(t, dir, "", "audit", "verify"))
	if told < rounds-2*kills {
		t.Errorf("only %d were accepted", told)
	}
	s.stop()
}
