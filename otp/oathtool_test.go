package otp_test

import (
	"errors"
	"fmt"
	"math"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/internal/needs"
	"github.com/keyfob-dev/keyfob/otp"
)

// oathtool runs oathtool with a seed in base32 on its standard input, so that it is in
// no list of processes, and returns the lines that it prints.
func oathtool(t *testing.T, path string, seed otp.Seed, args ...string) ([]string, error) {
	t.Helper()
	c := exec.Command(path, append(args, "--base32", "-")...)
	c.Stdin = strings.NewReader(seed.Base32() + "\n")
	out, err := c.Output()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return strings.Fields(string(out)), err
}

var oathModes = [...]string{"SHA1", "SHA256", "SHA512"}

// TestOathtoolTOTP: each makes codes, and the other accepts them.
func TestOathtoolTOTP(t *testing.T) {
	path := needs.Binary(t, "oathtool", "oathtool")
	for a, mode := range oathModes {
		for _, size := range []int{otp.MinSeed, 20, 21, 32, 64, 65, otp.MaxSeed} {
			seed := otp.NewSeedSize(size)
			digits := 6 + size%3
			period := time.Duration(30+size%2*30) * time.Second
			c := otp.TOTP{Algorithm: otp.Algorithm(a), Digits: digits, Period: period}
			for _, at := range []int64{0, 59, 1_111_111_109, 1_700_000_000, 20_000_000_000} {
				args := []string{
					"--totp=" + mode, "--digits=" + strconv.Itoa(digits), "--time-step-size=" + strconv.Itoa(int(period/time.Second)) + "s",
					"--now=" + time.Unix(at, 0).UTC().Format("2006-01-02 15:04:05 UTC"),
				}
				theirs, err := oathtool(t, path, seed, args...)
				ours := generate(t, c, seed, at)
				if err != nil || len(theirs) != 1 || theirs[0] != ours {
					t.Fatalf("oathtool %v of %d bytes prints %v, %v; this package makes %s", args, size, theirs, err, ours)
				}
				if step, err := c.Verify(seed, theirs[0], time.Unix(at, 0), otp.Never()); err != nil || step < uint64(at/int64(period/time.Second)) {
					t.Errorf("oathtool's code is matched with %d, %v", step, err)
				}
			}
		}
	}
}

// TestOathtoolVerifies: oathtool accepts our code, and no other.
func TestOathtoolVerifies(t *testing.T) {
	path := needs.Binary(t, "oathtool", "oathtool")
	c := otp.TOTP{}
	const at = 1_700_000_010
	seed := distinct(t, c, at-300, at+300, 30)
	for d, want := range map[int64]bool{0: true, 1: true, -1: true, 3: false} {
		verify := exec.Command(path, "--totp", "--window=1", "--now=2023-11-14 22:13:30 UTC", "--base32", "-", generate(t, c, seed, at+30*d))
		verify.Stdin = strings.NewReader(seed.Base32() + "\n")
		out, err := verify.CombinedOutput()
		if (err == nil) != want {
			t.Errorf("oathtool on the code of step %+d: %v, %s", d, err, out)
		}
	}
}

func TestOathtoolHOTP(t *testing.T) {
	path := needs.Binary(t, "oathtool", "oathtool")
	for digits := 6; digits <= 8; digits++ {
		seed := otp.NewSeed()
		h := otp.HOTP{Digits: digits, Window: 100}
		for _, counter := range []uint64{0, 1, 255, 1 << 32, math.MaxInt64 - 100} {
			args := []string{"--hotp", "--digits=" + strconv.Itoa(digits), "--counter=" + strconv.FormatUint(counter, 10), "--window=20"}
			theirs, err := oathtool(t, path, seed, args...)
			if err != nil || len(theirs) != 21 {
				t.Fatalf("oathtool %v prints %v, %v", args, theirs, err)
			}
			last := otp.Never()
			if counter > 0 {
				last = otp.After(counter - 1)
			}
			for i, code := range theirs {
				n := counter + uint64(i)
				if ours, err := h.Generate(seed, n); err != nil || ours != code {
					t.Fatalf("counter %d: oathtool prints %s; this package makes %s, %v", n, code, ours, err)
				}
				matched, err := h.Verify(seed, code, last)
				if err != nil || matched > n {
					t.Errorf("counter %d: oathtool's code is matched with %d, %v", n, matched, err)
				}
				last = otp.After(n)
			}
		}
	}
}

// TestOathtoolSeeds: oathtool reads our base32, and prints the same of its own.
func TestOathtoolSeeds(t *testing.T) {
	path := needs.Binary(t, "oathtool", "oathtool")
	for size := otp.MinSeed; size <= otp.MaxSeed; size += 7 {
		seed := otp.NewSeedSize(size)
		c := exec.Command(path, "--verbose", "--hotp", "-")
		c.Stdin = strings.NewReader(fmt.Sprintf("%x\n", seed.Bytes()))
		out, err := c.Output()
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(out), "Base32 secret: ")
		theirs, _, _ := strings.Cut(rest, "\n")
		if strings.TrimRight(theirs, "=") != seed.Base32() { // oathtool pads
			t.Errorf("oathtool spells %d bytes %s; this package %s", size, theirs, seed.Base32())
		}
		if back, err := otp.ParseSeed(strings.TrimRight(theirs, "=")); err != nil || !back.Equal(seed) {
			t.Errorf("oathtool's %s: %v", theirs, err)
		}
	}
}
