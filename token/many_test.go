package token_test

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"

	"github.com/keyfob-dev/keyfob/token"
)

// recipes has one of each kind, and sizes around the batches.
func recipes() []token.Recipe {
	all := []token.Recipe{{}, {Prefix: "a"}, {Prefix: "sk_live"}, {Prefix: strings.Repeat("p", 32)}}
	for f := range oneCall {
		for _, n := range []int{1, 16, 32, 100, 241, 5000} {
			all = append(all, token.Recipe{Format: f, Bytes: n})
		}
	}
	return all
}

// TestMany makes numbers around the batches of every recipe: each token has the
// recipe's form, and no two that are long enough to differ are alike.
func TestMany(t *testing.T) {
	for _, r := range recipes() {
		for _, n := range []int{0, 1, 2, 3, 95, 96, 127, 128, 129, 300} {
			if r.Length() > 1000 && n > 3 {
				break // one is a batch
			}
			seen := map[string]bool{}
			count := 0
			for text := range r.Many(n) {
				count++
				if len(text) != r.Length() {
					t.Fatalf("%v: a token of many has %d characters", r, len(text))
				}
				checkForm(t, r, text)
				if r.Bytes != 1 && seen[text] {
					t.Fatalf("%v: %q comes twice", r, text)
				}
				seen[text] = true
			}
			if count != n {
				t.Errorf("%v: Many(%d) makes %d", r, n, count)
			}
		}
	}
}

// checkForm finds a token that does not have its recipe's form.
func checkForm(t *testing.T, r token.Recipe, text string) {
	t.Helper()
	if r.Prefix != "" {
		if k, err := token.Parse(text); err != nil || k.Prefix() != r.Prefix {
			t.Fatalf("%v: %q: %v", r, text, err)
		}
	} else if !alphabets[r.Format].MatchString(text) {
		t.Fatalf("%v: %q", r, text)
	} else if decode := decoders[r.Format]; decode != nil {
		if b, err := decode(text); err != nil || r.Bytes > 0 && len(b) != r.Bytes {
			t.Fatalf("%v: %q decodes to %x, %v", r, text, b, err)
		}
	}
}

// TestManyIsNew: a sequence that is ranged over again makes other tokens, and one
// that is left early stops.
func TestManyIsNew(t *testing.T) {
	for _, r := range recipes() {
		if r.Bytes == 1 {
			continue
		}
		many := r.Many(200)
		first := slices.Collect(many)
		again := slices.Collect(many)
		for _, text := range again {
			if slices.Contains(first, text) {
				t.Fatalf("%v: the second range gives %q again", r, text)
			}
		}
		count := 0
		for range many {
			if count++; count == 3 {
				break
			}
		}
		if count != 3 {
			t.Errorf("%v: the range goes on after it was left", r)
		}
	}
}

// TestEachWipes keeps a text that Each has handed out, against its contract, and
// finds zeros in it after the loop: also where the loop was left early or panicked.
func TestEachWipes(t *testing.T) {
	for _, r := range recipes() {
		for how, loop := range map[string]func(keep func([]byte) bool){
			"whole": func(keep func([]byte) bool) {
				for text := range r.Each(150) {
					keep(text)
				}
			},
			"left": func(keep func([]byte) bool) {
				for text := range r.Each(150) {
					if keep(text) {
						break
					}
				}
			},
			"panicked": func(keep func([]byte) bool) {
				panicOf(func() {
					for text := range r.Each(150) {
						keep(text)
						panic("out")
					}
				})
			},
		} {
			var kept []byte
			loop(func(text []byte) bool {
				if len(text) != r.Length() || cap(text) != len(text) {
					t.Fatalf("%v: the text has %d bytes and room for %d", r, len(text), cap(text))
				}
				kept = text
				return true
			})
			for _, b := range kept {
				if b != 0 {
					t.Errorf("%v, %s: after the loop %q is left in memory", r, how, kept)
					break
				}
			}
		}
	}
}

// TestBlocks: a block is whole tokens, each between the two texts, and all blocks
// together are as many as were asked for, each token another.
func TestBlocks(t *testing.T) {
	for _, r := range recipes() {
		for _, around := range [][2]string{{"", "\n"}, {`{"secret":"`, "\"}\n"}, {"", ""}, {strings.Repeat("<", 5000), ">"}} {
			for _, n := range []int{0, 1, 2, 93, 94, 300} {
				if r.Length() > 1000 && n > 2 {
					break
				}
				before, after := around[0], around[1]
				seen := map[string]bool{}
				count := 0
				for block := range r.Blocks(n, before, after) {
					if len(block) == 0 || cap(block) != len(block) {
						t.Fatalf("%v: a block of %d bytes with room for %d", r, len(block), cap(block))
					}
					for len(block) > 0 {
						text := string(block[len(before):][:r.Length()])
						if !strings.HasPrefix(string(block), before+text+after) {
							t.Fatalf("%v: %.80q is not a token between %.10q and %.10q", r, block, before, after)
						}
						checkForm(t, r, text)
						if r.Bytes != 1 && seen[text] {
							t.Fatalf("%v: %q comes twice", r, text)
						}
						seen[text] = true
						block = block[len(before)+len(text)+len(after):]
						count++
					}
				}
				if count != n {
					t.Errorf("%v: Blocks(%d) makes %d", r, n, count)
				}
			}
		}
	}
}

// TestBlocksWipes: of a block that was kept nothing is left, also after a loop that
// was left early.
func TestBlocksWipes(t *testing.T) {
	for _, r := range recipes() {
		for _, leave := range []bool{false, true} {
			var kept []byte
			for block := range r.Blocks(300, "", "\n") {
				if kept = block; leave {
					break
				}
			}
			if len(bytes.Trim(kept, "\x00")) > 0 {
				t.Errorf("%v: after the loop %q is left in memory", r, kept)
			}
		}
	}
}

// TestNothingIsKept makes every form twice on the same bytes of the system. If a
// call left random bytes behind for the next, the second would differ.
func TestNothingIsKept(t *testing.T) {
	makers := map[string]func() string{"Random": token.Random, "NewID": token.NewID, "New": func() string { return token.New("sk").Reveal() }}
	for f, make := range oneCall {
		makers[f.String()] = func() string { return make(20) }
	}
	for _, r := range recipes() {
		makers["Many "+r.String()] = func() string { return strings.Join(slices.Collect(r.Many(3)), " ") }
		makers["Blocks "+r.String()] = func() string {
			text := ""
			for block := range r.Blocks(3, "", " ") {
				text += string(block)
			}
			return text
		}
	}
	for what, make := range makers {
		seen := map[string]bool{}
		for seed := range uint64(5) {
			cryptotest.SetGlobalRandom(t, seed)
			first := make()
			cryptotest.SetGlobalRandom(t, seed)
			if again := make(); first != again {
				t.Errorf("%s depends on an earlier call: %q, then %q", what, first, again)
			}
			seen[first] = true
		}
		if len(seen) < 2 { // it does not read crypto/rand at all
			t.Errorf("%s is the same for all states of the system", what)
		}
	}
}

func TestConcurrent(t *testing.T) {
	many := token.Recipe{Format: token.FormatBase62}.Many(50)
	var group sync.WaitGroup
	var lock sync.Mutex
	seen := map[string]bool{}
	for range 8 {
		group.Go(func() {
			for text := range many {
				for _, s := range []string{text, token.Random(), token.NewID(), token.New("sk").Reveal()} {
					lock.Lock()
					if seen[s] {
						t.Errorf("%q comes twice", s)
					}
					seen[s] = true
					lock.Unlock()
				}
			}
		})
	}
	group.Wait()
}
