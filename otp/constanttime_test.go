package otp_test

import (
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/otp"
)

// TestConstantTime verifies one code many times in each subtest: the seed is always the
// same, and so is all but where the code matches. Run one of them under a program
// that counts instructions, such as valgrind or perf stat, and compare the counts, less
// that of "nothing". They differ by less than one percent, which is the runtime's
// and the test's own; an early exit would save a third or more.
//
//	go test -c ./otp
//	GOMAXPROCS=1 GOGC=off valgrind --tool=lackey --basic-counts=yes ./otp.test -test.run='^TestConstantTime$/^wrong_first_digit$'
//
// TestSearch shows without any program that every code of the window is computed.
func TestConstantTime(t *testing.T) {
	seed := parseSeed(t, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
	at := time.Unix(1_700_000_010, 0)
	right := generate(t, otp.TOTP{}, seed, at.Unix())
	other := func(c byte) string { return string('0' + (c-'0'+5)%10) }
	for _, c := range []struct {
		name, code string
		last       otp.Last
		rounds     int
	}{
		{"nothing", right, otp.Never(), 0},
		{"right", right, otp.Never(), 1000},
		{"right for the step before", generate(t, otp.TOTP{}, seed, at.Unix()-30), otp.Never(), 1000},
		{"right for the step after", generate(t, otp.TOTP{}, seed, at.Unix()+30), otp.Never(), 1000},
		{"replayed", right, otp.After(1 << 40), 1000},
		{"wrong first digit", other(right[0]) + right[1:], otp.Never(), 1000},
		{"wrong last digit", right[:5] + other(right[5]), otp.Never(), 1000},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range c.rounds {
				_, err := otp.TOTP{}.Verify(seed, c.code, at, c.last)
				if good := c.name[:5] == "right"; good != (err == nil) {
					t.Fatal(err)
				}
			}
		})
	}
}
