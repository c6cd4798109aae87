package otp_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"

	"github.com/keyfob-dev/keyfob/otp"
)

var forms = map[otp.Format]string{
	otp.FormatDigits:      `[0-9]+`,
	otp.FormatUnambiguous: `[ABCDEFGHJKLMNPQRSTUVWXYZ23456789]+`,
	otp.FormatRecovery:    `([ABCDEFGHJKLMNPQRSTUVWXYZ23456789]{4}-){5}[ABCDEFGHJKLMNPQRSTUVWXYZ23456789]{4}`,
}

// recipes has all there are.
func recipes() []otp.Recipe {
	all := []otp.Recipe{{}, {Format: otp.FormatUnambiguous}, {Format: otp.FormatRecovery}}
	for n := 6; n <= 10; n++ {
		all = append(all, otp.Recipe{Chars: n})
	}
	for n := 4; n <= 64; n++ {
		all = append(all, otp.Recipe{Format: otp.FormatUnambiguous, Chars: n})
	}
	return all
}

// panicOf returns what f panics with, or "".
func panicOf(f func()) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint(r)
		}
	}()
	f()
	return ""
}

func TestForms(t *testing.T) {
	for _, r := range recipes() {
		form := regexp.MustCompile(`\A` + forms[r.Format] + `\z`)
		codes := append(slices.Collect(r.Many(200)), r.New())
		for _, code := range codes {
			if len(code) != r.Length() || !form.MatchString(code) {
				t.Fatalf("%v makes %q", r, code)
			}
			if err := r.CheckForm(code); err != nil {
				t.Fatalf("%v refuses its own %q: %v", r, code, err)
			}
		}
	}
	for code, r := range map[string]otp.Recipe{
		otp.Random(6): {}, otp.Random(10): {Chars: 10}, otp.Unambiguous(8): {Format: otp.FormatUnambiguous},
		otp.Unambiguous(64): {Format: otp.FormatUnambiguous, Chars: 64}, otp.Recovery(): {Format: otp.FormatRecovery},
	} {
		if err := r.CheckForm(code); err != nil {
			t.Errorf("%q: %v", code, err)
		}
	}
}

// TestLeadingZeros: about one code in ten begins with 0. Of 20,000 codes fewer than
// 1,700 or more than 2,300 do with a probability of 10^-11 (seven deviations of 42.4).
func TestLeadingZeros(t *testing.T) {
	zeros := 0
	for code := range (otp.Recipe{}).Many(20_000) {
		if code[0] == '0' {
			zeros++
		}
	}
	if zeros < 1700 || zeros > 2300 {
		t.Errorf("%d of 20000 codes begin with 0", zeros)
	}
}

// TestBits computes the logarithm of the number of texts from the number itself.
func TestBits(t *testing.T) {
	for _, r := range recipes() {
		symbols := int64(32)
		if r.Format == otp.FormatDigits {
			symbols = 10
		}
		drawn := r.Length()
		if r.Format == otp.FormatRecovery {
			drawn = strings.Count(strings.ReplaceAll(r.New(), "-", ""), "") - 1
		}
		texts := new(big.Int).Exp(big.NewInt(symbols), big.NewInt(int64(drawn)), nil)
		shift := max(0, texts.BitLen()-53)
		top, _ := new(big.Float).SetInt(new(big.Int).Rsh(texts, uint(shift))).Float64()
		want := math.Log2(top) + float64(shift)
		if got := r.Bits(); math.Abs(got-want) > 1e-9 {
			t.Errorf("%v has %v bits; its %v texts are %v", r, got, texts, want)
		}
		if r.Format == otp.FormatRecovery && r.Bits() < 112 {
			t.Errorf("a recovery code has %v bits; want 112 at least", r.Bits())
		}
	}
	if got := (otp.Recipe{}).Bits(); math.Abs(got-math.Log2(1e6)) > 1e-12 {
		t.Errorf("6 digits have %v bits", got)
	}
}

