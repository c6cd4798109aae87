package server

import (
	"context"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
)

// IssueTOTP makes the seed of an authenticator.
func (a *api) IssueTOTP(ctx context.Context, req *oas.IssueTOTPRequest, _ oas.IssueTOTPParams) (*oas.IssuedTOTP, error) {
	in := a.in(ctx, oas.IssueTOTPOperation)
	totp := keyfob.TOTP{Subject: req.Subject, Account: req.Account, Name: req.Name.Or(""), Attributes: req.Attributes.Or(nil)}
	var err error
	if totp.Issuer, err = givenOr("issuer", req.Issuer, "for none"); err != nil {
		return nil, err
	}
	if totp.Algorithm, err = givenAlgorithm(req.Algorithm); err != nil {
		return nil, err
	}
	issued, err := in.Issue(ctx, totp)
	if err != nil {
		return nil, err
	}
	return &oas.IssuedTOTP{
		Credential: credentialOf(&issued.Credential), Secret: issued.Secret.Reveal(), URI: issued.URI.Reveal(),
	}, nil
}

// ConfirmTOTP takes the first code of an authenticator.
func (a *api) ConfirmTOTP(ctx context.Context, req *oas.TOTPAttemptRequest, _ oas.ConfirmTOTPParams) (*oas.AttemptVerdict, error) {
	x := exchangeOf(ctx, oas.ConfirmTOTPOperation)
	attempt, err := totpAttemptOf(req)
	if err != nil {
		return nil, err
	}
	return x.judged(a.authority.In(x.space).Confirm(ctx, attempt))
}

// CheckTOTP consumes a code of an authenticator.
func (a *api) CheckTOTP(ctx context.Context, req *oas.TOTPAttemptRequest, _ oas.CheckTOTPParams) (*oas.AttemptVerdict, error) {
	x := exchangeOf(ctx, oas.CheckTOTPOperation)
	attempt, err := totpAttemptOf(req)
	if err != nil {
		return nil, err
	}
	return x.judged(a.authority.In(x.space).Redeem(ctx, attempt))
}

func totpAttemptOf(req *oas.TOTPAttemptRequest) (keyfob.Attempt, error) {
	ip, err := givenIP(req.IP)
	return keyfob.Attempt{
		Kind: keyfob.KindTOTP, Secret: keyfob.NewSecret(req.Code), Subject: req.Subject, IP: ip, Strict: req.Strict.Or(false),
	}, err
}
