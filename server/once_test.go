package server

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
)

func withKeys(keys ...string) func(*http.Request) {
	return func(r *http.Request) { r.Header["Idempotency-Key"] = keys }
}

// TestIdempotencyKey: a request that is sent again, since its answer was lost,
// gets that answer, on every route that hands out a secret.
func TestIdempotencyKey(t *testing.T) {
	e := newEnv(t, Limits{})
	issuer := e.callerKey("acme:issue")
	const base, key = "/v1/spaces/acme/apikeys", "0123456789abcdef"
	body := map[string]any{"subject": "alice", "scopes": []string{"read"}}
	once := 0
	for name, op := range operations {
		if op.once {
			once++
		}
		if issues := strings.HasPrefix(string(name), "Issue") || strings.HasPrefix(string(name), "Rotate") || strings.HasPrefix(string(name), "Renew"); issues != op.once {
			t.Errorf("%s takes an Idempotency-Key: %v", name, op.once)
		}
	}
	if known := 3 + len(issuing); once != known {
		t.Errorf("%d operations take an Idempotency-Key; this test, TestRenewOnce and TestIdempotencyKeyOfEachKind know %d", once, known)
	}

	first := e.want(e.ask(issuer, "POST", base, body, withKeys(key)), 201, "")
	e.repeated = first.json["token"].(string)
	again := e.want(e.ask(issuer, "POST", base, body, withKeys(key)), 201, "")
	if first.text != again.text {
		t.Error("the same request has another answer")
	}
	e.want(e.ask(issuer, "POST", base, map[string]any{"subject": "bob"}, withKeys(key)), 422, "idempotency-key-reused")
	if other := e.want(e.ask(e.owner, "POST", base, body, withKeys(key)), 201, ""); other.json["token"] == first.json["token"] {
		t.Error("another caller got the answer")
	}
	rotate := base + "/" + first.credential()["id"].(string) + "/rotate"
	grace := map[string]any{"grace": 3600}
	rotated := e.want(e.ask(issuer, "POST", rotate, grace, withKeys(key)), 201, "")
	e.repeated = rotated.json["token"].(string)
	if again := e.want(e.ask(issuer, "POST", rotate, grace, withKeys(key)), 201, ""); again.text != rotated.text {
		t.Error("the same rotation has another answer")
	}
	e.repeated = ""
	e.want(e.ask(issuer, "POST", rotate, grace), 409, "conflict")
	e.want(e.ask(issuer, "POST", rotate, map[string]any{"grace": 0}, withKeys(key)), 422, "idempotency-key-reused")

	for what, keys := range map[string][]string{
		"short": {"0123456789abcde"}, "empty": {""}, "a space": {"0123456789 abcdef"}, "twice": {key, key}, "long": {strings.Repeat("a", 256)}, "not ASCII": {"0123456789abcd\u00e9"},
	} {
		a := e.want(e.ask(issuer, "POST", base, body, withKeys(keys...)), 400, "input")
		if !strings.Contains(strings.ToLower(a.detail()), "idempotency") {
			t.Errorf("%s: %v", what, a)
		}
	}
	for _, r := range readSpec(t).routes {
		if operations[r.name].once || operations[r.name].needs == anyone {
			continue
		}
		path, body := samples[r.name](e, "acme")
		before := e.events()
		a := e.want(e.ask(e.owner, r.method, path, body, withKeys(key)), 400, "input")
		if !strings.Contains(a.detail(), "Idempotency-Key is not taken here") || e.events() != before {
			t.Errorf("%s: %v, and %d events", r.name, a, e.events()-before)
		}
	}
}

// TestLimitOverHTTP: what verify says of a limit, in whole seconds.
func TestLimitOverHTTP(t *testing.T) {
	e := newEnv(t, Limits{})
	const base = "/v1/spaces/acme"
	issue := func(more map[string]any) *answer {
		body := map[string]any{"subject": "alice"}
		for name, value := range more {
			body[name] = value
		}
		return e.ask(e.owner, "POST", base+"/apikeys", body)
	}
	issued := e.want(issue(map[string]any{"rate": 2, "per": 3600, "burst": 1}), 201, "")
	c := issued.credential()
	if c["rate"] != 2.0 || c["per"] != 3600.0 || c["burst"] != 1.0 {
		t.Errorf("issued %v", c)
	}
	verify := func(reason string) map[string]any {
		t.Helper()
		a := e.want(e.ask(e.owner, "POST", base+"/verify", map[string]any{"token": issued.json["token"]}), 200, "")
		if a.json["reason"] != reason {
			t.Errorf("verify: %v, want %s", a, reason)
		}
		limit, _ := a.json["limit"].(map[string]any)
		return limit
	}
	for _, reason := range []string{"ok", "rate_limited"} {
		limit := verify(reason)
		retry, _ := limit["retry"].(float64)
		if limit["rate"] != 2.0 || limit["per"] != 3600.0 || limit["burst"] != 1.0 || limit["remaining"] != 0.0 || retry < 1790 || retry > 1800 || limit["reset"] != limit["retry"] {
			t.Errorf("%s: limit %v", reason, limit)
		}
	}
	id := c["id"].(string)
	patch := func(body map[string]any) *answer { return e.ask(e.owner, "PATCH", base+"/apikeys/"+id, body) }
	updated := e.want(patch(map[string]any{"revision": 1, "rate": 100, "per": 60}), 200, "")
	if updated.json["burst"] != 100.0 {
		t.Errorf("updated %v", updated)
	}
	updated = e.want(patch(map[string]any{"revision": 2, "rate": nil, "per": nil}), 200, "")
	if _, there := updated.json["rate"]; there {
		t.Errorf("updated %v", updated)
	}
	if limit := verify("ok"); limit != nil {
		t.Errorf("without a limit: %v", limit)
	}
	for _, wrong := range []map[string]any{
		{"rate": 1}, {"per": 1}, {"burst": 1}, {"rate": 0, "per": 1}, {"rate": 1, "per": 0}, {"rate": -1, "per": 1}, {"rate": 1, "per": 31622401},
		{"rate": 1, "per": 9223372036854775807}, {"rate": 1, "per": 60, "burst": 0}, {"rate": 1000000001, "per": 60}, {"rate": 1, "per": 31622400, "burst": 2},
	} {
		e.want(issue(wrong), 400, "input")
		wrong["revision"] = 3
		e.want(patch(wrong), 400, "input")
	}
}

// TestReadyClock: a node whose clock is behind is not ready, and still answers.
func TestReadyClock(t *testing.T) {
	now := time.Now()
	var behind time.Duration
	e := newEnvWith(t, Limits{}, keyfob.Config{Now: func() time.Time { return now.Add(-behind) }})
	e.want(e.ask("", "GET", "/readyz", nil), 200, "")
	behind = 30 * time.Second
	e.want(e.ask("", "GET", "/readyz", nil), 200, "")
	behind = 31 * time.Second
	e.want(e.ask("", "GET", "/readyz", nil), 503, "clock-behind")
	e.want(e.ask("", "GET", "/healthz", nil), 200, "")
	e.want(e.ask(e.owner, "GET", "/v1/spaces", nil), 200, "")
	behind = 0
	e.want(e.ask("", "GET", "/readyz", nil), 200, "")
}
