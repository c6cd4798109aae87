package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestConnectionsAreBounded: who fills the port waits there, and does not keep
// the socket from answering; a place that is left is taken.
func TestConnectionsAreBounded(t *testing.T) {
	e := newEnv(t, Limits{Connections: 2})
	first, second, third := e.dial(), e.dial(), e.dial()
	const request = "GET /healthz HTTP/1.1\nHost: x\n\n"
	first.send(request)
	first.wantNext(200)
	second.send(request)
	second.wantNext(200)
	third.send(request)
	third.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if _, err := third.in.Peek(1); err == nil {
		t.Error("a third connection is served")
	}
	e.want(e.askWith(e.local, "", "GET", "/v1/spaces", nil), 200, "")
	first.Close()
	third.SetReadDeadline(time.Now().Add(10 * time.Second))
	third.wantNext(200)
	// What waits for a place does not keep Serve from ending.
	fourth := e.dial()
	fourth.send(request)
	start := time.Now()
	if err := e.stop(); err != nil || time.Since(start) > 5*time.Second {
		t.Errorf("Serve ended after %v with %v", time.Since(start), err)
	}
}

// TestOverload is P10 in small: many clients at once get answers or 503, and
// afterwards goroutines are as few as before.
func TestOverload(t *testing.T) {
	e := newEnv(t, Limits{Requests: 2, Connections: 30})
	e.want(e.ask(e.owner, "GET", "/v1/spaces", nil), 200, "")
	before := runtime.NumGoroutine()
	e.st.set(func(context.Context, string) error { time.Sleep(time.Millisecond); return nil })
	var mu sync.Mutex
	statuses := map[int]int{}
	var wg sync.WaitGroup
	for range 60 {
		wg.Go(func() {
			for range 10 {
				a := e.ask(e.owner, "GET", "/v1/spaces", nil)
				mu.Lock()
				statuses[a.status]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if statuses[200] == 0 || statuses[503] == 0 || statuses[200]+statuses[503] != 600 {
		t.Errorf("answers %v", statuses)
	}
	e.http.CloseIdleConnections()
	for range 100 {
		if runtime.NumGoroutine() <= before+5 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

// failing is a listener that fails once it has accepted nothing.
type failing struct {
	net.Listener
	err error
}

func (f failing) Accept() (net.Conn, error) { return nil, f.err }

// TestListenerFails: Serve tells, and leaves no listener open.
func TestListenerFails(t *testing.T) {
	e := newEnv(t, Limits{})
	s, err := New(Config{Authority: e.a})
	e.must(err)
	good, err := net.Listen("tcp", "127.0.0.1:0")
	e.must(err)
	bad, err := net.Listen("tcp", "127.0.0.1:0")
	e.must(err)
	broken := errors.New("broken")
	if err := s.Serve(t.Context(), good, failing{bad, broken}); !errors.Is(err, broken) {
		t.Errorf("Serve: %v", err)
	}
	for _, l := range []net.Listener{good, bad} {
		if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
			c.Close()
			t.Error("still listens")
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	e.must(err)
	if err := s.Serve(ended, l); err != nil {
		t.Errorf("Serve with a context that has ended: %v", err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("still listens")
	}
}

// TestNobodyIsLocalByHandler: only a listener that Local made has local
// callers, not the handler alone and not a Unix socket alone.
func TestNobodyIsLocalByHandler(t *testing.T) {
	e := newEnv(t, Limits{})
	s, err := New(Config{Authority: e.a})
	e.must(err)
	h := httptest.NewServer(s.Handler())
	defer h.Close()
	resp, err := http.Get(h.URL + "/v1/spaces")
	e.must(err)
	resp.Body.Close()
	if resp.StatusCode != 401 {
		t.Errorf("the handler alone: %v", resp.Status)
	}
	unix, err := net.Listen("unix", e.socket+"2")
	e.must(err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Serve(ctx, unix) }()
	c, err := net.Dial("unix", e.socket+"2")
	e.must(err)
	fmt.Fprint(c, "GET /v1/spaces HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	text, err := io.ReadAll(c)
	if err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 401 ") {
		t.Errorf("a Unix socket that Local did not make: %v, %s", err, text)
	}
	cancel()
	e.must(<-ended)
}
