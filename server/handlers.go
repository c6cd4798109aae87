package server

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
)

// defaultLimit is the size of a page of spaces.
const defaultLimit = 100

// api has the handlers of the generated server. A handler sees only requests
// that exchange.admit let through; the space that it works in is the one that
// was judged there.
type api struct{ authority *keyfob.Authority }

var (
	_ oas.Handler         = (*api)(nil)
	_ oas.SecurityHandler = (*api)(nil)
)

// in returns the Authority for the space of a request, which must be admitted
// to the operation.
func (a *api) in(ctx context.Context, name oas.OperationName) *keyfob.Authority {
	return a.authority.In(exchangeOf(ctx, name).space)
}

// NewError tells of an error of a handler.
func (a *api) NewError(ctx context.Context, err error) *oas.ProblemStatusCode {
	return ctx.Value(exchangeKey{}).(*exchange).problem(err)
}

// failed is called by generated code that could not read a request or write an
// answer. Its errors may hold the whole body: they are neither shown nor logged.
func failed(ctx context.Context, _ http.ResponseWriter, _ *http.Request, _ error) {
	ctx.Value(exchangeKey{}).(*exchange).fail(&refusal{kind: badInput, detail: "the request is not what this route takes"})
}

// Healthz answers while the process is alive.
func (a *api) Healthz(ctx context.Context) (*oas.Health, error) {
	return &oas.Health{Status: "ok"}, nil
}

// Readyz answers while the store does.
func (a *api) Readyz(ctx context.Context) (*oas.Health, error) {
	if _, err := a.authority.Spaces().Get(ctx, keyfob.DefaultSpace); err != nil {
		return nil, err
	}
	return &oas.Health{Status: "ok"}, nil
}

// ListSpaces answers a page of spaces.
func (a *api) ListSpaces(ctx context.Context, params oas.ListSpacesParams) (*oas.SpacePage, error) {
	exchangeOf(ctx, oas.ListSpacesOperation)
	limit := int(params.Limit.Or(defaultLimit))
	spaces, err := a.authority.Spaces().List(ctx, params.After.Or(""), limit)
	if err != nil {
		return nil, err
	}
	page := &oas.SpacePage{Items: make([]oas.Space, len(spaces))}
	for i, s := range spaces {
		page.Items[i] = *spaceOf(s)
	}
	if len(spaces) == limit {
		page.Next = spaces[limit-1].Name
	}
	return page, nil
}

// CreateSpace makes a space.
func (a *api) CreateSpace(ctx context.Context, req *oas.CreateSpaceRequest) (*oas.Space, error) {
	exchangeOf(ctx, oas.CreateSpaceOperation)
	s, err := a.authority.Spaces().Create(ctx, keyfob.Space{Name: req.Name, Prefix: req.Prefix})
	if err != nil {
		return nil, err
	}
	return spaceOf(s), nil
}

// GetSpace answers one space.
func (a *api) GetSpace(ctx context.Context, _ oas.GetSpaceParams) (*oas.Space, error) {
	s, err := a.authority.Spaces().Get(ctx, exchangeOf(ctx, oas.GetSpaceOperation).space)
	if err != nil {
		return nil, err
	}
	return spaceOf(s), nil
}

// UpdateSpace changes the prefix of a space.
func (a *api) UpdateSpace(ctx context.Context, req *oas.UpdateSpaceRequest, _ oas.UpdateSpaceParams) (*oas.Space, error) {
	s, err := a.authority.Spaces().Update(ctx, keyfob.Space{
		Name:   exchangeOf(ctx, oas.UpdateSpaceOperation).space,
		Prefix: req.Prefix, Revision: req.Revision,
	})
	if err != nil {
		return nil, err
	}
	return spaceOf(s), nil
}

