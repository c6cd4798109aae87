package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/otp"
	"github.com/keyfob-dev/keyfob/token"
)

// oneOfEach issues one of each kind that is no API key, and returns their ids.
func (e *env) oneOfEach(subject string) map[string]string {
	e.Helper()
	ids := map[string]string{}
	for route, bodies := range issuing {
		ids[route] = e.make(route, with(bodies[0], fields{"subject": subject})).credential()["id"].(string)
	}
	return ids
}

// TestOtherKindsAreNoKeys: a credential that is no API key is not there for the
// routes of keys, by whichever id, and is as it was; for those of all kinds it is.
func TestOtherKindsAreNoKeys(t *testing.T) {
	onEachStore(t, func(e *env, _ *clock) {
		key := e.key("acme").Credential.ID
		for kind, id := range e.oneOfEach("alice") {
			was := e.want(e.ask(e.owner, "GET", inAcme+"credentials/"+id, nil), 200, "")
			version := was.json["versions"].([]any)[0].(map[string]any)["id"].(string)
			for _, id := range []string{id, version} {
				n := 0
				for _, r := range readSpec(e.T).routes {
					if !strings.Contains(r.path, "/apikeys/{id}") {
						continue
					}
					n++
					_, body := samples[r.name](e, "default")
					path := strings.NewReplacer("{space}", "acme", "{id}", id).Replace(r.path)
					if a := e.ask(e.owner, r.method, path, body); a.status != 404 || a.problem() != "not-found" {
						e.Errorf("%s of %s: %v", r.name, kind, a)
					}
				}
				if n != 7 {
					e.Errorf("%d routes have an API key's id", n)
				}
			}
			is := e.want(e.ask(e.owner, "GET", inAcme+"credentials/"+version, nil), 200, "")
			if is.text != was.text {
				e.Errorf("%s was %v and is %v", kind, was, is)
			}
			for _, item := range e.want(e.ask(e.owner, "GET", inAcme+"events", nil), 200, "").json["items"].([]any) {
				if ev := item.(map[string]any); ev["credential"] == id && !strings.HasSuffix(ev["type"].(string), ".issued") {
					e.Errorf("%s has the event %v", kind, ev)
				}
			}
			for range 2 {
				e.want(e.ask(e.owner, "POST", inAcme+"credentials/"+id+"/revoke", fields{"reason": "lost"}), 200, "")
			}
			if a := e.ask(e.owner, "GET", inAcme+"credentials/"+id, nil); a.json["state"] != "revoked" || a.json["reason"] != "lost" {
				e.Errorf("%s: %v", kind, a)
			}
		}
		if a := e.want(e.ask(e.owner, "GET", inAcme+"credentials/"+key, nil), 200, ""); a.json["kind"] != "apikey" || a.json["purpose"] != nil || a.json["confirmed"] != nil {
			e.Errorf("%v", a)
		}
		if a := e.want(e.ask(e.owner, "POST", acmeKeys+"/search", fields{}), 200, ""); len(a.json["items"].([]any)) != 1 {
			e.Errorf("keys: %v", a)
		}
	})
}

// TestSearchAndPurgeKinds: lists are narrowed by kind and purpose, and what has
// ended is removed by kind.
func TestSearchAndPurgeKinds(t *testing.T) {
	onEachStore(t, func(e *env, now *clock) {
		e.key("acme")
		e.oneOfEach("alice")
		reset := e.make("links", fields{"subject": "bob", "purpose": "reset"})
		count := func(body fields) int {
			e.Helper()
			return len(e.want(e.ask(e.owner, "POST", inAcme+"credentials/search", body), 200, "").json["items"].([]any))
		}
		e.try("links/redeem", fields{"token": reset.json["token"], "purpose": "reset"}, "ok")
		for _, c := range []struct {
			body fields
			want int
		}{
			{fields{}, 7}, {fields{"kind": "link"}, 2}, {fields{"kind": "apikey"}, 1}, {fields{"kind": "totp"}, 1}, {fields{"purpose": "login"}, 2},
			{fields{"purpose": "login", "kind": "code"}, 1}, {fields{"purpose": "reset", "states": []string{"redeemed"}}, 1},
			{fields{"states": []string{"active"}, "kind": "link"}, 1}, {fields{"subject": "alice"}, 6}, {fields{"kind": "session"}, 1}, {fields{"subject": "bob", "kind": "code"}, 0},
		} {
			if got := count(c.body); got != c.want {
				e.Errorf("%v: %d, want %d", c.body, got, c.want)
			}
		}
		first := e.want(e.ask(e.owner, "POST", inAcme+"credentials/search", fields{"kind": "link", "limit": 1}), 200, "").json["next"]
		if got := count(fields{"kind": "link", "limit": 1, "after": first}); got != 1 {
			e.Errorf("the second page has %d", got)
		}
		for _, other := range []fields{{"after": first}, {"kind": "code", "after": first}, {"kind": "link", "purpose": "login", "after": first}} {
			e.want(e.ask(e.owner, "POST", inAcme+"credentials/search", other), 400, "input")
		}
		now.Advance(12*time.Hour + time.Second) // all but the key and the recovery set has expired
		before := now.Now().Add(-time.Millisecond).Format(time.RFC3339Nano)
		for kind, want := range map[string]float64{"link": 2, "code": 1, "totp": 1, "session": 1, "recovery": 0, "apikey": 0} {
			a := e.want(e.ask(e.owner, "POST", inAcme+"credentials/purge", fields{"kind": kind, "ended_before": before}), 200, "")
			if a.json["purged"] != want {
				e.Errorf("purged of %s: %v, want %v", kind, a, want)
			}
		}
		e.try("links/redeem", fields{"token": reset.json["token"], "purpose": "reset"}, "unknown")
		if got := count(fields{}); got != 2 {
			e.Errorf("%d are left", got)
		}
	})
}

