package server

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
)

// IssueAPIKey makes a key.
func (a *api) IssueAPIKey(ctx context.Context, req *oas.IssueAPIKeyRequest, _ oas.IssueAPIKeyParams) (*oas.Issued, error) {
	x := exchangeOf(ctx, oas.IssueAPIKeyOperation)
	if err := x.checkScopes(req.Scopes); err != nil {
		return nil, err
	}
	key := keyfob.APIKey{Subject: req.Subject, Name: req.Name.Or(""), Scopes: req.Scopes, Attributes: req.Attributes.Or(nil)}
	var err error
	if key.NotBefore, err = givenTime("not_before", req.NotBefore.Value, req.NotBefore.Set); err != nil {
		return nil, err
	}
	if key.Expires, err = givenTime("expires_at", req.ExpiresAt.Value, req.ExpiresAt.Set); err != nil {
		return nil, err
	}
	if key.CIDRs, err = givenCIDRs(req.Cidrs); err != nil {
		return nil, err
	}
	if key.Uses, err = givenUses(req.Uses.Value, req.Uses.Set); err != nil {
		return nil, err
	}
	if key.Limit, err = givenLimitOf(given(req.Rate), given(req.Per), given(req.Burst)); err != nil {
		return nil, err
	}
	issued, err := a.authority.In(x.space).Issue(ctx, key)
	if err != nil {
		return nil, err
	}
	return issuedOf(issued), nil
}

// given is a number where there is one.
func given(n oas.OptInt64) *int64 {
	if !n.Set {
		return nil
	}
	return &n.Value
}

// checkScopes checks the scopes that a key of the request's space shall have.
func (x *exchange) checkScopes(scopes []string) error {
	if x.space != keyfob.OwnSpace {
		return nil
	}
	return checkCallerScopes(scopes)
}

// SearchAPIKeys answers a page of keys.
func (a *api) SearchAPIKeys(ctx context.Context, req *oas.SearchAPIKeysRequest, _ oas.SearchAPIKeysParams) (*oas.CredentialPage, error) {
	in := a.in(ctx, oas.SearchAPIKeysOperation)
	filter, err := filterOf(req)
	if err != nil {
		return nil, err
	}
	filter.Kind = keyfob.KindAPIKey
	return pageOf(in.List(ctx, filter))
}

func filterOf(req *oas.SearchAPIKeysRequest) (f keyfob.Filter, err error) {
	f.After = req.After.Or("")
	if f.Limit, err = givenLimit(req.Limit); err != nil {
		return f, err
	}
	if f.Subject, err = givenText("subject", req.Subject); err != nil {
		return f, err
	}
	if f.NameContains, err = givenText("name_contains", req.NameContains); err != nil {
		return f, err
	}
	if f.Scope, err = givenText("scope", req.Scope); err != nil {
		return f, err
	}
	if f.ExpiresBefore, err = givenTime("expires_before", req.ExpiresBefore.Value, req.ExpiresBefore.Set); err != nil {
		return f, err
	}
	for _, state := range req.States {
		f.States = append(f.States, keyfob.State(state))
	}
	return f, nil
}

// PurgeAPIKeys removes keys that have ended.
func (a *api) PurgeAPIKeys(ctx context.Context, req *oas.PurgeRequest, _ oas.PurgeAPIKeysParams) (*oas.Purged, error) {
	n, err := a.in(ctx, oas.PurgeAPIKeysOperation).Purge(ctx, keyfob.KindAPIKey, req.EndedBefore)
	if err != nil {
		return nil, err
	}
	return &oas.Purged{Purged: n}, nil
}

// GetAPIKey answers one key.
func (a *api) GetAPIKey(ctx context.Context, params oas.GetAPIKeyParams) (*oas.Credential, error) {
	_, c, err := a.withKey(ctx, oas.GetAPIKeyOperation, params.ID)
	return answerOf(c, err)
}

// answerOf answers a key, or the error.
func answerOf(c keyfob.Credential, err error) (*oas.Credential, error) {
	if err != nil {
		return nil, err
	}
	answer := credentialOf(&c)
	return &answer, nil
}

// UpdateAPIKey changes a key, if it is the one that the caller saw.
func (a *api) UpdateAPIKey(ctx context.Context, req *oas.UpdateAPIKeyRequest, params oas.UpdateAPIKeyParams) (*oas.Credential, error) {
	x := exchangeOf(ctx, oas.UpdateAPIKeyOperation)
	if req.Scopes != nil {
		if err := x.checkScopes(req.Scopes); err != nil {
			return nil, err
		}
	}
	in, c, err := a.withKey(ctx, oas.UpdateAPIKeyOperation, params.ID)
	if err != nil {
		return nil, err
	}
	given, err := setFields(&c, req)
	if err != nil {
		return nil, err
	}
	if !given {
		return nil, &refusal{kind: badInput, detail: "body changes nothing; give at least one field besides the revision"}
	}
	if c.Revision != req.Revision {
		// Or the fields that are not given would be those of this revision, and
		// Update would judge by another.
		return nil, &refusal{kind: conflict, detail: fmt.Sprintf("revision %d is not the newest; get the credential again, and judge anew", req.Revision)}
	}
	return answerOf(in.Update(ctx, c))
}

