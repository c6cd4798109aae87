package server

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
)

const acmeKeys = "/v1/spaces/acme/apikeys"

// issue makes a key over HTTP, and returns its id and token.
func (e *env) issue(fields map[string]any) (id, token string) {
	e.Helper()
	body := map[string]any{"subject": "alice"}
	for name, v := range fields {
		body[name] = v
	}
	a := e.want(e.ask(e.owner, "POST", acmeKeys, body), 201, "")
	return a.credential()["id"].(string), a.json["token"].(string)
}

// verdict is the reason of a verification; fields are added to its request.
func (e *env) verdict(token string, fields map[string]any) string {
	e.Helper()
	body := map[string]any{"token": token}
	for name, v := range fields {
		body[name] = v
	}
	a := e.want(e.ask(e.owner, "POST", "/v1/spaces/acme/verify", body), 200, "")
	if a.json["valid"] != (a.json["reason"] == "ok") {
		e.Errorf("%v", a)
	}
	return a.json["reason"].(string)
}

// reasons compares verdicts with what they should be.
func (e *env) reasons(what, token string, fields map[string]any, want ...string) {
	e.Helper()
	for i, w := range want {
		if got := e.verdict(token, fields); got != w {
			e.Errorf("%s, verification %d: %s, want %s", what, i+1, got, w)
		}
	}
}

// TestPolicy: each thing that a key may be given is kept, shown and judged.
func TestPolicy(t *testing.T) {
	e := newEnv(t, Limits{})
	id, token := e.issue(map[string]any{"not_before": "2998-12-31T23:59:59.9999+23:59", "expires_at": "2999-01-01T00:00:00Z"})
	c := e.want(e.ask(e.owner, "GET", acmeKeys+"/"+id, nil), 200, "").json
	if c["not_before"] != "2998-12-31T00:00:59.999Z" || c["expires_at"] != "2999-01-01T00:00:00.000Z" || c["state"] != "not_yet" || c["updated_at"] != nil {
		t.Errorf("a key that is not valid yet: %v", c)
	}
	e.reasons("not yet", token, nil, "not_yet")

	id, token = e.issue(map[string]any{"cidrs": []string{"192.0.2.0/24", "2001:db8::/32"}})
	c = e.want(e.ask(e.owner, "GET", acmeKeys+"/"+id, nil), 200, "").json
	if fmt.Sprint(c["cidrs"]) != "[192.0.2.0/24 2001:db8::/32]" {
		t.Errorf("networks: %v", c)
	}
	for ip, want := range map[string]string{
		"192.0.2.7": "ok", "192.0.3.7": "ip", "2001:DB8:0::1": "ok", "2001:db9::1": "ip", "::ffff:192.0.2.7": "ok", "::ffff:192.0.3.7": "ip", "::1": "ip",
	} {
		e.reasons("from "+ip, token, map[string]any{"ip": ip}, want)
	}
	e.reasons("from nowhere", token, nil, "ip")

	id, token = e.issue(map[string]any{"uses": 2})
	show := func() (any, any, any) {
		c := e.want(e.ask(e.owner, "GET", acmeKeys+"/"+id, nil), 200, "").json
		return c["uses"], c["used"], c["state"]
	}
	if uses, used, state := show(); uses != 2.0 || used != 0.0 || state != "active" {
		t.Errorf("of 2 uses: %v, %v, %v", uses, used, state)
	}
	e.reasons("2 uses", token, nil, "ok", "ok", "exhausted")
	e.reasons("a refusal is no use", token, map[string]any{"scopes": []string{"x"}}, "scope")
	if uses, used, state := show(); uses != 2.0 || used != 2.0 || state != "exhausted" {
		t.Errorf("after 2 uses: %v, %v, %v", uses, used, state)
	}
	e.issue(map[string]any{"uses": 9223372036854775807}) // as encoding/json writes an int

	id, _ = e.issue(nil)
	c = e.want(e.ask(e.owner, "GET", acmeKeys+"/"+id, nil), 200, "").json
	for _, field := range []string{"not_before", "expires_at", "uses", "used", "updated_at", "reason"} {
		if v, there := c[field]; there {
			t.Errorf("a key without anything has %s: %v", field, v)
		}
	}
	if v := c["versions"].([]any)[0].(map[string]any); v["first_used_at"] != nil || v["last_used_at"] != nil || fmt.Sprint(c["cidrs"]) != "[]" {
		t.Errorf("a key without anything: %v", c)
	}
}

