package otp_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/otp"
	"github.com/keyfob-dev/keyfob/random"
)

const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

func parseSeed(t testing.TB, text string) otp.Seed {
	t.Helper()
	s, err := otp.ParseSeed(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// equal compares keys, which == cannot.
func equal(a, b otp.Key) bool {
	sameSeed := a.Seed.Equal(b.Seed)
	a.Seed, b.Seed = otp.Seed{}, otp.Seed{}
	return sameSeed && fmt.Sprintf("%#v", a) == fmt.Sprintf("%#v", b)
}

func TestURI(t *testing.T) {
	seed := parseSeed(t, secret)
	for _, c := range []struct {
		key  otp.Key
		want string
	}{
		{otp.Key{Issuer: "Acme", Account: "alice@example.com"},
			"totp/Acme:alice@example.com?secret=" + secret + "&issuer=Acme&algorithm=SHA1&digits=6&period=30"},
		{otp.Key{Account: "alice"},
			"totp/alice?secret=" + secret + "&algorithm=SHA1&digits=6&period=30"},
		{otp.Key{Issuer: "Big Corp, Inc. & Sons", Account: "alice+tag smith"},
			"totp/Big%20Corp%2C%20Inc.%20%26%20Sons:alice%2Btag%20smith?secret=" + secret +
				"&issuer=Big%20Corp%2C%20Inc.%20%26%20Sons&algorithm=SHA1&digits=6&period=30"},
		{otp.Key{Issuer: "50%/?#=", Account: "a%3Ab", Algorithm: otp.SHA512, Digits: 8, Period: time.Minute},
			"totp/50%25%2F%3F%23%3D:a%253Ab?secret=" + secret + "&issuer=50%25%2F%3F%23%3D&algorithm=SHA512&digits=8&period=60"},
		{otp.Key{Issuer: "Müller", Account: "\u65e5\u672c", Type: otp.TypeHOTP, Algorithm: otp.SHA256, Digits: 7, Counter: math.MaxUint64},
			"hotp/M%C3%BCller:%E6%97%A5%E6%9C%AC?secret=" + secret + "&issuer=M%C3%BCller&algorithm=SHA256&digits=7&counter=18446744073709551615"},
		{otp.Key{Issuer: "A", Account: "b", Type: otp.TypeHOTP}, "hotp/A:b?secret=" + secret + "&issuer=A&algorithm=SHA1&digits=6&counter=0"},
	} {
		c.key.Seed = seed
		got, err := c.key.URI()
		if err != nil || got != "otpauth://"+c.want {
			t.Errorf("%+v:\n%s, %v; want\n%s", c.key, got, err, "otpauth://"+c.want)
			continue
		}
		back, err := otp.ParseURI(got)
		want := c.key
		if want.Digits == 0 {
			want.Digits = 6
		}
		if want.Period == 0 && want.Type == otp.TypeTOTP {
			want.Period = 30 * time.Second
		}
		if err != nil || !equal(back, want) {
			t.Errorf("%s:\n%+v, %v; want\n%+v", got, back, err, want)
		}
		// net/url, an independent reader, finds the same names.
		u, err := url.Parse(got)
		label := want.Account
		if want.Issuer != "" {
			label = want.Issuer + ":" + label
		}
		if err != nil || u.Path != "/"+label || u.Query().Get("issuer") != want.Issuer || u.Query().Get("secret") != secret {
			t.Errorf("net/url reads %s as %v, %v", got, u, err)
		}
	}
}

// TestURIProperty: what a key says, its URI says.
func TestURIProperty(t *testing.T) {
	r := rand.New(random.Source{})
	runes := []rune("aZ09 -._~@+%&=?#/\\\"'<>()[]{}|^`!$*,;\u00e9\u00df\u65e5\u0661\uff11\u0301\u2764\U0001f511\ufffd")
	name := func(most int) string {
		var b strings.Builder
		for range 1 + r.IntN(40) {
			c := runes[r.IntN(len(runes))]
			if b.Len()+len(string(c)) > most {
				break
			}
			b.WriteRune(c)
		}
		if s := strings.TrimSpace(b.String()); s != "" {
			return s
		}
		return "x"
	}
	for range 3000 {
		k := otp.Key{Account: name(otp.MaxAccount), Seed: otp.NewSeedSize(otp.MinSeed + r.IntN(otp.MaxSeed-otp.MinSeed+1)),
			Algorithm: otp.Algorithm(r.IntN(3)), Digits: 6 + r.IntN(3), Type: otp.Type(r.IntN(2))}
		if r.IntN(4) > 0 {
			k.Issuer = name(otp.MaxIssuer)
		}
		if k.Type == otp.TypeTOTP {
			k.Period = time.Duration(1+r.IntN(3600)) * time.Second
		} else {
			k.Counter = r.Uint64() >> r.IntN(64)
		}
		uri, err := k.URI()
		if err != nil {
			t.Fatalf("%+v: %v", k, err)
		}
		back, err := otp.ParseURI(uri)
		if err != nil || !equal(back, k) {
			t.Fatalf("%s:\n%+v, %v; want\n%+v", uri, back, err, k)
		}
	}
	// The longest there is.
	k := otp.Key{Issuer: strings.Repeat("&", otp.MaxIssuer), Account: strings.Repeat("&", otp.MaxAccount), Seed: otp.NewSeedSize(otp.MaxSeed),
		Type: otp.TypeHOTP, Algorithm: otp.SHA512, Digits: 8, Counter: math.MaxUint64}
	uri, err := k.URI()
	if err != nil {
		t.Fatal(err)
	}
	if back, err := otp.ParseURI(uri); err != nil || !equal(back, k) {
		t.Errorf("the longest URI, of %d characters: %v", len(uri), err)
	}
}

// TestParseURIAccepts: what other programs write, in their order and with less.
func TestParseURIAccepts(t *testing.T) {
	alice := otp.Key{Issuer: "Example", Account: "alice@google.com", Digits: 6, Period: 30 * time.Second}
	big := otp.Key{Issuer: "Big Corporation", Account: "alice@bigco.com", Digits: 6, Period: 30 * time.Second}
	for text, want := range map[string]otp.Key{
		"totp/Example:alice@google.com?secret=" + secret + "&issuer=Example":                                   alice,
		"totp/Example:alice@google.com?issuer=Example&secret=" + secret:                                        alice,
		"totp/Example:alice@google.com?secret=" + secret:                                                       alice,
		"totp/alice@google.com?secret=" + secret + "&issuer=Example":                                           alice,
		"totp/Example:alice%40google.com?period=30&digits=6&algorithm=SHA1&issuer=Example&secret=" + secret:    alice,
		"totp/Big%20Corporation%3A%20alice%40bigco.com?secret=" + secret:                                       big,
		"totp/Big%20Corporation%3a%20%20alice%40bigco.com?secret=" + secret + "&issuer=%42ig%20Corporation":    big,
		"totp/Big%20Corporation:alice@bigco.com?secret=" + secret + "&issuer=Big%20Corporation&algorithm=SHA1": big,
		"totp/alice+tag?secret=" + secret:                                                                      {Account: "alice+tag", Digits: 6, Period: 30 * time.Second},
		"hotp/A:b?secret=" + secret + "&counter=0":                                                             {Issuer: "A", Account: "b", Type: otp.TypeHOTP, Digits: 6},
		"totp/A:b?secret=" + secret + "&period=3600&digits=8&algorithm=SHA256":                                 {Issuer: "A", Account: "b", Digits: 8, Period: time.Hour, Algorithm: otp.SHA256},
	} {
		want.Seed = parseSeed(t, secret)
		if k, err := otp.ParseURI("otpauth://" + text); err != nil || !equal(k, want) {
			t.Errorf("%s: %+v, %v", text, k, err)
		}
	}
}

const (
	goodURI = "otpauth://totp/Acme:alice?secret=" + secret + "&issuer=Acme"
	hotpURI = "otpauth://hotp/Acme:alice?secret=" + secret + "&issuer=Acme"

	escape     = "it holds a character that must be percent-encoded"
	aParameter = "a parameter is none of secret, issuer, algorithm, digits, period, counter, in lower case"
	aType      = "the type is none of totp and hotp, in lower case, without a user or port"
	aPeriod    = "the period is not a whole number of seconds, 1 to 3600"
	aCounter   = "the counter is not a whole number below 2^64"
)

// replace returns goodURI with something else in it.
func replace(old, new string) string {
	if !strings.Contains(goodURI, old) {
		panic(old + " is not in the URI")
	}
	return strings.Replace(goodURI, old, new, 1)
}

// refusedURIs gives each URI the problem that is told of.
var refusedURIs = []struct{ text, want string }{
	{"", "it does not begin with otpauth://, in lower case"},
	{"x", "it does not begin with otpauth://, in lower case"},
	{strings.Repeat("x", 1<<20), "it has 1048576 characters; at most 2048 are allowed"},
	{replace("otpauth", "OTPAUTH"), "it does not begin with otpauth://, in lower case"},
	{replace("otpauth", "https"), "it does not begin with otpauth://, in lower case"},
	{replace("otpauth://", "otpauth:"), "it does not begin with otpauth://, in lower case"},
	{" " + goodURI, escape}, {goodURI + " ", escape}, {goodURI + "\n", escape}, {goodURI + "\x00", escape}, {replace("Acme", "Ac me"), escape},
	{replace("Acme", "Acm\u00e9"), escape}, {replace("Acme", "Ac\"me"), escape}, {replace("Acme", "<b>"), escape}, {replace("Acme", "\xff"), escape},
	{goodURI + "#", "it has a fragment"}, {goodURI + "#f", "it has a fragment"},
	{replace("totp", "TOTP"), aType}, {replace("totp", "Totp"), aType}, {replace("totp", "motp"), aType}, {replace("totp", ""), aType},
	{replace("totp", "user@totp"), aType}, {replace("totp", "u:p@totp"), aType}, {replace("totp", "totp:80"), aType}, {replace("totp", "totp:"), aType},
	{"otpauth://totp", "the label is missing: it is otpauth://totp/ISSUER:ACCOUNT?secret=…"},
	{"otpauth://totp?secret=" + secret, "the label is missing: it is otpauth://totp/ISSUER:ACCOUNT?secret=…"},
	{"otpauth://totp/Acme:alice", "the parameters are missing: ?secret=…"},
	{"otpauth://totp/Acme:alice?", "a parameter has no value"},
	{replace("Acme:alice", ""), "wrong name: the account is empty"},
	{replace("Acme:alice", "Acme:"), "wrong name: the account is empty"},
	{replace("Acme:alice", "Acme:%20"), "wrong name: the account is empty"},
	{replace("Acme:alice", ":alice"), "wrong name: the issuer is empty"},
	{replace("Acme:alice", "Acme:a:b"), "wrong name: the account holds a colon, which separates issuer and account"},
	{replace("Acme:alice", "Acme:a%3Ab"), "wrong name: the account holds a colon, which separates issuer and account"},
	{replace("Acme:alice", "Acme/alice"), "the label holds a /, which must be written %2F"},
	{replace("Acme:alice", "/Acme:alice"), "the label holds a /, which must be written %2F"},
	{replace("Acme:alice", "Acme:alice%"), "a % is not followed by two hexadecimal digits"},
	{replace("Acme:alice", "Acme:alice%4"), "a % is not followed by two hexadecimal digits"},
	{replace("Acme:alice", "Acme:%zzalice"), "a % is not followed by two hexadecimal digits"},
	{replace("Acme:alice", "Acme:%+4alice"), "a % is not followed by two hexadecimal digits"},
	{replace("Acme:alice", "Acme:alice%FF"), "wrong name: the account is not valid UTF-8"},
	{replace("Acme:alice", "Acme:alice%ED%A0%80"), "wrong name: the account is not valid UTF-8"},
	{replace("Acme:alice", "Acme:%C0%AEalice"), "wrong name: the account is not valid UTF-8"},
	{replace("Acme:alice", "Acme:alice%20"), "wrong name: the account has a space at an end"},
	{replace("Acme:alice", "Acme%20:alice"), "wrong name: the issuer has a space at an end"},
	{replace("Acme:alice", "%20alice"), "wrong name: the account has a space at an end"},
	{replace("Acme:alice", "Other:alice"), "the label and the parameter name different issuers"},
	{replace("Acme:alice", "acme:alice"), "the label and the parameter name different issuers"},
	{replace("issuer=Acme", "issuer=acme"), "the label and the parameter name different issuers"},
	{replace("issuer=Acme", "issuer="), "wrong name: the issuer is empty"},
	{replace("issuer=Acme", "issuer=A+B"), "the issuer holds a +: a space must be written %20, and a plus %2B"},
	{replace("issuer=Acme", "issuer=A%3AB"), "wrong name: the issuer holds a colon, which separates issuer and account"},
	{replace("issuer=Acme", "issuer=%"), "a % is not followed by two hexadecimal digits"},
	{replace("issuer=Acme", "issuer"), "a parameter has no value"}, {goodURI + "&", "a parameter has no value"}, {goodURI + "&digits", "a parameter has no value"},
	{replace("?", "??"), aParameter}, {replace("?", "?&"), "a parameter has no value"}, {goodURI + "&=", aParameter},
	{goodURI + "&image=x", aParameter}, {goodURI + "&lock=true", aParameter}, {replace("secret", "Secret"), aParameter}, {replace("issuer", "ISSUER"), aParameter},
	{goodURI + "&%64igits=6", aParameter}, {replace("&issuer", ";issuer"), "not a seed: it holds a character other than A-Z and 2-7"},
	{goodURI + "&secret=" + secret, "the parameter secret comes twice"}, {goodURI + "&issuer=Acme", "the parameter issuer comes twice"},
	{goodURI + "&digits=6&digits=6", "the parameter digits comes twice"}, {goodURI + "&algorithm=SHA1&algorithm=SHA1", "the parameter algorithm comes twice"},
	{goodURI + "&period=30&period=60", "the parameter period comes twice"},
	{"otpauth://totp/Acme:alice?issuer=Acme", "the parameter secret is missing"},
	{replace(secret, ""), "not a seed: it is empty"},
	{replace(secret, strings.ToLower(secret)), "not a seed: it holds lower-case letters; base32 is written in upper case"},
	{replace(secret, secret+"="), "not a seed: it is padded; leave the = out"},
	{replace(secret, "JBSWY3DPEHPK3PXP"), "not a seed: it has 10 bytes; 16 to 128 are allowed (128 to 1024 bits)"},
	{replace(secret, "%47"+secret[1:]), "not a seed: it holds a character other than A-Z and 2-7"},
	{goodURI + "&algorithm=sha1", "the algorithm is none of SHA1, SHA256, SHA512, in upper case"},
	{goodURI + "&algorithm=MD5", "the algorithm is none of SHA1, SHA256, SHA512, in upper case"},
	{goodURI + "&algorithm=", "the algorithm is none of SHA1, SHA256, SHA512, in upper case"},
	{goodURI + "&digits=5", "the digits are none of 6, 7 and 8"}, {goodURI + "&digits=9", "the digits are none of 6, 7 and 8"},
	{goodURI + "&digits=06", "the digits are none of 6, 7 and 8"}, {goodURI + "&digits=+6", "the digits are none of 6, 7 and 8"},
	{goodURI + "&digits=", "the digits are none of 6, 7 and 8"}, {goodURI + "&digits=%36", "the digits are none of 6, 7 and 8"},
	{goodURI + "&period=0", aPeriod}, {goodURI + "&period=-30", aPeriod}, {goodURI + "&period=030", aPeriod}, {goodURI + "&period=3601", aPeriod},
	{goodURI + "&period=30s", aPeriod}, {goodURI + "&period=1e1", aPeriod}, {goodURI + "&period=99999999999999999999999", aPeriod}, {goodURI + "&period=", aPeriod},
	{goodURI + "&counter=0", "it is for totp, and has a counter"}, {hotpURI, "it is for hotp, and has no counter"},
	{hotpURI + "&counter=0&period=30", "it is for hotp, and has a period"},
	{hotpURI + "&counter=", aCounter}, {hotpURI + "&counter=-1", aCounter}, {hotpURI + "&counter=00", aCounter}, {hotpURI + "&counter=18446744073709551616", aCounter},
}

func TestParseURIRefuses(t *testing.T) {
	if _, err := otp.ParseURI(goodURI); err != nil {
		t.Fatal(err)
	}
	for _, c := range refusedURIs {
		k, err := otp.ParseURI(c.text)
		if !errors.Is(err, otp.ErrURI) || err.Error() != "not an otpauth URI: "+c.want {
			t.Errorf("%.150s:\n%v; want\n%s", c.text, err, c.want)
		}
		if !equal(k, otp.Key{}) {
			t.Errorf("%.150s gives an error and %+v", c.text, k)
		}
	}
}

// TestNames: the names that a key can have, alone, in a key and in a URI.
func TestNames(t *testing.T) {
	seed := parseSeed(t, secret)
	for name, good := range map[string]bool{
		"a": true, "Acme": true, "ACME Co, Inc.": true, "\u65e5\u672c \u00e9": true, "\u0645\u062b\u0627\u0644": true, "\U0001f511 key": true, "\u2764\ufe0f": true,
		strings.Repeat("x", 100): true, "a'\"<>&%/?#+=\\": true, "\ufffd": true,
		"": false, " ": false, " a": false, "a ": false, "\u00a0a": false, "a:b": false, ":": false, "a\x00b": false, "a\nb": false, "a\tb": false, "a\x7fb": false,
		"a\u0085b": false, "a\u00a0b": false, "a\u2003b": false, "a\u3000b": false, "a\u2028b": false,
		"a\u202eb": false, "a\u202ab": false, "a\u2066b": false, "a\u200fb": false, "a\u061cb": false, // direction
		"a\u200bb": false, "a\u200db": false, "a\u00adb": false, "a\ufeffb": false, "\u3164": false, "a\u115fb": false, "\u2800": false, // invisible
		"a\U000e0041b": false, "a\ue000b": false, "a\uffffb": false, "a\xffb": false, "\xed\xa0\x80": false,
		strings.Repeat("x", 255): false,
	} {
		key := otp.Key{Issuer: name, Account: name, Seed: seed}
		asAccount := otp.Key{Account: name, Seed: seed}
		_, err1 := key.URI()
		_, err2 := asAccount.URI()
		errs := []error{otp.CheckIssuer(name), otp.CheckAccount(name), err1, err2, asAccount.Check()}
		for i, err := range errs {
			if good != (err == nil) || !good && (!errors.Is(err, otp.ErrName) || len(name) > 3 && strings.Contains(err.Error(), name)) {
				t.Errorf("%d: %q: %v", i, name, err)
			}
		}
		uri := "otpauth://totp/x?secret=" + secret + "&issuer=" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
		if _, err := otp.ParseURI(uri); good != (err == nil) {
			t.Errorf("in a URI, the issuer %q: %v", name, err)
		}
	}
	if otp.CheckIssuer(strings.Repeat("x", 101)) == nil || otp.CheckAccount(strings.Repeat("x", 254)) != nil {
		t.Error("an issuer has at most 100 bytes, an account 254")
	}
}

func TestKeyRefuses(t *testing.T) {
	seed := parseSeed(t, secret)
	for _, c := range []struct {
		key  otp.Key
		want error
	}{
		{otp.Key{Account: "a"}, otp.ErrSeed}, {otp.Key{Seed: seed}, otp.ErrName}, {otp.Key{Account: "a", Seed: seed, Type: 2}, otp.ErrConfig},
		{otp.Key{Account: "a", Seed: seed, Digits: 5}, otp.ErrConfig}, {otp.Key{Account: "a", Seed: seed, Algorithm: 3}, otp.ErrConfig},
		{otp.Key{Account: "a", Seed: seed, Period: 1}, otp.ErrConfig}, {otp.Key{Account: "a", Seed: seed, Counter: 1}, otp.ErrConfig},
		{otp.Key{Account: "a", Seed: seed, Type: otp.TypeHOTP, Period: time.Minute}, otp.ErrConfig},
		{otp.Key{Account: "a", Seed: seed, Type: otp.TypeHOTP, Digits: 10}, otp.ErrConfig},
	} {
		if uri, err := c.key.URI(); !errors.Is(err, c.want) || uri != "" {
			t.Errorf("%+v: %q, %v", c.key, uri, err)
		}
	}
	k := otp.Key{Account: "a", Seed: seed, Algorithm: otp.SHA256, Digits: 8, Period: time.Minute}
	totp, err := k.TOTP()
	if err != nil || totp != (otp.TOTP{Algorithm: otp.SHA256, Digits: 8, Period: time.Minute}) {
		t.Errorf("TOTP: %+v, %v", totp, err)
	}
	if _, err := k.HOTP(); !errors.Is(err, otp.ErrConfig) {
		t.Errorf("HOTP of a key for TOTP: %v", err)
	}
	k.Type, k.Period = otp.TypeHOTP, 0
	hotp, err := k.HOTP()
	if err != nil || hotp != (otp.HOTP{Algorithm: otp.SHA256, Digits: 8}) {
		t.Errorf("HOTP: %+v, %v", hotp, err)
	}
	if _, err := k.TOTP(); !errors.Is(err, otp.ErrConfig) {
		t.Errorf("TOTP of a key for HOTP: %v", err)
	}
}

// FuzzParseURI: what is accepted has a URI of its own, which says the same; what is
// refused is not repeated.
func FuzzParseURI(f *testing.F) {
	for _, text := range []string{
		"otpauth://totp/Acme:alice@example.com?secret=" + secret + "&issuer=Acme&algorithm=SHA1&digits=6&period=30",
		"otpauth://hotp/Acme:alice?secret=" + secret + "&counter=18446744073709551615",
		"otpauth://totp/Big%20Co%3A%20a%2Bb?issuer=Big%20Co&secret=" + secret,
		"otpauth://totp/a?secret=" + secret + "&digits=8&algorithm=SHA512", "otpauth://totp/%E2%80%AEa?secret=" + secret,
		"otpauth://u@totp:1/a?secret=" + secret + "#f", "otpauth://totp/a%?secret=&secret=", "OTPAUTH://TOTP/A", "otpauth://", "",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		k, err := otp.ParseURI(text)
		if err != nil {
			if !errors.Is(err, otp.ErrURI) || !equal(k, otp.Key{}) {
				t.Fatalf("%q: %+v, %v", text, k, err)
			}
			if at := strings.Index(text, "secret="); at >= 0 && len(text) >= at+17 && strings.Contains(err.Error(), text[at+7:at+17]) {
				t.Fatalf("the error repeats the secret of %q: %v", text, err)
			}
			return
		}
		uri, err := k.URI()
		if err != nil {
			t.Fatalf("%q is accepted, and cannot be written: %v", text, err)
		}
		again, err := otp.ParseURI(uri)
		if err != nil || !equal(again, k) {
			t.Fatalf("%q is written as %q, which is %+v, %v; not %+v", text, uri, again, err, k)
		}
		if twice, err := again.URI(); err != nil || twice != uri {
			t.Fatalf("%q is written as %q, and then as %q, %v", text, uri, twice, err)
		}
		if u, err := url.Parse(text); err != nil || u.Query().Get("secret") != k.Seed.Base32() || u.Host != k.Type.String() || u.User != nil || u.Fragment != "" {
			t.Fatalf("net/url reads %q otherwise: %v, %v", text, u, err)
		}
	})
}
