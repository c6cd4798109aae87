package kdf_test

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/keyfob-dev/keyfob/kdf"
)

func ExampleHKDF() {
	secret := []byte("stands for 32 random bytes......") // of a file or a vault
	cookies, err := kdf.HKDF(secret, nil, "myapp/cookies/v1", 32)
	if err != nil {
		fmt.Println(err)
		return
	}
	links, _ := kdf.HKDF(secret, nil, "myapp/links/v1", 32)
	fmt.Println(len(cookies), bytes.Equal(cookies, links))

	_, err = kdf.HKDF([]byte("hunter2"), nil, "myapp/cookies/v1", 32)
	fmt.Println(err)
	// Output:
	// 32 false
	// wrong secret: it has 7 bytes; HKDF needs 16 or more that nobody can guess
}

// The key of a file that a password protects. The parameters and the salt are stored
// in the file.
func ExampleArgon2id_Key() {
	params := kdf.Argon2id{Time: 3, Memory: 64 << 10, Threads: 4} // 64 MiB
	salt := []byte("16 random bytes.")                            // random.Bytes(16)
	key, err := params.Key([]byte("correct horse battery staple"), salt, 32)
	fmt.Println(len(key), err)
	// Output: 32 <nil>
}

// Parameters that were read from a file: a bound of memory is checked, a bound of time
// is the reader's to set.
func ExampleArgon2id_Check() {
	params := kdf.Argon2id{Time: 1, Memory: 1 << 30, Threads: 4}
	err := params.Check()
	fmt.Println(errors.Is(err, kdf.ErrParams))
	fmt.Println(err)
	// Output:
	// true
	// wrong parameters: memory is 1073741824 KiB; with so many threads 32 to 2097152 are possible
}

func ExampleScrypt_Key() {
	params := kdf.Scrypt{N: 1 << 14, R: 8, P: 5}
	key, err := params.Key([]byte("correct horse battery staple"), []byte("16 random bytes."), 32)
	fmt.Println(len(key), err)
	// Output: 32 <nil>
}

func ExampleScrypt_Check() {
	fmt.Println(kdf.Scrypt{N: 1000, R: 8, P: 1}.Check())
	// Output: wrong parameters: n is 1000; it is a power of two, 2 or more
}

func ExamplePBKDF2_Key() {
	params := kdf.PBKDF2{Hash: kdf.SHA256, Iterations: 600_000}
	key, err := params.Key([]byte("correct horse battery staple"), []byte("16 random bytes."), 32)
	fmt.Println(len(key), err)
	// Output: 32 <nil>
}

func ExamplePBKDF2_Check() {
	fmt.Println(kdf.PBKDF2{Hash: kdf.SHA512}.Check())
	// Output: wrong parameters: iterations are 0; 1 to 2147483647 are possible
}
