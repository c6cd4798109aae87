package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/ogen-go/ogen"
	"github.com/ogen-go/ogen/ogenerrors"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
)

// noToken is the security of a client of the socket.
type noToken struct{}

func (noToken) Bearer(context.Context, oas.OperationName) (oas.Bearer, error) {
	return oas.Bearer{}, ogenerrors.ErrSkipClientSecurity
}

func asProblem(err error, p **oas.ProblemStatusCode) bool { return errors.As(err, p) }

func localActor() string { return "local:" + strconv.Itoa(os.Getuid()) }

// TestRoles is P11 on every route: each operation of openapi.yaml, in each
// space, for each caller there could be, with an independent word on who may.
func TestRoles(t *testing.T) {
	e := newEnv(t, Limits{})
	spaces := []string{"default", "acme", keyfob.OwnSpace, "nowhere", "acme2", "acm"}
	e.createSpace("acm")
	callers := map[string][]string{"owner": {OwnerScope}, "nothing": nil, "owner of more": {"x", OwnerScope}, "metrics": {MetricsScope}}
	for _, space := range spaces {
		for _, role := range []string{"issue", "verify", "read", "revoke"} {
			callers[space+":"+role] = []string{space + ":" + role}
		}
	}
	callers["all of acme"] = []string{"acme:issue", "acme:verify", "acme:read", "acme:revoke"}
	callers["lookalikes"] = []string{"Owner", "owner:", ":owner", "acme", "acme:", ":verify", "acme:owner", "acme:*", "*:verify", "*",
		"Metrics", "metrics:", ":metrics", "acme:metrics", "keyfob:metrics", "metrics:read", "acme:verify:", "acme::verify", "acme:Verify", "ACME:verify", "xacme:verify", "acme:verifyx", "acme:verify,acme:read", "default:acme:verify"}
	tokens := map[string]string{}
	for name, scopes := range callers {
		tokens[name] = e.callerKey(scopes...)
	}
	revoked := e.key(keyfob.OwnSpace, OwnerScope)
	e.must(e.a.In(keyfob.OwnSpace).Revoke(t.Context(), revoked.Credential.ID, ""))
	strangers := map[string]string{
		"no token": "", "no keyed token": "x", "a token of another space": e.key("acme", OwnerScope).Secret.Reveal(),
		"a revoked token": revoked.Secret.Reveal(), "a token with a wrong character": changed(e.owner),
	}
	n := 0
	for _, r := range allRoutes(t) {
		needs, inSpace := pageNeeds[r.path], strings.Contains(r.path, "{space}")
		if roles := oas.GetRolesForBearer(r.name); len(roles) > 0 {
			needs = roles[0]
		}
		for _, space := range spaces {
			if !inSpace && space != "acme" {
				continue
			}
			for name, scopes := range callers {
				n++
				e.check(r, space, name, tokens[name], mayDo(needs, inSpace, space, scopes))
			}
			for name, token := range strangers {
				n++
				e.checkStranger(r, space, name, token, needs)
			}
		}
	}
	t.Logf("%d requests of roles by routes by spaces", n)
}

// pageNeeds has what each page needs, said a second time.
var pageNeeds = map[string]string{"/metrics": "metrics", "/openapi.json": ""}

// allRoutes are the operations of openapi.yaml and the pages beside them.
func allRoutes(t *testing.T) []aRoute {
	t.Helper()
	routes := readSpec(t).routes
	if len(pages) != len(pageNeeds) {
		t.Errorf("%d pages, and %d are known here", len(pages), len(pageNeeds))
	}
	for path := range pages {
		if _, ok := pageNeeds[path]; !ok {
			t.Errorf("what %s needs is not known here", path)
		}
		routes = append(routes, aRoute{name: path, method: "GET", path: path, op: &ogen.Operation{Responses: ogen.Responses{"200": nil}}})
	}
	return routes
}

// sample is a good request to a route, in a space.
func (r aRoute) sample(e *env, space string) (path string, body any) {
	if _, ok := pages[r.path]; ok {
		return r.path, nil
	}
	return samples[r.name](e, space)
}

// mayDo is the rule, in other words than the server's.
func mayDo(needs string, inSpace bool, space string, scopes []string) bool {
	if needs == "" {
		return true
	}
	allowed := map[string]bool{"owner": true}
	if needs == "metrics" {
		allowed["metrics"] = true
	}
	if inSpace && needs != "owner" && space != "keyfob" {
		allowed[fmt.Sprintf("%s:%s", space, needs)] = true
	}
	for _, scope := range scopes {
		if allowed[scope] {
			return true
		}
	}
	return false
}

// changed is a token with another character in its secret.
func changed(token string) string {
	b := []byte(token)
	i := len(b) - 20
	if b[i]++; b[i] == '9'+1 || b[i] == 'Z'+1 || b[i] == 'z'+1 {
		b[i] = '0'
	}
	return string(b)
}

