package passhash_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/passhash"
)

// Hashes that other programs made, and say so in their tests.
var foreign = []struct{ from, password, hash string }{
	{"phc-winner-argon2, src/test.c", "password", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"},
	{"phc-winner-argon2, src/test.c", "password", "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"},
	{"passlib, also in RustCrypto scrypt, src/phc.rs", "password", "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E"},
	{"RustCrypto pbkdf2, src/phc.rs", "passwordPASSWORDpassword", "$pbkdf2-sha256$i=4096,l=40$c2FsdFNBTFRzYWx0U0FMVHNhbHRTQUxUc2FsdFNBTFRzYWx0$NIyJ28vTKy8y2BS4EW6EzysXNH68GAAYHE4qH7jdU+HGNVGMfaxH6Q"},
	{"hlandau/passlib, pbkdf2_test.go, written as PHC", "abcdefghijklmnop", "$pbkdf2-sha512$i=25000,l=64$O4fwPmdMyRmDUIrx/h9jTA$Xlp267ZwEbG4aOpN3Bve/ATo3rFA7WH8iMdS16Xbe9rc6P5welk1yiXEMPy7+BFp0qsncipHumaW1trCWVvq/A"},
}

func TestForeignHashes(t *testing.T) {
	ctx := context.Background()
	for _, f := range foreign {
		if err := passhash.Verify(ctx, f.password, f.hash); err != nil {
			t.Errorf("%s: %v", f.from, err)
		}
		if !passhash.NeedsRehash(f.hash) {
			t.Errorf("%s: is as the defaults", f.from)
		}
		if strings.Contains(f.hash, "ln=16") {
			continue // it takes a while
		}
		if err := passhash.Verify(ctx, f.password+"x", f.hash); !errors.Is(err, passhash.ErrMismatch) {
			t.Errorf("%s, with another password: %v", f.from, err)
		}
	}
}
