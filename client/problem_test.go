package client_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/client"
	"github.com/keyfob-dev/keyfob/store/memory"
	keyed "github.com/keyfob-dev/keyfob/token"
)

func parse(t *testing.T, path string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// A kind is a type of problem, as the server declares it.
type kind struct {
	name   string
	status int
}

// serverKinds reads the server's types of problem, by the name of their variable.
func serverKinds(t *testing.T) map[string]kind {
	t.Helper()
	kinds := map[string]kind{}
	ast.Inspect(parse(t, "../server/problem.go"), func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, value := range spec.Values {
			ref, ok := value.(*ast.UnaryExpr)
			if !ok {
				continue
			}
			literal, ok := ref.X.(*ast.CompositeLit)
			if !ok || fmt.Sprint(literal.Type) != "kind" {
				continue
			}
			var k kind
			for _, element := range literal.Elts {
				pair := element.(*ast.KeyValueExpr)
				switch text, ok := pair.Value.(*ast.BasicLit); {
				case ok && fmt.Sprint(pair.Key) == "name":
					k.name, _ = strconv.Unquote(text.Value)
				case ok && fmt.Sprint(pair.Key) == "status":
					k.status, _ = strconv.Atoi(text.Value)
				}
			}
			kinds[spec.Names[i].Name] = k
		}
		return true
	})
	return kinds
}

// rows reads a table whose rows are pairs, the first of them a name of a package.
func rows(t *testing.T, path, variable string) (pairs [][2]string) {
	t.Helper()
	ast.Inspect(parse(t, path), func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Names[0].Name != variable {
			return true
		}
		for _, row := range spec.Values[0].(*ast.CompositeLit).Elts {
			var pair [2]string
			for i, e := range row.(*ast.CompositeLit).Elts {
				switch e := e.(type) {
				case *ast.SelectorExpr:
					pair[i] = fmt.Sprint(e.X) + "." + e.Sel.Name
				case *ast.Ident:
					pair[i] = e.Name
				case *ast.BasicLit:
					pair[i], _ = strconv.Unquote(e.Value)
				}
			}
			pairs = append(pairs, pair)
		}
		return false
	})
	return pairs
}

// TestKnowsEveryProblem holds the Client to the server's tables: each type of
// problem stands for an error here, and the one that it was made of there.
func TestKnowsEveryProblem(t *testing.T) {
	named := map[string]error{
		"keyfob.ErrInput": keyfob.ErrInput, "keyfob.ErrSpace": keyfob.ErrSpace, "keyfob.ErrNotFound": keyfob.ErrNotFound,
		"keyfob.ErrExists": keyfob.ErrExists, "keyfob.ErrConflict": keyfob.ErrConflict, "keyfob.ErrUnavailable": keyfob.ErrUnavailable,
		"keyfob.ErrKeyReused": keyfob.ErrKeyReused, "keyfob.ErrTooSoon": keyfob.ErrTooSoon,
		"context.DeadlineExceeded": keyfob.ErrUnavailable, "context.Canceled": keyfob.ErrUnavailable,
	}
	kinds := serverKinds(t)
	if len(kinds) < 15 {
		t.Fatalf("only %d types of problem were found: %v", len(kinds), kinds)
	}
	e := newEnv(t, memory.Open())
	answerOf := func(k kind) error {
		c := e.client(client.Config{Retries: -1, Transport: canned(k.status, "application/problem+json", problem(k, "subject is wrong; give another", "subject"))})
		_, err := c.Get(e.Context(), "0000000000000000")
		return err
	}
	known := client.Problems()
	for variable, k := range kinds {
		want, ok := known[k.name]
		if !ok {
			t.Errorf("the server's problem %s (%s) is not in problems", k.name, variable)
			continue
		}
		err := answerOf(k)
		if !errors.Is(err, want) || errors.Is(err, keyfob.ErrInvalid) || !strings.Contains(err.Error(), "is wrong; give another") {
			t.Errorf("%s is %v, want %v", k.name, err, want)
		}
		if want != keyfob.ErrInput && !strings.Contains(err.Error(), "(request 4nB7vQ2xK9mT0cWd)") {
			t.Errorf("%s does not say which request: %v", k.name, err)
		}
		delete(known, k.name)
	}
	for name := range known {
		t.Errorf("problems has %s, and the server has not", name)
	}
	table := rows(t, "../server/problem.go", "kinds")
	if len(table) < 6 {
		t.Fatalf("only the rows %v were found", table)
	}
	for _, row := range table {
		want, ok := named[row[0]]
		if !ok {
			t.Errorf("the server answers %s, which this test does not know", row[0])
			continue
		}
		err := answerOf(kinds[row[1]])
		if !errors.Is(err, want) {
			t.Errorf("%s comes back as %v", row[0], err)
		}
		if want == keyfob.ErrNotFound && errors.Is(err, keyfob.ErrSpace) {
			t.Errorf("%s comes back as a missing space", row[0])
		}
	}
}

