package server

import (
	"context"
	"errors"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
)

// IssueLink makes the token of a link.
func (a *api) IssueLink(ctx context.Context, req *oas.IssueLinkRequest, _ oas.IssueLinkParams) (*oas.Issued, error) {
	in := a.in(ctx, oas.IssueLinkOperation)
	link := keyfob.Link{Subject: req.Subject, Purpose: req.Purpose, Attributes: req.Attributes.Or(nil)}
	var err error
	if link.TTL, err = givenSeconds("ttl", req.TTL, maxLinkTTL); err != nil {
		return nil, err
	}
	if link.Pause, err = givenSeconds("pause", req.Pause, maxLinkPause); err != nil {
		return nil, err
	}
	if link.Binding, err = givenOr("binding", req.Binding, "for a link that is good from anywhere"); err != nil {
		return nil, err
	}
	issued, err := in.Issue(ctx, link)
	if err != nil {
		return nil, err
	}
	return issuedOf(issued), nil
}

// InspectLink judges a link and leaves it as it is.
func (a *api) InspectLink(ctx context.Context, req *oas.LinkAttemptRequest, _ oas.InspectLinkParams) (*oas.AttemptVerdict, error) {
	x := exchangeOf(ctx, oas.InspectLinkOperation)
	attempt, err := linkAttemptOf(req)
	if err != nil {
		return nil, err
	}
	return x.judged(a.authority.In(x.space).Inspect(ctx, attempt))
}

// RedeemLink consumes a link.
func (a *api) RedeemLink(ctx context.Context, req *oas.LinkAttemptRequest, _ oas.RedeemLinkParams) (*oas.AttemptVerdict, error) {
	x := exchangeOf(ctx, oas.RedeemLinkOperation)
	attempt, err := linkAttemptOf(req)
	if err != nil {
		return nil, err
	}
	return x.judged(a.authority.In(x.space).Redeem(ctx, attempt))
}

func linkAttemptOf(req *oas.LinkAttemptRequest) (attempt keyfob.Attempt, err error) {
	attempt = keyfob.Attempt{Kind: keyfob.KindLink, Secret: keyfob.NewSecret(req.Token), Purpose: req.Purpose}
	if attempt.Binding, err = givenOr("binding", req.Binding, "where the browser has none"); err != nil {
		return attempt, err
	}
	attempt.IP, err = givenIP(req.IP)
	return attempt, err
}

// judged counts and answers what became of an attempt.
func (x *exchange) judged(c keyfob.Credential, err error) (*oas.AttemptVerdict, error) {
	x.server.metrics.verified(err)
	if err != nil && !errors.Is(err, keyfob.ErrInvalid) {
		return nil, err
	}
	answer := &oas.AttemptVerdict{Valid: err == nil, Reason: keyfob.Reason(err)}
	if c.ID != "" { // it is good, or a link that another browser asked for
		answer.Credential = oas.NewOptCredential(credentialOf(&c))
	}
	if retry := keyfob.RetryAfter(err); retry > 0 {
		answer.RetryAfter = oas.NewOptInt64(roundUp(retry, time.Second))
		h := retryIn(retry)
		x.Header().Set(h.name, h.value)
	}
	return answer, nil
}
