package kdf_test

import (
	"crypto/fips140"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/kdf"
)

const fipsChild = "KEYFOB_KDF_FIPS_CHILD"

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
	password, salt := []byte("p"), []byte("0123456789abcdef")
	for _, c := range []struct {
		d        deriver
		salt, n  int
		approved bool
	}{
		{tinyArgon2id, 16, 32, false},
		{tinyScrypt, 16, 32, false},
		{tinyPBKDF2, 16, 14, true},
		{tinyPBKDF2, 15, 32, false},
		{tinyPBKDF2, 16, 13, false},
		{kdf.PBKDF2{Hash: kdf.SHA512, Iterations: 1000}, 16, 64, true},
	} {
		key, err := c.d.Key(password, salt[:c.salt], c.n)
		if mode == "only" && !c.approved {
			if !errors.Is(err, kdf.ErrFIPS) || key != nil {
				t.Errorf("%+v: %v", c.d, err)
			}
		} else if err != nil || len(key) != c.n {
			t.Errorf("%+v: %v", c.d, err)
		}
		// Parameters are judged as ever.
		if _, err := c.d.Key(nil, salt, 32); !errors.Is(err, kdf.ErrSecret) {
			t.Errorf("%+v: %v", c.d, err)
		}
	}
	if key, err := kdf.HKDF(salt, nil, "label", 32); err != nil || len(key) != 32 {
		t.Errorf("HKDF: %v", err)
	}
	fmt.Println("looked at fips140=" + mode)
}
