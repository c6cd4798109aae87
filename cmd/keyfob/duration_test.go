package main

import (
	"math"
	"math/big"
	"strings"
	"testing"
	"time"
)

const day = 24 * time.Hour

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "0d": 0, "1s": time.Second, "90s": 90 * time.Second, "30m": 30 * time.Minute,
		"1h30m": 90 * time.Minute, "24h": day, "7d": 7 * day, "2w": 14 * day, "1w1d1h1m1s": 8*day + time.Hour + time.Minute + time.Second,
		"1d0h": day, "100000h": 100000 * time.Hour, "106751d": 106751 * day,
		"9223372036s": 9223372036 * time.Second,
	} {
		got, err := parseDuration(text)
		if err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
}

// Each refusal says what is wrong and what would be right.
func TestParseDurationRefuses(t *testing.T) {
	for text, says := range map[string]string{
		"": "empty", "s": "no number", "5": "without a unit", "10": "without a unit", "00": "leading zero", "07d": "leading zero",
		"1x": "unit that is unknown", "1ms": "no number", "1µs": "unit that is unknown", "1y": "unit that is unknown",
		"1D": "unit that is unknown", "1min": "no number", "1m1h": "out of order", "1m1m": "out of order", "1h5": "without a unit",
		"-1h": "negative", "-": "negative", "+1h": "no number", " 1h": "white space", "1h ": "white space", "1h 30m": "white space",
		"1 h": "unit that is unknown", "1h\n": "white space", "1.5h": "unit that is unknown", ".5h": "no number", "1e3s": "unit that is unknown",
		"∞": "no number", "never": "no number", "١h": "no number", "1h\x00": "no number", "0x10s": "unit that is unknown",
		"106752d": "too long", "9223372037s": "too long", "15251w": "too long", "106751d24h": "too long", "99999999999999999999s": "too long",
		"9223372036854775808s": "too long", strings.Repeat("9", 400) + "w": "too long",
	} {
		got, err := parseDuration(text)
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), ";") {
			t.Errorf("%q: %v, %v; want an error that says %q, and what would be right", text, got, err, says)
		}
	}
}

// FuzzParseDuration holds the parser to its grammar, and its sum to one in big
// integers.
func FuzzParseDuration(f *testing.F) {
	for _, seed := range []string{
		"0", "30m", "7d", "2w", "1h30m", "1w1d1h1m1s", "106751d23h47m16s", "106751d23h47m17s", "9223372036s", "9223372037s",
		"", "5", "-1h", "+1h", " 1h", "1h ", "1.5h", "01h", "1m1h", "1h1h", "never", "1µs", "99999999999999999999w", "1h\x00", "١h",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseDuration(text)
		want, ok := slowDuration(text)
		if ok != (err == nil) || ok && got != want {
			t.Fatalf("%q: %v, %v; want %v, %v", text, got, err, want, ok)
		}
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Fatalf("%q: the error has more than one line: %q", text, err)
			}
			return
		}
		if again, err := parseDuration(formatDuration(got)); err != nil || again != got {
			t.Fatalf("%q is %v, which is written as %q and read as %v, %v", text, got, formatDuration(got), again, err)
		}
	})
}

// slowDuration reads a duration by its definition.
func slowDuration(text string) (time.Duration, bool) {
	if text == "0" {
		return 0, true
	}
	if text == "" {
		return 0, false
	}
	sum := new(big.Int)
	for _, u := range units {
		i := strings.IndexByte(text, u.letter)
		if i < 0 {
			continue
		}
		digits := text[:i]
		if digits == "" || strings.Trim(digits, "0123456789") != "" || len(digits) > 1 && digits[0] == '0' {
			return 0, false
		}
		n, _ := new(big.Int).SetString(digits, 10)
		sum.Add(sum, n.Mul(n, big.NewInt(int64(u.size))))
		text = text[i+1:]
	}
	if text != "" || sum.Cmp(big.NewInt(math.MaxInt64)) > 0 {
		return 0, false
	}
	return time.Duration(sum.Int64()), true
}
