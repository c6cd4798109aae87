package passhash

import (
	"context"
	"errors"
	"strings"
	"testing"
)

const (
	someSalt = "c29tZXNhbHQ"
	someSum  = "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	tail     = "$" + someSalt + "$" + someSum
)

// What one reads is what one writes, at the bounds as well.
func TestParse(t *testing.T) {
	long := strings.Repeat("A", 64) + "$" + strings.Repeat("A", 86)
	for text, want := range map[string]Params{
		"$argon2id$v=19$m=19456,t=2,p=1" + tail:                     Argon2id{19456, 2, 1},
		"$argon2id$v=19$m=8,t=1,p=1" + tail:                         Argon2id{8, 1, 1},
		"$argon2id$v=19$m=2040,t=1,p=255" + tail:                    Argon2id{2040, 1, 255},
		"$argon2id$v=19$m=1048576,t=4,p=4" + tail:                   Argon2id{1 << 20, 4, 4},
		"$argon2id$v=19$m=65536,t=3,p=4$" + long:                    Argon2id{65536, 3, 4},
		"$scrypt$ln=17,r=8,p=1" + tail:                              Scrypt{17, 8, 1},
		"$scrypt$ln=1,r=1,p=1" + tail:                               Scrypt{1, 1, 1},
		"$scrypt$ln=1,r=1024,p=1024" + tail:                         Scrypt{1, 1024, 1024},
		"$pbkdf2-sha256$i=600000,l=32" + tail:                       PBKDF2{false, 600_000},
		"$pbkdf2-sha512$i=10000000,l=64$" + long:                    PBKDF2{true, 10_000_000},
		"$pbkdf2-sha256$i=1,l=12$AAAAAAAAAAA$" + "AAAAAAAAAAAAAAAA": PBKDF2{false, 1},
	} {
		p, salt, sum, err := parse(text)
		if err != nil || p != want {
			t.Errorf("%s: %+v, %v", text, p, err)
		} else if again := format(p, salt, sum); again != text {
			t.Errorf("%s is written %s", text, again)
		}
	}
}

