package csrf_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/keyfob-dev/keyfob/csrf"
	"github.com/keyfob-dev/keyfob/random"
)

var start = time.UnixMilli(1_700_000_000_123)

func newKey(tb testing.TB, c csrf.Config) csrf.Key {
	tb.Helper()
	k, err := csrf.NewKey(random.Bytes(csrf.KeySize), c)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func newToken(tb testing.TB, k csrf.Key, id string, now time.Time) string {
	tb.Helper()
	token, err := k.New(id, now)
	if err != nil {
		tb.Fatal(err)
	}
	return token
}

// The form is frozen: this token was made by another program, from the package's
// description, with the key 0, 1, … 31 and the salt 100, 101, … 115.
const frozen = "ZGVmZ2hpamtsbW5vcHFyc2XuqYIAEgz9xtyjWLSiZk5xqnKq026qxNLvTIT1pIQ2bihxVnYZ"

func frozenKey(tb testing.TB, lifetime time.Duration) csrf.Key {
	tb.Helper()
	var secret [csrf.KeySize]byte
	for i := range secret {
		secret[i] = byte(i)
	}
	k, err := csrf.NewKey(secret[:], csrf.Config{Lifetime: lifetime})
	if err != nil {
		tb.Fatal(err)
	}
	clear(secret[:]) // was copied
	return k
}

func TestFormIsFrozen(t *testing.T) {
	k := frozenKey(t, time.Millisecond)
	if err := k.Check("session-1", frozen, start); err != nil {
		t.Error(err)
	}
	if err := k.Check("session-1", frozen, start.Add(time.Millisecond)); !errors.Is(err, csrf.ErrExpired) {
		t.Error(err)
	}
}

func TestNewAndCheck(t *testing.T) {
	k := newKey(t, csrf.Config{})
	for _, id := range []string{"x", "session-1", "\x00", "naïve", "\xff\xfe", " ", "a\nb", strings.Repeat("x", csrf.MaxID)} {
		token := newToken(t, k, id, start)
		if len(token) != csrf.Length || strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Errorf("%q", token)
		}
		for range 2 { // a form can be sent twice
			if err := k.Check(id, token, start); err != nil {
				t.Errorf("%.20q: %v", id, err)
			}
		}
	}
}

// A token is good for its id and its key, and for no other.
func TestBinding(t *testing.T) {
	k, other := newKey(t, csrf.Config{}), newKey(t, csrf.Config{})
	token := newToken(t, k, "session-1", start)
	for _, id := range []string{"session-2", "session-", "session-10", "Session-1", "session-1 ", " session-1", "session-1\x00", "s", "1-noisses"} {
		if err := k.Check(id, token, start); err != csrf.ErrMismatch {
			t.Errorf("%q: %v", id, err)
		}
	}
	if err := other.Check("session-1", token, start); err != csrf.ErrMismatch {
		t.Error(err)
	}
}