// TestUpdate: a patch changes what it gives and keeps the rest; null and empty
// values take away.
func TestUpdate(t *testing.T) {
	e := newEnv(t, Limits{})
	full := map[string]any{
		"name": "laptop", "scopes": []string{"read"}, "not_before": "2001-01-01T00:00:00Z", "expires_at": "2999-01-01T00:00:00Z",
		"cidrs": []string{"192.0.2.0/24"}, "uses": 7, "attributes": map[string]string{"plan": "pro"},
	}
	id, token := e.issue(full)
	path := acmeKeys + "/" + id
	shown := func(c map[string]any) string {
		return fmt.Sprint(c["name"], c["scopes"], c["not_before"], c["expires_at"], c["cidrs"], c["uses"], c["attributes"])
	}
	before := e.want(e.ask(e.owner, "GET", path, nil), 200, "").json
	revision := 1
	for _, step := range []struct{ field, to, back string }{
		{"name", `""`, `"laptop"`}, {"scopes", `[]`, `["read"]`}, {"not_before", `null`, `"2001-01-01T00:00:00Z"`},
		{"expires_at", `null`, `"2999-01-01T00:00:00Z"`}, {"cidrs", `[]`, `["192.0.2.0/24"]`}, {"uses", `null`, `7`}, {"attributes", `{}`, `{"plan":"pro"}`},
	} {
		a := e.want(e.ask(e.owner, "PATCH", path, fmt.Sprintf(`{"revision":%d,%q:%s}`, revision, step.field, step.to)), 200, "")
		revision++
		if v := a.json[step.field]; v != nil && !slices.Contains([]string{"", "[]", "map[]"}, fmt.Sprint(v)) {
			t.Errorf("%s is not taken away: %v", step.field, a)
		}
		if a.json["revision"] != float64(revision) || a.json["updated_at"] == nil {
			t.Errorf("after an update: %v", a)
		}
		// Nothing else went with it.
		a.json[step.field] = before[step.field]
		if got, want := shown(a.json), shown(before); got != want {
			t.Errorf("with %s went something else: %s, want %s", step.field, got, want)
		}
		a = e.want(e.ask(e.owner, "PATCH", path, fmt.Sprintf(`{"revision":%d,%q:%s}`, revision, step.field, step.back)), 200, "")
		revision++
		if got, want := shown(a.json), shown(before); got != want {
			t.Errorf("%s is not back: %s, want %s", step.field, got, want)
		}
	}
	// What is judged is what is shown.
	e.reasons("after updates", token, map[string]any{"ip": "192.0.2.1", "scopes": []string{"read"}}, "ok")
	e.want(e.ask(e.owner, "PATCH", path, fmt.Sprintf(`{"revision":%d,"scopes":["write"],"cidrs":["10.0.0.0/8"]}`, revision)), 200, "")
	e.reasons("another network", token, map[string]any{"ip": "192.0.2.1"}, "ip")
	e.reasons("another scope", token, map[string]any{"ip": "10.0.0.1", "scopes": []string{"read"}}, "scope")
}

