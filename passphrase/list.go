package passphrase

import (
	"iter"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/sethvargo/go-diceware/diceware"
)

// A List is a list of words to draw from: two or more, no two alike. It never
// changes, and can be used by many goroutines at once.
type List struct {
	name  string
	dice  int
	plain *forms
	upper func() *forms // the words capitalised; made when first wanted
}

// EFFLarge returns the large list of the Electronic Frontier Foundation, of 2016:
// 7776 words of 3 to 9 characters, 12.924812… bits each. No word begins another,
// so that phrases of it need no separator. It is the list of five dice.
func EFFLarge() *List { return effLarge() }

// EFFShort returns the EFF's second short list, of 2016: 1296 words of 3 to 10
// characters, 10.339850… bits each. No two words share their first three
// characters, so that three identify a word, and phrases need no separator. It is
// the list of four dice.
func EFFShort() *List { return effShort() }

var (
	effLarge = sync.OnceValue(func() *List { return ofDice("eff-large", diceware.WordListEffLarge()) })
	effShort = sync.OnceValue(func() *List { return ofDice("eff-short", diceware.WordListEffSmall()) })
)

// ofDice takes over a list that is indexed by the numbers of dice.
func ofDice(name string, from diceware.WordList) *List {
	var words []string
	roll := 0
	for range from.Digits() {
		roll = roll*10 + 1
	}
	for ; roll != 0; roll = nextRoll(roll) {
		words = append(words, from.WordAt(roll))
	}
	return newList(name, from.Digits(), words)
}

// nextRoll counts in the digits 1 to 6: 16 is followed by 21, and 66 by 0.
func nextRoll(roll int) int {
	if roll == 0 {
		return 0
	}
	if roll%10 < 6 {
		return roll + 1
	}
	if roll = nextRoll(roll / 10); roll == 0 {
		return 0
	}
	return roll*10 + 1
}

// newList makes a list of words that were checked.
func newList(name string, dice int, words []string) *List {
	l := &List{name: name, dice: dice, plain: newForms(words)}
	l.upper = sync.OnceValue(func() *forms {
		capitals := make([]string, l.Len())
		for i := range capitals {
			capitals[i] = capitalized(l.Word(i))
		}
		return newForms(capitals)
	})
	return l
}

// capitalized is the word with a capital first: the title case of its first
// character, which changes nothing where that is no letter or has no case.
func capitalized(word string) string {
	r, size := utf8.DecodeRuneInString(word)
	return string(unicode.ToTitle(r)) + word[size:]
}

// Name returns "eff-large" or "eff-short" for the lists that are built in, and ""
// for others.
func (l *List) Name() string { return l.name }

// Len returns the number of words.
func (l *List) Len() int { return l.plain.len() }

// Word returns the word at place i, from 0, in the order of the list.
func (l *List) Word(i int) string { return l.plain.word(i) }

// All returns the places and words in the order of the list.
func (l *List) All() iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for i := range l.Len() {
			if !yield(i, l.Word(i)) {
				return
			}
		}
	}
}

// Bits returns the entropy of one word drawn from the list, in bits: the logarithm
// to base 2 of Len.
func (l *List) Bits() float64 { return math.Log2(float64(l.Len())) }

// Dice returns how many dice a word is rolled with, or 0 for a list that has no
// dice numbers.
func (l *List) Dice() int { return l.dice }

// Shortest returns the first of the words with the fewest characters (code points).
func (l *List) Shortest() string {
	return l.extreme(func(length, best int) bool { return length < best })
}

// Longest returns the first of the words with the most characters (code points).
func (l *List) Longest() string {
	return l.extreme(func(length, best int) bool { return length > best })
}

func (l *List) extreme(better func(length, best int) bool) string {
	found := l.Word(0)
	best := utf8.RuneCountInString(found)
	for _, word := range l.All() {
		if n := utf8.RuneCountInString(word); better(n, best) {
			found, best = word, n
		}
	}
	return found
}

// Prefix returns two words of which the first begins the other, or false if there
// are none: then the list is prefix-free, and its phrases need no separator. A
// list that is not can still do without; [Recipe.Check] decides it.
func (l *List) Prefix() (short, long string, found bool) {
	p := l.plain.prefix
	return p[0], p[1], p[0] != ""
}

// forms are the words of a list as phrases have them, as they are or capitalised,
// and what is known of them.
type forms struct {
	words   string   // one after the other
	padded  []byte   // the same, with room for a last copy of chunk bytes
	ends    []uint32 // where the words begin, and where the last ends
	longest int      // in bytes

	sorted []string
	prefix [2]string // a word and another that it begins; empty: prefix-free
	twins  [2]int    // the places of two words with one form; equal: there are none
	holds  [256]bool // the bytes that occur
	judged verdicts
}

func newForms(words []string) *forms {
	f := &forms{words: strings.Join(words, ""), ends: make([]uint32, 1, len(words)+1)}
	f.padded = append([]byte(f.words), make([]byte, chunk)...)
	end := 0
	for _, word := range words {
		end += len(word)
		f.ends = append(f.ends, uint32(end))
		f.longest = max(f.longest, len(word))
	}
	for i := range len(f.words) {
		f.holds[f.words[i]] = true
	}
	f.sorted = make([]string, len(words))
	for i := range words {
		f.sorted[i] = f.word(i)
	}
	slices.Sort(f.sorted)
	// A word that begins any other begins the one that follows it in this order.
	for i, word := range f.sorted[1:] {
		before := f.sorted[i]
		if word == before {
			f.twins = f.places(word)
		} else if f.prefix[0] == "" && strings.HasPrefix(word, before) {
			f.prefix = [2]string{before, word}
		}
	}
	return f
}

// places returns where the first two words with this form are.
func (f *forms) places(form string) (at [2]int) {
	found := 0
	for i := range f.len() {
		if f.word(i) == form && found < 2 {
			at[found] = i
			found++
		}
	}
	return at
}

func (f *forms) len() int { return len(f.ends) - 1 }

func (f *forms) word(i int) string { return f.words[f.ends[i]:f.ends[i+1]] }

// chunk is how many bytes are copied for a word that has no more: as many as most
// words have, in one move.
const chunk = 16

// append appends the word at place i to dst, which is cheaper where it has room for
// chunk bytes: then what is behind the word is overwritten as well.
func (f *forms) append(dst []byte, i int) []byte {
	from, to := int(f.ends[i]), int(f.ends[i+1])
	end := len(dst) + to - from
	if to-from > chunk || cap(dst)-len(dst) < chunk {
		return append(dst, f.words[from:to]...)
	}
	*(*[chunk]byte)(dst[len(dst) : len(dst)+chunk]) = *(*[chunk]byte)(f.padded[from : from+chunk])
	return dst[:end]
}
