package csrf

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
)

// exempted is what the ServeMux of exemptions has for each of them.
type exempted struct{}

func (exempted) ServeHTTP(http.ResponseWriter, *http.Request) {}

// exemptions returns a ServeMux of the patterns, nil if there are none, and logs each.
// It panics upon one that is wrong.
func exemptions(patterns []string, log *slog.Logger) *http.ServeMux {
	if len(patterns) == 0 {
		return nil
	}
	mux := http.NewServeMux()
	for _, pattern := range patterns {
		method := ""
		if i := strings.IndexAny(pattern, " \t"); i >= 0 {
			method = pattern[:i]
		}
		switch method {
		case "":
			panic(fmt.Sprintf("csrf: %q in Protection.Exempt has no method; give it, as in POST /hooks/pay", pattern))
		case http.MethodGet, http.MethodHead, http.MethodOptions:
			panic(fmt.Sprintf("csrf: %q in Protection.Exempt is of a method that is never checked; leave it out", pattern))
		case http.MethodConnect: // for which ServeMux matches other paths
			panic(fmt.Sprintf("csrf: %q in Protection.Exempt is of CONNECT, which cannot be exempt", pattern))
		}
		mux.Handle(pattern, exempted{}) // which says what is wrong with others
		log.Info("csrf: requests of this pattern are not protected", "pattern", pattern)
	}
	return mux
}

// isExempt reports whether a request matches an exemption just as it is. Where ServeMux
// would redirect, such as from a path that is not clean, its handler is another. A path
// with needless escapes, such as that of a dot, may be read in another way by who routes
// it: those have a RawPath.
func (g *Guard) isExempt(r *http.Request) bool {
	if g.exempt == nil || r.URL.RawPath != "" {
		return false
	}
	h, _ := g.exempt.Handler(r)
	_, ok := h.(exempted)
	return ok
}
