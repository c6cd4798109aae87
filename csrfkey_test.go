package keyfob_test

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/keyfob-dev/keyfob"
)

// The keys for csrf never change, or every form that is open would be refused. The
// goldens were computed with Python's hmac and hashlib.
func TestCSRFKeys(t *testing.T) {
	text := ""
	for _, number := range []int{2, 10, 1} { // in any order
		root := make([]byte, 32)
		for i := range root {
			root[i] = byte(i + number - 1)
		}
		text += fmt.Sprintf("keyfob-root-%d:%s\n", number, base64.StdEncoding.EncodeToString(root))
	}
	rk, err := keyfob.ParseRootKey(text)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := rk.CSRF()
	if err != nil || len(keys) != 3 {
		t.Fatal(len(keys), err)
	}
	for i, want := range map[int]string{
		2: "640f7cc66e743fde96a993f78ac4ceb5e77d187ba599e399432557902572f724",
		1: "e85710205204d19b21362ac2c436fc570d42e08cffdca0a0e360cbb1a5947601",
	} {
		if got := hex.EncodeToString(keys[i]); got != want {
			t.Errorf("key %d is %s, want %s", i, got, want)
		}
	}
	for i, key := range keys {
		if len(key) != 32 || slices.ContainsFunc(keys[:i], func(k []byte) bool { return slices.Equal(k, key) }) {
			t.Errorf("key %d has %d bytes, or is there twice", i, len(key))
		}
	}
	clear(keys[0]) // is the caller's own
	if again, err := rk.CSRF(); err != nil || slices.Equal(again[0], keys[0]) {
		t.Errorf("what the caller did to a key was done to the root key: %v", err)
	}
	if keys, err := (keyfob.RootKey{}).CSRF(); !errors.Is(err, keyfob.ErrRootKey) || keys != nil {
		t.Errorf("of no root key: %v, %v", keys, err)
	}
}
