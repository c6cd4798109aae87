package token_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"

	"github.com/keyfob-dev/keyfob/token"
)

// sizes has the edges of the pieces that a token is encoded in.
var sizes = []int{1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 20, 31, 32, 33, 64, 100, 239, 240, 241, 255, 256, 257, 480, 481, 1000, 5000, 65537}

// decoders undo the forms that encode bytes, strictly.
var decoders = map[token.Format]func(string) ([]byte, error){
	token.FormatURLSafe: base64.RawURLEncoding.Strict().DecodeString,
	token.FormatHex:     hex.DecodeString,
	token.FormatBase32:  base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString,
	token.FormatRaw:     func(s string) ([]byte, error) { return []byte(s), nil },
}

var oneCall = map[token.Format]func(int) string{
	token.FormatURLSafe: token.URLSafe, token.FormatHex: token.Hex, token.FormatBase32: token.Base32,
	token.FormatBase62: token.Base62, token.FormatRaw: func(n int) string { return string(token.Bytes(n)) },
}

var alphabets = map[token.Format]*regexp.Regexp{
	token.FormatURLSafe: regexp.MustCompile(`^[A-Za-z0-9_-]*$`), token.FormatHex: regexp.MustCompile(`^[0-9a-f]*$`),
	token.FormatBase32: regexp.MustCompile(`^[A-Z2-7]*$`), token.FormatBase62: regexp.MustCompile(`^[0-9A-Za-z]*$`),
	token.FormatRaw: regexp.MustCompile(`(?s).*`),
}

