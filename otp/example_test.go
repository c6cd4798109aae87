package otp_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keyfob-dev/keyfob/otp"
)

func ExampleRandom() {
	code := otp.Random(6) // such as 047306
	fmt.Println(len(code))
	// Output: 6
}

func ExampleUnambiguous() {
	code := otp.Unambiguous(8) // such as HQ7FX2MC: 40 bits
	fmt.Println(len(code))
	// Output: 8
}

func ExampleRecovery() {
	code := otp.Recovery() // such as HQ7F-X2MC-9KWP-TBV4-3NRD-LE8Y: 120 bits
	fmt.Println(len(code))
	// Output: 29
}

func ExampleRecipe_Bits() {
	fmt.Printf("%.2f\n", otp.Recipe{}.Bits())
	fmt.Printf("%.2f\n", otp.Recipe{Format: otp.FormatUnambiguous, Chars: 8}.Bits())
	fmt.Printf("%.2f\n", otp.Recipe{Format: otp.FormatRecovery}.Bits())
	// Output:
	// 19.93
	// 40.00
	// 120.00
}

func ExampleRecipe_Many() {
	codes := slices.Collect(otp.Recipe{Format: otp.FormatRecovery}.Many(10))
	fmt.Println(len(codes), "codes, each of which works once")
	// Output: 10 codes, each of which works once
}

func ExampleRecipe_CheckForm() {
	r := otp.Recipe{} // 6 digits
	fmt.Println(r.CheckForm("047306"))
	fmt.Println(r.CheckForm("047 306"))
	fmt.Println(errors.Is(r.CheckForm("47306"), otp.ErrMalformed))
	// Output:
	// <nil>
	// malformed code: the code holds white space
	// true
}

func ExampleNewSeed() {
	seed := otp.NewSeed()
	fmt.Println(seed.Size(), "bytes, printed as", seed)
	fmt.Println(len(seed.Base32()), "characters to type into an app")
	// Output:
	// 20 bytes, printed as [REDACTED]
	// 32 characters to type into an app
}

