package token_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/token"
)

// holders returns k as users come to hold it: alone, and inside everything that
// fmt and the encoders walk through.
func holders(k token.Keyed) []any {
	type exported struct{ K token.Keyed }
	type unexported struct{ k token.Keyed }
	type embedded struct{ token.Keyed }
	type deep struct {
		unexported
		p *token.Keyed
		m map[string]unexported
		i any
	}
	return []any{
		k, &k, exported{k}, &exported{k}, unexported{k}, &unexported{k}, embedded{k}, &embedded{k},
		deep{unexported{k}, &k, map[string]unexported{"k": {k}}, k}, &deep{unexported{k}, &k, nil, &k},
		[]token.Keyed{k}, []*token.Keyed{&k}, [1]token.Keyed{k}, [1]unexported{{k}}, map[string]token.Keyed{"k": k},
		map[string]any{"k": unexported{k}}, []any{k, &k}, fmt.Errorf("failed: %v", k), fmt.Errorf("failed: %+v", unexported{k}),
		func() token.Keyed { return k }, token.Keyed{},
	}
}

// TestHidden prints each holder under every verb with every set of flags, and in
// every encoding, and looks for parts of the secret.
func TestHidden(t *testing.T) {
	k := token.New("acme")
	whole := k.Reveal()
	var canaries []string
	for _, part := range []string{k.Secret()[:8], k.Secret()[20:28], whole[len(whole)-8:]} {
		canaries = append(canaries, part, fmt.Sprintf("%x", part), fmt.Sprintf("%X", part), fmt.Sprintf("% x", part),
			fmt.Sprintf("%# X", part), strings.Trim(fmt.Sprint([]byte(part)), "[]"))
	}
	look := func(how, out string) {
		t.Helper()
		for _, canary := range canaries {
			if strings.Contains(out, canary) {
				t.Fatalf("%s shows part of the secret: %s", how, out)
			}
		}
	}
	var flags []string
	for set := range 1 << 5 {
		f := ""
		for i, c := range "+-# 0" {
			if set>>i&1 == 1 {
				f += string(c)
			}
		}
		flags = append(flags, f, f+"200.100")
	}
	for i, h := range holders(k) {
		for verb := rune(1); verb < 0x100; verb++ {
			for _, f := range flags {
				look(fmt.Sprintf("holder %d under %%%s%c", i, f, verb), fmt.Sprintf("%"+f+string(verb), h))
			}
		}
		for _, mistake := range []string{"", "%*d", "%[3]d", "%", "%!", "%v %v"} {
			look("the format "+mistake, fmt.Sprintf(mistake, h))
		}
		look("Sprint", fmt.Sprint(h)+fmt.Sprintln(h))
		lookEncoded(look, h)
	}
}

func lookEncoded(look func(how, out string), h any) {
	if b, err := json.Marshal(h); err == nil {
		look("JSON", string(b))
	}
	if b, err := xml.Marshal(h); err == nil {
		look("XML", string(b))
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(h); err == nil {
		look("gob", b.String())
	}
	b.Reset()
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "h", h, slog.Any("any", h), slog.Group("g", "h", h))
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "h", h, slog.Any("any", h), slog.Group("g", "h", h))
	look("slog", b.String())
}

// TestHiddenHasTeeth plants a type that covers String and MarshalText alone. The
// ways in which it leaks are the ones that TestHidden goes through.
func TestHiddenHasTeeth(t *testing.T) {
	const secret = "canary-of-nobody"
	v := naive{secret}
	for format, arg := range map[string]any{"%d": v, "%t": v, "%p": v, "%v": struct{ v naive }{v}, "%s": struct{ v naive }{v}} {
		if out := fmt.Sprintf(format, arg); !strings.Contains(out, secret) {
			t.Errorf("%s of %T prints %q: the trap that Keyed avoids is not there any more", format, arg, out)
		}
	}
}

type naive struct{ text string }

func (naive) String() string               { return "[REDACTED]" }
func (naive) MarshalText() ([]byte, error) { return []byte("[REDACTED]"), nil }

// TestPrints pins what is shown in place of the secret.
func TestPrints(t *testing.T) {
	v := vectors[1]
	k, err := token.Parse(v.prefix + "_" + v.id + v.secret + v.checksum)
	if err != nil {
		t.Fatal(err)
	}
	const want = "acme_live_0123456789ABCDEF[REDACTED]"
	marshaled, _ := json.Marshal(k)
	for how, got := range map[string]string{
		"String": k.String(), "GoString": k.GoString(), "%v": fmt.Sprintf("%v", k), "%#v": fmt.Sprintf("%#v", k),
		"%d": fmt.Sprintf("%d", k), "%q": fmt.Sprintf("%q", k), "pointer": fmt.Sprint(&k), "LogValue": k.LogValue().String(),
		"JSON": strings.Trim(string(marshaled), `"`), "Redact": token.Redact(k.Reveal()),
	} {
		if got != want {
			t.Errorf("%s is %s; want %s", how, got, want)
		}
	}
	var zero token.Keyed
	if got := fmt.Sprint(zero) + zero.Reveal() + zero.Secret() + zero.ID() + zero.Prefix(); got != "[REDACTED]" {
		t.Errorf("the zero Keyed prints as %q", got)
	}
}

