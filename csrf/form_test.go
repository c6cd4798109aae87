package csrf_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/csrf"
)

// multipartForm is a form with fields, each a name and a value, and then a file.
func multipartForm(tb testing.TB, file string, fields ...string) (body, contentType string) {
	tb.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(fields); i += 2 {
		if err := w.WriteField(fields[i], fields[i+1]); err != nil {
			tb.Fatal(err)
		}
	}
	part, err := w.CreateFormFile("file", "photo.jpg")
	if err != nil {
		tb.Fatal(err)
	}
	part.Write([]byte(file))
	w.Close()
	return b.String(), w.FormDataContentType()
}

// postBody is a request from an own page, with no token but in its body.
func (b browser) postBody(method, target, contentType, body string) *http.Request {
	r := b.request(method, target, io.NopCloser(strings.NewReader(body)))
	own(r)
	r.Header["Content-Type"] = []string{contentType}
	return r
}

const urlencoded = "application/x-www-form-urlencoded"

// What was read for the field is there for the handler.
func TestFormIsThere(t *testing.T) {
	a := newApp(t, csrf.Protection{})
	b := a.visit(t, browser{session: "s1"})
	got := ""
	a.serve = func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1 << 20); err != nil && !errors.Is(err, http.ErrNotMultipart) {
			t.Error(err)
		}
		got = r.PostForm.Get("name") + " " + r.FormValue("page")
		if f, _, err := r.FormFile("file"); err == nil {
			text, _ := io.ReadAll(f)
			got += " " + string(text[:5])
			if _, onDisk := f.(*os.File); onDisk {
				t.Error("the file is on the disk")
			}
		}
	}
	for _, method := range []string{"POST", "PUT", "PATCH"} {
		for _, contentType := range []string{urlencoded, "application/x-www-form-urlencoded; charset=utf-8", "Application/X-WWW-Form-urlencoded", " application/x-www-form-urlencoded ;charset=utf-8"} {
			a.send(b.postBody(method, "/?page=2", contentType, "csrf_token="+b.token+"&name=alice"))
			if a.err != nil || got != "alice 2" {
				t.Errorf("%s %s: %v, %q", method, contentType, a.err, got)
			}
		}
		body, contentType := multipartForm(t, "photo"+strings.Repeat(".", 1<<20-2000), "csrf_token", b.token, "name", "alice")
		a.send(b.postBody(method, "/?page=2", contentType, body))
		if a.err != nil || got != "alice 2 photo" {
			t.Errorf("%s multipart: %v, %q", method, a.err, got)
		}
	}
}

func TestForms(t *testing.T) {
	a := newApp(t, csrf.Protection{})
	b := a.visit(t, browser{session: "s1"})
	field := "csrf_token=" + b.token
	twice, twiceType := multipartForm(t, "photo", "csrf_token", b.token, "csrf_token", b.token)
	as, asType := multipartForm(t, b.token, "name", "alice")
	as = strings.Replace(as, `name="file"`, `name="csrf_token"`, 1)
	for _, c := range []struct {
		name, method, target, contentType, body string
		want                                    error
	}{
		{"the field", "POST", "/", urlencoded, field, nil},
		{"the field twice", "POST", "/", urlencoded, field + "&" + field, csrf.ErrMalformed},
		{"the field twice in parts", "POST", "/", twiceType, twice, csrf.ErrMalformed},
		{"the token as a file", "POST", "/", asType, as, csrf.ErrNoToken},
		{"no field", "POST", "/", urlencoded, "name=alice", csrf.ErrNoToken},
		{"another case", "POST", "/", urlencoded, "CSRF_TOKEN=" + b.token, csrf.ErrNoToken},
		{"the query", "POST", "/?" + field, urlencoded, "", csrf.ErrNoToken},
		{"the query of parts", "POST", "/?" + field, asType, as, csrf.ErrNoToken},
		{"no body", "POST", "/", "", "", csrf.ErrNoToken},
		{"plain text", "POST", "/", "text/plain", field, csrf.ErrNoToken},
		{"JSON", "POST", "/", "application/json", `{"csrf_token":"` + b.token + `"}`, csrf.ErrNoToken},
		{"no type", "POST", "/", "", field, csrf.ErrNoToken},
		{"a wrong type", "POST", "/", urlencoded + "; =", field, csrf.ErrForm},
		{"a wrong type of parts", "POST", "/", twiceType + "; =", twice, csrf.ErrForm},
		{"a method without forms", "DELETE", "/", urlencoded, field, csrf.ErrNoToken},
		{"a wrong escape", "POST", "/", urlencoded, field + "&name=%zz", csrf.ErrForm},
		{"a semicolon", "POST", "/", urlencoded, field + ";name=alice", csrf.ErrForm},
		{"a wrong query", "POST", "/?name=%zz", urlencoded, field, csrf.ErrForm},
		{"parts without a boundary", "POST", "/", "multipart/form-data", twice, csrf.ErrForm},
		{"parts that end early", "POST", "/", twiceType, twice[:360], csrf.ErrForm},
	} {
		a.send(b.postBody(c.method, c.target, c.contentType, c.body))
		if !errors.Is(a.err, c.want) || (a.passed != nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", c.name, a.err, c.want)
		}
	}
}