// TestStaleRevision: of two that saw the same, one changes it.
func TestStaleRevision(t *testing.T) {
	e := newEnv(t, Limits{})
	id, _ := e.issue(nil)
	path := acmeKeys + "/" + id
	e.want(e.ask(e.owner, "PATCH", path, `{"revision":1,"name":"first"}`), 200, "")
	before := e.events()
	for _, revision := range []int64{1, 0, -1, 3, 9223372036854775807} {
		e.want(e.ask(e.owner, "PATCH", path, fmt.Sprintf(`{"revision":%d,"name":"second"}`, revision)), 409, "conflict")
	}
	if c := e.ask(e.owner, "GET", path, nil).json; c["name"] != "first" || c["revision"] != 2.0 || e.events() != before {
		t.Errorf("after stale revisions: %v", c)
	}
	// A version's id does for the key's.
	version := e.ask(e.owner, "GET", path, nil).json["versions"].([]any)[0].(map[string]any)["id"].(string)
	e.want(e.ask(e.owner, "PATCH", acmeKeys+"/"+version, `{"revision":2,"name":"second"}`), 200, "")

	codes := make(chan int, 16)
	for i := range cap(codes) {
		go func() {
			r, _ := http.NewRequest("PATCH", e.url+path, strings.NewReader(fmt.Sprintf(`{"revision":3,"name":"n%d"}`, i)))
			r.Header.Set("Authorization", "Bearer "+e.owner)
			r.Header.Set("Content-Type", "application/json")
			resp, err := e.http.Do(r)
			if err != nil {
				codes <- 0
				return
			}
			resp.Body.Close()
			codes <- resp.StatusCode
		}()
	}
	counts := map[int]int{}
	for range cap(codes) {
		counts[<-codes]++
	}
	if counts[200] != 1 || counts[409] != cap(codes)-1 {
		t.Errorf("of %d with one revision: %v", cap(codes), counts)
	}
}

// TestGuessedRevision: who guesses the next revision, and comes when somebody
// else makes it, does not undo what that one did.
func TestGuessedRevision(t *testing.T) {
	e := newEnv(t, Limits{})
	id, _ := e.issue(nil)
	reads := 0
	e.st.set(func(ctx context.Context, call string) error {
		if call != "Credential" {
			return nil
		}
		if reads++; reads == 2 { // between the server's look and its change
			e.st.set(nil)
			c, err := e.a.In("acme").Get(ctx, id)
			e.must(err)
			c.Scopes = []string{"read"}
			_, err = e.a.In("acme").Update(ctx, c)
			e.must(err)
		}
		return nil
	})
	e.want(e.ask(e.owner, "PATCH", acmeKeys+"/"+id, `{"revision":2,"name":"guessed"}`), 409, "conflict")
	e.st.set(nil)
	if c, err := e.a.In("acme").Get(t.Context(), id); err != nil || c.Name != "" {
		t.Errorf("%+v, %v", c, err)
	}
	// And one that did see it is told when another was faster.
	reads = 0
	e.st.set(func(ctx context.Context, call string) error {
		if call == "Credential" {
			if reads++; reads == 2 {
				e.st.set(nil)
				_, err := e.a.In("acme").Suspend(ctx, id, "")
				e.must(err)
			}
		}
		return nil
	})
	c, err := e.a.In("acme").Get(t.Context(), id)
	e.must(err)
	reads = 0
	e.want(e.ask(e.owner, "PATCH", acmeKeys+"/"+id, fmt.Sprintf(`{"revision":%d,"name":"late"}`, c.Revision)), 409, "conflict")
}

// TestSuspend: a suspended key is refused until it is resumed; a second time of
// either changes nothing.
func TestSuspend(t *testing.T) {
	e := newEnv(t, Limits{})
	id, token := e.issue(nil)
	path := acmeKeys + "/" + id
	before := e.events()
	for range 2 {
		a := e.want(e.ask(e.owner, "POST", path+"/suspend", `{"reason":"seen in a log"}`), 200, "")
		if a.json["state"] != "suspended" || a.json["reason"] != "seen in a log" || a.json["revision"] != 2.0 {
			t.Errorf("suspended: %v", a)
		}
		e.reasons("suspended", token, nil, "suspended")
	}
	for range 2 {
		a := e.want(e.ask(e.owner, "POST", path+"/resume", nil), 200, "")
		if a.json["state"] != "active" || a.json["reason"] != nil || a.json["revision"] != 3.0 {
			t.Errorf("resumed: %v", a)
		}
		e.reasons("resumed", token, nil, "ok")
	}
	if n := e.events() - before; n != 2 {
		t.Errorf("%d events, want 2", n)
	}
	e.want(e.ask(e.owner, "POST", path+"/resume", `{}`), 400, "input") // it takes no body
	e.want(e.ask(e.owner, "POST", path+"/revoke", `{}`), 200, "")
	e.want(e.ask(e.owner, "POST", path+"/suspend", `{}`), 409, "conflict")
	e.want(e.ask(e.owner, "POST", path+"/resume", nil), 409, "conflict")
	e.want(e.ask(e.owner, "PATCH", path, `{"revision":4,"name":"x"}`), 409, "conflict")
	e.reasons("revoked", token, nil, "revoked")
}

