// Package server is keyfob's HTTP API on an Authority: the routes of
// openapi.yaml, for callers that are known by their own API keys.
//
//	s, err := server.New(server.Config{Authority: a})
//	l, err := net.Listen("tcp", "127.0.0.1:7420")
//	err = s.Serve(ctx, l) // until ctx ends
//
// # Callers
//
// A caller is an API key of the space "keyfob". Its scopes say what it may do:
// [OwnerScope] everything; "<space>:issue", "<space>:verify", "<space>:read" and
// "<space>:revoke" that much in one space; [MetricsScope] to read /metrics. The space
// "keyfob" and the spaces themselves are the owner's alone. Whoever may not do a thing in a space is not
// told whether there is such a space.
//
// Over a listener that [Local] made of a Unix socket, a request without a token
// is the owner's: who may open the socket is the file system's to say. Put no
// proxy before such a listener. Events name that caller "local:" and its user
// id; all others they name by the id of their key.
//
// The Host and Origin headers are not looked at. A page in a browser that is
// made to talk to a loopback address gets nowhere without a token, which no
// browser sends by itself, and browsers cannot reach Unix sockets.
//
// # What is refused
//
// Whatever a request has that its route does not know: fields, query parameters,
// another spelling of a path, a body where none belongs. Errors are problems in
// the sense of RFC 9457. No answer but the one that issues a secret, no error and
// no line of the log holds one; the log has the pattern of a route in place of
// the path.
package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
)

// A Config says what a Server works with.
type Config struct {
	// Authority is whose verbs the API has, in all its spaces. Required; it
	// stays the caller's to close.
	Authority *keyfob.Authority

	// Logger gets one line for each request, at the level Info, or Error where
	// the server failed, or Debug for health checks; nil is slog.Default.
	Logger *slog.Logger

	// Limits bound what clients can make the server spend.
	Limits Limits

	// TrustedProxies are whose X-Forwarded-For says where a request comes from:
	// the rightmost address in it that is not one of theirs. Of all others the
	// header is ignored. The log has that address; no right hangs on it.
	TrustedProxies []netip.Prefix
}

// Limits bound what clients can make a server spend. Of each field the zero
// value is the default.
type Limits struct {
	Header time.Duration // for reading a request's headers; 5 s
	Read   time.Duration // for reading all of a request; 15 s
	Work   time.Duration // for deciding; then the answer is 503; 10 s
	Write  time.Duration // from the headers to the end of the answer; 30 s
	Idle   time.Duration // between two requests of a connection; 60 s
	Drain  time.Duration // for requests that are under way when Serve shall end; 10 s

	HeaderBytes int   // of a request's headers; 16 KiB, and net/http adds 4 KiB
	Body        int64 // bytes of a request's body; 64 KiB

	Connections int // open at once on each listener; later ones wait; 1024
	Requests    int // at work at once; more are answered by 503; 256
}

// withDefaults fills in what is zero.
func (l Limits) withDefaults() Limits {
	def(&l.Header, 5*time.Second)
	def(&l.Read, 15*time.Second)
	def(&l.Work, 10*time.Second)
	def(&l.Write, 30*time.Second)
	def(&l.Idle, 60*time.Second)
	def(&l.Drain, 10*time.Second)
	def(&l.HeaderBytes, 16<<10)
	def(&l.Body, 64<<10)
	def(&l.Connections, 1024)
	def(&l.Requests, 256)
	return l
}

func def[T comparable](value *T, otherwise T) {
	if *value == *new(T) {
		*value = otherwise
	}
}

func (l Limits) check() error {
	for name, n := range map[string]int64{
		"Header": int64(l.Header), "Read": int64(l.Read), "Work": int64(l.Work), "Write": int64(l.Write),
		"Idle": int64(l.Idle), "Drain": int64(l.Drain),
		"HeaderBytes": int64(l.HeaderBytes), "Body": l.Body,
		"Connections": int64(l.Connections), "Requests": int64(l.Requests),
	} {
		if n < 0 {
			return fmt.Errorf("server: Limits.%s is negative; leave it 0 for the default", name)
		}
	}
	return nil
}

// A Server is the HTTP API. It is safe for concurrent use.
type Server struct {
	limits  Limits
	log     *slog.Logger
	proxies []netip.Prefix
	metrics *metrics
	callers *keyfob.Authority // in the space whose keys callers have
	api     *oas.Server
	atWork  atomic.Int64
	slow    chan struct{} // a place for each slow operation
}

// New makes a Server. It opens nothing and starts nothing.
func New(config Config) (*Server, error) {
	if config.Authority == nil {
		return nil, errors.New("server: Config.Authority is not set; see keyfob.Open")
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	if err := config.Limits.check(); err != nil {
		return nil, err
	}
	if err := checkProxies(config.TrustedProxies); err != nil {
		return nil, err
	}
	a := &api{authority: config.Authority}
	generated, err := oas.NewServer(a, a, oas.WithErrorHandler(failed))
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	s := &Server{
		slow: make(chan struct{}, slowAtOnce),

		limits:  config.Limits.withDefaults(),
		log:     config.Logger,
		proxies: slices.Clone(config.TrustedProxies),
		callers: config.Authority.In(keyfob.OwnSpace),
		api:     generated,
	}
	s.metrics = newMetrics(&s.atWork)
	return s, nil
}

// Handler returns the API for a program that has an http.Server of its own. No
// caller is local there, and the limits of time and connections are that
// server's to set.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

// enter counts a request in, if there is room.
func (s *Server) enter() bool {
	if s.atWork.Add(1) > int64(s.limits.Requests) {
		s.atWork.Add(-1)
		return false
	}
	return true
}

func (s *Server) leave() { s.atWork.Add(-1) }
