package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-faster/jx"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/random"
	"github.com/keyfob-dev/keyfob/token"
)

// Bounds of answers, in bytes.
const (
	maxAnswer = 1 << 20  // of one thing
	maxPage   = 64 << 20 // of many
)

// keyLife is for how long after the first try an idempotency key makes another one
// safe: a server keeps its answer for ten minutes.
const keyLife = 9 * time.Minute

// A call is one request, and the answer that it wants.
type call struct {
	method string
	path   string // below the base; holds nothing that is not checked
	query  url.Values
	in     interface{ MarshalJSON() ([]byte, error) } // nil: no body
	out    interface{ Decode(*jx.Decoder) error }
	status int   // of success
	most   int64 // bytes of the answer; 0: maxAnswer

	again bool // to do it twice does no harm
	once  bool // it takes an idempotency key
}

// A failure is why a try brought nothing.
type failure struct {
	error
	later  bool          // another try may bring something
	undone bool          // the server did nothing
	after  time.Duration // what it asks to wait
}

// do makes a call, and makes it again where that is safe.
func (c *core) do(ctx context.Context, k call) error {
	var body []byte
	if k.in != nil {
		var err error
		if body, err = k.in.MarshalJSON(); err != nil {
			return fmt.Errorf("encode the request: %w", err)
		}
	}
	key, err := k.key(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	began, refreshed := time.Now(), false
	for n := 1; ; n++ {
		authorization := c.caller.authorization()
		f := c.try(ctx, k, body, authorization, key)
		switch {
		case f == nil:
			return nil
		case errors.Is(f.error, ErrUnauthenticated) && !refreshed && c.caller.refresh(authorization):
			refreshed, n = true, n-1
			continue
		case n >= c.tries || !f.later:
			return f.error
		}
		wait := max(backoff(n), f.after)
		if keyed := key != "" && time.Since(began)+wait < keyLife; !f.undone && !k.again && !keyed {
			return f.error
		}
		if end, ok := ctx.Deadline(); ok && time.Until(end) < wait {
			return f.error
		}
		if c.sleep(ctx, wait) != nil {
			return f.error
		}
	}
}

// key is the idempotency key that goes with a call: the context's, or one of its
// own, so that it can be made again. Empty: it takes none.
func (k *call) key(ctx context.Context) (string, error) {
	if !k.once {
		return "", nil
	}
	if key, ok := keyfob.IdempotencyKey(ctx); ok {
		return key, keyfob.CheckIdempotencyKey(key)
	}
	return token.Random(), nil
}

// backoff is how long to wait after the n-th try: longer each time, up to some
// seconds, and not all clients the same.
func backoff(n int) time.Duration {
	most := 100 << min(n, 6) // milliseconds
	return time.Duration(most/2+random.Int(most/2)) * time.Millisecond
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// try sends the request once. It goes to the transport and not through an
// http.Client, so that nothing follows a redirect.
func (c *core) try(ctx context.Context, k call, body []byte, authorization, key string) *failure {
	resp, err := c.transport.RoundTrip(c.request(ctx, k, body, authorization, key))
	if err != nil {
		return unanswered(err)
	}
	defer resp.Body.Close()
	most := k.most
	if most == 0 {
		most = maxAnswer
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err != nil {
		return unanswered(err)
	}
	if int64(len(text)) > most {
		return &failure{error: fmt.Errorf("%w: its answer has more than %d bytes; ask for less at once", ErrServer, most)}
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case resp.StatusCode == k.status && kind == "application/json":
		d := jx.DecodeBytes(text)
		if err := k.out.Decode(d); err != nil || d.Skip() != io.EOF {
			// The error may hold the answer, and that a secret.
			return &failure{error: fmt.Errorf("%w: its answer cannot be read", ErrServer)}
		}
		return nil
	case kind == "application/problem+json":
		return problemOf(resp, text)
	default:
		return foreign(resp)
	}
}

func (c *core) request(ctx context.Context, k call, body []byte, authorization, key string) *http.Request {
	u := c.base
	u.Path += k.path
	u.RawQuery = k.query.Encode()
	r := (&http.Request{
		Method: k.method, URL: &u, Host: u.Host, Header: http.Header{"Accept": {"application/json"}},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	if authorization != "" {
		r.Header["Authorization"] = []string{authorization}
	}
	if key != "" {
		r.Header["Idempotency-Key"] = []string{key}
	}
	if k.in != nil {
		r.Header["Content-Type"] = []string{"application/json"}
		r.ContentLength = int64(len(body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		r.Body, _ = r.GetBody()
	}
	return r
}

// unanswered is the failure of a request that got no answer, or half of one.
func unanswered(err error) *failure {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // without the URL, which holds ids
	}
	op, ok := errors.AsType[*net.OpError](err)
	return &failure{
		error:  fmt.Errorf("%w: no answer of the server: %w", keyfob.ErrUnavailable, err),
		later:  true,
		undone: ok && op.Op == "dial",
	}
}

// retryAfter reads the header of that name (RFC 9110, section 10.2.3), as far as
// it is in seconds.
func retryAfter(h http.Header) time.Duration {
	n, err := strconv.ParseUint(h.Get("Retry-After"), 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}