// TestKnowsEveryReason does the same for the root package's reasons.
func TestKnowsEveryReason(t *testing.T) {
	known := client.Reasons()
	table := rows(t, "../errors.go", "reasons")
	if len(table) < 11 {
		t.Fatalf("only the rows %v were found", table)
	}
	e := newEnv(t, memory.Open())
	text := e.key(keyfob.APIKey{}).Secret.Reveal()
	for _, row := range table {
		reason := row[1]
		c := e.client(client.Config{Transport: canned(200, "application/json", `{"valid":false,"reason":"`+reason+`","staleness_ms":7}`)})
		_, err := c.Verify(e.Context(), text, keyfob.Check{})
		if !errors.Is(err, keyfob.ErrInvalid) || keyfob.Reason(err) != reason || !errors.Is(err, known[reason]) {
			t.Errorf("%s is %v, whose reason is %q", reason, err, keyfob.Reason(err))
		}
	}
	if len(known) != len(table) {
		t.Errorf("%d reasons are known, and there are %d", len(known), len(table))
	}
	c := e.client(client.Config{Transport: canned(200, "application/json", `{"valid":false,"reason":"locked\u001b","staleness_ms":0}`)})
	if _, err := c.Verify(e.Context(), text, keyfob.Check{}); !errors.Is(err, keyfob.ErrInvalid) || err.Error() != "invalid: locked " {
		t.Errorf("a reason of a later version: %v", err)
	}
}

func problem(k kind, detail, field string) string {
	return fmt.Sprintf(`{"type":"urn:keyfob:problem:%s","title":"t","status":%d,"detail":%q,"instance":"urn:keyfob:request:4nB7vQ2xK9mT0cWd","field":%q}`,
		k.name, k.status, detail, field)
}

// canned is a transport with one answer.
func canned(status int, contentType, body string) answers {
	return func(*http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		io.WriteString(w, body)
		return w.Result(), nil
	}
}

