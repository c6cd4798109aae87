package keyfob

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyfob-dev/keyfob/internal/framing"
	"github.com/keyfob-dev/keyfob/internal/seal"
	"github.com/keyfob-dev/keyfob/otp"
	"github.com/keyfob-dev/keyfob/store"
)

const (
	maxTOTPs      = 10 // of one subject
	maxTOTPDigits = 8
	enrolmentLife = time.Hour // until it is confirmed
)

// A TOTP asks for the seed of an authenticator app (RFC 6238): 160 bits, which
// come in Issued.Secret in base32 and in Issued.URI as the otpauth URI that the app
// reads from a QR code. Codes have 6 digits, of a time step of 30 seconds. It is
// accepted once Confirm has seen a first code, within an hour. A subject may have
// ten.
//
// The seed is kept encrypted, since codes are computed from it: whoever has both
// database and root key has it.
type TOTP struct {
	Subject string // whose it is; up to 256 bytes of UTF-8; required
	Issuer  string // names the service in the app, as otp.CheckIssuer wants it
	Account string // names the account there, as otp.CheckAccount wants it; required

	// Algorithm of the HMAC; the zero value is SHA-1, which all apps know.
	// GODEBUG=fips140=only wants another.
	Algorithm otp.Algorithm

	Name string // for people, who may have several; up to 256 bytes of UTF-8

	// Attributes are for the application, as those of an APIKey.
	Attributes map[string]string
}

func (t TOTP) record(c *store.Credential) error {
	if err := checkNamed("subject", t.Subject, maxSubject); err != nil {
		return err
	}
	if err := checkText("name", t.Name, maxName); err != nil {
		return err
	}
	if err := checkAttributes(t.Attributes); err != nil {
		return err
	}
	if t.Issuer != "" {
		if err := otp.CheckIssuer(t.Issuer); err != nil {
			return badInput("issuer", "is none: %v", err)
		}
	}
	if err := otp.CheckAccount(t.Account); err != nil {
		return badInput("account", "is none: %v", err)
	}
	if _, err := (otp.TOTP{Algorithm: t.Algorithm}).Generate(otp.NewSeed(), c.Created); err != nil {
		return badInput("algorithm", "cannot be used: %v", err)
	}
	c.Kind, c.Subject, c.Name, c.Attributes = KindTOTP, t.Subject, t.Name, t.Attributes
	c.Expires = c.Created.Add(enrolmentLife)
	return nil
}

func (t TOTP) draw(k *core, c *store.Credential, _ string) (drawn, error) {
	key := otp.Key{Issuer: t.Issuer, Account: t.Account, Seed: otp.NewSeed(), Algorithm: t.Algorithm}
	uri, err := key.URI()
	if err != nil {
		return drawn{}, fmt.Errorf("issue: %w", err)
	}
	v := k.version(c, 1, uri)
	v.Sealed = k.keys.now().seal.Seal([]byte(uri), sealedFor(c, &v))
	return drawn{versions: []store.Version{v}, secret: NewSecret(key.Seed.Base32()), uri: NewSecret(uri)}, nil
}

func (TOTP) room() room { return room{most: maxTOTPs, refuse: true, counts: true} }

// sealedFor is what the seed of a version is sealed for: moved to another row, or
// in a row whose subject was changed, it does not open.
func sealedFor(c *store.Credential, v *store.Version) []byte {
	b := framing.Append(nil, "keyfob/seal/v1/totp")
	b = framing.AppendInt(b, v.RootKey)
	return framing.Append(b, digestMessage(c, v))
}

// openTOTP returns the key of an authenticator. It is seal.ErrOpen that its row was
// edited.
func (c *core) openTOTP(of *store.Credential, v *store.Version) (otp.Key, error) {
	sub := c.keys.numbers[v.RootKey]
	if sub == nil {
		return otp.Key{}, fmt.Errorf("open a seed: %w: number %d sealed it, and is not in the root key", ErrRootKey, v.RootKey)
	}
	uri, err := sub.seal.Open(v.Sealed, sealedFor(of, v))
	if err != nil {
		return otp.Key{}, err
	}
	defer clear(uri)
	return otp.ParseURI(string(uri))
}

// A match is an authenticator that computes a code that was presented, and the
// highest time step that it does so for; claiming that one, a code that adjacent
// steps happen to share is accepted once.
type match struct {
	item store.Item
	step int64
	used bool // of a step with that code another was claimed before
}

