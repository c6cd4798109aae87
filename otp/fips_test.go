package otp_test

import (
	"crypto/fips140"
	"crypto/hmac"
	"crypto/sha1"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/otp"
)

const fipsChild = "KEYFOB_OTP_FIPS_CHILD"

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
	at := time.Unix(1_700_000_000, 0)
	for _, size := range []int{otp.MinSeed, otp.DefaultSeed, otp.MaxSeed} {
		seed := otp.NewSeedSize(size)
		for _, a := range []otp.Algorithm{otp.SHA1, otp.SHA256, otp.SHA512} {
			want := error(nil)
			if mode == "only" && a == otp.SHA1 {
				want = otp.ErrFIPS
			}
			totp, hotp := otp.TOTP{Algorithm: a}, otp.HOTP{Algorithm: a}
			code, err1 := totp.Generate(seed, at)
			counted, err2 := hotp.Generate(seed, 3)
			if want != nil {
				code, counted = "123456", "123456"
			}
			_, err3 := totp.Verify(seed, code, at, otp.Never())
			_, err4 := hotp.Verify(seed, counted, otp.Never())
			for i, err := range []error{err1, err2, err3, err4} {
				if !errors.Is(err, want) || want == nil && err != nil {
					t.Errorf("%d: %v with a seed of %d bytes: %v; want %v", i, a, size, err, want)
				}
			}
			// What needs no HMAC works.
			key := otp.Key{Account: "alice", Seed: seed, Algorithm: a}
			uri, err := key.URI()
			if err != nil {
				t.Error(err)
			}
			if _, err := otp.ParseURI(uri); err != nil {
				t.Error(err)
			}
		}
	}
	for _, code := range []string{otp.Random(6), otp.Unambiguous(8), otp.Recovery()} {
		if code == "" {
			t.Error("an empty code")
		}
	}
	// What ErrFIPS comes before: the standard library panics.
	panicked := panicOf(func() { hmac.New(sha1.New, make([]byte, 20)) }) != ""
	if panicked != (mode == "only") {
		t.Errorf("crypto/hmac with SHA-1 panics: %v", panicked)
	}
	fmt.Println("looked at fips140=" + mode)
}
