package client

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
	"github.com/keyfob-dev/keyfob/token"
)

// Redeem judges a secret and consumes it at once, as Authority.Redeem does. It is
// asked for once: after ErrUnavailable the secret may be consumed, and the guess
// counted.
func (c *Client) Redeem(ctx context.Context, attempt keyfob.Attempt) (keyfob.Credential, error) {
	switch attempt.Kind {
	case keyfob.KindLink:
		return c.attempt(ctx, "/links/redeem", &attempt, false)
	case keyfob.KindCode:
		return c.attempt(ctx, "/codes/redeem", &attempt, false)
	case keyfob.KindTOTP:
		return c.attempt(ctx, "/totp/check", &attempt, false)
	case keyfob.KindRecovery:
		return c.attempt(ctx, "/recovery/redeem", &attempt, false)
	}
	return keyfob.Credential{}, badInput("kind", "is none that is redeemed: link, code, totp or recovery")
}

// Inspect judges a link and consumes nothing, as Authority.Inspect does.
func (c *Client) Inspect(ctx context.Context, attempt keyfob.Attempt) (keyfob.Credential, error) {
	if attempt.Kind != keyfob.KindLink {
		return keyfob.Credential{}, badInput("kind", "is none that is inspected: link")
	}
	return c.attempt(ctx, "/links/inspect", &attempt, true)
}

// Confirm takes the first code of a TOTP, as Authority.Confirm does. It is asked
// for once, as by Redeem.
func (c *Client) Confirm(ctx context.Context, attempt keyfob.Attempt) (keyfob.Credential, error) {
	if attempt.Kind != keyfob.KindTOTP {
		return keyfob.Credential{}, badInput("kind", "is none that is confirmed: totp")
	}
	return c.attempt(ctx, "/totp/confirm", &attempt, false)
}

// Unlock gives a subject all its guesses back, as Authority.Unlock does.
func (c *Client) Unlock(ctx context.Context, subject, reason string) error {
	if err := checkUTF8("subject", subject, "reason", reason); err != nil {
		return err
	}
	path, err := c.path("/subjects/unlock")
	if err != nil {
		return err
	}
	return c.do(ctx, call{
		method: http.MethodPost, path: path, in: &oas.UnlockRequest{Subject: subject, Reason: given(reason)},
		out: new(oas.Unlocked), status: http.StatusOK,
	})
}

// attempt has the server judge one; inspect: and consume nothing.
func (c *Client) attempt(ctx context.Context, rest string, attempt *keyfob.Attempt, inspect bool) (keyfob.Credential, error) {
	if err := checkAttempt(attempt); err != nil {
		return keyfob.Credential{}, err
	}
	path, err := c.path(rest)
	if err != nil {
		return keyfob.Credential{}, err
	}
	var answer oas.AttemptVerdict
	err = c.do(ctx, call{
		method: http.MethodPost, path: path, in: attemptRequest(attempt), out: &answer, status: http.StatusOK,
		again: inspect, // what consumes may have done so when no answer came
	})
	if err != nil {
		return keyfob.Credential{}, err
	}
	return c.outcomeOf(&answer, attempt, inspect)
}

// checkAttempt refuses what the request of the kind has no field for. All else is
// judged by the server.
func checkAttempt(attempt *keyfob.Attempt) error {
	switch isLink, isCode := attempt.Kind == keyfob.KindLink, attempt.Kind == keyfob.KindCode; {
	case isLink && attempt.Subject != "":
		return badInput("subject", "is not for a link, which carries its own; leave it out")
	case !isLink && !isCode && attempt.Purpose != "":
		return badInput("purpose", "is not for this kind; leave it out")
	case !isLink && attempt.Binding != "":
		return badInput("binding", "is for links alone; leave it out")
	case attempt.Strict && attempt.Kind != keyfob.KindTOTP:
		return badInput("strict", "is for totp alone; leave it out")
	}
	return checkUTF8("subject", attempt.Subject, "purpose", attempt.Purpose, "binding", attempt.Binding)
}