// Of all texts that differ from a token in a character, or by one more or less, none is
// accepted.
func TestEveryChange(t *testing.T) {
	k := newKey(t, csrf.Config{})
	token := newToken(t, k, "session-1", start)
	refused := func(text string, want error) {
		t.Helper()
		if err := k.Check("session-1", text, start); !errors.Is(err, want) {
			t.Fatalf("%q instead of %q: %v", text, token, err)
		}
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range token {
		for c := range 256 {
			want := csrf.ErrMalformed
			switch {
			case byte(c) == token[i]:
				continue
			case strings.IndexByte(alphabet, byte(c)) >= 0:
				want = csrf.ErrMismatch
			}
			refused(token[:i]+string([]byte{byte(c)})+token[i+1:], want)
		}
		refused(token[:i], csrf.ErrMalformed)
		refused(token[i+1:], csrf.ErrMalformed)
		refused(token[:i]+"A"+token[i:], csrf.ErrMalformed)
		refused(token[:i]+"\n"+token[i:], csrf.ErrMalformed)
	}
	for _, text := range []string{
		"", " ", token + "=", token + "==", token + "\n", "\n" + token[1:], token[:71] + "\n", token[:70] + "\r\n", token[:70] + "==", token + token,
		strings.Repeat("\n", csrf.Length), strings.Repeat("\x00", csrf.Length), strings.Repeat("A", 1<<20),
		strings.Repeat("é", csrf.Length/2), strings.NewReplacer("-", "+", "_", "/").Replace(strings.Repeat("-_", csrf.Length/2)),
	} {
		refused(text, csrf.ErrMalformed)
	}
	refused(strings.Repeat("A", csrf.Length), csrf.ErrMismatch)
}

func TestTimes(t *testing.T) {
	for _, lifetime := range []time.Duration{0, time.Millisecond, time.Hour, 100 * 365 * 24 * time.Hour, math.MaxInt64} {
		k := newKey(t, csrf.Config{Lifetime: lifetime})
		if lifetime == 0 {
			lifetime = 12 * time.Hour
		}
		token := newToken(t, k, "session-1", start)
		for _, c := range []struct {
			after time.Duration
			want  error
		}{
			{0, nil},
			{lifetime - time.Millisecond, nil},
			{lifetime, csrf.ErrExpired},
			{lifetime + time.Nanosecond, csrf.ErrExpired},
			{2 * lifetime, csrf.ErrExpired},
			{-csrf.Skew, nil},
			{-csrf.Skew - time.Nanosecond, csrf.ErrFuture},
			{-24 * time.Hour, csrf.ErrFuture},
			{-50 * 365 * 24 * time.Hour, csrf.ErrFuture},
		} {
			if lifetime == math.MaxInt64 && c.want == csrf.ErrExpired || c.after < 0 && c.want == csrf.ErrExpired {
				continue // past what a Duration holds
			}
			if err := k.Check("session-1", token, start.Add(c.after)); !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("lifetime %v, after %v: %v, want %v", lifetime, c.after, err, c.want)
			}
			// What is not authentic says nothing of its time.
			if err := k.Check("session-2", token, start.Add(c.after)); err != csrf.ErrMismatch {
				t.Errorf("lifetime %v, after %v, another id: %v", lifetime, c.after, err)
			}
		}
	}
}