// setFields writes what a request gives into c, and reports whether it gives
// anything.
func setFields(c *keyfob.Credential, req *oas.UpdateAPIKeyRequest) (given bool, err error) {
	if name, ok := req.Name.Get(); ok {
		c.Name, given = name, true
	}
	if req.Scopes != nil {
		c.Scopes, given = req.Scopes, true
	}
	if attributes, ok := req.Attributes.Get(); ok {
		c.Attributes, given = attributes, true
	}
	if req.Cidrs != nil {
		given = true
		if c.CIDRs, err = givenCIDRs(req.Cidrs); err != nil {
			return given, err
		}
	}
	if f := req.NotBefore; f.Set {
		given = true
		if c.NotBefore, err = givenTime("not_before", f.Value, !f.Null); err != nil {
			return given, err
		}
	}
	if f := req.ExpiresAt; f.Set {
		given = true
		if c.Expires, err = givenTime("expires_at", f.Value, !f.Null); err != nil {
			return given, err
		}
	}
	if req.Rate.Set || req.Per.Set || req.Burst.Set {
		given = true
		if c.Limit, err = givenLimitOf(notNull(req.Rate), notNull(req.Per), notNull(req.Burst)); err != nil {
			return given, err
		}
	}
	if f := req.Uses; f.Set {
		given = true
		if c.Uses, err = givenUses(f.Value, !f.Null); err != nil {
			return given, err
		}
	}
	return given, nil
}

// notNull is a number where there is one and it is not null.
func notNull(n oas.OptNilInt64) *int64 {
	if !n.Set || n.Null {
		return nil
	}
	return &n.Value
}

// RotateAPIKey adds a version to a key.
func (a *api) RotateAPIKey(ctx context.Context, req *oas.RotateRequest, params oas.RotateAPIKeyParams) (*oas.Issued, error) {
	exchangeOf(ctx, oas.RotateAPIKeyOperation)
	const most = int64(math.MaxInt64 / time.Second)
	if req.Grace < 0 || req.Grace > most {
		return nil, &keyfob.InputError{Field: "grace", Problem: fmt.Sprintf("is out of range; it is 0 to %d seconds", most)}
	}
	in, _, err := a.withKey(ctx, oas.RotateAPIKeyOperation, params.ID)
	if err != nil {
		return nil, err
	}
	issued, err := in.Rotate(ctx, params.ID, time.Duration(req.Grace)*time.Second)
	if err != nil {
		return nil, err
	}
	return issuedOf(issued), nil
}

// RollbackAPIKey takes a rotation back.
func (a *api) RollbackAPIKey(ctx context.Context, params oas.RollbackAPIKeyParams) (*oas.Credential, error) {
	in, _, err := a.withKey(ctx, oas.RollbackAPIKeyOperation, params.ID)
	if err != nil {
		return nil, err
	}
	return answerOf(in.Rollback(ctx, params.ID))
}

// SuspendAPIKey has a key refused for a while.
func (a *api) SuspendAPIKey(ctx context.Context, req *oas.SuspendRequest, params oas.SuspendAPIKeyParams) (*oas.Credential, error) {
	in, _, err := a.withKey(ctx, oas.SuspendAPIKeyOperation, params.ID)
	if err != nil {
		return nil, err
	}
	return answerOf(in.Suspend(ctx, params.ID, req.Reason.Or("")))
}

// ResumeAPIKey ends that.
func (a *api) ResumeAPIKey(ctx context.Context, params oas.ResumeAPIKeyParams) (*oas.Credential, error) {
	in, _, err := a.withKey(ctx, oas.ResumeAPIKeyOperation, params.ID)
	if err != nil {
		return nil, err
	}
	return answerOf(in.Resume(ctx, params.ID))
}

// RevokeAPIKey ends a key.
func (a *api) RevokeAPIKey(ctx context.Context, req *oas.RevokeRequest, params oas.RevokeAPIKeyParams) error {
	in, _, err := a.withKey(ctx, oas.RevokeAPIKeyOperation, params.ID)
	if err != nil {
		return err
	}
	return in.Revoke(ctx, params.ID, req.Reason.Or(""))
}
