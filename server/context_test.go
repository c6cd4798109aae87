package server

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

type testKey struct{}

// working returns the context of a request that may work for a second.
func working(parent context.Context) *workContext {
	return &workContext{parent: parent, deadline: time.Now().Add(time.Second)}
}

func TestWorkEnds(t *testing.T) {
	for name, wait := range map[string]func(*workContext){
		"with a timer":    func(c *workContext) { <-c.Done() },
		"without a timer": func(*workContext) { time.Sleep(time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := working(context.Background())
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
		waiting, idle := working(parent), working(parent)
		done := waiting.Done()
		cancel()
		<-done
		if waiting.Err() != context.Canceled || idle.Err() != context.Canceled {
			t.Errorf("%v and %v", waiting.Err(), idle.Err())
		}
		short, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		c := working(short)
		if d, _ := c.Deadline(); time.Until(d) != time.Millisecond {
			t.Errorf("the deadline is in %v", time.Until(d))
		}
		<-c.Done()
		if !errors.Is(c.Err(), context.DeadlineExceeded) {
			t.Error(c.Err())
		}
	})
}

// Contexts that are made of it end with it, whether it had a timer before or not;
// package context needs no goroutine for that.
func TestWorkHasChildren(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, timer := range []bool{false, true} {
			c := working(context.WithValue(context.Background(), testKey{}, "there"))
			if timer {
				c.Done()
			}
			child, cancel := context.WithCancel(context.WithValue(&requestContext{Context: c}, "other", 1))
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

// After its end nothing is left that waits: synctest would find it.
func TestWorkIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := working(context.Background())
		child, cancel := context.WithCancel(c)
		defer cancel()
		c.end()
		<-child.Done()
		if c.Err() != context.Canceled {
			t.Error(c.Err())
		}
		working(context.Background()).end() // without a timer there is nothing to stop
	})
}
