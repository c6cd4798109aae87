package server

import (
	"context"
	"fmt"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
)

// SearchCredentials answers a page of credentials.
func (a *api) SearchCredentials(ctx context.Context, req *oas.SearchCredentialsRequest, _ oas.SearchCredentialsParams) (*oas.CredentialPage, error) {
	in := a.in(ctx, oas.SearchCredentialsOperation)
	filter, err := filterOf(&oas.SearchAPIKeysRequest{
		Subject: req.Subject, States: req.States, NameContains: req.NameContains, Scope: req.Scope,
		ExpiresBefore: req.ExpiresBefore, After: req.After, Limit: req.Limit,
	})
	if err != nil {
		return nil, err
	}
	kind, err := givenText("kind", req.Kind)
	if err != nil {
		return nil, err
	}
	if filter.Purpose, err = givenText("purpose", req.Purpose); err != nil {
		return nil, err
	}
	filter.Kind = keyfob.Kind(kind)
	return pageOf(in.List(ctx, filter))
}

// pageOf answers a page, or the error.
func pageOf(page keyfob.Page, err error) (*oas.CredentialPage, error) {
	if err != nil {
		return nil, err
	}
	answer := &oas.CredentialPage{Items: make([]oas.Credential, len(page.Items)), Next: page.Next}
	for i := range page.Items {
		answer.Items[i] = credentialOf(&page.Items[i])
	}
	return answer, nil
}

// PurgeCredentials removes credentials of a kind that have ended.
func (a *api) PurgeCredentials(ctx context.Context, req *oas.PurgeCredentialsRequest, _ oas.PurgeCredentialsParams) (*oas.Purged, error) {
	n, err := a.in(ctx, oas.PurgeCredentialsOperation).Purge(ctx, keyfob.Kind(req.Kind), req.EndedBefore)
	if err != nil {
		return nil, err
	}
	return &oas.Purged{Purged: n}, nil
}

// GetCredential answers one credential.
func (a *api) GetCredential(ctx context.Context, params oas.GetCredentialParams) (*oas.Credential, error) {
	return answerOf(a.in(ctx, oas.GetCredentialOperation).Get(ctx, params.ID))
}

// RevokeCredential ends a credential.
func (a *api) RevokeCredential(ctx context.Context, req *oas.RevokeRequest, params oas.RevokeCredentialParams) error {
	return a.in(ctx, oas.RevokeCredentialOperation).Revoke(ctx, params.ID, req.Reason.Or(""))
}

// withKey is withKind for an API key.
func (a *api) withKey(ctx context.Context, name oas.OperationName, id string) (*keyfob.Authority, keyfob.Credential, error) {
	return a.withKind(ctx, name, keyfob.KindAPIKey, id)
}

// withKind returns the Authority for the space of a request, which must be admitted
// to the operation, and the credential of that kind and id there. One of another
// kind is not found; what is not found to be one before a change is none during it,
// since the kind never changes.
func (a *api) withKind(ctx context.Context, name oas.OperationName, kind keyfob.Kind, id string) (*keyfob.Authority, keyfob.Credential, error) {
	in := a.in(ctx, name)
	c, err := in.Get(ctx, id)
	if err == nil && c.Kind != kind {
		err = fmt.Errorf("credential %s is of another kind: %w", c.ID, keyfob.ErrNotFound)
	}
	return in, c, err
}
