// Package client is keyfob's API for Go programs that are not the server: the
// verbs of a keyfob.Authority, with the same arguments, answers and errors.
//
//	c, err := client.New(client.Config{URL: "https://keyfob.example.com", TokenFile: "/run/secrets/keyfob"})
//
//	k, err := c.Issue(ctx, keyfob.APIKey{Subject: "alice", Scopes: []string{"read"}})
//	v, err := c.Verify(ctx, text, keyfob.Check{Scopes: []string{"read"}}) // errors.Is(err, keyfob.ErrExpired)
//	l, err := c.Redeem(ctx, keyfob.Attempt{Kind: keyfob.KindLink, Secret: secret, Purpose: "password-reset"})
//
// # Errors
//
// What the server refuses is the error that an Authority would return: test with
// errors.Is and keyfob.Reason. Without an answer it is keyfob.ErrUnavailable, and
// as with every error that does not wrap keyfob.ErrInvalid, nothing was decided.
// Three concern the client itself: [ErrUnauthenticated], [ErrForbidden] and
// [ErrServer]. No error holds a token, nor a URL.
//
// # Tries
//
// A call that failed is made again, after a moment or after as long as the server
// asks for, where that is safe: when it cannot have reached the server; when it
// only reads, verifies, inspects or revokes; when it is Issue, Rotate or Renew, which go with an
// idempotency key: the context's (keyfob.WithIdempotencyKey), or one that is drawn
// for the call; but not beyond nine minutes, for the server keeps its answer for ten.
// Redeem and Confirm are not made again once they may have reached the server: the
// secret may be consumed, and a second try would find it redeemed, or be another
// guess. Nor is RevokeSubject: a second try would end as well what was issued since
// the first. Whoever verifies a credential with Uses should know that a lost answer may
// so cost a second use.
//
// # Tokens
//
// The caller's own token goes to the URL that it was given for and to no other: no
// redirect is followed, and plain HTTP stays on this machine unless
// Config.PlainHTTP is set. Events name its key as the actor, whatever
// keyfob.WithActor says. What is presented to be verified goes into the body of
// a request, if it has the form of a keyed token, or, for Redeem and Confirm, could
// be such a code; other text goes nowhere and is keyfob.ErrMalformed.
package client

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/keyfob-dev/keyfob"
)

// A Config says which server a Client asks, and how.
type Config struct {
	// URL is the server's: https://keyfob.example.com, http://127.0.0.1:7420 or, for
	// its Unix socket, unix:///path/to/keyfob.sock. Required.
	URL string

	// Token is what the server knows this program by, a key of its space keyfob, and
	// TokenFile the path of a file with one, which is read again when the server does
	// not accept the token any more: so it can be rotated. One of the two is
	// required, but for a Unix socket.
	Token     keyfob.Secret
	TokenFile string

	// Space is the name of the one to work in; empty is keyfob.DefaultSpace.
	Space string

	// PlainHTTP allows http to another machine, with whoever is on the way reading
	// along. It is for networks that encrypt by themselves.
	PlainHTTP bool

	// Transport carries the requests, for instance one with a certificate authority
	// of your own; nil is one of the Client's. It cannot be set for a Unix socket.
	Transport http.RoundTripper

	// Timeout is how long a call may take with all its tries; 0 is 10 seconds.
	Timeout time.Duration

	// Retries is how often a call that failed is made again, if that is safe; 0 is 2,
	// negative is never.
	Retries int

	// MaxStaleness allows a cache of verdicts: how old the knowledge may be that a
	// verification is decided on, up to a minute, the server's own part included.
	// Where the server's own bound is longer, its verdicts may be older, and those
	// are not kept. Kept are API keys that were accepted, by the SHA-256 of their token,
	// and none whose Uses or Limit count each use. Sessions are not kept: the server is
	// to learn that they are used, and a logout counts at once. What this Client
	// changes, it knows at once. 0: no cache.
	MaxStaleness time.Duration

	// CacheSize is of how many tokens verdicts are kept; 0 is 10,000.
	CacheSize int

	// Now tells the time, for the cache; nil is time.Now.
	Now func() time.Time
}

// A Client has the verbs. It works in one space; In gives one for another space.
// It is safe for concurrent use, and prints without its token.
type Client struct {
	*core
	space string // name
}

var _ keyfob.Verbs = (*Client)(nil)

// core is what the Clients of all spaces share.
type core struct {
	url       string // for people
	base      url.URL
	transport http.RoundTripper
	caller    *caller
	timeout   time.Duration
	tries     int
	cache     *cache // nil: none
	now       func() time.Time
	sleep     func(ctx context.Context, d time.Duration) error
}

// New makes a Client. Nothing is sent yet. The error is a *keyfob.InputError.
func New(config Config) (*Client, error) {
	if err := config.setDefaults(); err != nil {
		return nil, err
	}
	at, err := parseAddress(config.URL, config.PlainHTTP)
	if err != nil {
		return nil, err
	}
	if at.socket != "" && config.Transport != nil {
		return nil, badInput("Config.Transport", "is set, and would not find the Unix socket of Config.URL; leave one out")
	}
	caller, err := newCaller(config.Token, config.TokenFile, at.socket != "")
	if err != nil {
		return nil, err
	}
	c := &core{
		url: config.URL, base: at.base, transport: config.Transport, caller: caller,
		timeout: config.Timeout, tries: 1 + config.Retries, now: config.Now, sleep: sleep,
	}
	if c.transport == nil {
		c.transport = at.transport(config.PlainHTTP)
	}
	if config.MaxStaleness > 0 {
		c.cache = newCache(config.CacheSize, config.MaxStaleness)
	}
	return &Client{core: c, space: config.Space}, nil
}

// setDefaults fills in what is zero, and refuses what is wrong.
func (c *Config) setDefaults() error {
	if c.Space == "" {
		c.Space = keyfob.DefaultSpace
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	if c.Retries == 0 {
		c.Retries = 2
	}
	c.Retries = max(c.Retries, 0)
	if c.CacheSize == 0 {
		c.CacheSize = 10_000
	}
	switch {
	case !isSpaceName(c.Space):
		return badInput("Config.Space", "is not a space's name: 1 to 63 of a-z, 0-9 and -, first a letter, last not -")
	case c.Timeout < 0:
		return badInput("Config.Timeout", "is negative; give a time, or 0 for 10 seconds")
	case c.MaxStaleness < 0 || c.MaxStaleness > time.Minute:
		return badInput("Config.MaxStaleness", "is %v; it is at most a minute, or 0 for no cache", c.MaxStaleness)
	case c.CacheSize < 0:
		return badInput("Config.CacheSize", "is negative; for no cache set MaxStaleness to 0")
	}
	return nil
}

func badInput(field, format string, args ...any) error {
	return &keyfob.InputError{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// In returns a Client for the space of that name. A space that does not exist is
// found out by its first verb, with keyfob.ErrSpace.
func (c *Client) In(space string) *Client { return &Client{core: c.core, space: space} }

// String returns the Client's URL and space.
func (c *Client) String() string { return "keyfob client of " + c.url + ", space " + c.space }

// GoString returns what String does.
func (c *Client) GoString() string { return c.String() }

// Format writes what String returns, whatever the verb.
func (c *Client) Format(f fmt.State, verb rune) { io.WriteString(f, c.String()) }

// MarshalText returns what String does.
func (c *Client) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// LogValue returns what String does.
func (c *Client) LogValue() slog.Value { return slog.StringValue(c.String()) }
