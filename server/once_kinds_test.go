package server

import (
	"fmt"
	"maps"
	"testing"

	"github.com/keyfob-dev/keyfob/token"
)

// issuing are the routes that hand out what is no API key, with a request and another
// one.
var issuing = map[string][2]map[string]any{
	"sessions": {{"subject": "alice", "attributes": map[string]any{"a": "b"}}, {"subject": "alice"}},
	"links":    {{"subject": "alice", "purpose": "login"}, {"subject": "alice", "purpose": "reset"}},
	"codes":    {{"subject": "alice", "purpose": "login", "alphabet": "unambiguous", "length": 16}, {"subject": "alice", "purpose": "reset"}},
	"totp":     {{"subject": "alice", "account": "alice@example.com"}, {"subject": "alice", "account": "bob@example.com"}},
	"recovery": {{"subject": "alice"}, {"subject": "bob"}},
}

// TestIdempotencyKeyOfEachKind: a request that is sent again gets the same secret,
// and makes nothing.
func TestIdempotencyKeyOfEachKind(t *testing.T) {
	onEachStore(t, func(e *env, _ *clock) {
		issuer := e.callerKey("acme:issue")
		for route, bodies := range issuing {
			path, key := "/v1/spaces/acme/"+route, token.Random()
			first := e.want(e.ask(issuer, "POST", path, bodies[0], withKeys(key)), 201, "")
			before := e.events()
			e.repeated = first.text
			again := e.want(e.ask(issuer, "POST", path, bodies[0], withKeys(key)), 201, "")
			if first.text != again.text || e.events() != before {
				e.Errorf("%s: the same request has another answer, and %d events", route, e.events()-before)
			}
			e.want(e.ask(issuer, "POST", path, bodies[1], withKeys(key)), 422, "idempotency-key-reused")
			elsewhere := e.want(e.ask(e.owner, "POST", "/v1/spaces/default/"+route, bodies[0], withKeys(key)), 201, "")
			other := map[string]any{}
			maps.Copy(other, bodies[0])
			other["subject"] = "carol"
			others := e.want(e.ask(e.owner, "POST", path, other, withKeys(key)), 201, "")
			for _, name := range []string{"token", "code", "secret", "codes"} {
				if mine := fmt.Sprint(first.json[name]); mine != "<nil>" && (mine == fmt.Sprint(elsewhere.json[name]) || mine == fmt.Sprint(others.json[name])) {
					e.Errorf("%s: another space or caller got the answer", route)
				}
			}
			e.repeated = ""
		}
	})
}
