package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// Logs that were sealed once must be found whole by every later version. The
// goldens were computed with Python's hashlib from docs/design.md.
func TestGoldens(t *testing.T) {
	e := store.Event{
		ID: "EEEEEEEEEEEEEEEE", Space: "SSSSSSSSSSSSSSSS", Time: time.UnixMilli(1700000000123), Actor: "bob", Type: "apikey.issued",
		Credential: "CCCCCCCCCCCCCCCC", Version: "VVVVVVVVVVVVVVVV", Subject: "alice", Reason: "none", RootKey: 7,
	}
	for i := range 32 {
		e.MAC = append(e.MAC, byte(i))
	}
	first := Link(nil, 1, &e)
	second := Link(first, 2, &e)
	c := Checkpoint{Space: e.Space, Name: "default", Seq: 2, Link: second, Time: e.Time, RootKey: 7}
	message := sha256.Sum256(c.message())
	for what, pair := range map[string][2]string{
		"first link":         {hex.EncodeToString(first), goldenFirst},
		"second link":        {hex.EncodeToString(second), goldenSecond},
		"checkpoint, hashed": {hex.EncodeToString(message[:]), goldenCheckpoint},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s = %s, want %s", what, pair[0], pair[1])
		}
	}
}

const (
	goldenFirst      = "c74ad0543c334d1cb37e9bb58c8a1024d7a46a95146ee483fab2e47ea37dad1d"
	goldenSecond     = "4b54e78db3d8e9e8f68bad637d1861f344c2b75f9840cdefc84d001648a62b2d"
	goldenCheckpoint = "3926d2b7e3fd30f21f53c47b371057eab7b128da70416bc91bd69aa5d716ccf5"
)