// IssueAPIKey makes a key.
func (a *api) IssueAPIKey(ctx context.Context, req *oas.IssueAPIKeyRequest, _ oas.IssueAPIKeyParams) (*oas.Issued, error) {
	in := a.in(ctx, oas.IssueAPIKeyOperation)
	if exchangeOf(ctx, oas.IssueAPIKeyOperation).space == keyfob.OwnSpace {
		if err := checkCallerScopes(req.Scopes); err != nil {
			return nil, err
		}
	}
	expires, given := req.ExpiresAt.Get()
	if given && expires.IsZero() {
		// For the Authority the zero time is "never".
		return nil, &keyfob.InputError{Field: "expires_at", Problem: "is not in the future; leave it out for a credential that never expires"}
	}
	issued, err := in.Issue(ctx, keyfob.APIKey{
		Subject: req.Subject, Name: req.Name.Or(""), Scopes: req.Scopes,
		Expires: expires, Attributes: req.Attributes.Or(nil),
	})
	if err != nil {
		return nil, err
	}
	return issuedOf(issued), nil
}

// SearchAPIKeys answers a page of keys.
func (a *api) SearchAPIKeys(ctx context.Context, req *oas.SearchAPIKeysRequest, _ oas.SearchAPIKeysParams) (*oas.CredentialPage, error) {
	filter := keyfob.Filter{
		Kind: keyfob.KindAPIKey, Subject: req.Subject.Or(""), After: req.After.Or(""), Limit: int(req.Limit.Or(0)),
	}
	if limit, given := req.Limit.Get(); given && limit == 0 {
		// For the Authority 0 is its default.
		return nil, &keyfob.InputError{Field: "limit", Problem: "is 0; it is 1 to 1000"}
	}
	for _, state := range req.States {
		filter.States = append(filter.States, keyfob.State(state))
	}
	page, err := a.in(ctx, oas.SearchAPIKeysOperation).List(ctx, filter)
	if err != nil {
		return nil, err
	}
	answer := &oas.CredentialPage{Items: make([]oas.Credential, len(page.Items)), Next: page.Next}
	for i := range page.Items {
		answer.Items[i] = credentialOf(&page.Items[i])
	}
	return answer, nil
}

// GetAPIKey answers one key.
func (a *api) GetAPIKey(ctx context.Context, params oas.GetAPIKeyParams) (*oas.Credential, error) {
	c, err := a.in(ctx, oas.GetAPIKeyOperation).Get(ctx, params.ID)
	if err != nil {
		return nil, err
	}
	answer := credentialOf(&c)
	return &answer, nil
}

// RotateAPIKey adds a version to a key.
func (a *api) RotateAPIKey(ctx context.Context, req *oas.RotateRequest, params oas.RotateAPIKeyParams) (*oas.Issued, error) {
	in := a.in(ctx, oas.RotateAPIKeyOperation)
	const most = int64(math.MaxInt64 / time.Second)
	if req.Grace < 0 || req.Grace > most {
		return nil, &keyfob.InputError{Field: "grace", Problem: fmt.Sprintf("is out of range; it is 0 to %d seconds", most)}
	}
	issued, err := in.Rotate(ctx, params.ID, time.Duration(req.Grace)*time.Second)
	if err != nil {
		return nil, err
	}
	return issuedOf(issued), nil
}

// RevokeAPIKey ends a key.
func (a *api) RevokeAPIKey(ctx context.Context, req *oas.RevokeRequest, params oas.RevokeAPIKeyParams) error {
	return a.in(ctx, oas.RevokeAPIKeyOperation).Revoke(ctx, params.ID, req.Reason.Or(""))
}

// Verify judges a token.
func (a *api) Verify(ctx context.Context, req *oas.VerifyRequest, _ oas.VerifyParams) (*oas.Verdict, error) {
	kind, given := req.Kind.Get()
	if given && kind == "" {
		return nil, &keyfob.InputError{Field: "kind", Problem: "is empty; leave it out for apikey"}
	}
	c, err := a.in(ctx, oas.VerifyOperation).Verify(ctx, req.Token, keyfob.Check{Kind: keyfob.Kind(kind), Scopes: req.Scopes})
	if errors.Is(err, keyfob.ErrInvalid) {
		return &oas.Verdict{Reason: keyfob.Reason(err)}, nil
	}
	if err != nil {
		return nil, err
	}
	return &oas.Verdict{Valid: true, Reason: keyfob.Reason(nil), Credential: oas.NewOptCredential(credentialOf(&c))}, nil
}
