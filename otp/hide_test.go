package otp_test

import (
	"bytes"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/otp"
)

// holders returns a key and its seed as users come to hold them: alone, and inside
// everything that fmt and the encoders walk through.
func holders(k otp.Key) []any {
	s := k.Seed
	type exported struct{ S otp.Seed }
	type unexported struct {
		s otp.Seed
		k otp.Key
	}
	type embedded struct{ otp.Seed }
	type deep struct {
		unexported
		p *otp.Seed
		m map[string]unexported
		i any
	}
	u := unexported{s, k}
	return []any{
		s, &s, k, &k, exported{s}, &exported{s}, u, &u, embedded{s}, &embedded{s}, deep{u, &s, map[string]unexported{"k": u}, s},
		&deep{u, &s, nil, &k}, []otp.Seed{s}, []*otp.Seed{&s}, []otp.Key{k}, [1]unexported{u}, map[string]otp.Key{"k": k},
		map[string]any{"k": u}, []any{s, &s, k, &k}, fmt.Errorf("failed: %v", k), fmt.Errorf("failed: %+v", u),
		func() otp.Seed { return s }, otp.Seed{},
	}
}

// TestHidden prints each holder under every verb with every set of flags, and in every
// encoding, and looks for parts of the seed.
func TestHidden(t *testing.T) {
	k := otp.Key{Issuer: "Acme", Account: "alice", Seed: otp.NewSeed()}
	raw := k.Seed.Bytes()
	var canaries []string
	for _, part := range [][]byte{raw[:6], raw[7:13], raw[14:]} {
		canaries = append(canaries, string(part), hex.EncodeToString(part), strings.ToUpper(hex.EncodeToString(part)), fmt.Sprintf("% x", part),
			fmt.Sprintf("%# X", part), strings.Trim(fmt.Sprint(part), "[]"))
	}
	text := k.Seed.Base32()
	canaries = append(canaries, text[:8], text[8:16], text[24:], fmt.Sprintf("%x", text[:8]))
	look := func(how, out string) {
		t.Helper()
		for _, canary := range canaries {
			if strings.Contains(out, canary) {
				t.Fatalf("%s shows part of the seed: %q", how, out)
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
		flags = append(flags, f)
	}
	flags = append(flags, "200.100", "+-# 0200.100")
	for i, h := range holders(k) {
		for _, verb := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!?\x01\u00e9" {
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

// TestHiddenHasTeeth plants a type that covers String and MarshalText alone. The ways
// in which it leaks are among those that TestHidden goes through.
func TestHiddenHasTeeth(t *testing.T) {
	const secret = "canary-of-nobody"
	v := naive{secret}
	for format, arg := range map[string]any{"%d": v, "%t": v, "%p": v, "%v": struct{ v naive }{v}} {
		if out := fmt.Sprintf(format, arg); !strings.Contains(out, secret) {
			t.Errorf("%s of %T prints %q: the trap that Seed avoids is not there any more", format, arg, out)
		}
	}
}

type naive struct{ text string }

func (naive) String() string               { return "[REDACTED]" }
func (naive) MarshalText() ([]byte, error) { return []byte("[REDACTED]"), nil }

// TestPrints pins what is shown in place of the seed.
func TestPrints(t *testing.T) {
	s := otp.NewSeed()
	const want = "[REDACTED]"
	marshaled, _ := json.Marshal(s)
	for how, got := range map[string]string{
		"String": s.String(), "GoString": s.GoString(), "%v": fmt.Sprintf("%v", s), "%#v": fmt.Sprintf("%#v", s), "%d": fmt.Sprintf("%d", s),
		"%x": fmt.Sprintf("%x", s), "pointer": fmt.Sprint(&s), "LogValue": s.LogValue().String(), "JSON": strings.Trim(string(marshaled), `"`),
		"zero": fmt.Sprint(otp.Seed{}),
	} {
		if got != want {
			t.Errorf("%s is %s; want %s", how, got, want)
		}
	}
	k := otp.Key{Issuer: "Acme", Account: "alice", Seed: s}
	if got := fmt.Sprintf("%+v", k); got != "{Issuer:Acme Account:alice Seed:[REDACTED] Type:totp Algorithm:sha1 Digits:0 Period:0s Counter:0}" {
		t.Errorf("a Key prints as %s", got)
	}
}
