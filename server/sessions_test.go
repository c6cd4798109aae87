package server

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/token"
)

const acmeSessions = inAcme + "sessions"

// signIn makes a session in acme, and returns its token, its id and its version's.
func (e *env) signIn(body fields) (token, id, version string) {
	e.Helper()
	a := e.make("sessions", body)
	return a.json["token"].(string), a.credential()["id"].(string), versionOf(a.credential())
}

// versionOf is the id of the newest version of a credential.
func versionOf(c map[string]any) string {
	return c["versions"].([]any)[0].(map[string]any)["id"].(string)
}

// judge has a session's token verified in acme, and wants the reason.
func (e *env) judge(token, reason string) map[string]any {
	e.Helper()
	a := e.want(e.ask(e.owner, "POST", inAcme+"verify", fields{"token": token, "kind": "session"}), 200, "")
	if a.json["reason"] != reason || a.json["valid"] != (reason == "ok") || (a.credential() != nil) != (reason == "ok") {
		e.Errorf("verify: %v, want %s", a, reason)
	}
	return a.credential()
}

// typesOf are the types of a space's events about a credential, the oldest first.
func (e *env) typesOf(credential string) (types []string) {
	e.Helper()
	a := e.want(e.ask(e.owner, "GET", inAcme+"events?credential="+credential, nil), 200, "")
	for _, item := range a.json["items"].([]any) {
		types = append(types, item.(map[string]any)["type"].(string))
	}
	return types
}

// TestSessionLife is what becomes of a session, from the sign-in to the sign-out.
func TestSessionLife(t *testing.T) {
	onEachStore(t, func(e *env, now *clock) {
		issued := e.make("sessions", fields{"subject": "alice", "attributes": fields{"theme": "dark"}, "idle": 600, "lifetime": 3600})
		c, secret := issued.credential(), issued.json["token"].(string)
		id, start := c["id"].(string), now.Now()
		if c["kind"] != "session" || c["subject"] != "alice" || c["idle"] != 600.0 || c["seen_at"] != stamp(start) || c["seen_at"] != c["created_at"] ||
			c["expires_at"] != stamp(start.Add(time.Hour)) || fmt.Sprint(c["attributes"]) != "map[theme:dark]" || !strings.HasPrefix(secret, "acme_") {
			e.Errorf("issued %v", issued)
		}
		if seen := e.judge(secret, "ok"); seen["id"] != id || seen["seen_at"] != stamp(start) || seen["idle"] != 600.0 || versionOf(seen) != versionOf(c) {
			e.Errorf("verified %v", seen)
		}
		if a := e.want(e.ask(e.owner, "POST", inAcme+"verify", fields{"token": secret}), 200, ""); a.json["reason"] != "unknown" {
			e.Errorf("as an API key: %v", a)
		}
		e.change(id)
		renewed := e.want(e.ask(e.owner, "POST", acmeSessions+"/"+id+"/renew", nil), 201, "")
		next, after := renewed.json["token"].(string), renewed.credential()
		if after["id"] != id || after["revision"] != 3.0 || after["expires_at"] != c["expires_at"] || fmt.Sprint(after["attributes"]) != "map[theme:light]" || versionOf(after) == versionOf(c) {
			e.Errorf("renewed %v", renewed)
		}
		e.judge(secret, "replaced")
		e.judge(next, "ok")
		e.want(e.ask(e.owner, "POST", acmeSessions+"/"+versionOf(c)+"/renew", nil), 409, "conflict")
		e.judge(next, "ok")
		for i, path := range []string{id, versionOf(c), versionOf(after)} {
			if got := e.want(e.ask(e.owner, "GET", acmeSessions+"/"+path, nil), 200, ""); got.json["id"] != id {
				e.Errorf("by id %d: %v", i, got)
			}
		}
		e.revokeTwice(acmeSessions + "/" + id)
		e.judge(next, "revoked")
		e.judge(secret, "revoked")
		e.want(e.ask(e.owner, "POST", acmeSessions+"/"+id+"/renew", nil), 409, "conflict")
		e.want(e.ask(e.owner, "PATCH", acmeSessions+"/"+id, fields{"revision": 4, "attributes": fields{}}), 409, "conflict")
		want := []string{"session.issued", "session.updated", "session.renewed", "session.revoked"}
		if got := e.typesOf(id); !slices.Equal(got, want) {
			e.Errorf("events %q, want %q", got, want)
		}
	})
}

