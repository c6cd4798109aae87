// Package session keeps who has signed in to a web application, in one cookie.
//
//	sessions := session.New(a, session.Config{}) // a is an Authority, or a client of a server
//	mux.Handle("/account", session.Require(account))
//	http.ListenAndServe(addr, sessions.Handler(mux))
//
//	func signIn(w http.ResponseWriter, r *http.Request) {
//		… // the password is right
//		err := session.SignIn(w, r, session.User{Subject: "alice"})
//	}
//
//	func account(w http.ResponseWriter, r *http.Request) {
//		fmt.Fprintf(w, "hello %s", session.Subject(r))
//	}
//
// [Sessions.Handler] reads the cookie once a request, and verifies it. All else are
// functions on the request. Those that may set the cookie take w as well, and are
// called before the body is begun: no http.ResponseWriter is wrapped, so that
// streams, http.ResponseController and whatever else a server's can do work as
// without this package. Outside of Handler there is no session, and errors are
// [ErrNoHandler].
//
// # What a request is let be
//
// The subject of a session that is good; or nobody: without a cookie, with two of
// the name, with one that is no token, and with a session that has ended, however
// it did. When nothing could be decided the answer is 503, by Config.Failed, and the
// handler is not called. Why a cookie was not accepted goes to Config.Log and to
// nobody else.
//
// A cookie that is not accepted is not deleted: by the time that the answer comes,
// the browser may have another one, of a tab that was faster.
//
// # The cookie
//
// Its name begins with __Host-, it is Secure, HttpOnly, of the path / and
// SameSite=Lax unless Config says Strict. So it is sent over TLS only (and to
// localhost, by most browsers), only this very host can have set it, no script reads
// it, and no form or image of another site sends it. It ends with the browser, but
// for a user who is to be remembered: then it ends with the session.
//
// It holds a secret of 256 bits and nothing else. What the application keeps in a
// session ([Attribute]) stays with the Authority.
//
// # Sign in, sign out
//
// [SignIn] is always a new session with a new secret, and ends the one that the
// request had: whoever planted a cookie in a browser, or had stolen it before,
// has nothing of what comes after. Attributes are kept of a session of nobody and of
// the same subject, and of no other.
//
// When [SignOut] returns nil, the session has ended on every store that it is
// verified on, whatever is in flight: no request that began earlier brings it back.
// [Renew] gives a session a new secret; call it when somebody has proved a second
// factor. After a change of the password call [SignOutEverywhere] and then SignIn.
//
// # Sign-ins in flight
//
// Who types a stolen password while its owner resets it must not have a session
// after that. So a sign-in counts from when its request arrived, and is refused with
// keyfob.ErrConflict if the subject was signed out everywhere since then. Where it
// takes several requests, as with a second factor, keep [Arrived] of the first in
// an Attribute, and give it to SignIn as User.Since. Times are compared with the
// Authority's: where that one is on another machine, their clocks should agree to
// less than the second that a reset takes. An Authority whose clock is behind the
// other refuses a bit too much; one that is ahead nothing that it should not.
//
// # Caches
//
// Every answer has Vary: Cookie, so put what is the same for all, such as images,
// outside of Handler. Answers that set the cookie, and those of [Require], have
// Cache-Control: no-store. Chromium keeps such a page for the button Back as well,
// but only as long as no cookie changes that scripts cannot read; SignOut deletes
// one, and so Back asks anew. After an end from elsewhere the last page may still be
// shown, until something is asked for. SignOut does not send Clear-Site-Data, at
// which some browsers take seconds.
//
// # Other sites
//
// SameSite keeps most of what other sites make a browser send from being signed in,
// and package csrf the rest: [Binding] is what its tokens are bound to. The form for
// signing in, before there is a session, has them bound to a cookie of package csrf.
package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/token"
)

var (
	// ErrNoHandler is returned for a request that did not come through
	// Sessions.Handler.
	ErrNoHandler = errors.New("session: the request did not come through Handler; wrap the mux in it")

	// ErrNobody is returned by what needs a session, where there is none.
	ErrNobody = errors.New("session: there is no session; sign in first")
)

// Errors for Config.Log, besides those of a verification.
var (
	// ErrTwice: the request has several cookies of the name. SignOut returns it as well.
	ErrTwice = errors.New("session: the cookie came twice")

	// ErrTooLong: the cookie is longer than any token.
	ErrTooLong = errors.New("session: the cookie is longer than any token")
)