// TestBadInputOfKinds is each kind of wrong value once, with the field that is named.
func TestBadInputOfKinds(t *testing.T) {
	e := newEnv(t, Limits{})
	link, code := fields{"subject": "a", "purpose": "login"}, fields{"subject": "a", "purpose": "login"}
	totp, set := fields{"subject": "a", "account": "a"}, fields{"subject": "a"}
	attempt := fields{"token": token.New("acme").Reveal(), "purpose": "login"}
	guess := fields{"subject": "a", "purpose": "login", "code": "000000"}
	check := fields{"subject": "a", "code": "000000"}
	recovery := fields{"subject": "a", "code": otp.Recovery()}
	const wraps = int64(288230376151713) // seconds, which as nanoseconds in 64 bits are 1.256 seconds
	ips := []any{"", "x", "192.0.2.07", "fe80::1%eth0", "192.0.2.7:80"}
	purposes := []any{"", "Login", "a b", "ä", strings.Repeat("a", 65)}
	subjects := []any{"", strings.Repeat("a", 257)}
	for route, c := range map[string]struct {
		body  fields
		wrong map[string][]any
	}{
		"links": {link, map[string][]any{"subject": subjects, "purpose": purposes, "binding": {"", strings.Repeat("a", 257), "a\nb"},
			"ttl":   {0, -1, 2592001, int64(9223372036854775807), int64(-9223372036854775808)},
			"pause": {0, -1, 86401, int64(9223372036854775807), int64(-9223372036854775808)}}},
		"sessions": {fields{"subject": "a", "lifetime": 3600}, map[string][]any{"subject": subjects, "attributes": {fields{"": "x"}},
			"idle":     {0, -1, 3601, 34560001, int64(9223372036854775807), int64(-9223372036854775808), wraps},
			"lifetime": {0, -1, 34560001, int64(9223372036854775807), int64(-9223372036854775808), wraps},
			"from":     {"", "x", strings.Repeat("0", 17), "000000000000000-", token.New("acme").Reveal()},
			"since":    {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.0009Z"}}},
		"sessions/search": {fields{}, map[string][]any{"subject": {"", strings.Repeat("a", 257)}, "states": {[]string{"expired"}, []string{"exhausted"}}, "limit": {0, -1, 1001},
			"after": {"x"}, "expires_before": {"0001-01-01T00:00:00Z"}}},
		"subjects/revoke": {fields{"subject": "a", "kinds": []string{"session"}}, map[string][]any{"subject": subjects, "reason": {strings.Repeat("a", 513)},
			"kinds": {[]string{}, []string{""}, []string{"sessions"}, []string{"session", "session"}, []string{"session", "all"}}}},
		"links/inspect": {attempt, map[string][]any{"purpose": purposes, "binding": {"", strings.Repeat("a", 257)}, "ip": ips}},
		"links/redeem":  {attempt, map[string][]any{"purpose": purposes, "binding": {"", strings.Repeat("a", 257)}, "ip": ips}},
		"codes": {code, map[string][]any{"subject": subjects, "purpose": purposes, "digits": {0, 5, 11, -6, 2147483647},
			"alphabet": {"", "digits", "Unambiguous", "recovery"}, "length": {8}, "ttl": {0, -1, 601, int64(9223372036854775807)}}},
		"codes/redeem": {guess, map[string][]any{"subject": subjects, "purpose": purposes, "ip": ips}},
		"totp": {totp, map[string][]any{"subject": subjects, "account": {"", "a:b", strings.Repeat("a", 2000)}, "issuer": {"", "a:b"},
			"algorithm": {"", "SHA1", "md5", "sha-1"}, "name": {strings.Repeat("a", 257)}}},
		"totp/check":         {check, map[string][]any{"subject": subjects, "ip": ips}},
		"totp/confirm":       {check, map[string][]any{"subject": subjects, "ip": ips}},
		"recovery":           {set, map[string][]any{"subject": subjects}},
		"recovery/redeem":    {recovery, map[string][]any{"subject": subjects, "ip": ips}},
		"subjects/unlock":    {set, map[string][]any{"subject": subjects, "reason": {strings.Repeat("a", 513)}}},
		"credentials/search": {fields{}, map[string][]any{"kind": {"", "sessions", "apikeys", "LINK"}, "purpose": purposes, "states": {[]string{"expired"}, []string{"exhausted"}}, "subject": {""}}},
		"credentials/purge": {fields{"kind": "link", "ended_before": "2001-01-01T00:00:00Z"}, map[string][]any{
			"kind": {"", "sessions", "links"}, "ended_before": {"0001-01-01T00:00:00Z", "2999-01-01T00:00:00Z"}}},
	} {
		before := e.events()
		for field, values := range c.wrong {
			for _, value := range values {
				a := e.want(e.ask(e.owner, "POST", inAcme+route, with(c.body, fields{field: value})), 400, "input")
				if a.field() != field {
					t.Errorf("%s with %s %v: %v", route, field, value, a)
				}
			}
		}
		if n := e.events() - before; n != 0 {
			t.Errorf("%s: refused requests left %d events", route, n)
		}
	}
	for field, more := range map[string]fields{
		"digits": {"digits": 6, "alphabet": "unambiguous"}, "length": {"length": 5, "alphabet": "unambiguous"},
	} {
		if a := e.want(e.ask(e.owner, "POST", inAcme+"codes", with(code, more)), 400, "input"); a.field() != field {
			t.Errorf("%v: %v", more, a)
		}
	}
	for _, length := range []int{5, 17, 0, -1} {
		e.want(e.ask(e.owner, "POST", inAcme+"codes", with(code, fields{"length": length, "alphabet": "unambiguous"})), 400, "input")
	}
	// None of them was a guess.
	e.make("codes", code)
	if a := e.try("codes/redeem", guess, "unknown"); a.json["retry_after"] != nil {
		t.Errorf("%v", a)
	}
}

// TestSecretsOfOtherSpaces is P11 for what is redeemed: who may do everything in one
// space redeems, guesses and unlocks nothing in another.
func TestSecretsOfOtherSpaces(t *testing.T) {
	e := newEnv(t, Limits{})
	e.createSpace("other")
	caller := e.callerKey("other:issue", "other:verify", "other:read", "other:revoke")
	link := e.make("links", fields{"subject": "alice", "purpose": "login"})
	made := e.make("codes", fields{"subject": "alice", "purpose": "login"})
	codes := e.make("recovery", fields{"subject": "alice"}).json["codes"].([]any)
	for range 2 {
		for route, body := range map[string]fields{
			"links/inspect":   {"token": link.json["token"], "purpose": "login"},
			"links/redeem":    {"token": link.json["token"], "purpose": "login"},
			"codes/redeem":    code(made),
			"recovery/redeem": {"subject": "alice", "code": codes[0]},
		} {
			a := e.want(e.ask(caller, "POST", "/v1/spaces/other/"+route, body), 200, "")
			if reason := a.json["reason"]; reason != "unknown" && reason != "locked" {
				t.Errorf("%s in another space: %v", route, a)
			}
			e.want(e.ask(caller, "POST", inAcme+route, body), 403, "forbidden")
		}
	}
	// Guesses there are none here.
	e.try("codes/redeem", code(made), "ok")
	e.try("links/redeem", fields{"token": link.json["token"], "purpose": "login"}, "ok")
	a := e.want(e.ask(caller, "POST", "/v1/spaces/other/credentials/search", fields{}), 200, "")
	if a.text != `{"items":[],"next":""}` {
		t.Errorf("%v", a)
	}
	// Nor is a link of the callers' space a caller.
	made = e.want(e.ask(e.owner, "POST", "/v1/spaces/"+keyfob.OwnSpace+"/links", fields{"subject": "x", "purpose": "login"}), 201, "")
	e.want(e.ask(fmt.Sprint(made.json["token"]), "GET", "/v1/spaces", nil), 401, "unauthenticated")
}
