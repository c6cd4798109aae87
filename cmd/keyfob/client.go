package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ogen-go/ogen/ogenerrors"
	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
	"github.com/keyfob-dev/keyfob/token"
)

const (
	requestTimeout = 30 * time.Second
	maxAnswer      = 64 << 20 // bytes
)

// connection is the way to a server: its Unix socket, or a URL and a token.
type connection struct {
	*oas.Client
	at    string // the socket's path or the URL, for people
	start string // what to type to have a server there, if that can be said
	http  *http.Client
	token string
}

// remote holds the flags of a command that asks a server.
type remote struct {
	cmd   *cobra.Command
	data  *string
	space *string // nil where the command is not about what is in a space
}

// addRemote adds the flags of a command that asks a server.
func addRemote(cmd *cobra.Command) *remote {
	return &remote{cmd: cmd, data: addDataFlag(cmd)}
}

// addSpaced is addRemote for a command about what is in a space.
func addSpaced(cmd *cobra.Command) *remote {
	space := addText(cmd, "space", "SPACE", "default", "the space that it is about")
	cmd.Flags().Lookup("space").DefValue = `"default"`
	r := addRemote(cmd)
	r.space = space
	return r
}

// connect finds the server. Nothing is sent yet.
func (r *remote) connect() (*connection, error) {
	if r.space != nil {
		if err := checkSpace("--space", *r.space); err != nil {
			return nil, err
		}
	}
	if address := os.Getenv("KEYFOB_URL"); address != "" {
		if r.cmd.Flags().Changed("data") {
			return nil, wrong("--data asks the server of a data directory, and KEYFOB_URL names another; leave one out")
		}
		return connectURL(address)
	}
	dir, err := findDataDir(*r.data)
	if err != nil {
		return nil, err
	}
	c, err := connectSocket(dir)
	if err == nil && *r.data != "" {
		c.start += " --data " + shellQuote(string(dir))
	}
	return c, err
}

// connectSocket is the way over the Unix socket, where no token is needed:
// whoever may open it is the owner.
func connectSocket(dir dataDir) (*connection, error) {
	path := findSocket(dir)
	c := &connection{at: path, start: "keyfob serve"}
	transport := newTransport()
	transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}
	return c, c.open("http://localhost", transport)
}

// findSocket returns the path of a data directory's socket: the first that is
// there and nobody else's, or else the first that a server would take.
func findSocket(dir dataDir) string {
	paths := socketPaths(dir)
	for _, path := range paths {
		there, _ := isThere(path)
		if there && (path == dir.file(socketFile) || checkPrivate(filepath.Dir(path)) == nil) {
			return path
		}
	}
	if len(paths) == 0 {
		return dir.file(socketFile)
	}
	return paths[0]
}

// connectURL is the way to a server on the network, with a token.
func connectURL(text string) (*connection, error) {
	address, err := parseServerURL(text)
	if err != nil {
		return nil, err
	}
	c := &connection{at: address.String()}
	if c.token, err = callerToken(); err != nil {
		return nil, err
	}
	transport := newTransport()
	if address.Scheme == "https" {
		transport.Proxy = http.ProxyFromEnvironment
	} else {
		transport.DialContext = (&net.Dialer{ControlContext: onlyLoopback}).DialContext
	}
	return c, c.open(address.String(), transport)
}