// change writes a session's attributes, and finds that an old revision, and what
// changes nothing, is refused.
func (e *env) change(id string) {
	e.Helper()
	path := acmeSessions + "/" + id
	patch := func(revision int, attributes fields) *answer {
		return e.ask(e.owner, "PATCH", path, fields{"revision": revision, "attributes": attributes})
	}
	if a := e.want(patch(1, fields{"theme": "light"}), 200, ""); a.json["revision"] != 2.0 || a.json["subject"] != "alice" || a.json["idle"] != 600.0 || fmt.Sprint(a.json["attributes"]) != "map[theme:light]" {
		e.Errorf("changed: %v", a)
	}
	before := e.events()
	for _, revision := range []int{0, 1, 3, -1} {
		e.want(patch(revision, fields{"theme": "blue"}), 409, "conflict")
	}
	for field, body := range map[string]string{
		"attributes": `{"revision":2}`, "revision": `{"attributes":{}}`, "subject": `{"revision":2,"attributes":{},"subject":"mallory"}`,
		"idle": `{"revision":2,"attributes":{},"idle":60}`, "attributes.": `{"revision":2,"attributes":{"":"x"}}`,
	} {
		if a := e.want(e.ask(e.owner, "PATCH", path, body), 400, "input"); a.field() != field && a.field()+"." != field {
			e.Errorf("%s: %v", body, a)
		}
	}
	if got := e.want(e.ask(e.owner, "GET", path, nil), 200, ""); got.json["revision"] != 2.0 || fmt.Sprint(got.json["attributes"]) != "map[theme:light]" || e.events() != before {
		e.Errorf("refused changes made it %v, with %d events", got, e.events()-before)
	}
}

// stamp is a time as the API writes it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// TestSessionRoles says a second time who may do what with sessions.
func TestSessionRoles(t *testing.T) {
	for name, needs := range map[string]role{
		"IssueSession": "issue", "UpdateSession": "issue", "RenewSession": "issue", "SearchSessions": "read", "GetSession": "read",
		"RevokeSession": "revoke", "RevokeSubject": "revoke", "Verify": "verify",
	} {
		if got := operations[name].needs; got != needs {
			t.Errorf("%s needs %q, want %q", name, got, needs)
		}
	}
}

// TestSessionEnds: one second before its idle time and its lifetime are over it is
// good, and from then on it is expired, whatever happened before.
func TestSessionEnds(t *testing.T) {
	onEachStore(t, func(e *env, now *clock) {
		start := now.Now()
		at := func(seconds int) { now.Set(start.Add(time.Duration(seconds) * time.Second)) }
		idle, idleID, _ := e.signIn(fields{"subject": "alice", "idle": 100, "lifetime": 1000})
		used, usedID, _ := e.signIn(fields{"subject": "alice", "idle": 100, "lifetime": 150})
		at(9)
		if c := e.judge(idle, "ok"); c["seen_at"] != stamp(start) {
			e.Errorf("before a tenth: seen at %v", c["seen_at"])
		}
		at(99)
		if c := e.judge(used, "ok"); c["seen_at"] != stamp(now.Now()) || c["revision"] != 1.0 || c["updated_at"] != nil {
			e.Errorf("used: %v", c)
		}
		// To look at it is no use of it, nor is a change.
		e.want(e.ask(e.owner, "GET", acmeSessions+"/"+idleID, nil), 200, "")
		e.want(e.ask(e.owner, "PATCH", acmeSessions+"/"+idleID, fields{"revision": 1, "attributes": fields{"a": "b"}}), 200, "")
		at(100)
		e.judge(idle, "expired")
		at(149)
		e.judge(used, "ok")
		at(150)
		e.judge(used, "expired")
		for _, id := range []string{idleID, usedID} {
			if a := e.want(e.ask(e.owner, "GET", acmeSessions+"/"+id, nil), 200, ""); a.json["state"] != "expired" {
				e.Errorf("%v", a)
			}
			e.want(e.ask(e.owner, "POST", acmeSessions+"/"+id+"/renew", nil), 409, "conflict")
			e.want(e.ask(e.owner, "PATCH", acmeSessions+"/"+id, fields{"revision": 2, "attributes": fields{}}), 409, "conflict")
		}
		if got := e.typesOf(usedID); !slices.Equal(got, []string{"session.issued"}) {
			e.Errorf("that it was used left events: %q", got)
		}
	})
}