func (e *env) check(r aRoute, space, name, token string, may bool) {
	e.Helper()
	path, body := r.sample(e, space)
	before := e.events()
	a := e.ask(token, r.method, path, body)
	switch {
	case !may:
		const same = "the caller's scopes do not allow this, or not in this space"
		if a.status != 403 || a.problem() != "forbidden" || a.detail() != same || !strings.Contains(a.header.Get("WWW-Authenticate"), "insufficient_scope") {
			e.Errorf("%s %s by %s: %v, want 403", r.method, path, name, a)
		}
		if e.events() != before {
			e.Errorf("%s %s by %s left an event", r.method, path, name)
		}
	case strings.Contains(r.path, "{space}") && (space == "nowhere" || space == "acme2"):
		e.want(a, 404, "space-not-found")
	case fmt.Sprint(a.status) != r.success():
		e.Errorf("%s %s by %s: %v, want %s", r.method, path, name, a, r.success())
	}
}

func (e *env) checkStranger(r aRoute, space, name, token, needs string) {
	e.Helper()
	path, body := r.sample(e, space)
	before := e.events()
	a := e.ask(token, r.method, path, body)
	if needs == "" {
		if a.status != 200 {
			e.Errorf("%s %s with %s: %v", r.method, path, name, a)
		}
		return
	}
	challenge := `Bearer realm="keyfob", error="invalid_token"`
	if token == "" {
		challenge = `Bearer realm="keyfob"`
	}
	if a.status != 401 || a.problem() != "unauthenticated" || a.header.Get("WWW-Authenticate") != challenge {
		e.Errorf("%s %s with %s: %v, %v", r.method, path, name, a, a.header)
	}
	if e.events() != before {
		e.Errorf("%s %s with %s left an event", r.method, path, name)
	}
}

// TestOtherSpacesCredentials is P11 for ids: who may do everything in one space
// reaches nothing of another through it.
func TestOtherSpacesCredentials(t *testing.T) {
	e := newEnv(t, Limits{})
	victim := e.key("default")
	token := e.callerKey("acme:issue", "acme:verify", "acme:read", "acme:revoke")
	n := 0
	for _, r := range readSpec(t).routes {
		if !strings.Contains(r.path, "{id}") {
			continue
		}
		n++
		// A good request in the one space, asked in the other.
		path, body := samples[r.name](e, "default")
		id := strings.Split(path, "/")[5]
		was, err := e.a.Get(t.Context(), id)
		e.must(err)
		before := e.events()
		for _, id := range []string{id, was.Versions[0].ID} {
			for _, by := range []string{token, e.owner} {
				e.want(e.ask(by, r.method, strings.NewReplacer("{space}", "acme", "{id}", id).Replace(r.path), body), 404, "not-found")
			}
		}
		is, err := e.a.Get(t.Context(), id)
		if err != nil || !reflect.DeepEqual(is, was) || e.events() != before {
			t.Errorf("%s from another space: %+v is %+v, %v", r.name, was, is, err)
		}
		e.want(e.ask(e.owner, r.method, path, body), must(strconv.Atoi(r.success())), "")
	}
	if n < 7 {
		t.Errorf("%d routes have an id", n)
	}
	before := e.events()
	a := e.ask(token, "POST", "/v1/spaces/acme/verify", map[string]any{"token": victim.Secret.Reveal()})
	if a.json["reason"] != "unknown" {
		t.Errorf("a token of another space: %v", a)
	}
	e.key("default") // a second one, so that there is a next page
	a = e.ask(e.owner, "POST", "/v1/spaces/default/apikeys/search", map[string]any{"limit": 1})
	e.want(e.ask(token, "POST", "/v1/spaces/acme/apikeys/search", map[string]any{"limit": 1, "after": a.json["next"]}), 400, "input")
	otherSpacesEvents(e, victim.Credential.ID, token)
	if e.events() != before+1 {
		t.Errorf("%d events, want 1", e.events()-before)
	}
}

