package keyfob

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/keyfob-dev/keyfob/otp"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/token"
)

const (
	maxCodeTTL  = 10 * time.Minute // NIST SP 800-63B-4, section 3.1.3.2
	codeGuesses = 5
)

// CodePause is how old the code of a subject and purpose must be before another is
// issued.
const CodePause = 30 * time.Second

// A Code asks for a short code that is sent to somebody, who types it in. A
// subject has one of each purpose: a new one ends the one before, and is refused
// with ErrTooSoon in the first CodePause of that one, while it is live.
type Code struct {
	Subject string // whom it stands for; up to 256 bytes of UTF-8; required
	Purpose string // what it is for, as of a Link; required

	// Format is FormatDigits or FormatUnambiguous, and Chars how many characters it
	// has: 6 to 10 digits, where 0 is 6; or 6 to 16 unambiguous characters, where 0
	// is 8. So it has 19.9 bits of entropy at least, and 5 guesses.
	Format otp.Format
	Chars  int

	// TTL is how long it lives: whole milliseconds, up to 10 minutes, which 0
	// stands for.
	TTL time.Duration

	// Attributes are for the application, as those of an APIKey.
	Attributes map[string]string
}

func (r Code) record(c *store.Credential) error {
	if err := checkNamed("subject", r.Subject, maxSubject); err != nil {
		return err
	}
	if err := CheckPurpose(r.Purpose); err != nil {
		return err
	}
	if err := checkAttributes(r.Attributes); err != nil {
		return err
	}
	if !isCodeRecipe(r.recipe()) {
		return badInput("chars", "is %d; a code has 6 to 10 digits, or 6 to 16 unambiguous characters", r.Chars)
	}
	ttl, err := checkTTL(r.TTL, maxCodeTTL, maxCodeTTL)
	if err != nil {
		return err
	}
	c.Kind, c.Subject, c.Purpose = KindCode, r.Subject, r.Purpose
	c.Attributes, c.Uses, c.Expires = r.Attributes, codeGuesses, c.Created.Add(ttl)
	return nil
}

func (r Code) recipe() otp.Recipe { return otp.Recipe{Format: r.Format, Chars: r.Chars} }

func (r Code) draw(k *core, c *store.Credential, _ string) (drawn, error) {
	code := r.recipe().New()
	return drawn{versions: []store.Version{k.version(c, 1, code)}, secret: NewSecret(code)}, nil
}

func (Code) room() room { return room{most: 1, pause: CodePause, counts: true} }

// maxCodeChars is how long the longest code is.
const maxCodeChars = 16

func isCodeRecipe(r otp.Recipe) bool {
	return r.Format != otp.FormatRecovery && r.Check() == nil && r.Length() >= 6 && r.Length() <= maxCodeChars
}

// codeRecipes are those whose codes may have n characters.
func codeRecipes(n int) (recipes []otp.Recipe) {
	for _, r := range []otp.Recipe{{Format: otp.FormatDigits, Chars: n}, {Format: otp.FormatUnambiguous, Chars: n}} {
		if n != 0 && isCodeRecipe(r) {
			recipes = append(recipes, r)
		}
	}
	return recipes
}

// version makes the version of a credential whose secret is no keyed token.
func (c *core) version(of *store.Credential, number int64, secret string) store.Version {
	v := store.Version{
		ID: token.NewID(), Credential: of.ID, Space: of.Space, Number: number, RootKey: c.keys.active,
	}
	v.Digest = c.keys.now().secretDigest(digestMessage(of, &v), secret)
	return v
}

// redeemCode counts a guess at the code of a subject and purpose, compares, and
// ends the code if it is right.
func (a *Authority) redeemCode(ctx context.Context, space string, attempt *Attempt) (Credential, error) {
	counted, err := a.reserve(ctx, space, attempt)
	if err != nil {
		return Credential{}, err
	}
	for { // of one guess: what was judged may change before it is ended
		items, err := a.candidates(ctx, space, attempt)
		if err != nil {
			return Credential{}, err
		}
		items = slices.DeleteFunc(items, func(i store.Item) bool { // one that came since then counted no guess
			return !i.Credential.State.Final() && i.Credential.ID != counted
		})
		item, err := a.compareCode(items, attempt.Secret)
		if err != nil {
			return Credential{}, err
		}
		now, c := a.now(), item.Credential
		if err := judgeLife(now, &c); err != nil {
			return Credential{}, err
		}
		c.State, c.Updated = StateRedeemed, now
		won := eventOf(&c, now, "redeemed")
		won.Version = c.Current
		err = a.applyAll(ctx, []store.Event{won}, []store.Step{
			store.UpdateCredential{Credential: c},
			store.ClearBudget{Space: space, Name: subjectBudget(space, c.Subject)},
		})
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		if err != nil {
			return Credential{}, fmt.Errorf("redeem: %w", err)
		}
		c.Revision++
		return a.credentialOf(now, &c, item.Versions...), nil
	}
}

// compareCode returns the credential whose code is presented: the present one, or
// the one before it, which is told from a wrong one although it is good no more.
// Where there is none, as much is computed.
func (a *Authority) compareCode(items []store.Item, secret Secret) (item store.Item, err error) {
	found := false
	for i := range 2 {
		c, v := store.Credential{}, store.Version{RootKey: a.keys.active}
		if i < len(items) {
			c, v = items[i].Credential, items[i].Versions[0]
		}
		same, err := a.isSecret(&c, &v, secret.Reveal())
		if err != nil {
			return store.Item{}, err
		}
		if same && !found {
			item, found = items[i], true
		}
	}
	if !found {
		return store.Item{}, &invalid{ErrUnknown}
	}
	return item, nil
}

// candidates returns the one that is live of what an attempt may be about, if one
// is, and the newest others; two at most. By the clocks of several nodes the one
// that is live need not be the newest.
func (a *Authority) candidates(ctx context.Context, space string, attempt *Attempt) ([]store.Item, error) {
	live, err := a.live(ctx, &store.Credential{
		Space: space, Kind: attempt.Kind, Subject: attempt.Subject, Purpose: attempt.Purpose,
	})
	if err != nil {
		return nil, err
	}
	newest, err := a.store.Credentials(ctx, store.Query{
		Space: space, Kind: attempt.Kind, Subject: attempt.Subject, Purpose: attempt.Purpose, Limit: 2,
	})
	if err != nil {
		return nil, fmt.Errorf("look for it: %w", err)
	}
	items := live
	for _, item := range newest {
		known := slices.ContainsFunc(live, func(l store.Item) bool { return l.Credential.ID == item.Credential.ID })
		if !known {
			items = append(items, item)
		}
	}
	items = items[:min(len(items), 2)]
	for i := range items {
		if len(items[i].Versions) == 0 {
			return nil, fmt.Errorf("redeem: credential %s has no version; the store is damaged", items[i].Credential.ID)
		}
	}
	return items, nil
}
