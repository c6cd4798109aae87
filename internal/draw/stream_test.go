package draw_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"runtime/debug"
	"slices"
	"testing"
	"testing/cryptotest"

	"github.com/keyfob-dev/keyfob/internal/draw"
)

// TestStreamHandsOutOnce reads a stream in pieces of many sizes, and finds each in
// the system's output, in order and at a place of its own.
func TestStreamHandsOutOnce(t *testing.T) {
	const seed, block = 1, 16
	for _, step := range []int{1, 3, 5, 7, 8, 13, 16} {
		cryptotest.SetGlobalRandom(t, seed)
		s := draw.System(make([]byte, block))
		var got [][]byte
		for range 40 {
			got = append(got, bytes.Clone(s.Next(step)))
		}
		cryptotest.SetGlobalRandom(t, seed)
		for i := 0; i < len(got); {
			read := make([]byte, block)
			rand.Read(read)
			for ; len(read) >= step && i < len(got); i++ {
				if !bytes.Equal(got[i], read[:step]) {
					t.Fatalf("piece %d of %d bytes is %x; the system gave %x", i, step, got[i], read[:step])
				}
				read = read[step:]
			}
		}
	}
}

func TestStreamRead(t *testing.T) {
	const seed, block = 2, 16
	want := make([]byte, 1000)
	for _, sizes := range [][]int{{1000}, {16, 16}, {1, 2, 3}, {15, 1, 16}, {5, 500, 5, 17, 2}, {0, 3, 0, 13, 0}} {
		cryptotest.SetGlobalRandom(t, seed)
		rand.Read(want)
		cryptotest.SetGlobalRandom(t, seed)
		s := draw.System(make([]byte, block))
		at := 0
		for _, n := range sizes {
			p := make([]byte, n)
			s.Read(p)
			if !bytes.Equal(p, want[at:at+n]) {
				t.Errorf("reads of %d bytes: at %d %x; want %x", sizes, at, p, want[at:at+n])
			}
			at += n
		}
	}
}

// TestStreamWipes finds no random byte in the block after Clear.
func TestStreamWipes(t *testing.T) {
	block := make([]byte, 64)
	s := draw.System(block)
	s.Next(5)
	if bytes.Count(block, []byte{0}) == len(block) {
		t.Fatal("Next reads nothing into the block")
	}
	s.Clear()
	if bytes.Count(block, []byte{0}) != len(block) {
		t.Errorf("after Clear the block holds %x", block)
	}
	if bytes.Equal(s.Next(64), make([]byte, 64)) {
		t.Error("after Clear the stream hands out the zeros of its block")
	}
}

func TestBlock(t *testing.T) {
	buf := make([]byte, 512)
	for _, c := range []struct {
		draws int
		n     uint64
		want  int
	}{
		{0, 100, 1}, {1, 1, 1}, {1, 2, 2}, {1, 256, 2}, {1, 257, 4}, {10, 7776, 40}, {1, 1 << 63, 16}, {200, 7776, 512},
		{1 << 62, 1 << 63, 512},
	} {
		if got := len(draw.Block(buf, c.draws, c.n)); got != c.want {
			t.Errorf("Block for %d draws below %d has %d bytes; want %d", c.draws, c.n, got, c.want)
		}
	}
}

func TestReplay(t *testing.T) {
	used, ok := draw.Replay([]byte{1, 2, 3}, func(s *draw.Stream) { s.Next(2) })
	if used != 2 || !ok {
		t.Errorf("a sampler of 2 bytes uses %d, %v", used, ok)
	}
	if _, ok := draw.Replay([]byte{1, 2, 3}, func(s *draw.Stream) { s.Next(4) }); ok {
		t.Error("a tape of 3 bytes is enough for 4")
	}
	if _, ok := draw.Replay([]byte{1, 2, 3}, func(s *draw.Stream) { s.Read(make([]byte, 4)) }); ok {
		t.Error("a tape of 3 bytes is enough to read 4")
	}
	if got := panicOf(func() { draw.Replay(nil, func(*draw.Stream) { panic("other") }) }); got != "other" {
		t.Errorf("a sampler's panic comes out as %v", got)
	}
}

