package main

import (
	"errors"
	"fmt"
	"time"

	peerotp "github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"github.com/keyfob-dev/keyfob/otp"
)

func otpRows() []row {
	return []row{
		{
			name:    "otp.TOTP.Verify, a hit : pquerna/otp",
			targets: []target{{cpu, atMost, 1}, {allocs, fewer, 0}},
			prepare: func(e *env) (side, side, error) { return verifyTOTP(true) },
		},
		{
			name:    "otp.TOTP.Verify, a miss : pquerna/otp",
			targets: []target{{cpu, atLeast, 2}, {allocs, fewer, 0}},
			prepare: func(e *env) (side, side, error) { return verifyTOTP(false) },
		},
	}
}

// verifyTOTP verifies a code with one step of skew, as a server does: each side
// gets the seed as its user keeps it in a database, one as bytes and the other as
// base32.
func verifyTOTP(hit bool) (ours, peer side, err error) {
	now := time.Unix(1_700_000_000, 0)
	seed := otp.NewSeed()
	code, err := otp.TOTP{}.Generate(seed, now)
	if err != nil {
		return ours, peer, err
	}
	if !hit {
		code = wrongCode(seed, now)
	}
	raw, text := seed.Bytes(), seed.Base32()
	ours.run = func(n int) error {
		for range n {
			s, err := otp.SeedOf(raw)
			if err != nil {
				return err
			}
			_, err = otp.TOTP{}.Verify(s, code, now, otp.Never())
			if (err == nil) != hit || err != nil && !errors.Is(err, otp.ErrMismatch) {
				return fmt.Errorf("a hit is %t, and the error %w", hit, err)
			}
		}
		return nil
	}
	config := totp.ValidateOpts{Period: 30, Skew: 1, Digits: peerotp.DigitsSix, Algorithm: peerotp.AlgorithmSHA1}
	peer.run = func(n int) error {
		for range n {
			ok, err := totp.ValidateCustom(code, text, now, config)
			if ok != hit || err != nil {
				return fmt.Errorf("a hit is %t, and the peer says %t: %w", hit, ok, err)
			}
		}
		return nil
	}
	return ours, peer, nil
}

// wrongCode returns a code of none of the three steps.
func wrongCode(seed otp.Seed, now time.Time) string {
	for i := 0; ; i++ {
		code := fmt.Sprintf("%06d", i)
		if _, err := (otp.TOTP{}).Verify(seed, code, now, otp.Never()); err != nil {
			return code
		}
	}
}
