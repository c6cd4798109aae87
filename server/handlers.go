package server

import (
	"context"
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
	ctx.Value(exchangeKey{}).(*exchange).fail(unreadable)
}

var unreadable = &refusal{kind: badInput, detail: "the request is not what this route takes"}

// Healthz answers while the process is alive.
func (a *api) Healthz(ctx context.Context) (*oas.Health, error) {
	return &oas.Health{Status: "ok"}, nil
}

// mostBehind is how far the clock of a node that answers may be behind.
const mostBehind = 30 * time.Second

// Readyz answers while the store does, and the clock is no great way behind.
func (a *api) Readyz(ctx context.Context) (*oas.Health, error) {
	if _, err := a.authority.Spaces().Get(ctx, keyfob.DefaultSpace); err != nil {
		return nil, err
	}
	if a.authority.ClockBehind() > mostBehind {
		return nil, &refusal{kind: clockBehind}
	}
	return &oas.Health{Status: "ok"}, nil
}

// ListSpaces answers a page of spaces.
func (a *api) ListSpaces(ctx context.Context, params oas.ListSpacesParams) (*oas.SpacePage, error) {
	exchangeOf(ctx, oas.ListSpacesOperation)
	limit, after := int(params.Limit.Or(defaultLimit)), params.After.Or("")
	if after != "" && !isSpaceName(after) {
		return nil, &keyfob.InputError{Field: "after", Problem: "is not the next of a page of spaces; take it unchanged"}
	}
	spaces, err := a.authority.Spaces().List(ctx, after, limit)
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
