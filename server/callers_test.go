package server

import (
	"context"
	"net/http"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
)

// TestCallersPolicy: what a caller's own key is bound to. Its networks are held
// against the address that the request came from, and who goes beyond its limit is
// told so, and not that it is unknown.
func TestCallersPolicy(t *testing.T) {
	e := newEnv(t, Limits{})
	caller := func(k keyfob.APIKey) string {
		k.Subject, k.Scopes = "caller", []string{OwnerScope}
		issued, err := e.a.In(keyfob.OwnSpace).Issue(t.Context(), k)
		e.must(err)
		e.hide(issued.Secret.Reveal())
		return issued.Secret.Reveal()
	}
	here := caller(keyfob.APIKey{CIDRs: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	e.want(e.ask(here, "GET", "/v1/spaces", nil), 200, "")
	elsewhere := caller(keyfob.APIKey{CIDRs: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	e.want(e.ask(elsewhere, "GET", "/v1/spaces", nil), 401, "unauthenticated")
	e.want(e.ask(elsewhere, "GET", "/v1/spaces", nil, func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.1") }), 401, "unauthenticated")

	limited := caller(keyfob.APIKey{Limit: keyfob.Limit{Rate: 1, Per: time.Hour, Burst: 2}})
	e.want(e.ask(limited, "GET", "/v1/spaces", nil), 200, "")
	e.want(e.ask(limited, "GET", "/v1/spaces", nil), 200, "")
	a := e.want(e.ask(limited, "GET", "/v1/spaces", nil), 429, "caller-rate-limited")
	if after, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || after < 3590 || after > 3600 {
		t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
	}
}

// TestSlowOperations: to prove a log takes as long as it is, and so it may take
// longer than other requests.
func TestSlowOperations(t *testing.T) {
	for name, op := range operations {
		if op.slow != (name == "VerifyEvents") {
			t.Errorf("%s may take long: %v", name, op.slow)
		}
	}
	e := newEnvWith(t, Limits{Work: 50 * time.Millisecond, Write: 150 * time.Millisecond}, keyfob.Config{})
	e.st.set(func(ctx context.Context, call string) error {
		if call != "Events" {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(300 * time.Millisecond):
			return nil
		}
	})
	e.want(e.ask(e.owner, "GET", "/v1/spaces/acme/events", nil), 503, "unavailable")
	verify := func() *answer { return e.ask(e.owner, "POST", "/v1/spaces/acme/events/verify", map[string]any{}) }
	e.want(verify(), 200, "")
	began, end := make(chan struct{}), make(chan struct{})
	e.st.set(func(_ context.Context, call string) error {
		if call == "Events" {
			began <- struct{}{}
			<-end
		}
		return nil
	})
	done := make(chan *answer)
	for range slowAtOnce {
		go func() { done <- verify() }()
		<-began
	}
	e.want(verify(), 503, "busy")
	e.want(e.ask("", "POST", "/v1/spaces/acme/events/verify", map[string]any{}), 401, "unauthenticated") // before it comes to a place
	close(end)
	for range slowAtOnce {
		e.want(<-done, 200, "")
	}
}
