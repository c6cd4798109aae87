package kdf

import (
	"encoding/hex"
	"testing"
)

// The published vectors have salts that are shorter than what Key takes, and empty
// passwords, so they go to what Key calls. That Key calls it, TestKeyIsTheVectors shows.

func TestPBKDF2Vectors(t *testing.T) {
	for _, v := range []struct {
		p              PBKDF2
		password, salt string
		want           string
	}{
		// RFC 7914, section 11.
		{
			PBKDF2{SHA256, 1}, "passwd", "salt",
			"55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783",
		},
		{
			PBKDF2{SHA256, 80000}, "Password", "NaCl",
			"4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d",
		},
		// No RFC has one with SHA-512: this is what Python's hashlib says.
		{
			PBKDF2{SHA512, 4096}, "passwordPASSWORDpassword", "saltSALTsaltSALTsaltSALTsaltSALTsalt",
			"8c0511f4c6e597c6ac6315d8f0362e225f3c501495ba23b868c005174dc4ee71115b59f9e60cd9532fa33e0f75aefe30225c583a186cd82bd4daea9724a3d3b8",
		},
	} {
		got, err := v.p.derive([]byte(v.password), []byte(v.salt), len(v.want)/2)
		if err != nil || hex.EncodeToString(got) != v.want {
			t.Errorf("%+v of %q and %q: %x, %v; want %s", v.p, v.password, v.salt, got, err, v.want)
		}
	}
}

// RFC 7914, section 12, without the fourth, which takes a gibibyte and seconds.
func TestScryptVectors(t *testing.T) {
	for _, v := range []struct {
		s              Scrypt
		password, salt string
		want           string
	}{
		{
			Scrypt{16, 1, 1}, "", "",
			"77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906",
		},
		{
			Scrypt{1024, 8, 16}, "password", "NaCl",
			"fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640",
		},
		{
			Scrypt{16384, 8, 1}, "pleaseletmein", "SodiumChloride",
			"7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887",
		},
	} {
		if err := v.s.Check(); err != nil {
			t.Error(err)
		}
		got, err := v.s.derive([]byte(v.password), []byte(v.salt), len(v.want)/2)
		if err != nil || hex.EncodeToString(got) != v.want {
			t.Errorf("%+v of %q and %q: %x, %v; want %s", v.s, v.password, v.salt, got, err, v.want)
		}
	}
}
