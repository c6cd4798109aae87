package kdf_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/kdf"
)

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// RFC 5869, appendix A: the three with SHA-256. The output at every length is the
// beginning of the longest.
func TestHKDFVectors(t *testing.T) {
	for i, v := range []struct{ secret, salt, label, want string }{
		{
			"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
			"3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
		},
		{
			"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
			"606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
			"b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
			"b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
		},
		{
			"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
			"8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
		},
	} {
		want := unhex(t, v.want)
		for n := 1; n <= len(want); n++ {
			got, err := kdf.HKDF(unhex(t, v.secret), unhex(t, v.salt), string(unhex(t, v.label)), n)
			if err != nil || !bytes.Equal(got, want[:n]) {
				t.Errorf("vector %d, %d bytes: %x, %v", i+1, n, got, err)
			}
		}
	}
}

// The specification's own program makes these (phc-winner-argon2, src/test.c, and its
// command line with 24 bytes). Those of RFC 9106, section 5, have a secret value and
// associated data, which golang.org/x/crypto/argon2 does not take.
func TestArgon2idVectors(t *testing.T) {
	for _, v := range []struct {
		a    kdf.Argon2id
		want string
	}{
		{kdf.Argon2id{Time: 2, Memory: 256, Threads: 1}, "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"},
		{kdf.Argon2id{Time: 2, Memory: 256, Threads: 2}, "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037"},
		{kdf.Argon2id{Time: 2, Memory: 64, Threads: 1}, "068d62b26455936aa6ebe60060b0a65870dbfa3ddf8d41f7"},
		{kdf.Argon2id{Time: 2, Memory: 64, Threads: 3}, "4a15b31aec7c2590b87d1f520be7d96f56658172deaa3079"},
		{kdf.Argon2id{Time: 4, Memory: 1024, Threads: 8}, "8dafa8e004f8ea96bf7c0f93eecf67a6047476143d15577f"},
	} {
		got, err := v.a.Key([]byte("password"), []byte("somesalt"), len(v.want)/2)
		if err != nil || hex.EncodeToString(got) != v.want {
			t.Errorf("%+v: %x, %v; want %s", v.a, got, err, v.want)
		}
	}
}

// Scrypt and PBKDF2 through their front doors, which refuse the salts of most RFC
// vectors: this one has 14 bytes. PBKDF2 is what scrypt itself ends with (RFC 7914,
// section 6), so that the two of them are tied together here.
func TestKeyIsTheVectors(t *testing.T) {
	password, salt := []byte("pleaseletmein"), []byte("SodiumChloride")
	got, err := kdf.Scrypt{N: 16384, R: 8, P: 1}.Key(password, salt, 64)
	if want := "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"; err != nil || hex.EncodeToString(got) != want {
		t.Errorf("scrypt: %x, %v", got, err)
	}
	got, err = kdf.PBKDF2{Hash: kdf.SHA512, Iterations: 4096}.Key([]byte("passwordPASSWORDpassword"), []byte("saltSALTsaltSALTsaltSALTsaltSALTsalt"), 20)
	if want := "8c0511f4c6e597c6ac6315d8f0362e225f3c5014"; err != nil || hex.EncodeToString(got) != want {
		t.Errorf("PBKDF2 with SHA512: %x, %v", got, err)
	}
	got, err = kdf.PBKDF2{Hash: kdf.SHA256, Iterations: 4096}.Key([]byte("passwordPASSWORDpassword"), []byte("saltSALTsaltSALTsaltSALTsaltSALTsalt"), 40)
	if want := "348c89dbcbd32b2f32d814b8116e84cf2b17347ebc1800181c4e2a1fb8dd53e1c635518c7dac47e9"; err != nil || hex.EncodeToString(got) != want {
		t.Errorf("PBKDF2 with SHA256: %x, %v", got, err)
	}
}

