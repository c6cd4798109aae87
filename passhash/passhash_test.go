package passhash_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/passhash"
)

// tiny are parameters that cost nothing.
var tiny = []passhash.Params{
	passhash.Argon2id{Memory: 8, Time: 1},
	passhash.Argon2id{Memory: 16, Time: 2, Threads: 2},
	passhash.Scrypt{LogN: 1, R: 1},
	passhash.PBKDF2{Iterations: 1},
	passhash.PBKDF2{SHA512: true, Iterations: 2},
}

func hash(t *testing.T, h *passhash.Hasher, password string) string {
	t.Helper()
	text, err := h.Hash(context.Background(), password)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The defaults are the figures of the OWASP cheat sheet.
func TestDefaults(t *testing.T) {
	const tail = "$c29tZXNhbHRzb21lc2FsdA$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	for _, c := range []struct {
		p    passhash.Params
		want string
	}{
		{nil, "$argon2id$v=19$m=19456,t=2,p=1"},
		{passhash.Argon2id{}, "$argon2id$v=19$m=19456,t=2,p=1"},
		{passhash.Scrypt{}, "$scrypt$ln=17,r=8,p=1"},
		{passhash.PBKDF2{}, "$pbkdf2-sha256$i=600000,l=32"},
		{passhash.PBKDF2{SHA512: true}, "$pbkdf2-sha512$i=220000,l=32"},
	} {
		h := &passhash.Hasher{Params: c.p}
		if err := h.Check(); err != nil || h.NeedsRehash(c.want+tail) {
			t.Errorf("%v: needs rehash %v, %v", c.p, h.NeedsRehash(c.want+tail), err)
		}
		if c.p != nil && c.p.String() != c.want {
			t.Errorf("%v stands for %s", c.p, c.want)
		}
	}
	ctx := context.Background()
	text, err := passhash.Hash(ctx, "hunter2")
	if err != nil || !strings.HasPrefix(text, "$argon2id$v=19$m=19456,t=2,p=1$") || len(text) != 31+22+1+43 {
		t.Errorf("%s, %v", text, err)
	}
	if err := passhash.Verify(ctx, "hunter2", text); err != nil || passhash.NeedsRehash(text) {
		t.Errorf("needs rehash %v, %v", passhash.NeedsRehash(text), err)
	}
	if err := passhash.Verify(ctx, "hunter3", text); !errors.Is(err, passhash.ErrMismatch) {
		t.Error(err)
	}
}

func TestHashAndVerify(t *testing.T) {
	ctx := context.Background()
	passwords := []string{
		"a", " ", "hunter2", "hunter2 ", " hunter2", "Hunter2", "hunter2\n", "hunter\x002", "\x00hunter2", "пароль", "密码", "🔑🔑", "\ufeffbom",
		strings.Repeat("x", 72), strings.Repeat("x", 73), strings.Repeat("x", passhash.MaxPassword-1), strings.Repeat("x", passhash.MaxPassword),
	}
	for _, p := range tiny {
		h := &passhash.Hasher{Params: p}
		if err := h.Check(); err != nil {
			t.Fatal(err)
		}
		for i, right := range passwords {
			text := hash(t, h, right)
			for j, password := range passwords {
				err := h.Verify(ctx, password, text)
				if i == j && err != nil || i != j && !errors.Is(err, passhash.ErrMismatch) {
					t.Errorf("%v: %.20q against the hash of %.20q: %v", p, password, right, err)
				}
			}
			if text == hash(t, h, right) {
				t.Errorf("%v: the same salt twice", p)
			}
		}
	}
}

// Each character of salt and output counts.
func TestEveryCharacterCounts(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	ctx := context.Background()
	for _, p := range tiny {
		h := &passhash.Hasher{Params: p}
		text := hash(t, h, "hunter2")
		for i := len(p.String()) + 1; i < len(text); i++ {
			if text[i] == '$' {
				continue
			}
			// A step of 16 leaves the bits beyond the last byte 0.
			other := alphabet[(strings.IndexByte(alphabet, text[i])+16)%64]
			changed := text[:i] + string(other) + text[i+1:]
			if err := h.Verify(ctx, "hunter2", changed); !errors.Is(err, passhash.ErrMismatch) {
				t.Errorf("%s with character %d changed: %v", text, i, err)
			}
		}
	}
}

