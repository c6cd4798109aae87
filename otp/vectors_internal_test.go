package otp

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
	"time"
)

// seedOf makes a seed that a test is sure of.
func seedOf(t testing.TB, text string) Seed {
	t.Helper()
	s, err := SeedOf([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rfc4226 is appendix D of RFC 4226: HMAC, truncation, and code of each counter.
var rfc4226 = []struct {
	hmac  string
	value uint32
	code  string
}{
	{"cc93cf18508d94934c64b65d8ba7667fb7cde4b0", 0x4c93cf18, "755224"},
	{"75a48a19d4cbe100644e8ac1397eea747a2d33ab", 0x41397eea, "287082"},
	{"0bacb7fa082fef30782211938bc1c5e70416ff44", 0x082fef30, "359152"},
	{"66c28227d03a2d5529262ff016a1e6ef76557ece", 0x66ef7655, "969429"},
	{"a904c900a64b35909874b33e61c5938a8e15ed1c", 0x61c5938a, "338314"},
	{"a37e783d7b7233c083d4f62926c7a25f238d0316", 0x33c083d4, "254676"},
	{"bc9cd28561042c83f219324d3c607256c03272ae", 0x7256c032, "287922"},
	{"a4fb960c0bc06e1eabb804e5b397cdc4b45596fa", 0x04e5b397, "162583"},
	{"1b3c89f65e6c9e883012052823443f048b4332db", 0x2823443f, "399871"},
	{"1637409809a679dc698207310c8c7fc07290d9e5", 0x2679dc69, "520489"},
}

const rfcSeed = "12345678901234567890"

func TestRFC4226(t *testing.T) {
	seed := seedOf(t, rfcSeed)
	var m mac1
	m.key(seed)
	for counter, v := range rfc4226 {
		if got := m.value(uint64(counter)); got != v.value {
			t.Errorf("counter %d is truncated to %08x; want %08x", counter, got, v.value)
		}
		sum := sha1.Sum(m.outer[:])
		if got := hex.EncodeToString(sum[:]); got != v.hmac {
			t.Errorf("counter %d has the HMAC %s; want %s", counter, got, v.hmac)
		}
		if code, err := (HOTP{}).Generate(seed, uint64(counter)); err != nil || code != v.code {
			t.Errorf("counter %d has the code %s, %v; want %s", counter, code, err, v.code)
		}
		for _, last := range []Last{Never(), After(uint64(counter) - 1)} {
			if got, err := (HOTP{}).Verify(seed, v.code, last); counter > 0 || last == Never() {
				if err != nil || got != uint64(counter) {
					t.Errorf("the code of counter %d is matched %v with %d, %v", counter, last, got, err)
				}
			}
		}
	}
	// The example of section 5.4.
	sum, _ := hex.DecodeString("1f8698690e02ca16618550ef7f19da8e945b555a")
	if got := truncate(sum); got != 0x50ef7f19 || spell(decimal(got, 6), 6) != "872921" {
		t.Errorf("section 5.4: %x, %d", got, decimal(got, 6))
	}
}

// rfc6238 is appendix B of RFC 6238. The RFC names one seed of 20 bytes; its reference
// program, and erratum 2866, have one for each algorithm, as long as the HMAC.
var rfc6238 = []struct {
	at    int64
	codes [3]string // SHA1, SHA256, SHA512
}{
	{59, [3]string{"94287082", "46119246", "90693936"}},
	{1111111109, [3]string{"07081804", "68084774", "25091201"}},
	{1111111111, [3]string{"14050471", "67062674", "99943326"}},
	{1234567890, [3]string{"89005924", "91819424", "93441116"}},
	{2000000000, [3]string{"69279037", "90698825", "38618901"}},
	{20000000000, [3]string{"65353130", "77737706", "47863826"}},
}

func TestRFC6238(t *testing.T) {
	for a, size := range []int{20, 32, 64} {
		seed := seedOf(t, strings.Repeat(rfcSeed, 4)[:size])
		for _, v := range rfc6238 {
			for digits := 6; digits <= 8; digits++ {
				totp := TOTP{Algorithm: Algorithm(a), Digits: digits}
				at := time.Unix(v.at, 0)
				want := v.codes[a][8-digits:]
				code, err := totp.Generate(seed, at)
				if err != nil || code != want {
					t.Errorf("%v at %d is %s, %v; want %s", totp, v.at, code, err, want)
				}
				step, err := totp.Verify(seed, want, at, Never())
				if err != nil || step != uint64(v.at/30) {
					t.Errorf("%v at %d: %s is matched with %d, %v", totp, v.at, want, step, err)
				}
			}
		}
	}
}

// TestRFC4648 has the base32 vectors of section 10, unpadded. They are too short for
// seeds, so that they go in below ParseSeed.
func TestRFC4648(t *testing.T) {
	for text, want := range map[string]string{
		"f": "MY", "fo": "MZXQ", "foo": "MZXW6", "foob": "MZXW6YQ", "fooba": "MZXW6YTB", "foobar": "MZXW6YTBOI",
	} {
		if b, problem := decode(want); problem != "" || string(b) != text {
			t.Errorf("decode(%s) is %q, %s", want, b, problem)
		}
		if got := unpadded.EncodeToString([]byte(text)); got != want {
			t.Errorf("%s is encoded as %s; want %s", text, got, want)
		}
		long := seedOf(t, strings.Repeat("12345", 4)+text) // 20 bytes leave the rest as it is
		if got := long.Base32(); got != "GEZDGNBV"+"GEZDGNBV"+"GEZDGNBV"+"GEZDGNBV"+want {
			t.Errorf("Base32 ends in %s; want %s", got[32:], want)
		}
	}
}

// TestMAC1 compares with crypto/hmac, for keys of all lengths.
func TestMAC1(t *testing.T) {
	for size := MinSeed; size <= MaxSeed; size++ {
		seed := NewSeedSize(size)
		var m mac1
		m.key(seed)
		for _, counter := range []uint64{0, 1, 255, 1 << 32, 1<<64 - 1} {
			h := hmac.New(sha1.New, seed.Bytes())
			h.Write(binary.BigEndian.AppendUint64(nil, counter))
			if got, want := m.value(counter), truncate(h.Sum(nil)); got != want {
				t.Errorf("a seed of %d bytes, counter %d: %08x; want %08x", size, counter, got, want)
			}
		}
		m.clear()
		if m != (mac1{}) {
			t.Error("the key is left after clear")
		}
	}
}

func TestSpell(t *testing.T) {
	for _, c := range []struct {
		value  uint32
		digits int
		want   string
	}{
		{0, 6, "000000"}, {0, 8, "00000000"}, {7, 6, "000007"}, {1_000_000, 6, "000000"}, {1_000_000, 7, "1000000"},
		{1<<31 - 1, 6, "483647"}, {1<<31 - 1, 7, "7483647"}, {1<<31 - 1, 8, "47483647"}, {99_999_999, 8, "99999999"},
	} {
		d := decimal(c.value, c.digits)
		if got := spell(d, c.digits); got != c.want || number(got) != d {
			t.Errorf("%d in %d digits is %s, and %d again; want %s", c.value, c.digits, got, number(got), c.want)
		}
	}
}
