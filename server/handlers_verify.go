package server

import (
	"context"
	"errors"

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
	c, err := a.authority.In(x.space).Verify(ctx, req.Token, check)
	x.server.metrics.verified(err)
	if errors.Is(err, keyfob.ErrInvalid) {
		return &oas.Verdict{Reason: keyfob.Reason(err)}, nil
	}
	if err != nil {
		return nil, err
	}
	return &oas.Verdict{Valid: true, Reason: keyfob.Reason(nil), Credential: oas.NewOptCredential(credentialOf(&c))}, nil
}
