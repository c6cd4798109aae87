package server

import (
	"context"
	"errors"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
)

// Verify judges a token.
func (a *api) Verify(ctx context.Context, req *oas.VerifyRequest, _ oas.VerifyParams) (*oas.Verdict, error) {
	x := exchangeOf(ctx, oas.VerifyOperation)
	kind, given := req.Kind.Get()
	if given && kind == "" {
		return nil, &keyfob.InputError{Field: "kind", Problem: "is empty; leave it out for apikey"}
	}
	ip, err := givenIP(req.IP)
	if err != nil {
		return nil, err
	}
	check := keyfob.Check{Kind: keyfob.Kind(kind), Scopes: req.Scopes, IP: ip}
	v, err := a.authority.In(x.space).Judge(ctx, req.Token, check)
	x.server.metrics.verified(err)
	if err != nil && !errors.Is(err, keyfob.ErrInvalid) {
		return nil, err
	}
	answer := &oas.Verdict{
		Valid: err == nil, Reason: keyfob.Reason(err), Limit: meterOf(&v.Meter),
		StalenessMs: roundUp(v.Staleness, time.Millisecond),
	}
	if err == nil {
		answer.Credential = oas.NewOptCredential(credentialOf(&v.Credential))
	}
	return answer, nil
}

func meterOf(m *keyfob.Meter) oas.OptMeter {
	if m.Limit == (keyfob.Limit{}) {
		return oas.OptMeter{}
	}
	return oas.NewOptMeter(oas.Meter{
		Rate: m.Limit.Rate, Per: int64(m.Limit.Per / time.Second), Burst: m.Limit.Burst,
		Remaining: m.Remaining, Reset: roundUp(m.Reset, time.Second), Retry: roundUp(m.Retry, time.Second),
	})
}

// roundUp is a duration in whole units, rounded up.
func roundUp(d, unit time.Duration) int64 { return int64((d + unit - 1) / unit) }
