package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

type (
	testKey  struct{}
	otherKey struct{}
)

// oneSecond returns the context of a request that may work for a second.
func oneSecond(parent context.Context) *workContext {
	return &workContext{parent: parent, deadline: time.Now().Add(time.Second)}
}

func TestWorkEnds(t *testing.T) {
	for name, wait := range map[string]func(*workContext){
		"with a timer":    func(c *workContext) { <-c.Done() },
		"without a timer": func(*workContext) { time.Sleep(time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := oneSecond(context.Background())
				defer c.end()
				begin := time.Now()
				if d, ok := c.Deadline(); !ok || d.Sub(begin) != time.Second || c.Err() != nil {
					t.Errorf("the deadline is in %v, and Err says %v", d.Sub(begin), c.Err())
				}
				wait(c)
				if took := time.Since(begin); took != time.Second || c.Err() != context.DeadlineExceeded {
					t.Errorf("after %v: %v", took, c.Err())
				}
			})
		})
	}
}

// What the parent ends, ends the work: at once, with a timer or without, and a
// deadline of its own counts if it is the earlier one.
func TestWorkEndsWithItsParent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithCancel(context.Background())
		waiting, idle := oneSecond(parent), oneSecond(parent)
		done := waiting.Done()
		cancel()
		<-done
		if waiting.Err() != context.Canceled || idle.Err() != context.Canceled {
			t.Errorf("%v and %v", waiting.Err(), idle.Err())
		}
		short, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		c := oneSecond(short)
		if d, _ := c.Deadline(); time.Until(d) != time.Millisecond {
			t.Errorf("the deadline is in %v", time.Until(d))
		}
		<-c.Done()
		if !errors.Is(c.Err(), context.DeadlineExceeded) {
			t.Error(c.Err())
		}
	})
}

// Contexts that are made of it end with it, whether it had a timer before or not.
func TestWorkHasChildren(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, timer := range []bool{false, true} {
			c := oneSecond(context.WithValue(context.Background(), testKey{}, "there"))
			if timer {
				c.Done()
			}
			child, cancel := context.WithCancel(context.WithValue(&requestContext{Context: c}, otherKey{}, 1))
			defer cancel()
			if child.Value(testKey{}) != "there" {
				t.Error("the parent's value is not there")
			}
			begin := time.Now()
			<-child.Done()
			if took := time.Since(begin); took != time.Second || child.Err() != context.DeadlineExceeded {
				t.Errorf("after %v: %v", took, child.Err())
			}
		}
	})
}

// Package context needs no goroutine for each context that is made of it.
func TestWorkHasNoGoroutines(t *testing.T) {
	c := oneSecond(t.Context())
	defer c.end()
	before := runtime.NumGoroutine()
	for range 100 {
		_, cancel := context.WithCancel(c)
		defer cancel()
	}
	if more := runtime.NumGoroutine() - before; more > 50 {
		t.Errorf("%d goroutines for 100 contexts", more)
	}
}

// A request's work is over when it is answered, also where no http.Server says so.
func TestWorkIsOverWithTheAnswer(t *testing.T) {
	e := newEnv(t, Limits{})
	s, err := New(Config{Authority: e.a, Logger: slog.New(slog.DiscardHandler)})
	e.must(err)
	var done <-chan struct{}
	e.st.set(func(ctx context.Context, call string) error {
		if call == "Space" {
			done = ctx.Done()
		}
		return nil
	})
	s.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(context.Background(), "GET", "/readyz", nil))
	select {
	case <-done:
	default:
		t.Error("what worked for the request does not learn that it is over")
	}
}

// Who asked and is gone is worked for no longer.
func TestWorkEndsWithTheClient(t *testing.T) {
	e := newEnv(t, Limits{})
	s, err := New(Config{Authority: e.a, Logger: slog.New(slog.DiscardHandler), Limits: Limits{Work: time.Second}})
	e.must(err)
	client, leave := context.WithCancel(context.Background())
	var why error
	e.st.set(func(ctx context.Context, call string) error {
		if call != "Space" {
			return nil
		}
		leave()
		<-ctx.Done()
		why = ctx.Err()
		return why
	})
	s.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(client, "GET", "/readyz", nil))
	if why != context.Canceled {
		t.Errorf("the work ended by %v", why)
	}
}

// After its end nothing is left that waits: synctest would find it.
func TestWorkIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := oneSecond(context.Background())
		child, cancel := context.WithCancel(c)
		defer cancel()
		c.end()
		<-child.Done()
		if c.Err() != context.Canceled {
			t.Error(c.Err())
		}
		oneSecond(context.Background()).end() // without a timer there is nothing to stop
	})
}

// TestWorkEndsForOneReason: what Err and the cause say stays so, although the parent
// ends as well.
func TestWorkEndsForOneReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithCancel(t.Context())
		c := oneSecond(parent)
		time.Sleep(time.Second)
		before, cause := c.Err(), context.Cause(c)
		cancel()
		if after := c.Err(); before != context.DeadlineExceeded || cause != before || after != before {
			t.Errorf("%v, caused by %v; and when the client has gone %v", before, cause, after)
		}
	})
}
