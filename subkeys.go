package keyfob

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/keyfob-dev/keyfob/store"
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
	cursor []byte // of positions in lists
	check  []byte // kept in the database to tell a wrong root key
}

func deriveSubkeys(rootKey []byte) (*subkeys, error) {
	var derr error
	derive := func(label string) []byte {
		key, err := hkdf.Key(sha256.New, rootKey, nil, "keyfob/subkey/v1/"+label, sha256.Size)
		derr = errors.Join(derr, err)
		return key
	}
	s := &subkeys{
		digest: derive("digest"),
		audit:  derive("audit"),
		cursor: derive("cursor"),
		check:  derive("check"),
	}
	return s, derr
}

// keyring holds the subkeys of every version of the root key. It is immutable.
type keyring struct {
	active  int // number of the version that new digests and MACs are made with
	numbers map[int]*subkeys
}

func (r *keyring) now() *subkeys { return r.numbers[r.active] }

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

// appendField appends a field in the one encoding under every MAC: its length
// as a big-endian uint32, then its bytes. No two lists of fields encode alike.
func appendField[T ~string | ~[]byte](b []byte, field T) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(field)))
	return append(b, field...)
}

func mac(key, message []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(message)
	return h.Sum(nil)
}

// digest is what is kept of a secret: HMAC-SHA-256 over everything that may
// never be changed under it. A row whose subject, purpose, space, kind, prefix
// or id was edited by hand verifies no longer.
func (s *subkeys) secretDigest(c *store.Credential, v *store.Version, secret string) []byte {
	b := make([]byte, 0, 512)
	b = appendField(b, "keyfob/digest/v1")
	b = appendField(b, c.Kind)
	b = appendField(b, c.Space)
	b = appendField(b, c.ID)
	b = appendField(b, v.ID)
	b = appendField(b, v.Prefix)
	b = appendField(b, c.Purpose)
	b = appendField(b, c.Subject)
	b = appendField(b, c.Binding)
	b = appendField(b, secret)
	sum := mac(s.digest, b)
	clear(b)
	return sum
}

// eventMAC binds all fields of an event but its number, which the store gives.
func (s *subkeys) eventMAC(e *store.Event) []byte {
	b := make([]byte, 0, 512)
	b = appendField(b, "keyfob/event/v1")
	b = appendField(b, e.ID)
	b = appendField(b, e.Space)
	b = appendField(b, strconv.FormatInt(e.Time.UnixMilli(), 10))
	b = appendField(b, e.Actor)
	b = appendField(b, e.Type)
	b = appendField(b, e.Credential)
	b = appendField(b, e.Version)
	b = appendField(b, e.Subject)
	b = appendField(b, e.Reason)
	b = appendField(b, strconv.Itoa(e.RootKey))
	return mac(s.audit, b)
}
