package keyfob

import (
	"net/netip"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// An APIKey asks for an API key: 256 bits of secret that a program presents
// again and again. Only Subject is required.
type APIKey struct {
	Subject string // whom or what it stands for; up to 256 bytes of UTF-8
	Name    string // for people; up to 256 bytes of UTF-8

	// Scopes it has, each as CheckScope wants it, at most 64, none twice.
	Scopes []string

	// NotBefore is the first instant at which it is accepted, and Expires the
	// first at which it is refused again; both are cut to the millisecond. Zero:
	// from the start; never.
	NotBefore time.Time
	Expires   time.Time

	// CIDRs are the networks that it may be used from (RFC 4632; RFC 4291,
	// section 2.3), without host bits, at most 64, none twice; a single address
	// is one of /32 or /128. None: from anywhere. With them, Verify wants
	// Check.IP.
	CIDRs []netip.Prefix

	// Uses is how often Verify accepts it, exactly, whatever races. 0: without
	// limit.
	Uses int64

	// Limit is how often Verify accepts it in a time.
	Limit Limit

	// Attributes are for the application: at most 64, with names of up to 64
	// and values of up to 1024 bytes of UTF-8. Do not put secrets there.
	Attributes map[string]string
}

func (k APIKey) record(c *store.Credential) error {
	if err := checkNamed("subject", k.Subject, maxSubject); err != nil {
		return err
	}
	c.Kind, c.Subject = KindAPIKey, k.Subject
	p := policy{
		name: k.Name, scopes: k.Scopes, notBefore: k.NotBefore, expires: k.Expires,
		cidrs: k.CIDRs, uses: k.Uses, limit: k.Limit, attributes: k.Attributes,
	}
	return p.record(c, c.Created)
}

func (APIKey) draw(k *core, c *store.Credential, prefix string) (drawn, error) {
	return k.drawFirst(c, prefix), nil
}

func (APIKey) room() room { return room{} }
