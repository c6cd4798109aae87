package nonce_test

import (
	"crypto/fips140"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/nonce"
	"github.com/keyfob-dev/keyfob/random"
)

const fipsChild = "KEYFOB_NONCE_FIPS_CHILD"

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
	for _, a := range algorithms {
		secret, config := random.Bytes(nonce.KeySize), nonce.KeyConfig{Algorithm: a, Store: new(nonce.Memory)}
		k, err := nonce.CreateKey(secret, config)
		if mode == "only" && a == nonce.XChaCha20Poly1305 {
			_, err2 := nonce.OpenKey(secret, config)
			_, err3 := nonce.OpenOnly(secret, a)
			for _, err := range []error{err, err2, err3} {
				if !errors.Is(err, nonce.ErrFIPS) {
					t.Errorf("%v: %v", a, err)
				}
			}
			if record, _ := config.Store.Load(); record != nil {
				t.Errorf("%q was stored", record)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		sealed := seal(t, k, []byte("message"), "data")
		if k, err = nonce.OpenKey(secret, config); err != nil {
			t.Fatal(err)
		}
		if got, err := k.Open(nil, sealed, []byte("data")); err != nil || string(got) != "message" {
			t.Errorf("%v: %q, %v", a, got, err)
		}
	}
	counter, err := nonce.CreateCounter(nonce.CounterConfig{Store: new(nonce.Memory)})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := counter.Next(); err != nil || len(b) != 12 || len(nonce.Random(24)) != 24 {
		t.Errorf("%x, %v", b, err)
	}
	fmt.Println("looked at fips140=" + mode)
}
