package keyfob

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/keyfob-dev/keyfob/internal/cache"
	"github.com/keyfob-dev/keyfob/internal/ratelimit"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/token"
)

// A Check says what a presented token must be good for. Its zero value asks for
// an API key with any scopes.
type Check struct {
	// Kind that the token must be of; the zero value is KindAPIKey. A token of
	// another kind is answered as unknown.
	Kind Kind

	// Scopes that it must have, all of them, each spelled exactly so.
	Scopes []string

	// IP is where it is presented from. Take it from the connection, or from a
	// proxy that you trust, and never from what the client says. A credential
	// with CIDRs is refused without it. An IPv4 address mapped into IPv6 is taken
	// as the IPv4 address.
	IP netip.Addr
}

// Verify judges a token that somebody presents. It returns the credential, with
// the version that was presented, or an error that wraps ErrInvalid and one
// cause: ErrMalformed, ErrUnknown, ErrRevoked, ErrExpired, ErrReplaced,
// ErrSuspended, ErrNotYet, ErrIP, ErrScope, ErrExhausted or ErrRateLimited; Reason gives its
// name, and of several causes it is the first in this order. An error without ErrInvalid means that nothing
// could be decided; treat it as a refusal. Such are ErrInput (the check itself
// is wrong), ErrSpace, ErrRootKey and ErrUnavailable.
//
// A verification that is accepted is what Uses counts: of those that race for
// the last use, one is accepted. After an error that is not ErrInvalid the use
// may be counted.
//
// The time it takes does not tell how much of a secret was right, nor whether an
// id exists, as far as the store's own look-up does not.
func (a *Authority) Verify(ctx context.Context, text string, check Check) (Credential, error) {
	var v Verdict
	err := a.judge(ctx, text, check, &v)
	return v.Credential, err
}

// A Verdict is what Judge says of a token.
type Verdict struct {
	Credential Credential // as Verify returns it; zero after an error

	// Meter is what is left of the credential's Limit. It is set when the token
	// was accepted or refused by ErrRateLimited.
	Meter Meter

	// Staleness is how old the knowledge was that this was decided on: 0 when the
	// store was asked. Never more than Config.MaxStaleness.
	Staleness time.Duration
}

// Judge is Verify with all that it has to say. With an error, which is Verify's,
// it returns what is set of the Verdict.
func (a *Authority) Judge(ctx context.Context, text string, check Check) (v Verdict, err error) {
	err = a.judge(ctx, text, check, &v)
	return v, err
}

// judge is Judge; it fills the verdict in, which is too large to be handed from
// one to the other.
func (a *Authority) judge(ctx context.Context, text string, check Check, verdict *Verdict) error {
	if check.Kind == "" {
		check.Kind = KindAPIKey
	}
	if check.Kind != KindAPIKey {
		return badInput("kind", "is none that can be verified: apikey")
	}
	if err := checkScopes(check.Scopes); err != nil {
		return err
	}
	space, err := a.spaceID(ctx, a.space)
	if err != nil {
		return err
	}
	presented, err := token.Parse(text)
	if err != nil {
		return &invalid{ErrMalformed}
	}
	for {
		k, err := a.find(ctx, space, presented)
		if err != nil {
			verdict.Staleness = k.age
			return err
		}
		err = a.decide(ctx, k, &check, verdict)
		if errors.Is(err, store.ErrConflict) {
			continue // it was changed or used up meanwhile: judge it anew
		}
		return err
	}
}

// decide judges a credential whose secret was presented, and counts the use.
func (a *Authority) decide(ctx context.Context, k known, check *Check, verdict *Verdict) error {
	now, c := a.now(), &k.entry.Found.Credential
	*verdict = Verdict{Staleness: k.age}
	if err := judge(now, &k.entry.Found, check); err != nil {
		return err
	}
	if c.Limit.Rate != 0 {
		var allowed bool
		if verdict.Meter, allowed = a.meter(now, c); !allowed {
			return &invalid{ErrRateLimited}
		}
	}
	used := c.Used
	if c.Uses != 0 {
		if err := a.use(ctx, c); err != nil {
			verdict.Meter = Meter{}
			return err
		}
		used++
	}
	a.recordUse(k.entry, check.IP, now)
	a.fillVerified(&verdict.Credential, now, c, &k.entry.Found.Version)
	verdict.Credential.Used = used
	return nil
}

