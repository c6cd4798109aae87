package otp

import (
	"fmt"
	"math"
)

const (
	usualWindow = 10
	maxWindow   = 100
)

// A HOTP says how counter-based codes (RFC 4226) are computed and verified. The zero
// value is what tokens and apps use: HMAC-SHA-1, 6 digits. A HOTP can be copied and
// compared.
type HOTP struct {
	// Algorithm of the HMAC. RFC 4226 knows SHA1 alone.
	Algorithm Algorithm

	// Digits of a code, 6 to 8; 0 stands for 6.
	Digits int

	// Window is the number of counters that Verify tries, beginning with the one after
	// the last match: 1 to 100; 0 stands for 10. A person who makes codes without
	// using them moves the token ahead of the server, by fewer than Window (RFC 4226,
	// section 7.4, the look-ahead parameter s). Each makes guessing easier: a code is
	// compared with Window others.
	Window int
}

// Check says whether the configuration can be used. The error wraps ErrConfig. The
// other methods return it as well.
func (h HOTP) Check() error {
	if err := checkCommon(h.Algorithm, h.Digits); err != nil {
		return err
	}
	if h.Window < 0 || h.Window > maxWindow {
		return fmt.Errorf("%w: a window of %d counters; 1 to %d are allowed", ErrConfig, h.Window, maxWindow)
	}
	return nil
}

// resolve checks, and fills in what 0 stands for.
func (h HOTP) resolve() (HOTP, error) {
	if err := h.Check(); err != nil {
		return HOTP{}, err
	}
	if h.Digits == 0 {
		h.Digits = usualCode
	}
	if h.Window == 0 {
		h.Window = usualWindow
	}
	return h, nil
}

// Generate returns the code of a counter (RFC 4226, section 5). The error wraps
// ErrConfig, ErrSeed or ErrFIPS.
func (h HOTP) Generate(seed Seed, counter uint64) (string, error) {
	h, err := h.resolve()
	if err != nil {
		return "", err
	}
	if err := ready(h.Algorithm, seed); err != nil {
		return "", err
	}
	return generate(h.Algorithm, h.Digits, seed, counter), nil
}

// Verify compares a code with those of the counters after the last match, and returns
// the counter that it matches: the lowest, should there be several, since the token
// has not moved further than that. After [Never] it begins with counter 0; for a
// token that begins with a higher counter c, give After(c-1).
//
// The caller must store the counter, by an update that succeeds only while the stored
// one is lower, before it lets anybody in, and give it as last from then on. So no
// counter is accepted twice. Nor is one that a match has skipped.
//
// Every call computes and compares the codes of the whole window, wherever and whether
// one matches. A code has one spelling, as with [Recipe.CheckForm].
//
// The error wraps ErrMismatch for a wrong code, ErrMalformed for what cannot be a code,
// and otherwise ErrConfig, ErrSeed or ErrFIPS. Verify panics if last is the zero Last.
func (h HOTP) Verify(seed Seed, code string, last Last) (counter uint64, err error) {
	last.must()
	h, err = h.resolve()
	if err != nil {
		return 0, err
	}
	if err := ready(h.Algorithm, seed); err != nil {
		return 0, err
	}
	if err := checkForm(FormatDigits, h.Digits, code); err != nil {
		return 0, err
	}
	return verify(h.Algorithm, h.Digits, seed, code, h.window(last))
}

// window ends at the greatest counter. Beyond that its numbers begin again with 0,
// and are refused since they do not come after the last match.
//
// It goes down: search returns the match that it finds last.
func (h HOTP) window(last Last) window {
	top := last.n + uint64(h.Window)
	if last.said == never {
		top--
	}
	return window{first: top, down: true, count: h.Window, top: math.MaxUint64, last: last}
}
