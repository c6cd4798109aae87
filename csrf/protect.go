package csrf

import (
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"time"
)

// Causes of a refusal by Protect, for Protection.Refused, besides [ErrMalformed],
// [ErrMismatch], [ErrExpired], [ErrFuture] and [ErrID], which are the token's or its
// session's. They are wrapped, and no error repeats what the request holds.
var (
	// ErrCrossOrigin: the request does not come from the application's own origin, or
	// does not say where it comes from.
	ErrCrossOrigin = errors.New("cross-origin request")

	// ErrNoToken: there is no token in the header, nor in a form.
	ErrNoToken = errors.New("no token")

	// ErrForm: the form that should hold the token is too large, or not well-formed.
	ErrForm = errors.New("wrong form")

	// ErrCookie: there is no session, and not exactly one cookie of a pre-session.
	ErrCookie = errors.New("no session, and no cookie of a pre-session")
)

// Defaults of a Protection.
const (
	DefaultHeader  = "X-CSRF-Token"
	DefaultField   = "csrf_token"
	DefaultMaxForm = 1 << 20
)

// A Protection says what Protect does. Its zero value lacks Keys only.
type Protection struct {
	// Keys make tokens, which the first does, and check them, which all do. To replace
	// a key, put the new one first, and take the old one out when its tokens have
	// ended. Required.
	Keys []Key

	// Session returns what tokens of a request are bound to: an id that changes with
	// each sign-in, such as that of the session's version. It is empty where there is
	// no session, and then they are bound to a pre-session. nil: there never is one.
	Session func(*http.Request) string

	// Origins are the application's own, whole: https://app.example, with the port
	// where it is not the scheme's; http on a loopback host alone. They are what
	// browsers see, also where a proxy ends TLS or changes Host. None: the request's
	// own, of its connection and its Host.
	Origins []string

	// Exempt are patterns of http.ServeMux of requests that are let through without
	// any check. Each begins with its method.
	Exempt []string

	// Header and Field are where a token is looked for; empty is DefaultHeader and
	// DefaultField.
	Header, Field string

	// MaxForm is how many bytes a form may have that is read for its field; 0 is
	// DefaultMaxForm.
	MaxForm int64

	// Refused answers a request that is refused, whose cause it is told; nil is 403
	// and one sentence. An answer of its own should tell no more.
	Refused func(w http.ResponseWriter, r *http.Request, err error)

	// Log is told each exemption once, when Protect is called; nil is slog.Default.
	Log *slog.Logger

	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// A Guard lets those requests through that change nothing, by their method, and those
// that come from the application's own pages. It is safe for concurrent use.
//
// Handlers are given it, to make tokens with: a request that is let through is passed on
// as it came, and nothing about it is kept.
type Guard struct {
	protection Protection
	header     string         // as net/http spells it
	exempt     *http.ServeMux // nil: nothing is
}

// Protect returns the Guard of a Protection. It panics if a field of that is wrong.
func Protect(p Protection) *Guard {
	if len(p.Keys) == 0 || slices.ContainsFunc(p.Keys, func(k Key) bool { return k.keyed == nil }) {
		panic("csrf: Protection.Keys needs keys, each from NewKey")
	}
	if p.Header == "" {
		p.Header = DefaultHeader
	}
	if p.Field == "" {
		p.Field = DefaultField
	}
	if !isName(p.Header) || !isName(p.Field) {
		panic("csrf: Protection.Header and Field are names of letters, digits, - and _")
	}
	if p.MaxForm < 0 {
		panic(fmt.Sprintf("csrf: Protection.MaxForm is %d; it is positive, or 0 for %d bytes", p.MaxForm, DefaultMaxForm))
	}
	if p.MaxForm == 0 {
		p.MaxForm = DefaultMaxForm
	}
	for _, origin := range p.Origins {
		checkOrigin(origin)
	}
	if p.Refused == nil {
		p.Refused = refuse
	}
	if p.Log == nil {
		p.Log = slog.Default()
	}
	if p.Now == nil {
		p.Now = time.Now
	}
	p.Keys, p.Origins = slices.Clone(p.Keys), slices.Clone(p.Origins)
	return &Guard{protection: p, header: textproto.CanonicalMIMEHeaderKey(p.Header), exempt: exemptions(p.Exempt, p.Log)}
}

func isName(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letter && r != '-' && r != '_'
	})
}