// What the parameters say is what is done: each makes a difference.
func TestEveryParameterCounts(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct{ made, said passhash.Params }{
		{passhash.Argon2id{Memory: 32, Time: 1}, passhash.Argon2id{Memory: 36, Time: 1}},
		{passhash.Argon2id{Memory: 32, Time: 1}, passhash.Argon2id{Memory: 32, Time: 2}},
		{passhash.Argon2id{Memory: 32, Time: 1}, passhash.Argon2id{Memory: 32, Time: 1, Threads: 2}},
		{passhash.Scrypt{LogN: 1, R: 1}, passhash.Scrypt{LogN: 2, R: 1}},
		{passhash.Scrypt{LogN: 1, R: 1}, passhash.Scrypt{LogN: 1, R: 2}},
		{passhash.Scrypt{LogN: 1, R: 1}, passhash.Scrypt{LogN: 1, R: 1, P: 2}},
		{passhash.PBKDF2{Iterations: 1}, passhash.PBKDF2{Iterations: 2}},
		{passhash.PBKDF2{Iterations: 1}, passhash.PBKDF2{Iterations: 1, SHA512: true}},
	} {
		h := &passhash.Hasher{Params: c.made}
		text := hash(t, h, "hunter2")
		swapped := c.said.String() + strings.TrimPrefix(text, c.made.String())
		if err := h.Verify(ctx, "hunter2", swapped); !errors.Is(err, passhash.ErrMismatch) {
			t.Errorf("%s: %v", swapped, err)
		}
		if h.NeedsRehash(text) || !h.NeedsRehash(swapped) {
			t.Errorf("%s needs rehash %v, %s %v", text, h.NeedsRehash(text), swapped, h.NeedsRehash(swapped))
		}
	}
	// As do a shorter salt, a shorter output, and what is no hash.
	h := &passhash.Hasher{Params: passhash.Argon2id{Memory: 256}}
	for _, text := range []string{
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$nf65EOgLrQMR/uIPnA4rEg", "", "hunter2",
	} {
		if !h.NeedsRehash(text) {
			t.Errorf("%q needs no rehash", text)
		}
	}
	if h.NeedsRehash("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4") {
		t.Error("what is as it should be needs rehash")
	}
}

// Hashing with parameters that cannot be, or cost too much, is refused.
func TestParamsRefused(t *testing.T) {
	const huge = math.MaxInt
	ended, cancel := context.WithCancel(context.Background()) // so that none is tried out
	cancel()
	for _, c := range []struct {
		p    passhash.Params
		want error
	}{
		{passhash.Argon2id{Memory: 7}, passhash.ErrParams},
		{passhash.Argon2id{Memory: 31, Threads: 4}, passhash.ErrParams},
		{passhash.Argon2id{Memory: -1}, passhash.ErrParams},
		{passhash.Argon2id{Time: -1}, passhash.ErrParams},
		{passhash.Argon2id{Threads: -1}, passhash.ErrParams},
		{passhash.Argon2id{Threads: 256}, passhash.ErrParams},
		{passhash.Argon2id{Memory: 1<<20 + 1, Time: 1}, passhash.ErrCostly},
		{passhash.Argon2id{Memory: huge}, passhash.ErrCostly},
		{passhash.Argon2id{Time: huge}, passhash.ErrCostly},
		{passhash.Argon2id{Memory: 1 << 18, Time: 17}, passhash.ErrCostly},
		{passhash.Argon2id{Memory: 1<<18 + 1, Time: 1}, passhash.ErrCostly}, // over the 256 MiB of the Hasher
		{passhash.Scrypt{LogN: -1}, passhash.ErrParams},
		{passhash.Scrypt{R: -1}, passhash.ErrParams},
		{passhash.Scrypt{P: -1}, passhash.ErrParams},
		{passhash.Scrypt{LogN: 21}, passhash.ErrCostly},
		{passhash.Scrypt{LogN: 64}, passhash.ErrCostly},
		{passhash.Scrypt{LogN: huge, R: huge, P: huge}, passhash.ErrCostly},
		{passhash.Scrypt{LogN: 1, R: huge}, passhash.ErrCostly},
		{passhash.Scrypt{LogN: 1, P: huge}, passhash.ErrCostly},
		{passhash.Scrypt{LogN: 17, P: 9}, passhash.ErrCostly},
		{passhash.Scrypt{LogN: 18}, passhash.ErrCostly}, // over the 256 MiB of the Hasher, by little
		{passhash.PBKDF2{Iterations: -1}, passhash.ErrParams},
		{passhash.PBKDF2{Iterations: 10_000_001}, passhash.ErrCostly},
		{passhash.PBKDF2{Iterations: huge}, passhash.ErrCostly},
	} {
		h := &passhash.Hasher{Params: c.p}
		text, err := h.Hash(ended, "hunter2")
		if !errors.Is(err, c.want) || text != "" || !errors.Is(h.Check(), c.want) {
			t.Errorf("%+v: %q, %v, %v; want %v", c.p, text, err, h.Check(), c.want)
		}
	}
	for _, p := range []passhash.Params{
		passhash.Argon2id{Memory: 1 << 20, Time: 4, Threads: 255}, passhash.Argon2id{Memory: 1 << 18, Time: 16},
		passhash.Scrypt{LogN: 19}, passhash.Scrypt{LogN: 13, P: 10}, passhash.PBKDF2{SHA512: true, Iterations: 10_000_000},
	} {
		if err := (&passhash.Hasher{Params: p, Memory: 1 << 30}).Check(); err != nil {
			t.Errorf("%+v: %v", p, err)
		}
	}
}
