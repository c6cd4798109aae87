package token_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/keyfob-dev/keyfob/token"
)

func ExampleRandom() {
	t := token.Random() // such as eRZ8XGGwPhYhDNSZcQXcBUAIBgVDfJ7zpU1ZWoC0Mhs
	fmt.Println(len(t))
	// Output: 43
}

func ExampleURLSafe() {
	link := "https://app.example/reset?t=" + token.URLSafe(16) // 128 bits
	fmt.Println(len(link))
	// Output: 50
}

func ExampleHex() {
	fmt.Println(len(token.Hex(16))) // 128 bits
	// Output: 32
}

func ExampleBase32() {
	fmt.Println(len(token.Base32(20))) // 160 bits, as the seed of an authenticator app
	// Output: 32
}

func ExampleBase62() {
	fmt.Println(len(token.Base62(16))) // 22 characters: 130.99 bits
	// Output: 22
}

func ExampleBytes() {
	fmt.Println(len(token.Bytes(32)))
	// Output: 32
}

func ExampleNew() {
	t := token.New("acme_live")

	digests := map[string]string{} // stands for a table
	digests[t.ID()] = "digest of " + t.Secret()
	fmt.Println(len(t.Reveal()), "characters, shown once")

	line := fmt.Sprintf("issued %v", t) // no secret, whatever prints it
	fmt.Println(strings.Contains(line, t.ID()), strings.Contains(line, t.Secret()))
	// Output:
	// 75 characters, shown once
	// true false
}

func ExampleParse() {
	t, err := token.Parse("acme_live_0123456789ABCDEF0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg4EWimd")
	fmt.Println(t.Prefix(), t.ID(), err)
	fmt.Println(t)

	// One character is wrong.
	_, err = token.Parse("acme_live_0123456789ABCDEF0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefh4EWimd")
	fmt.Println(err, errors.Is(err, token.ErrMalformed))
	// Output:
	// acme_live 0123456789ABCDEF <nil>
	// acme_live_0123456789ABCDEF[REDACTED]
	// malformed: the checksum does not match: a character was changed true
}

func ExampleNewID() {
	id := token.NewID() // such as 7Gq2mZr0TkXb4yVd
	fmt.Println(len(id), token.CheckID(id))
	// Output: 16 <nil>
}

func ExampleCheckID() {
	fmt.Println(token.CheckID("0123456789ABCDEF"))
	fmt.Println(token.CheckID("../../etc/passwd"))
	// Output:
	// <nil>
	// malformed: the id holds a character other than A-Z, a-z and 0-9
}

func ExampleCheckPrefix() {
	fmt.Println(token.CheckPrefix("acme_live"))
	fmt.Println(token.CheckPrefix("Acme"))
	// Output:
	// <nil>
	// not a token prefix: it holds 'A'; only a-z, 0-9 and _ are allowed
}

func ExampleRedact() {
	fmt.Println(token.Redact("acme_live_0123456789ABCDEF0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg4EWimd"))
	fmt.Println(token.Redact("hunter2"))
	// Output:
	// acme_live_0123456789ABCDEF[REDACTED]
	// [REDACTED]
}

func ExampleRedactAll() {
	fmt.Println(token.RedactAll("GET /v1?key=acme_live_0123456789ABCDEF0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg4EWimd 401"))
	// Output: GET /v1?key=acme_live_0123456789ABCDEF[REDACTED] 401
}

func ExamplePattern() {
	scanner := regexp.MustCompile(token.Pattern("acme_live"))
	fmt.Println(scanner)

	for _, found := range scanner.FindAllString("key = acme_live_0123456789ABCDEF0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg4EWimd", -1) {
		if t, err := token.Parse(found); err == nil {
			fmt.Println("revoke", t.ID())
		}
	}
	// Output:
	// acme_live_[0-9A-Za-z]{65}
	// revoke 0123456789ABCDEF
}

func ExampleEqual() {
	stored := []byte("a digest")
	fmt.Println(token.Equal("a digest", stored), token.Equal("a digesT", stored))
	// Output: true false
}

func ExampleMaxBits() {
	bits, form := token.MaxBits("correct horse")
	fmt.Printf("at most %.0f bits, as %s\n", bits, form)
	// Output: at most 85 bits, as printable ASCII
}

func ExampleRecipe() {
	r := token.Recipe{Format: token.FormatBase62, Bytes: 16}
	fmt.Printf("%v: %d characters, %.2f bits\n", r, r.Length(), r.Bits())
	fmt.Println(len(r.New()))
	// Output:
	// base62, 16 bytes: 22 characters, 130.99 bits
	// 22
}

func ExampleRecipe_Many() {
	vouchers := slices.Collect(token.Recipe{Format: token.FormatBase32, Bytes: 10}.Many(1000))
	fmt.Println(len(vouchers), len(vouchers[0]))
	// Output: 1000 16
}

func ExampleRecipe_Each() {
	var out strings.Builder // stands for a file
	for text := range (token.Recipe{Prefix: "acme_live"}).Each(3) {
		out.Write(text)
		out.WriteByte('\n')
	}
	fmt.Println(out.Len())
	// Output: 228
}

func ExampleRecipe_Blocks() {
	var out strings.Builder // stands for a file
	for lines := range (token.Recipe{}).Blocks(1000, "", "\n") {
		out.Write(lines)
	}
	fmt.Println(out.Len())
	// Output: 44000
}

func ExampleFormat() {
	var f token.Format // a flag.TextVar, or a field that is read from JSON
	err := f.UnmarshalText([]byte("base32"))
	fmt.Println(f, err)
	// Output: base32 <nil>
}

// What comes from a configuration is checked once; New and its like panic where
// Check returns an error.
func ExampleRecipe_Check() {
	fmt.Println(token.Recipe{Prefix: "Acme"}.Check())
	fmt.Println(token.Recipe{Prefix: "acme"}.Check())
	// Output:
	// not a token prefix: it holds 'A'; only a-z, 0-9 and _ are allowed
	// <nil>
}
