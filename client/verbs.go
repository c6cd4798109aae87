package client

import (
	"context"
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
	"github.com/keyfob-dev/keyfob/token"
)

// What may be put into a URL is checked before: a token that was pasted in the
// place of an id or a name would be in somebody's log.

// path is a path in the Client's space.
func (c *Client) path(rest string) (string, error) { return spacePath(c.space, rest) }

func spacePath(space, rest string) (string, error) {
	if !isSpaceName(space) {
		return "", noSpace()
	}
	return "/v1/spaces/" + space + rest, nil
}

func noSpace() error {
	return fmt.Errorf("%w: a name has 1 to 63 of a-z, 0-9 and -", keyfob.ErrSpace)
}

// keyPath is a path of the API key of that id.
func (c *Client) keyPath(id, rest string) (string, error) { return c.idPath("/apikeys/", id, rest) }

func (c *Client) idPath(before, id, rest string) (string, error) {
	if token.CheckID(id) != nil {
		return "", fmt.Errorf("credential %w: an id has 16 characters of 0-9, A-Z and a-z", keyfob.ErrNotFound)
	}
	return c.path(before + id + rest)
}

// checkLimit refuses what the API's seconds could not carry.
func checkLimit(l keyfob.Limit) error {
	if l.Per%time.Second != 0 {
		return badInput("per", "is %v; it is a time of whole seconds, up to 366 days", l.Per)
	}
	return nil
}

// Get returns the credential whose id, or one of whose versions' id, is id, as
// Authority.Get does.
func (c *Client) Get(ctx context.Context, id string) (keyfob.Credential, error) {
	path, err := c.idPath("/credentials/", id, "")
	if err != nil {
		return keyfob.Credential{}, err
	}
	var answer oas.Credential
	err = c.do(ctx, call{method: http.MethodGet, path: path, out: &answer, status: http.StatusOK, again: true})
	if err != nil {
		return keyfob.Credential{}, err
	}
	return credentialOf(&answer)
}

// onKey makes a call that changes an API key, and answers it.
func (c *Client) onKey(ctx context.Context, method, id, rest string, in interface{ MarshalJSON() ([]byte, error) }) (keyfob.Credential, error) {
	path, err := c.keyPath(id, rest)
	if err != nil {
		return keyfob.Credential{}, err
	}
	return c.change(ctx, method, path, in)
}

// change makes a call that changes a credential, and answers it.
func (c *Client) change(ctx context.Context, method, path string, in interface{ MarshalJSON() ([]byte, error) }) (keyfob.Credential, error) {
	defer c.cache.clear()
	var answer oas.Credential
	err := c.do(ctx, call{method: method, path: path, in: in, out: &answer, status: http.StatusOK})
	if err != nil {
		return keyfob.Credential{}, err
	}
	return credentialOf(&answer)
}

// List returns the credentials of the space, the newest first, as Authority.List
// does.
func (c *Client) List(ctx context.Context, filter keyfob.Filter) (keyfob.Page, error) {
	if err := checkPageSize(filter.Limit); err != nil {
		return keyfob.Page{}, err
	}
	if err := checkUTF8("kind", string(filter.Kind), "subject", filter.Subject, "purpose", filter.Purpose, "name_contains", filter.NameContains, "scope", filter.Scope, "after", filter.After); err != nil {
		return keyfob.Page{}, err
	}
	for _, s := range filter.States {
		if err := checkUTF8("states", string(s)); err != nil {
			return keyfob.Page{}, err
		}
	}
	path, err := c.path("/credentials/search")
	if err != nil {
		return keyfob.Page{}, err
	}
	var answer oas.CredentialPage
	err = c.do(ctx, call{method: http.MethodPost, path: path, in: searchRequest(&filter), out: &answer, status: http.StatusOK, most: maxPage, again: true})
	if err != nil {
		return keyfob.Page{}, err
	}
	page := keyfob.Page{Next: answer.Next}
	for i := range answer.Items {
		item, err := credentialOf(&answer.Items[i])
		if err != nil {
			return keyfob.Page{}, err
		}
		page.Items = append(page.Items, item)
	}
	return page, nil
}

// checkPageSize refuses what the API's number could not carry; 0 is for those
// verbs that have a default.
func checkPageSize(limit int) error {
	if limit < 0 || limit > 1000 {
		return badInput("limit", "is %d; it is 1 to 1000", limit)
	}
	return nil
}

