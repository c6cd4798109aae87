package keyfob

import (
	"time"

	"github.com/keyfob-dev/keyfob/internal/ratelimit"
	"github.com/keyfob-dev/keyfob/store"
)

// A Limit says how often a credential may be used: Rate times in Per, evenly
// spread, and Burst times at once. Its zero value is no limit.
//
// It is metered by GCRA, the generic cell rate algorithm (ITU-T I.371), for each
// credential, in the memory of the Authority: its versions share one meter, a
// refusal of any kind takes nothing from it, and each process has meters of its
// own, which begin full. When more credentials are in the midst of their limit
// than there is memory for (2^20), others are refused: it fails closed.
type Limit struct {
	Rate  int64         // 1 to 10^9; 0: no limit
	Per   time.Duration // whole seconds, up to 366 days
	Burst int64         // 1 to 10^9; 0: Rate
}

// Bounds of a Limit.
const (
	maxRate = 1_000_000_000
	maxPer  = 366 * 24 * time.Hour
)

// A Meter says what is left of a Limit.
type Meter struct {
	Limit     Limit         // zero: the credential has none
	Remaining int64         // uses that are left at once
	Reset     time.Duration // until all of Burst is there again
	Retry     time.Duration // until the next use is allowed; 0: one is now
}

func (l Limit) record() (store.Limit, error) {
	if l == (Limit{}) {
		return store.Limit{}, nil
	}
	if l.Burst == 0 {
		l.Burst = l.Rate
	}
	switch {
	case l.Rate < 1 || l.Rate > maxRate:
		return store.Limit{}, badInput("rate", "is %d; it is 1 to %d uses, or left out for no limit", l.Rate, maxRate)
	case l.Per < time.Second || l.Per > maxPer || l.Per%time.Second != 0:
		return store.Limit{}, badInput("per", "is %v; it is a time of whole seconds, up to 366 days", l.Per)
	case l.Burst < 1 || l.Burst > maxRate:
		return store.Limit{}, badInput("burst", "is %d; it is 1 to %d uses, or left out for as many as the rate", l.Burst, maxRate)
	}
	if span := ratelimit.Span(ratelimit.Limit(l)); span < 0 || span > maxPer {
		return store.Limit{}, badInput("burst", "takes longer than 366 days to be there again at this rate; give a smaller one")
	}
	return store.Limit(l), nil
}

// meter takes one use of a credential from its meter.
func (c *core) meter(now time.Time, of *store.Credential) (Meter, bool) {
	v := c.meters.Take(of.ID, now, ratelimit.Limit(of.Limit))
	return Meter{Limit: Limit(of.Limit), Remaining: v.Remaining, Reset: v.Reset, Retry: v.Retry}, v.Allowed
}