// use counts one of a credential's uses, or gives back what was metered.
func (c *core) use(ctx context.Context, of *store.Credential) error {
	err := c.store.Apply(ctx, store.Change{Steps: []store.Step{
		store.UseCredential{Space: of.Space, ID: of.ID, Revision: of.Revision},
	}})
	if err == nil {
		return nil
	}
	c.meters.GiveBack(of.ID, ratelimit.Limit(of.Limit))
	return fmt.Errorf("verify: %w", err)
}

// recordUse notes when and from where a version was used, once a second.
func (c *core) recordUse(e *cache.Entry, ip netip.Addr, now time.Time) {
	ip = ip.Unmap()
	was := e.Recorded.Load()
	if was != nil && was.Second == now.Unix() && was.From == ip {
		return
	}
	e.Recorded.Store(&cache.Recorded{Second: now.Unix(), From: ip})
	c.uses.Record(e.Found.Version.Space, e.Found.Version.ID, addressOf(ip), now)
}

// addressOf is an address as it is recorded: without the zone, which is this
// machine's own.
func addressOf(ip netip.Addr) string {
	if !ip.IsValid() {
		return ""
	}
	return ip.Unmap().WithZone("").String()
}

// known is a version whose secret was presented, and how old the knowledge of it
// is.
type known struct {
	entry *cache.Entry
	age   time.Duration
}

// find returns the version whose secret is presented. The digest is computed
// from the stored fields, so that a record that was tampered with matches
// nothing, and for an unknown id as well, so that it costs the same work.
func (c *core) find(ctx context.Context, space string, presented token.Keyed) (known, error) {
	k, err := c.look(ctx, space, presented.ID())
	unknown := errors.Is(err, store.ErrNotFound)
	if err != nil && !unknown {
		return known{}, fmt.Errorf("verify: %w", err)
	}
	if unknown {
		id := presented.ID()
		k.entry = &cache.Entry{Found: store.Found{
			Credential: store.Credential{ID: id, Space: space, Kind: KindAPIKey, Subject: id},
			Version:    store.Version{ID: id, Prefix: presented.Prefix(), RootKey: c.keys.active},
		}}
	}
	found := &k.entry.Found
	message := k.entry.Message
	if message == nil {
		message = digestMessage(&found.Credential, &found.Version)
	}
	sub := c.keys.numbers[found.Version.RootKey]
	if sub == nil {
		return known{}, fmt.Errorf("verify: %w: number %d made this digest, and is not in the root key", ErrRootKey, found.Version.RootKey)
	}
	same := sub.isDigest(found.Version.Digest, message, presented.Secret())
	if unknown || !same || !token.Equal(presented.Prefix(), found.Version.Prefix) {
		return k, &invalid{ErrUnknown}
	}
	return k, nil
}

// look returns what is known of a version: from the cache if that is new enough,
// and else from the store. What is counted exactly is always read.
func (c *core) look(ctx context.Context, space, version string) (known, error) {
	if c.cache != nil {
		e, age, ok := c.cache.Get(version, time.Now())
		if ok && age <= c.maxStaleness && e.Found.Credential.Space == space {
			return known{e, age}, nil
		}
	}
	var begin cache.Fill
	if c.cache != nil {
		begin = c.cache.Begin()
	}
	found, err := c.store.Version(ctx, space, version)
	if err != nil {
		return known{}, err
	}
	if c.cache == nil || found.Credential.Uses != 0 || found.Version.ID != version {
		return known{entry: &cache.Entry{Found: found}}, nil
	}
	return known{entry: c.cache.Put(begin, found, digestMessage(&found.Credential, &found.Version))}, nil
}

// judge decides on a credential whose secret was presented, as far as that can be
// seen from its record.
func judge(now time.Time, found *store.Found, check *Check) error {
	c, v := &found.Credential, &found.Version
	switch {
	case c.Kind != check.Kind:
		return &invalid{ErrUnknown}
	case c.State == StateRevoked:
		return &invalid{ErrRevoked}
	case c.State != StateActive && c.State != StateSuspended:
		return fmt.Errorf("verify: the credential's state %q is none of this version of keyfob", c.State)
	case isOver(now, c.Expires):
		return &invalid{ErrExpired}
	case isOver(now, v.Ends):
		return &invalid{ErrReplaced}
	case c.State == StateSuspended:
		return &invalid{ErrSuspended}
	case now.Before(c.NotBefore):
		return &invalid{ErrNotYet}
	case len(c.CIDRs) > 0 && !isInside(c.CIDRs, check.IP):
		return &invalid{ErrIP}
	}
	for _, scope := range check.Scopes {
		if !slices.Contains(c.Scopes, scope) {
			return &invalid{ErrScope}
		}
	}
	if isExhausted(c) {
		return &invalid{ErrExhausted}
	}
	return nil
}
