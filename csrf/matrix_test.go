package csrf_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/csrf"
)

// What one of the headers says of where a request comes from.
type word int

const (
	right word = iota
	absent
	wrong
)

var sites = []struct {
	values []string
	says   word
}{
	{[]string{"same-origin"}, right},
	{[]string{"none"}, right},
	{nil, absent},
	{[]string{"same-site"}, wrong},
	{[]string{"cross-site"}, wrong},
	{[]string{""}, wrong},
	{[]string{"Same-Origin"}, wrong},
	{[]string{"same-origin "}, wrong},
	{[]string{"same-origin, same-origin"}, wrong},
	{[]string{"same-origin;x"}, wrong},
	{[]string{"user"}, wrong},
	{[]string{"same-origin", "same-origin"}, wrong},
	{[]string{"same-origin", "cross-site"}, wrong},
	{[]string{"none", "none"}, wrong},
}

// origins of requests to https://app.example.
var origins = []struct {
	values []string
	says   word
}{
	{[]string{"https://app.example"}, right},
	{nil, absent},
	{[]string{"null"}, wrong},
	{[]string{""}, wrong},
	{[]string{"http://app.example"}, wrong}, // the scheme was downgraded
	{[]string{"ftp://app.example"}, wrong},
	{[]string{"app.example"}, wrong},
	{[]string{"//app.example"}, wrong},
	{[]string{"https://evil.example"}, wrong},
	{[]string{"https://sub.app.example"}, wrong},
	{[]string{"https://example"}, wrong},
	{[]string{"https://app.example.evil.example"}, wrong},
	{[]string{"https://app.examplee"}, wrong},
	{[]string{"https://app.example:443"}, wrong},
	{[]string{"https://app.example:8443"}, wrong},
	{[]string{"https://app.example:"}, wrong},
	{[]string{"https://app.example."}, wrong},
	{[]string{"https://APP.example"}, wrong},
	{[]string{"HTTPS://app.example"}, wrong},
	{[]string{"https://app.example/"}, wrong},
	{[]string{"https://app.example/form"}, wrong},
	{[]string{"https://app.example?"}, wrong},
	{[]string{"https://app.example#"}, wrong},
	{[]string{"https://evil@app.example"}, wrong},
	{[]string{"https://app.example@evil.example"}, wrong},
	{[]string{"https://:@app.example"}, wrong},
	{[]string{"https:app.example"}, wrong},
	{[]string{"https:/app.example"}, wrong},
	{[]string{"https:///app.example"}, wrong},
	{[]string{`https:\\app.example`}, wrong},
	{[]string{" https://app.example"}, wrong},
	{[]string{"https://app.example "}, wrong},
	{[]string{"https://app.example https://app.example"}, wrong},
	{[]string{"https://app%2eexample"}, wrong},
	{[]string{"https://app.example\x00"}, wrong},
	{[]string{"https://app.example", "https://app.example"}, wrong},
	{[]string{"https://app.example", "https://evil.example"}, wrong},
}

// Methods, and whether ParseForm reads their bodies.
var protected = map[string]bool{
	"POST": true, "PUT": true, "PATCH": true,
	"DELETE": false, "TRACE": false, "CONNECT": false, "QUERY": false, "PROPFIND": false, "get": false, "Head": false, "GET ": false, "": false,
}

// A presented token, in the places where it stands.
type presented struct {
	name                 string
	header, field, query []string
	want                 error // nil: it is right
}

