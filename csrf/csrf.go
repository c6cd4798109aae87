// Package csrf protects a web application from cross-site request forgery: that another
// site's page has the browser of somebody who is signed in send a request that changes
// something, with their cookies.
//
//	key, err := csrf.NewKey(secret, csrf.Config{})
//
//	protect := csrf.Protect(csrf.Protection{
//		Keys:    []csrf.Key{key},
//		Session: session.Binding, // or another id that changes with each sign-in
//		Exempt:  []string{"POST /hooks/pay"},
//	})
//	http.ListenAndServe(addr, sessions.Handler(protect.Handler(mux)))
//
//	field, err := protect.Field(w, r) // a hidden field, into each form
//	token, err := protect.Token(w, r) // for scripts, which send it as X-CSRF-Token
//
// A [Guard] lets GET, HEAD and OPTIONS through, which must change nothing (RFC 9110,
// section 9.2.1), and with them the handshakes of WebSockets, whose handlers compare
// Origin themselves. Every other request, whatever its method, has to come from the
// application's own origin and to carry a token. What is refused gets 403 and one
// sentence, the same for all causes; the cause goes to Protection.Refused.
//
// # Own origin
//
// A browser says where a request comes from in Sec-Fetch-Site (Fetch Metadata Request
// Headers, W3C) and in Origin (RFC 6454, section 7). No page can change either.
//
//	Sec-Fetch-Site  same-origin or none; no other value, and not two of them
//	Origin          the application's own: scheme, host and port, in the one
//	                spelling that browsers send; not null, and not two of them
//	neither         refused
//
// One of the two may be missing, and what is there has to be right. none stands for
// what users do with the browser itself, such as typing an address; it is never what
// a page does. same-site is refused: a sibling below the same domain is another
// application.
//
// Referer is not looked at. Pages can leave it out, and all browsers of the last years
// send Origin with what is protected here. Programs that are no browsers send none of
// them; their routes take API keys and no cookies, and stand outside of it.
//
// A page with Referrer-Policy: no-referrer sends its forms with Origin: null, which
// anybody can have sent. Pages with forms have same-origin or
// strict-origin-when-cross-origin.
//
// The own origin is that of the request, with https where the connection is TLS. Behind
// a proxy that ends TLS it has to be told, in Protection.Origins; no header is believed.
//
// # Token
//
// It comes in the header X-CSRF-Token; if that is not there, in the field csrf_token of
// a form of at most 1 MiB, and never in the query, which gets into logs. With the header
// the body is left alone: larger uploads, and handlers that read the body themselves,
// need it. A form that was read for its field is in r.PostForm, r.Form and
// r.MultipartForm, and the body is at its end; nothing of it goes to a disk.
//
// A token is bound to the session. Where there is none, as before the form to sign in,
// it is bound to a random value in the cookie __Host-csrf, a pre-session, which other
// hosts cannot set (RFC 6265bis, section 4.1.3.2). [Guard.Token] and [Guard.Field] set that cookie
// when they are called, so call them before anything is written. Tokens of a session
// serve in no pre-session, nor those of one in a session. Without the cookie there was no
// page with a form; two of them, or one of another form, are somebody's attempt, and
// refused.
//
// An answer with a token is of one browser: Token and Field say Cache-Control: no-store
// where the handler has said nothing. A handler may let the browser keep it, and has to
// keep it from caches that are shared.
//
// # Exemptions
//
// A request that matches a pattern of Protection.Exempt is not looked at, and its body
// not read: for callers that prove who they are in another way, such as hooks with a
// signature. Each pattern names its method, and is logged when the program starts. It
// matches the path as it was sent: not one that would be cleaned or redirected to it,
// and none with escapes that it does not need. (The same was repaired in Go's own
// protection as CVE-2025-47910.)
//
// # Tokens alone
//
// [Key] makes and checks tokens for programs without net/http, or with protection of
// their own:
//
//	token, err := key.New(sessionID, time.Now())       // into the form
//	err = key.Check(sessionID, presented, time.Now())  // when the form comes back
//
// A page of another site can send the request, but cannot read the form, and so does
// not know a token. A handler calls Check before every request that changes something,
// and refuses it upon any error.
//
// # What a token is bound to
//
// To an id, which the token does not show: that of the session, best one that changes
// with each sign-in and sign-out, so that tokens end with it. A token of one session
// is worth nothing in another. For more than that, such as a form, put it into the id:
// both belong to the application. There is no token for an empty id. A Guard puts a
// word before the id, and so does not accept what Key.New makes for the id alone.
//
// To the key. To a time: a token ends after Lifetime, 12 hours unless Config says
// otherwise, and one that was made more than [Skew] after the time of the check is
// refused, since its maker's clock or the checker's is wrong.
//
// # What it does not do
//
// A token can be used many times until it ends. Nothing here helps against a script in
// the application's own pages (XSS), which can read the form; nor when the id is
// something that others know or can set, such as a user's name. It is not a proof of who
// sends the request: the session is.
//
// # Fresh in every page
//
// Every token begins with 16 random bytes, and all that follows depends on them. So no
// two tokens share more than chance does, not even for the same session in the same
// second, and the length of compressed pages tells nothing of them (the BREACH
// attack). Make a new one for each response.
//
// # Form
//
// 72 characters of base64url, which stand for salt (16 bytes), time (6) and MAC (32).
// The time is in milliseconds since 1970, big-endian, xor the beginning of the salt.
// The MAC is HMAC-SHA-256 over the fields keyfob/csrf/v1, id, salt and time (8 bytes),
// each after its length in 4 bytes, big-endian. There is one spelling of each token.
//
// Keys and Guards are safe for concurrent use; all of it works with
// GODEBUG=fips140=only.
package csrf

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"
)

