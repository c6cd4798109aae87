// Package bearer lets those requests through to an http.Handler that carry a good
// API key, in the header Authorization: Bearer … (RFC 6750).
//
//	mux.Handle("/notes", bearer.Require(a, "read")(notes))
//
//	func notes(w http.ResponseWriter, r *http.Request) {
//		key, _ := bearer.From(r.Context()) // key.Subject is who asks
//
// It works on an Authority in the same process, and on a client of a server.
//
// # What is answered
//
//	400  more than one Authorization header, or one that is not well-formed
//	401  no token, or one that is not valid, for whatever reason
//	403  the key lacks a scope
//	429  the key was used as often as its Limit allows; Retry-After says until when
//	503  nothing could be decided, which is a refusal; Retry-After
//
// The body is one sentence. The cause goes to Config.Log and to nobody else.
//
// Where a key has a Limit, answers have the headers RateLimit and
// RateLimit-Policy, as in draft-ietf-httpapi-ratelimit-headers-11, for a policy of
// the name "key".
//
// # What is read
//
// That one header. A token in a query, a form or a cookie is not looked for: there
// it ends up in logs, and with cookies other sites could use it (RFC 6750,
// sections 2.3 and 5.3).
//
// # Caches
//
// A shared cache does not keep the answer to a request with Authorization unless
// that says so, by public, must-revalidate or s-maxage in Cache-Control (RFC 9111,
// section 3.5). Nothing of the kind is set here, and a handler should set none.
// Refusals have no-store.
package bearer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/keyfob-dev/keyfob"
)

// Errors for Config.Log, besides those of a verification.
var (
	// ErrNoToken: the request has no bearer token.
	ErrNoToken = errors.New("no bearer token")

	// ErrHeader: there are several Authorization headers, or one that is not
	// well-formed.
	ErrHeader = errors.New("wrong Authorization header")
)

// A Config says how requests are judged. Its zero value is what Require uses.
type Config struct {
	// Realm names what is protected, in WWW-Authenticate; empty is "api". It is
	// printable ASCII without double quote and backslash.
	Realm string

	// ClientIP returns the address that a request comes from, for keys that may be
	// used from some networks only; the zero Addr if it is not known. nil is the
	// address of the connection: behind a proxy, that is the proxy's, and ClientIP
	// has to take what that one says, and nothing that a client can set.
	ClientIP func(*http.Request) netip.Addr

	// Log is told why a request was refused: ErrNoToken, ErrHeader, an error with a
	// keyfob.Reason, or what kept a verification from being decided. nil: nobody is.
	Log func(r *http.Request, err error)
}

// Require returns middleware that lets those requests through whose key is good
// and has all of the scopes. It panics if a scope is none, as keyfob.CheckScope
// says, or is given twice.
func Require(a keyfob.Verbs, scopes ...string) func(http.Handler) http.Handler {
	return Config{}.Require(a, scopes...)
}

// Require is the function Require under this Config. It panics if the Realm is
// wrong, too.
func (c Config) Require(a keyfob.Verbs, scopes ...string) func(http.Handler) http.Handler {
	if c.Realm == "" {
		c.Realm = "api"
	}
	if strings.ContainsFunc(c.Realm, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
		panic("bearer: the Realm is not printable ASCII without double quote and backslash")
	}
	if c.ClientIP == nil {
		c.ClientIP = remoteAddr
	}
	if a == nil {
		panic("bearer: there is nothing to verify with; give an Authority or a client")
	}
	scopes = slices.Clone(scopes)
	for i, scope := range scopes {
		if err := keyfob.CheckScope(scope); err != nil {
			panic(fmt.Sprintf("bearer: %v", err))
		}
		if slices.Contains(scopes[:i], scope) {
			panic(fmt.Sprintf("bearer: the scope %q is given twice; give it once", scope))
		}
	}
	return func(next http.Handler) http.Handler {
		return &guard{config: c, verbs: a, scopes: scopes, next: next}
	}
}

// remoteAddr is the address of the connection; zero if that has none, as over a
// Unix socket.
func remoteAddr(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap().WithZone("")
}

// A guard stands before a handler.
type guard struct {
	config Config
	verbs  keyfob.Verbs
	scopes []string
	next   http.Handler
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, err := presented(r.Header["Authorization"])
	var verdict keyfob.Verdict
	if err == nil {
		verdict, err = g.verbs.Judge(r.Context(), text, keyfob.Check{Scopes: g.scopes, IP: g.config.ClientIP(r)})
	}
	announce(w.Header(), verdict.Meter)
	if err != nil {
		if g.config.Log != nil {
			g.config.Log(r, err)
		}
		g.refuse(w, err, verdict.Meter)
		return
	}
	g.next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), identityKey{}, &verdict.Credential)))
}

type identityKey struct{}

// From returns the key that a request was let through with, from the request's
// context; its one version is the one that was presented. The second result is
// false if no middleware of this package was passed.
func From(ctx context.Context) (keyfob.Credential, bool) {
	c, ok := ctx.Value(identityKey{}).(*keyfob.Credential)
	if !ok {
		return keyfob.Credential{}, false
	}
	return *c, true
}