func attemptRequest(attempt *keyfob.Attempt) interface{ MarshalJSON() ([]byte, error) } {
	var ip oas.OptString
	if addr := attempt.IP.Unmap().WithZone(""); addr.IsValid() {
		ip = oas.NewOptString(addr.String()) // of a zone the API knows nothing, and a budget neither
	}
	secret := presentable(attempt)
	switch attempt.Kind {
	case keyfob.KindLink:
		return &oas.LinkAttemptRequest{Token: secret, Purpose: attempt.Purpose, Binding: given(attempt.Binding), IP: ip}
	case keyfob.KindCode:
		return &oas.RedeemCodeRequest{Subject: attempt.Subject, Purpose: attempt.Purpose, Code: secret, IP: ip}
	case keyfob.KindRecovery:
		return &oas.RedeemRecoveryRequest{Subject: attempt.Subject, Code: secret, IP: ip}
	}
	request := &oas.TOTPAttemptRequest{Subject: attempt.Subject, Code: secret, IP: ip}
	if attempt.Strict {
		request.Strict = oas.NewOptBool(true)
	}
	return request
}

// maxCode is more than a code of any kind has.
const maxCode = 64

// presentable is the secret of an attempt, as far as it can be one. What cannot, and
// may be anything, is not sent: an empty one is judged the same.
func presentable(attempt *keyfob.Attempt) string {
	text := attempt.Secret.Reveal()
	fits := len(text) <= maxCode && utf8.ValidString(text)
	if attempt.Kind == keyfob.KindLink {
		_, err := token.Parse(text)
		fits = err == nil
	}
	if !fits {
		return ""
	}
	return text
}

// outcomeOf reads an answer. One that cannot be the answer to this attempt, as when
// something on the way mixed two up, accepts nobody.
func (c *Client) outcomeOf(o *oas.AttemptVerdict, attempt *keyfob.Attempt, inspect bool) (keyfob.Credential, error) {
	mixedUp := fmt.Errorf("%w: its verdict is not on what was asked", ErrServer)
	retry := o.RetryAfter.Or(0)
	if o.Valid != (o.Reason == keyfob.Reason(nil)) || o.Reason == "" || o.StalenessMs != 0 ||
		retry < 0 || retry > math.MaxInt64/int64(time.Second) || o.Valid && o.RetryAfter.Set {
		return keyfob.Credential{}, mixedUp
	}
	var refused error
	if !o.Valid {
		refused = &invalid{cause: causeOf(o.Reason), retry: seconds(retry)}
	}
	row, given := o.Credential.Get()
	if given != (o.Valid || inspect && errors.Is(refused, keyfob.ErrBinding)) {
		return keyfob.Credential{}, mixedUp
	}
	if !given {
		return keyfob.Credential{}, refused
	}
	credential, err := credentialOf(&row)
	if err != nil {
		return keyfob.Credential{}, err
	}
	if credential.Space != c.space || !isOutcome(&credential, attempt, inspect) {
		return keyfob.Credential{}, mixedUp
	}
	return credential, refused
}

// isOutcome reports whether a credential can be what an attempt found, in the state
// that it left it in.
func isOutcome(c *keyfob.Credential, attempt *keyfob.Attempt, inspect bool) bool {
	if c.Kind != attempt.Kind || c.Purpose != attempt.Purpose || len(c.Versions) != 1 {
		return false
	}
	state := keyfob.StateActive
	switch {
	case !inspect && (c.Kind == keyfob.KindLink || c.Kind == keyfob.KindCode):
		state = keyfob.StateRedeemed
	case c.Kind == keyfob.KindRecovery && c.Used >= c.Uses:
		state = keyfob.StateExhausted // by its last code
	}
	if c.State != state || c.Confirmed != (c.Kind == keyfob.KindTOTP) {
		return false
	}
	if c.Kind != keyfob.KindLink {
		return c.Subject == attempt.Subject
	}
	presented, err := token.Parse(attempt.Secret.Reveal())
	return err == nil && presented.ID() == c.Versions[0].ID
}