var (
	// ErrMalformed is wrapped by the error for a text that is no token.
	ErrMalformed = errors.New("malformed token")

	// ErrMismatch is returned for a token of another id or another key, and for one
	// that was changed.
	ErrMismatch = errors.New("token of another session or key")

	// ErrExpired is wrapped by the error for a token that was right, and has ended.
	ErrExpired = errors.New("expired token")

	// ErrFuture is wrapped by the error for a token that is right, and was made later
	// than now.
	ErrFuture = errors.New("token from the future")

	// ErrKey is wrapped by the error for what cannot be a key.
	ErrKey = errors.New("not a key")

	// ErrID is wrapped by the error for what cannot be an id.
	ErrID = errors.New("wrong id")

	// ErrTime is wrapped by the error for a time or a lifetime that cannot be.
	ErrTime = errors.New("wrong time")
)

const (
	// KeySize is how many bytes a key has: 256 bits, as with random.Bytes(32).
	KeySize = 32

	// MaxID is how many bytes an id can have.
	MaxID = 4096

	// Length is how many characters a token has.
	Length = 4 * (saltSize + timeSize + macSize) / 3

	// DefaultLifetime is how long a token lives where nothing is said.
	DefaultLifetime = 12 * time.Hour

	// Skew is how far the clock that made a token may be ahead of the one that checks
	// it. By as much as clocks differ, tokens live longer or shorter.
	Skew = 30 * time.Second
)

const (
	saltSize = 16
	timeSize = 6
	macSize  = sha256.Size

	// A multiple of 3, so that base64 has neither padding nor bits without a meaning.
	rawSize = saltSize + timeSize + macSize

	label    = "keyfob/csrf/v1"
	redacted = "[REDACTED]"
)

// A Config says how long tokens live. The zero value is what most want.
type Config struct {
	// Lifetime is how long a token can be used, where 0 stands for DefaultLifetime: as
	// long as somebody may take to fill in a form.
	Lifetime time.Duration
}

// A Key makes and checks tokens. It prints as [REDACTED]. The zero Key has no secret,
// and its methods return [ErrKey].
type Key struct {
	lifetime time.Duration
	keyed    func() *keyed // hidden even from printers that walk unexported fields
}

// keyed is what a Key makes MACs with.
type keyed struct {
	secret  [KeySize]byte
	hashers sync.Pool // of *hasher
}

// hasher is what one MAC at a time is made with.
type hasher struct {
	hmac    hash.Hash
	message []byte
	sum     []byte
}

// NewKey returns the Key of a secret of 32 random bytes, which is copied. All
// processes that serve one application have the same. The error wraps ErrKey or
// ErrTime.
//
// To replace a key, make tokens with the new one, and check with the old one those
// that the new one finds to be ErrMismatch, for as long as a token lives.
func NewKey(secret []byte, c Config) (Key, error) {
	if len(secret) != KeySize {
		return Key{}, fmt.Errorf("%w: it has %d bytes, and has to have %d", ErrKey, len(secret), KeySize)
	}
	if c.Lifetime < 0 {
		return Key{}, fmt.Errorf("%w: a lifetime of %v; it has to be positive", ErrTime, c.Lifetime)
	}
	if c.Lifetime == 0 {
		c.Lifetime = DefaultLifetime
	}
	own := &keyed{secret: [KeySize]byte(secret)}
	return Key{lifetime: c.Lifetime, keyed: func() *keyed { return own }}, nil
}

// New returns a new token for the id. The error wraps [ErrID] for one that is empty or
// longer than MaxID, and [ErrTime] for a time before 1970 or after the year 10000.
func (k Key) New(id string, now time.Time) (string, error) {
	return k.newFor("", id, now)
}

// newFor is New for word and id as one.
func (k Key) newFor(word, id string, now time.Time) (string, error) {
	if err := k.check(id, now); err != nil {
		return "", err
	}
	var raw [rawSize]byte
	salt := raw[:saltSize]
	rand.Read(salt)
	ms := uint64(now.UnixMilli())
	putTime(raw[saltSize:], salt, ms)
	mac := k.keyed().mac(word, id, salt, ms)
	copy(raw[saltSize+timeSize:], mac[:])
	return base64.RawURLEncoding.EncodeToString(raw[:]), nil
}

