package csrf_test

import (
	"crypto/fips140"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/csrf"
)

const fipsChild = "KEYFOB_CSRF_FIPS_CHILD"

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
	if got := fips140.Enforced(); got != (mode == "only") {
		t.Fatalf("enforced is %v", got)
	}
	k := newKey(t, csrf.Config{})
	token := newToken(t, k, "session-1", start)
	if err := k.Check("session-1", token, start); err != nil {
		t.Error(err)
	}
	if err := k.Check("session-2", token, start); err != csrf.ErrMismatch {
		t.Error(err)
	}
	fmt.Println("looked at fips140=" + mode)
}
