package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/keyfob-dev/keyfob/csrf"
	"github.com/keyfob-dev/keyfob/otp"
	"github.com/keyfob-dev/keyfob/token"
)

// A subject is a function whose instructions are counted.
type subject struct {
	name  string
	leaks bool // it has an early exit, which must be seen
	cases []testCase
}

// A testCase is one input. Cases of a group take as many instructions.
type testCase struct {
	name, group string
	call        func() bool // reports whether the outcome is the right one
}

// Keys and seeds are fixed, so that what is counted is the same each time.
var (
	secret = []byte("0123456789abcdefghijklmnopqrstuv")
	at     = time.Unix(1_700_000_010, 0)
)

func subjects() []subject {
	text := "Q3KPK3JljbcJS_PqHu79R9m76SD8FO50izYnVitVv5o"
	return []subject{
		{"early exit", true, comparisons(text, earlyExit)},
		{"token.Equal of strings", false, comparisons(text, token.Equal[string, string])},
		{"token.Equal of bytes", false, comparisons(text, func(a, b string) bool { return token.Equal([]byte(a), []byte(b)) })},
		{"csrf.Key.Check", false, csrfChecks()},
		{"otp.TOTP.Verify", false, totps(otp.TOTP{})},
		{"otp.TOTP.Verify, SHA-256", false, totps(otp.TOTP{Algorithm: otp.SHA256, Digits: 8})},
		{"otp.HOTP.Verify", false, hotps()},
	}
}

// earlyExit is the mutant: it ends at the first difference.
//
//go:noinline
func earlyExit(a, b string) bool {
	for i := range len(a) {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// change returns text with another character of base64url, or another digit, at i.
func change(text string, i int, to byte) string {
	if text[i] == to {
		to++
	}
	return text[:i] + string(to) + text[i+1:]
}

// comparisons compare a text with itself, and with those that differ at one place.
func comparisons(text string, equal func(a, b string) bool) []testCase {
	last := len(text) - 1
	one := func(name, other string) testCase {
		want := other == text
		return testCase{name, "", func() bool { return equal(text, other) == want }}
	}
	return []testCase{
		one("first byte differs", change(text, 0, 'a')), one("middle byte differs", change(text, last/2, 'a')),
		one("last byte differs", change(text, last, 'a')), one("equal", string([]byte(text))),
	}
}

// csrfChecks check a token whose MAC is right, or differs in one byte. What is right
// goes on to the time of the token, which takes instructions of its own, and is
// public by then.
func csrfChecks() []testCase {
	k := must(csrf.NewKey(secret, csrf.Config{}))
	right := must(k.New("session-1", at))
	one := func(name, group, id, token string, want error) testCase {
		return testCase{name, group, func() bool { return errors.Is(k.Check(id, token, at), want) }}
	}
	// The MAC begins within character 29.
	return []testCase{
		one("first byte differs", "wrong", "session-1", change(right, 30, 'a'), csrf.ErrMismatch),
		one("last byte differs", "wrong", "session-1", change(right, 71, 'a'), csrf.ErrMismatch),
		one("another session", "wrong", "session-2", right, csrf.ErrMismatch),
		one("equal", "right", "session-1", right, nil),
	}
}

// totps verify codes that are right in one of the three steps, or wrong in one digit.
func totps(t otp.TOTP) []testCase {
	seed := must(otp.ParseSeed("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"))
	code := func(steps int) string { return must(t.Generate(seed, at.Add(time.Duration(steps)*30*time.Second))) }
	one := func(name, group, code string, last otp.Last, want error) testCase {
		return testCase{name, group, func() bool {
			_, err := t.Verify(seed, code, at, last)
			return errors.Is(err, want)
		}}
	}
	right := code(0)
	return []testCase{
		one("first digit differs", "wrong", change(right, 0, '1'), otp.Never(), otp.ErrMismatch),
		one("last digit differs", "wrong", change(right, len(right)-1, '1'), otp.Never(), otp.ErrMismatch),
		one("all digits differ", "wrong", other(right), otp.Never(), otp.ErrMismatch),
		one("equal", "right", right, otp.Never(), nil),
		one("equal to the step before", "right", code(-1), otp.Never(), nil),
		one("equal to the step after", "right", code(1), otp.Never(), nil),
	}
}

// hotps verify codes that are right at either end of the window, or wrong.
func hotps() []testCase {
	seed := must(otp.ParseSeed("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"))
	one := func(name, group, code string, want error) testCase {
		return testCase{name, group, func() bool {
			_, err := otp.HOTP{}.Verify(seed, code, otp.After(4))
			return errors.Is(err, want)
		}}
	}
	first := must(otp.HOTP{}.Generate(seed, 5))
	return []testCase{
		one("first digit differs", "wrong", change(first, 0, '1'), otp.ErrMismatch),
		one("last digit differs", "wrong", change(first, 5, '1'), otp.ErrMismatch),
		one("equal to the first", "right", first, nil),
		one("equal to the last", "right", must(otp.HOTP{}.Generate(seed, 14)), nil),
	}
}

// other returns a code of which each digit is another one.
func other(code string) string {
	digits := []byte(code)
	for i, c := range digits {
		digits[i] = '0' + (c-'0'+5)%10
	}
	return string(digits)
}

// do runs one case: once uncounted, so that stacks have grown and caches are filled,
// and then counted.
func do(name, in string) error {
	for _, s := range subjects() {
		for _, c := range s.cases {
			if s.name != name || c.name != in {
				continue
			}
			if !c.call() {
				return fmt.Errorf("%s, %s: the outcome is wrong", name, in)
			}
			for range rounds {
				round(c.call)
			}
			return nil
		}
	}
	return fmt.Errorf("there is no %s, %s", name, in)
}

// round is what callgrind counts.
//
//go:noinline
func round(call func() bool) {
	if !call() {
		panic("the outcome is wrong")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
