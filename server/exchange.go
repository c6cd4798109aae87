package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
	"github.com/keyfob-dev/keyfob/token"
)

// RequestIDHeader carries the id of a request, which is in the log too.
const RequestIDHeader = "Keyfob-Request-Id"

// Headers of every answer. The slices are shared: nobody writes to them.
var (
	noStore    = []string{"no-store"}
	noSniff    = []string{"nosniff"}
	noReferrer = []string{"no-referrer"}
	jsonType   = []string{"application/json; charset=utf-8"}
)

// slowTimes is how many times Limits.Work a request may take that reads through a
// whole log, and slowAtOnce how many of those are let in.
const (
	slowTimes  = 60
	slowAtOnce = 2
)

// An exchange is one request and its answer: what the handlers know of the
// caller, and what the log tells afterwards. It is the ResponseWriter that
// generated code writes to.
type exchange struct {
	http.ResponseWriter
	server *Server
	work   workContext
	ctx    requestContext
	body   body
	asked  oas.VerifyRequest // the body, where the answer is this server's own

	id     string
	ids    [1]string // the id, as the value of a header
	method string    // one that there is
	client netip.Addr
	start  time.Time

	// What the request was found to be, step by step.
	name   oas.OperationName // empty for a page
	page   *page             // nil for an operation
	route  string            // pattern, never the path
	needs  role
	space  string // name; empty for what is of no single space
	caller *caller

	status int
	kind   *kind  // of the problem that was the answer
	reason string // why the caller's token is not valid
	err    error  // what was behind a status of 500 and up
}

// serve takes a request from its first line to the log.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	x := &exchange{ResponseWriter: w, server: s, id: token.NewID(), method: knownMethod(r.Method), start: time.Now(), route: nowhere}
	x.client = s.clientOf(r)
	defer x.end()
	h := w.Header()
	h["Cache-Control"], h["X-Content-Type-Options"], h["Referrer-Policy"] = noStore, noSniff, noReferrer
	x.ids[0] = x.id
	h[RequestIDHeader] = x.ids[:]
	if len(r.TransferEncoding) > 0 {
		// A Content-Length beside it, by which somebody on the way may have found
		// another end of this request, is gone by now: RFC 9112, section 6.1.
		h.Set("Connection", "close")
	}
	op, err := x.find(r)
	if err != nil {
		x.fail(err)
		return
	}
	if op.needs != anyone {
		if !s.enter() {
			s.metrics.refused()
			x.fail(&refusal{kind: busy})
			return
		}
		defer s.leave()
	}
	x.work.parent, x.work.deadline = r.Context(), time.Now().Add(s.limits.Work)
	defer x.work.end()
	x.ctx = requestContext{&x.work, x}
	defer x.body.put()
	if err := x.admit(r, op); err != nil {
		x.fail(err)
		return
	}
	if x.page != nil {
		x.page.answer(x, r)
		return
	}
	if op.slow {
		done, ok := x.takeTime(r)
		if !ok {
			s.metrics.refused()
			x.fail(&refusal{kind: busy})
			return
		}
		defer done()
	}
	if x.name == oas.VerifyOperation {
		x.answerVerify()
		return
	}
	s.api.ServeHTTP(x, x.request(r))
}

// takeTime gives a request that is admitted slowTimes as long as others, if there
// is a place for it: before, anybody could hold one.
func (x *exchange) takeTime(r *http.Request) (done func(), ok bool) {
	select {
	case x.server.slow <- struct{}{}:
	default:
		return nil, false
	}
	work := x.server.limits.Work * slowTimes
	// Of a ResponseWriter without deadlines there is none to move.
	_ = http.NewResponseController(x.ResponseWriter).SetWriteDeadline(time.Now().Add(work + x.server.limits.Write))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.ctx.Context), work)
	stop := context.AfterFunc(r.Context(), cancel) // when the client has gone, or the server ends
	x.ctx.Context = ctx
	return func() {
		stop()
		cancel()
		<-x.server.slow
	}, true
}

// nowhere is the route of a request for what is not there.
const nowhere = "none"

// find says which operation or page is asked for.
func (x *exchange) find(r *http.Request) (operation, error) {
	if !isPlain(r) {
		return operation{}, &refusal{kind: routeNotFound}
	}
	if p, ok := pages[r.URL.Path]; ok && routed(x.method) == http.MethodGet {
		found := p // which may escape, where p, looked up for each request, does not
		x.page, x.route, x.needs = &found, r.URL.Path, p.needs
		return operation{needs: p.needs}, nil
	}
	route, ok := x.server.api.FindPath(routed(x.method), r.URL)
	if !ok {
		return operation{}, x.server.noRoute(r)
	}
	x.name, x.route = route.Name(), route.PathPattern()
	if args := route.Args(); len(args) > 0 {
		x.space = args[0] // in every pattern, the first parameter
	}
	op, ok := operations[x.name]
	if !ok {
		return operation{}, fmt.Errorf("the operation %s is not in the table of operations", x.name)
	}
	x.needs = op.needs
	return op, nil
}

