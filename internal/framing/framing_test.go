package framing

import (
	"encoding/hex"
	"testing"
)

func TestAppend(t *testing.T) {
	b := Append(nil, "ab")
	b = Append(b, []byte(nil))
	b = AppendInt(b, int64(-12))
	b = AppendInt(b, 0)
	if got, want := hex.EncodeToString(b), "00000002"+"6162"+"00000000"+"00000003"+"2d3132"+"00000001"+"30"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// All pairs of short fields encode apart.
func TestNoTwoAlike(t *testing.T) {
	texts := []string{""}
	for i := 0; i < len(texts) && len(texts) < 200; i++ {
		for _, c := range []string{"\x00", "\x01", "a"} {
			texts = append(texts, texts[i]+c)
		}
	}
	seen := map[string]bool{}
	for _, a := range texts {
		for _, b := range texts {
			text := string(Append(Append(nil, a), b))
			if seen[text] {
				t.Fatalf("(%q, %q) has the encoding of another pair", a, b)
			}
			seen[text] = true
		}
	}
}
