package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/strictjson"
)

// notUnicode are string literals that stand for no text; badText stand for text
// that nobody should have to store, log or look at.
var (
	notUnicode = map[string]string{
		"a lone surrogate": `"a\ud800b"`, "surrogates the wrong way round": `"\udc00\ud800"`, "a surrogate in UTF-8": "\"a\xed\xa0\x80b\"",
		"an overlong slash": "\"\xc0\xaf\"", "half a rune": "\"a\xe2\x82\"", "a byte of Latin-1": "\"caf\xe9\"",
		"CR LF, not escaped": "\"a\r\nb\"", "NUL, not escaped": "\"a\x00b\"", "an unknown escape": `"\x41"`,
	}
	badText = map[string]string{
		"NUL": `"a\u0000b"`, "CR LF": `"a\r\nX-Evil: 1"`, "a tab": `"a\tb"`, "ANSI": `"\u001b[31mred"`, "DEL": "\"a\x7fb\"", "C1": `"a\u0085b"`,
		"a line separator": `"a\u2028b"`, "a paragraph separator": "\"a\u2029b\"", "an override": `"a\u202eb"`, "10 kB": `"` + strings.Repeat("é", 5<<10) + `"`,
	}
)

// TestBadTextInEveryField is generic over the table: each text field of each
// operation, with each text that it may not hold. Nothing changes by it.
func TestBadTextInEveryField(t *testing.T) {
	e := newEnv(t, Limits{})
	n := 0
	for _, r := range readSpec(t).routes {
		for _, f := range operations[r.name].body {
			path, body := samples[r.name](e, "acme")
			before := e.events()
			try := func(what, literal string, wantField string) {
				n++
				for _, text := range literals(e, body, f, literal) {
					a := e.ask(e.owner, r.method, path, text)
					if fields := strings.Split(wantField, "|"); a.status != 400 || a.problem() != "input" || !slices.Contains(fields, a.field()) {
						t.Errorf("%s with %s in %s: %v", r.name, what, f.Name, a)
					}
				}
			}
			if f.Type == strictjson.Int32 || f.Type == strictjson.Int64 {
				continue
			}
			for what, literal := range notUnicode {
				try(what, literal, f.Name)
			}
			for what, literal := range badText {
				if f.Name != "token" && f.Name != "code" { // any text can be presented; the answer is a verdict
					try(what, literal, f.Name+"|"+f.Name+".k")
				}
			}
			if after := e.events(); after != before {
				t.Errorf("%s: refused requests left %d events", r.name, after-before)
			}
		}
	}
	t.Logf("%d cases", n)
	for what, literal := range badText {
		a := e.want(e.ask(e.owner, "POST", "/v1/spaces/acme/verify", `{"token":`+literal+`}`), 200, "")
		if a.json["reason"] != "malformed" {
			t.Errorf("verify of %s: %v", what, a)
		}
	}
}

// literals are bodies with a literal in each place of a field that takes text.
func literals(e *env, sample any, f strictjson.Field, literal string) []string {
	var values []string
	switch f.Type {
	case strictjson.Texts:
		values = []string{"[" + literal + "]", `["ok",` + literal + `]`}
	case strictjson.TextMap:
		values = []string{`{"k":` + literal + `}`, `{` + literal + `:"v"}`}
	default:
		values = []string{literal}
	}
	fields := map[string]json.RawMessage{}
	text, err := json.Marshal(sample)
	e.must(err)
	e.must(json.Unmarshal(text, &fields))
	delete(fields, f.Name)
	var bodies []string
	for _, v := range values {
		var b strings.Builder
		b.WriteString("{" + `"` + f.Name + `":` + v)
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			fmt.Fprintf(&b, ",%q:%s", name, fields[name])
		}
		bodies = append(bodies, b.String()+"}")
	}
	return bodies
}

