package client

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// An address is where the server is.
type address struct {
	base   url.URL
	socket string // path; empty: none
}

// parseAddress reads Config.URL. Errors do not repeat it: it may hold a password.
func parseAddress(text string, plainHTTP bool) (address, error) {
	const field = "Config.URL"
	if path, ok := strings.CutPrefix(text, "unix://"); ok {
		if !filepath.IsAbs(path) {
			return address{}, badInput(field, "does not name a socket; give its whole path, as unix:///run/keyfob/keyfob.sock")
		}
		return address{base: url.URL{Scheme: "http", Host: "localhost"}, socket: path}, nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return address{}, badInput(field, "is not a server's address; give one as https://keyfob.example.com")
	case u.User != nil:
		return address{}, badInput(field, "holds a user name or a password; leave that out, and give a token in Config.Token")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return address{}, badInput(field, "has a ? or a #; give the server's address alone, as https://keyfob.example.com")
	case u.RawPath != "":
		return address{}, badInput(field, "has an escape in its path; give one without")
	case u.Scheme == "http" && !plainHTTP && !isLoopback(u.Hostname()):
		return address{}, badInput(field, "is plain http to another machine, where a token could be read on its way; give an https address")
	}
	return address{base: url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimSuffix(u.Path, "/")}}, nil
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// transport is the Client's own.
func (a address) transport(plainHTTP bool) *http.Transport {
	t := &http.Transport{
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        90 * time.Second,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
	}
	switch {
	case a.socket != "":
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", a.socket)
		}
	case a.base.Scheme == "https":
		t.Proxy = http.ProxyFromEnvironment
	case !plainHTTP:
		t.DialContext = (&net.Dialer{ControlContext: onlyLoopback}).DialContext
	}
	return t
}

// onlyLoopback refuses to connect to another machine, to which localhost may lead
// in a system that was set up wrongly.
func onlyLoopback(_ context.Context, _, address string, _ syscall.RawConn) error {
	if host, _, err := net.SplitHostPort(address); err != nil || !isLoopback(host) {
		return errors.New("Config.URL is plain http and leads to another machine; give an https address")
	}
	return nil
}

// isSpaceName tells what can be a space's name, and so be part of a URL. A token
// cannot: it has a _.
func isSpaceName(name string) bool {
	if name == "" || len(name) > 63 {
		return false
	}
	for i, b := range []byte(name) {
		letter := 'a' <= b && b <= 'z'
		inside := i > 0 && ('0' <= b && b <= '9' || b == '-' && i < len(name)-1)
		if !letter && !inside {
			return false
		}
	}
	return true
}
