package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/keyfob-dev/keyfob/token"
)

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"alice": "alice", "Zoë 猫 🔑": "Zoë 猫 🔑", "": "",
		"a\x1b[31mred": `a\u001b[31mred`, "a\nb\r\tc": `a\u000ab\u000d\u0009c`, "\x00\x7f": `\u0000\u007f`,
		"\u009b31m": `\u009b31m`, "a\u202eb": `a\u202eb`, "a\u2028b\u2029": `a\u2028b\u2029`, "\u2066x": `\u2066x`,
		"a\xffb": `a\xffb`, "\uFFFD": "\uFFFD", "\U000e0041": `\U000e0041`, "\ufeff": `\ufeff`, "\u200d": `\u200d`,
	} {
		if got := printable(text); got != want {
			t.Errorf("printable(%+q) = %+q, want %+q", text, got, want)
		}
	}
}

// Whatever a server writes, what reaches the terminal drives nothing, and JSON
// stays the same to whoever reads it.
func FuzzPrintable(f *testing.F) {
	for _, seed := range []string{"alice", "\x1b]0;x\a", "\u009b31m", "a\u202eb", "\xff\xfe", "\U000e0041", "猫", "\u2028", "\x7f"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, r := range printable(text) {
			if !unicode.IsPrint(r) {
				t.Fatalf("printable(%+q) has %U", text, r)
			}
		}
		encoded, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		safe := jsonSafe(encoded)
		for _, r := range safe {
			if !unicode.IsPrint(r) {
				t.Fatalf("jsonSafe(%s) has %U", encoded, r)
			}
		}
		var before, after string
		if err := json.Unmarshal(encoded, &before); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(safe), &after); err != nil || before != after {
			t.Fatalf("jsonSafe changed %+q to %+q: %v", before, after, err)
		}
	})
}

func TestRefuseSecrets(t *testing.T) {
	secret := token.New("acme_live").Reveal()
	for _, args := range [][]string{
		{secret}, {"apikey", "verify", secret}, {"--subject=" + secret}, {"x" + secret + "y"}, {"a b " + secret}, {"[" + secret + "]"},
		{secret[:30] + "!" + secret}, {mistype(secret)}, {"https://example.com/" + secret}, {"--attribute", "token=" + secret},
		{"keyfob-root-1:ykV0YzrSnnBnHFgFpYJHSG3VuTdtW9x3mQX0YcZ3ooI="},
	} {
		err := refuseSecrets(args)
		f, ok := errors.AsType[*failure](err)
		if !ok || f.code != exitWrong {
			t.Errorf("%d arguments with a secret: %v", len(args), err)
			continue
		}
		if strings.Contains(f.text, secret[20:40]) || strings.Contains(f.text, "ykV0") {
			t.Errorf("the refusal repeats the secret: %s", f.text)
		}
	}
	for _, args := range [][]string{
		nil, {""}, {"apikey", "verify"}, {"--subject", strings.Repeat("a", 300)}, {"--attribute=commit=" + strings.Repeat("0123456789abcdef", 4)},
		{"--root-key-file", "/etc/keyfob-root-key"}, {"show", secret[len("acme_live_"):][:16]}, {"acme_live_7Gq2mZr0TkXb4yVd"},
	} {
		if err := refuseSecrets(args); err != nil {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// mistype changes the last character, so that the checksum is wrong.
func mistype(secret string) string {
	last := "0"
	if strings.HasSuffix(secret, last) {
		last = "1"
	}
	return secret[:len(secret)-1] + last
}

// A message that a secret has strayed into is printed without it.
func TestNoteRedacts(t *testing.T) {
	secret := token.New("acme_live").Reveal()
	path := filepath.Join(t.TempDir(), "stderr")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	u := &ui{stderr: f}
	if code := u.report(wrong("is it %s? \x1b[2J", secret)); code != exitWrong {
		t.Errorf("exit code %d", code)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := `keyfob: is it ` + token.Redact(secret) + `? \u001b[2J` + "\n"
	if string(got) != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}

func TestIsWord(t *testing.T) {
	for text, want := range map[string]bool{
		"tokne": true, "dry-run": true, "": false, "Token": false, "a b": false, "x1": false, "\x1b": false,
		strings.Repeat("a", 21): false, token.Random(): false,
	} {
		if isWord(text) != want {
			t.Errorf("isWord(%q) = %v", text, !want)
		}
	}
}
