package session_test

import (
	"testing"
	"time"
)

// Idle and absolute end: a second before, at the time, and a second after, with and
// without use in between. A session never ends late, and by a tenth of Idle too early
// at most.
func TestEnds(t *testing.T) {
	const idle, lifetime = 30 * time.Minute, 12 * time.Hour
	tests := map[string]struct {
		used []time.Duration // when, since the sign-in
		ends time.Duration   // since then as well
	}{
		"never used":                 {nil, idle},
		"used just before a touch":   {[]time.Duration{idle/10 - time.Second}, idle},
		"used when a touch is due":   {[]time.Duration{idle / 10}, idle/10 + idle},
		"used at the last moment":    {[]time.Duration{idle - time.Second}, idle - time.Second + idle},
		"used twice between touches": {[]time.Duration{idle / 2, idle/2 + time.Minute}, idle/2 + idle},
		"used again and again":       {every(29*time.Minute, 4*time.Hour), 4*time.Hour - 8*time.Minute + idle},
		"used often to the end":      {every(17*time.Minute, lifetime-2*time.Second), lifetime},
		"used at its last second":    {append(every(29*time.Minute, lifetime-time.Minute), lifetime-time.Second), lifetime},
	}
	each(t, func(p *app) {
		for name, test := range tests {
			for _, from := range []time.Duration{-time.Second, 0, time.Second} {
				b, at := p.signedIn("alice"), time.Duration(0)
				secret := b.cookie()
				for _, used := range test.used {
					p.clock.Advance(used - at)
					at = used
					b.want("alice")
				}
				p.clock.Advance(test.ends + from - at)
				if from < 0 {
					b.want("alice")
				} else {
					p.dead(secret, "expired")
					b.get("/in?subject=alice")
					b.want("alice")
				}
				if p.Failed() {
					p.Fatalf("%s, %v from its end", name, from)
				}
			}
		}
	})
}

// every is each such time, until an end.
func every(step, until time.Duration) (all []time.Duration) {
	for at := step; at < until; at += step {
		all = append(all, at)
	}
	return all
}
