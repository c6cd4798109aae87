package passhash_test

import (
	"context"
	"crypto/fips140"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/passhash"
)

const fipsChild = "KEYFOB_PASSHASH_FIPS_CHILD"

// TestFIPS runs TestFIPSChild in a process of its own for each mode, since the mode is
// fixed when a process starts.
func TestFIPS(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{"off", "on", "only"} {
		c := exec.Command(self, "-test.run=^TestFIPSChild$", "-test.v")
		c.Env = append(os.Environ(), "GODEBUG=fips140="+mode, fipsChild+"="+mode)
		out, err := c.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "looked at fips140="+mode) {
			t.Errorf("fips140=%s: %v\n%s", mode, err, out)
		}
	}
}

func TestFIPSChild(t *testing.T) {
	mode := os.Getenv(fipsChild)
	if mode == "" {
		return // TestFIPS runs it
	}
	only := mode == "only"
	if got := fips140.Enforced(); got != only {
		t.Fatalf("enforced is %v", got)
	}
	ctx := context.Background()
	text, err := passhash.Hash(ctx, "h")
	if err != nil || passhash.Verify(ctx, "h", text) != nil || passhash.NeedsRehash(text) {
		t.Errorf("the default: %s, %v", text, err)
	}
	if got := strings.HasPrefix(text, "$pbkdf2-sha256$i=600000,l=32$"); got != only {
		t.Errorf("the default is %s", text)
	}
	for _, p := range tiny {
		h := &passhash.Hasher{Params: p}
		text, err := h.Hash(ctx, "h")
		if _, approved := p.(passhash.PBKDF2); only && !approved {
			if !errors.Is(err, passhash.ErrFIPS) || text != "" || !errors.Is(h.Check(), passhash.ErrFIPS) {
				t.Errorf("%v: %q, %v", p, text, err)
			}
		} else if err != nil || h.Verify(ctx, "h", text) != nil || h.Check() != nil {
			t.Errorf("%v: %q, %v", p, text, err)
		}
	}
	for _, f := range foreign {
		if strings.Contains(f.hash, "ln=16") {
			continue // it takes a while, and what is in tiny is as good
		}
		err := passhash.Verify(ctx, f.password, f.hash)
		if only && !strings.HasPrefix(f.hash, "$pbkdf2") {
			if !errors.Is(err, passhash.ErrFIPS) || errors.Is(err, passhash.ErrMismatch) {
				t.Errorf("%s: %v", f.from, err)
			}
		} else if err != nil {
			t.Errorf("%s: %v", f.from, err)
		}
	}
	// A salt of 8 bytes, and an output of 12.
	for _, text := range []string{
		"$pbkdf2-sha256$i=1,l=32$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$pbkdf2-sha256$i=1,l=12$c29tZXNhbHRzb21lc2FsdA$nf65EOgLrQMR/uIP",
	} {
		want := passhash.ErrMismatch
		if only {
			want = passhash.ErrFIPS
		}
		if err := passhash.Verify(ctx, "h", text); !errors.Is(err, want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	fmt.Println("looked at fips140=" + mode)
}
