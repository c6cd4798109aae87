package server

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
	"github.com/keyfob-dev/keyfob/internal/strictjson"
)

// Verify judges a token. It is the handler of generated code, to which no request
// comes: answerVerify answers them, by the same verdict and in less time.
func (a *api) Verify(ctx context.Context, req *oas.VerifyRequest, _ oas.VerifyParams) (*oas.Verdict, error) {
	x := exchangeOf(ctx, oas.VerifyOperation)
	v, err := x.judge(ctx, req)
	if err != nil && !errors.Is(err, keyfob.ErrInvalid) {
		return nil, err
	}
	return verdictOf(&v, err), nil
}

// answerVerify judges the token that is asked about, and answers.
func (x *exchange) answerVerify() {
	v, err := x.judge(x.ctx.Context, &x.asked)
	if err != nil && !errors.Is(err, keyfob.ErrInvalid) {
		x.fail(err)
		return
	}
	text := buffers.Get().(*bytes.Buffer)
	text.Write(appendVerdict(text.AvailableBuffer(), &v, err))
	x.Header()["Content-Type"] = jsonType
	x.WriteHeader(http.StatusOK)
	// Whether it arrives is the caller's business. But of an HTTP/2 stream that was
	// reset, net/http may still be sending what was given to it: that is not used again.
	if _, err := x.Write(text.Bytes()); err == nil {
		putBuffer(text)
	}
}

// judge has the Authority judge the token of a request.
func (x *exchange) judge(ctx context.Context, req *oas.VerifyRequest) (v keyfob.Verdict, err error) {
	kind, given := req.Kind.Get()
	if given && kind == "" {
		return v, &keyfob.InputError{Field: "kind", Problem: "is empty; leave it out for apikey"}
	}
	ip, err := givenIP(req.IP)
	if err != nil {
		return v, err
	}
	check := keyfob.Check{Kind: keyfob.Kind(kind), Scopes: req.Scopes, IP: ip}
	v, err = x.server.callers.In(x.space).Judge(ctx, req.Token, check)
	x.server.metrics.verified(err)
	return v, err
}

// readPlain reads the body of a verification that is spelled as most are, or
// reports that it is not.
func readPlain(text []byte, shape strictjson.Shape, req *oas.VerifyRequest) bool {
	return strictjson.Plain(text, shape, func(field int, value []byte) {
		switch shape[field].Name {
		case "token":
			req.Token = string(value)
		case "kind":
			req.Kind = oas.NewOptString(string(value))
		case "scopes":
			req.Scopes = append(req.Scopes, string(value))
		case "ip":
			req.IP = oas.NewOptString(string(value))
		}
	})
}

// verdictOf is what Judge said, for generated code.
func verdictOf(v *keyfob.Verdict, err error) *oas.Verdict {
	o := &oas.Verdict{
		Valid: err == nil, Reason: keyfob.Reason(err), Limit: meterOf(&v.Meter),
		StalenessMs: roundUp(v.Staleness, time.Millisecond),
	}
	if err == nil {
		o.Credential = oas.NewOptCredential(credentialOf(&v.Credential))
	}
	return o
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
