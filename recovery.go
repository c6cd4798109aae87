package keyfob

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/keyfob-dev/keyfob/otp"
	"github.com/keyfob-dev/keyfob/store"
)

// recoveryCodes is how many codes a set has.
const recoveryCodes = 10

var recoveryRecipe = otp.Recipe{Format: otp.FormatRecovery}

// A Recovery asks for a set of ten recovery codes (otp.Recovery: 120 bits each) to
// be kept on paper for when an authenticator is lost. They come in Issued.Secrets.
// Each is redeemed once; a new set ends the one before.
type Recovery struct {
	Subject string // whom they stand for; up to 256 bytes of UTF-8; required

	// Attributes are for the application, as those of an APIKey.
	Attributes map[string]string
}

func (r Recovery) record(c *store.Credential) error {
	if err := checkNamed("subject", r.Subject, maxSubject); err != nil {
		return err
	}
	if err := checkAttributes(r.Attributes); err != nil {
		return err
	}
	c.Kind, c.Subject, c.Attributes, c.Uses = KindRecovery, r.Subject, r.Attributes, recoveryCodes
	return nil
}

func (Recovery) draw(k *core, c *store.Credential, _ string) (d drawn, err error) {
	for code := range recoveryRecipe.Many(recoveryCodes) {
		d.versions = append(d.versions, k.version(c, int64(len(d.versions)+1), code))
		d.secrets = append(d.secrets, NewSecret(code))
	}
	return d, nil
}

func (Recovery) room() room { return room{most: 1, counts: true} }

// redeemRecovery counts a guess at the recovery codes of a subject, compares, and
// ends the one that is right. Which code it was is told by the version.
func (a *Authority) redeemRecovery(ctx context.Context, space string, attempt *Attempt) (Credential, error) {
	if _, err := a.reserve(ctx, space, attempt); err != nil {
		return Credential{}, err
	}
	for { // of one guess: what was judged may change before it is ended
		sets, err := a.candidates(ctx, space, attempt)
		if err != nil {
			return Credential{}, err
		}
		c, v, err := a.compareRecovery(ctx, space, sets, attempt.Secret)
		if err != nil {
			return Credential{}, err
		}
		now := a.now()
		if err := judgeLife(now, &c); err != nil {
			return Credential{}, err
		}
		if !v.Ends.IsZero() { // by the clock of whoever redeemed it, which may be ahead
			return Credential{}, &invalid{ErrRedeemed}
		}
		won := eventOf(&c, now, "redeemed")
		won.Version = v.ID
		err = a.applyAll(ctx, []store.Event{won}, []store.Step{
			store.EndVersion{Space: space, ID: v.ID, Was: v.Ends, Ends: now},
			store.UseCredential{Space: space, ID: c.ID, Revision: c.Revision},
			store.ClearBudget{Space: space, Name: subjectBudget(space, c.Subject)},
		})
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		if err != nil {
			return Credential{}, fmt.Errorf("redeem: %w", err)
		}
		c.Used, v.Ends = c.Used+1, now
		return a.credentialOf(now, &c, v), nil
	}
}

// compareRecovery returns the code that is presented and its set: of the present
// one, or of the one before it, which are told from wrong ones although they are
// good no more. All are compared, and where there are none, as many.
func (a *Authority) compareRecovery(ctx context.Context, space string, sets []store.Item, secret Secret) (c store.Credential, v store.Version, err error) {
	found := false
	for i := range 2 {
		var set store.Credential
		codes := slices.Repeat([]store.Version{{RootKey: a.keys.active}}, recoveryCodes)
		if i < len(sets) {
			set = sets[i].Credential
			if codes, err = a.store.Versions(ctx, space, set.ID); err != nil {
				return c, v, fmt.Errorf("redeem: %w", err)
			}
		}
		for j := range codes {
			same, err := a.isSecret(&set, &codes[j], secret.Reveal())
			if err != nil {
				return c, v, err
			}
			if same && !found {
				c, v, found = set, codes[j], true
			}
		}
	}
	if !found {
		return c, v, &invalid{ErrUnknown}
	}
	return c, v, nil
}
