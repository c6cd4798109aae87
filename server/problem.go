package server

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
)

// URIs of problems and of requests: names that nobody can fetch.
const (
	problemURN = "urn:keyfob:problem:"
	requestURN = "urn:keyfob:request:"
)

// A kind is one type of problem.
type kind struct {
	name   string // last part of the type's URI; stable
	status int
	title  string
	detail string // empty: the error's own text, which is then fit to be shown
	header header // goes with the answer
}

// A header is one field of an answer, in its canonical spelling.
type header struct{ name, value string }

var (
	badInput        = &kind{name: "input", status: 400, title: "Wrong input"}
	unauthenticated = &kind{name: "unauthenticated", status: 401, title: "Unknown caller"}
	forbidden       = &kind{name: "forbidden", status: 403, title: "Not allowed",
		detail: "the caller's scopes do not allow this, or not in this space",
		header: header{"Www-Authenticate", `Bearer realm="keyfob", error="insufficient_scope"`}}
	notFound = &kind{name: "not-found", status: 404, title: "No such credential",
		detail: "no credential of this space has this id, nor has one of its versions; an id has 16 characters of 0-9, A-Z and a-z"}
	spaceNotFound = &kind{name: "space-not-found", status: 404, title: "No such space",
		detail: "there is no space of this name"}
	routeNotFound = &kind{name: "route-not-found", status: 404, title: "No such route",
		detail: "nothing is here; /openapi.json lists the routes, and each has one spelling"}
	methodNotAllowed = &kind{name: "method-not-allowed", status: 405, title: "No such method"}
	bodyTimeout      = &kind{name: "body-timeout", status: 408, title: "Body too slow",
		detail: "the body did not come in time"}
	conflict = &kind{name: "conflict", status: 409, title: "Conflict"}
	exists   = &kind{name: "exists", status: 409, title: "Exists already",
		detail: "something of this name exists already; choose another name"}
	keyReused = &kind{name: "idempotency-key-reused", status: 422, title: "Idempotency-Key of another request",
		detail: "this Idempotency-Key came with another request within ten minutes; nothing was done; draw a new one for each request"}
	tooSoon = &kind{name: "too-soon", status: 429, title: "Too soon",
		detail: "a code or link of this subject and purpose was issued moments ago; nothing was done",
		header: retryAfter}
	bodyTooLarge = &kind{name: "body-too-large", status: 413, title: "Body too large"}
	mediaType    = &kind{name: "media-type", status: 415, title: "Body of another type",
		header: header{"Accept", "application/json"}}
	callerLimited = &kind{name: "caller-rate-limited", status: 429, title: "Too many requests",
		detail: "the caller's key was used as often as its limit allows now; nothing was done",
		header: retryAfter}
	internal = &kind{name: "internal", status: 500, title: "Fault of the server",
		detail: "the server failed; its log has more, under the id of this request"}
	unavailable = &kind{name: "unavailable", status: 503, title: "Not decided",
		detail: "the store did not answer; a change that was asked for may have taken effect, wholly",
		header: retryAfter}
	clockBehind = &kind{name: "clock-behind", status: 503, title: "Clock behind",
		detail: "the clock is more than 30 seconds behind what it was before; set it, or accept it: keyfob clock accept",
		header: retryAfter}
	busy = &kind{name: "busy", status: 503, title: "Too busy",
		detail: "too many requests at once; nothing was done",
		header: retryAfter}
)

// retryAfter is in seconds (RFC 9110, section 10.2.3).
var retryAfter = header{"Retry-After", "1"}

// kinds gives each error of the root package its kind, the first that matches;
// what is not in it is a fault of the server. Package client reads it the other
// way round.
var kinds = []struct {
	err  error
	kind *kind
}{
	{keyfob.ErrInput, badInput},
	{keyfob.ErrSpace, spaceNotFound}, // before ErrNotFound, which it matches too
	{keyfob.ErrNotFound, notFound},
	{keyfob.ErrExists, exists},
	{keyfob.ErrConflict, conflict},
	{keyfob.ErrKeyReused, keyReused},
	{keyfob.ErrTooSoon, tooSoon},
	{keyfob.ErrUnavailable, unavailable},
	{context.DeadlineExceeded, unavailable},
	{context.Canceled, unavailable},
}

// A refusal is an error of the server's own.
type refusal struct {
	kind   *kind
	detail string // of this one; the kind's goes before it
	header header // the kind's, if this is empty
}

func (r *refusal) Error() string { return r.detail }

// kindOf looks an error up.
func kindOf(err error) *kind {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.kind
	}
	for _, row := range kinds {
		if errors.Is(err, row.err) {
			return row.kind
		}
	}
	return internal
}

// problemOf says in the API's words what err is, in the request of that id.
func problemOf(err error, id string) (*kind, *oas.ProblemStatusCode) {
	k := kindOf(err)
	p := &oas.ProblemStatusCode{
		StatusCode: k.status,
		Response: oas.Problem{
			Type: problemURN + k.name, Title: k.title, Status: int32(k.status),
			Detail: k.detail, Instance: requestURN + id,
		},
	}
	if k.detail == "" {
		p.Response.Detail = err.Error()
	}
	if input, ok := errors.AsType[*keyfob.InputError](err); ok && k == badInput {
		p.Response.Field = oas.NewOptString(input.Field)
	}
	return k, p
}

// headerOf is the header that goes with an error's answer, or an empty one.
func headerOf(err error, k *kind) header {
	if r, ok := errors.AsType[*refusal](err); ok && r.header.name != "" {
		return r.header
	}
	if retry := keyfob.RetryAfter(err); retry > 0 {
		return retryIn(retry)
	}
	return k.header
}

// retryIn is the header that says so.
func retryIn(d time.Duration) header {
	return header{"Retry-After", strconv.FormatInt(roundUp(d, time.Second), 10)}
}