func TestRecipeRefuses(t *testing.T) {
	for _, c := range []struct {
		r    otp.Recipe
		want error
	}{
		{otp.Recipe{Chars: -1}, otp.ErrSize}, {otp.Recipe{Chars: 5}, otp.ErrSize}, {otp.Recipe{Chars: 11}, otp.ErrSize},
		{otp.Recipe{Chars: math.MaxInt}, otp.ErrSize}, {otp.Recipe{Chars: math.MinInt}, otp.ErrSize},
		{otp.Recipe{Format: otp.FormatUnambiguous, Chars: 3}, otp.ErrSize}, {otp.Recipe{Format: otp.FormatUnambiguous, Chars: 65}, otp.ErrSize},
		{otp.Recipe{Format: otp.FormatRecovery, Chars: 24}, otp.ErrSize}, {otp.Recipe{Format: 3}, otp.ErrFormat},
		{otp.Recipe{Format: 255, Chars: 6}, otp.ErrFormat},
	} {
		if err := c.r.Check(); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v; want %v", c.r, err, c.want)
		}
		for what, f := range map[string]func(){
			"New": func() { c.r.New() }, "Many": func() { c.r.Many(1) }, "Each": func() { c.r.Each(1) }, "Bits": func() { c.r.Bits() },
			"Length": func() { c.r.Length() }, "CheckForm": func() { c.r.CheckForm("1") },
		} {
			if got := panicOf(f); !strings.HasPrefix(got, "otp: Recipe: ") {
				t.Errorf("%+v: %s panics with %q", c.r, what, got)
			}
		}
		_ = c.r.String()
	}
	for _, n := range []int{math.MinInt, -1, 0, 5, 11, math.MaxInt} {
		if got := panicOf(func() { otp.Random(n) }); got != fmt.Sprintf("otp: Random(%d): a code has 6 to 10 digits", n) {
			t.Errorf("Random(%d) panics with %q", n, got)
		}
	}
	for _, n := range []int{math.MinInt, -1, 0, 3, 65, math.MaxInt} {
		if got := panicOf(func() { otp.Unambiguous(n) }); got != fmt.Sprintf("otp: Unambiguous(%d): a code has 4 to 64 characters", n) {
			t.Errorf("Unambiguous(%d) panics with %q", n, got)
		}
	}
	if got := panicOf(func() { otp.Recipe{}.Many(-1) }); got != "otp: -1 codes: the number must be 0 or more" {
		t.Errorf("Many(-1) panics with %q", got)
	}
}

