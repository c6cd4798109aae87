package client_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/client"
	"github.com/keyfob-dev/keyfob/store/memory"
	"github.com/keyfob-dev/keyfob/token"
)

// TestTriedAgain: after each kind of answer, what only reads, what goes with a key
// and what may not be done twice.
func TestTriedAgain(t *testing.T) {
	const foreign = ""
	for _, test := range []struct {
		problem                string
		status                 int
		reads, issues, changes int // tries, of three at most
	}{
		{"unavailable", 503, 3, 3, 1},
		{"clock-behind", 503, 3, 3, 1},
		{"of-a-later-version", 503, 3, 3, 1},
		{"busy", 503, 3, 3, 3}, // of these three nothing was done
		{"body-timeout", 408, 3, 3, 3},
		{"caller-rate-limited", 429, 3, 3, 3},
		{"internal", 500, 1, 1, 1},
		{"conflict", 409, 1, 1, 1},
		{"exists", 409, 1, 1, 1},
		{"forbidden", 403, 1, 1, 1},
		{"unauthenticated", 401, 1, 1, 1},
		{"input", 400, 1, 1, 1},
		{"of-a-later-version", 451, 1, 1, 1},
		{foreign, 502, 3, 3, 1},
		{foreign, 503, 3, 3, 1},
		{foreign, 504, 3, 3, 1},
		{foreign, 429, 3, 3, 1},
		{foreign, 500, 1, 1, 1},
		{foreign, 404, 1, 1, 1},
		{foreign, 200, 1, 1, 1},
	} {
		e := newEnv(t, memory.Open())
		tries := 0
		var w waits
		c := e.client(client.Config{Transport: answers(func(r *http.Request) (*http.Response, error) {
			tries++
			rec := httptest.NewRecorder()
			rec.Header().Set("Retry-After", "2")
			if test.problem != foreign {
				rec.Header().Set("Content-Type", "application/problem+json")
			}
			rec.WriteHeader(test.status)
			io.WriteString(rec, problem(kind{test.problem, test.status}, "d", ""))
			return rec.Result(), nil
		})})
		c.Sleep(w.sleep)
		for verb, do := range map[string]struct {
			want int
			call func() error
		}{
			"Get":     {test.reads, func() error { _, err := c.Get(t.Context(), "0000000000000000"); return err }},
			"Issue":   {test.issues, func() error { _, err := c.Issue(t.Context(), keyfob.APIKey{Subject: "a"}); return err }},
			"Suspend": {test.changes, func() error { _, err := c.Suspend(t.Context(), "0000000000000000", ""); return err }},
		} {
			tries, w.all = 0, nil
			if err := do.call(); err == nil || tries != do.want || len(w.all) != tries-1 {
				t.Errorf("%s after %q (%d): %d tries, want %d; %v", verb, test.problem, test.status, tries, do.want, err)
			}
			for _, wait := range w.all {
				if wait < 2*time.Second {
					t.Errorf("%s after %q (%d): waited for %v, and was asked to for 2s", verb, test.problem, test.status, wait)
				}
			}
		}
	}
}

// TestBrokenOff: what was sent may have been done, whatever broke then.
func TestBrokenOff(t *testing.T) {
	e := newEnv(t, memory.Open())
	for name, cause := range map[string]error{
		"while it is read":    &net.OpError{Op: "read", Err: io.ErrUnexpectedEOF},
		"while it is written": &net.OpError{Op: "write", Err: io.ErrClosedPipe},
		"somewhere":           &url.Error{Op: "Post", URL: "http://127.0.0.1/hunter2", Err: io.EOF},
	} {
		tries := 0
		c := e.client(client.Config{Transport: answers(func(*http.Request) (*http.Response, error) { tries++; return nil, cause })})
		c.Sleep(new(waits).sleep)
		_, err := c.Suspend(t.Context(), "0000000000000000", "")
		if !errors.Is(err, keyfob.ErrUnavailable) || tries != 1 || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %d tries, %v", name, tries, err)
		}
	}
}

// TestNoLateTwin: what goes with an idempotency key is done once, for the server
// keeps its answer for ten minutes. After that it is not asked for again.
func TestNoLateTwin(t *testing.T) {
	for _, hang := range []time.Duration{time.Minute, 9 * time.Minute, 11 * time.Minute} {
		for name, slow := range map[string]bool{"slow": true, "asked to wait": false} {
			synctest.Test(t, func(t *testing.T) {
				began, last := time.Now(), time.Time{}
				c, err := client.New(client.Config{
					URL: "http://127.0.0.1", Token: keyfob.NewSecret(token.New("keyfob").Reveal()), Timeout: time.Hour, Retries: 5,
					Transport: answers(func(*http.Request) (*http.Response, error) {
						last = time.Now()
						if slow {
							time.Sleep(hang)
							return nil, io.ErrUnexpectedEOF
						}
						w := httptest.NewRecorder()
						w.Header().Set("Retry-After", strconv.Itoa(int(hang/time.Second)))
						w.WriteHeader(http.StatusBadGateway)
						return w.Result(), nil
					}),
				})
				if err != nil {
					t.Fatal(err)
				}
				_, err = c.Issue(t.Context(), keyfob.APIKey{Subject: "alice"})
				if at := last.Sub(began); !errors.Is(err, keyfob.ErrUnavailable) || at >= 10*time.Minute {
					t.Errorf("%s, %v: the last try came after %v, %v", name, hang, at, err)
				}
			})
		}
	}
}

// TestOneLine: what a server says is fit for a log, whatever it holds.
func TestOneLine(t *testing.T) {
	e := newEnv(t, memory.Open())
	for _, detail := range []string{strings.Repeat("x", 5000), strings.Repeat("x", 999) + "é", "a\u202eb", "a\u2028b", "a\u2029b", "a\u0085b", "a\rb", "a\nb"} {
		c := e.client(client.Config{Transport: canned(409, "application/problem+json", problem(kind{"conflict", 409}, detail, ""))})
		_, err := c.Get(t.Context(), "0000000000000000")
		if !errors.Is(err, keyfob.ErrConflict) || len(err.Error()) > 1100 || strings.ContainsAny(err.Error(), "\u202e\u2028\u2029\u0085\r\n\ufffd") {
			t.Errorf("%.20q: %q", detail, err)
		}
	}
}

// TestLargePages: a list may be larger than one thing.
func TestLargePages(t *testing.T) {
	e := newEnv(t, memory.Open())
	page := strings.Repeat(" ", 2<<20) + `{"items":[],"next":"n"}`
	c := e.client(client.Config{Transport: canned(200, "application/json", page)})
	if got, err := c.List(t.Context(), keyfob.Filter{}); err != nil || got.Next != "n" {
		t.Errorf("List: %+v, %v", got, err)
	}
	if got, err := c.Events().List(t.Context(), keyfob.EventFilter{}); err != nil || got.Next != "n" {
		t.Errorf("Events.List: %+v, %v", got, err)
	}
	if _, err := c.Spaces().List(t.Context(), "", 9); err != nil {
		t.Errorf("Spaces.List: %v", err)
	}
}
