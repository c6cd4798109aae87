package token

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"slices"

	"github.com/keyfob-dev/keyfob/internal/draw"
)

const (
	// piece is how many bytes are encoded at a time: a multiple of 3 and of 5, so
	// that the encoded pieces join without padding.
	piece = 240

	// batchSize is how many characters, and how many random bytes, a call that
	// makes many tokens holds at a time. Reading more at once is not faster.
	batchSize = 4096
)

var unpaddedBase32 = base32.StdEncoding.WithPadding(base32.NoPadding)

// A maker is a recipe that was checked.
type maker struct {
	prefix string // not empty: keyed
	format Format
	bytes  int
	length int // of a token
}

// keyedMaker makes keyed tokens of a prefix that was checked.
func keyedMaker(prefix string) maker {
	return maker{prefix: prefix, length: len(prefix) + 1 + keyedLength}
}

// text makes one token.
func (m maker) text() string {
	var block [piece]byte
	var short [maxPrefix + 1 + keyedLength]byte
	s := draw.System(block[:min(len(block), m.need(1))])
	dst := short[:]
	if m.length > len(dst) {
		dst = make([]byte, m.length)
	}
	dst = dst[:m.length]
	m.write(dst, &s)
	text := string(dst)
	clear(dst)
	s.Clear()
	return text
}

// each makes n tokens, and yields each.
func (m maker) each(n int, yield func([]byte) bool) {
	m.blocks(n, "", "", func(block []byte) bool {
		for at := 0; at < len(block); at += m.length {
			if !yield(block[at : at+m.length : at+m.length]) {
				return false
			}
		}
		return true
	})
}

// blocks makes n tokens in batches, each token between before and after, and yields
// each batch.
func (m maker) blocks(n int, before, after string, yield func([]byte) bool) {
	size := len(before) + m.length + len(after)
	batch := min(max(1, batchSize/size), n)
	text := bytes.Repeat(slices.Concat([]byte(before), make([]byte, m.length), []byte(after)), batch)
	block := make([]byte, min(batchSize, m.need(batch)))
	s := draw.System(block)
	defer func() {
		clear(text)
		s.Clear()
	}()
	for ; n > 0; n -= batch {
		batch = min(batch, n)
		m.writeAll(text[len(before):], size, batch, &s)
		if !yield(text[: batch*size : batch*size]) {
			return
		}
	}
}

// writeAll makes n tokens, of which each begins so many bytes after the one before.
func (m maker) writeAll(dst []byte, size, n int, s *draw.Stream) {
	if m.alike() && size == m.length {
		m.fill(dst[:n*m.length], s)
		return
	}
	for i := range n {
		m.write(dst[i*size:i*size+m.length], s)
	}
}

// alike reports whether the characters of a token are drawn one like the other, so
// that many tokens are as good as a long one.
func (m maker) alike() bool {
	return m.prefix == "" && (m.format == FormatBase62 || m.format == FormatRaw)
}

// fill draws characters that are alike.
func (m maker) fill(dst []byte, s *draw.Stream) {
	if m.format == FormatBase62 {
		s.Chars(dst, base62)
	} else {
		s.Read(dst)
	}
}

// write makes one token. dst is as long as that.
func (m maker) write(dst []byte, s *draw.Stream) {
	switch {
	case m.prefix != "":
		writeKeyed(dst, m.prefix, s)
	case m.alike():
		m.fill(dst, s)
	default:
		left := m.bytes
		for ; left > piece; left -= piece {
			encode(dst, s.Next(piece), m.format)
			dst = dst[m.format.length(piece):]
		}
		encode(dst, s.Next(left), m.format)
	}
}

func encode(dst, src []byte, f Format) {
	switch f {
	case FormatURLSafe:
		base64.RawURLEncoding.Encode(dst, src)
	case FormatHex:
		hex.Encode(dst, src)
	case FormatBase32:
		unpaddedBase32.Encode(dst, src)
	}
}

// need returns how many random bytes n tokens take, or for characters, where that
// is up to chance, somewhat more: a second read is rare. It is at least 1, and
// exact only as far as it is below the size of a block.
func (m maker) need(n int) int {
	chars := 0
	switch {
	case m.prefix != "":
		chars = n * (idLength + secretLength)
	case m.format == FormatBase62:
		chars = n * m.length
	default:
		return n * min(m.bytes, piece)
	}
	return chars + chars/16 + 4
}
