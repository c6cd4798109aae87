package csrf

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// checkSource says whether a request comes from the application's own origin, by what
// browsers say. Of the two headers one may be missing; what is there has to be right.
func (g *Guard) checkSource(r *http.Request) error {
	sites, origins := r.Header["Sec-Fetch-Site"], r.Header["Origin"]
	switch {
	case len(sites) > 1 || len(origins) > 1:
		return fmt.Errorf("%w: Sec-Fetch-Site or Origin is there more than once", ErrCrossOrigin)
	case len(sites) == 0 && len(origins) == 0:
		return fmt.Errorf("%w: neither Sec-Fetch-Site nor Origin says where it comes from", ErrCrossOrigin)
	case len(sites) == 1 && sites[0] != "same-origin" && sites[0] != "none":
		return fmt.Errorf("%w: Sec-Fetch-Site is not same-origin", ErrCrossOrigin)
	case len(origins) == 0:
		return nil
	case len(g.protection.Origins) > 0 && !slices.Contains(g.protection.Origins, origins[0]):
		return fmt.Errorf("%w: Origin is none of Protection.Origins", ErrCrossOrigin)
	case len(g.protection.Origins) == 0 && !isOwn(origins[0], r):
		return fmt.Errorf("%w: Origin is not that of the request; behind a proxy, set Protection.Origins", ErrCrossOrigin)
	}
	return nil
}

// isOwn reports whether an origin is that which the request was sent to.
func isOwn(origin string, r *http.Request) bool {
	scheme, host, _, ok := splitOrigin(origin)
	return ok && host == r.Host && (scheme == "https") == (r.TLS != nil)
}

// checkOrigin panics unless the text is an origin that can be the application's.
func checkOrigin(text string) {
	scheme, _, name, ok := splitOrigin(text)
	switch {
	case !ok:
		panic(fmt.Sprintf("csrf: %q in Protection.Origins is no origin; give scheme, host and the port if it is not the scheme's, "+
			"in lower case, such as https://app.example", text))
	case scheme == "http" && !isLoopback(name):
		panic(fmt.Sprintf("csrf: %q in Protection.Origins is not https; plain http is for loopback hosts", text))
	}
}

// splitOrigin takes an origin of the web apart, in the one spelling that browsers send
// (RFC 6454, section 6.2): no user, no path, no capital, no port that is the scheme's,
// no dot at the end. name is the host without its port.
func splitOrigin(text string) (scheme, host, name string, ok bool) {
	scheme, host, ok = strings.Cut(text, "://")
	if !ok || scheme != "https" && scheme != "http" {
		return "", "", "", false
	}
	name = host
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		name = host[:i]
		if port := host[i+1:]; !isPort(port) || scheme == "https" && port == "443" || scheme == "http" && port == "80" {
			return "", "", "", false
		}
	}
	return scheme, host, name, isHostname(name) || isIPv6(name)
}

// isPort reports whether text is a port as it is written in an origin.
func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil && text[0] != '0'
}

// isHostname reports whether text is labels of lower-case letters, digits, - and _,
// with dots between. An IPv4 address is one as well.
func isHostname(text string) bool {
	if len(text) > 253 {
		return false
	}
	before := byte('.')
	for i := range len(text) {
		c := text[i]
		letter := 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_'
		if !letter && (c != '.' || before == '.') {
			return false
		}
		before = c
	}
	return before != '.'
}

// isIPv6 reports whether text is an IPv6 address in brackets, as browsers write it.
func isIPv6(text string) bool {
	inner, begins := strings.CutPrefix(text, "[")
	inner, ends := strings.CutSuffix(inner, "]")
	if !begins || !ends {
		return false
	}
	ip, err := netip.ParseAddr(inner)
	return err == nil && ip.Is6() && !ip.Is4In6() && ip.Zone() == "" && ip.String() == inner
}

// isLoopback reports whether the name of a host is of this machine.
func isLoopback(name string) bool {
	ip, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return name == "localhost" || err == nil && ip.IsLoopback()
}
