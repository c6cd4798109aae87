package keyfob

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/internal/audit"
	"github.com/keyfob-dev/keyfob/store"
)

func goldenRecords() (store.Credential, store.Version) {
	c := store.Credential{
		ID: "CCCCCCCCCCCCCCCC", Space: "SSSSSSSSSSSSSSSS", Kind: KindAPIKey,
		Subject: "alice", Purpose: "password-reset", Binding: "browser",
	}
	return c, store.Version{ID: "VVVVVVVVVVVVVVVV", Credential: c.ID, Space: c.Space, Prefix: "acme_live"}
}

// frame is the encoding of section "Digest" in docs/design.md, written a second
// time.
func frame(fields ...string) []byte {
	var b []byte
	for _, f := range fields {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(f)))
		b = append(append(b, n[:]...), f...)
	}
	return b
}

func hmacOf(key, message []byte) string {
	h := hmac.New(sha256.New, key)
	h.Write(message)
	return hex.EncodeToString(h.Sum(nil))
}

// The digest of stored secrets never changes: a change would make every
// credential unknown. The golden was computed with Python's hmac and hashlib.
func TestDigestGolden(t *testing.T) {
	root := make([]byte, 32)
	for i := range root {
		root[i] = byte(i)
	}
	sub, err := deriveSubkeys(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string][2]string{
		"digest": {hex.EncodeToString(sub.digest), goldenDigestKey},
		"audit":  {hex.EncodeToString(sub.audit), goldenAuditKey},
		"cursor": {hex.EncodeToString(sub.cursor), goldenCursorKey},
		"check":  {hex.EncodeToString(sub.check), goldenCheckKey},
	} {
		if pair[0] != pair[1] {
			t.Errorf("subkey %s = %s, want %s", name, pair[0], pair[1])
		}
	}
	c, v := goldenRecords()
	got := hex.EncodeToString(sub.secretDigest(digestMessage(&c, &v), "secret"))
	if got != goldenDigest {
		t.Errorf("digest = %s, want %s", got, goldenDigest)
	}
	again := hmacOf(sub.digest, frame("keyfob/digest/v1", "apikey", "SSSSSSSSSSSSSSSS", "CCCCCCCCCCCCCCCC",
		"VVVVVVVVVVVVVVVV", "acme_live", "password-reset", "alice", "browser", "secret"))
	if got != again {
		t.Errorf("digest = %s, but %s by its description", got, again)
	}
	e := store.Event{
		ID: "EEEEEEEEEEEEEEEE", Space: c.Space, Time: time.UnixMilli(1700000000123), Actor: "bob", Type: "apikey.issued",
		Credential: c.ID, Version: v.ID, Subject: "alice", Reason: "none", RootKey: 7,
	}
	if got := hex.EncodeToString(audit.MAC(sub.audit, &e)); got != goldenEvent {
		t.Errorf("event MAC = %s, want %s", got, goldenEvent)
	}
}

// Every field matters, and none can be moved into its neighbour.
func TestDigestFields(t *testing.T) {
	sub, err := deriveSubkeys(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	add := func(what string, sum []byte) {
		if was, ok := seen[string(sum)]; ok {
			t.Errorf("%s has the digest of %s", what, was)
		}
		seen[string(sum)] = what
	}
	digest := func(what string, change func(*store.Credential, *store.Version), secret string) {
		c, v := goldenRecords()
		change(&c, &v)
		add(what, sub.secretDigest(digestMessage(&c, &v), secret))
	}
	none := func(*store.Credential, *store.Version) {}
	digest("the record", none, "secret")
	digest("another secret", none, "secreu")
	digest("no secret", none, "")
	digest("kind", func(c *store.Credential, v *store.Version) { c.Kind = store.KindLink }, "secret")
	digest("space", func(c *store.Credential, v *store.Version) { c.Space = "TTTTTTTTTTTTTTTT" }, "secret")
	digest("credential", func(c *store.Credential, v *store.Version) { c.ID = "DDDDDDDDDDDDDDDD" }, "secret")
	digest("version", func(c *store.Credential, v *store.Version) { v.ID = "WWWWWWWWWWWWWWWW" }, "secret")
	digest("prefix", func(c *store.Credential, v *store.Version) { v.Prefix = "acme" }, "secret")
	digest("purpose", func(c *store.Credential, v *store.Version) { c.Purpose = "login" }, "secret")
	digest("subject", func(c *store.Credential, v *store.Version) { c.Subject = "mallory" }, "secret")
	digest("binding", func(c *store.Credential, v *store.Version) { c.Binding = "" }, "secret")
	digest("purpose into subject", func(c *store.Credential, v *store.Version) {
		c.Purpose, c.Subject = "password-resetalice", ""
	}, "secret")
	digest("binding into secret", func(c *store.Credential, v *store.Version) { c.Binding = "" }, "browsersecret")
	digest("subject into binding", func(c *store.Credential, v *store.Version) {
		c.Subject, c.Binding = "", "alicebrowser"
	}, "secret")
}

const (
	goldenDigestKey = "33a112ce670cf19f28543f07c2f52ce510c001fb8a1cc7c410c2e07c3481fcf7"
	goldenAuditKey  = "e52b0690704df66087d7e0cc7e964fdd68565a858ad8deb2f07d41b61cbaff6e"
	goldenCursorKey = "63d6a95a36706fdd2e93fdefca0855fc1c3747863d82b8359a5677d720211b95"
	goldenCheckKey  = "7d2d3085133b8a20f819411752176a9e87e0824f95655e1ef7c6142cb78dedec"
	goldenDigest    = "1d7f8325e30e3a96b78f1664f978612c16ecf3cac2e5952e5008b769eea5dadd"
	goldenEvent     = "84e07df9bb4d957d69ff1476365d469ed4692caac04db963ac805ca26373190d"
)