func TestRedact(t *testing.T) {
	text := token.New("sk_live").Reveal()
	for _, s := range []string{
		"", "hunter2", token.Random(), text + " ", text[1:], text[:len(text)-1] + "!", text[:20] + "x" + text[20:], text + text,
		strings.ToUpper(text),
	} {
		if got := token.Redact(s); got != "[REDACTED]" {
			t.Errorf("Redact(%q) is %q", s, got)
		}
	}
}

func TestRedactAll(t *testing.T) {
	a, b := token.New("sk_live"), token.New("acme")
	A, B := a.Reveal(), b.Reveal()
	ra, rb := a.String(), b.String()
	typo := A[:40] + "-" + A[41:] // splits the run: what is left of the form is not one
	mistyped := A[:len(A)-1] + other(A[len(A)-1])
	run := strings.Repeat("x", 64)
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"nothing here", "nothing here"},
		{"snake_case and __init__ and a_", "snake_case and __init__ and a_"},
		{A, ra},
		{A + B, "sk_live_" + a.ID() + "[REDACTED]" + rb[4:]},
		{"Authorization: Bearer " + A + "\r\n", "Authorization: Bearer " + ra + "\r\n"},
		{"?key=" + A + "&next=" + B + "#x", "?key=" + ra + "&next=" + rb + "#x"},
		{`{"a":"` + A + `","b":"x\n` + B + `"}`, `{"a":"` + ra + `","b":"x\n` + rb + `"}`},
		{"x" + A + "tail_" + B + "_", "x" + ra + "_" + rb + "_"},
		{mistyped, ra},
		{"\u00e9" + A + "\u00e9\xff", "\u00e9" + ra + "\u00e9\xff"},
		{"_" + run, "_" + run},
		{"_" + run + "x", "_" + run[:16] + "[REDACTED]"},
		{typo, typo},
	} {
		if got := token.RedactAll(c.text); got != c.want {
			t.Errorf("RedactAll(%q)\n is %q\nnot %q", c.text, got, c.want)
		}
	}
}

// other returns another character of the alphabet.
func other(c byte) string {
	if c == 'x' {
		return "y"
	}
	return "x"
}

// FuzzRedactAll: no run that a token's secret could be in is left, nothing but
// such runs is changed, and what is redacted stays as it is.
func FuzzRedactAll(f *testing.F) {
	f.Add("key="+vectors[1].prefix+"_"+vectors[1].id+vectors[1].secret+vectors[1].checksum, "_")
	f.Add("_", "__")
	f.Add("", "\xff_"+strings.Repeat("9", 70))
	secret := regexp.MustCompile(`_[0-9A-Za-z]{65}`)
	run := regexp.MustCompile(`_([0-9A-Za-z]{16})[0-9A-Za-z]{49,}`)
	f.Fuzz(func(t *testing.T, before, after string) {
		text := before + "_" + strings.Repeat("aZ0", 22) + after
		got := token.RedactAll(text)
		if secret.MatchString(got) {
			t.Fatalf("RedactAll(%q) leaves a secret: %q", text, got)
		}
		if want := run.ReplaceAllString(text, "_$1[REDACTED]"); got != want {
			t.Fatalf("RedactAll(%q)\n is %q\nnot %q", text, got, want)
		}
		if again := token.RedactAll(got); again != got {
			t.Fatalf("RedactAll of %q is %q", got, again)
		}
	})
}

// TestPattern matches real tokens where scanners find them, and nothing else.
func TestPattern(t *testing.T) {
	for _, prefix := range prefixes {
		pattern := regexp.MustCompile(token.Pattern(prefix))
		for range 20 {
			text := token.New(prefix).Reveal()
			for _, around := range []string{
				"%s", "KEY=%s\n", `{"key":"%s"}`, `"a\n%s\n"`, "https://x.example/?k=%s&b=c", "<b>%s</b>", "export K='%s';",
				"%s\n%s", "%[1]s.%[1]s", "x%sx",
			} {
				for _, found := range pattern.FindAllString(strings.ReplaceAll(around, "%s", text), -1) {
					if found != text && !strings.Contains(around, "%[1]s") {
						t.Errorf("%s finds %s in %s for %s", pattern, found, around, text)
					}
				}
				if !pattern.MatchString(strings.ReplaceAll(around, "%s", text)) && !strings.Contains(around, "%[1]s") {
					t.Errorf("%s does not find %s in %s", pattern, text, around)
				}
			}
		}
		for _, no := range []string{
			"", prefix, prefix + "_", prefix + "_" + strings.Repeat("x", 64), strings.ToUpper(prefix) + "_" + strings.Repeat("x", 65),
			prefix + strings.Repeat("x", 66), prefix + "_" + strings.Repeat("x", 32) + "-" + strings.Repeat("x", 40),
		} {
			if pattern.MatchString(no) {
				t.Errorf("%s matches %s", pattern, no)
			}
		}
	}
	// A prefix that ends another one finds that one's tokens, and Parse refuses them.
	text := token.New("sk_live").Reveal()
	found := regexp.MustCompile(token.Pattern("live")).FindString(text)
	if _, err := token.Parse(found); found == "" || err == nil {
		t.Errorf("in a token of sk_live, the pattern of live finds %q, which parses: %v", found, err)
	}
}