// TestRollback: the version before is the newest again, and the one that had
// replaced it is refused.
func TestRollback(t *testing.T) {
	e := newEnv(t, Limits{})
	id, first := e.issue(nil)
	path := acmeKeys + "/" + id
	e.want(e.ask(e.owner, "POST", path+"/rollback", nil), 409, "conflict")
	second := e.want(e.ask(e.owner, "POST", path+"/rotate", `{"grace":3600}`), 201, "").json["token"].(string)
	e.reasons("in the grace", first, nil, "ok")
	e.reasons("in the grace", second, nil, "ok")
	a := e.want(e.ask(e.owner, "POST", path+"/rollback", nil), 200, "")
	versions := a.json["versions"].([]any)
	newest, ended := versions[0].(map[string]any), versions[1].(map[string]any)
	if newest["number"] != 1.0 || newest["state"] != "active" || newest["ends_at"] != nil || ended["state"] != "ended" {
		t.Errorf("rolled back: %v", a)
	}
	e.reasons("rolled back", first, nil, "ok")
	e.reasons("rolled back", second, nil, "replaced")
	e.want(e.ask(e.owner, "POST", path+"/rollback", nil), 409, "conflict")
	e.want(e.ask(e.owner, "POST", path+"/rotate", `{"grace":0}`), 201, "")
	e.want(e.ask(e.owner, "POST", path+"/rollback", nil), 409, "conflict")
}

// TestPurge: what has ended goes, and its events stay.
func TestPurge(t *testing.T) {
	e := newEnv(t, Limits{})
	kept, keptToken := e.issue(map[string]any{"name": "kept"})
	gone, goneToken := e.issue(map[string]any{"name": "gone"})
	e.want(e.ask(e.owner, "POST", acmeKeys+"/"+gone+"/revoke", `{}`), 200, "")
	purge := func(before time.Time, want float64) {
		t.Helper()
		a := e.want(e.ask(e.owner, "POST", acmeKeys+"/purge", map[string]any{"ended_before": before.Format(time.RFC3339Nano)}), 200, "")
		if a.json["purged"] != want {
			t.Errorf("purged: %v, want %v", a, want)
		}
	}
	purge(time.Now().Add(-time.Hour), 0)
	e.want(e.ask(e.owner, "GET", acmeKeys+"/"+gone, nil), 200, "")
	for purged := false; !purged; { // it ended in this millisecond, perhaps
		a := e.want(e.ask(e.owner, "POST", acmeKeys+"/purge", map[string]any{"ended_before": time.Now().Format(time.RFC3339Nano)}), 200, "")
		purged = a.json["purged"] == 1.0
	}
	purge(time.Now(), 0)
	e.want(e.ask(e.owner, "GET", acmeKeys+"/"+gone, nil), 404, "not-found")
	e.reasons("purged", goneToken, nil, "unknown")
	e.want(e.ask(e.owner, "GET", acmeKeys+"/"+kept, nil), 200, "")
	e.reasons("kept", keptToken, nil, "ok")
	a := e.want(e.ask(e.owner, "GET", "/v1/spaces/acme/events?credential="+gone, nil), 200, "")
	if got := types(a); !slices.Equal(got, []string{"apikey.issued", "apikey.revoked", "apikey.purged"}) {
		t.Errorf("events of what is gone: %q", got)
	}
}