// otherSpacesEvents is P11 for the log.
func otherSpacesEvents(e *env, victim, token string) {
	e.Helper()
	a := e.want(e.ask(token, "GET", "/v1/spaces/acme/events?limit=1000", nil), 200, "")
	if strings.Contains(a.text, victim) {
		e.Errorf("the log of acme has events of default: %v", a)
	}
	a = e.want(e.ask(token, "GET", "/v1/spaces/acme/events?credential="+victim, nil), 200, "")
	if a.text != `{"items":[],"next":""}` {
		e.Errorf("events of another space's key: %v", a)
	}
	a = e.want(e.ask(e.owner, "GET", "/v1/spaces/default/events?limit=1", nil), 200, "")
	e.want(e.ask(token, "GET", "/v1/spaces/acme/events?limit=1&after="+a.json["next"].(string), nil), 400, "input")
	a = e.want(e.ask(e.owner, "POST", "/v1/spaces/default/events/checkpoint", nil), 200, "")
	e.want(e.ask(token, "POST", "/v1/spaces/acme/events/verify", map[string]any{"checkpoints": []string{a.text}}), 400, "input")
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestCallerScopes: the server makes no caller whose scopes mean nothing, or
// claim the space keyfob.
func TestCallerScopes(t *testing.T) {
	e := newEnv(t, Limits{})
	for _, scope := range []string{"Owner", "acme", "acme:", ":verify", "acme:owner", "Metrics", "acme:metrics", "keyfob:metrics", "acme:isue", "*:verify", "keyfob:read", "ACME:read", "a b:read", "acme:read:read"} {
		a := e.want(e.ask(e.owner, "POST", "/v1/spaces/keyfob/apikeys", map[string]any{"subject": "x", "scopes": []string{"acme:read", scope}}), 400, "input")
		if a.field() != "scopes" {
			t.Errorf("%s: %v", scope, a)
		}
	}
	a := e.want(e.ask(e.owner, "POST", "/v1/spaces/keyfob/apikeys", map[string]any{
		"subject": "x", "scopes": []string{"owner", "metrics", "acme:issue", "acme:verify", "acme:read", "not-yet-there:revoke"},
	}), 201, "")
	made := a.json["token"].(string)
	id := a.credential()["id"].(string)
	for _, scope := range []string{"Owner", "acme:owner", "keyfob:read", "a b"} {
		a := e.want(e.ask(e.owner, "PATCH", "/v1/spaces/keyfob/apikeys/"+id, map[string]any{"revision": 1, "scopes": []string{"owner", scope}}), 400, "input")
		if a.field() != "scopes" {
			t.Errorf("%s: %v", scope, a)
		}
	}
	e.want(e.ask(made, "GET", "/v1/spaces", nil), 200, "")
	// A revoked caller is out with the next request.
	e.want(e.ask(e.owner, "POST", "/v1/spaces/keyfob/apikeys/"+id+"/suspend", `{}`), 200, "")
	e.want(e.ask(made, "GET", "/v1/spaces", nil), 401, "unauthenticated")
	e.want(e.ask(e.owner, "POST", "/v1/spaces/keyfob/apikeys/"+id+"/resume", nil), 200, "")
	e.want(e.ask(made, "GET", "/v1/spaces", nil), 200, "")
	// What an update takes from a caller is gone with the next request.
	e.want(e.ask(e.owner, "PATCH", "/v1/spaces/keyfob/apikeys/"+id, map[string]any{"revision": 3, "scopes": []string{"acme:read"}}), 200, "")
	e.want(e.ask(made, "GET", "/v1/spaces", nil), 403, "forbidden")
	e.want(e.ask(e.owner, "POST", "/v1/spaces/keyfob/apikeys/"+id+"/revoke", `{}`), 200, "")
	e.want(e.ask(made, "GET", "/v1/spaces/acme", nil), 401, "unauthenticated")
	// In other spaces, scopes are the application's.
	a = e.want(e.ask(e.owner, "POST", "/v1/spaces/acme/apikeys", map[string]any{"subject": "x", "scopes": []string{"keyfob:read", "owner"}}), 201, "")
	e.want(e.ask(e.owner, "PATCH", "/v1/spaces/acme/apikeys/"+a.credential()["id"].(string), map[string]any{"revision": 1, "scopes": []string{"Owner"}}), 200, "")
}

// TestActors: an event names the caller by its credential's id, and one of the
// socket by the user's id; a token that is sent over the socket counts.
func TestActors(t *testing.T) {
	e := newEnv(t, Limits{})
	caller := e.key(keyfob.OwnSpace, "acme:issue")
	issue := func(local bool, token string) *answer {
		client := e.http
		if local {
			client = e.local
		}
		return e.askWith(client, token, "POST", "/v1/spaces/acme/apikeys", `{"subject":"x"}`, func(r *http.Request) { r.Host = "evil.example" })
	}
	e.want(issue(false, caller.Secret.Reveal()), 201, "")
	e.want(issue(true, ""), 201, "")
	e.want(issue(true, caller.Secret.Reveal()), 201, "")
	want := []string{caller.Credential.ID, localActor(), caller.Credential.ID}
	if got := e.actors("acme", "apikey.issued"); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("actors %q, want %q", got, want)
	}
	e.want(issue(true, "x"), 401, "unauthenticated")
	e.want(e.askWith(e.local, caller.Secret.Reveal(), "GET", "/v1/spaces", nil), 403, "forbidden")
	e.want(e.askWith(e.local, "", "GET", "/v1/spaces/keyfob", nil), 200, "")
}
