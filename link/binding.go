package link

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"github.com/keyfob-dev/keyfob/token"
)

// cookie is the name of the cookie of a browser that asked for a link. By its
// prefix, only this host can have set it (RFC 6265bis, section 4.1.3.2).
const cookie = "__Host-keyfob-link"

// cookieSize is how many characters its value has: token.Random's.
const cookieSize = 43

// bind gives the browser a cookie, unless it has one, and returns what a link is
// bound to by it. Its value is random and the same for all purposes; nothing can
// be done with it but to redeem what was mailed.
func (f *Flow) bind(w http.ResponseWriter, r *http.Request) string {
	value := cookieValue(r)
	if value == "" {
		value = token.Random()
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookie, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	return bindingOf(value)
}

// unbind takes the cookie back, so that what comes later has a new one.
func unbind(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{
		Name: cookie, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: -1,
	})
}

// boundTo is what the links that this browser asked for are bound to. A browser
// without the cookie has asked for none: no link is bound to what it gets.
func boundTo(r *http.Request) string {
	value := cookieValue(r)
	if value == "" {
		return "none"
	}
	return bindingOf(value)
}

func bindingOf(value string) string {
	sum := sha256.Sum256([]byte("keyfob/link/binding/v1" + value))
	return hex.EncodeToString(sum[:])
}

// cookieValue is the value of the cookie, empty where there is not one that bind
// may have set.
func cookieValue(r *http.Request) string {
	cookies := r.CookiesNamed(cookie)
	if len(cookies) != 1 || len(cookies[0].Value) != cookieSize {
		return ""
	}
	return cookies[0].Value
}
