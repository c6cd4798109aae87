package server

import (
	"context"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
)

// IssueCode makes a code.
func (a *api) IssueCode(ctx context.Context, req *oas.IssueCodeRequest, _ oas.IssueCodeParams) (*oas.IssuedCode, error) {
	in := a.in(ctx, oas.IssueCodeOperation)
	code := keyfob.Code{Subject: req.Subject, Purpose: req.Purpose, Attributes: req.Attributes.Or(nil)}
	var err error
	if code.Format, code.Chars, err = givenFormat(req); err != nil {
		return nil, err
	}
	if code.TTL, err = givenSeconds("ttl", req.TTL, maxCodeTTL); err != nil {
		return nil, err
	}
	issued, err := in.Issue(ctx, code)
	if err != nil {
		return nil, err
	}
	return &oas.IssuedCode{Credential: credentialOf(&issued.Credential), Code: issued.Secret.Reveal()}, nil
}

// RedeemCode consumes a code.
func (a *api) RedeemCode(ctx context.Context, req *oas.RedeemCodeRequest, _ oas.RedeemCodeParams) (*oas.AttemptVerdict, error) {
	x := exchangeOf(ctx, oas.RedeemCodeOperation)
	ip, err := givenIP(req.IP)
	if err != nil {
		return nil, err
	}
	return x.judged(a.authority.In(x.space).Redeem(ctx, keyfob.Attempt{
		Kind: keyfob.KindCode, Secret: keyfob.NewSecret(req.Code), Subject: req.Subject, Purpose: req.Purpose, IP: ip,
	}))
}

// IssueRecovery makes a set of recovery codes.
func (a *api) IssueRecovery(ctx context.Context, req *oas.IssueRecoveryRequest, _ oas.IssueRecoveryParams) (*oas.IssuedRecovery, error) {
	issued, err := a.in(ctx, oas.IssueRecoveryOperation).Issue(ctx, keyfob.Recovery{
		Subject: req.Subject, Attributes: req.Attributes.Or(nil),
	})
	if err != nil {
		return nil, err
	}
	answer := &oas.IssuedRecovery{Credential: credentialOf(&issued.Credential)}
	for _, code := range issued.Secrets {
		answer.Codes = append(answer.Codes, code.Reveal())
	}
	return answer, nil
}

// RedeemRecovery consumes a recovery code.
func (a *api) RedeemRecovery(ctx context.Context, req *oas.RedeemRecoveryRequest, _ oas.RedeemRecoveryParams) (*oas.AttemptVerdict, error) {
	x := exchangeOf(ctx, oas.RedeemRecoveryOperation)
	ip, err := givenIP(req.IP)
	if err != nil {
		return nil, err
	}
	return x.judged(a.authority.In(x.space).Redeem(ctx, keyfob.Attempt{
		Kind: keyfob.KindRecovery, Secret: keyfob.NewSecret(req.Code), Subject: req.Subject, IP: ip,
	}))
}

// UnlockSubject gives a subject its guesses back.
func (a *api) UnlockSubject(ctx context.Context, req *oas.UnlockRequest, _ oas.UnlockSubjectParams) error {
	return a.in(ctx, oas.UnlockSubjectOperation).Unlock(ctx, req.Subject, req.Reason.Or(""))
}
