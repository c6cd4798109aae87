package server

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
	"github.com/keyfob-dev/keyfob/otp"
	"github.com/keyfob-dev/keyfob/token"
)

// samples has, for each operation, a good request in a space. A key or a session is
// made where one is needed.
var samples = map[oas.OperationName]func(e *env, space string) (path string, body any){
	"Healthz":    func(*env, string) (string, any) { return "/healthz", nil },
	"Readyz":     func(*env, string) (string, any) { return "/readyz", nil },
	"ListSpaces": func(*env, string) (string, any) { return "/v1/spaces", nil },
	"CreateSpace": func(e *env, _ string) (string, any) {
		return "/v1/spaces", map[string]any{"name": fmt.Sprintf("s%d", time.Now().UnixNano()), "prefix": "p"}
	},
	"GetSpace": func(_ *env, space string) (string, any) { return "/v1/spaces/" + space, nil },
	"UpdateSpace": func(e *env, space string) (string, any) {
		revision, prefix := int64(1), "p"
		if s, err := e.a.Spaces().Get(e.Context(), space); err == nil {
			revision = s.Revision
		}
		if space == keyfob.OwnSpace {
			prefix = keyfob.OwnSpace
		}
		return "/v1/spaces/" + space, map[string]any{"prefix": prefix, "revision": revision}
	},
	"IssueAPIKey": func(_ *env, space string) (string, any) {
		return "/v1/spaces/" + space + "/apikeys", map[string]any{"subject": "bob"}
	},
	"SearchAPIKeys": func(_ *env, space string) (string, any) {
		return "/v1/spaces/" + space + "/apikeys/search", map[string]any{}
	},
	"GetAPIKey": func(e *env, space string) (string, any) {
		return "/v1/spaces/" + space + "/apikeys/" + e.idIn(space), nil
	},
	"PurgeAPIKeys": func(_ *env, space string) (string, any) {
		return "/v1/spaces/" + space + "/apikeys/purge", map[string]any{"ended_before": "2001-01-01T00:00:00Z"}
	},
	"UpdateAPIKey": func(e *env, space string) (string, any) {
		return "/v1/spaces/" + space + "/apikeys/" + e.idIn(space), map[string]any{"revision": 1, "name": "new"}
	},
	"RollbackAPIKey": func(e *env, space string) (string, any) {
		id := e.idIn(space)
		if id != noID {
			k, err := e.a.In(space).Rotate(e.Context(), id, time.Hour)
			e.must(err)
			e.hide(k.Secret.Reveal())
		}
		return "/v1/spaces/" + space + "/apikeys/" + id + "/rollback", nil
	},
	"SuspendAPIKey": func(e *env, space string) (string, any) {
		return "/v1/spaces/" + space + "/apikeys/" + e.idIn(space) + "/suspend", map[string]any{"reason": "test"}
	},
	"ResumeAPIKey": func(e *env, space string) (string, any) {
		id := e.idIn(space)
		if id != noID {
			_, err := e.a.In(space).Suspend(e.Context(), id, "")
			e.must(err)
		}
		return "/v1/spaces/" + space + "/apikeys/" + id + "/resume", nil
	},
	"RotateAPIKey": func(e *env, space string) (string, any) {
		return "/v1/spaces/" + space + "/apikeys/" + e.idIn(space) + "/rotate", map[string]any{"grace": 60}
	},
	"RevokeAPIKey": func(e *env, space string) (string, any) {
		return "/v1/spaces/" + space + "/apikeys/" + e.idIn(space) + "/revoke", map[string]any{"reason": "test"}
	},
	"Verify": func(e *env, space string) (string, any) {
		return "/v1/spaces/" + space + "/verify", map[string]any{"token": "x"}
	},
	"IssueSession":   sampleAt("/sessions", map[string]any{"subject": "bob"}),
	"SearchSessions": sampleAt("/sessions/search", map[string]any{}),
	"GetSession": func(e *env, space string) (string, any) {
		return "/v1/spaces/" + space + "/sessions/" + e.sessionIn(space), nil
	},
	"UpdateSession": func(e *env, space string) (string, any) {
		return "/v1/spaces/" + space + "/sessions/" + e.sessionIn(space), map[string]any{"revision": 1, "attributes": map[string]string{"theme": "dark"}}
	},
	"RenewSession": func(e *env, space string) (string, any) {
		return "/v1/spaces/" + space + "/sessions/" + e.sessionIn(space) + "/renew", nil
	},
	"RevokeSession": func(e *env, space string) (string, any) {
		return "/v1/spaces/" + space + "/sessions/" + e.sessionIn(space) + "/revoke", map[string]any{"reason": "test"}
	},
	"IssueLink":         sampleAt("/links", map[string]any{"subject": "bob", "purpose": "login"}),
	"InspectLink":       sampleAt("/links/inspect", map[string]any{"purpose": "login"}, "token"),
	"RedeemLink":        sampleAt("/links/redeem", map[string]any{"purpose": "login"}, "token"),
	"IssueCode":         sampleAt("/codes", map[string]any{"purpose": "login"}, "subject"),
	"RedeemCode":        sampleAt("/codes/redeem", map[string]any{"subject": "bob", "purpose": "login", "code": "000000"}),
	"IssueTOTP":         sampleAt("/totp", map[string]any{"account": "bob@example.com"}, "subject"),
	"ConfirmTOTP":       sampleAt("/totp/confirm", map[string]any{"subject": "bob", "code": "000000"}),
	"CheckTOTP":         sampleAt("/totp/check", map[string]any{"subject": "bob", "code": "000000"}),
	"IssueRecovery":     sampleAt("/recovery", map[string]any{"subject": "bob"}),
	"RedeemRecovery":    sampleAt("/recovery/redeem", map[string]any{"subject": "bob", "code": otp.Recovery()}),
	"RevokeSubject":     sampleAt("/subjects/revoke", map[string]any{"subject": "bob", "kinds": []string{"session"}}),
	"UnlockSubject":     sampleAt("/subjects/unlock", map[string]any{"subject": "bob"}),
	"SearchCredentials": sampleAt("/credentials/search", map[string]any{}),
	"PurgeCredentials":  sampleAt("/credentials/purge", map[string]any{"kind": "link", "ended_before": "2001-01-01T00:00:00Z"}),
	"GetCredential": func(e *env, space string) (string, any) {
		return "/v1/spaces/" + space + "/credentials/" + e.idIn(space), nil
	},
	"RevokeCredential": func(e *env, space string) (string, any) {
		return "/v1/spaces/" + space + "/credentials/" + e.idIn(space) + "/revoke", map[string]any{"reason": "test"}
	},
	"ListEvents": func(_ *env, space string) (string, any) { return "/v1/spaces/" + space + "/events", nil },
	"CheckpointEvents": func(_ *env, space string) (string, any) {
		return "/v1/spaces/" + space + "/events/checkpoint", nil
	},
	"VerifyEvents": func(_ *env, space string) (string, any) {
		return "/v1/spaces/" + space + "/events/verify", map[string]any{}
	},
}

