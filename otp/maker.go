package otp

import "github.com/keyfob-dev/keyfob/internal/draw"

// batchSize is how many characters, and how many random bytes, a call that makes many
// codes holds at a time.
const batchSize = 4096

// A maker is a recipe that was checked.
type maker struct {
	format Format
	chars  int // that are drawn for a code
}

// length returns the number of characters of a code, those between groups included.
func (m maker) length() int {
	if m.format == FormatRecovery {
		return recoveryLength
	}
	return m.chars
}

// need returns how many random bytes n codes take, or with digits, some of which are
// rejected, somewhat more: a second read is rare.
func (m maker) need(n int) int {
	chars := n * m.chars
	if m.format == FormatDigits {
		return chars + chars/16 + 4
	}
	return chars
}

// text makes one code.
func (m maker) text() string {
	var block, buf [maxUnambiguous]byte
	s := draw.System(block[:m.need(1)])
	dst := buf[:m.length()]
	m.write(dst, &s)
	code := string(dst)
	clear(dst)
	s.Clear()
	return code
}

// write makes one code. dst is as long as that.
func (m maker) write(dst []byte, s *draw.Stream) {
	if m.format != FormatRecovery {
		s.Chars(dst, m.format.alphabet())
		return
	}
	for {
		s.Chars(dst[:recoveryGroup], unambiguous)
		if len(dst) == recoveryGroup {
			return
		}
		dst[recoveryGroup] = '-'
		dst = dst[recoveryGroup+1:]
	}
}

// each makes n codes in batches, and yields each.
func (m maker) each(n int, yield func([]byte) bool) {
	length := m.length()
	batch := min(max(1, batchSize/length), n)
	text := make([]byte, batch*length)
	block := make([]byte, min(batchSize, m.need(batch)))
	s := draw.System(block)
	defer func() {
		clear(text)
		s.Clear()
	}()
	for ; n > 0; n -= batch {
		batch = min(batch, n)
		for i := range batch {
			m.write(text[i*length:(i+1)*length], &s)
		}
		for i := range batch {
			at := i * length
			if !yield(text[at : at+length : at+length]) {
				return
			}
		}
	}
}
