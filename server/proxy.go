package server

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// forwardedFor is the header in which each proxy adds, at the right, the address
// that it was connected from.
const forwardedFor = "X-Forwarded-For"

// checkProxies refuses what would trust nobody, by an oversight, or everybody.
func checkProxies(proxies []netip.Prefix) error {
	for _, p := range proxies {
		var right string
		switch {
		case !p.IsValid():
			right = "a prefix of an address; see netip.ParsePrefix"
		case p.Addr().Is4In6():
			right = "the prefix of an IPv4 address, such as 10.0.0.0/8"
		case p.Bits() == 0:
			right = "the addresses of your proxies alone; this one trusts everybody"
		case p != p.Masked():
			right = p.Masked().String()
		default:
			continue
		}
		return fmt.Errorf("server: Config.TrustedProxies has %v; give %s", p, right)
	}
	return nil
}

// clientOf returns the address that a request comes from, or the zero Addr where
// that is none, as on a Unix socket. It is the peer's, unless that is a trusted
// proxy: then it is the rightmost address in X-Forwarded-For that is not one.
//
// What stands further left may be made up by the client and is not looked at. If
// what is looked at is not an address, the answer is the peer's own.
func (s *Server) clientOf(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	client := peer.Addr().Unmap()
	given := r.Header[forwardedFor]
	if !s.isProxy(client) || len(given) == 0 {
		return client
	}
	far := client
	for i := len(given) - 1; i >= 0; i-- {
		for rest, more := given[i], true; more; {
			var last string
			rest, last, more = cutLast(rest)
			addr, err := netip.ParseAddr(strings.Trim(last, " \t"))
			if err != nil || addr.Zone() != "" {
				return client
			}
			if far = addr.Unmap(); !s.isProxy(far) {
				return far
			}
		}
	}
	return far // a proxy that is itself the client
}

// cutLast cuts the last element off a list, and reports whether there are more.
func cutLast(list string) (rest, last string, more bool) {
	i := strings.LastIndexByte(list, ',')
	if i < 0 {
		return "", list, false
	}
	return list[:i], list[i+1:], true
}

func (s *Server) isProxy(addr netip.Addr) bool {
	for _, p := range s.proxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}