// TestSessionDefaults: what is not given is what the Authority takes.
func TestSessionDefaults(t *testing.T) {
	e := newEnv(t, Limits{})
	for body, want := range map[string][2]int{
		`{}`: {1800, 43200}, `{"remembered":false}`: {1800, 43200}, `{"remembered":true}`: {604800, 2592000}, `{"lifetime":60}`: {60, 60},
		`{"lifetime":34560000,"idle":34560000}`: {34560000, 34560000}, `{"remembered":true,"idle":1}`: {1, 2592000}, `{"lifetime":1}`: {1, 1},
	} {
		c := e.want(e.ask(e.owner, "POST", acmeSessions, body), 201, "").credential()
		created, err := time.Parse(time.RFC3339, c["created_at"].(string))
		e.must(err)
		if c["subject"] != "" || c["idle"] != float64(want[0]) || c["expires_at"] != stamp(created.Add(time.Duration(want[1])*time.Second)) {
			t.Errorf("%s: %v", body, c)
		}
	}
	// Idle may be longer than the default lifetime only where the lifetime is.
	if a := e.want(e.ask(e.owner, "POST", acmeSessions, `{"idle":43201}`), 400, "input"); a.field() != "idle" || !strings.Contains(a.detail(), "12h0m0s") {
		t.Errorf("%v", a)
	}
	if a := e.want(e.ask(e.owner, "POST", acmeSessions, `{"lifetime":34560001}`), 400, "input"); !strings.Contains(a.detail(), "1 to 34560000 seconds") {
		t.Errorf("%v", a)
	}
	// A library may issue one that is idle for a part of a second.
	odd := e.session("acme", keyfob.Session{Idle: 1500 * time.Millisecond, Lifetime: time.Hour})
	if c := e.judge(odd.Secret.Reveal(), "ok"); c["idle"] != 1.0 {
		t.Errorf("%v", c)
	}
}

