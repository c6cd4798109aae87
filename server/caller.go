package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
)

// Challenges of RFC 6750, section 3: who sent no token is not told of an error.
var (
	challenge    = header{"Www-Authenticate", `Bearer realm="keyfob"`}
	invalidToken = header{"Www-Authenticate", `Bearer realm="keyfob", error="invalid_token"`}
)

// authenticate finds out who the caller is: by the token that it presents, or,
// if it presents none, by the local connection that it came over.
func (x *exchange) authenticate(r *http.Request) error {
	given := r.Header["Authorization"]
	if len(given) == 0 {
		if local, ok := r.Context().Value(localKey{}).(*caller); ok {
			x.caller = local
			return nil
		}
		return &refusal{kind: unauthenticated, header: challenge,
			detail: "header Authorization is missing; send Bearer and the token of a key of the space keyfob"}
	}
	scheme, text, ok := strings.Cut(given[0], " ")
	if len(given) > 1 || !ok || !strings.EqualFold(scheme, "Bearer") {
		return &refusal{kind: unauthenticated, header: challenge,
			detail: "header Authorization is not of the form Bearer TOKEN, once"}
	}
	v, err := x.server.callers.Judge(x.ctx.Context, strings.TrimLeft(text, " "), keyfob.Check{IP: x.client})
	if errors.Is(err, keyfob.ErrRateLimited) {
		x.reason = keyfob.Reason(err)
		x.server.metrics.callerRefused(x.reason)
		return &refusal{kind: callerLimited, header: header{"Retry-After", strconv.FormatInt(max(1, roundUp(v.Meter.Retry, time.Second)), 10)}}
	}
	if errors.Is(err, keyfob.ErrInvalid) {
		x.reason = keyfob.Reason(err)
		x.server.metrics.callerRefused(x.reason)
		return &refusal{kind: unauthenticated, header: invalidToken,
			detail: "the token in Authorization is not, or no longer, that of a caller"}
	}
	if err != nil {
		return fmt.Errorf("authenticate: %w", err)
	}
	x.caller = &caller{actor: v.Credential.ID, scopes: v.Credential.Scopes}
	return nil
}

// HandleBearer lets generated code pass: it would judge the token only after
// the route was found, and knows no local callers. exchange.admit has judged, and
// exchangeOf makes sure that it has.
func (*api) HandleBearer(ctx context.Context, _ oas.OperationName, _ oas.Bearer) (context.Context, error) {
	return ctx, nil
}
