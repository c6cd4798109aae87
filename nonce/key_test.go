package nonce_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/cryptotest"

	"github.com/keyfob-dev/keyfob/nonce"
	"github.com/keyfob-dev/keyfob/random"
)

// Published vectors, of which each is nonce, encrypted message and tag.
var vectors = []struct {
	name                                           string
	algorithm                                      nonce.Algorithm
	key, nonce, plaintext, data, encrypted, tagged string
}{
	{
		"McGrew and Viega, The Galois/Counter Mode of Operation, test case 14", nonce.AES256GCM,
		strings.Repeat("00", 32), strings.Repeat("00", 12), strings.Repeat("00", 16), "",
		"cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919",
	},
	{
		"test case 16", nonce.AES256GCM,
		"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
		"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
		"feedfacedeadbeeffeedfacedeadbeefabaddad2",
		"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
		"76fc6ece0f4e1768cddf8853bb2d551b",
	},
	{
		"draft-irtf-cfrg-xchacha-03, appendix A.3.1", nonce.XChaCha20Poly1305,
		"808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", "404142434445464748494a4b4c4d4e4f5051525354555657",
		hex.EncodeToString([]byte("Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.")),
		"50515253c0c1c2c3c4c5c6c7",
		"bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452" +
			"2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52e",
		"c0875924c1c7987947deafd8780acf49",
	},
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		k, err := nonce.OpenOnly(decode(t, v.key), v.algorithm)
		if err != nil {
			t.Fatal(err)
		}
		got, err := k.Open(nil, decode(t, v.nonce+v.encrypted+v.tagged), decode(t, v.data))
		if err != nil || hex.EncodeToString(got) != v.plaintext {
			t.Errorf("%s: %x, %v", v.name, got, err)
		}
	}
}

