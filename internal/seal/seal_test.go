package seal

import (
	"bytes"
	"errors"
	"testing"
)

func key(t *testing.T, b byte) Key {
	t.Helper()
	k, err := NewKey(bytes.Repeat([]byte{b}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSeal(t *testing.T) {
	k, use := key(t, 1), []byte("this use")
	for _, value := range [][]byte{nil, []byte("x"), bytes.Repeat([]byte("secret"), 1000)} {
		sealed := k.Seal(value, use)
		if len(sealed) != len(value)+28 || len(value) > 6 && bytes.Contains(sealed, value[:6]) {
			t.Errorf("%d bytes are sealed as %d", len(value), len(sealed))
		}
		if bytes.Equal(sealed, k.Seal(value, use)) {
			t.Error("two sealed values are the same")
		}
		got, err := k.Open(sealed, use)
		if err != nil || !bytes.Equal(got, value) {
			t.Errorf("Open: %d bytes, %v", len(got), err)
		}
		refused := func(what string, k Key, sealed, use []byte) {
			t.Helper()
			if got, err := k.Open(sealed, use); !errors.Is(err, ErrOpen) || got != nil {
				t.Errorf("%s: %q, %v; want ErrOpen", what, got, err)
			}
		}
		refused("another key", key(t, 2), sealed, use)
		refused("another use", k, sealed, []byte("that use"))
		refused("no use", k, sealed, nil)
		for i := range min(len(sealed), 60) {
			changed := bytes.Clone(sealed)
			changed[i] ^= 1
			refused("a bit changed", k, changed, use)
			refused("cut", k, sealed[:i], use)
		}
	}
}

func TestNewKeyRefuses(t *testing.T) {
	for _, n := range []int{0, 16, 24, 31, 33} {
		if _, err := NewKey(make([]byte, n)); err == nil {
			t.Errorf("a key of %d bytes is taken", n)
		}
	}
}
