package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test's own program be the servers that rows start.
func TestMain(m *testing.M) {
	if serve := servers[os.Getenv(serverVariable)]; serve != nil {
		exit(serve(context.Background()))
	}
	os.Exit(m.Run())
}

// TestEveryRow measures every row with little data, so that all of them keep
// working. What they reach then says nothing.
func TestEveryRow(t *testing.T) {
	var stdout bytes.Buffer
	o := options{only: regexp.MustCompile(""), rounds: 1, json: true, dir: t.TempDir(), small: true}
	if err := run(t.Context(), o, &stdout); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for text := range strings.Lines(stdout.String()) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		seen[l.Name] = true
		if l.Skipped != "" {
			t.Log(l.Name, "skipped:", l.Skipped)
		} else if l.By != "" && l.By != allocs && (l.Keyfob[wall] <= 0 || l.Peer[wall] <= 0 || l.Ratio[l.By] <= 0) {
			t.Errorf("nothing was measured: %s", text)
		}
	}
	for _, r := range rows() {
		if !seen[r.name] {
			t.Errorf("row %q is missing", r.name)
		}
	}
	if !strings.Contains(stdout.String(), `"package":"crypto/`) && !strings.Contains(stdout.String(), `"package":"internal/`) {
		t.Error("no package has a cost at the start of the command")
	}
	if left, err := os.ReadDir(o.dir); err != nil || len(left) > 0 {
		t.Errorf("%d files are left behind, %v", len(left), err)
	}
}

// TestJudge holds each sort of target against turns whose figures are known.
func TestJudge(t *testing.T) {
	turns := func(figures ...float64) (costs []cost) {
		for _, f := range figures {
			costs = append(costs, cost{wall: 10 * f, cpu: f, allocs: f})
		}
		return costs
	}
	// By rounds keyfob takes 2, 3 and 1 times of the peer.
	res := result{ours: turns(2, 30, 4), peer: turns(1, 10, 4)}
	for _, c := range []struct {
		target  target
		median  float64
		reached bool
	}{
		{target{cpu, atMost, 2}, 2, true},
		{target{cpu, atMost, 1.9}, 2, false},
		{target{wall, atMost, 2}, 2, true},
		{target{cpu, atLeast, 0.5}, 0.5, true},
		{target{cpu, atLeast, 0.6}, 0.5, false},
		{target{allocs, count, 4}, 4, true},
		{target{allocs, count, 3}, 4, false},
		{target{allocs, fewer, 0}, 4, false}, // as many as the peer
	} {
		median, low, high := res.ratio(c.target)
		if median != c.median || low > median || high < median {
			t.Errorf("%v: ratio %g of %g to %g, want %g", c.target, median, low, high, c.median)
		}
		if got := res.reached(c.target); got != c.reached {
			t.Errorf("%v: reached is %t", c.target, got)
		}
	}
}

// TestTurns has both sides take as many turns, of which each begins every second
// round, and counts what a turn costs by its operations.
func TestTurns(t *testing.T) {
	var order string
	spent := map[string]time.Duration{}
	work := func(name string, each time.Duration) side {
		return side{
			per: 2,
			run: func(n int) error {
				order += name
				spent[name] += time.Duration(2*n) * each
				return nil
			},
			cpu: func() (time.Duration, error) { return spent[name], nil },
		}
	}
	e := &env{ctx: t.Context(), rounds: 5}
	res, err := e.measure(row{prepare: func(*env) (side, side, error) { return work("a", 6), work("b", 3), nil }})
	if err != nil {
		t.Fatal(err)
	}
	if want := "ab" + "abbaabbaab"; order != want { // the first two are the warm-up
		t.Errorf("turns are %s, want %s", order, want)
	}
	if got := res.median(res.ours, cpu); got != 6 {
		t.Errorf("an operation takes %g ns of CPU, want 6", got)
	}
	if got, _, _ := res.ratio(target{cpu, atMost, 0}); got != 2 {
		t.Errorf("the ratio is %g, want 2", got)
	}
}

// TestFlags refuses what would print a table that says nothing.
func TestFlags(t *testing.T) {
	for _, args := range [][]string{{"-rounds", "4"}, {"-only", "("}, {"verify"}, {"-unknown"}} {
		var stderr bytes.Buffer
		if _, err := parseFlags(args, &stderr); err == nil || stderr.Len() == 0 {
			t.Errorf("%v: %v, and says %q", args, err, stderr.String())
		}
	}
	if o, err := parseFlags([]string{"-rounds", "9", "-only", "HTTP", "-json"}, os.Stderr); err != nil || o.rounds != 9 || !o.json || !o.only.MatchString("HTTP verify") {
		t.Errorf("%+v, %v", o, err)
	}
}