// sampleAt is a request with a body to a path in a space, to which fields are added
// that must be new each time.
func sampleAt(path string, body map[string]any, fresh ...string) func(e *env, space string) (string, any) {
	return func(e *env, space string) (string, any) {
		body := maps.Clone(body)
		for _, name := range fresh {
			if body[name] = token.NewID(); name == "token" {
				body[name] = e.hide(token.New("acme").Reveal()) // which nobody was given
			}
		}
		return "/v1/spaces/" + space + path, body
	}
}

// noID is the id of nothing.
const noID = "0000000000000000"

// idIn is the id of a new key in a space, or of none in a space that is not
// there.
func (e *env) idIn(space string) string {
	if _, err := e.a.Spaces().Get(e.Context(), space); err != nil {
		return noID
	}
	return e.key(space).Credential.ID
}

// sessionIn is idIn for a session.
func (e *env) sessionIn(space string) string {
	if _, err := e.a.Spaces().Get(e.Context(), space); err != nil {
		return noID
	}
	return e.session(space, keyfob.Session{Subject: "alice"}).Credential.ID
}

// session makes a session in a space, behind the server's back.
func (e *env) session(space string, s keyfob.Session) keyfob.Issued {
	e.Helper()
	issued, err := e.a.In(space).Issue(e.Context(), s)
	e.must(err)
	e.hide(issued.Secret.Reveal())
	return issued
}

