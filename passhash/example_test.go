package passhash_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyfob-dev/keyfob/passhash"
)

func ExampleHash() {
	hash, err := passhash.Hash(context.Background(), "correct horse battery staple")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(hash[:31] + "…")

	_, err = passhash.Hash(context.Background(), "")
	fmt.Println(err)
	// Output:
	// $argon2id$v=19$m=19456,t=2,p=1$…
	// not a password: it is empty
}

// A login. The wait for memory ends with the request.
func ExampleVerify() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	stored := "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"

	for _, password := range []string{"password", "Password"} {
		err := passhash.Verify(ctx, password, stored)
		switch {
		case err == nil:
			fmt.Println("welcome")
		case errors.Is(err, passhash.ErrMismatch):
			fmt.Println("no")
		default:
			fmt.Println("not decided:", err) // and no login
		}
	}
	// Output:
	// welcome
	// no
}

// A hash of lesser parameters is replaced at the next login, when there is a password
// to hash.
func ExampleNeedsRehash() {
	ctx := context.Background()
	stored := "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	password := "password"

	if err := passhash.Verify(ctx, password, stored); err != nil {
		fmt.Println(err)
		return
	}
	if passhash.NeedsRehash(stored) {
		stored, _ = passhash.Hash(ctx, password)
	}
	fmt.Println(passhash.NeedsRehash(stored), stored[:30])
	// Output: false $argon2id$v=19$m=19456,t=2,p=1
}

// Parameters of one's own, and a bound for all hashing of the process together.
func ExampleHasher() {
	h := &passhash.Hasher{
		Params: passhash.Argon2id{Memory: 46 << 10, Time: 1}, // 46 MiB
		Memory: 512 << 20,
	}
	if err := h.Check(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(h.Params)
	hash, err := h.Hash(context.Background(), "correct horse battery staple")
	fmt.Println(h.Verify(context.Background(), "correct horse battery staple", hash), err)
	// Output:
	// $argon2id$v=19$m=47104,t=1,p=1
	// <nil> <nil>
}

// What was read from a configuration is judged at the start.
func ExampleHasher_Check() {
	h := &passhash.Hasher{Params: passhash.Argon2id{Memory: 4 << 20}}
	fmt.Println(h.Check())
	h = &passhash.Hasher{Memory: 16 << 20}
	fmt.Println(h.Check())
	// Output:
	// too costly: m is 4194304 KiB; at most 1048576 are allowed
	// too costly: it takes 19922944 bytes of memory, and all that is allowed is 16777216
}

// Unknown users cost what known ones do, so that time does not tell who has an account.
func ExampleHasher_Verify() {
	ctx := context.Background()
	h := &passhash.Hasher{Params: passhash.Argon2id{Memory: 12 << 10, Time: 3}}
	nobody, _ := h.Hash(ctx, "a password that nobody knows") // once, at the start; token.Random() is one

	users := map[string]string{} // stands for a table
	stored, known := users["mallory"]
	if !known {
		stored = nobody
	}
	err := h.Verify(ctx, "guess", stored)
	fmt.Println(known && err == nil)
	// Output: false
}

func ExampleHasher_Hash() {
	h := &passhash.Hasher{Params: passhash.Argon2id{Memory: 7 << 10, Time: 5}}
	hash, err := h.Hash(context.Background(), "correct horse battery staple")
	fmt.Println(hash[:29], err)
	// Output: $argon2id$v=19$m=7168,t=5,p=1 <nil>
}

func ExampleHasher_NeedsRehash() {
	h := &passhash.Hasher{Params: passhash.Argon2id{Memory: 256}}
	fmt.Println(h.NeedsRehash("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"))
	h.Params = passhash.Argon2id{Memory: 512}
	fmt.Println(h.NeedsRehash("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"))
	// Output:
	// false
	// true
}

func ExampleParams() {
	for _, p := range []passhash.Params{passhash.Argon2id{}, passhash.Scrypt{}, passhash.PBKDF2{}, passhash.PBKDF2{SHA512: true}} {
		fmt.Println(p)
	}
	// Output:
	// $argon2id$v=19$m=19456,t=2,p=1
	// $scrypt$ln=17,r=8,p=1
	// $pbkdf2-sha256$i=600000,l=32
	// $pbkdf2-sha512$i=220000,l=32
}