// TestForeignAnswers: what is no answer of the API decides nothing.
func TestForeignAnswers(t *testing.T) {
	e := newEnv(t, memory.Open())
	k := e.key(keyfob.APIKey{Scopes: []string{"read"}})
	text, id := k.Secret.Reveal(), k.Credential.Versions[0].ID
	const jsonType, problemType = "application/json", "application/problem+json"
	verdict := func(credential string) string {
		return `{"valid":true,"reason":"ok","staleness_ms":0,"credential":` + credential + `}`
	}
	good := `{"id":"0000000000000000","space":"default","kind":"apikey","subject":"alice","name":"","scopes":["read"],"attributes":{},"cidrs":[],
		"state":"active","revision":1,"created_at":"2030-01-02T03:04:05.678Z","versions":[{"id":"` + id + `","number":1,"prefix":"default","state":"active","created_at":"2030-01-02T03:04:05.678Z"}]}`
	check := keyfob.Check{Scopes: []string{"read"}}
	ask := func(a answers) error {
		c := e.client(client.Config{Transport: a, Retries: -1})
		v, err := c.Judge(e.Context(), text, check)
		if err != nil && v.Credential.ID != "" {
			t.Errorf("%v, and %+v", err, v)
		}
		return err
	}
	if err := ask(canned(200, "application/json; charset=utf-8", verdict(good))); err != nil {
		t.Fatalf("the good answer: %v", err)
	}
	other := strings.NewReplacer
	for name, test := range map[string]struct {
		answer answers
		want   error
	}{
		"another token's":        {canned(200, jsonType, verdict(other(id, "0123456789abcdef").Replace(good))), client.ErrServer},
		"another space's":        {canned(200, jsonType, verdict(other(`"default","kind`, `"acme","kind`).Replace(good))), client.ErrServer},
		"of another kind":        {canned(200, jsonType, verdict(other(`"apikey"`, `"session"`).Replace(good))), client.ErrServer},
		"without the scope":      {canned(200, jsonType, verdict(other(`["read"]`, `["write"]`).Replace(good))), client.ErrServer},
		"with a broken network":  {canned(200, jsonType, verdict(other(`"cidrs":[]`, `"cidrs":["x"]`).Replace(good))), client.ErrServer},
		"without versions":       {canned(200, jsonType, verdict(good[:strings.Index(good, `"versions"`)]+`"versions":[]}`)), client.ErrServer},
		"valid without anybody":  {canned(200, jsonType, `{"valid":true,"reason":"ok","staleness_ms":0}`), client.ErrServer},
		"valid with a reason":    {canned(200, jsonType, other(`"ok"`, `"expired"`).Replace(verdict(good))), client.ErrServer},
		"not valid, and ok":      {canned(200, jsonType, `{"valid":false,"reason":"ok","staleness_ms":0}`), client.ErrServer},
		"not valid, and a key":   {canned(200, jsonType, other(`"valid":true,"reason":"ok"`, `"valid":false,"reason":"expired"`).Replace(verdict(good))), client.ErrServer},
		"no reason":              {canned(200, jsonType, `{"valid":false,"reason":"","staleness_ms":0}`), client.ErrServer},
		"from the future":        {canned(200, jsonType, other(`"staleness_ms":0`, `"staleness_ms":-1`).Replace(verdict(good))), client.ErrServer},
		"far too old":            {canned(200, jsonType, other(`"staleness_ms":0`, `"staleness_ms":9223372036854775807`).Replace(verdict(good))), client.ErrServer},
		"a meter below nothing":  {canned(200, jsonType, `{"valid":false,"reason":"rate_limited","staleness_ms":0,"limit":{"rate":1,"per":1,"burst":1,"remaining":-1,"reset":1,"retry":1}}`), client.ErrServer},
		"a meter of centuries":   {canned(200, jsonType, `{"valid":false,"reason":"rate_limited","staleness_ms":0,"limit":{"rate":1,"per":1,"burst":1,"remaining":1,"reset":9223372037,"retry":1}}`), client.ErrServer},
		"to wait for centuries":  {canned(200, jsonType, `{"valid":false,"reason":"rate_limited","staleness_ms":0,"limit":{"rate":1,"per":1,"burst":1,"remaining":1,"reset":1,"retry":9223372037}}`), client.ErrServer},
		"with two versions":      {canned(200, jsonType, verdict(other(`}]}`, `},{"id":"0123456789abcdef","number":2,"prefix":"default","state":"active","created_at":"2030-01-02T03:04:05.678Z"}]}`).Replace(good))), client.ErrServer},
		"no JSON":                {canned(200, jsonType, `{"valid":true`), client.ErrServer},
		"something after":        {canned(200, jsonType, verdict(good)+`{}`), client.ErrServer},
		"empty":                  {canned(200, jsonType, ``), client.ErrServer},
		"HTML":                   {canned(200, "text/html", verdict(good)), client.ErrServer},
		"another status":         {canned(201, jsonType, verdict(good)), client.ErrServer},
		"too large":              {canned(200, jsonType, strings.Repeat(" ", 1<<20)+verdict(good)), client.ErrServer},
		"a gateway's 502":        {canned(502, "text/html", "bad gateway"), keyfob.ErrUnavailable},
		"a gateway's 503":        {canned(503, "", ""), keyfob.ErrUnavailable},
		"a gateway's 504":        {canned(504, "text/plain", ""), keyfob.ErrUnavailable},
		"a gateway's 429":        {canned(429, "application/json", "{}"), keyfob.ErrUnavailable},
		"another API's, of ours": {canned(404, problemType, `{"type":"conflict","title":"t","status":404,"detail":"d","instance":"i"}`), client.ErrServer},
		"another API's problem":  {canned(404, problemType, `{"type":"about:blank","title":"t","status":404,"detail":"d","instance":"i"}`), client.ErrServer},
		"a problem with no form": {canned(404, problemType, `[]`), client.ErrServer},
		"a problem of a 200":     {canned(200, problemType, problem(kind{"not-found", 200}, "d", "")), client.ErrServer},
		"two statuses":           {canned(404, problemType, problem(kind{"not-found", 409}, "d", "")), client.ErrServer},
		"a later version's":      {canned(451, problemType, problem(kind{"new", 451}, "d", "")), client.ErrServer},
		"a later version's 503":  {canned(503, problemType, problem(kind{"new", 503}, "d", "")), keyfob.ErrUnavailable},
	} {
		if err := ask(test.answer); !errors.Is(err, test.want) || errors.Is(err, keyfob.ErrInvalid) || strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTooLarge: an answer is not read to its end, whatever it takes.
func TestTooLarge(t *testing.T) {
	e := newEnv(t, memory.Open())
	endless := answers(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(endless{})}, nil
	})
	_, err := e.client(client.Config{Transport: endless}).Get(e.Context(), "0000000000000000")
	if !errors.Is(err, client.ErrServer) || !strings.Contains(err.Error(), "more than 1048576 bytes") {
		t.Errorf("got %v", err)
	}
}