// Texts that are no hash, or one of many spellings, or cost too much: each is told at
// once, and by Verify and NeedsRehash too.
func TestParseRefuses(t *testing.T) {
	h := &Hasher{Memory: 1 << 40}
	ended, cancel := context.WithCancel(t.Context()) // so that none is tried out
	cancel()
	refuse := func(want error, texts ...string) {
		t.Helper()
		for _, text := range texts {
			_, _, _, err := parse(text)
			if !errors.Is(err, want) {
				t.Errorf("%q: %v; want %v", text, err, want)
			}
			if err := h.Verify(ended, "hunter2", text); !errors.Is(err, want) || errors.Is(err, ErrMismatch) {
				t.Errorf("Verify of %q: %v; want %v", text, err, want)
			}
			if !h.NeedsRehash(text) {
				t.Errorf("%q needs no rehash", text)
			}
			if err != nil && (strings.Contains(err.Error(), "c29t") || strings.Contains(err.Error(), "nf65")) {
				t.Errorf("%v repeats the text", err)
			}
		}
	}
	const argon = "$argon2id$v=19$m=256,t=2,p=1"
	refuse(ErrMalformed,
		"", "$", "$$", "hunter2", "argon2id"+tail, argon, argon+"$", argon+"$$", argon+"$"+someSalt, argon+"$"+someSalt+"$", argon+"$$"+someSum,
		argon+tail+"$", argon+tail+tail, "$"+argon+tail, " "+argon+tail, argon+tail+" ", argon+tail+"\n", argon+tail+"\x00", strings.Repeat("$", 1<<20),
		argon+tail+strings.Repeat("A", 1<<20), "\xff"+argon+tail,
		// Algorithms and versions.
		"$argon2i$v=19$m=256,t=2,p=1"+tail, "$argon2d$v=19$m=256,t=2,p=1"+tail, "$Argon2id$v=19$m=256,t=2,p=1"+tail,
		"$argon2id$m=256,t=2,p=1"+tail, "$argon2id$v=16$m=256,t=2,p=1"+tail, "$argon2id$v=019$m=256,t=2,p=1"+tail, "$argon2id$v=19,m=256,t=2,p=1"+tail,
		"$argon2id$V=19$m=256,t=2,p=1"+tail, "$scrypt$v=19$ln=1,r=1,p=1"+tail, "$pbkdf2$i=1,l=32"+tail, "$pbkdf2-sha1$i=1,l=32"+tail,
		"$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW", "$pbkdf2-sha256$1000"+tail,
		// Parameters: missing, twice, unknown, in another order.
		"$argon2id$v=19$m=256,t=2"+tail, "$argon2id$v=19$m=256,t=2,p=1,p=1"+tail, "$argon2id$v=19$m=256,m=256,p=1"+tail, "$argon2id$v=19$t=2,m=256,p=1"+tail,
		"$argon2id$v=19$m=256,t=2,p=1,keyid=AAAA"+tail, "$argon2id$v=19$m=256,t=2,p=1,data=AAAA"+tail, "$argon2id$v=19$m=256,t=2,q=1"+tail,
		"$argon2id$v=19$m=256,t=2,p=1,"+tail, "$argon2id$v=19$,m=256,t=2,p=1"+tail, "$argon2id$v=19$m=256,t=2,p"+tail, "$argon2id$v=19$m=256, t=2,p=1"+tail,
		"$argon2id$v=19$"+tail, "$argon2id$v=19"+tail, "$scrypt$n=2,r=1,p=1"+tail, "$scrypt$ln=1,p=1,r=1"+tail, "$pbkdf2-sha256$i=1"+tail, "$pbkdf2-sha256$l=32,i=1"+tail,
		"$argon2id$v=19$"+strings.Repeat("m=1,", 50)+tail,
		// Numbers: another spelling, out of range.
		"$argon2id$v=19$m=0256,t=2,p=1"+tail, "$argon2id$v=19$m=+256,t=2,p=1"+tail, "$argon2id$v=19$m=-256,t=2,p=1"+tail, "$argon2id$v=19$m=0x100,t=2,p=1"+tail,
		"$argon2id$v=19$m=2_56,t=2,p=1"+tail, "$argon2id$v=19$m=256.0,t=2,p=1"+tail, "$argon2id$v=19$m=,t=2,p=1"+tail, "$argon2id$v=19$m=\u0662,t=2,p=1"+tail,
		"$argon2id$v=19$m=256,t=0,p=1"+tail, "$argon2id$v=19$m=256,t=2,p=0"+tail, "$argon2id$v=19$m=0,t=2,p=1"+tail, "$argon2id$v=19$m=7,t=2,p=1"+tail,
		"$argon2id$v=19$m=31,t=2,p=4"+tail, "$argon2id$v=19$m=4096,t=2,p=256"+tail, "$argon2id$v=19$m=99999999999999999999999,t=2,p=1"+tail,
		"$scrypt$ln=0,r=1,p=1"+tail, "$scrypt$ln=1,r=0,p=1"+tail, "$scrypt$ln=1,r=1,p=0"+tail, "$pbkdf2-sha256$i=0,l=32"+tail, "$pbkdf2-sha256$i=00,l=32"+tail,
		"$pbkdf2-sha256$i=1,l=31"+tail, "$pbkdf2-sha256$i=1,l=33"+tail, "$pbkdf2-sha256$i=1,l=0"+tail, "$pbkdf2-sha256$i=1,l=032"+tail,
		// Salt and output: padding, other alphabets, bits too many, too short or long.
		argon+"$"+someSalt+"=$"+someSum, argon+tail+"=", argon+"$c29tZXNhbH-$"+someSum, argon+"$c29tZXNhbH.$"+someSum, argon+"$c29tZXNhbH\n$"+someSum,
		argon+"$c29tZ\nXNhbHQ$"+someSum, argon+"$c29tZ\r\nXNhbHQ$"+someSum, argon+"$c29tZXNhbHR$"+someSum, argon+"$"+someSalt+"$"+someSum[:42]+"5",
		argon+"$c29tZXNhbA$"+someSum, argon+"$"+strings.Repeat("A", 66)+"$"+someSum, argon+"$"+someSalt+"$"+strings.Repeat("A", 15),
		argon+"$"+someSalt+"$"+strings.Repeat("A", 87), argon+"$A$"+someSum,
	)
	refuse(ErrCostly,
		"$argon2id$v=19$m=2147483647,t=1,p=1"+tail, "$argon2id$v=19$m=1048577,t=1,p=1"+tail, "$argon2id$v=19$m=8,t=2147483647,p=1"+tail, "$argon2id$v=19$m=1048576,t=5,p=1"+tail,
		"$argon2id$v=19$m=2147483647,t=2147483647,p=255"+tail, "$scrypt$ln=63,r=8,p=1"+tail, "$scrypt$ln=64,r=8,p=1"+tail, "$scrypt$ln=2147483647,r=1,p=1"+tail,
		"$scrypt$ln=1,r=2147483647,p=1"+tail, "$scrypt$ln=1,r=1,p=2147483647"+tail, "$scrypt$ln=30,r=1024,p=1024"+tail, "$scrypt$ln=20,r=8,p=1"+tail, "$scrypt$ln=19,r=8,p=3"+tail,
		"$pbkdf2-sha256$i=10000001,l=32"+tail, "$pbkdf2-sha512$i=2147483647,l=32"+tail,
	)
	// What a Hasher has no memory for is refused, though another might have it.
	h.Memory = 1<<20 - 1
	if err := h.Verify(ended, "hunter2", "$argon2id$v=19$m=1024,t=1,p=1"+tail); !errors.Is(err, ErrCostly) {
		t.Error(err)
	}
	h.Memory = 1 << 20
	if err := h.Verify(t.Context(), "hunter2", "$argon2id$v=19$m=1024,t=1,p=1"+tail); !errors.Is(err, ErrMismatch) {
		t.Error(err)
	}
}