// TestEveryRoute: each operation of openapi.yaml answers with what the file
// says, over the port and over the socket, and is logged by its pattern.
func TestEveryRoute(t *testing.T) {
	e := newEnv(t, Limits{})
	spec := readSpec(t)
	for _, r := range spec.routes {
		sample, ok := samples[r.name]
		if !ok {
			t.Errorf("%s has no sample", r.name)
			continue
		}
		schema := r.op.Responses[r.success()].Content["application/json"].Schema
		for _, local := range []bool{false, true} {
			path, body := sample(e, "acme")
			client, token, actor := e.http, e.owner, ""
			if local {
				client, token, actor = e.local, "", localActor()
			}
			a := e.askWith(client, token, r.method, path, body)
			if fmt.Sprint(a.status) != r.success() {
				t.Errorf("%s %s: %v", r.method, path, a)
			}
			for _, wrong := range spec.conform(schema, a.json, "answer") {
				t.Errorf("%s %s: %s", r.method, path, wrong)
			}
			line := e.log.of(t, a.header.Get(RequestIDHeader))
			if line["route"] != r.path || line["method"] != r.method || line["status"] != float64(a.status) || line["duration"] == nil {
				t.Errorf("%s %s is logged as %v", r.method, path, line)
			}
			if local && operations[r.name].needs != anyone && line["actor"] != actor {
				t.Errorf("%s %s: actor %v, want %s", r.method, path, line["actor"], actor)
			}
		}
	}
}

