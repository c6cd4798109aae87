package keyfob_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob"
)

const plain = "plaintext-canary-7Qz"

// holders returns the value as users come to hold it: alone, and inside
// everything that fmt and the encoders walk through.
func holders[T any](v T) []any {
	type exported struct{ S T }
	type unexported struct{ s T }
	type embedded struct {
		exported
		p *T
	}
	return []any{
		v, &v, []T{v}, [1]T{v}, map[string]T{"k": v}, exported{v}, &exported{v}, unexported{v}, &unexported{v},
		embedded{exported{v}, &v}, []any{v}, map[string]any{"k": unexported{v}}, fmt.Errorf("x: %v", v),
		struct{ in any }{v}, func() any { return v }(),
	}
}

// checkHidden prints every holder in every way and looks for the canaries.
func checkHidden(t *testing.T, holders []any, canaries ...string) {
	t.Helper()
	var shown []string
	for _, c := range canaries {
		shown = append(shown, c, fmt.Sprintf("%x", c), fmt.Sprintf("%X", c))
	}
	leak := func(out, how string, args ...any) {
		if slices.ContainsFunc(shown, func(c string) bool { return strings.Contains(out, c) }) {
			t.Errorf("%s shows the plaintext: %s", fmt.Sprintf(how, args...), out)
		}
	}
	for i, h := range holders {
		for verb := ' '; verb <= '~'; verb++ {
			for _, flags := range []string{"", "+", "-", "#", " ", "0", "+#", "# ", "40", ".3", "+40.3", "#+ -040.5"} {
				leak(fmt.Sprintf("%"+flags+string(verb), h), "holder %d under %%%s%c", i, flags, verb)
			}
		}
		leak(fmt.Sprint(h)+fmt.Sprintln(h), "holder %d under Sprint", i)
		if b, err := json.Marshal(h); err == nil {
			leak(string(b), "holder %d in JSON", i)
		}
		if b, err := xml.Marshal(h); err == nil {
			leak(string(b), "holder %d in XML", i)
		}
		var buf bytes.Buffer
		if err := gob.NewEncoder(&buf).Encode(h); err == nil {
			leak(buf.String(), "holder %d in gob", i)
		}
		buf.Reset()
		for _, handler := range []slog.Handler{slog.NewTextHandler(&buf, nil), slog.NewJSONHandler(&buf, nil)} {
			slog.New(handler).Info("m", "k", h, slog.Group("g", "k", h))
		}
		leak(buf.String(), "holder %d in slog", i)
	}
}

func TestSecretIsHidden(t *testing.T) {
	s := keyfob.NewSecret(plain)
	checkHidden(t, holders(s), plain)
	checkHidden(t, holders(keyfob.Issued{Secret: s}), plain)
	if got := s.Reveal(); got != plain {
		t.Errorf("Reveal() = %q", got)
	}
	if got := (keyfob.Secret{}).Reveal(); got != "" {
		t.Errorf("the zero Secret reveals %q", got)
	}
	for _, got := range []string{fmt.Sprint(s), s.String(), s.GoString(), fmt.Sprintf("%d", s), s.LogValue().String()} {
		if got != "[REDACTED]" {
			t.Errorf("printed as %q", got)
		}
	}
	if b, _ := json.Marshal(map[string]any{"s": s}); string(b) != `{"s":"[REDACTED]"}` {
		t.Errorf("JSON %s", b)
	}
}

// The checker itself must see what a weaker Secret gives away.
func TestCheckHiddenSeesLeaks(t *testing.T) {
	for name, h := range map[string][]any{
		"a plain string": holders(plain),
		"String alone":   holders(stringOnly{plain}),
		"Formatter over a field: an enclosing struct": holders(formatterOverField{plain}),
	} {
		if !leaks(h) {
			t.Errorf("%s was not caught", name)
		}
	}
}

type stringOnly struct{ s string }

func (stringOnly) String() string               { return "[REDACTED]" }
func (stringOnly) MarshalText() ([]byte, error) { return []byte("[REDACTED]"), nil }

type formatterOverField struct{ s string }

func (formatterOverField) Format(f fmt.State, verb rune) { f.Write([]byte("[REDACTED]")) }

func leaks(hs []any) bool {
	for _, h := range hs {
		if strings.Contains(fmt.Sprintf("%v %d %+v", h, h, h), plain) {
			return true
		}
	}
	return false
}

func TestRootKeyIsHidden(t *testing.T) {
	path := filepath.Join(t.TempDir(), "root.key")
	rk, err := keyfob.CreateRootKey(path)
	if err != nil {
		t.Fatal(err)
	}
	text := readFile(t, path)
	_, encoded, _ := strings.Cut(strings.TrimSpace(text), ":")
	checkHidden(t, holders(rk), encoded, string(decode64(t, encoded)))
	checkHidden(t, []any{keyfob.Config{RootKey: rk}, &keyfob.Config{RootKey: rk}}, encoded, string(decode64(t, encoded)))
}