// Update writes what may be changed of c, if its revision is still the newest, as
// Authority.Update does: of the Kind session its attributes. This and the verbs
// below, up to Revoke, are for API keys otherwise: a credential of another kind is
// ErrNotFound to them.
func (c *Client) Update(ctx context.Context, changed keyfob.Credential) (keyfob.Credential, error) {
	if changed.Kind == keyfob.KindSession {
		return c.updateSession(ctx, &changed)
	}
	if err := checkLimit(changed.Limit); err != nil {
		return keyfob.Credential{}, err
	}
	if err := checkTexts(changed.Name, changed.Scopes, changed.Attributes); err != nil {
		return keyfob.Credential{}, err
	}
	return c.onKey(ctx, http.MethodPatch, changed.ID, "", updateRequest(&changed))
}

// Rotate hands out a successor of a credential's secret, as Authority.Rotate
// does. The grace is in whole seconds.
func (c *Client) Rotate(ctx context.Context, id string, grace time.Duration) (keyfob.Issued, error) {
	if grace < 0 || grace%time.Second != 0 {
		return keyfob.Issued{}, badInput("grace", "is %v; through a server it is 0 or more, in whole seconds", grace)
	}
	path, err := c.keyPath(id, "/rotate")
	if err != nil {
		return keyfob.Issued{}, err
	}
	defer c.cache.clear()
	var answer oas.Issued
	err = c.do(ctx, call{
		method: http.MethodPost, path: path, in: &oas.RotateRequest{Grace: int64(grace / time.Second)},
		out: &answer, status: http.StatusCreated, once: true,
	})
	if err != nil {
		return keyfob.Issued{}, err
	}
	return issuedOf(&answer)
}

// Rollback takes a rotation back, as Authority.Rollback does.
func (c *Client) Rollback(ctx context.Context, id string) (keyfob.Credential, error) {
	return c.onKey(ctx, http.MethodPost, id, "/rollback", nil)
}

// Suspend has a credential refused until Resume, as Authority.Suspend does.
func (c *Client) Suspend(ctx context.Context, id, reason string) (keyfob.Credential, error) {
	if err := checkUTF8("reason", reason); err != nil {
		return keyfob.Credential{}, err
	}
	return c.onKey(ctx, http.MethodPost, id, "/suspend", &oas.SuspendRequest{Reason: given(reason)})
}

// Resume ends a suspension, as Authority.Resume does.
func (c *Client) Resume(ctx context.Context, id string) (keyfob.Credential, error) {
	return c.onKey(ctx, http.MethodPost, id, "/resume", nil)
}

// Revoke ends a credential for good, as Authority.Revoke does. When it returns
// nil, no verification on the server and none by this Client accepts it any more;
// another Client with a cache may for up to its MaxStaleness.
func (c *Client) Revoke(ctx context.Context, id, reason string) error {
	if err := checkUTF8("reason", reason); err != nil {
		return err
	}
	path, err := c.idPath("/credentials/", id, "/revoke")
	if err != nil {
		return err
	}
	defer c.cache.clear()
	return c.do(ctx, call{
		method: http.MethodPost, path: path, in: &oas.RevokeRequest{Reason: given(reason)},
		out: new(oas.Revoked), status: http.StatusOK,
		again: true, // it is final, and has one event however often it is asked for
	})
}

// Purge removes the credentials of a kind that ended before a time, as
// Authority.Purge does. After an error the number is not known, and 0.
func (c *Client) Purge(ctx context.Context, kind keyfob.Kind, endedBefore time.Time) (int64, error) {
	if err := checkUTF8("kind", string(kind)); err != nil {
		return 0, err
	}
	path, err := c.path("/credentials/purge")
	if err != nil {
		return 0, err
	}
	defer c.cache.clear()
	var answer oas.Purged
	err = c.do(ctx, call{method: http.MethodPost, path: path, in: &oas.PurgeCredentialsRequest{Kind: string(kind), EndedBefore: endedBefore}, out: &answer, status: http.StatusOK})
	return answer.Purged, err
}

// checkTexts is checkUTF8 for what issue and update have in common, and more.
func checkTexts(name string, scopes []string, attributes map[string]string, more ...string) error {
	if err := checkUTF8(append(more, "name", name)...); err != nil {
		return err
	}
	if err := checkScopes(scopes); err != nil {
		return err
	}
	for name, value := range attributes {
		if err := checkUTF8("attributes", name, "attributes."+name, value); err != nil {
			return err
		}
	}
	return nil
}

func checkScopes(scopes []string) error {
	for _, scope := range scopes {
		if err := checkUTF8("scopes", scope); err != nil {
			return err
		}
	}
	return nil
}

// checkUTF8 takes fields and their texts in turn. JSON carries nothing else, and
// what is repaired on the way is not what was given.
func checkUTF8(fields ...string) error {
	for i := 0; i < len(fields); i += 2 {
		if !utf8.ValidString(fields[i+1]) {
			return badInput(fields[i], "is not valid UTF-8")
		}
	}
	return nil
}
