package keyfob

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// Update writes the Name, Scopes, Attributes, NotBefore, Expires, CIDRs, Uses and
// Limit of c, which Get, List or Issue returned, into the credential of its id, if its
// revision is still c.Revision: what somebody else changed meanwhile is not lost.
// All other fields of c are ignored. What is to be kept must stay in c.
//
// Of a session it writes the Attributes alone; other kinds it does not change.
// The bounds are those of the APIKey. Uses counts what was used so far as well.
// Errors: ErrConflict (another revision; a credential that is revoked or expired,
// which nothing brings back), ErrInput, ErrNotFound, ErrSpace, ErrUnavailable.
func (a *Authority) Update(ctx context.Context, c Credential) (Credential, error) {
	space, err := a.spaceID(ctx, a.space)
	if err != nil {
		return Credential{}, err
	}
	item, err := a.item(ctx, space, c.ID)
	if err != nil {
		return Credential{}, err
	}
	now, row := a.now(), item.Credential
	if err := mayUpdate(now, &row); err != nil {
		return Credential{}, err
	}
	if row.Revision != c.Revision {
		return Credential{}, staleRevision(c.Revision)
	}
	if err := write(&row, &c, now); err != nil {
		return Credential{}, err
	}
	row.Updated = now
	e := eventOf(&row, now, "updated")
	e.Reason = strings.Join(changed(&item.Credential, &row), ", ")
	err = a.apply(ctx, e, store.UpdateCredential{Credential: row})
	if errors.Is(err, store.ErrConflict) {
		return Credential{}, staleRevision(c.Revision)
	}
	if err != nil {
		return Credential{}, fmt.Errorf("update: %w", err)
	}
	row.Revision++
	return a.credentialOf(now, &row, item.Versions...), nil
}

// write checks what Update changes, and writes it into a row.
func write(row *store.Credential, c *Credential, now time.Time) error {
	if row.Kind == KindSession {
		row.Attributes = c.Attributes
		return checkAttributes(c.Attributes)
	}
	p := policy{
		name: c.Name, scopes: c.Scopes, notBefore: c.NotBefore, expires: c.Expires,
		cidrs: c.CIDRs, uses: c.Uses, limit: c.Limit, attributes: c.Attributes,
	}
	return p.record(row, now)
}

// mayUpdate refuses what is neither an API key nor a session, and what mayChange
// refuses.
func mayUpdate(now time.Time, c *store.Credential) error {
	if c.Kind == KindSession {
		return mayChange("update", now, c)
	}
	return mayEdit("update", now, c)
}

func staleRevision(revision int64) error {
	return fmt.Errorf("update: %w: revision %d is not the newest; get the credential again, and judge anew", ErrConflict, revision)
}

// changed names the fields of a policy that differ, for the event.
func changed(was, is *store.Credential) []string {
	var names []string
	add := func(name string, same bool) {
		if !same {
			names = append(names, name)
		}
	}
	add("name", was.Name == is.Name)
	add("scopes", slices.Equal(was.Scopes, is.Scopes))
	add("not_before", was.NotBefore.Equal(is.NotBefore))
	add("expires_at", was.Expires.Equal(is.Expires))
	add("cidrs", slices.Equal(was.CIDRs, is.CIDRs))
	add("uses", was.Uses == is.Uses)
	add("limit", was.Limit == is.Limit)
	add("attributes", maps.Equal(was.Attributes, is.Attributes))
	return names
}

// Suspend has a credential refused until Resume. The id is the credential's or
// one of its versions'. The reason is for people and may be empty. Suspending
// what is suspended already does nothing and is no error.
//
// When it returns nil, no verification on this store accepts the credential.
// Errors: ErrConflict (it is revoked or expired), ErrInput, ErrNotFound,
// ErrSpace, ErrUnavailable.
func (a *Authority) Suspend(ctx context.Context, id, reason string) (Credential, error) {
	return a.setState(ctx, id, "suspend", "suspended", StateSuspended, reason)
}

// Resume ends a suspension. Resuming what is not suspended does nothing and is
// no error. The errors are Suspend's.
func (a *Authority) Resume(ctx context.Context, id string) (Credential, error) {
	return a.setState(ctx, id, "resume", "resumed", StateActive, "")
}

// setState moves a credential between active and suspended, whatever else
// changes it meanwhile.
func (a *Authority) setState(ctx context.Context, id, verb, past string, state State, reason string) (Credential, error) {
	if err := checkText("reason", reason, maxReason); err != nil {
		return Credential{}, err
	}
	space, err := a.spaceID(ctx, a.space)
	if err != nil {
		return Credential{}, err
	}
	for {
		item, err := a.item(ctx, space, id)
		if err != nil {
			return Credential{}, err
		}
		now, c := a.now(), item.Credential
		if err := mayChange(verb, now, &c); err != nil {
			return Credential{}, err
		}
		if c.State == state {
			a.forget(c.ID) // as in Revoke
			return a.credentialOf(now, &c, item.Versions...), nil
		}
		c.State, c.Reason, c.Updated = state, reason, now
		e := eventOf(&c, now, past)
		e.Reason = reason
		err = a.apply(ctx, e, store.UpdateCredential{Credential: c})
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		if err != nil {
			return Credential{}, fmt.Errorf("%s: %w", verb, err)
		}
		c.Revision++
		return a.credentialOf(now, &c, item.Versions...), nil
	}
}

// mayEdit refuses what only API keys know, and what mayChange refuses.
func mayEdit(verb string, now time.Time, c *store.Credential) error {
	if c.Kind != KindAPIKey {
		return fmt.Errorf("%s: %w: the credential is of the kind %s, and only API keys can; issue a new one", verb, ErrConflict, c.Kind)
	}
	return mayChange(verb, now, c)
}

// mayChange refuses what would change a credential that has ended.
func mayChange(verb string, now time.Time, c *store.Credential) error {
	if c.State.Final() {
		return fmt.Errorf("%s: %w: the credential is %s; issue a new one", verb, ErrConflict, c.State)
	}
	if isOver(now, endOf(c)) {
		return fmt.Errorf("%s: %w: the credential is expired; issue a new one", verb, ErrConflict)
	}
	return nil
}
