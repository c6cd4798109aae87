// Package token makes random text that stands for somebody: bearer tokens, reset
// links, session ids, API keys.
//
//	t := token.Random() // 256 bits, 43 characters of A-Z a-z 0-9 - _
//
// [URLSafe], [Hex], [Base32], [Base62] and [Bytes] do the same in other forms; the
// n they take is always bytes of entropy, so that every form of the same n is
// equally hard to guess. A [Recipe] says the same as a value: it knows its exact
// entropy, and makes many at once. 16 bytes are out of reach of every guesser;
// 32, the size of Random, leave room for every use.
//
// # Keyed tokens
//
// A keyed token carries a public id and a checksum:
//
//	<prefix>_<id: 16 characters><secret: 43><checksum: 6>
//
// The prefix tells people and scanners whose token it is. The id is safe to log,
// to list and to revoke by, and finds the token's record. The secret has 256 bits.
// The checksum (CRC-32) lets a mistyped token be refused, and a scanner's finding
// be confirmed, without a look-up; it protects nothing, since everybody can
// compute it.
//
//	t := token.New("acme_live")
//	store(t.ID(), digest(t.Secret()))
//	show(t.Reveal())
//
//	t, err := token.Parse(presented) // form and checksum; not whether it was issued
//
// A [Keyed] prints without its secret, whatever prints it.
//
// # What every generator here promises
//
//   - The randomness is that of crypto/rand, on every call. Nothing can be seeded,
//     and no random bytes are kept from one call to the next.
//   - Each character is drawn without bias. The entropy that [Recipe.Bits] gives is
//     exact: the logarithm of the number of equally likely outputs.
//   - It cannot fail, so there is no error. A size or a prefix that only a
//     programmer can get wrong panics, with a sentence that says what would be
//     right; [Recipe.Check] and [CheckPrefix] judge those of others beforehand.
//   - It is safe for concurrent use.
package token

import (
	"fmt"

	"github.com/keyfob-dev/keyfob/random"
)

// MaxBytes is the largest size of a token, in bytes of entropy.
const MaxBytes = 1 << 20

// defaultBytes is the size of Random and of a Recipe that names none.
const defaultBytes = 32

// Random returns a token of 256 bits of entropy: 43 characters of A-Z, a-z, 0-9,
// "-" and "_", which need no quoting in URLs, headers, cookies and file names. It
// is URLSafe(32). Without a reason to do otherwise, use this.
func Random() string {
	return maker{format: FormatURLSafe, bytes: defaultBytes, length: 43}.text()
}

// URLSafe returns a token of n bytes of entropy in base64url without padding (RFC
// 4648, section 5): 8n bits in ceil(8n/6) characters. It panics unless n is 1 to
// MaxBytes.
func URLSafe(n int) string { return sized("URLSafe", FormatURLSafe, n).text() }

// Hex returns a token of n bytes of entropy in lower-case hexadecimal (RFC 4648,
// section 8): 8n bits in 2n characters. It panics unless n is 1 to MaxBytes.
func Hex(n int) string { return sized("Hex", FormatHex, n).text() }

// Base32 returns a token of n bytes of entropy in upper-case base32 without padding
// (RFC 4648, section 6): 8n bits in ceil(8n/5) characters of A-Z and 2-7. It is for
// people who read it aloud, and for systems that ignore case. It panics unless n
// is 1 to MaxBytes.
func Base32(n int) string { return sized("Base32", FormatBase32, n).text() }

// Base62 returns a token of at least n bytes of entropy in characters of 0-9, A-Z
// and a-z, which a double click selects as one word. There are ceil(8n/log2(62))
// of them, the fewest that can carry 8n bits, and each is drawn uniformly: that
// makes a little more than 8n bits, which [Recipe.Bits] gives exactly. It does not
// encode bytes, and cannot be decoded. It panics unless n is 1 to MaxBytes.
func Base62(n int) string { return sized("Base62", FormatBase62, n).text() }

// Bytes returns n random bytes, for tokens that are sent or stored as they are: 8n
// bits of entropy. It panics unless n is 1 to MaxBytes.
func Bytes(n int) []byte {
	return random.Bytes(sized("Bytes", FormatRaw, n).length)
}

// sized returns the maker behind a one-call function, or panics.
func sized(name string, f Format, n int) maker {
	if n < 1 || n > MaxBytes {
		panic(fmt.Sprintf("token: %s(%d): the size must be 1 to %d bytes", name, n, MaxBytes))
	}
	return maker{format: f, bytes: n, length: f.length(n)}
}
