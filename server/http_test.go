package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// raw is one connection, by hand.
type raw struct {
	*env
	net.Conn
	in *bufio.Reader
}

func (e *env) dial() *raw {
	e.Helper()
	c, err := net.Dial("tcp", e.addr)
	e.must(err)
	e.Cleanup(func() { c.Close() })
	e.must(c.SetDeadline(time.Now().Add(15 * time.Second)))
	return &raw{e, c, bufio.NewReader(c)}
}

func (c *raw) send(text string) {
	c.Helper()
	if _, err := io.WriteString(c.Conn, strings.ReplaceAll(text, "\n", "\r\n")); err != nil {
		c.Logf("send: %v", err)
	}
}

// next reads one answer; nil if the connection ended.
func (c *raw) next() (*http.Response, string) {
	c.Helper()
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return nil, ""
	}
	text, _ := io.ReadAll(resp.Body) // it may be cut off by a reset, where not all was read that was sent
	c.noSecrets("an answer", string(text))
	return resp, string(text)
}

func (c *raw) wantNext(status int) string {
	c.Helper()
	resp, text := c.next()
	if resp == nil {
		c.Fatalf("the connection ended, want %d", status)
	}
	if resp.StatusCode != status {
		c.Errorf("%d %s, want %d", resp.StatusCode, text, status)
	}
	return text
}

func (c *raw) wantEnd() {
	c.Helper()
	if resp, text := c.next(); resp != nil {
		c.Errorf("%d %s, want the connection to end", resp.StatusCode, text)
	}
}

// TestRoutesAndMethods: 404 and 405 are problems, with one spelling for a path.
func TestRoutesAndMethods(t *testing.T) {
	e := newEnv(t, Limits{})
	for _, path := range []string{
		"/", "/v1", "/v1/", "/v1/spaces/", "/v1/spaces/acme/", "/v1/spaces/acme/apikeys/", "/v2/spaces", "/V1/spaces", "/healthz/", "/favicon.ico",
		"//v1/spaces", "/v1//spaces", "/v1/spaces//apikeys", "/v1/spaces//verify", "/v1/spaces/acme/apikeys//revoke", "/v1/spaces/acme/../acme",
		"/v1/spaces/acme/verify/x", "/v1/%73paces", "/v1/spaces/ac%6De", "/v1/spaces/acme%2fverify", "/v1/spaces/acme%00", "/v1/spaces/a%20b",
		"/v1/spaces/acme/apikeys/%2e%2e", "/v1/spaces/acme;x=1", "/v1/spaces/acme+", "/v1/spaces/acm%C3%A9", "/openapi.yaml", "/openapi", "/metric",
	} {
		for _, method := range []string{"GET", "POST"} {
			a := e.want(e.ask(e.owner, method, path, nil), 404, "route-not-found")
			if line := e.log.of(t, a.header.Get(RequestIDHeader)); line["route"] != "none" {
				t.Errorf("%s is logged as %v", path, line)
			}
		}
	}
	for path, allow := range map[string]string{
		"/v1/spaces": "GET, HEAD, POST", "/v1/spaces/acme": "GET, HEAD, PATCH", "/v1/spaces/acme/verify": "POST", "/healthz": "GET, HEAD",
		"/v1/spaces/acme/apikeys": "POST", "/v1/spaces/acme/apikeys/search": "POST",
	} {
		for _, method := range []string{"PUT", "DELETE", "OPTIONS", "TRACE", "CONNECTED", e.owner} {
			a := e.want(e.ask("", method, path, nil), 405, "method-not-allowed")
			if got := a.header.Get("Allow"); got != allow {
				t.Errorf("%s %s: Allow %q, want %q", method, path, got, allow)
			}
		}
	}
	e.hide(e.owner) // it stood in the method's place: the log may not have it
	head := e.ask(e.owner, "HEAD", "/v1/spaces/acme", nil)
	if head.status != 200 || head.text != "" || head.header.Get("Content-Length") == "" {
		t.Errorf("HEAD: %v %v", head, head.header)
	}
	if a := e.ask("", "HEAD", "/v1/spaces/acme", nil); a.status != 401 || a.text != "" {
		t.Errorf("HEAD without a token: %v", a)
	}
	c := e.dial()
	c.send("OPTIONS * HTTP/1.1\nHost: x\n\n")
	c.wantNext(404)
	c.send("GET http://evil.example/healthz HTTP/1.1\nHost: evil.example\n\n")
	c.wantNext(200)
}

