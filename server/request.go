package server

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
	"github.com/keyfob-dev/keyfob/internal/strictjson"
)

// methods are those that some route has, or could have. Any other text in the
// method's place is not repeated, since it may be anything.
var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPatch,
	http.MethodPut, http.MethodDelete, http.MethodOptions,
}

func knownMethod(method string) string {
	if slices.Contains(methods, method) {
		return method
	}
	return "other"
}

// routed is the method that a request is routed by: the answer to HEAD is the
// one to GET, whose body net/http leaves out.
func routed(method string) string {
	if method == http.MethodHead {
		return http.MethodGet
	}
	return method
}

// isPlain reports whether a path is spelled as the routes are: with no escapes,
// nothing that needs one, and no empty segment. One spelling for each path means
// that what is authorized is what is looked up, here and in any proxy's rules.
func isPlain(r *http.Request) bool {
	path := r.URL.Path
	if r.URL.RawPath != "" || path == "" || path[0] != '/' || path[len(path)-1] == '/' {
		return false
	}
	for i, b := range []byte(path) {
		letter := 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
		slash := b == '/' && (i == 0 || path[i-1] != '/')
		if !letter && !slash && b != '-' && b != '_' && b != '.' {
			return false
		}
	}
	return true
}

// noRoute says that there is no such route, or none with this method.
func (s *Server) noRoute(r *http.Request) error {
	var allow []string
	for _, method := range methods {
		if s.hasRoute(routed(method), r.URL) {
			allow = append(allow, method)
		}
	}
	if len(allow) == 0 {
		return &refusal{kind: routeNotFound}
	}
	list := strings.Join(allow, ", ")
	return &refusal{kind: methodNotAllowed, detail: "this route has the methods " + list, header: header{"Allow", list}}
}

// checkQuery refuses parameters that a route does not have: what is not
// understood is not ignored, and a token in a URL would be in somebody's log.
func checkQuery(r *http.Request, known []string) error {
	if r.URL.RawQuery == "" {
		return nil
	}
	if len(known) == 0 {
		return &refusal{kind: badInput, detail: "query is not empty; this route has no query parameters"}
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return &refusal{kind: badInput, detail: "query is not well-formed; it is of the form name=value&name=value"}
	}
	for name, given := range values {
		switch {
		case !slices.Contains(known, name):
			return &refusal{kind: badInput, detail: "query has a parameter that is not known here; its parameters are " + strings.Join(known, ", ")}
		case len(given) > 1:
			return &keyfob.InputError{Field: name, Problem: "is given twice; give it once"}
		case name == "limit" && !isInt32(given[0]):
			return &keyfob.InputError{Field: name, Problem: "is not a whole number in range"}
		}
	}
	return nil
}

func isInt32(text string) bool {
	n, err := strconv.ParseInt(text, 10, 32)
	return err == nil && strconv.FormatInt(n, 10) == text
}