func ExampleParseSeed() {
	seed, err := otp.ParseSeed("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
	fmt.Println(seed.Size(), err)

	_, err = otp.ParseSeed("JBSWY3DPEHPK3PXP")
	fmt.Println(err)
	// Output:
	// 20 <nil>
	// not a seed: it has 10 bytes; 16 to 128 are allowed (128 to 1024 bits)
}

// Enrolment: the app scans the URI, and its first code shows that it did.
func ExampleKey_URI() {
	key := otp.Key{Issuer: "Acme Co", Account: "alice@example.com", Seed: otp.NewSeed()}
	uri, err := key.URI()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(uri[:48] + "…") // the seed follows
	// Output: otpauth://totp/Acme%20Co:alice@example.com?secre…
}

func ExampleParseURI() {
	key, err := otp.ParseURI("otpauth://totp/Acme:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Acme")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(key.Issuer, key.Account, key.Seed, key.Algorithm, key.Digits, key.Period)

	_, err = otp.ParseURI("otpauth://totp/Acme:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Other")
	fmt.Println(err)
	// Output:
	// Acme alice [REDACTED] sha1 6 30s
	// not an otpauth URI: the label and the parameter name different issuers
}

func ExampleTOTP_Generate() {
	seed, _ := otp.ParseSeed("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
	code, err := otp.TOTP{Digits: 8}.Generate(seed, time.Unix(59, 0))
	fmt.Println(code, err)
	// Output: 94287082 <nil>
}

// A code is accepted once. Between the calls, the step is stored by an update that
// succeeds only while the stored one is lower.
func ExampleTOTP_Verify() {
	seed, _ := otp.ParseSeed("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
	now := time.Unix(1_700_000_000, 0)
	code, _ := otp.TOTP{}.Generate(seed, now)

	step, err := otp.TOTP{}.Verify(seed, code, now, otp.Never())
	fmt.Println(step, err)

	_, err = otp.TOTP{}.Verify(seed, code, now, otp.After(step))
	fmt.Println(errors.Is(err, otp.ErrMismatch), errors.Is(err, otp.ErrReplayed))
	// Output:
	// 56666666 <nil>
	// true true
}

func ExampleHOTP_Generate() {
	seed, _ := otp.ParseSeed("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
	code, err := otp.HOTP{}.Generate(seed, 0)
	fmt.Println(code, err)
	// Output: 755224 <nil>
}

// The token has made two codes that were never used.
func ExampleHOTP_Verify() {
	seed, _ := otp.ParseSeed("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
	counter, err := otp.HOTP{}.Verify(seed, "969429", otp.After(0))
	fmt.Println(counter, err)
	// Output: 3 <nil>
}

func ExampleTOTP_Until() {
	left, err := otp.TOTP{}.Until(time.Unix(1_700_000_000, 0))
	fmt.Println("a new code in", left, err)
	// Output: a new code in 10s <nil>
}

// What comes from a configuration is checked once; New and its like panic where
// Check returns an error.
func ExampleRecipe_Check() {
	fmt.Println(otp.Recipe{Chars: 2}.Check())
	r := otp.Recipe{Chars: 8}
	fmt.Println(r.Check(), r.Length(), len(r.New()))
	// Output:
	// wrong size: a code of 2 characters; with the format digits, 6 to 10 are allowed
	// <nil> 8 8
}

func ExampleRecipe_Each() {
	var out strings.Builder // stands for a file
	for code := range (otp.Recipe{Format: otp.FormatRecovery}).Each(10) {
		out.Write(code)
		out.WriteByte('\n')
	}
	fmt.Println(out.Len())
	// Output: 300
}

// For an HMAC that is longer than SHA-1's, RFC 6238 recommends a longer seed.
func ExampleNewSeedSize() {
	seed := otp.NewSeedSize(32)
	code, err := otp.TOTP{Algorithm: otp.SHA256}.Generate(seed, time.Now())
	fmt.Println(seed.Size(), len(code), err)
	// Output: 32 6 <nil>
}

// The seed of a hardware token, as its vendor sends it.
func ExampleSeedOf() {
	seed, err := otp.SeedOf([]byte("12345678901234567890"))
	fmt.Println(seed.Base32(), err)
	// Output: GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ <nil>
}

func ExampleSeed_Bytes() {
	seed := otp.NewSeed()
	kept := seed.Bytes() // encrypt them before they are stored
	again, err := otp.SeedOf(kept)
	fmt.Println(again.Equal(seed), err)
	// Output: true <nil>
}

func ExampleCheckIssuer() {
	fmt.Println(otp.CheckIssuer("Acme"))
	fmt.Println(otp.CheckIssuer("Acme: Shop"))
	// Output:
	// <nil>
	// wrong name: the issuer holds a colon, which separates issuer and account
}

func ExampleCheckAccount() {
	fmt.Println(otp.CheckAccount("alice@example.com"))
	fmt.Println(otp.CheckAccount(""))
	// Output:
	// <nil>
	// wrong name: the account is empty
}

func ExampleKey_Check() {
	key := otp.Key{Issuer: "Acme", Account: "alice", Seed: otp.NewSeed(), Digits: 9}
	fmt.Println(errors.Is(key.Check(), otp.ErrConfig))
	key.Digits = 8
	fmt.Println(key.Check())
	// Output:
	// true
	// <nil>
}

func ExampleTOTP_Check() {
	fmt.Println(errors.Is(otp.TOTP{Period: 1500 * time.Millisecond}.Check(), otp.ErrConfig))
	fmt.Println(otp.TOTP{Period: time.Minute}.Check())
	// Output:
	// true
	// <nil>
}

func ExampleHOTP_Check() {
	fmt.Println(errors.Is(otp.HOTP{Digits: 5}.Check(), otp.ErrConfig))
	fmt.Println(otp.HOTP{Digits: 8}.Check())
	// Output:
	// true
	// <nil>
}

func ExampleTOTP_Step() {
	step, err := otp.TOTP{}.Step(time.Unix(59, 0))
	fmt.Println(step, err)
	// Output: 1 <nil>
}
