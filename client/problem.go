package client

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
)

// Errors that an Authority does not have. They come wrapped; test with errors.Is.
var (
	// ErrUnauthenticated: the server does not accept the Client's own token.
	ErrUnauthenticated = errors.New("the server does not accept the client's token")

	// ErrForbidden: the scopes of the Client's token do not allow the verb, or not in
	// this space.
	ErrForbidden = errors.New("the client's token does not allow this")

	// ErrServer: the server failed, or what answered is no keyfob server of this
	// version. What was asked for may have taken effect.
	ErrServer = errors.New("no answer of a keyfob server")
)

const (
	problemURN = "urn:keyfob:problem:"
	requestURN = "urn:keyfob:request:"
)

// problems says which error each type of problem stands for. It is the server's
// table, read the other way round.
var problems = map[string]struct {
	err    error
	later  bool // another try may bring something
	undone bool // nothing was done
}{
	"input":                  {err: keyfob.ErrInput},
	"body-too-large":         {err: keyfob.ErrInput},
	"unauthenticated":        {err: ErrUnauthenticated},
	"forbidden":              {err: ErrForbidden},
	"not-found":              {err: keyfob.ErrNotFound},
	"space-not-found":        {err: keyfob.ErrSpace},
	"conflict":               {err: keyfob.ErrConflict},
	"exists":                 {err: keyfob.ErrExists},
	"idempotency-key-reused": {err: keyfob.ErrKeyReused},
	"too-soon":               {err: keyfob.ErrTooSoon, undone: true},
	"unavailable":            {err: keyfob.ErrUnavailable, later: true},
	"clock-behind":           {err: keyfob.ErrUnavailable, later: true},
	"busy":                   {err: keyfob.ErrUnavailable, later: true, undone: true},
	"body-timeout":           {err: keyfob.ErrUnavailable, later: true, undone: true},
	"caller-rate-limited":    {err: keyfob.ErrUnavailable, later: true, undone: true},
	"internal":               {err: ErrServer},
	"route-not-found":        {err: ErrServer}, // another version, or another base path
	"method-not-allowed":     {err: ErrServer},
	"media-type":             {err: ErrServer},
}

// A refused is an error of the server's, in its words.
type refused struct {
	cause error
	text  string
	retry time.Duration // 0: the server does not say
}

func (e *refused) Error() string { return e.text }
func (e *refused) Unwrap() error { return e.cause }

func (e *refused) RetryAfter() time.Duration { return e.retry }

// problemOf is the failure that an answer of RFC 9457 tells of.
func problemOf(resp *http.Response, text []byte) *failure {
	var p oas.Problem
	name, ours := "", false
	if err := p.UnmarshalJSON(text); err == nil {
		name, ours = strings.CutPrefix(p.Type, problemURN)
	}
	if !ours || int(p.Status) != resp.StatusCode || resp.StatusCode < 400 {
		return foreign(resp)
	}
	known, ok := problems[name]
	if !ok {
		// A problem of a later version: what its status says is all that is known.
		known.err, known.later = ErrServer, resp.StatusCode == http.StatusServiceUnavailable
		if known.later {
			known.err = keyfob.ErrUnavailable
		}
	}
	detail := oneLine(p.Detail)
	f := &failure{later: known.later, undone: known.undone, after: retryAfter(resp.Header)}
	if known.err == keyfob.ErrInput {
		f.error = inputError(p.Field.Or(""), detail)
		return f
	}
	if id, ok := strings.CutPrefix(p.Instance, requestURN); ok {
		detail += " (request " + oneLine(id) + ")"
	}
	f.error = &refused{known.err, fmt.Sprintf("%v: %s", known.err, detail), f.after}
	return f
}

// inputError parts a detail into the field that it begins with and what is wrong
// there. Without a field it begins with the part of the request.
func inputError(field, detail string) error {
	if field == "" {
		field, _, _ = strings.Cut(strings.TrimPrefix(detail, "the "), " ")
		detail = strings.TrimPrefix(detail, "the ")
	}
	return &keyfob.InputError{Field: field, Problem: strings.TrimPrefix(detail, field+" ")}
}

// foreign is the failure of an answer that is not the API's: a gateway's, or
// another program's.
func foreign(resp *http.Response) *failure {
	switch status := resp.StatusCode; status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return &failure{
			error: fmt.Errorf("%w: what stands before the server answers with status %d", keyfob.ErrUnavailable, status),
			later: true, after: retryAfter(resp.Header),
		}
	default:
		if status/100 == 3 {
			return &failure{error: fmt.Errorf("%w: it wants to send this elsewhere (status %d), and a token does not follow; give the final URL", ErrServer, status)}
		}
		return &failure{error: fmt.Errorf("%w: what answers is another program, or another version (status %d)", ErrServer, status)}
	}
}

// oneLine makes text of the server fit for a line of a log.
func oneLine(text string) string {
	const most = 1000
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, text)
}

// reasons gives each reason of a verdict its cause.
var reasons = map[string]error{
	"malformed":    keyfob.ErrMalformed,
	"unknown":      keyfob.ErrUnknown,
	"not_yet":      keyfob.ErrNotYet,
	"expired":      keyfob.ErrExpired,
	"suspended":    keyfob.ErrSuspended,
	"revoked":      keyfob.ErrRevoked,
	"replaced":     keyfob.ErrReplaced,
	"redeemed":     keyfob.ErrRedeemed,
	"purpose":      keyfob.ErrPurpose,
	"binding":      keyfob.ErrBinding,
	"locked":       keyfob.ErrLocked,
	"scope":        keyfob.ErrScope,
	"ip":           keyfob.ErrIP,
	"rate_limited": keyfob.ErrRateLimited,
	"exhausted":    keyfob.ErrExhausted,
}

// invalid is the error of a failed verification.
type invalid struct {
	cause error
	retry time.Duration // 0: nobody knows when
}

func (e *invalid) Error() string   { return "invalid: " + e.cause.Error() }
func (e *invalid) Unwrap() []error { return []error{keyfob.ErrInvalid, e.cause} }

func (e *invalid) RetryAfter() time.Duration { return e.retry }

// causeOf is the cause that a reason names. One of a later version is a refusal all
// the same.
func causeOf(reason string) error {
	if cause, ok := reasons[reason]; ok {
		return cause
	}
	return errors.New(oneLine(reason))
}