// TestAuthorizationHeader: one header, of one form.
func TestAuthorizationHeader(t *testing.T) {
	e := newEnv(t, Limits{})
	ask := func(values ...string) *answer {
		return e.ask("", "GET", "/v1/spaces", nil, func(r *http.Request) { r.Header["Authorization"] = values })
	}
	for _, good := range []string{"Bearer " + e.owner, "bearer " + e.owner, "BEARER  " + e.owner} {
		e.want(ask(good), 200, "")
	}
	for _, bad := range [][]string{
		{""}, {"Bearer"}, {"Bearer "}, {e.owner}, {"Basic " + e.owner}, {"Token " + e.owner}, {"Bearer:" + e.owner}, {"Bearer\t" + e.owner},
		{"Bearer " + e.owner + ","}, {"Bearer " + e.owner + " x"}, {"Bearer " + e.owner, "Bearer " + e.owner}, {"Bearer x", "Bearer " + e.owner},
		{"Bearer " + strings.Repeat("a", 8000)},
	} {
		e.want(ask(bad...), 401, "unauthenticated")
	}
	e.want(e.ask("", "GET", "/v1/spaces", nil, func(r *http.Request) { r.Header.Set("Cookie", "token="+e.owner) }), 401, "unauthenticated")
	a := e.want(ask("Bearer "+e.key("keyfob", "acme:read").Secret.Reveal()), 403, "forbidden")
	line := e.log.of(t, a.header.Get(RequestIDHeader))
	if line["problem"] != "forbidden" || line["actor"] == "none" {
		t.Errorf("logged as %v", line)
	}
	expired := ask("Bearer " + changed(e.owner))
	if line := e.log.of(t, expired.header.Get(RequestIDHeader)); line["reason"] != "malformed" || line["actor"] != "none" {
		t.Errorf("logged as %v", line)
	}
}

// hidden is a request behind another one; small is a body.
const (
	hidden = "GET /v1/hidden HTTP/1.1\nHost: x\n\n"
	small  = `{"token":"x"}`
)

// rawVerify is a request with more headers and a body.
func (e *env) rawVerify(headers, body string) string {
	return "POST /v1/spaces/acme/verify HTTP/1.1\nHost: x\nAuthorization: Bearer " + e.owner + "\nContent-Type: application/json\n" + headers + "\n" + body
}