// TestForms decodes every form by the standard library's RFC 4648, and finds in it
// the very bytes that the system gave.
func TestForms(t *testing.T) {
	for f, decode := range decoders {
		for _, n := range sizes {
			cryptotest.SetGlobalRandom(t, uint64(n))
			want := make([]byte, n)
			rand.Read(want)
			cryptotest.SetGlobalRandom(t, uint64(n))
			text := oneCall[f](n)
			got, err := decode(text)
			if err != nil {
				t.Fatalf("%v of %d bytes: %v", f, n, err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%v of %d bytes does not decode to the system's bytes", f, n)
			}
			if !alphabets[f].MatchString(text) {
				t.Errorf("%v of %d bytes is not of its alphabet", f, n)
			}
		}
	}
}

func TestRandom(t *testing.T) {
	cryptotest.SetGlobalRandom(t, 1)
	random := token.Random()
	cryptotest.SetGlobalRandom(t, 1)
	if want := token.URLSafe(32); random != want || len(random) != 43 {
		t.Errorf("Random is %s; URLSafe(32) of the same bytes is %s", random, want)
	}
}

// TestLengths compares each length with the least that can carry 8n bits: in an
// alphabet of a characters, the least m with a^m >= 2^8n.
func TestLengths(t *testing.T) {
	for f, a := range map[token.Format]int64{
		token.FormatURLSafe: 64, token.FormatHex: 16, token.FormatBase32: 32, token.FormatBase62: 62, token.FormatRaw: 256,
	} {
		m, power := 0, big.NewInt(1)
		for n := 1; n <= 3000; n++ {
			for limit := new(big.Int).Lsh(big.NewInt(1), uint(8*n)); power.Cmp(limit) < 0; m++ {
				power.Mul(power, big.NewInt(a))
			}
			if got := (token.Recipe{Format: f, Bytes: n}).Length(); got != m {
				t.Fatalf("%v of %d bytes has %d characters; %d are the fewest", f, n, got, m)
			}
		}
		for _, n := range sizes {
			r := token.Recipe{Format: f, Bytes: n}
			if text := oneCall[f](n); len(text) != r.Length() {
				t.Errorf("%v has %d characters; Length is %d", r, len(text), r.Length())
			}
		}
	}
}

// TestLargest: the largest token of each form is made.
func TestLargest(t *testing.T) {
	for f, make := range oneCall {
		if got, want := len(make(token.MaxBytes)), (token.Recipe{Format: f, Bytes: token.MaxBytes}).Length(); got != want {
			t.Errorf("%v of %d bytes has %d characters; want %d", f, token.MaxBytes, got, want)
		}
	}
}

// TestCharactersAreUniform counts every character at every place of 60,000 base62
// tokens, of the id and secret of 60,000 keyed ones, and of 60,000 ids. Pearson's
// statistic of a place is distributed as chi-square with k = 61 degrees of freedom,
// and exceeds k + 2*sqrt(k*x) + 2*x with a probability of at most exp(-x) (Laurent
// and Massart). There are 43 + 43 + 59 + 16 places; with x = 26, exp(-26) = 5.1e-12
// each, the false alarms are 8.3e-10 a run. The limit is 192.7. Remainders of a byte
// would give the first 8 characters 5/256 each and the others 4/256, which makes 456
// on average.
func TestCharactersAreUniform(t *testing.T) {
	const draws, k, x = 60_000, 61, 26
	limit := k + 2*math.Sqrt(k*x) + 2*x
	batch := slices.Collect(token.Recipe{Format: token.FormatBase62}.Many(draws))
	for what, draw := range map[string]func() string{
		"Base62": func() string { return token.Base62(32) },
		"Many":   func() string { text := batch[0]; batch = batch[1:]; return text },
		"NewID":  token.NewID,
		"keyed":  func() string { k := token.New("sk"); return k.ID() + k.Secret() },
	} {
		var counts [59][256]int
		length := 0
		for range draws {
			text := draw()
			length = len(text)
			for i := range length {
				counts[i][text[i]]++
			}
		}
		for i := range length {
			statistic, found := 0.0, 0
			for _, c := range []byte(base62) {
				d := float64(counts[i][c]) - draws/62.0
				statistic += d * d / (draws / 62.0)
				found += counts[i][c]
			}
			if statistic > limit || found != draws {
				t.Errorf("%s: character %d has chi-square %.1f, above %.1f (%d of %d are base62)", what, i, statistic, limit, found, draws)
			}
		}
	}
}

func TestBits(t *testing.T) {
	for _, c := range []struct {
		recipe token.Recipe
		bits   float64
		text   string
	}{
		{token.Recipe{}, 256, "urlsafe, 32 bytes"},
		{token.Recipe{Bytes: 1}, 8, "urlsafe, 1 byte"},
		{token.Recipe{Format: token.FormatHex, Bytes: 16}, 128, "hex, 16 bytes"},
		{token.Recipe{Format: token.FormatBase32, Bytes: 5}, 40, "base32, 5 bytes"},
		{token.Recipe{Format: token.FormatRaw, Bytes: token.MaxBytes}, 8 << 20, "raw, 1048576 bytes"},
		{token.Recipe{Format: token.FormatBase62}, 43 * math.Log2(62), "base62, 32 bytes"},
		{token.Recipe{Format: token.FormatBase62, Bytes: 1}, 2 * math.Log2(62), "base62, 1 byte"},
		{token.Recipe{Prefix: "sk_live"}, 43 * math.Log2(62), "keyed, prefix sk_live"},
	} {
		if got := c.recipe.Bits(); math.Abs(got-c.bits) > 1e-12*c.bits {
			t.Errorf("%v has %v bits; want %v", c.recipe, got, c.bits)
		}
		if got := c.recipe.String(); got != c.text {
			t.Errorf("the recipe describes itself as %q; want %q", got, c.text)
		}
		// The entropy is that of the recipe, and never less than was asked for.
		if c.recipe.Bits() < float64(8*c.recipe.Bytes) {
			t.Errorf("%v has %v bits only", c.recipe, c.recipe.Bits())
		}
	}
}

// TestBadSizes: what a programmer got wrong panics with a sentence, and Check tells
// it of what somebody else did.
func TestBadSizes(t *testing.T) {
	for _, n := range []int{0, -1, math.MinInt, token.MaxBytes + 1, math.MaxInt} {
		for name, f := range map[string]func(){
			"URLSafe": func() { token.URLSafe(n) }, "Hex": func() { token.Hex(n) }, "Base32": func() { token.Base32(n) },
			"Base62": func() { token.Base62(n) }, "Bytes": func() { token.Bytes(n) },
		} {
			want := fmt.Sprintf("token: %s(%d): the size must be 1 to 1048576 bytes", name, n)
			if got := panicOf(f); got != want {
				t.Errorf("%s(%d) panics with %q; want %q", name, n, got, want)
			}
		}
	}
	for _, c := range []struct {
		recipe token.Recipe
		wraps  error
		says   string
	}{
		{token.Recipe{Bytes: -1}, token.ErrSize, "-1 bytes; 1 to 1048576 are allowed"},
		{token.Recipe{Bytes: math.MaxInt}, token.ErrSize, "bytes; 1 to 1048576 are allowed"},
		{token.Recipe{Format: 5}, token.ErrFormat, "Format(5) is none of urlsafe, hex, base32, base62 and raw"},
		{token.Recipe{Format: 255, Bytes: 3}, token.ErrFormat, "Format(255)"},
		{token.Recipe{Prefix: "A"}, token.ErrPrefix, "it holds 'A'"},
		{token.Recipe{Prefix: "a", Bytes: 32}, token.ErrSize, "a fixed form"},
		{token.Recipe{Prefix: "a", Format: token.FormatHex}, token.ErrSize, "a fixed form"},
	} {
		err := c.recipe.Check()
		if !errors.Is(err, c.wraps) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("Check of %#v is %v; want one that wraps %q and says %q", c.recipe, err, c.wraps, c.says)
		}
		for name, f := range map[string]func(){
			"New": func() { c.recipe.New() }, "Many": func() { c.recipe.Many(1) }, "Each": func() { c.recipe.Each(1) },
			"Blocks": func() { c.recipe.Blocks(1, "", "") },
			"Bits":   func() { c.recipe.Bits() }, "Length": func() { c.recipe.Length() },
		} {
			if got, _ := panicOf(f).(string); !strings.HasPrefix(got, "token: Recipe: ") || !strings.Contains(got, c.says) {
				t.Errorf("%s of %#v panics with %q", name, c.recipe, got)
			}
		}
		if c.recipe.String() == "" {
			t.Errorf("%#v describes itself as nothing", c.recipe)
		}
	}
	for _, r := range recipes() {
		if err := r.Check(); err != nil {
			t.Errorf("%v: %v", r, err)
		}
	}
	for name, f := range map[string]func(){
		"Many": func() { token.Recipe{}.Many(-1) }, "Each": func() { token.Recipe{}.Each(-1) },
		"Blocks": func() { token.Recipe{}.Blocks(-1, "", "") },
	} {
		if got, _ := panicOf(f).(string); !strings.Contains(got, "must be 0 or more") {
			t.Errorf("%s of -1 panics with %q", name, got)
		}
	}
}

