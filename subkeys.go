package keyfob

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/keyfob-dev/keyfob/internal/framing"
	"github.com/keyfob-dev/keyfob/internal/seal"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/token"
)

// Settings that tie a database to its root key.
const (
	settingActiveRootKey = "rootkey/active" // number, in decimal
	settingRootKeyCheck  = "rootkey/check/" // + number: the check value
)

// subkeys are what is derived from one version of the root key by HKDF-SHA-256
// (RFC 5869) with an empty salt and the label as info. A label is never reused.
type subkeys struct {
	digest []byte // of secrets, in versions
	audit  []byte // of events
	cursor []byte // of positions in lists of credentials

	checkpoint ed25519.PrivateKey // its seed is what is derived
	seal       seal.Key           // of values that are kept encrypted
	replay     []byte             // of the keys of answers that are kept

	check []byte // kept in the database to tell a wrong root key

	hashers sync.Pool // of *hasher
}

// subkey derives what a root key is used for under that label.
func subkey(rootKey []byte, label string) ([]byte, error) {
	return hkdf.Key(sha256.New, rootKey, nil, "keyfob/subkey/v1/"+label, sha256.Size)
}

func deriveSubkeys(rootKey []byte) (*subkeys, error) {
	var derr error
	derive := func(label string) []byte {
		key, err := subkey(rootKey, label)
		derr = errors.Join(derr, err)
		return key
	}
	s := &subkeys{
		digest: derive("digest"),
		audit:  derive("audit"),
		cursor: derive("cursor"),
		check:  derive("check"),
		replay: derive("replay"),
	}
	seed, sealing := derive("checkpoint"), derive("seal")
	if derr != nil {
		return nil, derr
	}
	s.checkpoint = ed25519.NewKeyFromSeed(seed)
	s.seal, derr = seal.NewKey(sealing)
	return s, derr
}

// keyring holds the subkeys of every version of the root key. It is immutable.
type keyring struct {
	active  int // number of the version that new digests and MACs are made with
	numbers map[int]*subkeys
}

func (r *keyring) now() *subkeys { return r.numbers[r.active] }

// auditKey returns the key of the events' MACs that were made under a number of
// the root key; nil where that is not here.
func (r *keyring) auditKey(number int) []byte {
	if sub := r.numbers[number]; sub != nil {
		return sub.audit
	}
	return nil
}

// openKeyring derives the subkeys, and compares them with the check values in
// the store. An empty store takes the highest number as its active one.
func openKeyring(ctx context.Context, st store.Store, root RootKey) (*keyring, error) {
	if root.keys == nil {
		return nil, fmt.Errorf("%w: Config.RootKey is not set; see CreateRootKey", ErrRootKey)
	}
	ring := &keyring{numbers: map[int]*subkeys{}}
	for number, key := range root.keys() {
		sub, err := deriveSubkeys(key)
		if err != nil {
			return nil, fmt.Errorf("derive subkeys: %w", err)
		}
		ring.numbers[number] = sub
	}
	active, err := st.Setting(ctx, settingActiveRootKey)
	if errors.Is(err, store.ErrNotFound) {
		highest := slices.Max(slices.Collect(maps.Keys(ring.numbers)))
		if err := installRootKey(ctx, st, highest, ring.numbers[highest]); err != nil && !errors.Is(err, store.ErrConflict) {
			return nil, fmt.Errorf("install root key: %w", err)
		}
		active, err = st.Setting(ctx, settingActiveRootKey)
	}
	if err != nil {
		return nil, fmt.Errorf("read root key settings: %w", err)
	}
	if ring.active, err = strconv.Atoi(string(active)); err != nil {
		return nil, fmt.Errorf("%w: the database names no active root key", ErrRootKey)
	}
	return ring, ring.compare(ctx, st)
}

func installRootKey(ctx context.Context, st store.Store, number int, sub *subkeys) error {
	n := strconv.Itoa(number)
	return st.Apply(ctx, store.Change{Steps: []store.Step{
		store.CreateSetting{Name: settingActiveRootKey, Value: []byte(n)},
		store.CreateSetting{Name: settingRootKeyCheck + n, Value: sub.check},
	}})
}