// TestSignIn: a session that takes another's place.
func TestSignIn(t *testing.T) {
	onEachStore(t, func(e *env, now *clock) {
		before, _, version := e.signIn(fields{"attributes": fields{"cart": "7", "theme": "dark"}})
		after, id, next := e.signIn(fields{"subject": "alice", "from": version, "attributes": fields{"theme": "light"}})
		e.judge(before, "replaced")
		if c := e.judge(after, "ok"); c["id"] != id || c["subject"] != "alice" || fmt.Sprint(c["attributes"]) != "map[cart:7 theme:light]" {
			e.Errorf("signed in: %v", c)
		}
		other, otherID, otherVersion := e.signIn(fields{"subject": "bob", "from": next})
		if c := e.judge(other, "ok"); fmt.Sprint(c["attributes"]) != "map[]" {
			e.Errorf("bob has what was alice's: %v", c)
		}
		e.judge(after, "replaced")
		renewed := e.want(e.ask(e.owner, "POST", acmeSessions+"/"+otherID+"/renew", nil), 201, "")
		now.Advance(time.Second)
		short, _, shortVersion := e.signIn(fields{"subject": "alice", "lifetime": 1})
		elsewhere := e.session("default", keyfob.Session{})
		key := e.key("acme").Credential.Versions[0].ID
		now.Advance(time.Second)
		e.judge(short, "expired")
		events := e.events()
		for what, from := range map[string]string{
			"a place that is taken": version, "one that was renewed": otherVersion, "a session's id": otherID, "an expired one": shortVersion,
			"another space's": elsewhere.Credential.Versions[0].ID, "a key": key, "nothing": noID,
		} {
			a := e.want(e.ask(e.owner, "POST", acmeSessions, fields{"subject": "mallory", "from": from}), 409, "conflict")
			if e.events() != events || strings.Contains(a.text, "token") {
				e.Errorf("from %s: %v", what, a)
			}
		}
		e.judge(renewed.json["token"].(string), "ok")
		if _, err := e.a.Verify(e.Context(), elsewhere.Secret.Reveal(), keyfob.Check{Kind: keyfob.KindSession}); err != nil {
			e.Errorf("another space's: %v", err)
		}
	})
}

// TestSince: who began to prove who they are before all their sessions were ended
// gets none.
func TestSince(t *testing.T) {
	onEachStore(t, func(e *env, now *clock) {
		began := now.Now()
		at := func(t time.Time) fields { return fields{"subject": "alice", "since": stamp(t)} }
		e.signIn(at(began))
		now.Advance(time.Second)
		revoked := now.Now()
		e.endAll(fields{"subject": "alice", "kinds": []string{"session"}})
		now.Advance(time.Second)
		for _, since := range []time.Time{began, revoked.Add(-time.Millisecond), revoked} {
			e.want(e.ask(e.owner, "POST", acmeSessions, at(since)), 409, "conflict")
		}
		e.signIn(at(revoked.Add(time.Millisecond)))
		e.signIn(fields{"subject": "alice"})
		// Decimals beyond milliseconds are cut off, so that it is not later than it was.
		e.want(e.ask(e.owner, "POST", acmeSessions, fields{"subject": "alice", "since": strings.Replace(stamp(revoked), "Z", "999999Z", 1)}), 409, "conflict")
		e.signIn(with(at(began), fields{"subject": "bob"}))
		e.endAll(fields{"subject": "bob", "kinds": []string{"apikey"}})
		e.signIn(with(at(began), fields{"subject": "bob"}))
		if a := e.want(e.ask(e.owner, "POST", acmeSessions, fields{"since": stamp(began)}), 400, "input"); a.field() != "since" {
			e.Errorf("without a subject: %v", a)
		}
	})
}

// TestRenewOnce: who did not get the new secret asks again with the same key, and
// gets the same.
func TestRenewOnce(t *testing.T) {
	onEachStore(t, func(e *env, now *clock) {
		_, id, version := e.signIn(fields{"subject": "alice"})
		_, otherID, _ := e.signIn(fields{"subject": "bob"})
		issuer, key := e.callerKey("acme:issue"), token.Random()
		renew := func(by, id, key string) *answer {
			return e.ask(by, "POST", acmeSessions+"/"+id+"/renew", nil, withKeys(key))
		}
		first := e.want(renew(issuer, version, key), 201, "")
		before := e.events()
		e.repeated = first.json["token"].(string)
		if again := e.want(renew(issuer, version, key), 201, ""); again.text != first.text || e.events() != before {
			e.Errorf("again: %v, and %d events", again, e.events()-before)
		}
		e.repeated = ""
		e.want(renew(issuer, otherID, key), 422, "idempotency-key-reused")
		e.want(renew(issuer, id, key), 422, "idempotency-key-reused")
		e.want(renew(e.owner, version, key), 409, "conflict")
		e.want(renew(issuer, version, token.Random()), 409, "conflict")
		e.judge(first.json["token"].(string), "ok")
		now.Advance(10 * time.Minute)
		e.want(renew(issuer, version, key), 409, "conflict")
		e.want(renew(issuer, id, key), 201, "")
		e.judge(first.json["token"].(string), "replaced")
	})
}

