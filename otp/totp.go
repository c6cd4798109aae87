package otp

import (
	"fmt"
	"time"
)

const (
	usualPeriod = 30 * time.Second
	maxPeriod   = time.Hour
	usualSkew   = 1
	maxSkew     = 10
)

// NoSkew, as the Skew of a TOTP, accepts the code of the present step alone.
const NoSkew = -1

// A TOTP says how time-based codes (RFC 6238) are computed and verified. The zero
// value is what authenticator apps use: HMAC-SHA-1, 6 digits, steps of 30 seconds that
// are counted from 1970, and one step of skew. A TOTP can be copied and compared.
type TOTP struct {
	// Algorithm of the HMAC.
	Algorithm Algorithm

	// Digits of a code, 6 to 8; 0 stands for 6.
	Digits int

	// Period is the length of a step, in whole seconds up to an hour; 0 stands for 30
	// seconds.
	Period time.Duration

	// Skew is how many steps before and after the present one Verify accepts, for
	// clocks that differ and people who type slowly: 1 to 10; 0 stands for 1, and
	// NoSkew for none. RFC 6238, section 5.2, recommends no more than one. Each makes
	// guessing easier: a code is compared with 2*Skew+1 others.
	Skew int
}

// Check says whether the configuration can be used. The error wraps ErrConfig. The
// other methods return it as well.
func (t TOTP) Check() error {
	if err := checkCommon(t.Algorithm, t.Digits); err != nil {
		return err
	}
	if t.Period < 0 || t.Period > maxPeriod || t.Period%time.Second != 0 {
		return fmt.Errorf("%w: a period of %v; whole seconds are allowed, 1 to %d", ErrConfig, t.Period, maxPeriod/time.Second)
	}
	if t.Skew < NoSkew || t.Skew > maxSkew {
		return fmt.Errorf("%w: a skew of %d steps; NoSkew and 1 to %d are allowed", ErrConfig, t.Skew, maxSkew)
	}
	return nil
}

// resolve checks, and fills in what 0 and NoSkew stand for.
func (t TOTP) resolve() (TOTP, error) {
	if err := t.Check(); err != nil {
		return TOTP{}, err
	}
	if t.Digits == 0 {
		t.Digits = usualCode
	}
	if t.Period == 0 {
		t.Period = usualPeriod
	}
	switch t.Skew {
	case 0:
		t.Skew = usualSkew
	case NoSkew:
		t.Skew = 0
	}
	return t, nil
}

// Step returns the number of the step that a time is in: the seconds since 1970,
// divided by the period and rounded down (RFC 6238, section 4.2). It fits an int64.
// The error wraps ErrConfig, or ErrTime for a time before 1970.
func (t TOTP) Step(at time.Time) (uint64, error) {
	t, err := t.resolve()
	if err != nil {
		return 0, err
	}
	return t.step(at)
}

// step is Step of what was resolved.
func (t TOTP) step(at time.Time) (uint64, error) {
	seconds := at.Unix()
	if seconds < 0 {
		return 0, fmt.Errorf("%w: it is before 1970, where no steps are", ErrTime)
	}
	return uint64(seconds) / uint64(t.Period/time.Second), nil
}

// Until returns how long the code of a time stays that of the present step: more than
// 0, and at most the period. Its errors are those of Step.
func (t TOTP) Until(at time.Time) (time.Duration, error) {
	t, err := t.resolve()
	if err != nil {
		return 0, err
	}
	if _, err := t.step(at); err != nil {
		return 0, err
	}
	gone := at.Unix() % int64(t.Period/time.Second)
	return t.Period - time.Duration(gone)*time.Second - time.Duration(at.Nanosecond()), nil
}

// Generate returns the code of a time. The error wraps ErrConfig, ErrSeed, ErrTime or
// ErrFIPS.
func (t TOTP) Generate(seed Seed, at time.Time) (string, error) {
	t, err := t.resolve()
	if err != nil {
		return "", err
	}
	if err := ready(t.Algorithm, seed); err != nil {
		return "", err
	}
	step, err := t.step(at)
	if err != nil {
		return "", err
	}
	return generate(t.Algorithm, t.Digits, seed, step), nil
}

// Verify compares a code with those of the step that at is in and of Skew steps on
// either side, as far as they come after the last match, and returns the step that it
// matches: the latest, should there be several, so that the same text does not serve
// again for another.
//
// The caller must store the step, by an update that succeeds only while the stored
// one is lower, before it lets anybody in, and give it as last from then on. So no
// step is accepted twice (RFC 6238, section 5.2), nor one before it, whatever the
// clock does meanwhile.
//
// Every call computes and compares the codes of all 2*Skew+1 steps, wherever and
// whether one matches. A code has one spelling, as with [Recipe.CheckForm].
//
// The error wraps ErrMismatch for a wrong code, and also ErrReplayed if the code is
// that of a step that is not after last; ErrMalformed for what cannot be a code; and
// otherwise ErrConfig, ErrSeed, ErrTime or ErrFIPS. People should be told the same of
// all codes. Verify panics if last is the zero Last.
func (t TOTP) Verify(seed Seed, code string, at time.Time, last Last) (step uint64, err error) {
	last.must()
	t, err = t.resolve()
	if err != nil {
		return 0, err
	}
	if err := ready(t.Algorithm, seed); err != nil {
		return 0, err
	}
	step, err = t.step(at)
	if err != nil {
		return 0, err
	}
	if err := checkForm(FormatDigits, t.Digits, code); err != nil {
		return 0, err
	}
	return verify(t.Algorithm, t.Digits, seed, code, t.window(step, last))
}

// window goes up: search returns the match that it finds last. Steps before 1970 are
// those beyond the greatest number, which is above top; top itself is far below that,
// since step fits an int64.
func (t TOTP) window(step uint64, last Last) window {
	skew := uint64(t.Skew)
	return window{first: step - skew, count: 2*t.Skew + 1, top: step + skew, last: last}
}