// Every part of the input makes a difference, to the last byte, however long.
func TestEveryByteCounts(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	for name, key := range map[string]func(secret, salt string) ([]byte, error){
		"HKDF":   func(secret, salt string) ([]byte, error) { return kdf.HKDF([]byte(secret), []byte(salt), "label", 32) },
		"label":  func(secret, salt string) ([]byte, error) { return kdf.HKDF([]byte(secret), nil, salt, 32) },
		"argon2": func(secret, salt string) ([]byte, error) { return tinyArgon2id.Key([]byte(secret), []byte(salt), 32) },
		"scrypt": func(secret, salt string) ([]byte, error) { return tinyScrypt.Key([]byte(secret), []byte(salt), 32) },
		"pbkdf2": func(secret, salt string) ([]byte, error) { return tinyPBKDF2.Key([]byte(secret), []byte(salt), 32) },
	} {
		seen := map[string]string{}
		for _, in := range [][2]string{
			{long + "1", long + "1"}, {long + "2", long + "1"}, {long + "1", long + "2"}, {long, long + "1"}, {long + "1", long},
			{long + "\x00", long}, {long, long}, {"é" + long, long}, {"e\u0301" + long, long}, {"\xff" + long, long}, {"\xfe" + long, long},
		} {
			got, err := key(in[0], in[1])
			if err != nil {
				t.Fatal(name, err)
			}
			again, _ := key(in[0], in[1])
			if !bytes.Equal(got, again) {
				t.Errorf("%s: not the same again", name)
			}
			what := in[0][:3] + "…" + in[0][len(in[0])-1:] + " and " + in[1][len(in[1])-1:]
			if before := seen[string(got)]; before != "" {
				t.Errorf("%s: %q gives the key of %q", name, what, before)
			}
			seen[string(got)] = what
		}
	}
}

var (
	tinyArgon2id = kdf.Argon2id{Time: 1, Memory: 8, Threads: 1}
	tinyScrypt   = kdf.Scrypt{N: 2, R: 1, P: 1}
	tinyPBKDF2   = kdf.PBKDF2{Hash: kdf.SHA256, Iterations: 1}
)

type deriver interface {
	Check() error
	Key(password, salt []byte, n int) ([]byte, error)
}

// Parameters that cannot be, among them such as would take more than there is, and
// such as overflow. None is tried out.
func TestParamsRefused(t *testing.T) {
	const huge = math.MaxInt
	for _, d := range []deriver{
		kdf.Argon2id{}, kdf.Argon2id{Time: 1, Memory: 8}, kdf.Argon2id{Time: 1, Threads: 1}, kdf.Argon2id{Memory: 8, Threads: 1},
		kdf.Argon2id{Time: 1, Memory: 7, Threads: 1}, kdf.Argon2id{Time: 1, Memory: 31, Threads: 4},
		kdf.Argon2id{Time: 1, Memory: kdf.MaxMemory + 1, Threads: 1}, kdf.Argon2id{Time: 1, Memory: huge, Threads: 1},
		kdf.Argon2id{Time: 1, Memory: 4096, Threads: 256}, kdf.Argon2id{Time: huge, Memory: 8, Threads: 1},
		kdf.Argon2id{Time: -1, Memory: 8, Threads: 1}, kdf.Argon2id{Time: 1, Memory: -8, Threads: 1}, kdf.Argon2id{Time: 1, Memory: 8, Threads: -1},
		kdf.Scrypt{}, kdf.Scrypt{N: 16, R: 1}, kdf.Scrypt{N: 16, P: 1}, kdf.Scrypt{R: 1, P: 1},
		kdf.Scrypt{N: 1, R: 1, P: 1}, kdf.Scrypt{N: 3, R: 1, P: 1}, kdf.Scrypt{N: -2, R: 1, P: 1}, kdf.Scrypt{N: math.MinInt, R: 1, P: 1},
		kdf.Scrypt{N: 16, R: -1, P: 1}, kdf.Scrypt{N: 16, R: 1, P: -1}, kdf.Scrypt{N: 16, R: -1, P: -1},
		kdf.Scrypt{N: 1 << 24, R: 1, P: 1}, kdf.Scrypt{N: 1 << 21, R: 8, P: 1}, kdf.Scrypt{N: 1 << 30, R: 1 << 30, P: 1 << 30},
		kdf.Scrypt{N: 2, R: huge, P: 1}, kdf.Scrypt{N: 2, R: 1, P: huge}, kdf.Scrypt{N: 2, R: huge, P: huge}, kdf.Scrypt{N: 2, R: 1 << 24, P: 1},
		kdf.Scrypt{N: 2, R: 1, P: 1 << 24},
		kdf.PBKDF2{}, kdf.PBKDF2{Iterations: 1}, kdf.PBKDF2{Hash: kdf.SHA256}, kdf.PBKDF2{Hash: 3, Iterations: 1},
		kdf.PBKDF2{Hash: kdf.SHA512, Iterations: -1}, kdf.PBKDF2{Hash: kdf.SHA512, Iterations: huge},
	} {
		key, err := d.Key([]byte("password"), []byte("somesalt"), 32)
		if !errors.Is(d.Check(), kdf.ErrParams) || !errors.Is(err, kdf.ErrParams) || key != nil {
			t.Errorf("%+v: %v, %v", d, d.Check(), err)
		}
	}
	for _, d := range []deriver{
		tinyArgon2id, tinyScrypt, tinyPBKDF2,
		kdf.Argon2id{Time: math.MaxInt32, Memory: kdf.MaxMemory, Threads: 255}, kdf.Argon2id{Time: 1, Memory: 2040, Threads: 255},
		kdf.Scrypt{N: 1 << 20, R: 8, P: 1}, kdf.Scrypt{N: 1 << 17, R: 1, P: 1}, kdf.PBKDF2{Hash: kdf.SHA512, Iterations: math.MaxInt32},
	} {
		if err := d.Check(); err != nil {
			t.Errorf("%+v: %v", d, err)
		}
	}
}

