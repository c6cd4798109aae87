package otp

import (
	"fmt"
	"testing"

	"github.com/keyfob-dev/keyfob/internal/draw"
)

// exact feeds a maker's write all tapes of so many bytes, and counts the texts that it
// makes of them: each of so many must come equally often. Tapes that are too short,
// since they hold too many rejected bytes, do not count.
func exact(tape []byte, length, texts int, write func(dst []byte, s *draw.Stream)) error {
	counts := map[string]int{}
	dst := make([]byte, length)
	var feed func(at int)
	feed = func(at int) {
		if at == len(tape) {
			if _, ok := draw.Replay(tape, func(s *draw.Stream) { write(dst, s) }); ok {
				counts[string(dst)]++
			}
			return
		}
		for b := range 256 {
			tape[at] = byte(b)
			feed(at + 1)
		}
	}
	feed(0)
	if len(counts) != texts {
		return fmt.Errorf("%d texts are made; there are %d", len(counts), texts)
	}
	common := -1
	for text, n := range counts {
		if common >= 0 && n != common {
			return fmt.Errorf("%q is made %d times, another text %d times", text, n, common)
		}
		common = n
	}
	return nil
}

// TestExact feeds every byte and every pair of bytes, for one character, where the
// first byte may be rejected, and for two. Codes have more characters, but their makers
// do to each what they do to the first.
func TestExact(t *testing.T) {
	for _, c := range []struct {
		format      Format
		bytes       int
		chars, size int // of the text, and how many there are
	}{
		{FormatDigits, 1, 1, 10}, {FormatDigits, 2, 1, 10}, {FormatDigits, 2, 2, 100},
		{FormatUnambiguous, 1, 1, 32}, {FormatUnambiguous, 2, 1, 32}, {FormatUnambiguous, 2, 2, 1024},
	} {
		m := maker{format: c.format, chars: c.chars}
		if err := exact(make([]byte, c.bytes), c.chars, c.size, m.write); err != nil {
			t.Errorf("%s, %d characters of %d bytes: %v", c.format, c.chars, c.bytes, err)
		}
	}
}

// TestExactRecovery looks at each place of a recovery code: on tapes that are zero but
// for one byte, the byte decides one character, each of 32 equally often, and no
// other.
func TestExactRecovery(t *testing.T) {
	m := maker{format: FormatRecovery, chars: recoveryChars}
	make := func(tape []byte) string {
		dst := [recoveryLength]byte{}
		if used, ok := draw.Replay(tape, func(s *draw.Stream) { m.write(dst[:], s) }); !ok || used != recoveryChars {
			t.Fatalf("a code takes %d bytes, %v; want %d", used, ok, recoveryChars)
		}
		return string(dst[:])
	}
	zero := make(bytesOf(recoveryChars))
	if zero != "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA" {
		t.Fatalf("a tape of zeros makes %s", zero)
	}
	for place := range recoveryChars {
		at := place + place/recoveryGroup
		counts := map[byte]int{}
		for b := range 256 {
			tape := bytesOf(recoveryChars)
			tape[place] = byte(b)
			code := make(tape)
			counts[code[at]]++
			if code[:at]+"A"+code[at+1:] != zero {
				t.Fatalf("byte %d changes other places: %s", place, code)
			}
		}
		for c, n := range counts {
			if n != 8 || len(counts) != 32 {
				t.Fatalf("place %d is %c in %d of 256, and one of %d", place, c, n, len(counts))
			}
		}
	}
}

func bytesOf(n int) []byte { return make([]byte, n) }

// TestMutantsOfExact: samplers that favour some codes are found.
func TestMutantsOfExact(t *testing.T) {
	each := func(char func(b byte) byte) func([]byte, *draw.Stream) {
		return func(dst []byte, s *draw.Stream) {
			for i := range dst {
				dst[i] = char(s.Next(1)[0])
			}
		}
	}
	for name, mutant := range map[string]func([]byte, *draw.Stream){
		"remainder":         each(func(b byte) byte { return digits[b%10] }),
		"scaled":            each(func(b byte) byte { return digits[int(b)*10/256] }),
		"no leading zero":   func(dst []byte, s *draw.Stream) { s.Chars(dst, "123456789"); s.Chars(dst[1:], digits) },
		"modulo of a word":  func(dst []byte, s *draw.Stream) { n := s.Next(2); dst[0] = digits[(int(n[0])<<8|int(n[1]))%10] },
		"one char too many": func(dst []byte, s *draw.Stream) { s.Chars(dst, digits+"0") },
	} {
		if err := exact(make([]byte, 2), 1, 10, mutant); err == nil {
			t.Errorf("the mutant %q passes for exact", name)
		}
	}
	remainder := each(func(b byte) byte { return unambiguous[b%31] })
	if err := exact(make([]byte, 1), 1, 32, remainder); err == nil {
		t.Error("a sampler that never draws 9 passes for exact")
	}
}
