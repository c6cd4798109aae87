package csrf

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"github.com/keyfob-dev/keyfob/random"
)

// cookie is the name of the cookie of a pre-session. By its prefix, only this host can
// have set it (RFC 6265bis, section 4.1.3.2).
const cookie = "__Host-csrf"

// A pre-session is 32 random bytes in base64url.
const (
	presessionBytes = 32
	presessionSize  = 43
)

// Words before what a token is bound to, so that nothing is both.
const (
	ofSession    = "session/"
	ofPresession = "presession/"
)

// bindingOf returns the word and the id that the tokens of a request are bound to: its
// session, or the pre-session that its browser has. The error wraps ErrCookie.
func (g *Guard) bindingOf(r *http.Request) (word, id string, err error) {
	if g.protection.Session != nil {
		if id := g.protection.Session(r); id != "" {
			return ofSession, id, nil
		}
	}
	id, err = presession(r.Header["Cookie"])
	return ofPresession, id, err
}

// begin begins a pre-session, unless the answer has begun one, and returns its id.
func begin(w http.ResponseWriter) string {
	for _, line := range w.Header()["Set-Cookie"] {
		if rest, ours := strings.CutPrefix(line, cookie+"="); ours && len(rest) >= presessionSize && isName(rest[:presessionSize]) {
			return rest[:presessionSize]
		}
	}
	value := base64.RawURLEncoding.EncodeToString(random.Bytes(presessionBytes))
	http.SetCookie(w, &http.Cookie{
		// Not Strict: the browser has to send it also when a link in a mail leads to
		// the form, or it would get another one, and forms in other tabs would end.
		Name: cookie, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	return value
}

// presession returns the value of the one cookie of a pre-session. It reads the headers
// itself, since net/http leaves out cookies that are not well-formed, and they have to
// be counted.
func presession(headers []string) (value string, err error) {
	found := 0
	for _, header := range headers {
		for part := range strings.SplitSeq(header, ";") {
			name, text, _ := strings.Cut(part, "=")
			if strings.Trim(name, " \t") == cookie {
				found++
				value = text
			}
		}
	}
	switch {
	case found != 1:
		return "", fmt.Errorf("%w: %s is there %d times", ErrCookie, cookie, found)
	case len(value) != presessionSize || !isName(value):
		return "", fmt.Errorf("%w: %s is not one that was set here", ErrCookie, cookie)
	}
	return value, nil
}