// A form has MaxForm bytes at most; larger bodies have their token in the header.
func TestMaxForm(t *testing.T) {
	for maxForm, limit := range map[int64]int{0: 1 << 20, 1000: 1000} {
		a := newApp(t, csrf.Protection{MaxForm: maxForm})
		b := a.visit(t, browser{session: "s1"})
		form := "csrf_token=" + b.token + "&text="
		parts, _ := multipartForm(t, "", "csrf_token", b.token)
		for size, want := range map[int]error{limit - 1: nil, limit: nil, limit + 1: csrf.ErrForm, 2 * limit: csrf.ErrForm} {
			if a.send(b.postBody("POST", "/", urlencoded, form+strings.Repeat("x", size-len(form)))); !errors.Is(a.err, want) || want != nil && !strings.Contains(a.err.Error(), "header X-CSRF-Token") {
				t.Errorf("a form of %d bytes: %v", size, a.err)
			}
			body, contentType := multipartForm(t, strings.Repeat("x", size-len(parts)), "csrf_token", b.token)
			if a.send(b.postBody("POST", "/", contentType, body)); !errors.Is(a.err, want) {
				t.Errorf("parts of %d bytes: %v", len(body), a.err)
			}
		}
		a.serve = func(_ http.ResponseWriter, r *http.Request) {
			if n, err := io.Copy(io.Discard, r.Body); n != int64(10*limit) || err != nil {
				t.Errorf("%d bytes, %v", n, err)
			}
			if r.PostForm != nil || r.MultipartForm != nil {
				t.Error("the body was parsed")
			}
		}
		for _, contentType := range []string{urlencoded, "multipart/form-data; boundary=x", "application/octet-stream"} {
			r := b.postBody("POST", "/", contentType, strings.Repeat("x", 10*limit))
			r.Header.Set("X-CSRF-Token", b.token)
			if a.send(r); a.err != nil {
				t.Error(a.err)
			}
		}
	}
}

// Of a body that does not end no more is read than MaxForm.
func TestEndlessForm(t *testing.T) {
	a := newApp(t, csrf.Protection{MaxForm: 1000})
	b := a.visit(t, browser{session: "s1"})
	body := &endless{}
	r := b.request("POST", "/", body)
	own(r)
	r.Header.Set("Content-Type", urlencoded)
	r.ContentLength = -1
	if a.send(r); !errors.Is(a.err, csrf.ErrForm) || body.read > 10_000 {
		t.Errorf("%v after %d bytes", a.err, body.read)
	}
}

type endless struct{ read int }

func (e *endless) Read(b []byte) (int, error) {
	e.read += len(b)
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

// Where a request is refused for what its headers say, its body is not read.
func TestBodyOfRefused(t *testing.T) {
	a := newApp(t, csrf.Protection{})
	b := a.visit(t, browser{session: "s1"})
	for name, change := range map[string]func(*http.Request){
		"cross-site":   func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"wrong header": func(r *http.Request) { r.Header.Set("X-CSRF-Token", "x") },
	} {
		body := &endless{}
		r := b.request("POST", "/", body)
		own(r)
		r.Header.Set("Content-Type", urlencoded)
		change(r)
		if a.send(r); a.err == nil || body.read != 0 {
			t.Errorf("%s: %v after %d bytes", name, a.err, body.read)
		}
	}
}

// Who parsed the form before, such as a log, does not hide it.
func TestFormThatWasParsed(t *testing.T) {
	a := newApp(t, csrf.Protection{})
	b := a.visit(t, browser{session: "s1"})
	parts, contentType := multipartForm(t, "photo", "csrf_token", b.token)
	for name, before := range map[string]func(*http.Request) error{
		"ParseForm":          (*http.Request).ParseForm,
		"ParseMultipartForm": func(r *http.Request) error { return r.ParseMultipartForm(1 << 20) },
	} {
		for _, r := range []*http.Request{b.postForm("/", ""), b.postBody("POST", "/", contentType, parts)} {
			if err := before(r); err != nil && !errors.Is(err, http.ErrNotMultipart) {
				t.Fatal(err)
			}
			if a.send(r); a.err != nil {
				t.Errorf("after %s: %v", name, a.err)
			}
		}
	}
}

// Header and Field are the application's, and the usual ones are none then.
func TestNames(t *testing.T) {
	a := newApp(t, csrf.Protection{Header: "x-my_token", Field: "my-token"})
	b := a.visit(t, browser{session: "s1"})
	if a.send(b.post("/")); !errors.Is(a.err, csrf.ErrNoToken) {
		t.Error(a.err)
	}
	if a.send(b.postForm("/", "")); !errors.Is(a.err, csrf.ErrNoToken) {
		t.Error(a.err)
	}
	r := b.post("/")
	r.Header.Set("X-My_token", b.token)
	if a.send(r); a.err != nil {
		t.Error(a.err)
	}
	if a.send(b.postBody("POST", "/", urlencoded, "my-token="+b.token)); a.err != nil {
		t.Error(a.err)
	}
	a.serve = func(w http.ResponseWriter, r *http.Request) {
		field, err := a.guard.Field(w, r)
		var token string
		if n, _ := fmt.Sscanf(string(field), `<input type="hidden" name="my-token" value="%72s`, &token); n != 1 || err != nil || !strings.HasSuffix(string(field), token+`">`) {
			t.Errorf("%q, %v", field, err)
		}
		if err := a.Keys[0].Check("session/s1", token, start); err != nil {
			t.Error(err)
		}
	}
	a.send(b.request("GET", "/", nil))
}
