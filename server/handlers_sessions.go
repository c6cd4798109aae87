package server

import (
	"context"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
)

// IssueSession makes a session.
func (a *api) IssueSession(ctx context.Context, req *oas.IssueSessionRequest, _ oas.IssueSessionParams) (*oas.Issued, error) {
	in := a.in(ctx, oas.IssueSessionOperation)
	session := keyfob.Session{Attributes: req.Attributes.Or(nil), Remembered: req.Remembered.Or(false)}
	var err error
	if session.Subject, err = givenOr("subject", req.Subject, "for a session of nobody"); err != nil {
		return nil, err
	}
	if session.Lifetime, err = givenSeconds("lifetime", req.Lifetime, maxLifetime); err != nil {
		return nil, err
	}
	if session.Idle, err = givenSeconds("idle", req.Idle, maxLifetime); err != nil {
		return nil, err
	}
	if session.From, err = givenOr("from", req.From, "for a session that takes no one's place"); err != nil {
		return nil, err
	}
	if session.Since, err = givenTime("since", req.Since.Value, req.Since.Set); err != nil {
		return nil, err
	}
	issued, err := in.Issue(ctx, session)
	if err != nil {
		return nil, err
	}
	return issuedOf(issued), nil
}

// SearchSessions answers a page of sessions.
func (a *api) SearchSessions(ctx context.Context, req *oas.SearchSessionsRequest, _ oas.SearchSessionsParams) (*oas.CredentialPage, error) {
	in := a.in(ctx, oas.SearchSessionsOperation)
	filter, err := filterOf(&oas.SearchAPIKeysRequest{
		Subject: req.Subject, States: req.States, ExpiresBefore: req.ExpiresBefore, After: req.After, Limit: req.Limit,
	})
	if err != nil {
		return nil, err
	}
	filter.Kind = keyfob.KindSession
	return pageOf(in.List(ctx, filter))
}

// GetSession answers one session.
func (a *api) GetSession(ctx context.Context, params oas.GetSessionParams) (*oas.Credential, error) {
	_, c, err := a.withSession(ctx, oas.GetSessionOperation, params.ID)
	return answerOf(c, err)
}

// UpdateSession changes the attributes of a session, if it is the one that the
// caller saw.
func (a *api) UpdateSession(ctx context.Context, req *oas.UpdateSessionRequest, params oas.UpdateSessionParams) (*oas.Credential, error) {
	in, c, err := a.withSession(ctx, oas.UpdateSessionOperation, params.ID)
	if err != nil {
		return nil, err
	}
	c.Revision, c.Attributes = req.Revision, req.Attributes // nothing else is written
	return answerOf(in.Update(ctx, c))
}

// RenewSession adds a version to a session.
func (a *api) RenewSession(ctx context.Context, params oas.RenewSessionParams) (*oas.Issued, error) {
	in, _, err := a.withSession(ctx, oas.RenewSessionOperation, params.ID)
	if err != nil {
		return nil, err
	}
	issued, err := in.Renew(ctx, params.ID)
	if err != nil {
		return nil, err
	}
	return issuedOf(issued), nil
}

// RevokeSession ends a session.
func (a *api) RevokeSession(ctx context.Context, req *oas.RevokeRequest, params oas.RevokeSessionParams) error {
	in, _, err := a.withSession(ctx, oas.RevokeSessionOperation, params.ID)
	if err != nil {
		return err
	}
	return in.Revoke(ctx, params.ID, req.Reason.Or(""))
}

// withSession is withKind for a session.
func (a *api) withSession(ctx context.Context, name oas.OperationName, id string) (*keyfob.Authority, keyfob.Credential, error) {
	return a.withKind(ctx, name, keyfob.KindSession, id)
}

// RevokeSubject ends all that a subject has of some kinds.
func (a *api) RevokeSubject(ctx context.Context, req *oas.RevokeSubjectRequest, _ oas.RevokeSubjectParams) error {
	kinds := make([]keyfob.Kind, len(req.Kinds))
	for i, kind := range req.Kinds {
		kinds[i] = keyfob.Kind(kind)
	}
	return a.in(ctx, oas.RevokeSubjectOperation).RevokeSubject(ctx, req.Subject, req.Reason.Or(""), kinds...)
}