// refuse is what a refused request is answered with.
func refuse(w http.ResponseWriter, _ *http.Request, _ error) {
	http.Error(w, "This request cannot be accepted; load the page again, and send it once more.", http.StatusForbidden)
}

// Handler puts the Guard before a handler. It stands behind what puts the session into
// the request, and within http.TimeoutHandler and the like, which write answers of
// their own.
func (g *Guard) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := g.check(w, r); err != nil {
			w.Header().Set("Cache-Control", "no-store")
			g.protection.Refused(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// check says why a request is refused.
func (g *Guard) check(w http.ResponseWriter, r *http.Request) error {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return nil
	}
	err := g.checkSource(r)
	tokens := r.Header[g.header]
	if err == nil && len(tokens) > 0 {
		if err = g.checkTokens(r, tokens); err == nil {
			return nil
		}
	}
	// What is exempt keeps its body, so this comes before the form.
	if g.isExempt(r) {
		return nil
	}
	if err != nil {
		return err
	}
	if tokens, err = g.formTokens(w, r); err != nil {
		return err
	}
	return g.checkTokens(r, tokens)
}

// checkTokens says whether there is one token, and the request's session has it.
func (g *Guard) checkTokens(r *http.Request, tokens []string) error {
	if len(tokens) != 1 {
		return fmt.Errorf("%w: there are %d tokens", ErrMalformed, len(tokens))
	}
	word, id, err := g.bindingOf(r)
	if err != nil {
		return err
	}
	now := g.protection.Now()
	for _, k := range g.protection.Keys {
		if err = k.checkFor(word, id, tokens[0], now); !errors.Is(err, ErrMismatch) {
			return err
		}
	}
	return err
}

// formTokens reads the body, if it is a form, and returns the values of the field.
// Errors of the parsers are not wrapped, since they quote what they read.
func (g *Guard) formTokens(w http.ResponseWriter, r *http.Request) ([]string, error) {
	media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";") // the rest is the parsers' business
	media = strings.ToLower(strings.Trim(media, " \t"))
	var err error
	switch media {
	case "application/x-www-form-urlencoded":
		r.Body = http.MaxBytesReader(w, r.Body, g.protection.MaxForm)
		err = r.ParseForm()
	case "multipart/form-data":
		r.Body = http.MaxBytesReader(w, r.Body, g.protection.MaxForm)
		err = r.ParseMultipartForm(g.protection.MaxForm) // so no part is larger than what may be in memory
	default:
		return nil, fmt.Errorf("%w: neither the header %s, nor a form", ErrNoToken, g.protection.Header)
	}
	var tooLarge *http.MaxBytesError
	switch tokens := r.PostForm[g.protection.Field]; {
	case errors.As(err, &tooLarge):
		return nil, fmt.Errorf("%w: it has more than %d bytes; send the token in the header %s", ErrForm, g.protection.MaxForm, g.protection.Header)
	case err != nil:
		return nil, fmt.Errorf("%w: it is not well-formed %s, or its query is not", ErrForm, media)
	case len(tokens) == 0:
		return nil, fmt.Errorf("%w: neither the header %s, nor the field %s", ErrNoToken, g.protection.Header, g.protection.Field)
	default:
		return tokens, nil
	}
}

// Token returns a new token for the session of the request, to be sent in the header.
// Where there is no session it begins a pre-session, with a cookie: it has to be called
// before anything is written to w, and by the handler's own goroutine. The error wraps
// [ErrID] or [ErrTime].
func (g *Guard) Token(w http.ResponseWriter, r *http.Request) (string, error) {
	word, id, err := g.bindingOf(r)
	if err != nil {
		word, id = ofPresession, begin(w)
	}
	if h := w.Header(); h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	return g.protection.Keys[0].newFor(word, id, g.protection.Now())
}

// Field is Token as a hidden field of a form, in HTML.
func (g *Guard) Field(w http.ResponseWriter, r *http.Request) (template.HTML, error) {
	token, err := g.Token(w, r)
	if err != nil {
		return "", err
	}
	// Neither of the two has a character that HTML knows.
	return template.HTML(`<input type="hidden" name="` + g.protection.Field + `" value="` + token + `">`), nil
}
