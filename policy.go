package keyfob

import (
	"net/netip"
	"slices"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// latest is the last time that can be written in the API's format.
var latest = time.Date(9999, 12, 31, 23, 59, 59, 999_000_000, time.UTC)

// A policy is what may be changed of an API key after it was issued.
type policy struct {
	name       string
	scopes     []string
	notBefore  time.Time
	expires    time.Time
	cidrs      []netip.Prefix
	uses       int64
	limit      Limit
	attributes map[string]string
}

// record checks the policy at the time now, and writes it into c.
func (p *policy) record(c *store.Credential, now time.Time) error {
	if err := checkText("name", p.name, maxName); err != nil {
		return err
	}
	if err := checkScopes(p.scopes); err != nil {
		return err
	}
	if err := checkAttributes(p.attributes); err != nil {
		return err
	}
	if err := checkCIDRs(p.cidrs); err != nil {
		return err
	}
	if p.uses < 0 {
		return badInput("uses", "is negative; it is 1 or more, or left out for a credential that may be used without limit")
	}
	notBefore, expires := wholeMillisecond(p.notBefore), wholeMillisecond(p.expires)
	if expires.IsZero() && !p.expires.IsZero() {
		expires = expires.Add(time.Millisecond) // cut to zero it would be never
	}
	if err := checkLife(now, notBefore, expires); err != nil {
		return err
	}
	limit, err := p.limit.record()
	if err != nil {
		return err
	}
	c.Name, c.Scopes, c.Attributes = p.name, p.scopes, p.attributes
	c.NotBefore, c.Expires, c.Uses, c.Limit = notBefore, expires, p.uses, limit
	c.CIDRs = make([]string, len(p.cidrs))
	for i, cidr := range p.cidrs {
		c.CIDRs[i] = cidr.String()
	}
	return nil
}

// wholeMillisecond cuts a time to what records keep. The zero time stays.
func wholeMillisecond(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Millisecond)
}

func checkLife(now, notBefore, expires time.Time) error {
	switch {
	case !notBefore.IsZero() && notBefore.Year() < 1:
		return badInput("not_before", "lies before the year 1; leave it out for a credential that is accepted from the start")
	case notBefore.After(latest):
		return badInput("not_before", "lies beyond the year 9999")
	case expires.IsZero():
		return nil
	case !expires.After(now):
		return badInput("expires_at", "is not in the future; leave it out for a credential that never expires")
	case expires.After(latest):
		return badInput("expires_at", "lies beyond the year 9999; leave it out for a credential that never expires")
	case !notBefore.Before(expires):
		return badInput("not_before", "is not before expires_at, and the credential could never be used")
	}
	return nil
}

// checkCIDRs refuses networks with a second spelling, and those that would mean
// less than they seem to.
func checkCIDRs(cidrs []netip.Prefix) error {
	if len(cidrs) > maxCIDRs {
		return badInput("cidrs", "holds %d networks; at most %d are allowed", len(cidrs), maxCIDRs)
	}
	for i, cidr := range cidrs {
		switch {
		case !cidr.IsValid():
			return badInput("cidrs", "holds what is no network; give one as 192.0.2.0/24 or 2001:db8::/32")
		case cidr.Addr().Is4In6():
			return badInput("cidrs", "holds %s, which maps IPv4 into IPv6; give the IPv4 network", cidr)
		case cidr != cidr.Masked():
			return badInput("cidrs", "holds %s, which has bits of a host; give %s, or %s/%d for that address alone",
				cidr, cidr.Masked(), cidr.Addr(), cidr.Addr().BitLen())
		case slices.Contains(cidrs[:i], cidr):
			return badInput("cidrs", "holds %s twice; give it once", cidr)
		}
	}
	return nil
}

// ParseCIDR reads a network that an API key may be used from, as 192.0.2.0/24 or
// 2001:db8::/32. It accepts the one spelling that it is shown in again. The
// error is an *InputError.
func ParseCIDR(text string) (netip.Prefix, error) {
	cidr, err := netip.ParsePrefix(text)
	if err != nil {
		if addr, aerr := netip.ParseAddr(text); aerr == nil && addr.Zone() == "" {
			return netip.Prefix{}, badInput("cidrs", "holds an address without its length; give %s/%d for that address alone", addr, addr.BitLen())
		}
		return netip.Prefix{}, badInput("cidrs", "holds what is no network; give one as 192.0.2.0/24 or 2001:db8::/32")
	}
	if err := checkCIDRs([]netip.Prefix{cidr}); err != nil {
		return netip.Prefix{}, err
	}
	if cidr.String() != text {
		return netip.Prefix{}, badInput("cidrs", "holds a second spelling of %s; give that one", cidr)
	}
	return cidr, nil
}

// isInside reports whether an address is in one of the networks. A network that
// cannot be read holds no address.
func isInside(cidrs []string, addr netip.Addr) bool {
	addr = addr.Unmap()
	return slices.ContainsFunc(networks(cidrs), func(n netip.Prefix) bool { return n.Contains(addr) })
}

func networks(cidrs []string) []netip.Prefix {
	if len(cidrs) == 0 {
		return nil
	}
	networks := make([]netip.Prefix, len(cidrs))
	for i, text := range cidrs {
		// What cannot be read becomes the zero Prefix, which is invalid, holds no
		// address and is refused by Update.
		networks[i], _ = netip.ParsePrefix(text)
	}
	return networks
}