// endless is a body of spaces.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

// TestInputErrors: the field is parted from what is wrong with it.
func TestInputErrors(t *testing.T) {
	e := newEnv(t, memory.Open())
	for _, test := range []struct{ kind, detail, field, want string }{
		{"input", "subject is empty; it needs at least one character", "subject", "subject"},
		{"input", "attributes.plan has 2000 bytes", "attributes.plan", "attributes.plan"},
		{"input", "query is not well-formed", "", "query"},
		{"body-too-large", "the body has more than 9 bytes, which is the most that is read", "", "body"},
	} {
		text := problem(kind{test.kind, 400}, test.detail, test.field)
		if test.field == "" {
			text = strings.Replace(text, `,"field":""`, "", 1)
		}
		_, err := e.client(client.Config{Transport: canned(400, "application/problem+json", text)}).Get(e.Context(), "0000000000000000")
		input, ok := errors.AsType[*keyfob.InputError](err)
		if !ok || input.Field != test.want || !strings.HasSuffix(test.detail, input.Field+" "+input.Problem) {
			t.Errorf("%q: %#v", test.detail, err)
		}
	}
}

// FuzzVerdict: whatever answers, a token is accepted only by an answer on it, and
// no error repeats it.
func FuzzVerdict(f *testing.F) {
	text := keyed.New("default").Reveal()
	f.Add(200, "application/json", `{"valid":true,"reason":"ok","staleness_ms":0}`)
	f.Add(200, "application/json", `{"valid":false,"reason":"expired","staleness_ms":0,"valid":true}`)
	f.Add(503, "application/problem+json", `{"type":"urn:keyfob:problem:busy","title":"","status":503,"detail":"","instance":""}`)
	f.Add(400, "application/problem+json", `{"type":"urn:keyfob:problem:input","title":"","status":400,"detail":"the ","instance":""}`)
	f.Add(302, "text/html", "")
	f.Fuzz(func(t *testing.T, status int, contentType, body string) {
		if status < 200 || status > 999 {
			return
		}
		c, err := client.New(client.Config{
			URL: "http://127.0.0.1", Token: keyfob.NewSecret(text), Retries: -1,
			Transport: answers(func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(strings.NewReader(body))}, nil
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		v, err := c.Judge(t.Context(), text, keyfob.Check{})
		if err == nil && (v.Credential.Versions[0].ID != text[8:24] || !strings.Contains(body, text[8:24])) {
			t.Errorf("accepted by %q", body)
		}
		if err != nil && (strings.Contains(err.Error(), text) || strings.ContainsAny(err.Error(), "\n\x1b")) {
			t.Errorf("the error %q", err)
		}
	})
}