// tokens are all that a browser, here of the session s1, can be made to present.
func tokens(t *testing.T, a *app) []presented {
	old := newApp(t, csrf.Protection{}).visit(t, browser{session: "s1"}).token // of another key
	a.now = start.Add(-12 * time.Hour)
	expired := a.visit(t, browser{session: "s1"}).token
	a.now = start.Add(time.Minute)
	future := a.visit(t, browser{session: "s1"}).token
	a.now = start
	good := a.visit(t, browser{session: "s1"}).token
	another := a.visit(t, browser{session: "s1"}).token
	others := a.visit(t, browser{session: "s2"}).token
	presession := a.visit(t, browser{}).token
	list := func(text ...string) []string { return text }
	all := []presented{
		{name: "none", want: csrf.ErrNoToken},
		{name: "right in the query", query: list(good), want: csrf.ErrNoToken},
		{name: "right in the header", header: list(good)},
		{name: "right in the field", field: list(good)},
		{name: "right in both", header: list(good), field: list(another)},
		{name: "right in header and query", header: list(good), query: list("x")},
		{name: "right in field, another's in the query", field: list(good), query: list(others)},
		{name: "right in the header, another's in the field", header: list(good), field: list(others)}, // the body is left alone
		{name: "another's in the header, right in the field", header: list(others), field: list(good), want: csrf.ErrMismatch},
		{name: "twice in the header", header: list(good, good), want: csrf.ErrMalformed},
		{name: "right and another's in the header", header: list(good, others), want: csrf.ErrMalformed},
		{name: "twice in the field", field: list(good, good), want: csrf.ErrMalformed},
		{name: "empty header, right in the field", header: list(""), field: list(good), want: csrf.ErrMalformed},
	}
	for _, bad := range []struct {
		name, token string
		want        error
	}{
		{"another session's", others, csrf.ErrMismatch},
		{"a pre-session's", presession, csrf.ErrMismatch},
		{"of another key", old, csrf.ErrMismatch},
		{"expired", expired, csrf.ErrExpired},
		{"future", future, csrf.ErrFuture},
		{"empty", "", csrf.ErrMalformed},
		{"short", good[:71], csrf.ErrMalformed},
		{"long", good + "A", csrf.ErrMalformed},
		{"the id alone", "s1", csrf.ErrMalformed},
	} {
		all = append(all,
			presented{name: bad.name + " in the header", header: list(bad.token), want: bad.want},
			presented{name: bad.name + " in the field", field: list(bad.token), want: bad.want})
	}
	return all
}

// expected is the cause of a refusal, as the tables above have it.
func expected(method string, site, origin word, p presented) error {
	switch {
	case method == "GET" || method == "HEAD" || method == "OPTIONS":
		return nil
	case site == wrong || origin == wrong || site == absent && origin == absent:
		return csrf.ErrCrossOrigin
	case p.header == nil && p.field != nil && !protected[method]:
		return csrf.ErrNoToken // no browser sends a form by this method
	}
	return p.want
}

// Each value of each header, with each method and each token.
func TestMatrix(t *testing.T) {
	a := newApp(t, csrf.Protection{})
	all := tokens(t, a)
	methods := []string{"GET", "HEAD", "OPTIONS"}
	for m := range protected {
		methods = append(methods, m)
	}
	combinations, passed := 0, 0
	for _, method := range methods {
		for _, p := range all {
			r := p.request(method)
			for _, site := range sites {
				for _, origin := range origins {
					r.Body = io.NopCloser(strings.NewReader(p.form()))
					r.Header["Sec-Fetch-Site"], r.Header["Origin"] = site.values, origin.values
					a.send(r)
					want := expected(method, site.says, origin.says, p)
					combinations++
					if want == nil {
						passed++
					}
					if (a.passed != nil) != (want == nil) || !errors.Is(a.err, want) {
						t.Errorf("%q, Sec-Fetch-Site %q, Origin %q, token %s: %v, want %v", method, site.values, origin.values, p.name, a.err, want)
					}
				}
			}
		}
	}
	// Of protected requests with tokens few pass.
	if combinations < 200_000 || passed > combinations/4 {
		t.Errorf("%d combinations, of which %d pass", combinations, passed)
	}
	t.Logf("%d combinations, of which %d pass", combinations, passed)
}

// request is a request of the session s1 with this token, but for the body.
func (p presented) request(method string) *http.Request {
	r := browser{session: "s1"}.request(method, "/?"+fields(p.query), nil)
	r.Header.Set("Content-Type", urlencoded)
	if p.header != nil {
		r.Header["X-Csrf-Token"] = p.header
	}
	return r
}

// form is the body of the request.
func (p presented) form() string { return fields(p.field) + "name=alice" }

func fields(tokens []string) string {
	text := ""
	for _, token := range tokens {
		text += "csrf_token=" + token + "&"
	}
	return text
}
