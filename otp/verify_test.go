package otp_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/otp"
)

func generate(t testing.TB, c otp.TOTP, seed otp.Seed, at int64) string {
	t.Helper()
	code, err := c.Generate(seed, time.Unix(at, 0))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// distinct returns a seed whose codes from one time to another all differ, so that a
// test can tell steps by codes.
func distinct(t testing.TB, c otp.TOTP, from, to, period int64) otp.Seed {
	t.Helper()
	for {
		seed := otp.NewSeedSize(32)
		seen := map[string]bool{}
		n := 0
		for at := max(0, from); at <= to; at += period {
			seen[generate(t, c, seed, at)] = true
			n++
		}
		if len(seen) == n {
			return seed
		}
	}
}

// TestSkew presents the codes of the steps around the present one.
func TestSkew(t *testing.T) {
	const now = 1_700_000_010 // 0 seconds into a step of 30, 10 or 1
	for _, c := range []struct {
		totp         otp.TOTP
		skew, period int64
	}{
		{otp.TOTP{}, 1, 30}, {otp.TOTP{Skew: otp.NoSkew}, 0, 30}, {otp.TOTP{Skew: 1, Digits: 8}, 1, 30},
		{otp.TOTP{Skew: 2, Algorithm: otp.SHA256}, 2, 30}, {otp.TOTP{Skew: 10, Algorithm: otp.SHA512, Digits: 7}, 10, 30},
		{otp.TOTP{Period: 10 * time.Second}, 1, 10}, {otp.TOTP{Period: time.Second}, 1, 1}, {otp.TOTP{Period: time.Hour}, 1, 3600},
	} {
		start := now / c.period * c.period
		seed := distinct(t, c.totp, start-15*c.period, start+15*c.period, c.period)
		for d := int64(-14); d <= 14; d++ {
			code := generate(t, c.totp, seed, start+d*c.period)
			for _, in := range []time.Duration{0, time.Duration(c.period)*time.Second - 1} {
				step, err := c.totp.Verify(seed, code, time.Unix(start, 0).Add(in), otp.Never())
				want := d >= -c.skew && d <= c.skew
				if want && (err != nil || step != uint64(start/c.period+d)) || !want && (!errors.Is(err, otp.ErrMismatch) || step != 0) {
					t.Errorf("%+v: the code of step %+d gives %d, %v", c.totp, d, step, err)
				}
			}
		}
	}
}

// TestLast: N, N+1, N again; and what a clock that goes back changes, which is nothing.
func TestLast(t *testing.T) {
	const now = 1_700_000_010
	c := otp.TOTP{}
	seed := distinct(t, c, now-300, now+300, 30)
	const n = uint64(now / 30)
	code := func(step uint64) string { return generate(t, c, seed, int64(step)*30) }
	for _, v := range []struct {
		step uint64
		at   int64
		last otp.Last
		want error
	}{
		{n, now, otp.Never(), nil},
		{n, now, otp.After(n - 1), nil},
		{n, now, otp.After(n), otp.ErrReplayed},
		{n, now + 30, otp.After(n), otp.ErrReplayed},
		{n + 1, now + 30, otp.After(n), nil},
		{n, now + 30, otp.After(n + 1), otp.ErrReplayed},
		{n + 1, now, otp.After(n), nil}, // a token that is fast
		{n - 1, now, otp.After(n), otp.ErrReplayed},
		{n - 1, now, otp.After(n - 2), nil}, // and one that is slow
		{n + 2, now, otp.After(n), otp.ErrMismatch},
		{n, now - 30, otp.After(n + 5), otp.ErrReplayed}, // a clock that went back
		{n, now, otp.After(math.MaxUint64), otp.ErrReplayed},
	} {
		step, err := c.Verify(seed, code(v.step), time.Unix(v.at, 0), v.last)
		if !errors.Is(err, v.want) || v.want == nil && step != v.step || v.want != nil && (step != 0 || !errors.Is(err, otp.ErrMismatch)) {
			t.Errorf("the code of step %d at %d %v gives %d, %v", v.step, v.at/30, v.last, step, err)
		}
		if v.want == otp.ErrMismatch && errors.Is(err, otp.ErrReplayed) {
			t.Errorf("a wrong code is called a replay: %v", err)
		}
	}
}

// TestEdgesOfTime: step 0, times before 1970, and the greatest there are.
func TestEdgesOfTime(t *testing.T) {
	c := otp.TOTP{Skew: 2}
	seed := distinct(t, c, 0, 300, 30)
	for _, at := range []int64{0, 29, 59, 60} {
		for step := range uint64(5) {
			got, err := c.Verify(seed, generate(t, c, seed, int64(step)*30), time.Unix(at, 0), otp.Never())
			if want := step <= uint64(at)/30+2; want != (err == nil) || want && got != step {
				t.Errorf("at %d the code of step %d gives %d, %v", at, step, got, err)
			}
		}
	}
	// Step 0 can be matched once.
	code := generate(t, c, seed, 0)
	if step, err := c.Verify(seed, code, time.Unix(0, 0), otp.Never()); err != nil || step != 0 {
		t.Errorf("step 0: %d, %v", step, err)
	}
	if _, err := c.Verify(seed, code, time.Unix(1, 0), otp.After(0)); !errors.Is(err, otp.ErrReplayed) {
		t.Errorf("step 0 again: %v", err)
	}
	// The code that the counter 2^64-1 would have is not that of the step before 0.
	before, err := otp.HOTP{}.Generate(seed, math.MaxUint64)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Verify(seed, before, time.Unix(0, 0), otp.Never()); !errors.Is(err, otp.ErrMismatch) {
		t.Errorf("a step before 1970 matches: %v", err)
	}
	for _, at := range []time.Time{{}, time.Unix(-1, 0), time.Unix(0, -1), time.Unix(math.MinInt64, 0), time.Date(-290000000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		_, err1 := c.Verify(seed, code, at, otp.Never())
		_, err2 := c.Generate(seed, at)
		_, err3 := c.Step(at)
		_, err4 := c.Until(at)
		for _, err := range []error{err1, err2, err3, err4} {
			if !errors.Is(err, otp.ErrTime) {
				t.Errorf("at %d: %v", at.Unix(), err)
			}
		}
	}
	for _, period := range []time.Duration{time.Second, 30 * time.Second, time.Hour} {
		c := otp.TOTP{Skew: 10, Period: period}
		last := time.Unix(math.MaxInt64, 0)
		code, err := c.Generate(seed, last)
		if err != nil {
			t.Fatal(err)
		}
		want := uint64(math.MaxInt64) / uint64(period/time.Second)
		if step, err := c.Verify(seed, code, last, otp.After(want-1)); err != nil || step != want {
			t.Errorf("the last second: %d, %v; want %d", step, err, want)
		}
		if step, err := c.Step(last); err != nil || step != want {
			t.Errorf("the last second is in step %d, %v; want %d", step, err, want)
		}
	}
	// A time zone changes nothing.
	at := time.Unix(1_700_000_010, 0)
	a, _ := c.Generate(seed, at.UTC())
	if b, _ := c.Generate(seed, at.In(time.FixedZone("x", 5*3600))); a != b {
		t.Errorf("the time zone changes %s to %s", a, b)
	}
}

func TestUntil(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		want time.Duration
	}{
		{time.Unix(0, 0), 30 * time.Second}, {time.Unix(1, 0), 29 * time.Second}, {time.Unix(29, 999_999_999), 1},
		{time.Unix(30, 0), 30 * time.Second}, {time.Unix(44, 500_000_000), 15*time.Second + 500*time.Millisecond},
	} {
		got, err := otp.TOTP{}.Until(c.at)
		if err != nil || got != c.want {
			t.Errorf("until the step of %v ends: %v, %v; want %v", c.at, got, err, c.want)
		}
		s1, _ := otp.TOTP{}.Step(c.at.Add(got - 1))
		s2, _ := otp.TOTP{}.Step(c.at.Add(got))
		if s0, _ := (otp.TOTP{}).Step(c.at); s1 != s0 || s2 != s0+1 {
			t.Errorf("%v: the step does not end in %v", c.at, got)
		}
	}
}

// TestCounters goes through a token's life: codes made and not used, up to the window
// and beyond, and each used again.
func TestCounters(t *testing.T) {
	h := otp.HOTP{Window: 5, Digits: 8}
	seed := otp.NewSeed()
	code := func(n uint64) string {
		c, err := h.Generate(seed, n)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	last := otp.Never()
	for _, v := range []struct {
		counter uint64
		good    bool
	}{{5, false}, {0, true}, {0, false}, {1, true}, {6, true}, {3, false}, {12, false}, {11, true}, {11, false}, {12, true}} {
		got, err := h.Verify(seed, code(v.counter), last)
		if v.good != (err == nil) || v.good && got != v.counter || !v.good && !errors.Is(err, otp.ErrMismatch) {
			t.Fatalf("counter %d %v: %d, %v", v.counter, last, got, err)
		}
		if v.good {
			last = otp.After(got)
		}
	}
	// At the end there are fewer counters, and then none; it does not begin again.
	const end = uint64(math.MaxUint64)
	if got, err := h.Verify(seed, code(end), otp.After(end-2)); err != nil || got != end {
		t.Errorf("the greatest counter: %d, %v", got, err)
	}
	for n := range uint64(3) {
		if got, err := h.Verify(seed, code(n), otp.After(end-2)); err == nil {
			t.Errorf("counter %d is accepted after the greatest, as %d", n, got)
		}
	}
	if _, err := h.Verify(seed, code(end), otp.After(end)); !errors.Is(err, otp.ErrMismatch) {
		t.Errorf("the greatest counter again: %v", err)
	}
}

// TestUnsaid: a Last that nobody has set is not taken for "never".
func TestUnsaid(t *testing.T) {
	seed := otp.NewSeed()
	for _, f := range []func(){
		func() { otp.TOTP{}.Verify(seed, "123456", time.Now(), otp.Last{}) },
		func() { otp.HOTP{}.Verify(seed, "123456", otp.Last{}) },
		func() { otp.HOTP{Digits: -1}.Verify(otp.Seed{}, "", otp.Last{}) },
	} {
		if got := panicOf(f); !strings.HasPrefix(got, "otp: Verify with a zero Last: give Never() ") {
			t.Errorf("it panics with %q", got)
		}
	}
	for last, want := range map[otp.Last]string{{}: "unsaid", otp.Never(): "never", otp.After(0): "after 0", otp.After(math.MaxUint64): "after 18446744073709551615"} {
		if last.String() != want || fmt.Sprint(last) != want {
			t.Errorf("%v; want %s", last, want)
		}
	}
}

// TestConfigRefuses: a wrong configuration, an empty seed, a malformed code.
func TestConfigRefuses(t *testing.T) {
	seed := otp.NewSeed()
	at := time.Unix(1_700_000_000, 0)
	for _, c := range []otp.TOTP{
		{Algorithm: 3}, {Algorithm: 255}, {Digits: 5}, {Digits: 9}, {Digits: -1}, {Digits: math.MinInt}, {Period: -1}, {Period: 1},
		{Period: time.Second + 1}, {Period: -30 * time.Second}, {Period: time.Hour + time.Second}, {Period: math.MaxInt64},
		{Skew: -2}, {Skew: 11}, {Skew: math.MaxInt}, {Skew: math.MinInt},
	} {
		_, err1 := c.Verify(seed, "123456", at, otp.Never())
		_, err2 := c.Generate(seed, at)
		_, err3 := c.Step(at)
		_, err4 := c.Until(at)
		for _, err := range []error{c.Check(), err1, err2, err3, err4} {
			if !errors.Is(err, otp.ErrConfig) {
				t.Errorf("%+v: %v", c, err)
			}
		}
	}
	for _, h := range []otp.HOTP{{Algorithm: 3}, {Digits: 5}, {Digits: 9}, {Window: -1}, {Window: 101}, {Window: math.MaxInt}} {
		_, err1 := h.Verify(seed, "123456", otp.Never())
		_, err2 := h.Generate(seed, 0)
		for _, err := range []error{h.Check(), err1, err2} {
			if !errors.Is(err, otp.ErrConfig) {
				t.Errorf("%+v: %v", h, err)
			}
		}
	}
	var none otp.Seed
	_, err1 := otp.TOTP{}.Verify(none, "123456", at, otp.Never())
	_, err2 := otp.TOTP{}.Generate(none, at)
	_, err3 := otp.HOTP{}.Verify(none, "123456", otp.Never())
	_, err4 := otp.HOTP{}.Generate(none, 0)
	for _, err := range []error{err1, err2, err3, err4} {
		if !errors.Is(err, otp.ErrSeed) {
			t.Errorf("without a seed: %v", err)
		}
	}
}

// TestOneSpelling: the right code in other spellings is malformed, and not compared.
func TestOneSpelling(t *testing.T) {
	seed := otp.NewSeed()
	at := time.Unix(1_700_000_000, 0)
	code := generate(t, otp.TOTP{}, seed, at.Unix())
	wide := strings.Map(func(r rune) rune { return r - '0' + '\uff10' }, code)
	for _, spelling := range []string{
		"", code + " ", " " + code, code[:3] + " " + code[3:], code[:3] + "-" + code[3:], "0" + code, code + "0", code[1:], code[:5],
		"+" + code, code + "\n", code + "\x00", wide, code[:5] + wide[15:], "0x" + code, code + code,
	} {
		step, err := otp.TOTP{}.Verify(seed, spelling, at, otp.Never())
		_, err2 := otp.HOTP{}.Verify(seed, spelling, otp.After(step-1))
		for _, err := range []error{err, err2} {
			if !errors.Is(err, otp.ErrMalformed) || errors.Is(err, otp.ErrMismatch) || strings.Contains(err.Error(), code) {
				t.Errorf("%q: %v", spelling, err)
			}
		}
	}
}

func TestAlgorithmText(t *testing.T) {
	for a, name := range []string{"sha1", "sha256", "sha512"} {
		var got otp.Algorithm
		text, err := otp.Algorithm(a).MarshalText()
		if err != nil || string(text) != name || otp.Algorithm(a).String() != name || got.UnmarshalText(text) != nil || got != otp.Algorithm(a) {
			t.Errorf("algorithm %d: %s, %v, %v", a, text, err, got)
		}
	}
	var a otp.Algorithm
	for _, name := range []string{"", "SHA1", "sha-1", "md5", "sha1 ", strings.Repeat("x", 1000)} {
		if err := a.UnmarshalText([]byte(name)); !errors.Is(err, otp.ErrAlgorithm) || len(err.Error()) > 120 {
			t.Errorf("%.20q: %v", name, err)
		}
	}
	if _, err := otp.Algorithm(9).MarshalText(); !errors.Is(err, otp.ErrAlgorithm) || otp.Algorithm(9).String() != "Algorithm(9)" {
		t.Errorf("algorithm 9: %v", err)
	}
}

// TestAllocations: with SHA1 a verification allocates nothing.
func TestAllocations(t *testing.T) {
	seed := otp.NewSeed()
	at := time.Unix(1_700_000_000, 0)
	code := generate(t, otp.TOTP{}, seed, at.Unix())
	for name, f := range map[string]func(){
		"hit":    func() { otp.TOTP{}.Verify(seed, code, at, otp.Never()) },
		"replay": func() { otp.TOTP{}.Verify(seed, code, at, otp.After(math.MaxUint64)) },
		"HOTP":   func() { otp.HOTP{}.Verify(seed, "000000", otp.Never()) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations; want 0", name, n)
		}
	}
}