// TestLife is the main job: a space, a key, and all that can happen to it.
func TestLife(t *testing.T) {
	e := newEnv(t, Limits{})
	e.want(e.ask(e.owner, "POST", "/v1/spaces", map[string]any{"name": "prod", "prefix": "prod_live"}), 201, "")
	const base = "/v1/spaces/prod"
	issued := e.want(e.ask(e.owner, "POST", base+"/apikeys", map[string]any{
		"subject": "alice", "name": "Zoë's 💻", "scopes": []string{"read", "write"},
		"attributes": map[string]string{"plan": "pro"}, "expires_at": "2999-01-01T01:00:00.123999+01:00",
	}), 201, "")
	token, _ := issued.json["token"].(string)
	id, _ := issued.credential()["id"].(string)
	if c := issued.credential(); !strings.HasPrefix(token, "prod_live_") || c["expires_at"] != "2999-01-01T00:00:00.123Z" ||
		c["name"] != "Zoë's 💻" || c["space"] != "prod" || c["kind"] != "apikey" || c["state"] != "active" {
		t.Errorf("issued %v", c)
	}
	verify := func(want string, token string, scopes ...string) *answer {
		t.Helper()
		a := e.want(e.ask(e.owner, "POST", base+"/verify", map[string]any{"token": token, "scopes": append([]string{}, scopes...)}), 200, "")
		if a.json["reason"] != want || a.json["valid"] != (want == "ok") || a.json["staleness_ms"].(float64) > 1000 || (a.credential() != nil) != (want == "ok") {
			t.Errorf("verify: %v, want %s", a, want)
		}
		return a
	}
	if a := verify("ok", token, "read"); a.credential()["id"] != id || a.credential()["subject"] != "alice" {
		t.Errorf("verify: %v", a)
	}
	verify("scope", token, "admin")
	verify("malformed", token+"x")
	verify("malformed", "")
	verify("unknown", e.key("default").Secret.Reveal())
	rotated := e.want(e.ask(e.owner, "POST", base+"/apikeys/"+id+"/rotate", map[string]any{"grace": 3600}), 201, "")
	next, _ := rotated.json["token"].(string)
	verify("ok", token)
	verify("ok", next)
	versions, _ := rotated.credential()["versions"].([]any)
	if len(versions) != 2 || versions[0].(map[string]any)["state"] != "active" || versions[1].(map[string]any)["state"] != "grace" {
		t.Errorf("versions after a rotation: %v", versions)
	}
	e.want(e.ask(e.owner, "POST", base+"/apikeys/"+id+"/rotate", map[string]any{"grace": 60}), 409, "conflict")
	last := e.want(e.ask(e.owner, "POST", base+"/apikeys/"+id+"/rotate", map[string]any{"grace": 0}), 201, "").json["token"].(string)
	verify("replaced", token)
	verify("replaced", next)
	verify("ok", last)
	// Any version's id does for the credential's.
	byVersion := e.want(e.ask(e.owner, "GET", base+"/apikeys/"+strings.TrimPrefix(next, "prod_live_")[:16], nil), 200, "")
	if byVersion.json["id"] != id {
		t.Errorf("by a version's id: %v", byVersion)
	}
	e.revokeTwice(base + "/apikeys/" + id)
	verify("revoked", last)
	e.want(e.ask(e.owner, "POST", base+"/apikeys/"+id+"/rotate", map[string]any{"grace": 0}), 409, "conflict")
}

// revokeTwice revokes the key at a path, which leaves one event.
func (e *env) revokeTwice(key string) {
	e.Helper()
	before := e.events()
	for range 2 {
		a := e.want(e.ask(e.owner, "POST", key+"/revoke", map[string]any{"reason": "laptop stolen"}), 200, "")
		if a.text != "{}" {
			e.Errorf("revoke answers %s", a.text)
		}
	}
	if n := e.events() - before; n != 1 {
		e.Errorf("two revocations left %d events", n)
	}
	got := e.want(e.ask(e.owner, "GET", key, nil), 200, "")
	if got.json["state"] != "revoked" || got.json["reason"] != "laptop stolen" {
		e.Errorf("revoked: %v", got)
	}
}