// Times are told apart by the millisecond, wherever they are shown.
func TestTimesAreKeptExactly(t *testing.T) {
	k := newKey(t, csrf.Config{Lifetime: time.Second})
	last := time.Date(9999, 12, 31, 23, 59, 58, 0, time.UTC)
	for _, made := range []time.Time{time.UnixMilli(0), time.UnixMilli(1), time.UnixMilli(1 << 40), start.In(time.FixedZone("", 14*3600)), last} {
		token := newToken(t, k, "session-1", made)
		if err := k.Check("session-1", token, made.UTC()); err != nil {
			t.Errorf("%v: %v", made, err)
		}
		if err := k.Check("session-1", token, made.Add(time.Second-1)); err != nil {
			t.Errorf("%v: %v", made, err)
		}
		if err := k.Check("session-1", token, made.Add(time.Second)); !errors.Is(err, csrf.ErrExpired) {
			t.Errorf("%v: %v", made, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	k := newKey(t, csrf.Config{})
	token := newToken(t, k, "session-1", start)
	for _, c := range []struct {
		name string
		k    csrf.Key
		id   string
		now  time.Time
		want error
	}{
		{"no key", csrf.Key{}, "session-1", start, csrf.ErrKey},
		{"no id", k, "", start, csrf.ErrID},
		{"a long id", k, strings.Repeat("x", csrf.MaxID+1), start, csrf.ErrID},
		{"no time", k, "session-1", time.Time{}, csrf.ErrTime},
		{"before 1970", k, "session-1", time.UnixMilli(-1), csrf.ErrTime},
		{"after 9999", k, "session-1", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), csrf.ErrTime},
	} {
		if got, err := c.k.New(c.id, c.now); !errors.Is(err, c.want) || got != "" {
			t.Errorf("New with %s: %q, %v", c.name, got, err)
		}
		if err := c.k.Check(c.id, token, c.now); !errors.Is(err, c.want) {
			t.Errorf("Check with %s: %v", c.name, err)
		}
	}
	for n := range 70 {
		if _, err := csrf.NewKey(make([]byte, n), csrf.Config{}); (n == csrf.KeySize) != (err == nil) || err != nil && !errors.Is(err, csrf.ErrKey) {
			t.Errorf("a key of %d bytes: %v", n, err)
		}
	}
	if _, err := csrf.NewKey(make([]byte, csrf.KeySize), csrf.Config{Lifetime: -1}); !errors.Is(err, csrf.ErrTime) {
		t.Error(err)
	}
}

// No two tokens of one session and one moment have more in common than chance gives:
// at each place one character in 64, and nowhere a run of them. That keeps them from
// an attacker who measures how well pages compress.
func TestFreshness(t *testing.T) {
	k := newKey(t, csrf.Config{})
	var all []string
	for range 100 {
		all = append(all, newToken(t, k, "session-1", start))
	}
	places, alike, most := 0, 0, 0
	for i, a := range all {
		for _, b := range all[:i] {
			for at := range a {
				places++
				if a[at] == b[at] {
					alike++
				}
			}
			most = max(most, longestShared(a, b))
		}
	}
	// Of 356400 places 5569 are alike, give or take 74: 7128 are 21 times that away. A
	// time that showed would make them 30000.
	if alike > places/50 {
		t.Errorf("%d of %d characters are alike; by chance %d are", alike, places, places/64)
	}
	// 26 million pairs of places begin a run of eight with a chance of 2^-48 each.
	if most >= 8 {
		t.Errorf("two tokens share %d characters", most)
	}
}

// longestShared returns the length of the longest text that is in both.
func longestShared(a, b string) (most int) {
	var ends [csrf.Length + 1]int // of runs that end before each place of b
	for i := range a {
		for j := len(b) - 1; j >= 0; j-- {
			ends[j+1] = 0
			if a[i] == b[j] {
				ends[j+1] = ends[j] + 1
				most = max(most, ends[j+1])
			}
		}
	}
	return most
}

// The salt is that of crypto/rand, and nothing else is drawn.
func TestSaltIsTheSystems(t *testing.T) {
	k := newKey(t, csrf.Config{})
	cryptotest.SetGlobalRandom(t, 1)
	a := newToken(t, k, "session-1", start)
	cryptotest.SetGlobalRandom(t, 1)
	if b := newToken(t, k, "session-1", start); a != b {
		t.Errorf("%s and %s of one source", a, b)
	}
	cryptotest.SetGlobalRandom(t, 2)
	if b := newToken(t, k, "session-1", start); a == b {
		t.Error("the source does not matter")
	}
}

// Errors repeat neither token nor id, and a key prints as [REDACTED].
func TestHidden(t *testing.T) {
	secret := random.Bytes(csrf.KeySize)
	k, err := csrf.NewKey(secret, csrf.Config{Lifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	token := newToken(t, k, "session-1", start)
	for _, err := range []error{
		k.Check("session-2", token, start), k.Check("session-1", token[:71], start), k.Check("session-1", token[:71]+"!", start),
		k.Check("session-1", token, start.Add(2*time.Hour)), k.Check("session-1", token, start.Add(-2*time.Hour)),
		k.Check("session-1", token, time.Time{}), k.Check(strings.Repeat("session-1", 1000), token, start),
	} {
		if err == nil || strings.Contains(err.Error(), "session-") || strings.Contains(err.Error(), token[:6]) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 120 {
			t.Errorf("%v", err)
		}
	}
	type inside struct {
		k csrf.Key
		K csrf.Key
		p *csrf.Key
	}
	for _, v := range []any{k, &k, inside{k, k, &k}, &inside{k, k, &k}, []csrf.Key{k}, map[string]csrf.Key{"k": k}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%t"} {
			text := fmt.Sprintf(verb, v)
			for i := range len(secret) - 4 {
				part := secret[i : i+4]
				for _, bad := range []string{string(part), fmt.Sprintf("%x", part), strings.Trim(fmt.Sprint(part), "[]")} {
					if strings.Contains(text, bad) {
						t.Fatalf("%s shows the secret: %q", verb, text)
					}
				}
			}
		}
	}
	text, err := k.MarshalText()
	if k.String() != "[REDACTED]" || fmt.Sprintf("%d", k) != "[REDACTED]" || fmt.Sprintf("%#v", k) != "[REDACTED]" ||
		k.GoString() != "[REDACTED]" || k.LogValue().String() != "[REDACTED]" || !bytes.Equal(text, []byte("[REDACTED]")) || err != nil {
		t.Errorf("%v", k)
	}
}

func TestRaces(t *testing.T) {
	k := newKey(t, csrf.Config{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			id, other := fmt.Sprint("session-", i), fmt.Sprint("session-", i+1)
			for range 100 {
				token, err := k.New(id, start)
				if err == nil {
					err = k.Check(id, token, start)
				}
				if err != nil {
					t.Error(err)
				}
				if err := k.Check(other, token, start); err != csrf.ErrMismatch {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
