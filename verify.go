package keyfob

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
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
}

// Verify judges a token that somebody presents. It returns the credential, with
// the version that was presented, or an error that wraps ErrInvalid and one
// cause: ErrMalformed, ErrUnknown, ErrExpired, ErrRevoked, ErrReplaced or
// ErrScope; Reason gives its name. An error without ErrInvalid means that nothing
// could be decided; treat it as a refusal. Such are ErrInput (the check itself
// is wrong), ErrSpace, ErrRootKey and ErrUnavailable.
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
	found, err := a.find(ctx, space, presented)
	if err != nil {
		return Credential{}, err
	}
	now := a.now()
	if err := judge(now, &found, check); err != nil {
		return Credential{}, err
	}
	return a.credentialOf(now, &found.Credential, found.Version), nil
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
	case c.State != StateActive:
		return fmt.Errorf("verify: the credential's state %q is none of this version of keyfob", c.State)
	case isOver(now, c.Expires):
		return &invalid{ErrExpired}
	case isOver(now, v.Ends):
		return &invalid{ErrReplaced}
	}
	for _, scope := range check.Scopes {
		if !slices.Contains(c.Scopes, scope) {
			return &invalid{ErrScope}
		}
	}
	return nil
}
