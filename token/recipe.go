package token

import (
	"fmt"
	"iter"
)

// A Recipe describes tokens, and makes them. The zero value makes what [Random]
// makes. A Recipe can be copied and compared.
type Recipe struct {
	// Format is the form of the text.
	Format Format

	// Bytes of entropy, 1 to MaxBytes; 0 stands for 32.
	Bytes int

	// Prefix, if not empty, asks for keyed tokens. Their form is fixed: Format and
	// Bytes must be zero.
	Prefix string
}

// Check says whether the recipe can be made. The error wraps ErrPrefix, ErrFormat
// or ErrSize. The other methods panic where Check returns one.
func (r Recipe) Check() error {
	if r.Prefix != "" {
		if r.Format != 0 || r.Bytes != 0 {
			return fmt.Errorf("%w: a keyed token has a fixed form; give a prefix, or a format and a size", ErrSize)
		}
		return CheckPrefix(r.Prefix)
	}
	if _, err := r.Format.MarshalText(); err != nil {
		return err
	}
	if r.Bytes < 0 || r.Bytes > MaxBytes {
		return fmt.Errorf("%w: %d bytes; 1 to %d are allowed", ErrSize, r.Bytes, MaxBytes)
	}
	return nil
}

// maker returns what makes the recipe's tokens, or panics.
func (r Recipe) maker() maker {
	if err := r.Check(); err != nil {
		panic("token: Recipe: " + err.Error())
	}
	if r.Prefix != "" {
		return keyedMaker(r.Prefix)
	}
	n := r.Bytes
	if n == 0 {
		n = defaultBytes
	}
	return maker{format: r.Format, bytes: n, length: r.Format.length(n)}
}

// New returns one token.
func (r Recipe) New() string { return r.maker().text() }

// Many returns a sequence of n tokens. Each range over it makes new ones:
//
//	codes := slices.Collect(token.Recipe{Format: token.FormatBase62, Bytes: 16}.Many(1000))
//
// The system's generator is read in blocks of a few kilobytes, which makes many
// tokens cheaper than as many calls. The bytes read ahead lie in memory until their
// tokens are made, or the loop is left; then they are overwritten. It panics if n
// is negative.
func (r Recipe) Many(n int) iter.Seq[string] {
	each := r.Each(n)
	return func(yield func(string) bool) {
		for text := range each {
			if !yield(string(text)) {
				return
			}
		}
	}
}

// Each is Many without an allocation for each token, for a loop that writes them
// out: the text is valid only until the loop's next step, and is then overwritten.
func (r Recipe) Each(n int) iter.Seq[[]byte] {
	m := r.many(n)
	return func(yield func([]byte) bool) { m.each(n, yield) }
}

// Blocks is Each for a loop that writes all of them out: it yields some kilobytes of
// tokens at a time, one at least, each between before and after.
//
//	for lines := range (token.Recipe{}).Blocks(1_000_000, "", "\n") {
//		os.Stdout.Write(lines)
//	}
//
// A block is valid only until the loop's next step, and is then overwritten.
func (r Recipe) Blocks(n int, before, after string) iter.Seq[[]byte] {
	m := r.many(n)
	return func(yield func([]byte) bool) { m.blocks(n, before, after, yield) }
}

// many is maker for a number of tokens, or panics.
func (r Recipe) many(n int) maker {
	m := r.maker()
	if n < 0 {
		panic(fmt.Sprintf("token: %d tokens: the number must be 0 or more", n))
	}
	return m
}

// Bits returns the entropy of one token, in bits: the logarithm to base 2 of the
// number of equally likely texts. It is 8 for each byte, in base62 5.954196… for
// each character, and for a keyed token that of its secret, 256.03: the id is
// public.
func (r Recipe) Bits() float64 {
	m := r.maker()
	switch {
	case m.prefix != "":
		return secretLength * log2of62
	case m.format == FormatBase62:
		return float64(m.length) * log2of62
	default:
		return 8 * float64(m.bytes)
	}
}

// Length returns the number of characters of each token; with FormatRaw, of bytes.
func (r Recipe) Length() int { return r.maker().length }

// String describes the recipe, as in "urlsafe, 32 bytes" or "keyed, prefix
// sk_live". It does not panic.
func (r Recipe) String() string {
	switch {
	case r.Prefix != "":
		return "keyed, prefix " + r.Prefix
	case r.Bytes == 0:
		r.Bytes = defaultBytes
	}
	if r.Bytes == 1 {
		return r.Format.String() + ", 1 byte"
	}
	return fmt.Sprintf("%s, %d bytes", r.Format, r.Bytes)
}