// admit lets a request through to its handler, or says why not. The order
// matters: of a caller that is not known or may not do this, no body is read.
func (x *exchange) admit(r *http.Request, op operation) error {
	if op.needs != anyone {
		if err := x.authenticate(r); err != nil {
			return err
		}
		if !x.caller.may(op.needs, x.space) {
			return &refusal{kind: forbidden}
		}
		x.ctx.Context = keyfob.WithActor(x.ctx.Context, x.caller.actor)
	}
	if err := checkQuery(r, op.query); err != nil {
		return err
	}
	if err := x.takeIdempotencyKey(r, op.once); err != nil {
		return err
	}
	return x.readBody(r, op.body)
}

// request is the request as the generated code gets it.
func (x *exchange) request(r *http.Request) *http.Request {
	r = r.WithContext(&x.ctx)
	r.Method = routed(x.method)
	if x.body.text != nil {
		r.Body, r.ContentLength = &x.body, int64(x.body.Len())
	}
	return r
}

// WriteHeader notes the status.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 {
		x.status = status
		x.ResponseWriter.WriteHeader(status)
	}
}

// Write writes to the answer.
func (x *exchange) Write(b []byte) (int, error) {
	x.WriteHeader(http.StatusOK)
	return x.ResponseWriter.Write(b)
}

// problem makes the problem that tells of err, and notes it for the log.
func (x *exchange) problem(err error) *oas.ProblemStatusCode {
	k, p := problemOf(err, x.id)
	x.kind = k
	if k.status >= 500 {
		x.err = err
	}
	if h := headerOf(err, k); h.name != "" {
		x.Header().Set(h.name, h.value)
	}
	return p
}

// fail answers with the problem that tells of err, unless an answer has begun.
func (x *exchange) fail(err error) {
	if x.status != 0 {
		x.err = err
		return
	}
	p := x.problem(err)
	text, err := p.Response.MarshalJSON()
	if err != nil {
		x.err = err
	}
	x.Header().Set("Content-Type", "application/problem+json")
	x.WriteHeader(p.StatusCode)
	x.Write(text) // whether it arrives is the caller's business
}

// end recovers from a panic, and logs the request.
func (x *exchange) end() {
	broken := false
	if v := recover(); v != nil {
		broken = x.status != 0
		x.fail(fmt.Errorf("panic: %s", describePanic(v)))
		x.server.log.LogAttrs(context.Background(), slog.LevelError, "panic",
			slog.String("id", x.id), slog.String("stack", string(debug.Stack())))
	}
	x.server.metrics.answered(x)
	x.log()
	if broken {
		panic(http.ErrAbortHandler) // or half an answer would pass for a whole one
	}
}

// describePanic says what a panic was about without repeating a value that may
// hold anything.
func describePanic(v any) string {
	if err, ok := v.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("a value of type %T", v)
}

// log writes the request's line. It has nothing of the request that could be a
// secret: no path, no query, no header but the address that a trusted proxy added,
// no body.
func (x *exchange) log() {
	level := slog.LevelInfo
	switch {
	case x.status >= 500:
		level = slog.LevelError
	case x.route != nowhere && x.needs == anyone, x.needs == metricsReader && x.status == http.StatusOK:
		level = slog.LevelDebug // what comes every few seconds
	}
	ctx := context.Background()
	if !x.server.log.Enabled(ctx, level) {
		return
	}
	actor := "none"
	if x.caller != nil {
		actor = x.caller.actor
	}
	var most [10]slog.Attr
	now := time.Now()
	attrs := append(most[:0],
		slog.String("method", x.method), slog.String("route", x.route), slog.Int("status", x.status),
		slog.Duration("duration", now.Sub(x.start)), slog.String("actor", actor), slog.String("id", x.id))
	if x.client.IsValid() {
		attrs = append(attrs, slog.String("client", x.client.String()))
	}
	if x.kind != nil {
		attrs = append(attrs, slog.String("problem", x.kind.name))
	}
	if x.reason != "" {
		attrs = append(attrs, slog.String("reason", x.reason))
	}
	if x.err != nil {
		attrs = append(attrs, slog.String("error", oneLine(x.err.Error())))
	}
	line := slog.NewRecord(now, level, "request", 0) // no place in the source: it is always this one
	line.AddAttrs(attrs...)
	_ = x.server.log.Handler().Handle(ctx, line) // of a log that fails, none is told; slog.Logger tells nobody either
}
