package server

import (
	"testing"

	"github.com/keyfob-dev/keyfob"
)

// endAll revokes what a subject has in acme.
func (e *env) endAll(body fields) {
	e.Helper()
	if a := e.want(e.ask(e.owner, "POST", inAcme+"subjects/revoke", body), 200, ""); a.text != "{}" {
		e.Errorf("subjects/revoke answers %v", a)
	}
}

// TestSubjectsRevoke: all that a subject has of the kinds ends, and nothing else;
// each kind has one event.
func TestSubjectsRevoke(t *testing.T) {
	onEachStore(t, func(e *env, _ *clock) {
		var sessions []string
		for range 5 {
			secret, _, _ := e.signIn(fields{"subject": "alice"})
			sessions = append(sessions, secret)
		}
		bob, _, _ := e.signIn(fields{"subject": "bob"})
		nobody, _, _ := e.signIn(fields{})
		key, link := e.key("acme"), e.make("links", fields{"subject": "alice", "purpose": "login"})
		elsewhere := e.session("default", keyfob.Session{Subject: "alice"})
		for _, secret := range sessions {
			e.judge(secret, "ok") // and it is in the cache
		}
		before := e.events()
		e.endAll(fields{"subject": "alice", "kinds": []string{"session", "link"}, "reason": "password reset"})
		for _, secret := range sessions {
			e.judge(secret, "revoked")
		}
		e.judge(bob, "ok")
		e.judge(nobody, "ok")
		e.try("links/inspect", fields{"token": link.json["token"], "purpose": "login"}, "revoked")
		for _, issued := range []keyfob.Issued{key, elsewhere} {
			c := issued.Credential
			if _, err := e.a.In(c.Space).Verify(e.Context(), issued.Secret.Reveal(), keyfob.Check{Kind: c.Kind}); err != nil {
				e.Errorf("%s in %s: %v", c.Kind, c.Space, err)
			}
		}
		list := e.want(e.ask(e.owner, "POST", acmeSessions+"/search", fields{"subject": "alice", "states": []string{"revoked"}}), 200, "").json["items"].([]any)
		if first := list[0].(map[string]any); len(list) != 5 || first["state"] != "revoked" || first["reason"] != "password reset" {
			e.Errorf("revoked: %v", list)
		}
		later, _, _ := e.signIn(fields{"subject": "alice"})
		e.judge(later, "ok")
		if n := e.events() - before; n != 3 {
			e.Errorf("%d events, want one of each kind and one of the session since", n)
		}
		for _, kind := range []string{"session", "link"} {
			a := e.want(e.ask(e.owner, "GET", inAcme+"events?type="+kind+".subject_revoked", nil), 200, "")
			ev := a.json["items"].([]any)[0].(map[string]any)
			if ev["subject"] != "alice" || ev["reason"] != "password reset" || ev["credential"] != nil || ev["version"] != nil || ev["actor"] == nil {
				e.Errorf("%v", a)
			}
		}
		e.endAll(fields{"subject": "alice", "kinds": []string{"session", "apikey"}})
		e.judge(later, "revoked")
		if a := e.want(e.ask(e.owner, "POST", inAcme+"verify", fields{"token": key.Secret.Reveal()}), 200, ""); a.json["reason"] != "revoked" {
			e.Errorf("a key: %v", a)
		}
		e.endAll(fields{"subject": "stranger", "kinds": []string{"session"}})
	})
}

// TestSubjectsRevokeCallers: callers are API keys, and end as such.
func TestSubjectsRevokeCallers(t *testing.T) {
	e := newEnv(t, Limits{})
	deputy, err := e.a.In(keyfob.OwnSpace).Issue(t.Context(), keyfob.APIKey{Subject: "deputy", Scopes: []string{OwnerScope}})
	e.must(err)
	secret := e.hide(deputy.Secret.Reveal())
	e.want(e.ask(secret, "GET", "/v1/spaces", nil), 200, "")
	const path = "/v1/spaces/" + keyfob.OwnSpace + "/subjects/revoke"
	e.want(e.ask(e.owner, "POST", path, fields{"subject": "deputy", "kinds": []string{"session"}}), 200, "")
	e.want(e.ask(secret, "GET", "/v1/spaces", nil), 200, "")
	e.want(e.ask(secret, "POST", path, fields{"subject": "deputy", "kinds": []string{"apikey"}}), 200, "")
	e.want(e.ask(secret, "GET", "/v1/spaces", nil), 401, "unauthenticated")
	// Nor is a session of the callers' space a caller.
	session := e.want(e.ask(e.owner, "POST", "/v1/spaces/"+keyfob.OwnSpace+"/sessions", fields{"subject": "x"}), 201, "")
	e.want(e.ask(session.json["token"].(string), "GET", "/v1/spaces", nil), 401, "unauthenticated")
}

// TestSessionsOfOtherSpaces is P11: who may do everything in one space uses, ends
// and takes the place of no session of another.
func TestSessionsOfOtherSpaces(t *testing.T) {
	e := newEnv(t, Limits{})
	e.createSpace("other")
	caller := e.callerKey("other:issue", "other:verify", "other:read", "other:revoke")
	secret, id, version := e.signIn(fields{"subject": "alice"})
	const other = "/v1/spaces/other/"
	before := len(e.typesOf(id))
	for range 2 { // the second time it is in the cache
		a := e.want(e.ask(caller, "POST", other+"verify", fields{"token": secret, "kind": "session"}), 200, "")
		if a.json["reason"] != "unknown" {
			t.Errorf("in another space: %v", a)
		}
		e.judge(secret, "ok")
	}
	e.want(e.ask(caller, "POST", other+"subjects/revoke", fields{"subject": "alice", "kinds": []string{"session"}}), 200, "")
	e.want(e.ask(caller, "POST", other+"sessions", fields{"subject": "alice", "from": version}), 409, "conflict")
	if a := e.want(e.ask(caller, "POST", other+"sessions/search", fields{}), 200, ""); a.text != `{"items":[],"next":""}` {
		t.Errorf("%v", a)
	}
	for route, body := range map[string]fields{
		"sessions": {}, "sessions/search": {}, "subjects/revoke": {"subject": "alice", "kinds": []string{"session"}}, "verify": {"token": secret, "kind": "session"},
	} {
		e.want(e.ask(caller, "POST", inAcme+route, body), 403, "forbidden")
	}
	e.judge(secret, "ok")
	if n := len(e.typesOf(id)); n != before {
		t.Errorf("%d more events", n-before)
	}
}
