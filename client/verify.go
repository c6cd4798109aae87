package client

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
	"github.com/keyfob-dev/keyfob/token"
)

// Verify judges a token that somebody presents, as Authority.Verify does. Text
// that is no keyed token is refused without asking.
func (c *Client) Verify(ctx context.Context, text string, check keyfob.Check) (keyfob.Credential, error) {
	v, err := c.Judge(ctx, text, check)
	return v.Credential, err
}

// Judge is Verify with all that it has to say. The Staleness of its Verdict is
// the server's, and the age of the answer if that was kept.
func (c *Client) Judge(ctx context.Context, text string, check keyfob.Check) (keyfob.Verdict, error) {
	if check.Kind == "" {
		check.Kind = keyfob.KindAPIKey
	}
	if err := checkScopes(check.Scopes); err != nil {
		return keyfob.Verdict{}, err
	}
	if !isSpaceName(c.space) {
		return keyfob.Verdict{}, noSpace()
	}
	presented, err := token.Parse(text)
	if err != nil {
		return keyfob.Verdict{}, &invalid{cause: keyfob.ErrMalformed}
	}
	q := question{space: c.space, token: text, check: check}
	if v, ok := c.cache.get(&q, c.now()); ok {
		return v, nil
	}
	return c.ask(ctx, &q, presented.ID())
}

// ask has the server judge.
func (c *Client) ask(ctx context.Context, q *question, version string) (keyfob.Verdict, error) {
	if err := checkUTF8("kind", string(q.check.Kind)); err != nil {
		return keyfob.Verdict{}, err
	}
	path, err := c.path("/verify")
	if err != nil {
		return keyfob.Verdict{}, err
	}
	begin := c.cache.begin(c.now())
	request := oas.VerifyRequest{Token: q.token, Scopes: q.check.Scopes}
	if q.check.Kind != keyfob.KindAPIKey {
		request.Kind = oas.NewOptString(string(q.check.Kind))
	}
	// An address with a zone is in no network, and the API has none.
	if ip := q.check.IP.Unmap(); ip.IsValid() && ip.Zone() == "" {
		request.IP = oas.NewOptString(ip.String())
	}
	var answer oas.Verdict
	err = c.do(ctx, call{method: http.MethodPost, path: path, in: &request, out: &answer, status: http.StatusOK, again: true})
	if err != nil {
		return keyfob.Verdict{}, err
	}
	v, err := verdictOf(&answer, q, version)
	if err == nil {
		c.cache.put(q, begin, v)
	}
	return v, err
}

// A question is what a verdict depends on.
type question struct {
	space string
	token string
	check keyfob.Check
}

// verdictOf reads an answer. One that cannot be the answer to this question, as
// when something on the way mixed two up, accepts nobody.
func verdictOf(o *oas.Verdict, q *question, version string) (keyfob.Verdict, error) {
	mixedUp := fmt.Errorf("%w: its verdict is not on what was asked", ErrServer)
	row, given := o.Credential.Get()
	if o.Valid != given || o.Valid != (o.Reason == keyfob.Reason(nil)) || o.Reason == "" || o.StalenessMs < 0 || o.StalenessMs > time.Minute.Milliseconds() {
		return keyfob.Verdict{}, mixedUp
	}
	v := keyfob.Verdict{Staleness: time.Duration(o.StalenessMs) * time.Millisecond}
	var ok bool
	if v.Meter, ok = meterOf(o.Limit); !ok {
		return keyfob.Verdict{}, mixedUp
	}
	if !o.Valid {
		return v, &invalid{cause: causeOf(o.Reason)}
	}
	credential, err := credentialOf(&row)
	if err != nil {
		return keyfob.Verdict{}, err
	}
	if credential.Space != q.space || credential.Kind != q.check.Kind ||
		len(credential.Versions) != 1 || credential.Versions[0].ID != version {
		return keyfob.Verdict{}, mixedUp
	}
	for _, scope := range q.check.Scopes {
		if !slices.Contains(credential.Scopes, scope) {
			return keyfob.Verdict{}, mixedUp
		}
	}
	v.Credential = credential
	return v, nil
}