func TestInputRefused(t *testing.T) {
	password, salt, secret := []byte("hunter2hunter2"), []byte("somesalt"), []byte("0123456789abcdef")
	for _, d := range []deriver{tinyArgon2id, tinyScrypt, tinyPBKDF2} {
		for _, c := range []struct {
			password, salt []byte
			n              int
			want           error
		}{
			{nil, salt, 32, kdf.ErrSecret},
			{[]byte{}, salt, 32, kdf.ErrSecret},
			{password, nil, 32, kdf.ErrSalt},
			{password, salt[:7], 32, kdf.ErrSalt},
			{password, salt, 0, kdf.ErrSize},
			{password, salt, -1, kdf.ErrSize},
			{password, salt, kdf.MaxBytes + 1, kdf.ErrSize},
			{password, salt, math.MaxInt, kdf.ErrSize},
			{password, salt, kdf.MaxBytes, nil},
			{[]byte("\x00"), salt, 4, nil},
		} {
			checkRefused(t, c.want, c.n)(d.Key(c.password, c.salt, c.n))
		}
	}
	checkRefused(t, kdf.ErrSize, 0)(tinyArgon2id.Key(password, salt, 3)) // RFC 9106, section 3.1

	checkRefused(t, kdf.ErrSecret, 0)(kdf.HKDF(secret[:15], salt, "label", 32))
	checkRefused(t, kdf.ErrSecret, 0)(kdf.HKDF(nil, salt, "label", 32))
	checkRefused(t, kdf.ErrSize, 0)(kdf.HKDF(secret, salt, "label", 0))
	checkRefused(t, kdf.ErrSize, 0)(kdf.HKDF(secret, salt, "label", -1))
	checkRefused(t, kdf.ErrSize, 0)(kdf.HKDF(secret, salt, "label", kdf.MaxBytes+1))
	checkRefused(t, nil, kdf.MaxBytes)(kdf.HKDF(secret, salt, "label", kdf.MaxBytes))
}

// checkRefused checks a result: the error, or a key of n bytes. No error tells
// anything of the input.
func checkRefused(t *testing.T, want error, n int) func([]byte, error) {
	return func(key []byte, err error) {
		t.Helper()
		if !errors.Is(err, want) || want == nil && (err != nil || len(key) != n) || want != nil && key != nil {
			t.Errorf("a key of %d bytes, %v; want %v", len(key), err, want)
		}
		for _, part := range []string{"hunter", "somesal", "0123456789abcde", "label"} {
			if err != nil && strings.Contains(err.Error(), part) && !strings.Contains(err.Error(), "its label has") {
				t.Errorf("%v repeats the input", err)
			}
		}
	}
}

// Deriving changes nothing that it was given.
func TestInputIsKept(t *testing.T) {
	password, salt := []byte("0123456789abcdef"), []byte("somesalt")
	for _, d := range []deriver{tinyArgon2id, tinyScrypt, tinyPBKDF2} {
		if _, err := d.Key(password, salt, 32); err != nil {
			t.Error(err)
		}
	}
	if _, err := kdf.HKDF(password, salt, "label", 32); err != nil || string(password) != "0123456789abcdef" || string(salt) != "somesalt" {
		t.Errorf("%s, %s, %v", password, salt, err)
	}
}