func TestLists(t *testing.T) {
	e := newEnv(t, Limits{})
	var want []string
	for range 7 {
		want = append(want, e.key("acme").Credential.ID)
	}
	e.must(e.a.In("acme").Revoke(t.Context(), want[3], ""))
	page := func(body map[string]any) (ids []string, next string) {
		t.Helper()
		a := e.want(e.ask(e.owner, "POST", "/v1/spaces/acme/apikeys/search", body), 200, "")
		for _, item := range a.json["items"].([]any) {
			ids = append(ids, item.(map[string]any)["id"].(string))
		}
		return ids, a.json["next"].(string)
	}
	var got []string
	body := map[string]any{"limit": 3, "subject": "alice"}
	for pages := 1; ; pages++ {
		ids, next := page(body)
		got = append(got, ids...)
		if next == "" {
			break
		}
		if body["after"] = next; pages > 3 {
			t.Fatal("no end")
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("paged through %q, want %q", got, want)
	}
	if ids, _ := page(map[string]any{"states": []string{"revoked"}}); len(ids) != 1 {
		t.Errorf("revoked: %q", ids)
	}
	if ids, next := page(map[string]any{"subject": "nobody"}); ids != nil || next != "" {
		t.Errorf("of nobody: %q, %q", ids, next)
	}
	names := func(query string) (names []string, next string) {
		t.Helper()
		a := e.want(e.ask(e.owner, "GET", "/v1/spaces"+query, nil), 200, "")
		for _, item := range a.json["items"].([]any) {
			names = append(names, item.(map[string]any)["name"].(string))
		}
		return names, a.json["next"].(string)
	}
	if all, next := names(""); !slices.Equal(all, []string{"acme", "default", "keyfob"}) || next != "" {
		t.Errorf("spaces %q, next %q", all, next)
	}
	first, next := names("?limit=2")
	rest, end := names("?limit=2&after=" + next)
	if !slices.Equal(append(first, rest...), []string{"acme", "default", "keyfob"}) || end != "" {
		t.Errorf("spaces in pages: %q, %q, next %q", first, rest, end)
	}
}

// TestGeneratedClient: the client that is generated from the same file
// understands the server, over the socket; times keep their milliseconds.
func TestGeneratedClient(t *testing.T) {
	e := newEnv(t, Limits{})
	c, err := oas.NewClient("http://keyfob", noToken{}, oas.WithClient(e.local))
	e.must(err)
	expires := time.Date(2999, 1, 1, 0, 0, 0, 789_000_000, time.UTC)
	issued, err := c.IssueAPIKey(t.Context(), &oas.IssueAPIKeyRequest{
		Subject: "alice", Scopes: []string{"read"}, ExpiresAt: oas.NewOptDateTime(expires),
	}, oas.IssueAPIKeyParams{Space: "acme"})
	e.must(err)
	if got := time.Time(issued.Credential.ExpiresAt.Value); !got.Equal(expires) {
		t.Errorf("expires %v, want %v", got, expires)
	}
	verdict, err := c.Verify(t.Context(), &oas.VerifyRequest{Token: issued.Token}, oas.VerifyParams{Space: "acme"})
	if err != nil || !verdict.Valid || verdict.Credential.Value.Subject != "alice" {
		t.Errorf("verify: %v, %v", verdict, err)
	}
	e.must(c.RevokeAPIKey(t.Context(), &oas.RevokeRequest{}, oas.RevokeAPIKeyParams{Space: "acme", ID: issued.Credential.ID}))
	verdict, err = c.Verify(t.Context(), &oas.VerifyRequest{Token: issued.Token}, oas.VerifyParams{Space: "acme"})
	if err != nil || verdict.Valid || verdict.Reason != "revoked" {
		t.Errorf("verify: %v, %v", verdict, err)
	}
	_, err = c.GetSpace(t.Context(), oas.GetSpaceParams{Space: "nowhere"})
	var problem *oas.ProblemStatusCode
	if !asProblem(err, &problem) || problem.StatusCode != http.StatusNotFound || problem.Response.Type != "urn:keyfob:problem:space-not-found" {
		t.Errorf("an unknown space: %v", err)
	}
}

// TestTextComesBack: what may be stored comes back as it was.
func TestTextComesBack(t *testing.T) {
	e := newEnv(t, Limits{})
	a := e.ask(e.owner, "POST", "/v1/spaces/acme/apikeys", map[string]any{"subject": "a<b>&\u2029x"})
	e.want(a, 400, "input")
	a = e.ask(e.owner, "POST", "/v1/spaces/acme/apikeys", map[string]any{"subject": `a<b>&"\/`})
	var back struct{ Credential struct{ Subject string } }
	if err := json.Unmarshal([]byte(a.text), &back); err != nil || back.Credential.Subject != `a<b>&"\/` {
		t.Errorf("%v: %v", a, err)
	}
	// What is not there is absent, and lists and objects are there when empty.
	c := a.credential()
	version := c["versions"].([]any)[0].(map[string]any)
	if c["expires_at"] != nil || c["reason"] != nil || version["ends_at"] != nil || c["scopes"] == nil || c["attributes"] == nil {
		t.Errorf("%v", a)
	}
}