// TestOtherKindsAreNoSessions: what is no session is not there for the routes of
// sessions, by whichever id, and is as it was.
func TestOtherKindsAreNoSessions(t *testing.T) {
	e := newEnv(t, Limits{})
	ids := e.oneOfEach("alice")
	ids["apikeys"] = e.key("acme").Credential.ID
	delete(ids, "sessions")
	for kind, id := range ids {
		was := e.want(e.ask(e.owner, "GET", inAcme+"credentials/"+id, nil), 200, "")
		n, before := 0, e.events()
		for _, id := range []string{id, versionOf(was.json)} {
			for _, r := range readSpec(t).routes {
				if !strings.Contains(r.path, "/sessions/{id}") {
					continue
				}
				n++
				body := map[string]any{"RevokeSession": fields{}, "UpdateSession": fields{"revision": 1, "attributes": fields{}}}[r.name]
				path := strings.NewReplacer("{space}", "acme", "{id}", id).Replace(r.path)
				e.want(e.ask(e.owner, r.method, path, body), 404, "not-found")
			}
		}
		if is := e.want(e.ask(e.owner, "GET", inAcme+"credentials/"+id, nil), 200, ""); n != 8 || is.text != was.text || e.events() != before {
			t.Errorf("%s: %d requests made %v of %v", kind, n, is, was)
		}
	}
}

// TestSearchSessions: lists hold the sessions of a subject with their attributes,
// and nothing else.
func TestSearchSessions(t *testing.T) {
	onEachStore(t, func(e *env, now *clock) {
		e.oneOfEach("alice")
		e.key("acme")
		for i := range 3 {
			now.Advance(time.Second)
			e.make("sessions", fields{"subject": "bob", "attributes": fields{"browser": fmt.Sprint(i)}, "lifetime": 100 * (i + 1)})
		}
		search := func(body fields) (names []string, next any) {
			e.Helper()
			a := e.want(e.ask(e.owner, "POST", acmeSessions+"/search", body), 200, "")
			for _, item := range a.json["items"].([]any) {
				c := item.(map[string]any)
				if c["kind"] != "session" || c["seen_at"] == nil {
					e.Errorf("listed: %v", c)
				}
				names = append(names, fmt.Sprint(c["attributes"].(map[string]any)["browser"]))
			}
			return names, a.json["next"]
		}
		for _, c := range []struct {
			body fields
			want string
		}{
			{fields{}, "[2 1 0 <nil>]"}, {fields{"subject": "bob"}, "[2 1 0]"}, {fields{"subject": "bob", "limit": 1}, "[2]"}, {fields{"subject": "carol"}, "[]"},
			{fields{"states": []string{"revoked"}}, "[]"}, {fields{"subject": "bob", "states": []string{"active"}}, "[2 1 0]"},
			{fields{"subject": "bob", "expires_before": stamp(now.Now().Add(250 * time.Second))}, "[1 0]"},
		} {
			if names, _ := search(c.body); fmt.Sprint(names) != c.want {
				e.Errorf("%v: %v, want %s", c.body, names, c.want)
			}
		}
		_, next := search(fields{"subject": "bob", "limit": 2})
		if names, end := search(fields{"subject": "bob", "limit": 2, "after": next}); fmt.Sprint(names) != "[0]" || end != "" {
			e.Errorf("the second page: %v, %v", names, end)
		}
		e.want(e.ask(e.owner, "POST", acmeSessions+"/search", fields{"after": next}), 400, "input")
		if names, _ := search(fields{"subject": "bob"}); len(names) != 3 {
			e.Errorf("%v", names)
		}
	})
}
