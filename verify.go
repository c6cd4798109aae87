package keyfob

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
	"unique"

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
// ErrSuspended, ErrNotYet, ErrIP, ErrScope, ErrExhausted or ErrRateLimited; Reason
// gives its name, and of several causes it is the first in this order; a session
// whose place another took is ErrReplaced also when it would have expired since. An
// error without ErrInvalid means that nothing could be decided; treat it as a refusal.
// Such are ErrInput (the check itself is wrong), ErrSpace, ErrRootKey and
// ErrUnavailable.
//
// A verification that is accepted is what Uses counts: of those that race for
// the last use, one is accepted. After an error that is not ErrInvalid the use
// may be counted.
//
// The time it takes does not tell how much of a secret was right, nor whether an
// id exists, as far as the store's own look-up does not.
func (a *Authority) Verify(ctx context.Context, text string, check Check) (Credential, error) {
	j, err := a.judge(ctx, text, &check)
	if err != nil {
		return Credential{}, err
	}
	return a.verified(j.now, &j.entry.Found), nil
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
func (a *Authority) Judge(ctx context.Context, text string, check Check) (Verdict, error) {
	j, err := a.judge(ctx, text, &check)
	v := Verdict{Meter: j.meter, Staleness: j.age}
	if err == nil {
		v.Credential = a.verified(j.now, &j.entry.Found)
	}
	return v, err
}

// A judged is what was presented, as it was judged.
type judged struct {
	known
	now   time.Time
	meter Meter
}

// judge is Judge, but for the credential, which is too large to be handed from
// one to the other.
func (a *Authority) judge(ctx context.Context, text string, check *Check) (j judged, err error) {
	if check.Kind == "" {
		check.Kind = KindAPIKey
	}
	if check.Kind != KindAPIKey && check.Kind != KindSession {
		return j, badInput("kind", "is none that can be verified: apikey or session")
	}
	if err := checkScopes(check.Scopes); err != nil {
		return j, err
	}
	space, err := a.ownID(ctx)
	if err != nil {
		return j, err
	}
	var touched, fresh bool
	for {
		var real time.Time
		j.now, real = a.readClocks()
		if j.known, err = a.find(ctx, space, text, real, fresh); err != nil {
			return j, err
		}
		if !j.cached {
			j.now = a.now() // the store may have taken its time
		}
		j.meter, err = a.decide(ctx, j.now, j.entry, check, touched)
		switch {
		case err == errTouched:
			touched = true
		case errors.Is(err, store.ErrConflict): // it was changed or used up meanwhile: judge it anew
		case j.cached && errors.Is(err, ErrExpired) && !isOver(j.now, j.entry.Found.Credential.Expires):
			fresh = true // it was not used here, and may be in use elsewhere
		default:
			return j, err
		}
	}
}

// decide judges a credential whose secret was presented, and counts the use. That
// it is in use is written once, however long that takes.
func (a *Authority) decide(ctx context.Context, now time.Time, e *cache.Entry, check *Check, touched bool) (meter Meter, err error) {
	c := &e.Found.Credential
	if err := judge(now, &e.Found, check); err != nil {
		return Meter{}, err
	}
	if c.Idle != 0 && !touched && isDue(now, c) {
		return Meter{}, a.touch(ctx, now, c)
	}
	if c.Limit.Rate != 0 {
		var allowed bool
		if meter, allowed = a.meter(now, c); !allowed {
			return meter, &invalid{ErrRateLimited}
		}
	}
	if c.Uses != 0 {
		if err := a.use(ctx, c); err != nil {
			return Meter{}, err
		}
	}
	a.recordUse(e, check.IP, now)
	return meter, nil
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

// recordUse notes when and from where a version was used, once a second; of a
// session once in a tenth of its idle time.
func (c *core) recordUse(e *cache.Entry, ip netip.Addr, now time.Time) {
	ip, second := ip.Unmap(), now.Unix()
	if tenth := int64(e.Found.Credential.Idle / 10 / time.Second); tenth > 1 {
		second -= second % tenth
	}
	is := func(r *cache.Recorded) bool { return r != nil && r.Second == second && r.From == ip }
	if is(e.Recorded.Load()) {
		return
	}
	// Many versions are used from one address, or from nobody knows where.
	r := c.recorded.Load()
	if !is(r) {
		r = &cache.Recorded{Second: second, From: ip}
		c.recorded.Store(r)
	}
	e.Recorded.Store(r)
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

// known is a version, and how old the knowledge of it is.
type known struct {
	entry  *cache.Entry
	age    time.Duration
	cached bool
}

// The parts of a keyed token after its id, in characters.
const (
	idLength   = 16
	restLength = 43 + 6 // secret and checksum
)

// cut takes a text apart as token.Parse does, and verifies nothing but that there
// is something to cut. It is for what is compared with a token that was verified.
func cut(text string) (prefix, id, rest string, ok bool) {
	end := len(text) - restLength
	at := end - idLength
	if at < 1 || text[at-1] != '_' {
		return "", "", "", false
	}
	return text[:at-1], text[at:end], text[end:], true
}

// find returns the version whose secret is presented. What was proved against
// this very entry before is not proved again: neither the digest nor what it is
// made over ever changes in an entry. If it is to be fresh, the store is asked.
func (c *core) find(ctx context.Context, space, text string, now time.Time, fresh bool) (known, error) {
	prefix, id, rest, _ := cut(text)
	var k known
	if !fresh {
		k = c.recall(space, id, now)
	}
	if k.cached && prefix == k.entry.Found.Version.Prefix && k.entry.Proof.Holds(rest) {
		return k, nil
	}
	presented, err := token.Parse(text)
	if err != nil {
		return known{}, &invalid{ErrMalformed}
	}
	if !k.cached {
		k.entry, err = c.read(ctx, space, id)
	}
	unknown := errors.Is(err, store.ErrNotFound)
	if err != nil && !unknown {
		return known{}, fmt.Errorf("verify: %w", err)
	}
	if unknown {
		k.entry = &cache.Entry{Found: c.stranger(KindAPIKey, space, presented)}
	}
	same, err := c.prove(&k.entry.Found, presented)
	if err != nil {
		return known{}, err
	}
	if unknown || !same {
		return k, &invalid{ErrUnknown}
	}
	k.entry.Proof.Keep(rest)
	return k, nil
}

// prove reports whether a version's secret is presented, under its prefix.
func (c *core) prove(found *store.Found, presented token.Keyed) (bool, error) {
	same, err := c.isSecret(&found.Credential, &found.Version, presented.Secret())
	return same && token.Equal(presented.Prefix(), found.Version.Prefix), err
}

// recall returns what is known of a version, if that is new enough.
func (c *core) recall(space, version string, now time.Time) known {
	if c.cache == nil {
		return known{}
	}
	e, age, ok := c.cache.Get(version, now)
	if !ok || age > c.maxStaleness || e.Found.Credential.Space != space {
		return known{}
	}
	return known{e, age, true}
}

// read reads a version from the store, and keeps it. What is counted exactly is
// not kept.
func (c *core) read(ctx context.Context, space, version string) (*cache.Entry, error) {
	var begin cache.Fill
	if c.cache != nil {
		begin = c.cache.Begin()
	}
	found, err := c.store.Version(ctx, space, version)
	if err != nil {
		return nil, err
	}
	if c.cache == nil || found.Credential.Uses != 0 || found.Version.ID != version {
		return &cache.Entry{Found: found}, nil
	}
	shareTexts(&found)
	return c.cache.Put(begin, found), nil
}

// shareTexts has what is the same in many versions in memory once, as far as they
// were read between two garbage collections. It takes less, and stays in the caches
// of the processor.
func shareTexts(found *store.Found) {
	c, v := &found.Credential, &found.Version
	c.Kind, c.State = unique.Make(c.Kind).Value(), unique.Make(c.State).Value()
	c.Space, v.Prefix = unique.Make(c.Space).Value(), unique.Make(v.Prefix).Value()
	for i, scope := range c.Scopes {
		c.Scopes[i] = unique.Make(scope).Value()
	}
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
	case c.State == StateReplaced:
		return &invalid{ErrReplaced}
	case c.State != StateActive && c.State != StateSuspended:
		return fmt.Errorf("verify: the credential's state %q is none of this version of keyfob", c.State)
	case isOver(now, endOf(c)):
		return &invalid{ErrExpired}
	case isPast(now, c, v):
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