// The error says what is wrong, and what would be right.
func TestParseSays(t *testing.T) {
	const argon = "$argon2id$v=19$m=256,t=2,p=1"
	for text, want := range map[string]string{
		"hunter2":                                         "it is not of the form $algorithm$parameters$salt$output",
		"$argon2i$v=19$m=256,t=2,p=1" + tail:              "the algorithm is none of argon2id, scrypt,",
		"$argon2id$m=256,t=2,p=1" + tail:                  "argon2id has the version v=19",
		"$argon2id$v=16$m=256,t=2,p=1" + tail:             "argon2id has the version v=19",
		"$2b$12$R9h/cIPz0gi.URNNX3kh2O":                   "it is one of bcrypt, which is not read here",
		"$argon2id$v=19$m=256,t=2" + tail:                 "it has 2 parameters; they are m, t, p, each once",
		"$argon2id$v=19$t=2,m=256,p=1" + tail:             "parameter 1 is not m=; they are m, t, p, in this order",
		"$argon2id$v=19$m=256,m=256,p=1" + tail:           "parameter 2 is not t=",
		"$argon2id$v=19$m=256,t=02,p=1" + tail:            "t is not a whole number below 2^31, without leading zeros",
		"$argon2id$v=19$m=256,t=2,p=0" + tail:             "p is 0; 1 to 255 threads are possible",
		argon + "$" + someSalt:                            "after the parameters come the salt and the output",
		argon + tail + "=":                                "the output is not base64",
		argon + "$c29tZ\nXNhbHQ$" + someSum:               "the salt is not base64",
		argon + "$" + someSalt + "$" + someSum[:42] + "5": "the output is not base64",
		argon + "$c29tZXNhbA$" + someSum:                  "the salt has 7 bytes; 8 to 48 are possible",
		"$pbkdf2-sha256$i=1,l=31" + tail:                  "l is not the length of the output, which has 32 bytes",
		argon + strings.Repeat("A", 300):                  "it has 328 characters; at most 256 are possible",
	} {
		if _, _, _, err := parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %s", text, err, want)
		}
	}
}

// FuzzParse: no text has a second spelling, and none that is taken costs more than
// the bounds say. What costs little is verified.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"", "$", "$argon2id$v=19$m=19456,t=2,p=1" + tail, "$argon2id$v=19$m=8,t=1,p=1" + tail, "$argon2id$v=19$m=08,t=1,p=1" + tail, "$argon2id$v=19$t=1,m=8,p=1" + tail,
		"$argon2id$v=19$m=4294967295,t=4294967295,p=255" + tail, "$scrypt$ln=17,r=8,p=1" + tail, "$scrypt$ln=1,r=1,p=1" + tail, "$scrypt$ln=63,r=1,p=1" + tail,
		"$scrypt$ln=1,r=1024,p=1024" + tail, "$pbkdf2-sha256$i=1,l=32" + tail, "$pbkdf2-sha512$i=1,l=12$AAAAAAAAAAA$AAAAAAAAAAAAAAAA", "$pbkdf2-sha512$i=600000,l=32" + tail,
		"$pbkdf2-sha256$i=1,l=32" + tail + "=", "$pbkdf2-sha256$i=1,l=32" + tail + "\n", "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
	} {
		f.Add(text)
	}
	h := &Hasher{Memory: 1 << 30}
	f.Fuzz(func(t *testing.T, text string) {
		p, salt, sum, err := parse(text)
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrCostly) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if again := format(p, salt, sum); again != text {
			t.Errorf("%q is written %q", text, again)
		}
		if p != p.resolve() || p.check() != nil || p.memory() > maxMemory || p.memory() < 0 || len(salt) < minSalt || len(salt) > maxSalt || len(sum) < minSum || len(sum) > maxSum {
			t.Errorf("%q is out of bounds", text)
		}
		if cheap(p) {
			if err := h.Verify(context.Background(), "hunter2", text); !errors.Is(err, ErrMismatch) {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}

func cheap(p Params) bool {
	switch p := p.(type) {
	case Argon2id:
		return p.Memory <= 64 && p.Time <= 2
	case Scrypt:
		return p.LogN <= 4 && p.R <= 4 && p.P <= 4
	case PBKDF2:
		return p.Iterations <= 4
	}
	return false
}
