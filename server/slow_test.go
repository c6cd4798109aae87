package server

import (
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestSlowClientsKeepNobodyOut: clients that send no more, or read nothing, take
// all places that the port has. Others wait until the limits have cut these off,
// and no longer; who comes over the socket does not wait.
func TestSlowClientsKeepNobodyOut(t *testing.T) {
	const each = 10
	limits := Limits{Connections: 3 * each, Header: time.Second, Read: time.Second, Write: time.Second, Idle: time.Second}
	e := newEnv(t, limits)
	e.quiet(limits)
	good := e.key("acme").Secret.Reveal()
	verify := func(client *http.Client) time.Duration {
		start := time.Now()
		if a := e.askWith(client, e.owner, "POST", "/v1/spaces/acme/verify", map[string]any{"token": good}); a.json["valid"] != true {
			t.Errorf("%v", a)
		}
		return time.Since(start)
	}
	verify(e.http)
	verify(e.local)
	e.want(e.ask("", "GET", "/openapi.json", nil), 200, "")
	e.http.CloseIdleConnections()
	before := resting()
	for range each {
		e.dial().send("GET /healthz HTTP/1.1\nHost: x\n")
		e.dial().send(e.rawVerify("Content-Length: 100\n", `{"token":`))
		reader := e.dial()
		reader.Conn.(*net.TCPConn).SetReadBuffer(4096)
		reader.send(strings.Repeat("GET /openapi.json HTTP/1.1\nHost: x\n\n", 500))
	}
	for start := time.Now(); !strings.Contains(e.askWith(e.local, "", "GET", "/metrics", nil).text, `keyfob_connections{listener="port"} 30`+"\n"); {
		if time.Since(start) > limits.Header {
			t.Fatal("they have not taken all places")
		}
	}
	socket := verify(e.local)
	first := verify(e.http)
	e.http.CloseIdleConnections()
	next := verify(e.http)
	t.Logf("with all %d places taken by slow clients: %v over the socket, %v on the port, and then %v", 3*each, socket, first, next)
	if first > 8*time.Second {
		t.Errorf("kept out for %v", first)
	}
	e.isBack(rest{before.goroutines, before.files + 3*each, before.heap}) // the clients have not closed theirs
}

// TestGzipBomb: a body that would become a thousand times as large is refused as
// it is; nobody unpacks it, and hardly anything of it is read.
func TestGzipBomb(t *testing.T) {
	e := newEnv(t, Limits{})
	const member = 10 << 20
	var one bytes.Buffer
	w := gzip.NewWriter(&one)
	if _, err := io.CopyN(w, zeros{}, member); err != nil {
		t.Fatal(err)
	}
	e.must(w.Close())
	bomb := bytes.Repeat(one.Bytes(), 1000) // gzip's members follow one another
	for name, edit := range map[string]func(*http.Request){
		"with its length": func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") },
		"in chunks":       func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip"); r.ContentLength = -1 },
		"twice":           func(r *http.Request) { r.Header["Content-Encoding"] = []string{"identity", "gzip"} },
	} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		a := e.ask(e.owner, "POST", "/v1/spaces/acme/verify", bomb, edit)
		runtime.ReadMemStats(&after)
		e.want(a, 415, "media-type")
		if got := a.header.Get("Accept-Encoding"); got != "identity" {
			t.Errorf("%s: Accept-Encoding %q", name, got)
		}
		allocated := int64(after.TotalAlloc - before.TotalAlloc)
		t.Logf("%s: %d bytes that would become %d: refused with %d kB allocated, the client's included", name, len(bomb), 1000*member, allocated>>10)
		if allocated > 1<<20 {
			t.Errorf("%s: %d bytes were allocated", name, allocated)
		}
	}
	e.want(e.ask(e.owner, "POST", "/v1/spaces/acme/verify", one.Bytes()), 400, "input") // what does not say that it is gzip is no JSON
	e.want(e.ask("", "POST", "/v1/spaces/acme/verify", bomb), 401, "unauthenticated")
}

// zeros is zeros without an end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