func (r *keyring) compare(ctx context.Context, st store.Store) error {
	if r.numbers[r.active] == nil {
		return fmt.Errorf("%w: the database wants number %d, which the root key lacks", ErrRootKey, r.active)
	}
	for number, sub := range r.numbers {
		want, err := st.Setting(ctx, settingRootKeyCheck+strconv.Itoa(number))
		switch {
		case errors.Is(err, store.ErrNotFound) && number != r.active:
			continue // not in use yet
		case err != nil:
			return fmt.Errorf("read root key settings: %w", err)
		case !hmac.Equal(want, sub.check):
			return fmt.Errorf("%w: number %d is not the one that this database was made with", ErrRootKey, number)
		}
	}
	return nil
}

func mac(key, message []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(message)
	return h.Sum(nil)
}

// A hasher computes digests of secrets, one after the other, without setting up
// the key and without new memory each time.
type hasher struct {
	hmac hash.Hash
	text []byte
	sum  []byte
}

// digestMessage is what a digest is made over, but for the secret: everything
// that may never be changed under it. A row whose subject, purpose, space, kind,
// prefix or id was edited by hand verifies no longer.
func digestMessage(c *store.Credential, v *store.Version) []byte {
	b := framing.Append(make([]byte, 0, 256), "keyfob/digest/v1")
	b = framing.Append(b, c.Kind)
	b = framing.Append(b, c.Space)
	b = framing.Append(b, c.ID)
	b = framing.Append(b, v.ID)
	b = framing.Append(b, v.Prefix)
	b = framing.Append(b, c.Purpose)
	b = framing.Append(b, c.Subject)
	return framing.Append(b, c.Binding)
}

// secretDigest is what is kept of a secret: HMAC-SHA-256 over the message and
// the secret.
func (s *subkeys) secretDigest(message []byte, secret string) []byte {
	h := s.hasher(message, secret)
	defer s.hashers.Put(h)
	return bytes.Clone(h.sum)
}

// isDigest reports whether a digest is this secret's, in a time that does not
// tell how nearly.
func (s *subkeys) isDigest(digest, message []byte, secret string) bool {
	h := s.hasher(message, secret)
	defer s.hashers.Put(h)
	return hmac.Equal(h.sum, digest)
}

// isSecret reports whether a secret is the one of a version. The digest is computed
// from the stored fields, so that a record that was tampered with matches nothing.
func (c *core) isSecret(of *store.Credential, v *store.Version, secret string) (bool, error) {
	sub := c.keys.numbers[v.RootKey]
	if sub == nil {
		return false, fmt.Errorf("verify: %w: number %d made this digest, and is not in the root key", ErrRootKey, v.RootKey)
	}
	return sub.isDigest(v.Digest, digestMessage(of, v), secret), nil
}

// stranger is what is compared in the place of a version that is not there, so
// that an unknown id costs the same work.
func (c *core) stranger(kind Kind, space string, presented token.Keyed) store.Found {
	id := presented.ID()
	return store.Found{
		Credential: store.Credential{ID: id, Space: space, Kind: kind, Subject: id},
		Version:    store.Version{ID: id, Prefix: presented.Prefix(), RootKey: c.keys.active},
	}
}

// hasher returns one whose sum is the digest. Its copy of the secret is cleared.
func (s *subkeys) hasher(message []byte, secret string) *hasher {
	h, ok := s.hashers.Get().(*hasher)
	if !ok {
		h = &hasher{hmac: hmac.New(sha256.New, s.digest), text: make([]byte, 0, 64)}
	}
	h.text = framing.Append(h.text[:0], secret)
	h.hmac.Write(message)
	h.hmac.Write(h.text)
	h.sum = h.hmac.Sum(h.sum[:0])
	h.hmac.Reset()
	clear(h.text)
	return h
}
