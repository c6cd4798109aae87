package token_test

import (
	"errors"
	"fmt"
	"hash/crc32"
	"regexp"
	"strings"
	"testing"
	"testing/cryptotest"

	"github.com/keyfob-dev/keyfob/token"
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// sign appends the checksum that the body calls for. It is written apart from the
// package's own, to be an oracle for it.
func sign(body string) string {
	sum := ""
	for v := crc32.ChecksumIEEE([]byte(body)); len(sum) < 6; v /= 62 {
		sum = base62[v%62:][:1] + sum
	}
	return body + sum
}

// The checksums of these were computed with zlib. The last is 191658 = 49*62*62 +
// 53*62 + 16, and the characters of the alphabet at 49, 53 and 16 are n, r and G.
var vectors = []struct{ prefix, id, secret, checksum string }{
	{"a", strings.Repeat("0", 16), strings.Repeat("0", 43), "0lmbJ7"},
	{"acme_live", "0123456789ABCDEF", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg", "4EWimd"},
	{strings.Repeat("z9_", 10) + "z9", strings.Repeat("z", 16), strings.Repeat("z", 43), "0lgKre"},
	{"sk_live", "0123456789ABCDEF", strings.Repeat("0", 39) + "1102", "000nrG"},
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		text := v.prefix + "_" + v.id + v.secret + v.checksum
		k, err := token.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if k.Prefix() != v.prefix || k.ID() != v.id || k.Secret() != v.secret || k.Reveal() != text {
			t.Errorf("%s parses as %q, %q, %q", text, k.Prefix(), k.ID(), k.Secret())
		}
	}
}

// TestGolden pins the use of the system's bytes. It may change when a sampler
// does; tokens that were issued remain valid all the same.
func TestGolden(t *testing.T) {
	cryptotest.SetGlobalRandom(t, 1)
	const want = "acme_live_PtTFJju6QiXRdYoHrtWB8TPCCkkl8GHr2qRSpRVmg33DmHQizxss8S2e1ps2BdM73"
	if got := token.New("acme_live").Reveal(); got != want {
		t.Errorf("the first token is %s; want %s", got, want)
	}
}

var prefixes = []string{"a", "sk", "sk_live", "acme__x", "z9", "a_b_c_1_2_3", strings.Repeat("p", 32), "a" + strings.Repeat("_", 30) + "z"}

func TestRoundTrip(t *testing.T) {
	form := regexp.MustCompile(`^[0-9A-Za-z]{16}$`)
	for _, prefix := range prefixes {
		for range 200 {
			k := token.New(prefix)
			text := k.Reveal()
			again, err := token.Parse(text)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if again.Reveal() != text || again.Prefix() != prefix || again.ID() != k.ID() || again.Secret() != k.Secret() {
				t.Fatalf("%s comes back as %q, %q, %q", text, again.Prefix(), again.ID(), again.Secret())
			}
			if text != sign(prefix+"_"+k.ID()+k.Secret()) {
				t.Fatalf("%s is not its parts and their checksum", text)
			}
			if len(text) != (token.Recipe{Prefix: prefix}).Length() || !form.MatchString(k.ID()) || len(k.Secret()) != 43 {
				t.Fatalf("%s has the wrong lengths", text)
			}
		}
	}
}

// TestOneCharacter replaces each character by every other byte. None of these may
// pass: a CRC-32 finds every error within 32 successive bits, and a checksum has
// one spelling.
func TestOneCharacter(t *testing.T) {
	texts := []string{token.New("sk_live").Reveal(), token.New("a").Reveal(), token.New(strings.Repeat("p", 32)).Reveal()}
	for _, v := range vectors {
		texts = append(texts, v.prefix+"_"+v.id+v.secret+v.checksum)
	}
	for _, text := range texts {
		if _, err := token.Parse(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		changed := []byte(text)
		for i := range changed {
			for c := range 256 {
				if byte(c) == text[i] {
					continue
				}
				changed[i] = byte(c)
				mustRefuse(t, string(changed), "")
			}
			changed[i] = text[i]
		}
	}
}

// mustRefuse parses what is no token: the error must wrap ErrMalformed, name the
// problem, and repeat nothing of the text.
func mustRefuse(t *testing.T, text, problem string) {
	t.Helper()
	k, err := token.Parse(text)
	if !errors.Is(err, token.ErrMalformed) {
		t.Errorf("Parse(%q) is %v, %v", text, k, err)
		return
	}
	if k.Reveal() != "" || k.ID() != "" || k.Prefix() != "" || k.Secret() != "" {
		t.Errorf("Parse(%q) returns a token with its error", text)
	}
	if !strings.Contains(err.Error(), problem) {
		t.Errorf("Parse(%q): %q does not say %q", text, err, problem)
	}
	for i := 0; i+12 <= len(text); i++ {
		if strings.Contains(err.Error(), text[i:i+12]) {
			t.Errorf("Parse(%q) repeats it: %q", text, err)
			break
		}
	}
}

func TestRefused(t *testing.T) {
	good := token.New("sk_live").Reveal()
	body := strings.Repeat("x", 59)
	swapped := []byte(good)
	swapped[20], swapped[21] = 'a', 'b'
	swapped = []byte(sign(string(swapped[:len(swapped)-6])))
	swapped[20], swapped[21] = swapped[21], swapped[20]

	for _, c := range []struct{ text, problem string }{
		{"", "empty"},
		{" ", "white space"},
		{good + " ", "white space"},
		{good + "\n", "white space"},
		{" " + good, "white space"},
		{"\t" + good, "white space"},
		{good + "\r\n", "white space"},
		{good[:20] + " " + good[20:], "white space"},
		{good + "\u00a0", "white space"},
		{"\u2003" + good, "white space"},
		{good + "\u2028", "white space"},
		{"\ufeff" + good, "a character other than"},
		{good + "\x00", "a character other than"},
		{good + "\u200b", "a character other than"},
		{strings.Replace(good, "_", "\u2017", 1), "a character other than"},
		{good[:30] + "\u00e9" + good[32:], "a character other than"},
		{good[:30] + "\uff21" + good[33:], "a character other than"},
		{good[:30] + "\xff" + good[31:], "a character other than"},
		{good[:30] + "\xc3\x28" + good[32:], "a character other than"},
		{sign("sk_live_" + body[:58] + "-"), "a character other than"},
		{sign("sk_live_" + body[:58] + "+"), "a character other than"},
		{sign("sk_live_" + body[:58] + "\x80"), "a character other than"},
		{sign("sk_live_" + body[:57] + "\u00e9"), "a character other than"},
		{sign("sk-live_" + body), "a character other than"},
		{sign("sk live_" + body), "white space"},
		{"Bearer " + good, "white space"},
		{good[:len(good)-1], "the last _ is not where it belongs"},
		{good + "0", "the last _ is not where it belongs"},
		{good + good, "characters; a keyed token has 67 to 98"},
		{"sk_live", "has 7 characters; a keyed token has 67 to 98"},
		{"sk_live_", "has 8 characters"},
		{good[8:], "has 65 characters"},
		{good[7:], "has 66 characters"},
		{sign(body), "has 65 characters"},
		{sign("_" + body), "has 66 characters"},
		{strings.Repeat("a", 1<<20), "has 1048576 characters"},
		{sign(strings.Repeat("p", 33) + "_" + body), "has 99 characters"},
		{sign("sk_live" + "x" + body), "the last _ is not where it belongs"},
		{sign("sk_live_" + body[:57] + "_x"), "the last _ is not where it belongs"},
		{sign("sk_live_" + "_" + body[1:]), "the last _ is not where it belongs"},
		{sign("SK_live_" + body), "the prefix is not possible"},
		{sign("1k_" + body), "the prefix is not possible"},
		{sign("_k_" + body), "the prefix is not possible"},
		{sign("sk__" + body), "the prefix is not possible"},
		{sign("__" + body), "the prefix is not possible"},
		{strings.ToUpper(good), "the prefix is not possible"},
		{strings.ToLower(good[:len(good)-6]) + "zzzzzz", "the checksum does not match"},
		{good[:len(good)-6] + "000000", "the checksum does not match"},
		{"kk_live" + good[7:], "the checksum does not match"},
		{string(swapped), "the checksum does not match"},
	} {
		mustRefuse(t, c.text, c.problem)
	}
}

// TestSpellings takes the one checksum that each of the numbers above 2^32 would
// stand for, if a parser computed modulo 2^32, and the shorter spellings of a small
// one.
func TestSpellings(t *testing.T) {
	for _, v := range vectors {
		body := v.prefix + "_" + v.id + v.secret
		sum := uint64(crc32.ChecksumIEEE([]byte(body)))
		for n := sum + 1<<32; n < 62*62*62*62*62*62; n += 1 << 32 {
			text := ""
			for m := n; len(text) < 6; m /= 62 {
				text = base62[m%62:][:1] + text
			}
			mustRefuse(t, body+text, "checksum")
		}
		if v.checksum[0] == '0' {
			mustRefuse(t, body+strings.TrimLeft(v.checksum, "0"), "")
		}
		mustRefuse(t, body+"0"+v.checksum, "")
	}
}

// TestForeignPrefix: anybody can write another prefix and correct the checksum.
// The parser accepts it, as another prefix's token; to refuse it is up to who
// compares the prefix with the stored one.
func TestForeignPrefix(t *testing.T) {
	k := token.New("sk_test")
	forged, err := token.Parse(sign("sk_live_" + k.ID() + k.Secret()))
	if err != nil {
		t.Fatal(err)
	}
	if forged.Prefix() != "sk_live" || forged.ID() != k.ID() || token.Equal(forged.Prefix(), k.Prefix()) {
		t.Errorf("the forged token has prefix %q and id %s", forged.Prefix(), forged.ID())
	}
}

func TestCheckPrefix(t *testing.T) {
	for _, p := range prefixes {
		if err := token.CheckPrefix(p); err != nil {
			t.Errorf("CheckPrefix(%q): %v", p, err)
		}
	}
	for _, c := range []struct{ prefix, problem string }{
		{"", "it is empty; 1 to 32 characters are allowed"},
		{strings.Repeat("p", 33), "it has 33 characters; 1 to 32 are allowed"},
		{strings.Repeat("p", 1<<20), "it has 1048576 characters"},
		{"Sk", `it holds 'S'; only a-z, 0-9 and _ are allowed`},
		{"sK", `it holds 'K'`},
		{"sk live", `it holds ' '`},
		{" sk", `it holds ' '`},
		{"sk\n", `it holds '\n'`},
		{"sk\x1b[31m", `it holds '\x1b'`},
		{"sk\u2028", `it holds '\u2028'`},
		{"sk\xff", `it holds '` + "\ufffd" + `'`},
		{"sk-live", `it holds '-'`},
		{"sk.live", `it holds '.'`},
		{"\u00e9cole", "it holds '\u00e9'"},
		{"_sk", `it begins with '_'; a letter must be first`},
		{"1sk", `it begins with '1'; a letter must be first`},
		{"_", `it begins with '_'`},
		{"sk_", "it ends in _; a letter or digit must be last"},
		{token.New("sk").Reveal(), "it holds '"},
	} {
		err := token.CheckPrefix(c.prefix)
		if !errors.Is(err, token.ErrPrefix) || !strings.Contains(err.Error(), c.problem) {
			t.Errorf("CheckPrefix(%.40q) is %v; want one that says %q", c.prefix, err, c.problem)
			continue
		}
		if len(c.prefix) > 3 && strings.Contains(err.Error(), c.prefix) {
			t.Errorf("CheckPrefix(%.40q) repeats it: %v", c.prefix, err)
		}
		for name, f := range map[string]func(){
			"New":     func() { token.New(c.prefix) },
			"Pattern": func() { token.Pattern(c.prefix) },
		} {
			if got, _ := panicOf(f).(string); !strings.HasPrefix(got, "token: "+name+": ") || !strings.Contains(got, c.problem) {
				t.Errorf("%s(%.40q) panics with %q", name, c.prefix, got)
			}
		}
	}
}

// TestEveryPrefixOfThree compares CheckPrefix with its rule, as an expression, on
// all prefixes of up to three of the characters that matter.
func TestEveryPrefixOfThree(t *testing.T) {
	rule := regexp.MustCompile(`\A[a-z]([a-z0-9_]*[a-z0-9])?\z`)
	chars := []string{"", "\x00", " ", "-", "/", "0", "9", ":", "@", "A", "Z", "[", "^", "_", "`", "a", "z", "{", "\x7f", "\x80", "\u00e9"}
	for _, a := range chars {
		for _, b := range chars {
			for _, c := range chars {
				p := a + b + c
				if got, want := token.CheckPrefix(p) == nil, rule.MatchString(p); got != want {
					t.Errorf("CheckPrefix(%q) accepts: %v; want %v", p, got, want)
				}
			}
		}
	}
}

func panicOf(f func()) (r any) {
	defer func() { r = recover() }()
	f()
	return nil
}

func TestID(t *testing.T) {
	seen := map[string]bool{}
	for range 10_000 { // two alike: once in 10^21
		id := token.NewID()
		if err := token.CheckID(id); err != nil || seen[id] {
			t.Fatalf("NewID is %q: %v, seen before: %v", id, err, seen[id])
		}
		seen[id] = true
	}
	good := token.NewID()
	for _, bad := range []string{
		"", good[1:], good + "0", good[1:] + " ", good[1:] + "_", good[1:] + "-", " " + good, good + "\n",
		good[:14] + "\u00e9", strings.Repeat("\xff", 16), token.New("sk").Reveal(), strings.Repeat("0", 1<<20),
	} {
		err := token.CheckID(bad)
		if !errors.Is(err, token.ErrMalformed) {
			t.Errorf("CheckID(%.40q) is %v", bad, err)
		} else if len(bad) > 1 && strings.Contains(err.Error(), bad) {
			t.Errorf("CheckID(%.40q) repeats it: %v", bad, err)
		}
	}
	for c := range 256 {
		if got, want := token.CheckID(good[1:]+string([]byte{byte(c)})) == nil, strings.IndexByte(base62, byte(c)) >= 0; got != want {
			t.Errorf("CheckID accepts the byte %#x: %v; want %v", c, got, want)
		}
	}
}

// FuzzParse proves that there is one spelling: what Parse accepts is what Reveal
// gives back, what its parts and their checksum make, and what the rule as an
// expression matches.
func FuzzParse(f *testing.F) {
	for _, v := range vectors {
		text := v.prefix + "_" + v.id + v.secret + v.checksum
		for _, seed := range []string{text, text + "\n", " " + text, strings.ToUpper(text), text[1:], text[:len(text)-1], text + text} {
			f.Add(seed)
		}
		f.Add(sign("\u00e9_" + v.id + v.secret))
		f.Add(sign("A_" + v.id + v.secret))
		f.Add(sign("a__" + v.id + v.secret))
		f.Add(sign("a_" + v.id[1:] + "-" + v.secret))
		f.Add(v.prefix + "_" + v.id + v.secret + strings.TrimLeft(v.checksum, "0"))
	}
	f.Add("")
	f.Add(strings.Repeat("_", 80))
	f.Add(strings.Repeat("\xff", 80))
	rule := regexp.MustCompile(`\A([a-z](?:[a-z0-9_]{0,30}[a-z0-9])?)_([0-9A-Za-z]{16})([0-9A-Za-z]{43})[0-9A-Za-z]{6}\z`)
	f.Fuzz(func(t *testing.T, text string) {
		k, err := token.Parse(text)
		parts := rule.FindStringSubmatch(text)
		valid := parts != nil && sign(text[:len(text)-6]) == text
		if valid != (err == nil) {
			t.Fatalf("Parse(%q): %v; by the rule it is valid: %v", text, err, valid)
		}
		if err != nil {
			if !errors.Is(err, token.ErrMalformed) {
				t.Fatalf("Parse(%q): %v", text, err)
			}
			if token.Redact(text) != "[REDACTED]" {
				t.Fatalf("Redact(%q) is %q", text, token.Redact(text))
			}
			return
		}
		if k.Reveal() != text || k.Prefix() != parts[1] || k.ID() != parts[2] || k.Secret() != parts[3] {
			t.Fatalf("Parse(%q) is %q, %q, %q, %q", text, k.Reveal(), k.Prefix(), k.ID(), k.Secret())
		}
		if want := fmt.Sprintf("%s_%s[REDACTED]", parts[1], parts[2]); token.Redact(text) != want {
			t.Fatalf("Redact(%q) is %q", text, token.Redact(text))
		}
	})
}

// FuzzSigned is FuzzParse for texts whose checksum is right, which no mutation
// finds by chance.
func FuzzSigned(f *testing.F) {
	for _, v := range vectors {
		f.Add(v.prefix + "_" + v.id + v.secret)
	}
	f.Add("\u00e9_" + strings.Repeat("x", 59))
	f.Add("a__" + strings.Repeat("x", 59))
	f.Add("a_" + strings.Repeat("x", 58) + "_")
	f.Add("A_" + strings.Repeat("x", 59))
	f.Add("a" + strings.Repeat("x", 60))
	rule := regexp.MustCompile(`\A[a-z](?:[a-z0-9_]{0,30}[a-z0-9])?_[0-9A-Za-z]{59}\z`)
	f.Fuzz(func(t *testing.T, body string) {
		text := sign(body)
		k, err := token.Parse(text)
		if valid := rule.MatchString(body); valid != (err == nil) {
			t.Fatalf("Parse(%q): %v; by the rule it is valid: %v", text, err, valid)
		}
		if err == nil && k.Reveal() != text {
			t.Fatalf("Parse(%q).Reveal() is %q", text, k.Reveal())
		}
	})
}
