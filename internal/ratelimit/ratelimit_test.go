package ratelimit

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var epoch = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// In every stretch of time, no more than Burst plus what the rate brings is
// allowed; and whoever keeps to the rate is never refused.
func TestNeverMoreThanTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := Limit{
			Rate:  rapid.Int64Range(1, 50).Draw(t, "rate"),
			Per:   time.Duration(rapid.Int64Range(1, 5000).Draw(t, "per")) * time.Millisecond,
			Burst: rapid.Int64Range(1, 20).Draw(t, "burst"),
		}
		m := NewMeters(1000)
		now := epoch
		var allowed []time.Time
		for range rapid.IntRange(1, 200).Draw(t, "uses") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(limit.Per)/2).Draw(t, "pause")))
			v := m.Take("a", now, limit)
			if v.Allowed {
				allowed = append(allowed, now)
				continue
			}
			if v.Retry <= 0 {
				t.Fatalf("refused, and may be tried again in %v", v.Retry)
			}
			if m.Take("a", now.Add(v.Retry-1), limit).Allowed {
				t.Fatal("allowed before the time that was named")
			}
			now = now.Add(v.Retry)
			if !m.Take("a", now, limit).Allowed {
				t.Fatal("refused at the time that was named")
			}
			allowed = append(allowed, now)
		}
		for i := range allowed {
			for j := i; j < len(allowed); j++ {
				stretch := allowed[j].Sub(allowed[i])
				most := limit.Burst + int64(stretch/limit.Per)*limit.Rate + int64(stretch%limit.Per)*limit.Rate/int64(limit.Per)
				if n := int64(j - i + 1); n > most {
					t.Fatalf("%d uses in %v, the limit %+v allows %d", n, stretch, limit, most)
				}
			}
		}
	})
}

func TestKeepingToTheRate(t *testing.T) {
	limit := Limit{Rate: 7, Per: time.Second, Burst: 1}
	m := NewMeters(1000)
	for i := range 10_000 {
		if v := m.Take("a", epoch.Add(time.Duration(i)*interval(limit)), limit); !v.Allowed {
			t.Fatalf("use %d is refused: %+v", i, v)
		}
	}
}

// When all meters are in use, a credential without one is refused, and gets one
// as soon as another's is full.
func TestFailsClosed(t *testing.T) {
	limit := Limit{Rate: 1, Per: time.Minute, Burst: 1}
	m := NewMeters(1)
	refused := 0
	for i := range 10 * shards {
		if !m.Take(fmt.Sprint(i), epoch, limit).Allowed {
			refused++
		}
	}
	if refused < 9*shards {
		t.Errorf("%d refused, want all but one of each shard", refused)
	}
	for i := range 10 * shards {
		id := fmt.Sprint("later", i)
		if at := epoch.Add(time.Minute * time.Duration(i+1)); !m.Take(id, at, limit).Allowed {
			t.Fatalf("%s is refused although the meters are full again", id)
		}
	}
}

// What an earlier limit, or a clock that was ahead, left behind keeps nobody out
// for longer than the limit of now does.
func TestOtherLimit(t *testing.T) {
	slow, fast := Limit{Rate: 1, Per: 366 * 24 * time.Hour, Burst: 1}, Limit{Rate: 1000, Per: time.Second, Burst: 1000}
	m := NewMeters(1000)
	m.Take("a", epoch, slow)
	if v := m.Take("a", epoch.Add(time.Hour), fast); !v.Allowed || v.Remaining != 999 {
		t.Errorf("an hour after the change: %+v", v)
	}
	m.Take("b", epoch.Add(240*time.Hour), fast)
	if v := m.Take("b", epoch.Add(time.Second), fast); !v.Allowed {
		t.Errorf("after the clock was set back: %+v", v)
	}
}

func TestGiveBack(t *testing.T) {
	limit := Limit{Rate: 1, Per: time.Minute, Burst: 2}
	m := NewMeters(1000)
	for range 100 {
		if !m.Take("a", epoch, limit).Allowed {
			t.Fatal("refused although all was given back")
		}
		m.GiveBack("a", limit)
	}
	m.GiveBack("b", limit) // of which nothing was taken
	for i := range 3 {
		if got := m.Take("b", epoch, limit).Allowed; got != (i < 2) {
			t.Errorf("use %d: %v", i+1, got)
		}
	}
}

func TestSpan(t *testing.T) {
	for limit, want := range map[Limit]time.Duration{
		{Rate: 1, Per: time.Second, Burst: 3}:                       time.Second * 3,
		{Rate: 3, Per: time.Second, Burst: 3}:                       3 * 333_333_334,
		{Rate: 1, Per: time.Hour, Burst: 1 << 40}:                   -1,
		{Rate: 1, Per: time.Hour, Burst: 9_223_372_036_854_775_807}: -1,
	} {
		if got := Span(limit); got != want {
			t.Errorf("Span(%+v) = %d, want %d", limit, got, want)
		}
	}
}