// TestCheckForm: one spelling.
func TestCheckForm(t *testing.T) {
	six := otp.Recipe{}
	eight := otp.Recipe{Format: otp.FormatUnambiguous}
	recovery := otp.Recipe{Format: otp.FormatRecovery}
	const good = "HQ7F-X2MC-9KWP-TBV4-3NRD-LE8Y"
	for _, c := range []struct {
		r    otp.Recipe
		code string
		want string // "" is good
	}{
		{six, "012345", ""}, {six, "000000", ""},
		{six, "", "the code is empty"},
		{six, "12345", "the code has 5 characters; it must have 6"},
		{six, "1234567", "the code has 7 characters; it must have 6"},
		{six, "123 456", "the code holds white space"}, {six, "123456 ", "the code holds white space"},
		{six, " 12345", "the code holds white space"}, {six, "123456\n", "the code holds white space"},
		{six, "12345\u00a0", "the code holds white space"},
		{six, "123-456", "the code holds a character other than 0-9"}, {six, "+12345", "the code holds a character other than 0-9"},
		{six, "-12345", "the code holds a character other than 0-9"}, {six, "0x1234", "the code holds a character other than 0-9"},
		{six, "12345a", "the code holds a character other than 0-9"}, {six, "12345\x00", "the code holds a character other than 0-9"},
		{six, "\uff11\uff12\uff13\uff14\uff15\uff16", "the code holds a character other than 0-9"}, // full width
		{six, "\u0661\u0662\u0663\u0664\u0665\u0666", "the code holds a character other than 0-9"}, // Arabic
		{six, "\uff11\uff12", "the code holds a character other than 0-9"},                         // 6 bytes
		{six, "12345\u200b", "the code holds a character other than 0-9"},
		{six, "12345\xff", "the code holds a character other than 0-9"},
		{six, strings.Repeat("1", 1<<20), "the code has 1048576 bytes; it must have 6"},
		{eight, "ABCDEF23", ""}, {eight, "ZZZZZZZZ", ""},
		{eight, "abcdef23", "the code holds lower-case letters; they are written in upper case"},
		{eight, "ABCDEF2", "the code has 7 characters; it must have 8"},
		{eight, "ABCD-EF23", "the code holds a character other than A-Z without I and O, and 2-9"},
		{eight, "ABCDEFO3", "the code holds a character other than A-Z without I and O, and 2-9"},
		{eight, "ABCDEFI3", "the code holds a character other than A-Z without I and O, and 2-9"},
		{eight, "ABCDEF13", "the code holds a character other than A-Z without I and O, and 2-9"},
		{eight, "ABCDEF03", "the code holds a character other than A-Z without I and O, and 2-9"},
		{eight, "ABCDEFo3", "the code holds a character other than A-Z without I and O, and 2-9"},
		{eight, "ABCD EF2", "the code holds white space"},
		{recovery, good, ""},
		{recovery, strings.ToLower(good), "the code holds lower-case letters; they are written in upper case"},
		{recovery, strings.ReplaceAll(good, "-", ""), "a - is missing or misplaced: groups of 4 have one between them"},
		{recovery, strings.ReplaceAll(good, "-", " "), "the code holds white space"},
		{recovery, strings.ReplaceAll(good, "-", "\u2013"), "the code holds a character other than A-Z without I and O, 2-9 and -"},
		{recovery, "HQ7FX-2MC-9KWP-TBV4-3NRD-LE8Y", "a - is missing or misplaced: groups of 4 have one between them"},
		{recovery, good + "-", "a - is missing or misplaced: groups of 4 have one between them"},
		{recovery, good[:28], "the code has 28 characters; it must have 29"},
		{recovery, strings.Repeat("-", 29), "a - is missing or misplaced: groups of 4 have one between them"},
	} {
		err := c.r.CheckForm(c.code)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%v refuses %q: %v", c.r, c.code, err)
		case c.want != "" && (!errors.Is(err, otp.ErrMalformed) || err.Error() != "malformed code: "+c.want):
			t.Errorf("%v of %.50q: %v; want %s", c.r, c.code, err, c.want)
		}
	}
}

// malformed has every sentence there is, so that none can hold part of a code.
var malformed = regexp.MustCompile(`\Amalformed code: (the code is empty|the code holds white space|` +
	`the code holds a character other than (0-9|A-Z without I and O, and 2-9|A-Z without I and O, 2-9 and -)|` +
	`the code holds lower-case letters; they are written in upper case|` +
	`the code has [0-9]+ (characters|bytes); it must have [0-9]+|` +
	`a - is missing or misplaced: groups of 4 have one between them)\z`)

func FuzzCheckForm(f *testing.F) {
	for _, code := range []string{"012345", "123 456", "\uff11\uff12", "ABCDEF23", "abcdef23", "HQ7F-X2MC-9KWP-TBV4-3NRD-LE8Y", "----", "", "\xff"} {
		f.Add(code, uint8(0))
		f.Add(code, uint8(1))
		f.Add(code, uint8(2))
	}
	f.Fuzz(func(t *testing.T, code string, which uint8) {
		all := recipes()
		r := all[int(which)%len(all)]
		err := r.CheckForm(code)
		good := len(code) == r.Length() && regexp.MustCompile(`\A`+forms[r.Format]+`\z`).MatchString(code)
		if good != (err == nil) {
			t.Fatalf("%v of %q: %v", r, code, err)
		}
		if err != nil && !malformed.MatchString(err.Error()) {
			t.Fatalf("%v of %q: %v", r, code, err)
		}
	})
}