// TestSmuggling: nothing after the end of a request, by whichever count, is
// taken for another one.
func TestSmuggling(t *testing.T) {
	e := newEnv(t, Limits{})
	post := e.rawVerify
	for what, text := range map[string]string{
		"two lengths":             post("Content-Length: 13\nContent-Length: 14\n", small+hidden),
		"a list of lengths":       post("Content-Length: 13, 13\n", small+hidden),
		"a length with a sign":    post("Content-Length: +13\n", small+hidden),
		"a negative length":       post("Content-Length: -1\n", small+hidden),
		"a length in hex":         post("Content-Length: 0xd\n", small+hidden),
		"an enormous length":      post("Content-Length: 99999999999999999999\n", small+hidden),
		"gzip, chunked":           post("Transfer-Encoding: gzip, chunked\n", "d\n"+small+"\n0\n\n"+hidden),
		"chunked twice":           post("Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n", "d\n"+small+"\n0\n\n"+hidden),
		"chunked, identity":       post("Transfer-Encoding: chunked, identity\n", "d\n"+small+"\n0\n\n"+hidden),
		"a space before a colon":  post("Content-Length : 13\n", small+hidden),
		"a continued header":      post("X: a\n b\nContent-Length: 13\nContent-Length : 3\n", small+hidden),
		"a bare CR in a header":   post("X: a\rContent-Length: 3\nContent-Length: 13\n\n", small+hidden),
		"no host":                 "GET /healthz HTTP/1.1\n\n" + hidden,
		"two hosts":               "GET /healthz HTTP/1.1\nHost: a\nHost: b\n\n" + hidden,
		"a line that is no verb":  "GET /healthz\n\n" + hidden,
		"NUL in a header":         "GET /healthz HTTP/1.1\nHost: a\nX: a\x00b\n\n" + hidden,
		"a control in the target": "GET /healthz\x01 HTTP/1.1\nHost: a\n\n" + hidden,
	} {
		c := e.dial()
		c.send(text)
		resp, body := c.next()
		if resp == nil || resp.StatusCode < 400 {
			t.Errorf("%s: %v %s", what, resp, body)
			continue
		}
		if resp, body := c.next(); resp != nil {
			t.Errorf("%s: a second answer: %d %s", what, resp.StatusCode, body)
		}
	}
}

// TestEndsOfBodies: where a body ends is where the next request begins, or the
// connection ends with it.
func TestEndsOfBodies(t *testing.T) {
	e := newEnv(t, Limits{})
	post := e.rawVerify
	// With both a length and chunks, the chunks count (RFC 9112, section 6.1) and
	// the connection ends, so that another reading has no next request.
	c := e.dial()
	c.send(post("Content-Length: 5\nTransfer-Encoding: chunked\n", "d\n"+small+"\n0\n\n"+hidden))
	c.wantNext(200)
	c.wantEnd()
	// One request after the other is fine.
	c = e.dial()
	c.send(post("Content-Length: 13\n", small) + "GET /healthz HTTP/1.1\nHost: x\n\n")
	c.wantNext(200)
	c.wantNext(200)
	// A chunk that is none.
	c = e.dial()
	c.send(post("Transfer-Encoding: chunked\n", "zz\n"+small+"\n0\n\n"+hidden))
	c.wantNext(400)
	c.wantEnd()
	// A body that ends before its length.
	c = e.dial()
	c.send(post("Content-Length: 100\n", small))
	c.Conn.(*net.TCPConn).CloseWrite()
	c.wantNext(400)
	c.wantEnd()
	// A body that nobody is to read is not taken for a request either.
	c = e.dial()
	c.send("GET /healthz HTTP/1.1\nHost: x\nContent-Length: " + fmt.Sprint(len(hidden)+3) + "\n\n" + hidden)
	c.wantNext(400)
}

func TestHeadersAreBounded(t *testing.T) {
	e := newEnv(t, Limits{})
	for what, headers := range map[string]string{
		"one of 30 kB": "X: " + strings.Repeat("a", 30_000) + "\n",
		"1000 of 30 B": strings.Repeat("X-Header-Number: 0123456789abc\n", 1000),
	} {
		c := e.dial()
		c.send("GET /healthz HTTP/1.1\nHost: x\n" + headers + "\n")
		if text := c.wantNext(431); strings.Contains(text, "aaaa") {
			t.Errorf("%s: %s", what, text)
		}
		c.wantEnd()
		t.Logf("%s: 431, and the connection ended", what)
	}
	c := e.dial()
	c.send("GET /healthz HTTP/1.1\nHost: x\nX: " + strings.Repeat("a", 8000) + "\n\n")
	c.wantNext(200)
}

