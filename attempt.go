package keyfob

import (
	"context"
	"net/netip"
	"slices"

	"github.com/keyfob-dev/keyfob/otp"
)

// An Attempt is a secret that somebody presents to have it redeemed, and what it
// is presented for.
type Attempt struct {
	Kind   Kind   // KindLink, KindCode, KindTOTP or KindRecovery; required
	Secret Secret // as it was presented, in its one spelling: see NewSecret

	// Subject is whose it is; required, but for a link, which carries that with
	// it and takes none here.
	Subject string

	// Purpose is what it is presented for; required for a link and a code, and
	// for those alone.
	Purpose string

	// Binding is what a Link was bound to; without one, empty.
	Binding string

	// IP is where it is presented from, as in Check; it may be left out. Guesses
	// at short secrets are counted for it as well.
	IP netip.Addr

	// Strict accepts the code of a TOTP in its own time step alone; otherwise the
	// step before and the one after are good as well (RFC 6238, sections 5.2, 6).
	Strict bool
}

// Redeem judges a secret and consumes it at once: whatever races for it, and on
// however many machines, it is accepted at most once. Of a link, a code and a
// recovery code nothing is left to present; of a TOTP no code of that time step or
// an earlier one is accepted again. It returns the credential, or an error that
// wraps ErrInvalid and one cause:
//
//   - ErrMalformed: what is presented has not the form of such a secret;
//   - ErrUnknown: it is none of this space, kind, subject and purpose;
//   - ErrRedeemed, ErrReplaced, ErrRevoked, ErrSuspended, ErrExpired: it was one;
//   - ErrPurpose, ErrBinding: a link that is good for something else, or was asked
//     for by another browser;
//   - ErrExhausted: a code at which as many guesses were made as it allows;
//   - ErrLocked, ErrRateLimited: too many guesses were made at the secrets of this
//     subject, or from this address. Nothing was compared. RetryAfter says when to
//     try again.
//
// An error without ErrInvalid means that nothing could be decided; treat it as a
// refusal. Such are ErrInput, ErrSpace and ErrUnavailable. After ErrUnavailable
// or the end of the context the secret may be consumed, and the guess counted.
//
// # Guesses
//
// Codes, TOTP and recovery codes can be guessed at, and share one budget for each
// subject, be it known or not. A guess is counted for good before anything is
// compared; no new code, other purpose, other kind, other address, restart or failed
// request takes it back, and a success does not either. There may be 5 guesses at a
// code, 30 an hour for a subject, 1000 an hour from an address (for IPv6, of a
// /64), and 100 in a row for a subject without a success. After 3 in a row the next
// must wait a second, and each after it twice as long, up to an hour. A wait of a
// quarter of an hour or more is an event: subject.locked.
//
// A success, redeeming a link included, ends the row, and so does Unlock. A link
// has 256 random bits and no budget: it works while its subject is locked.
//
// What is kept for subjects that no code was ever issued for is bounded: at most
// 1000 such subjects an hour are counted in a space; while there are more, others
// are refused with ErrLocked. Addresses beyond 1000 new ones an hour are not
// counted, and only their subjects are.
func (a *Authority) Redeem(ctx context.Context, attempt Attempt) (Credential, error) {
	space, err := a.checkAttempt(ctx, &attempt)
	if err != nil {
		return Credential{}, err
	}
	switch attempt.Kind {
	case KindLink:
		return a.redeemLink(ctx, space, &attempt)
	case KindCode:
		return a.redeemCode(ctx, space, &attempt)
	case KindTOTP:
		return a.checkTOTP(ctx, space, &attempt)
	default: // checkAttempt knows no other
		return a.redeemRecovery(ctx, space, &attempt)
	}
}

// Inspect judges a link as Redeem does, and consumes nothing: for the page on
// which somebody confirms what following the link will do. With ErrBinding it
// returns the credential as well: whoever presents the link in another browser may
// be asked for more.
func (a *Authority) Inspect(ctx context.Context, attempt Attempt) (Credential, error) {
	if attempt.Kind != KindLink {
		return Credential{}, badInput("kind", "is none that is inspected: link")
	}
	space, err := a.checkAttempt(ctx, &attempt)
	if err != nil {
		return Credential{}, err
	}
	return a.inspectLink(ctx, space, &attempt)
}

// Confirm takes the first code of a TOTP, which shows that the authenticator has
// the seed: from then on Redeem accepts its codes. The code is consumed as by
// Redeem, with the same errors; ErrUnknown also tells that the subject has nothing
// to confirm.
func (a *Authority) Confirm(ctx context.Context, attempt Attempt) (Credential, error) {
	if attempt.Kind != KindTOTP {
		return Credential{}, badInput("kind", "is none that is confirmed: totp")
	}
	space, err := a.checkAttempt(ctx, &attempt)
	if err != nil {
		return Credential{}, err
	}
	return a.confirmTOTP(ctx, space, &attempt)
}

// checkAttempt refuses what a caller got wrong, and what cannot be a secret of the
// kind. It returns the id of the space.
func (a *Authority) checkAttempt(ctx context.Context, attempt *Attempt) (space string, err error) {
	switch attempt.Kind {
	case KindLink, KindCode, KindTOTP, KindRecovery:
	default:
		return "", badInput("kind", "is none that is redeemed: link, code, totp or recovery")
	}
	takesSubject := attempt.Kind != KindLink
	takesPurpose := attempt.Kind == KindLink || attempt.Kind == KindCode
	switch {
	case takesSubject:
		err = checkNamed("subject", attempt.Subject, maxSubject)
	case attempt.Subject != "":
		err = badInput("subject", "is not for a link, which carries its own; leave it out")
	}
	switch {
	case err != nil:
	case takesPurpose:
		err = CheckPurpose(attempt.Purpose)
	case attempt.Purpose != "":
		err = badInput("purpose", "is not for this kind; leave it out")
	}
	switch {
	case err != nil:
	case attempt.Binding != "" && attempt.Kind != KindLink:
		err = badInput("binding", "is for links alone; leave it out")
	case attempt.Strict && attempt.Kind != KindTOTP:
		err = badInput("strict", "is for totp alone; leave it out")
	default:
		err = checkText("binding", attempt.Binding, maxBinding)
	}
	if err != nil {
		return "", err
	}
	if space, err = a.spaceID(ctx, a.space); err != nil {
		return "", err
	}
	if !hasForm(attempt.Kind, attempt.Secret.Reveal()) {
		return "", &invalid{ErrMalformed}
	}
	return space, nil
}

// hasForm reports whether text can be a short secret of a kind at all. What
// cannot is no guess. It asks no record, and so tells nothing of one.
func hasForm(kind Kind, text string) bool {
	switch kind {
	case KindCode:
		return slices.ContainsFunc(codeRecipes(len(text)), func(r otp.Recipe) bool { return r.CheckForm(text) == nil })
	case KindTOTP:
		digits := otp.Recipe{Chars: len(text)}
		return len(text) > 0 && len(text) <= maxTOTPDigits && digits.Check() == nil && digits.CheckForm(text) == nil
	case KindRecovery:
		return recoveryRecipe.CheckForm(text) == nil
	}
	return true // a link is parsed as a token
}
