package bearer

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/keyfob-dev/keyfob"
)

// refuse answers a request that is not let through.
func (g *guard) refuse(w http.ResponseWriter, err error, meter keyfob.Meter) {
	h := w.Header()
	challenge := `Bearer realm="` + g.config.Realm + `"`
	switch {
	case errors.Is(err, ErrNoToken):
		// Who did not know that a token is needed is told of no error.
		answer(w, http.StatusUnauthorized, challenge, "A bearer token is needed here.")
	case errors.Is(err, ErrHeader):
		answer(w, http.StatusBadRequest, challenge+`, error="invalid_request"`, "The header Authorization is not Bearer and one token.")
	case !errors.Is(err, keyfob.ErrInvalid):
		h.Set("Retry-After", "1")
		answer(w, http.StatusServiceUnavailable, "", "Whether this token is valid cannot be decided now; try again later.")
	case errors.Is(err, keyfob.ErrScope):
		answer(w, http.StatusForbidden, challenge+`, error="insufficient_scope", scope="`+strings.Join(g.scopes, " ")+`"`,
			"This token does not allow that.")
	case errors.Is(err, keyfob.ErrRateLimited):
		h.Set("Retry-After", strconv.FormatInt(seconds(meter.Retry), 10))
		answer(w, http.StatusTooManyRequests, "", "This token is used too often; try again later.")
	default:
		answer(w, http.StatusUnauthorized, challenge+`, error="invalid_token"`, "This token is not valid.")
	}
}

func answer(w http.ResponseWriter, status int, challenge, sentence string) {
	h := w.Header()
	if challenge != "" {
		h.Set("WWW-Authenticate", challenge)
	}
	h.Set("Cache-Control", "no-store")
	http.Error(w, sentence, status)
}

// announce sets the headers of draft-ietf-httpapi-ratelimit-headers-11 for a key
// that has a limit. What is available has a window only where it is nothing until
// then; else it grows all the time.
func announce(h http.Header, m keyfob.Meter) {
	if m.Limit.Rate == 0 {
		return
	}
	h.Set("RateLimit-Policy", fmt.Sprintf(`"key";q=%d;w=%d`, m.Limit.Rate, seconds(m.Limit.Per)))
	available := fmt.Sprintf(`"key";r=%d`, max(m.Remaining, 0))
	if m.Retry > 0 {
		available += fmt.Sprintf(";t=%d", seconds(m.Retry))
	}
	h.Set("RateLimit", available)
}

// seconds is a wait in whole seconds, at least one and never too short.
func seconds(d time.Duration) int64 {
	return max(int64((d+time.Second-1)/time.Second), 1)
}