// A body is a request's, wholly read. It holds secrets; put clears it.
type body struct {
	bytes.Reader
	text *bytes.Buffer
	from io.LimitedReader // where it is read
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Close is there because a body has it.
func (*body) Close() error { return nil }

func (b *body) put() {
	if b.text == nil {
		return
	}
	b.Reset(nil)
	putBuffer(b.text)
	b.text = nil
}

// mostKept is how large a buffer may be that the pool keeps.
const mostKept = 256 << 10

// putBuffer gives a buffer back to the pool, cleared.
func putBuffer(b *bytes.Buffer) {
	clear(b.Bytes())
	b.Reset()
	if b.Cap() <= mostKept {
		buffers.Put(b)
	}
}

// takeIdempotencyKey hands the request's Idempotency-Key on, if the route takes
// one. Elsewhere it is refused: who sends one relies on it.
func (x *exchange) takeIdempotencyKey(r *http.Request, taken bool) error {
	keys := r.Header["Idempotency-Key"]
	switch {
	case len(keys) == 0:
		return nil
	case !taken:
		return &refusal{kind: badInput, detail: "header Idempotency-Key is not taken here; leave it out: it is for what hands out a secret"}
	case len(keys) > 1:
		return &refusal{kind: badInput, detail: "header Idempotency-Key is there twice; give it once"}
	}
	if err := keyfob.CheckIdempotencyKey(keys[0]); err != nil {
		return &refusal{kind: badInput, detail: "header " + err.Error()}
	}
	x.ctx.Context = keyfob.WithIdempotencyKey(x.ctx.Context, keys[0])
	return nil
}

// readBody reads the body, if the route has one, and holds it to its shape.
func (x *exchange) readBody(r *http.Request, shape strictjson.Shape) error {
	if shape == nil {
		if r.ContentLength != 0 {
			return &refusal{kind: badInput, detail: "body is not empty; this route takes none"}
		}
		return nil
	}
	if err := checkMediaType(r.Header); err != nil {
		return err
	}
	most := x.server.limits.Body
	tooLarge := func() error {
		x.Header().Set("Connection", "close")
		return &refusal{kind: bodyTooLarge, detail: "the body has more than " + strconv.FormatInt(most, 10) + " bytes, which is the most that is read"}
	}
	if r.ContentLength > most {
		return tooLarge()
	}
	x.body.text = buffers.Get().(*bytes.Buffer)
	if r.ContentLength > 0 {
		// What a buffer leaves behind when it grows, nobody clears.
		x.body.text.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	x.body.from = io.LimitedReader{R: r.Body, N: most + 1}
	_, err := x.body.text.ReadFrom(&x.body.from)
	if err != nil {
		return x.badBody(err)
	}
	if int64(x.body.text.Len()) > most {
		return tooLarge()
	}
	// Of a body that was closed, net/http looks for no rest.
	if err := r.Body.Close(); err != nil {
		return x.badBody(err)
	}
	return x.checkBody(x.body.text.Bytes(), shape)
}

// checkBody holds a body to its shape. That of a verification it reads as well.
func (x *exchange) checkBody(text []byte, shape strictjson.Shape) error {
	verify := x.name == oas.VerifyOperation
	if verify && readPlain(text, shape, &x.asked) {
		return nil
	}
	if err := strictjson.Check(text, shape); err != nil {
		if e, ok := errors.AsType[*strictjson.Error](err); ok && e.Field != "body" {
			return &keyfob.InputError{Field: e.Field, Problem: e.Problem}
		}
		return &refusal{kind: badInput, detail: err.Error()}
	}
	if verify {
		x.asked = oas.VerifyRequest{}
		if err := x.asked.UnmarshalJSON(text); err != nil {
			return unreadable
		}
	}
	x.body.Reset(text)
	return nil
}

// badBody says why a body could not be read to its end. There is no next request
// on such a connection.
func (x *exchange) badBody(err error) error {
	x.Header().Set("Connection", "close")
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return &refusal{kind: bodyTimeout}
	}
	return &refusal{kind: badInput, detail: "body ends before its declared end, or is not well-formed as chunks"}
}

// checkMediaType wants JSON in UTF-8, as it is.
func checkMediaType(h http.Header) error {
	wrong := func(detail string) error {
		return &refusal{kind: mediaType, detail: detail}
	}
	for _, encoding := range h["Content-Encoding"] {
		if !strings.EqualFold(encoding, "identity") {
			return &refusal{kind: mediaType, detail: "header Content-Encoding is not identity; send the body as it is", header: header{"Accept-Encoding", "identity"}}
		}
	}
	types := h["Content-Type"]
	if len(types) == 1 && types[0] == "application/json" {
		return nil
	}
	if len(types) != 1 {
		return wrong("header Content-Type is missing, or there are several; it is application/json")
	}
	name, parameters, err := mime.ParseMediaType(types[0])
	if err != nil || name != "application/json" {
		return wrong("header Content-Type is not application/json")
	}
	for parameter, value := range parameters {
		if parameter != "charset" || !strings.EqualFold(value, "utf-8") {
			return wrong("header Content-Type has a parameter other than charset=utf-8; leave it out")
		}
	}
	return nil
}

// oneLine makes text fit for a line of a log: without control characters, which
// could drive a terminal, and of a bounded length.
func oneLine(text string) string {
	const most = 500
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || 0x80 <= r && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text)
}
