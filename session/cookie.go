package session

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/keyfob-dev/keyfob"
)

// maxToken is the most characters of a token: a prefix of 32, "_", and 65.
const maxToken = 32 + 1 + 16 + 43 + 6

// presented returns the value of the one cookie of that name in the lines of the
// header Cookie; empty if there is none. Nothing is trimmed or unquoted but the
// space between cookies: what we set comes back as it was.
func presented(lines []string, name string) (value string, err error) {
	found := false
	for _, line := range lines {
		for more := true; more; {
			var pair string
			pair, line, more = strings.Cut(line, ";")
			rest, ours := strings.CutPrefix(strings.TrimLeft(pair, " "), name)
			if !ours || rest == "" || rest[0] != '=' {
				continue
			}
			if found {
				return "", ErrTwice
			}
			found, value = true, rest[1:]
		}
	}
	if len(value) > maxToken {
		return "", ErrTooLong
	}
	return value, nil
}

// setCookie has the browser keep the secret of a session.
func (s *Sessions) setCookie(w http.ResponseWriter, issued *keyfob.Issued) {
	c := s.newCookie(issued.Secret.Reveal())
	if isRemembered(&issued.Credential) {
		// By the clock that the session's end was told by, and never longer.
		left := issued.Credential.Expires.Sub(issued.Credential.Versions[0].Created)
		c.MaxAge = max(1, int(left/time.Second))
	}
	s.send(w, c)
}

// deleteCookie has the browser forget it.
func (s *Sessions) deleteCookie(w http.ResponseWriter) {
	c := s.newCookie("")
	c.MaxAge = -1
	s.send(w, c)
}

func (s *Sessions) newCookie(value string) *http.Cookie {
	return &http.Cookie{
		Name: s.cookie, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: s.config.SameSite,
	}
}

// send sets a cookie in the place of the one that this answer would have set. No
// cache may keep the answer for others.
func (s *Sessions) send(w http.ResponseWriter, c *http.Cookie) {
	h := w.Header()
	h["Set-Cookie"] = slices.DeleteFunc(h["Set-Cookie"], func(line string) bool {
		return strings.HasPrefix(line, s.cookie+"=")
	})
	http.SetCookie(w, c)
	if kept := h.Get("Cache-Control"); !strings.Contains(kept, "no-store") && !strings.Contains(kept, "private") {
		h.Set("Cache-Control", "no-store")
	}
}