// TestWrongTypesInEveryField is generic over the table, too.
func TestWrongTypesInEveryField(t *testing.T) {
	e := newEnv(t, Limits{})
	for _, r := range readSpec(t).routes {
		shape := operations[r.name].body
		if shape == nil {
			continue
		}
		path, body := samples[r.name](e, "acme")
		good, err := json.Marshal(body)
		e.must(err)
		before := e.events()
		for _, f := range shape {
			for _, literal := range []string{`null`, `true`, `1.5`, `1e3`, `[]`, `{}`, `""`, `[1]`, `{"a":1}`, `[[]]`, `{"a":{}}`, `99999999999999999999`} {
				fits := f.Nullable && literal == `null` || f.Type == strictjson.Texts && literal == `[]` || f.Type == strictjson.TextMap && literal == `{}` ||
					f.Type == strictjson.Text && literal == `""` || f.Type == strictjson.Bool && literal == `true`
				if fits {
					continue
				}
				a := e.want(e.ask(e.owner, r.method, path, literals(e, body, strictjson.Field{Name: f.Name}, literal)[0]), 400, "input")
				if a.field() != f.Name {
					t.Errorf("%s, %s: %v", r.name, f.Name, a)
				}
			}
			if f.Required {
				without := literals(e, body, strictjson.Field{Name: f.Name}, "0")[0]
				without = "{" + strings.TrimPrefix(strings.TrimPrefix(without, `{"`+f.Name+`":0`), ",")
				if a := e.want(e.ask(e.owner, r.method, path, without), 400, "input"); a.field() != f.Name || !strings.Contains(a.detail(), "is missing") {
					t.Errorf("%s without %s: %v", r.name, f.Name, a)
				}
			}
		}
		if string(good) != "{}" {
			twice := string(good[:len(good)-1]) + "," + string(good[1:])
			if a := e.want(e.ask(e.owner, r.method, path, twice), 400, "input"); !strings.Contains(a.detail(), "twice") {
				t.Errorf("%s with fields twice: %v", r.name, a)
			}
		}
		for what, text := range map[string]string{
			"an unknown field": `{"role":"owner"}`, "nothing": "", "white space": " \n", "null": "null", "a list": "[]", "a string": `"x"`,
			"two objects": string(good) + string(good), "a comma behind": string(good) + ",", "half": string(good[:len(good)-1]),
			"a BOM": "\ufeff" + string(good), "10,000 brackets": strings.Repeat("[", 10_000), "10,000 objects": strings.Repeat(`{"a":`, 10_000),
			"10,000 brackets in a field": `{"` + shape[0].Name + `":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + "}",
		} {
			if a := e.ask(e.owner, r.method, path, text); a.status != 400 || a.problem() != "input" {
				t.Errorf("%s with %s: %v", r.name, what, a)
			}
		}
		if after := e.events(); after != before {
			t.Errorf("%s: refused requests left %d events", r.name, after-before)
		}
	}
}

// TestBadInput is each kind of wrong value once, with the field that is named.
func TestBadInput(t *testing.T) {
	e := newEnv(t, Limits{})
	id := e.key("acme").Credential.ID
	const keys = "/v1/spaces/acme/apikeys"
	refused := func(method, path, body, field string) {
		t.Helper()
		before := e.events()
		a := e.want(e.ask(e.owner, method, path, body), 400, "input")
		if a.field() != field || e.events() != before {
			t.Errorf("%s %s %.100s: %v; want the field %q", method, path, body, a, field)
		}
	}
	for _, at := range []string{
		"0001-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2001-01-01T00:00:00Z", "9999-12-31T23:59:59.999-00:01",
		"9999-12-31T23:59:59-23:59", "10000-01-01T00:00:00Z", "+292277026596-12-04T15:30:07Z", "-0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01",
	} {
		refused("POST", keys, `{"subject":"a","expires_at":"`+at+`"}`, "expires_at")
	}
	for _, grace := range []string{"-1", "-9223372036854775808", "9223372036854775807", "9223372037", "300000000000"} {
		refused("POST", keys+"/"+id+"/rotate", `{"grace":`+grace+`}`, "grace")
	}
	for _, limit := range []string{"0", "-1", "1001", "2147483647", "4294967297", "-4294967295"} {
		refused("POST", keys+"/search", `{"limit":`+limit+`}`, "limit")
		if a := e.ask(e.owner, "GET", "/v1/spaces?limit="+limit, nil); a.status != 400 || a.field() != "limit" {
			t.Errorf("limit %s: %v", limit, a)
		}
	}
	for _, name := range []string{"", "Acme", "a_b", "-a", "a-", "1a", "a b", "ä", strings.Repeat("a", 64)} {
		refused("POST", "/v1/spaces", `{"name":"`+name+`","prefix":"p"}`, "name")
	}
	for _, prefix := range []string{"", "Acme", "a-b", "a_", "_a", "1a", " a", strings.Repeat("a", 33), keyfob.OwnSpace} {
		refused("POST", "/v1/spaces", `{"name":"fresh","prefix":"`+prefix+`"}`, "prefix")
		refused("PATCH", "/v1/spaces/acme", `{"revision":1,"prefix":"`+prefix+`"}`, "prefix")
	}
	refused("POST", keys, `{"subject":""}`, "subject")
	refused("POST", keys, `{"subject":"`+strings.Repeat("a", 10_000)+`"}`, "subject")
	refused("POST", keys, `{"subject":"a","scopes":["a b"]}`, "scopes")
	refused("POST", keys, `{"subject":"a","scopes":["a","a"]}`, "scopes")
	refused("POST", keys+"/search", `{"states":["expired"]}`, "states")
	policies(refused, keys, id)
	filters(refused, keys)
	for _, kind := range []string{"", "link", "APIKEY", "apikeys", "password"} {
		refused("POST", "/v1/spaces/acme/verify", `{"token":"x","kind":"`+kind+`"}`, "kind")
	}
	e.want(e.ask(e.owner, "POST", "/v1/spaces/acme/verify", `{"token":"x","kind":"apikey"}`), 200, "")
	cursors(e, refused)
	for path, status := range map[string]int{
		"/v1/spaces/nowhere/apikeys/search": 404, "/v1/spaces/nowhere/verify": 400, "/v1/spaces/" + strings.Repeat("a", 5000) + "/apikeys/search": 404,
	} {
		if a := e.ask(e.owner, "POST", path, `{}`); a.status != status {
			t.Errorf("%.60s: %v", path, a)
		}
	}
}

// policies are wrong values of what may be changed of a key, when it is issued
// and afterwards.
func policies(refused func(method, path, body, field string), keys, id string) {
	both := func(field, value string) {
		refused("POST", keys, `{"subject":"a","`+field+`":`+value+`}`, field)
		refused("PATCH", keys+"/"+id, `{"revision":1,"`+field+`":`+value+`}`, field)
	}
	for _, cidr := range []string{
		"", "x", "192.0.2.7", "192.0.2.7/24", "192.0.2.0/33", "192.0.2.0/024", "192.0.2/24", "192.0.2.0 /24", "::ffff:192.0.2.0/120",
		"2001:db8::1", "2001:DB8::/32", "2001:db8:0::/32", "2001:db8::/129", "fe80::%eth0/64", "192.0.2.0/24,198.51.100.0/24", "0.0.0.0/-1",
	} {
		both("cidrs", `["`+cidr+`"]`)
	}
	both("cidrs", `["192.0.2.0/24","192.0.2.0/24"]`)
	both("cidrs", `["10.0.0.0/8"`+strings.Repeat(`,"192.0.2.0/24"`, 64)+`]`)
	for _, uses := range []string{"0", "-1", "-9223372036854775808", "9223372036854775808"} {
		both("uses", uses)
	}
	for _, at := range []string{"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.0009Z", "0001-01-01T01:00:00+01:00", "9999-12-31T23:59:59-00:01"} {
		both("not_before", `"`+at+`"`)
		both("expires_at", `"`+at+`"`)
	}
	both("not_before", `"2999-01-02T00:00:00Z","expires_at":"2999-01-01T00:00:00Z"`)
	both("not_before", `"2999-01-01T00:00:00.0009Z","expires_at":"2999-01-01T00:00:00Z"`)
	for _, scope := range []string{"", "a b", `a\"b`, `a\\b`, "é", strings.Repeat("a", 129)} {
		both("scopes", `["`+scope+`"]`)
	}
	both("scopes", `["a","a"]`)
	both("name", `"`+strings.Repeat("a", 257)+`"`)
	refused("PATCH", keys+"/"+id, `{"revision":1}`, "")
	refused("PATCH", keys+"/"+id, `{"name":"x"}`, "revision")
	refused("PATCH", keys+"/"+id, `{"revision":1,"subject":"bob"}`, "subject")
	refused("POST", keys+"/"+id+"/suspend", `{"reason":"`+strings.Repeat("a", 513)+`"}`, "reason")
	for _, at := range []string{"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.0009Z", "2999-01-01T00:00:00Z", "9999-12-31T23:59:59Z"} {
		refused("POST", keys+"/purge", `{"ended_before":"`+at+`"}`, "ended_before")
	}
}

// filters are wrong values of what narrows a list or a check.
func filters(refused func(method, path, body, field string), keys string) {
	for _, field := range []string{"subject", "name_contains", "scope"} {
		refused("POST", keys+"/search", `{"`+field+`":""}`, field)
	}
	refused("POST", keys+"/search", `{"scope":"a b"}`, "scope")
	refused("POST", keys+"/search", `{"expires_before":"0001-01-01T00:00:00Z"}`, "expires_before")
	refused("POST", keys+"/search", `{"expires_before":"0001-01-01T00:00:00.0009Z"}`, "expires_before")
	refused("POST", keys+"/search", `{"states":["not_yet"]}`, "states")
	for _, ip := range []string{"", "x", "192.0.2.7/32", "192.0.2.07", "192.0.2", "192.0.2.7:80", "[2001:db8::7]", "fe80::1%eth0", " 192.0.2.7", "192.0.2.7, 10.0.0.1"} {
		refused("POST", "/v1/spaces/acme/verify", `{"token":"x","ip":"`+ip+`"}`, "ip")
	}
}

// cursors tampers with one.
func cursors(e *env, refused func(method, path, body, field string)) {
	e.key("acme")
	first := e.ask(e.owner, "POST", "/v1/spaces/acme/apikeys/search", `{"limit":1}`)
	next := first.json["next"].(string)
	flipped := []byte(next)
	flipped[10] ^= 1
	for _, after := range []string{string(flipped), next[:len(next)-1], next + "A", next + "=", "x", "%00", strings.Repeat("A", 5000)} {
		refused("POST", "/v1/spaces/acme/apikeys/search", `{"after":"`+after+`"}`, "after")
	}
	refused("POST", "/v1/spaces/acme/apikeys/search", `{"subject":"bob","after":"`+next+`"}`, "after")
	refused("POST", "/v1/spaces/acme/apikeys/search", `{"states":["active"],"after":"`+next+`"}`, "after")
	refused("POST", "/v1/spaces/default/apikeys/search", `{"after":"`+next+`"}`, "after")
	e.want(e.ask(e.owner, "POST", "/v1/spaces/acme/apikeys/search", `{"after":"`+next+`"}`), 200, "")
}

func TestQueries(t *testing.T) {
	e := newEnv(t, Limits{})
	for _, query := range []string{
		"?x=1", "?limit=1&limit=2", "?Limit=1", "?limit=", "?limit=+1", "?limit=01", "?limit=1.0", "?limit=%31%30%30%31", "?limit=a",
		"?after=A", "?after=a%00", "?after=a%2Fb", "?after=" + strings.Repeat("a", 64), "?after=%ff", "?after=%zz", "?a;b", "?;", "?&&x", "?=1",
		"?token=x", "?access_token=x",
	} {
		e.want(e.ask(e.owner, "GET", "/v1/spaces"+query, nil), 400, "input")
		e.want(e.ask(e.owner, "GET", "/v1/spaces/acme"+query, nil), 400, "input")
	}
	for _, query := range []string{"limit=1&limit=1", "limit=1&after=&limit=2"} {
		if a := e.want(e.ask(e.owner, "GET", "/v1/spaces?"+query, nil), 400, "input"); a.field() != "limit" || !strings.Contains(a.detail(), "twice") {
			t.Errorf("%s: %v", query, a)
		}
	}
	for query, field := range map[string]string{
		"limit=0": "limit", "limit=1001": "limit", "limit=x": "limit", "after=x": "after", "after=" + strings.Repeat("A", 64): "after", "credential=": "credential", "credential=short": "credential",
		"type=": "type", "type=a%00": "type", "order=": "order", "order=Newest": "order", "order=newest&order=newest": "order", "subject=alice": "",
	} {
		if a := e.want(e.ask(e.owner, "GET", "/v1/spaces/acme/events?"+query, nil), 400, "input"); a.field() != field {
			t.Errorf("%s: %v", query, a)
		}
	}
	e.want(e.ask(e.owner, "POST", "/v1/spaces/acme/verify?token=x", `{"token":"x"}`), 400, "input")
	e.want(e.ask(e.owner, "GET", "/v1/spaces?", nil), 200, "")
	e.want(e.ask(e.owner, "GET", "/v1/spaces?limit=%31&after=", nil), 200, "")
}

func TestMediaTypes(t *testing.T) {
	e := newEnv(t, Limits{})
	ask := func(edit func(http.Header)) *answer {
		return e.ask(e.owner, "POST", "/v1/spaces/acme/verify", `{"token":"x"}`, func(r *http.Request) { edit(r.Header) })
	}
	for _, good := range []string{"application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8", `application/json; charset="utf-8"`} {
		e.want(ask(func(h http.Header) { h.Set("Content-Type", good) }), 200, "")
	}
	for _, bad := range []string{
		"", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=iso-8859-1", "application/json; charset=utf-16",
		"application/json; v=1", "application/json; charset=utf-8; v=1", "application/problem+json", "application/jsonx", "json", ";", "*/*", "application/json, text/plain",
	} {
		a := e.want(ask(func(h http.Header) { h.Set("Content-Type", bad) }), 415, "media-type")
		if a.header.Get("Accept") != "application/json" {
			t.Errorf("%s: %v", bad, a.header)
		}
	}
	e.want(ask(func(h http.Header) { h.Del("Content-Type") }), 415, "media-type")
	e.want(ask(func(h http.Header) { h.Add("Content-Type", "application/json") }), 415, "media-type")
	for _, encoding := range []string{"gzip", "br", "identity, gzip", "", "x"} {
		a := e.want(ask(func(h http.Header) { h.Set("Content-Encoding", encoding) }), 415, "media-type")
		if a.header.Get("Accept-Encoding") != "identity" {
			t.Errorf("%s: %v", encoding, a.header)
		}
	}
	e.want(ask(func(h http.Header) { h.Set("Content-Encoding", "identity") }), 200, "")
	a := e.want(ask(func(h http.Header) { h.Set("Idempotency-Key", "0123456789abcdef") }), 400, "input")
	if !strings.Contains(a.detail(), "Idempotency-Key") {
		t.Errorf("%v", a)
	}
	e.want(e.ask(e.owner, "GET", "/v1/spaces", "{}"), 400, "input")
}

func TestBodyLimit(t *testing.T) {
	e := newEnv(t, Limits{})
	body := func(size int) []byte {
		b := []byte(`{"token":"x"}`)
		return append(b, bytes.Repeat([]byte(" "), size-len(b))...)
	}
	for _, chunked := range []func(*http.Request){func(*http.Request) {}, func(r *http.Request) { r.ContentLength = -1 }} {
		e.want(e.ask(e.owner, "POST", "/v1/spaces/acme/verify", body(64<<10), chunked), 200, "")
		e.want(e.ask(e.owner, "POST", "/v1/spaces/acme/verify", body(64<<10+1), chunked), 413, "body-too-large")
		e.want(e.ask(e.owner, "POST", "/v1/spaces/acme/verify", body(200<<10), chunked), 413, "body-too-large")
	}
	// Of a caller who may not ask, the body is not looked at.
	e.want(e.ask("", "POST", "/v1/spaces/acme/verify", body(200<<10)), 401, "unauthenticated")
	e.want(e.ask(e.callerKey(), "POST", "/v1/spaces/acme/verify", `{`), 403, "forbidden")
}
