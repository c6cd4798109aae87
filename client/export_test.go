package client

import (
	"context"
	"net/http"
	"time"
)

// Since is the age of what is kept.
var Since = since

// TransportOf is the transport of a Client of a URL.
func TransportOf(text string, plainHTTP bool) (*http.Transport, error) {
	at, err := parseAddress(text, plainHTTP)
	return at.transport(plainHTTP), err
}

// Sleep has the Client wait by the function.
func (c *Client) Sleep(f func(ctx context.Context, d time.Duration) error) { c.sleep = f }

// Cached is how many verdicts are kept.
func (c *Client) Cached() int { return len(c.cache.young) + len(c.cache.old) }

// Problems are the types of problem that are known, and whether one says that
// nothing was done.
func Problems() map[string]error {
	known := map[string]error{}
	for name, p := range problems {
		known[name] = p.err
	}
	return known
}

// Reasons are the reasons that are known.
func Reasons() map[string]error { return reasons }

// OnlyLoopback is what judges where plain HTTP connects to.
func OnlyLoopback(address string) error {
	return onlyLoopback(context.Background(), "tcp", address, nil)
}
