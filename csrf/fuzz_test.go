package csrf_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/csrf"
)

// FuzzCheck gives Check any text: it accepts the one token that there is, and none
// besides; and never is a text both malformed and looked at.
func FuzzCheck(f *testing.F) {
	k, token := frozenKey(f, csrf.DefaultLifetime), frozen
	for _, text := range []string{
		"", token, token[:71], token[1:], token + "=", token + "\n", token[:71] + "\n", token[:70] + "==", strings.Repeat("A", 72),
		strings.Repeat("-", 72), strings.Repeat("_", 72), strings.Repeat("+", 72), strings.Repeat("\n", 72), strings.Repeat("é", 36),
	} {
		f.Add(text, int64(0))
		f.Add(text, int64(time.Hour))
	}
	f.Fuzz(func(t *testing.T, text string, after int64) {
		now := start.Add(time.Duration(after))
		err := k.Check("session-1", text, now)
		wellFormed := len(text) == csrf.Length && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
		switch {
		case errors.Is(err, csrf.ErrTime):
		case text == token && now.Sub(start) >= -csrf.Skew && now.Sub(start) < csrf.DefaultLifetime:
			if err != nil {
				t.Fatal(err)
			}
		case text == token:
			if !errors.Is(err, csrf.ErrExpired) && !errors.Is(err, csrf.ErrFuture) {
				t.Fatal(err)
			}
		case wellFormed && err != csrf.ErrMismatch, !wellFormed && !errors.Is(err, csrf.ErrMalformed):
			t.Fatalf("%q: %v", text, err)
		}
	})
}