// TestSlowClients: a client that takes its time is cut off, at each stage.
func TestSlowClients(t *testing.T) {
	e := newEnv(t, Limits{Header: time.Second, Read: 2 * time.Second, Idle: 500 * time.Millisecond})
	ends := func(what string, within time.Duration, c *raw) {
		t.Helper()
		start := time.Now()
		c.wantEnd()
		if took := time.Since(start); took > within {
			t.Errorf("%s: cut off after %v", what, took)
		}
	}
	ends("nothing sent", 8*time.Second, e.dial())
	drip := e.dial()
	drip.send("GET /healthz HTTP/1.1\nHost: x\n")
	go func() {
		for range 250 { // a header a line, for ever
			if _, err := io.WriteString(drip.Conn, "X: y\r\n"); err != nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	start := time.Now()
	io.Copy(io.Discard, drip.in)
	if took := time.Since(start); took > 8*time.Second {
		t.Errorf("slow headers: cut off after %v", took)
	}
	c := e.dial()
	c.send("GET /healthz HTTP/1.1\nHost: x\n\n")
	c.wantNext(200)
	ends("idle", 8*time.Second, c)
	c = e.dial()
	c.send("POST /v1/spaces/acme/verify HTTP/1.1\nHost: x\nAuthorization: Bearer " + e.owner + "\nContent-Type: application/json\nContent-Length: 100\n\n{\"token\":")
	if text := c.wantNext(408); !strings.Contains(text, problemURN+"body-timeout") {
		t.Errorf("slow body: %s", text)
	}
	c.wantEnd()
}

// TestExpectContinue: a body is not asked for if it is of no use.
func TestExpectContinue(t *testing.T) {
	e := newEnv(t, Limits{})
	head := func(token string, size int) string {
		return fmt.Sprintf("POST /v1/spaces/acme/verify HTTP/1.1\nHost: x\nAuthorization: Bearer %s\nContent-Type: application/json\nContent-Length: %d\nExpect: 100-continue\n\n", token, size)
	}
	c := e.dial()
	c.send(head("x", 13))
	c.wantNext(401)
	c = e.dial()
	c.send(head(e.owner, 100_000))
	c.wantNext(413)
	c = e.dial()
	c.send(head(e.owner, 13))
	c.wantNext(100)
	c.send(`{"token":"x"}`)
	c.wantNext(200)
}

// TestDrain: Serve lets a request that is under way come to its end, and no
// longer than the limit.
func TestDrain(t *testing.T) {
	for what, c := range map[string]struct {
		drain, work time.Duration
		status      int
	}{"in time": {5 * time.Second, 300 * time.Millisecond, 200}, "too long": {200 * time.Millisecond, 10 * time.Second, 503}} {
		t.Run(what, func(t *testing.T) {
			e := newEnv(t, Limits{Drain: c.drain})
			began, done := make(chan struct{}), make(chan struct{})
			e.st.set(func(ctx context.Context, call string) error {
				if call == "Credentials" {
					close(began)
					defer close(done)
					select {
					case <-time.After(c.work):
					case <-ctx.Done():
						return ctx.Err()
					}
				}
				return nil
			})
			conn := e.dial()
			conn.send("POST /v1/spaces/acme/apikeys/search HTTP/1.1\nHost: x\nAuthorization: Bearer " + e.owner + "\nContent-Type: application/json\nContent-Length: 2\n\n{}")
			<-began
			start := time.Now()
			if err := e.stop(); err != nil {
				t.Error(err)
			}
			if took := time.Since(start); took > 7*time.Second {
				t.Errorf("Serve took %v to end", took)
			}
			// One that is cut off gets a 503 or, where its connection went first, nothing.
			if resp, _ := conn.next(); (resp == nil && c.status == 200) || (resp != nil && resp.StatusCode != c.status) {
				t.Errorf("answer %v, want %d", resp, c.status)
			}
			<-done // its context ended with the server
			if _, err := net.Dial("tcp", e.addr); err == nil {
				t.Error("still listens")
			}
			if _, err := net.Dial("unix", e.socket); err == nil {
				t.Error("still listens on the socket")
			}
		})
	}
}