func TestFormatText(t *testing.T) {
	for f, name := range []string{"digits", "unambiguous", "recovery"} {
		var got otp.Format
		text, err := otp.Format(f).MarshalText()
		if err != nil || string(text) != name || otp.Format(f).String() != name || got.UnmarshalText(text) != nil || got != otp.Format(f) {
			t.Errorf("format %d: %s, %v, %v", f, text, err, got)
		}
	}
	var f otp.Format
	for _, name := range []string{"", "Digits", "digits ", "numeric", strings.Repeat("x", 1000)} {
		if err := f.UnmarshalText([]byte(name)); !errors.Is(err, otp.ErrFormat) || len(err.Error()) > 120 {
			t.Errorf("%.20q: %v", name, err)
		}
	}
	if _, err := otp.Format(9).MarshalText(); !errors.Is(err, otp.ErrFormat) {
		t.Errorf("format 9: %v", err)
	}
	for r, want := range map[otp.Recipe]string{
		{}: "digits, 6 characters", {Chars: 8}: "digits, 8 characters", {Format: otp.FormatUnambiguous}: "unambiguous, 8 characters",
		{Format: otp.FormatRecovery}: "recovery", {Format: 7}: "Format(7), 24 characters",
	} {
		if got := r.String(); got != want {
			t.Errorf("%#v is %q; want %q", r, got, want)
		}
	}
}

// TestManyIsNew: each range makes other codes, of any number, and can be left.
func TestManyIsNew(t *testing.T) {
	r := otp.Recipe{Format: otp.FormatRecovery}
	for _, n := range []int{0, 1, 10, 140, 141, 142, 300} {
		many := r.Many(n)
		first, again := slices.Collect(many), slices.Collect(many)
		if len(first) != n || len(again) != n {
			t.Fatalf("Many(%d) makes %d and %d", n, len(first), len(again))
		}
		all := slices.Concat(first, again)
		slices.Sort(all)
		if len(slices.Compact(all)) != 2*n {
			t.Errorf("of twice %d codes some come again", n)
		}
	}
	count := 0
	for range r.Many(200) {
		if count++; count == 3 {
			break
		}
	}
	if count != 3 {
		t.Error("the range goes on after it was left")
	}
}

// TestEachWipes keeps a text that Each has handed out, against its contract, and finds
// zeros in it after the loop, also where that was left.
func TestEachWipes(t *testing.T) {
	for _, r := range recipes() {
		for _, leave := range []bool{false, true} {
			var kept []byte
			for code := range r.Each(150) {
				kept = code
				if cap(code) != len(code) {
					t.Fatalf("%v: the text has room for more", r)
				}
				if leave {
					break
				}
			}
			if strings.Trim(string(kept), "\x00") != "" {
				t.Errorf("%v: after the loop %q is left in memory", r, kept)
			}
		}
	}
}

// TestNothingIsKept makes everything twice on the same bytes of the system. If a call
// left random bytes behind for the next, the second would differ.
func TestNothingIsKept(t *testing.T) {
	makers := map[string]func() string{
		"Random": func() string { return otp.Random(6) }, "Unambiguous": func() string { return otp.Unambiguous(8) },
		"Recovery": otp.Recovery, "NewSeed": func() string { return otp.NewSeed().Base32() },
		"NewSeedSize": func() string { return otp.NewSeedSize(64).Base32() },
		"Many":        func() string { return strings.Join(slices.Collect(otp.Recipe{}.Many(3)), " ") },
	}
	for what, make := range makers {
		seen := map[string]bool{}
		for seed := range uint64(5) {
			cryptotest.SetGlobalRandom(t, seed)
			first := make()
			cryptotest.SetGlobalRandom(t, seed)
			if again := make(); first != again {
				t.Errorf("%s depends on an earlier call: %q, then %q", what, first, again)
			}
			seen[first] = true
		}
		if len(seen) < 2 {
			t.Errorf("%s does not read the system's generator", what)
		}
	}
}

func TestConcurrent(t *testing.T) {
	seed := otp.NewSeed()
	want, err := otp.HOTP{}.Generate(seed, 7)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	var lock sync.Mutex
	seen := map[string]bool{}
	for range 8 {
		group.Go(func() {
			for code := range (otp.Recipe{Format: otp.FormatRecovery}).Many(50) {
				lock.Lock()
				if seen[code] {
					t.Errorf("%q comes twice", code)
				}
				seen[code] = true
				lock.Unlock()
				if n, err := (otp.HOTP{}).Verify(seed, want, otp.Never()); err != nil || n > 7 {
					t.Errorf("%d, %v", n, err)
				}
			}
		})
	}
	group.Wait()
}