// TestBytesUsed pins how frugal the samplers are: the others depend on it for
// speed, and a test that feeds all inputs for their number.
func TestBytesUsed(t *testing.T) {
	tape := make([]byte, 64)
	for i := range tape {
		tape[i] = byte(i*37 + 11)
	}
	for what, c := range map[string]struct {
		sample func(*draw.Stream)
		want   int
	}{
		"Below(1)":         {func(s *draw.Stream) { s.Below(1) }, 0},
		"Below(256)":       {func(s *draw.Stream) { s.Below(256) }, 1},
		"Below(1<<16)":     {func(s *draw.Stream) { s.Below(1 << 16) }, 2},
		"Below(1<<63)":     {func(s *draw.Stream) { s.Below(1 << 63) }, 8},
		"Bits(100)":        {func(s *draw.Stream) { s.Bits(100) }, 13},
		"64 of 16":         {func(s *draw.Stream) { s.Chars(make([]byte, 64), letters(16)) }, 64},
		"Shuffle(2)":       {func(s *draw.Stream) { s.Shuffle(2, func(i, j int) {}) }, 1},
		"Sample(1<<40, 2)": {func(s *draw.Stream) { s.Sample(1<<40, 2) }, 10},
	} {
		if used, ok := draw.Replay(tape, c.sample); used != c.want || !ok {
			t.Errorf("%s uses %d bytes, %v; want %d", what, used, ok, c.want)
		}
	}
}

// TestSampleWaysAgree compares what Sample does for few of many items with the
// order of Fisher and Yates that it stands for, draw by draw.
func TestSampleWaysAgree(t *testing.T) {
	for n := range 200 {
		for _, k := range []int{0, 1, n / 40, n / 20, n / 16, n/16 + 1, n / 2, n} {
			if k > n {
				continue
			}
			tape := make([]byte, 4*k+64)
			rand.Read(tape)
			var got []int
			used, ok := draw.Replay(tape, func(s *draw.Stream) { got = s.Sample(n, k) })
			if !ok {
				continue // more rejections than the tape allows
			}
			want := make([]int, n)
			for i := range want {
				want[i] = i
			}
			again, _ := draw.Replay(tape, func(s *draw.Stream) {
				for i := range k {
					j := i + int(s.Below(uint64(n-i)))
					want[i], want[j] = want[j], want[i]
				}
			})
			if !slices.Equal(got, want[:k]) || used != again {
				t.Fatalf("Sample(%d, %d) of %x is %d; want %d", n, k, tape, got, want[:k])
			}
		}
	}
}

func TestSamplersPanic(t *testing.T) {
	s := draw.System(make([]byte, 8))
	for what, f := range map[string]func(){
		"Below(0)":         func() { s.Below(0) },
		"Next beyond":      func() { s.Next(9) },
		"empty alphabet":   func() { s.Chars(make([]byte, 1), "") },
		"257 characters":   func() { s.Chars(make([]byte, 1), letters(256)+"x") },
		"Sample(2, 3)":     func() { s.Sample(2, 3) },
		"Sample(2, -1)":    func() { s.Sample(2, -1) },
		"Sample(-1, 0)":    func() { s.Sample(-1, 0) },
		"Big of nothing":   func() { s.Big(s.Bits(0)) },
		"empty in a block": func() { var none draw.Stream; none.Chars(make([]byte, 1), "ab") },
	} {
		if got := panicOf(f); got == nil {
			t.Errorf("%s does not panic", what)
		} else if _, sentence := got.(string); !sentence {
			t.Errorf("%s panics with %v, which is no sentence of ours", what, got)
		}
	}
}

func panicOf(f func()) (r any) {
	defer func() { r = recover() }()
	f()
	return nil
}

// TestAllocates keeps the streams of small draws off the heap: what is on the heap
// cannot be wiped for sure.
func TestAllocates(t *testing.T) {
	var dst [43]byte
	n := testing.AllocsPerRun(100, func() {
		var block [64]byte
		s := draw.System(block[:])
		s.Chars(dst[:], "0123456789")
		s.Below(7776)
		s.Next(3)
		s.Shuffle(5, func(i, j int) { dst[i], dst[j] = dst[j], dst[i] })
		s.Clear()
	})
	if n != 0 && !raceDetector() {
		t.Errorf("a stream on the stack allocates %v times", n)
	}
}

// raceDetector reports whether the test was built with -race, under which
// crypto/rand itself allocates.
func raceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

func BenchmarkChars(b *testing.B) {
	for _, n := range []int{10, 62, 94, 256} {
		b.Run(fmt.Sprintf("%d of 4096", n), func(b *testing.B) {
			alphabet := letters(n)
			block, dst := make([]byte, 4096), make([]byte, 4096)
			s := draw.System(block)
			b.SetBytes(int64(len(dst)))
			for b.Loop() {
				s.Chars(dst, alphabet)
			}
		})
	}
	b.Run("peer/rand.Read of 4096", func(b *testing.B) {
		block := make([]byte, 4096)
		b.SetBytes(int64(len(block)))
		for b.Loop() {
			rand.Read(block)
		}
	})
}