// Check says whether the token was made by New for this id, with this key, and lives.
// The error wraps [ErrMalformed], [ErrMismatch], [ErrExpired] or [ErrFuture], or those
// of New; whatever it is, the request is refused.
//
// Its time depends on the length of the id, on whether the token has the right form,
// and on nothing else that is secret. No error repeats any of the token.
func (k Key) Check(id, token string, now time.Time) error {
	return k.checkFor("", id, token, now)
}

// checkFor is Check for word and id as one.
func (k Key) checkFor(word, id, token string, now time.Time) error {
	if err := k.check(id, now); err != nil {
		return err
	}
	raw, err := parse(token)
	if err != nil {
		return err
	}
	salt := raw[:saltSize]
	ms := getTime(raw[saltSize:], salt)
	want := k.keyed().mac(word, id, salt, ms)
	if !hmac.Equal(raw[saltSize+timeSize:], want[:]) {
		return ErrMismatch
	}
	// Only now the time is one that New wrote.
	made := time.UnixMilli(int64(ms))
	switch age := now.Sub(made); {
	case age < -Skew:
		return fmt.Errorf("%w: it was made %v from now; a clock is wrong", ErrFuture, -age.Round(time.Second))
	case age >= k.lifetime:
		return fmt.Errorf("%w: it was made %v ago, and lives %v", ErrExpired, age.Round(time.Second), k.lifetime)
	}
	return nil
}

// check says whether there is a key, and whether id and time can be.
func (k Key) check(id string, now time.Time) error {
	switch {
	case k.keyed == nil:
		return fmt.Errorf("%w: a Key comes from NewKey", ErrKey)
	case id == "":
		return fmt.Errorf("%w: it is empty; a token has to be bound to a session", ErrID)
	case len(id) > MaxID:
		return fmt.Errorf("%w: it has %d bytes; at most %d are possible", ErrID, len(id), MaxID)
	case now.Before(time.Unix(0, 0)) || now.Year() > 9999:
		return fmt.Errorf("%w: the year %d; a token has a time from 1970 to 9999", ErrTime, now.Year())
	}
	return nil
}

// mac returns the MAC over word and id as one, salt and time.
func (k *keyed) mac(word, id string, salt []byte, ms uint64) (sum [macSize]byte) {
	h, ok := k.hashers.Get().(*hasher)
	if !ok {
		h = &hasher{hmac: hmac.New(sha256.New, k.secret[:])}
	}
	defer k.hashers.Put(h)
	h.message = appendField(h.message[:0], label)
	h.message = binary.BigEndian.AppendUint32(h.message, uint32(len(word)+len(id)))
	h.message = append(h.message, word...)
	h.message = append(h.message, id...)
	h.message = appendField(h.message, salt)
	h.message = binary.BigEndian.AppendUint32(h.message, 8)
	h.message = binary.BigEndian.AppendUint64(h.message, ms)
	h.hmac.Reset()
	h.hmac.Write(h.message)
	h.sum = h.hmac.Sum(h.sum[:0])
	copy(sum[:], h.sum)
	clear(h.message) // pre-sessions are secret
	clear(h.sum)
	return sum
}

func appendField[T string | []byte](dst []byte, field T) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(field)))
	return append(dst, field...)
}

// putTime writes the time so that it looks as random as the salt.
func putTime(dst, salt []byte, ms uint64) {
	for i := range timeSize {
		dst[i] = byte(ms>>(8*(timeSize-1-i))) ^ salt[i]
	}
}

// getTime reads what putTime wrote.
func getTime(src, salt []byte) (ms uint64) {
	for i := range timeSize {
		ms = ms<<8 | uint64(src[i]^salt[i])
	}
	return ms
}

// parse returns what a token stands for. Each text that it accepts stands for
// something else.
func parse(token string) (raw [rawSize]byte, err error) {
	if len(token) != Length {
		return raw, fmt.Errorf("%w: it has %d characters, and has to have %d", ErrMalformed, len(token), Length)
	}
	if strings.IndexByte(token, '\n') >= 0 || strings.IndexByte(token, '\r') >= 0 { // which encoding/base64 skips
		return raw, fmt.Errorf("%w: it holds a line end", ErrMalformed)
	}
	if _, err := base64.RawURLEncoding.Decode(raw[:], []byte(token)); err != nil {
		return raw, fmt.Errorf("%w: it holds a character other than A-Z, a-z, 0-9, - and _", ErrMalformed)
	}
	return raw, nil
}

// String returns [REDACTED].
func (k Key) String() string { return redacted }

// GoString returns [REDACTED].
func (k Key) GoString() string { return redacted }

// Format writes [REDACTED], whatever the verb.
func (k Key) Format(f fmt.State, verb rune) { io.WriteString(f, redacted) }

// MarshalText returns [REDACTED]. A Key that was marshaled cannot be read back.
func (k Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns [REDACTED].
func (k Key) LogValue() slog.Value { return slog.StringValue(redacted) }