// parseServerURL reads KEYFOB_URL. Errors do not repeat it: it may hold a
// password.
func parseServerURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, wrong("KEYFOB_URL is not a server's address; give one as https://keyfob.example.com")
	case u.User != nil:
		return nil, wrong("KEYFOB_URL holds a user name or a password; leave that out, and give a token in KEYFOB_TOKEN_FILE")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, wrong("KEYFOB_URL has a ? or a #; give the server's address alone, as https://keyfob.example.com")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, wrong("KEYFOB_URL is plain http to another machine, where a token could be read on its way; give an https address")
	}
	return u, nil
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// callerToken returns the token in KEYFOB_TOKEN or in the file that
// KEYFOB_TOKEN_FILE names.
func callerToken() (string, error) {
	text, path := takeEnv("KEYFOB_TOKEN"), os.Getenv("KEYFOB_TOKEN_FILE")
	source := "KEYFOB_TOKEN"
	switch {
	case text != "" && path != "":
		return "", wrong("KEYFOB_TOKEN and KEYFOB_TOKEN_FILE are both set; set one")
	case text == "" && path == "":
		return "", wrong("KEYFOB_URL is set, and no token for it; set KEYFOB_TOKEN_FILE to the path of a file that holds one (or KEYFOB_TOKEN to the token)")
	case path != "":
		source = "the file that KEYFOB_TOKEN_FILE names"
		f, err := os.Open(path)
		if err != nil {
			return "", wrong("KEYFOB_TOKEN_FILE: %v", err)
		}
		defer f.Close()
		if text, err = readLine(f, source, "token"); err != nil {
			return "", err
		}
	}
	if _, err := token.Parse(text); err != nil {
		return "", wrong("%s does not hold a keyed token; it has to be a token of the space keyfob, such as owner.token's", source)
	}
	return text, nil
}

// onlyLoopback refuses to connect to another machine, to which localhost may lead
// in a system that was set up wrongly.
func onlyLoopback(_ context.Context, _, address string, _ syscall.RawConn) error {
	if host, _, err := net.SplitHostPort(address); err != nil || !isLoopback(host) {
		return wrong("KEYFOB_URL is plain http and leads to another machine; give an https address")
	}
	return nil
}

func newTransport() *http.Transport {
	return &http.Transport{
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
	}
}

func (c *connection) open(address string, transport *http.Transport) (err error) {
	c.http = &http.Client{
		Transport: transport,
		Timeout:   requestTimeout,
		// A token goes to the URL that it was given for, and to no other.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.Client, err = oas.NewClient(address, c, oas.WithClient(c))
	return err
}

// Bearer gives the generated client the token of the connection.
func (c *connection) Bearer(context.Context, oas.OperationName) (oas.Bearer, error) {
	if c.token == "" {
		return oas.Bearer{}, ogenerrors.ErrSkipClientSecurity
	}
	return oas.Bearer{Token: c.token}, nil
}

// Do sends a request of the generated client. An answer that cannot be a keyfob
// server's becomes an error here, so that it is not taken for one.
func (c *connection) Do(r *http.Request) (*http.Response, error) {
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, c.unanswered(err)
	}
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	switch {
	case resp.StatusCode/100 == 3:
		err = undecided("%s wants to send this elsewhere (status %d), and a token does not follow; set KEYFOB_URL to the final address", c.at, resp.StatusCode)
	case kind != "application/json" && kind != "application/problem+json":
		err = undecided("what answers at %s is not keyfob, or stands in its way (status %d)", c.at, resp.StatusCode)
	}
	if err != nil {
		resp.Body.Close()
		return nil, err
	}
	resp.Body = limitedBody{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	return resp, nil
}

type limitedBody struct {
	io.Reader
	io.Closer
}

// unanswered says why there is no answer.
func (c *connection) unanswered(err error) error {
	if e, ok := errors.AsType[*failure](err); ok {
		return e
	}
	op, _ := errors.AsType[*net.OpError](err)
	switch {
	case errors.Is(err, os.ErrPermission):
		return no("you may not use %s: it belongs to the user that runs the server", c.at)
	case op != nil && op.Op == "dial" && c.start != "":
		return undecided("no server answers at %s; start one with: %s", c.at, c.start)
	case op != nil && op.Op == "dial":
		return undecided("no server answers at %s: %v", c.at, op.Err)
	case os.IsTimeout(err):
		return undecided("%s did not answer in time; what was asked for may have happened all the same", c.at)
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // without the URL, which holds ids
	}
	return undecided("%s broke off: %v; what was asked for may have happened all the same", c.at, err)
}