// A Config says how sessions reach the browser. Its zero value is good.
type Config struct {
	// Name of the cookie, after __Host-; empty is "session". It has up to 64 of
	// a-z, A-Z, 0-9, "-" and "_". Applications of one host need different names.
	Name string

	// SameSite of the cookie: Lax, which is the default, or Strict, with which links
	// from elsewhere lead to a page where nobody has signed in. Such a page must not
	// call Start or write an attribute: that sets a cookie in the place of the one which
	// the browser has and did not send.
	SameSite http.SameSite

	// SignIn is the path or the https URL that Require sends browsers to, with 303.
	// Empty: it answers 401.
	SignIn string

	// ClientIP returns the address that a request comes from, for the record of what
	// sessions were used from; the zero Addr if it is not known. nil is the address
	// of the connection: behind a proxy, that is the proxy's, and ClientIP has to take
	// what that one says, and nothing that a client can set.
	ClientIP func(*http.Request) netip.Addr

	// Log is told why a cookie was not accepted: ErrTwice, ErrTooLong, an error with a
	// keyfob.Reason, or what kept it from being decided. nil: nobody is.
	Log func(r *http.Request, err error)

	// Failed answers requests of which nothing could be decided, with status 503;
	// Retry-After and Cache-Control are set already. nil answers one sentence.
	Failed http.Handler

	// Now tells when a request arrived; nil is time.Now. Give it the clock of the
	// Authority, where that has one of its own.
	Now func() time.Time
}

// Sessions are those of one application. It is safe for concurrent use.
type Sessions struct {
	verbs  keyfob.Verbs
	config Config
	cookie string // its whole name
}

// New returns the Sessions that a, an *keyfob.Authority or a *client.Client, issues
// and verifies. A client needs the caller scopes issue, verify, read and revoke of
// its space. It panics if the config is wrong.
func New(a keyfob.Verbs, config Config) *Sessions {
	if a == nil {
		panic("session: there is nothing to verify with; give an Authority or a client")
	}
	if config.Name == "" {
		config.Name = "session"
	}
	if len(config.Name) > 64 || strings.ContainsFunc(config.Name, notInName) {
		panic("session: Config.Name is not up to 64 of a-z, A-Z, 0-9, - and _")
	}
	switch config.SameSite {
	case 0:
		config.SameSite = http.SameSiteLaxMode
	case http.SameSiteLaxMode, http.SameSiteStrictMode:
	default:
		panic("session: Config.SameSite is neither Lax nor Strict; with anything else other sites use a session as they like")
	}
	if config.SignIn != "" && !isTarget(config.SignIn) {
		panic("session: Config.SignIn is neither a path such as /sign-in nor an https URL")
	}
	if config.ClientIP == nil {
		config.ClientIP = remoteAddr
	}
	if config.Failed == nil {
		config.Failed = http.HandlerFunc(failed)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Sessions{verbs: a, config: config, cookie: "__Host-" + config.Name}
}

func notInName(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_')
}

// isTarget reports whether browsers may be sent there: nowhere but to this host, or
// to where the scheme is written out.
func isTarget(text string) bool {
	u, err := url.Parse(text)
	if err != nil || strings.Contains(text, `\`) {
		return false
	}
	// To browsers /// is the same as //, and a host comes after it.
	isPath := strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//")
	return u.Scheme == "https" && u.Host != "" || u.Scheme == "" && u.Host == "" && isPath
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

func failed(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "Whether you have signed in cannot be decided now; try again later.", http.StatusServiceUnavailable)
}

// Handler returns a handler whose requests have a session, where their cookie is
// that of one; see the package comment.
func (s *Sessions) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		st := &state{sessions: s, arrived: s.config.Now()}
		w.Header().Add("Vary", "Cookie")
		if err := st.verify(r); err != nil {
			if s.config.Log != nil {
				s.config.Log(r, err)
			}
			if !isVerdict(err) {
				w.Header().Set("Retry-After", "1")
				w.Header().Set("Cache-Control", "no-store")
				s.config.Failed.ServeHTTP(w, r)
				return
			}
			st.twice = err == ErrTwice
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), stateKey{}, st)))
	})
}

// verify looks for the session whose cookie a request has. Without a cookie there
// is none, and no error.
func (s *state) verify(r *http.Request) error {
	text, err := presented(r.Header["Cookie"], s.sessions.cookie)
	if err != nil || text == "" {
		return err
	}
	check := keyfob.Check{Kind: keyfob.KindSession, IP: s.sessions.config.ClientIP(r)}
	c, err := s.sessions.verbs.Verify(r.Context(), text, check)
	if err == nil {
		s.current.Store(&c)
		return nil
	}
	if errors.Is(err, keyfob.ErrInvalid) && errors.Is(err, keyfob.ErrReplaced) {
		if t, err := token.Parse(text); err == nil {
			s.replaced = t.ID()
		}
	}
	return fmt.Errorf("session: %w", err)
}

// isVerdict reports whether an error says that a cookie is not good, and not that
// this is not known.
func isVerdict(err error) bool {
	return errors.Is(err, keyfob.ErrInvalid) || err == ErrTwice || err == ErrTooLong
}
