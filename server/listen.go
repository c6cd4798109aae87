package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
)

// Local marks a listener on a Unix socket whose clients are the owner without
// a token. Make the socket's file so that nobody else can open it.
func Local(l *net.UnixListener) net.Listener { return &localListener{l} }

type localListener struct{ *net.UnixListener }

// Serve answers on all listeners until ctx ends; it then takes no more
// connections, lets requests that are under way come to their end for up to
// Limits.Drain, and returns nil. If a listener fails, it does the same and
// returns the listener's error. It closes the listeners in any case.
func (s *Server) Serve(ctx context.Context, listeners ...net.Listener) error {
	if len(listeners) == 0 {
		return errors.New("server: Serve has no listener")
	}
	base, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut() // what is still under way has nobody to answer to
	h := s.httpServer(base)
	ended := make(chan error, len(listeners))
	for _, l := range listeners {
		limited := s.limit(l)
		go func() { ended <- h.Serve(limited) }()
	}
	var failure error
	running := len(listeners)
	select {
	case <-ctx.Done():
	case failure = <-ended:
		running--
		failure = fmt.Errorf("server: %w", failure)
	}
	drain, stop := context.WithTimeout(base, s.limits.Drain)
	defer stop()
	if err := h.Shutdown(drain); err != nil {
		s.log.LogAttrs(base, slog.LevelWarn, "requests were cut off at the end", slog.Duration("after", s.limits.Drain))
		h.Close()
	}
	for range running {
		<-ended
	}
	return failure
}

func (s *Server) httpServer(base context.Context) *http.Server {
	return &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: s.limits.Header,
		ReadTimeout:       s.limits.Read,
		WriteTimeout:      s.limits.Write,
		IdleTimeout:       s.limits.Idle,
		MaxHeaderBytes:    s.limits.HeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return base },
		ConnContext:       connContext,
		ErrorLog:          log.New(errorLog{s.log}, "", 0),

		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 100},

		DisableGeneralOptionsHandler: true, // OPTIONS * is a route that is not there
	}
}

// errorLog passes on what net/http has to say. Of a panic it says the value.
type errorLog struct{ to *slog.Logger }

func (l errorLog) Write(p []byte) (int, error) {
	text := string(p)
	if strings.Contains(text, "panic") {
		text = "a panic outside of a request's handler"
	}
	l.to.LogAttrs(context.Background(), slog.LevelWarn, "net/http", slog.String("error", oneLine(strings.TrimSpace(text))))
	return len(p), nil
}

// A limitedListener has no more than so many connections open at once. Each
// listener has its own: who fills one, for instance on the network, does not
// keep others, for instance the socket's, from answering.
type limitedListener struct {
	net.Listener
	local   bool
	metrics *metrics
	slots   chan struct{}

	closing sync.Once
	closed  chan struct{}
}

// limit returns a listener that takes the connections of another, in TLS where
// that was made by TLS, with a bound to their number.
func (s *Server) limit(l net.Listener) net.Listener {
	limited := &limitedListener{
		Listener: l, metrics: s.metrics,
		slots: make(chan struct{}, s.limits.Connections), closed: make(chan struct{}),
	}
	switch l := l.(type) {
	case *localListener:
		limited.Listener, limited.local = l.UnixListener, true
	case *tlsListener:
		limited.Listener = l.Listener
		return tls.NewListener(limited, l.config) // the handshake comes after Accept, and has a place already
	}
	return limited
}

// name is what the figures call it.
func (l *limitedListener) name() string {
	if l.local {
		return "socket"
	}
	return "port"
}

// Accept waits for a connection, and for a place for it.
func (l *limitedListener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	l.metrics.opened(l.name())
	return &conn{Conn: c, listener: l}, nil
}

// Close also ends an Accept that waits for a place.
func (l *limitedListener) Close() error {
	l.closing.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// A conn gives its place back when it is closed.
type conn struct {
	net.Conn
	listener *limitedListener
	closing  sync.Once
}

// Close closes the connection.
func (c *conn) Close() error {
	err := c.Conn.Close()
	c.closing.Do(func() {
		<-c.listener.slots
		c.listener.metrics.closed(c.listener.name())
	})
	return err
}

// localKey is the key of the caller of a local connection.
type localKey struct{}

// connContext puts the caller of a local connection into its context.
func connContext(ctx context.Context, c net.Conn) context.Context {
	if c, ok := c.(*conn); ok && c.listener.local {
		if user, ok := peerUser(c.Conn.(*net.UnixConn)); ok {
			return context.WithValue(ctx, localKey{}, &caller{actor: "local:" + user, scopes: []string{OwnerScope}})
		}
	}
	return ctx
}
