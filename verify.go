package keyfob

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

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
// ErrSuspended, ErrNotYet, ErrIP, ErrScope or ErrExhausted; Reason gives its
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
	if check.Kind == "" {
		check.Kind = KindAPIKey
	}
	if check.Kind != KindAPIKey {
		return Credential{}, badInput("kind", "is none that can be verified: apikey")
	}
	if err := checkScopes(check.Scopes); err != nil {
		return Credential{}, err
	}
	space, err := a.spaceID(ctx, a.space)
	if err != nil {
		return Credential{}, err
	}
	presented, err := token.Parse(text)
	if err != nil {
		return Credential{}, &invalid{ErrMalformed}
	}
	for {
		found, err := a.find(ctx, space, presented)
		if err != nil {
			return Credential{}, err
		}
		now, c := a.now(), &found.Credential
		if err := judge(now, &found, check); err != nil {
			return Credential{}, err
		}
		if c.Uses != 0 {
			err := a.store.Apply(ctx, store.Change{Steps: []store.Step{
				store.UseCredential{Space: c.Space, ID: c.ID, Revision: c.Revision},
			}})
			if errors.Is(err, store.ErrConflict) {
				continue // it was changed or used up meanwhile: judge it anew
			}
			if err != nil {
				return Credential{}, fmt.Errorf("verify: %w", err)
			}
			c.Used++
		}
		a.uses.Record(space, found.Version.ID, addressOf(check.IP), now)
		return a.credentialOf(now, c, found.Version), nil
	}
}

// addressOf is an address as it is recorded: without the zone, which is this
// machine's own.
func addressOf(ip netip.Addr) string {
	if !ip.IsValid() {
		return ""
	}
	return ip.Unmap().WithZone("").String()
}

// find returns the version whose secret is presented. The digest is computed
// from the stored fields, so that a record that was tampered with matches
// nothing, and for an unknown id as well, so that it costs the same work.
func (c *core) find(ctx context.Context, space string, presented token.Keyed) (store.Found, error) {
	found, err := c.store.Version(ctx, space, presented.ID())
	unknown := errors.Is(err, store.ErrNotFound)
	if err != nil && !unknown {
		return store.Found{}, fmt.Errorf("verify: %w", err)
	}
	if unknown {
		id := presented.ID()
		found.Credential = store.Credential{ID: id, Space: space, Kind: KindAPIKey, Subject: id}
		found.Version = store.Version{ID: id, Prefix: presented.Prefix(), RootKey: c.keys.active}
	}
	sub := c.keys.numbers[found.Version.RootKey]
	if sub == nil {
		return store.Found{}, fmt.Errorf("verify: %w: number %d made this digest, and is not in the root key", ErrRootKey, found.Version.RootKey)
	}
	digest := sub.secretDigest(&found.Credential, &found.Version, presented.Secret())
	same := hmac.Equal(digest, found.Version.Digest)
	if unknown || !same || !token.Equal(presented.Prefix(), found.Version.Prefix) {
		return store.Found{}, &invalid{ErrUnknown}
	}
	return found, nil
}

// judge decides on a credential whose secret was presented.
func judge(now time.Time, found *store.Found, check Check) error {
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