// matchTOTP compares a code with those of all the subject's authenticators that
// are, or are not, confirmed. A row that was edited matches nothing.
func (a *Authority) matchTOTP(ctx context.Context, now time.Time, space string, attempt *Attempt, confirmed bool) (match, error) {
	items, err := a.live(ctx, &store.Credential{Space: space, Kind: KindTOTP, Subject: attempt.Subject})
	if err != nil {
		return match{}, err
	}
	var best *match
	for _, item := range items {
		c := &item.Credential
		if c.State != StateActive || isOver(now, c.Expires) || (c.NextStep != 0) != confirmed || len(item.Versions) == 0 {
			continue
		}
		key, err := a.openTOTP(c, &item.Versions[0])
		if errors.Is(err, seal.ErrOpen) {
			continue
		}
		if err != nil {
			return match{}, err
		}
		m, ok, err := matchSteps(key, attempt, now, c.NextStep)
		if err != nil {
			return match{}, fmt.Errorf("compare: %w", err)
		}
		if ok && (best == nil || best.used) { // one that is good goes before one that was used
			m.item = item
			best = &m
		}
	}
	if best == nil {
		return match{}, &invalid{ErrUnknown}
	}
	return *best, nil
}

// matchSteps compares a code with those of the present time step and its
// neighbours; where one is the same, with those that follow as well.
func matchSteps(key otp.Key, attempt *Attempt, now time.Time, next int64) (m match, ok bool, err error) {
	t, err := key.TOTP()
	if err != nil {
		return m, false, err
	}
	t.Skew = otp.NoSkew
	same := false // as the code of the step before
	for shift := -1; shift <= 1 || same; shift++ {
		at := now.Add(time.Duration(shift) * t.Period)
		if shift < 0 && at.Unix() < 0 {
			continue // there is no step before 1970
		}
		step, err := t.Verify(key.Seed, attempt.Secret.Reveal(), at, otp.Never())
		same = err == nil
		if errors.Is(err, otp.ErrMismatch) || errors.Is(err, otp.ErrMalformed) {
			continue
		}
		if err != nil {
			return m, false, err
		}
		m.step, m.used = int64(step), m.used || int64(step) < next
		ok = ok || shift == 0 || shift <= 1 && !attempt.Strict
	}
	return m, ok, nil
}

// checkTOTP counts a guess at the authenticators of a subject, compares, and claims
// the step of a code that is right.
func (a *Authority) checkTOTP(ctx context.Context, space string, attempt *Attempt) (Credential, error) {
	if _, err := a.reserve(ctx, space, attempt); err != nil {
		return Credential{}, err
	}
	for { // of one guess: what was judged may change before the step is claimed
		now := a.now()
		m, err := a.matchTOTP(ctx, now, space, attempt, true)
		if err != nil {
			return Credential{}, err
		}
		if m.used {
			return Credential{}, &invalid{ErrRedeemed}
		}
		c, v := m.item.Credential, m.item.Versions[0]
		err = a.applyAll(ctx, nil, []store.Step{
			store.ClaimStep{Space: space, ID: c.ID, Revision: c.Revision, Step: m.step},
			store.ClearBudget{Space: space, Name: subjectBudget(space, c.Subject)},
		})
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		if err != nil {
			return Credential{}, fmt.Errorf("redeem: %w", err)
		}
		a.uses.Record(space, v.ID, addressOf(attempt.IP), now)
		c.NextStep = m.step + 1
		return a.credentialOf(now, &c, v), nil
	}
}

// confirmTOTP is checkTOTP of those that are not confirmed.
func (a *Authority) confirmTOTP(ctx context.Context, space string, attempt *Attempt) (Credential, error) {
	if _, err := a.reserve(ctx, space, attempt); err != nil {
		return Credential{}, err
	}
	for {
		now := a.now()
		m, err := a.matchTOTP(ctx, now, space, attempt, false)
		if err != nil {
			return Credential{}, err
		}
		c, v := m.item.Credential, m.item.Versions[0]
		c.Expires, c.Updated = time.Time{}, now
		e := eventOf(&c, now, "confirmed")
		e.Version = v.ID
		err = a.apply(ctx, e,
			store.UpdateCredential{Credential: c},
			store.ClaimStep{Space: space, ID: c.ID, Revision: c.Revision + 1, Step: m.step},
			store.ClearBudget{Space: space, Name: subjectBudget(space, c.Subject)})
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		if err != nil {
			return Credential{}, fmt.Errorf("confirm: %w", err)
		}
		c.Revision, c.NextStep = c.Revision+1, m.step+1
		return a.credentialOf(now, &c, v), nil
	}
}