// TestFilters: each field of a search narrows it.
func TestFilters(t *testing.T) {
	e := newEnv(t, Limits{})
	e.issue(map[string]any{"name": "laptop of Zoë", "scopes": []string{"read", "write"}, "expires_at": "2998-01-01T00:00:00Z"})
	e.issue(map[string]any{"name": "Laptop", "scopes": []string{"read"}, "expires_at": "2999-01-01T00:00:00Z"})
	id, _ := e.issue(map[string]any{"name": "100% phone_1"})
	e.want(e.ask(e.owner, "POST", acmeKeys+"/"+id+"/suspend", `{}`), 200, "")
	for body, want := range map[string]int{
		`{}`: 3, `{"name_contains":"laptop"}`: 1, `{"name_contains":"aptop"}`: 2, `{"name_contains":"oë"}`: 1, `{"name_contains":"%"}`: 1, `{"name_contains":"_"}`: 1,
		`{"name_contains":"x%"}`: 0, `{"scope":"read"}`: 2, `{"scope":"write"}`: 1, `{"scope":"rea"}`: 0, `{"scope":"Read"}`: 0,
		`{"expires_before":"2998-01-01T00:00:00Z"}`: 0, `{"expires_before":"2998-01-01T00:00:00.001Z"}`: 1, `{"expires_before":"9999-01-01T00:00:00Z"}`: 2,
		`{"states":["suspended"]}`: 1, `{"states":["active"]}`: 2, `{"states":["active","suspended"]}`: 3, `{"states":["revoked"]}`: 0,
		`{"scope":"read","name_contains":"Zo","states":["active"],"expires_before":"2999-01-01T00:00:00Z","subject":"alice"}`: 1,
	} {
		a := e.want(e.ask(e.owner, "POST", acmeKeys+"/search", body), 200, "")
		if n := len(a.json["items"].([]any)); n != want {
			t.Errorf("%s finds %d, want %d", body, n, want)
		}
	}
}

// TestCredentialOf: each field of a record has its place in the answer.
func TestCredentialOf(t *testing.T) {
	at := func(second int) time.Time { return time.Date(2030, 1, 2, 3, 4, second, 0, time.UTC) }
	c := keyfob.Credential{
		ID: "i", Space: "s", Kind: "k", Subject: "su", Name: "n", Scopes: []string{"sc"}, Attributes: map[string]string{"a": "b"},
		NotBefore: at(1), Expires: at(2), CIDRs: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, Uses: 8, Used: 5,
		State: "st", Reason: "r", Revision: 6, Created: at(3), Updated: at(4),
		Versions: []keyfob.Version{{ID: "v", Number: 7, Prefix: "p", State: "vs", Created: at(5), Ends: at(6), FirstUsed: at(7), LastUsed: at(8)}},
	}
	const want = `{"id":"i","space":"s","kind":"k","subject":"su","name":"n","scopes":["sc"],"attributes":{"a":"b"},"state":"st","reason":"r","revision":6,` +
		`"created_at":"2030-01-02T03:04:03.000Z","updated_at":"2030-01-02T03:04:04.000Z","not_before":"2030-01-02T03:04:01.000Z","expires_at":"2030-01-02T03:04:02.000Z",` +
		`"cidrs":["192.0.2.0/24"],"uses":8,"used":5,"versions":[{"id":"v","number":7,"prefix":"p","state":"vs","created_at":"2030-01-02T03:04:05.000Z",` +
		`"ends_at":"2030-01-02T03:04:06.000Z","first_used_at":"2030-01-02T03:04:07.000Z","last_used_at":"2030-01-02T03:04:08.000Z"}]}`
	o := credentialOf(&c)
	if text, err := o.MarshalJSON(); err != nil || string(text) != want {
		t.Errorf("%s, %v\nwant %s", text, err, want)
	}
	// What was counted once stays to be seen.
	c.Uses = 0
	if o := credentialOf(&c); o.Uses.Set || o.Used.Value != 5 {
		t.Errorf("used %v of %v", o.Used, o.Uses)
	}
}

// TestNullsOfTheClient: the generated client says null where a field is to go.
func TestNullsOfTheClient(t *testing.T) {
	e := newEnv(t, Limits{})
	c, err := oas.NewClient("http://keyfob", noToken{}, oas.WithClient(e.local))
	e.must(err)
	id, _ := e.issue(map[string]any{"uses": 3, "scopes": []string{"read"}, "expires_at": "2999-01-01T00:00:00Z"})
	request := &oas.UpdateAPIKeyRequest{Revision: 1, Scopes: []string{}}
	request.Uses.SetToNull()
	key, err := c.UpdateAPIKey(t.Context(), request, oas.UpdateAPIKeyParams{Space: "acme", ID: id})
	e.must(err)
	if key.Uses.Set || len(key.Scopes) != 0 || !key.ExpiresAt.Set {
		t.Errorf("updated: %+v", key)
	}
}
