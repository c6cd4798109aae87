package keyfob

import (
	"github.com/keyfob-dev/keyfob/otp"
	"github.com/keyfob-dev/keyfob/store"
)

// A SeededTOTP asks for a TOTP with a seed that a test chooses, as those of the
// RFC.
type SeededTOTP struct {
	TOTP
	Seed otp.Seed
}

func (t SeededTOTP) draw(k *core, c *store.Credential, _ string) (drawn, error) {
	uri, err := otp.Key{Issuer: t.Issuer, Account: t.Account, Seed: t.Seed, Algorithm: t.Algorithm}.URI()
	if err != nil {
		return drawn{}, err
	}
	v := k.version(c, 1, uri)
	v.Sealed = k.keys.now().seal.Seal([]byte(uri), sealedFor(c, &v))
	return drawn{versions: []store.Version{v}, secret: NewSecret(t.Seed.Base32()), uri: NewSecret(uri)}, nil
}