func TestFormatText(t *testing.T) {
	for f, name := range map[token.Format]string{
		token.FormatURLSafe: "urlsafe", token.FormatHex: "hex", token.FormatBase32: "base32", token.FormatBase62: "base62", token.FormatRaw: "raw",
	} {
		if f.String() != name {
			t.Errorf("format %d is called %s; want %s", uint8(f), f, name)
		}
		b, err := json.Marshal(f)
		var again token.Format
		if err != nil || string(b) != `"`+name+`"` || json.Unmarshal(b, &again) != nil || again != f {
			t.Errorf("%s in JSON is %s (%v), and comes back as %s", name, b, err, again)
		}
	}
	if b, err := token.Format(9).MarshalText(); !errors.Is(err, token.ErrFormat) {
		t.Errorf("Format(9) marshals as %q, %v", b, err)
	}
	for _, bad := range []string{"", "URLSAFE", "Hex", "base64", " hex", "hex\n", "urlsafe\x00", strings.Repeat("hex", 1000)} {
		f := token.FormatBase62
		err := f.UnmarshalText([]byte(bad))
		if !errors.Is(err, token.ErrFormat) || f != token.FormatBase62 || len(err.Error()) > 150 {
			t.Errorf("UnmarshalText(%.20q) sets %v, %v", bad, f, err)
		}
	}
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	var f token.Format
	flags.TextVar(&f, "format", token.FormatURLSafe, "")
	if err := flags.Parse([]string{"-format", "base32"}); err != nil || f != token.FormatBase32 {
		t.Errorf("the flag sets %v, %v", f, err)
	}
}
