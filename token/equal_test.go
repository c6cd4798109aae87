package token_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/token"
)

type named string
type namedBytes []byte

func TestEqual(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"", "", true}, {"a", "a", true}, {"a", "b", false}, {"a", "", false}, {"a", "aa", false}, {"\x00", "", false},
		{"abc\x00", "abc\x00", true}, {"\u00e9", "e\u0301", false}, {"\xff", "\xfe", false}, {"A", "a", false},
	} {
		for how, got := range map[string]bool{
			"strings": token.Equal(c.a, c.b), "swapped": token.Equal(c.b, c.a), "bytes": token.Equal([]byte(c.a), []byte(c.b)),
			"string and bytes": token.Equal(c.a, []byte(c.b)), "bytes and string": token.Equal([]byte(c.a), c.b),
			"named": token.Equal(named(c.a), namedBytes(c.b)), "nil": len(c.a) > 0 || token.Equal([]byte(nil), c.b) == c.want,
		} {
			if how != "nil" && got != c.want || how == "nil" && !got {
				t.Errorf("Equal(%q, %q) of %s is not %v", c.a, c.b, how, c.want)
			}
		}
	}
}

// TestEqualSeesEveryBit flips each bit of a text in turn.
func TestEqualSeesEveryBit(t *testing.T) {
	text := token.Bytes(64)
	for i := range 8 * len(text) {
		changed := bytes.Clone(text)
		changed[i/8] ^= 1 << (i % 8)
		if token.Equal(text, changed) || token.Equal(string(text), changed) {
			t.Errorf("bit %d makes no difference", i)
		}
	}
}

func TestEqualAllocates(t *testing.T) {
	a := token.URLSafe(100)
	b := []byte(a)
	if n := testing.AllocsPerRun(100, func() { token.Equal(a, b) }); n != 0 {
		t.Errorf("Equal allocates %v times", n)
	}
}

// TestEqualTime compares the time for texts that differ in the first byte with
// that for texts that differ in none. Over 64 KiB, a comparison that ends at the
// difference is thousands of times faster for the former, which the same check
// shows; the bound of 4 leaves room for a busy machine.
func TestEqualTime(t *testing.T) {
	a := token.Bytes(1 << 16)
	same := bytes.Clone(a)
	first := bytes.Clone(a)
	first[0] ^= 1
	ratio := func(equal func(a, b []byte) bool) float64 {
		var early, late []time.Duration
		for range 50 {
			early = append(early, took(func() { equal(a, first) }))
			late = append(late, took(func() { equal(a, same) }))
		}
		return float64(slices.Min(late)) / float64(slices.Min(early)+1)
	}
	if r := ratio(token.Equal[[]byte, []byte]); r > 4 || r < 0.25 {
		t.Errorf("a difference in the first byte is told %.1f times faster than none", r)
	}
	if r := ratio(func(a, b []byte) bool {
		for i := range a {
			if a[i] != b[i] {
				return false
			}
		}
		return true
	}); r <= 4 {
		t.Errorf("the mutant that ends at the difference is only %.1f times faster: this test sees nothing", r)
	}
}

func took(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}
