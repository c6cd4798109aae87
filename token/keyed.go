package token

import (
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"sync"

	"github.com/keyfob-dev/keyfob/internal/draw"
)

// The parts of a keyed token after its prefix and "_", in characters.
const (
	idLength       = 16
	secretLength   = 43 // ceil(256/log2(62))
	checksumLength = 6  // 62^6 is more than 2^32
	keyedLength    = idLength + secretLength + checksumLength
)

const redacted = "[REDACTED]"

// A Keyed is a keyed token: a prefix, a public id, and a secret of 256 bits.
//
// Whatever prints it prints the public part only, as in
// acme_live_7Gq2mZr0TkXb4yVd[REDACTED]: every verb of fmt, also from within a
// struct, slice or map that holds it; encoding/json, encoding/xml and every other
// encoder that takes a TextMarshaler; log/slog. [Keyed.Reveal] and [Keyed.Secret]
// are the only ways out.
//
// A Keyed is immutable and safe for concurrent use. It cannot be compared with ==;
// see [Equal]. The zero Keyed is empty, and is no token.
type Keyed struct {
	prefix, id string
	// A function hides the whole text even from printers that walk unexported
	// fields and follow pointers, and makes == a compile-time error.
	text func() string
}

// New makes a keyed token with a new id and a new secret: 256.03 bits of entropy,
// the id not counted. It panics if the prefix is not one that [CheckPrefix]
// accepts.
func New(prefix string) Keyed {
	if err := CheckPrefix(prefix); err != nil {
		panic("token: New: " + err.Error())
	}
	return split(keyedMaker(prefix).text())
}

// split takes a well-formed text apart.
func split(text string) Keyed {
	at := len(text) - keyedLength
	return Keyed{prefix: text[:at-1], id: text[at : at+idLength], text: func() string { return text }}
}

// writeKeyed fills dst with a token of the prefix.
func writeKeyed(dst []byte, prefix string, s *draw.Stream) {
	at := copy(dst, prefix)
	dst[at] = '_'
	end := len(dst) - checksumLength
	s.Chars(dst[at+1:end], base62)
	sum := checksum(dst[:end])
	copy(dst[end:], sum[:])
}

// checksum returns the CRC-32 (IEEE) of body as 6 characters of base62, the most
// significant first.
//
// A CRC of 32 bits finds every change that is confined to 32 successive bits, so
// every change of one character. A change within the checksum is found because it
// is compared as text, of which there is one only.
func checksum[T string | []byte](body T) (sum [checksumLength]byte) {
	// A copy, since hash/crc32 sends what it is given to the heap.
	text := copies.Get().(*[maxBody]byte)
	n := copy(text[:], body)
	v := crc32.ChecksumIEEE(text[:n])
	clear(text[:n])
	copies.Put(text)
	for i := range sum {
		sum[len(sum)-1-i] = base62[v%62]
		v /= 62
	}
	return sum
}

// maxBody is the most bytes before a checksum.
const maxBody = maxPrefix + 1 + idLength + secretLength

// copies hold nothing but zeros between two uses.
var copies = sync.Pool{New: func() any { return new([maxBody]byte) }}

// Prefix returns what stands before the last "_".
func (k Keyed) Prefix() string { return k.prefix }

// ID returns the public id: 16 characters of 0-9, A-Z and a-z.
func (k Keyed) ID() string { return k.id }

// Secret returns the secret alone, 43 characters of 0-9, A-Z and a-z. Keep only
// a digest of it, made under a key or at least with SHA-256; nothing slower is
// called for, since 256 random bits cannot be guessed.
func (k Keyed) Secret() string {
	text := k.Reveal()
	if text == "" {
		return ""
	}
	return text[len(text)-checksumLength-secretLength : len(text)-checksumLength]
}

// Reveal returns the whole token, for its holder.
func (k Keyed) Reveal() string {
	if k.text == nil {
		return ""
	}
	return k.text()
}

// String returns the token without its secret and checksum:
// acme_live_7Gq2mZr0TkXb4yVd[REDACTED].
func (k Keyed) String() string {
	if k.text == nil {
		return redacted
	}
	return k.prefix + "_" + k.id + redacted
}

// GoString is String.
func (k Keyed) GoString() string { return k.String() }

// Format writes String, whatever the verb.
func (k Keyed) Format(f fmt.State, verb rune) { io.WriteString(f, k.String()) }

// MarshalText returns String. A Keyed that was marshaled cannot be read back.
func (k Keyed) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// LogValue returns String.
func (k Keyed) LogValue() slog.Value { return slog.StringValue(k.String()) }