func decode(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What Seal makes, the bare AEAD opens, in every size about the blocks of the ciphers;
// and Open gives it back.
func TestSealAndOpen(t *testing.T) {
	for _, a := range algorithms {
		k, secret := newKey(t, nonce.KeyConfig{Algorithm: a})
		_, bare := bareSeal(t, a, secret)
		size := bare.NonceSize()
		for n := range 300 {
			message, data := random.Bytes(n + 1)[:n], random.Bytes(n + 1)[n/2:]
			sealed, err := k.Seal([]byte("head"), message, data)
			if err != nil || len(sealed) != 4+n+k.Overhead() || string(sealed[:4]) != "head" {
				t.Fatalf("%v: sealed %d bytes as %x, %v", a, n, sealed, err)
			}
			sealed = sealed[4:]
			got, err := bare.Open(nil, sealed[:size], sealed[size:], data)
			if err != nil || !bytes.Equal(got, message) {
				t.Fatalf("%v: the bare AEAD opens %d bytes as %x, %v", a, n, got, err)
			}
			got, err = k.Open([]byte("head"), sealed, data)
			if err != nil || string(got) != "head"+string(message) {
				t.Fatalf("%v: %d bytes come back as %x, %v", a, n, got, err)
			}
		}
	}
}

// A message in which anything was changed is not opened, and of it nothing comes out.
func TestTampering(t *testing.T) {
	for _, a := range algorithms {
		k, _ := newKey(t, nonce.KeyConfig{Algorithm: a})
		message := []byte("attack at dawn, or later")
		sealed := seal(t, k, message, "data")
		refused := func(k *nonce.Key, sealed []byte, data string) {
			t.Helper()
			buf := make([]byte, 4, 200)
			got, err := k.Open(buf, sealed, []byte(data))
			if err != nonce.ErrOpen || got != nil {
				t.Fatalf("%v: %q, %v", a, got, err)
			}
			if bytes.Contains(buf[:cap(buf)], message[:4]) {
				t.Fatalf("%v: what was refused was decrypted", a)
			}
		}
		for i := range sealed {
			for bit := range 8 {
				changed := bytes.Clone(sealed)
				changed[i] ^= 1 << bit
				refused(k, changed, "data")
			}
			refused(k, sealed[:i], "data")
			refused(k, sealed[i+1:], "data")
		}
		refused(k, nil, "data")
		refused(k, append(bytes.Clone(sealed), 0), "data")
		refused(k, sealed, "")
		refused(k, sealed, "Data")
		refused(k, sealed, "data\x00")
		other, _ := newKey(t, nonce.KeyConfig{Algorithm: a})
		refused(other, sealed, "data")
	}
}

// Messages may use one memory with what becomes of them.
func TestInPlace(t *testing.T) {
	for _, a := range algorithms {
		k, _ := newKey(t, nonce.KeyConfig{Algorithm: a})
		for _, n := range []int{0, 1, 15, 16, 17, 100, 1000} {
			message := random.Bytes(n + 1)[:n]
			for _, before := range []int{0, 5} {
				for _, room := range []int{0, 1, k.Overhead() - 1, k.Overhead(), 200} {
					buf := make([]byte, before+n, before+n+room)
					copy(buf[before:], message)
					sealed, err := k.Seal(buf[:before], buf[before:], nil)
					if err != nil {
						t.Fatal(err)
					}
					if got, err := k.Open(nil, sealed[before:], nil); err != nil || !bytes.Equal(got, message) {
						t.Fatalf("%v: %d bytes sealed in place come back as %x, %v", a, n, got, err)
					}
					if before+n > 0 && room >= k.Overhead() && &sealed[0] != &buf[:1][0] {
						t.Errorf("%v: memory that has room was not used", a)
					}
					got, err := k.Open(sealed[:before], sealed[before:], nil)
					if err != nil || !bytes.Equal(got[before:], message) || len(got) > 0 && &got[0] != &sealed[0] {
						t.Fatalf("%v: %d bytes opened in place are %x, %v", a, n, got, err)
					}
				}
			}
		}
	}
}

// Every message has its own nonce, drawn by crypto/rand, and so its own text.
func TestNoncesAreFresh(t *testing.T) {
	for _, a := range algorithms {
		k, secret := newKey(t, nonce.KeyConfig{Algorithm: a})
		_, bare := bareSeal(t, a, secret)
		size := bare.NonceSize()
		seen := map[string]bool{}
		var ones, zeros [24]byte
		const rounds = 256
		for range rounds {
			sealed := seal(t, k, []byte("the same"), "")
			seen[string(sealed[:size])] = true
			for i, c := range sealed[:size] {
				ones[i] |= c
				zeros[i] |= ^c
			}
		}
		full := bytes.Repeat([]byte{0xff}, size)
		if len(seen) != rounds || !bytes.Equal(ones[:size], full) || !bytes.Equal(zeros[:size], full) {
			t.Errorf("%v: %d nonces of %d messages; bits %x, %x", a, len(seen), rounds, ones[:size], zeros[:size])
		}
	}
}

// Of a message comes the nonce, as crypto/rand gave it, and what the bare AEAD makes.
func TestSealIsTheBareAEAD(t *testing.T) {
	for _, a := range algorithms {
		k, secret := newKey(t, nonce.KeyConfig{Algorithm: a})
		_, bare := bareSeal(t, a, secret)
		cryptotest.SetGlobalRandom(t, 1)
		drawn := random.Bytes(bare.NonceSize())
		cryptotest.SetGlobalRandom(t, 1)
		got := seal(t, k, []byte("message"), "data")
		if want := bare.Seal(drawn, drawn, []byte("message"), []byte("data")); !bytes.Equal(got, want) {
			t.Errorf("%v: %x, want %x", a, got, want)
		}
	}
}

func TestKeyRefuses(t *testing.T) {
	store := new(nonce.Memory)
	good := random.Bytes(nonce.KeySize)
	for _, c := range []struct {
		secret []byte
		config nonce.KeyConfig
		want   error
	}{
		{good, nonce.KeyConfig{}, nonce.ErrConfig},
		{nil, nonce.KeyConfig{Store: store}, nonce.ErrKey},
		{good[:16], nonce.KeyConfig{Store: store}, nonce.ErrKey}, // AES-128 would take it
		{good[:24], nonce.KeyConfig{Store: store}, nonce.ErrKey},
		{good[:31], nonce.KeyConfig{Store: store, Algorithm: nonce.XChaCha20Poly1305}, nonce.ErrKey},
		{append(bytes.Clone(good), 0), nonce.KeyConfig{Store: store}, nonce.ErrKey},
		{good, nonce.KeyConfig{Store: store, Algorithm: 2}, nonce.ErrAlgorithm},
	} {
		for _, make := range []func([]byte, nonce.KeyConfig) (*nonce.Key, error){nonce.CreateKey, nonce.OpenKey} {
			if k, err := make(c.secret, c.config); !errors.Is(err, c.want) || k != nil {
				t.Errorf("%d bytes, %+v: %v", len(c.secret), c.config, err)
			}
		}
		if c.config.Store != nil {
			if k, err := nonce.OpenOnly(c.secret, c.config.Algorithm); !errors.Is(err, c.want) || k != nil {
				t.Errorf("%d bytes, %v: %v", len(c.secret), c.config.Algorithm, err)
			}
		}
	}
	if _, err := nonce.CreateKey(good, nonce.KeyConfig{Store: store, AtLeast: 1}); !errors.Is(err, nonce.ErrConfig) {
		t.Error(err)
	}
	if record, _ := store.Load(); record != nil {
		t.Errorf("%q was stored", record)
	}
}

// The count belongs to one key: another secret, or the same with another algorithm,
// cannot go on with it, and a key cannot begin again.
func TestCountBelongsToItsKey(t *testing.T) {
	store := new(nonce.Memory)
	k, secret := newKey(t, nonce.KeyConfig{Store: store})
	seal(t, k, nil, "")
	if _, err := nonce.CreateKey(secret, nonce.KeyConfig{Store: store}); !errors.Is(err, nonce.ErrExists) {
		t.Error(err)
	}
	if _, err := nonce.OpenKey(random.Bytes(nonce.KeySize), nonce.KeyConfig{Store: store}); !errors.Is(err, nonce.ErrForeign) {
		t.Error(err)
	}
	if _, err := nonce.OpenKey(secret, nonce.KeyConfig{Store: store, Algorithm: nonce.XChaCha20Poly1305}); !errors.Is(err, nonce.ErrForeign) {
		t.Error(err)
	}
	if _, err := nonce.OpenCounter(nonce.CounterConfig{Store: store}); !errors.Is(err, nonce.ErrForeign) {
		t.Error(err)
	}
	if _, err := nonce.OpenKey(secret, nonce.KeyConfig{Store: new(nonce.Memory)}); !errors.Is(err, nonce.ErrMissing) {
		t.Error(err)
	}
	if _, err := nonce.OpenKey(secret, nonce.KeyConfig{Store: store, AtLeast: k.Reserved() + 1}); !errors.Is(err, nonce.ErrWentBack) {
		t.Error(err)
	}
	if again, err := nonce.OpenKey(secret, nonce.KeyConfig{Store: store, AtLeast: k.Reserved()}); err != nil || again.Reserved() != 65536 {
		t.Error(err)
	}
	record, _ := store.Load()
	for i := range secret[4:] {
		if bytes.Contains(record, []byte(hex.EncodeToString(secret[i:i+4]))) {
			t.Errorf("%q shows the secret", record)
		}
	}
}

// The record of a key is frozen: a count that an older version stored has to be read.
func TestKeyRecordIsFrozen(t *testing.T) {
	store := new(nonce.Memory)
	k, err := nonce.CreateKey(bytes.Repeat([]byte{7}, nonce.KeySize), nonce.KeyConfig{Store: store, Block: 100})
	if err != nil {
		t.Fatal(err)
	}
	seal(t, k, nil, "")
	const want = "keyfob-count-1 aes-256-gcm-feab6bffb5339688 100 2022f8d7eee9bcd2"
	if got, _ := store.Load(); string(got) != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Nothing is sealed under a count that cannot be relied on.
func TestKeyNoticesWhatWentBack(t *testing.T) {
	store := &traced{}
	k, _ := newKey(t, nonce.KeyConfig{Store: store, Block: 2})
	for range 4 {
		seal(t, k, nil, "")
	}
	store.record = store.records[1]
	if got, err := k.Seal(nil, nil, nil); !errors.Is(err, nonce.ErrWentBack) || got != nil {
		t.Errorf("%x, %v", got, err)
	}
	store.record = store.records[2][1:]
	if got, err := k.Seal(nil, nil, nil); !errors.Is(err, nonce.ErrDamaged) || got != nil {
		t.Errorf("%x, %v", got, err)
	}
}

func TestOpenOnly(t *testing.T) {
	for _, a := range algorithms {
		k, secret := newKey(t, nonce.KeyConfig{Algorithm: a})
		reader, err := nonce.OpenOnly(secret, a)
		if err != nil {
			t.Fatal(err)
		}
		clear(secret) // was copied
		if got, err := reader.Open(nil, seal(t, k, []byte("message"), "data"), []byte("data")); err != nil || string(got) != "message" {
			t.Errorf("%q, %v", got, err)
		}
		if got, err := reader.Seal(nil, []byte("message"), nil); err != nonce.ErrOpenOnly || got != nil {
			t.Errorf("%x, %v", got, err)
		}
		if reader.Limit() != 0 || reader.Reserved() != 0 || reader.Overhead() != k.Overhead() {
			t.Error(reader.Limit(), reader.Reserved(), reader.Overhead())
		}
	}
}

// A key prints as [REDACTED]; and what prints around it, by reflection, finds nothing.
func TestKeyIsHidden(t *testing.T) {
	for _, a := range algorithms {
		k, secret := newKey(t, nonce.KeyConfig{Algorithm: a})
		type inside struct {
			k *nonce.Key
			K *nonce.Key
		}
		for _, v := range []any{k, &k, inside{k, k}, &inside{k, k}, []*nonce.Key{k}, map[string]*nonce.Key{"k": k}} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%t"} {
				text := fmt.Sprintf(verb, v)
				for i := range len(secret) - 4 {
					part := secret[i : i+4]
					for _, bad := range []string{string(part), hex.EncodeToString(part), strings.Trim(fmt.Sprint(part), "[]")} {
						if strings.Contains(text, bad) {
							t.Fatalf("%s shows the secret: %q", verb, text)
						}
					}
				}
			}
		}
		text, err := k.MarshalText()
		if k.String() != "[REDACTED]" || fmt.Sprintf("%d", k) != "[REDACTED]" || fmt.Sprintf("%#v", k) != "[REDACTED]" ||
			k.GoString() != "[REDACTED]" || k.LogValue().String() != "[REDACTED]" || string(text) != "[REDACTED]" || err != nil {
			t.Errorf("%v", k)
		}
	}
}
