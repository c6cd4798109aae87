package client

import (
	"context"
	"maps"
	"net/http"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
)

func (c *Client) issueSession(ctx context.Context, s *keyfob.Session) (keyfob.Issued, error) {
	if err := checkTexts("", nil, s.Attributes, "subject", s.Subject, "from", s.From); err != nil {
		return keyfob.Issued{}, err
	}
	request := oas.IssueSessionRequest{Subject: given(s.Subject), From: given(s.From), Since: givenTime(s.Since)}
	var err error
	if request.Lifetime, err = secondsOf("lifetime", s.Lifetime); err != nil {
		return keyfob.Issued{}, err
	}
	if request.Idle, err = secondsOf("idle", s.Idle); err != nil {
		return keyfob.Issued{}, err
	}
	if s.Remembered {
		request.Remembered = oas.NewOptBool(true)
	}
	if len(s.Attributes) > 0 {
		request.Attributes = oas.NewOptIssueSessionRequestAttributes(maps.Clone(s.Attributes))
	}
	var answer oas.Issued
	if err := c.issue(ctx, "/sessions", &request, &answer); err != nil {
		return keyfob.Issued{}, err
	}
	return issuedOf(&answer)
}

func (c *Client) updateSession(ctx context.Context, changed *keyfob.Credential) (keyfob.Credential, error) {
	if err := checkTexts("", nil, changed.Attributes); err != nil {
		return keyfob.Credential{}, err
	}
	path, err := c.idPath("/sessions/", changed.ID, "")
	if err != nil {
		return keyfob.Credential{}, err
	}
	request := oas.UpdateSessionRequest{Revision: changed.Revision, Attributes: oas.UpdateSessionRequestAttributes{}}
	maps.Copy(request.Attributes, changed.Attributes)
	return c.change(ctx, http.MethodPatch, path, &request)
}

// Renew hands out a new secret for a session, as Authority.Renew does. A credential
// of another kind is ErrNotFound.
func (c *Client) Renew(ctx context.Context, id string) (keyfob.Issued, error) {
	path, err := c.idPath("/sessions/", id, "/renew")
	if err != nil {
		return keyfob.Issued{}, err
	}
	var answer oas.Issued
	err = c.do(ctx, call{method: http.MethodPost, path: path, out: &answer, status: http.StatusCreated, once: true})
	if err != nil {
		return keyfob.Issued{}, err
	}
	return issuedOf(&answer)
}

// RevokeSubject ends all credentials of a subject and of these kinds at once, as
// Authority.RevokeSubject does. It is asked for once: after ErrUnavailable they may
// have ended, and who calls it again ends as well what was issued since.
func (c *Client) RevokeSubject(ctx context.Context, subject, reason string, kinds ...keyfob.Kind) error {
	if err := checkUTF8("subject", subject, "reason", reason); err != nil {
		return err
	}
	request := oas.RevokeSubjectRequest{Subject: subject, Kinds: []string{}, Reason: given(reason)}
	for _, kind := range kinds {
		if err := checkUTF8("kinds", string(kind)); err != nil {
			return err
		}
		request.Kinds = append(request.Kinds, string(kind))
	}
	path, err := c.path("/subjects/revoke")
	if err != nil {
		return err
	}
	defer c.cache.clear()
	return c.do(ctx, call{method: http.MethodPost, path: path, in: &request, out: new(oas.Revoked), status: http.StatusOK})
}
