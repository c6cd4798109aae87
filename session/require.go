package session

import "net/http"

// Require lets those requests through to next whose user has signed in. Others are
// sent to Config.SignIn where a browser asks for a page, and are answered 401
// otherwise, so that no form is lost on the way and no script takes a page for what
// it asked for.
//
// Answers have Cache-Control: no-store, unless next sets another.
func Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := of(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		if c := s.current.Load(); c == nil || c.Subject == "" {
			s.sessions.refuse(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Sessions) refuse(w http.ResponseWriter, r *http.Request) {
	if s.config.SignIn != "" && isVisit(r) {
		w.Header().Set("Location", s.config.SignIn)
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	// RFC 9110, section 15.5.2, wants a challenge; this one is known to no browser,
	// and none asks for a password.
	w.Header().Set("WWW-Authenticate", `Cookie cookie-name="`+s.cookie+`"`)
	http.Error(w, "You have to sign in first.", http.StatusUnauthorized)
}

// isVisit reports whether somebody opens a page.
func isVisit(r *http.Request) bool {
	mode := r.Header.Get("Sec-Fetch-Mode")
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && (mode == "" || mode == "navigate")
}
