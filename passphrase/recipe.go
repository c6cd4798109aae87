package passphrase

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"math/big"
	"sort"
	"strconv"
	"strings"
)

// MaxSeparator is the longest separator, in bytes.
const MaxSeparator = 32

var (
	// ErrWords is wrapped by the error for a number of words that is not allowed, or
	// for entropy that no allowed number reaches.
	ErrWords = errors.New("wrong number of words")

	// ErrSeparator is wrapped by the error for a separator that cannot be used.
	ErrSeparator = errors.New("unusable separator")

	// ErrAmbiguous is wrapped by the errors for recipes in which different words, or
	// different places of the digit, can give the same text.
	ErrAmbiguous = errors.New("ambiguous phrases")
)

// A Recipe describes phrases, and makes them. The zero value makes what Random(6)
// makes. A Recipe can be copied and compared.
type Recipe struct {
	// Words in a phrase, 1 to MaxWords; 0 stands for 6.
	Words int

	// List is where they come from; nil stands for EFFLarge().
	List *List

	// Separator is put between the words; "" stands for "-". It is printable UTF-8
	// of at most MaxSeparator bytes, and may be or hold spaces.
	Separator string

	// NoSeparator puts nothing between the words. Separator must be empty.
	NoSeparator bool

	// Capitalize gives every word a capital first (in Unicode's title case). It
	// pleases rules and adds no entropy.
	Capitalize bool

	// Digit appends one digit, 0 to 9, to one of the words: each digit and each word
	// of the phrase is equally likely. It adds log2(10*Words) bits, 5.91 with six
	// words.
	Digit bool

	// NoRepeats makes the words of a phrase all different. It takes a little entropy
	// away: of six words of the large list, 0.0028 bits.
	NoRepeats bool
}

// Check says whether the recipe can be made. The error wraps ErrWords,
// ErrSeparator or ErrAmbiguous; where two sequences of words were found that read
// the same, it is an [*AmbiguousError]. The other methods panic where Check
// returns one.
//
// Unless the phrase is a single word, no two sequences of words may read the same,
// of however many words they are, each with at most one digit if there is to be
// one. It does not help that phrases have a fixed number of words: sequences u and v
// of different lengths that read the same make phrases of one length that do, u and
// then v, v and then u. Only for phrases that are shorter than those, for NoRepeats
// and for words that hold digits does Check refuse more than it would have to.
//
// The first check of a list with an unusual separator can take a moment; the
// answer is remembered with the list. For huge lists whose words begin one another
// it is given up after some seconds, and the separator refused.
func (r Recipe) Check() error {
	_, err := r.maker()
	return err
}

func checkWords(n int) error {
	if n < 1 || n > MaxWords {
		return fmt.Errorf("%w: %d; 1 to %d are allowed", ErrWords, n, MaxWords)
	}
	return nil
}

// maker checks the recipe and returns what makes its phrases.
func (r Recipe) maker() (maker, error) {
	list := r.list()
	m := maker{forms: list.plain, words: r.Words, separator: r.Separator, digit: r.Digit, noRepeats: r.NoRepeats}
	if m.words == 0 {
		m.words = defaultWords
	}
	if err := checkWords(m.words); err != nil {
		return maker{}, err
	}
	if r.NoRepeats && m.words > list.Len() {
		return maker{}, fmt.Errorf("%w: %d different words of a list of %d; use at most as many as there are, or allow repeats",
			ErrWords, m.words, list.Len())
	}
	switch {
	case r.NoSeparator && r.Separator != "":
		return maker{}, fmt.Errorf("%w: there is one, %q, and there is to be none; give one of the two", ErrSeparator, r.Separator)
	case r.NoSeparator:
	case r.Separator == "":
		m.separator = defaultSeparator
	case len(r.Separator) > MaxSeparator:
		return maker{}, fmt.Errorf("%w: it has %d bytes; %d are allowed", ErrSeparator, len(r.Separator), MaxSeparator)
	default:
		if why := checkText(r.Separator, true); why != "" {
			return maker{}, fmt.Errorf("%w: it %s", ErrSeparator, why)
		}
	}
	if r.Capitalize {
		m.forms = list.upper()
	}
	if t := m.forms.twins; t[0] != t[1] {
		return maker{}, &AmbiguousError{Text: m.forms.word(t[0]), One: []string{list.Word(t[0])}, Other: []string{list.Word(t[1])}, list: true}
	}
	if m.words == 1 {
		return m, nil // a word, and perhaps a digit at its end
	}
	return m, m.forms.unambiguous(m.separator, m.digit)
}

func (r Recipe) list() *List {
	if r.List == nil {
		return EFFLarge()
	}
	return r.List
}

// must is maker for the methods that need a good recipe.
func (r Recipe) must() maker {
	m, err := r.maker()
	if err != nil {
		panic("passphrase: Recipe: " + err.Error())
	}
	return m
}

// New returns one phrase.
func (r Recipe) New() string {
	m := r.must()
	return m.text()
}

// Many returns a sequence of n phrases. Each range over it makes new ones:
//
//	phrases := slices.Collect(passphrase.Recipe{Words: 7}.Many(100))
//
// The system's generator is read in blocks of a few kilobytes, which makes a phrase
// several times cheaper than one call for each. The bytes read ahead lie in memory
// until their phrases are made, or the loop is left; then they are overwritten. It
// panics if n is negative.
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

// Each is Many without an allocation for each phrase, for a loop that writes them
// out: the text is valid only until the loop's next step, and is then overwritten.
func (r Recipe) Each(n int) iter.Seq[[]byte] {
	m := r.must()
	if n < 0 {
		panic(fmt.Sprintf("passphrase: %d phrases: the number must be 0 or more", n))
	}
	return func(yield func([]byte) bool) { m.each(n, yield) }
}

// Count returns how many phrases the recipe can make, all equally likely: L^w for
// w words of a list of L, or L!/(L-w)! without repeats, and 10w times that with a
// digit.
func (r Recipe) Count() *big.Int {
	m := r.must()
	return m.count()
}

// Bits returns the entropy of one phrase, in bits: the logarithm to base 2 of
// Count, as close as a float64 can say it.
func (r Recipe) Bits() float64 { return log2(r.Count()) }

// log2 is the logarithm of n, which is 1 or more.
func log2(n *big.Int) float64 {
	fraction := new(big.Float)
	exponent := new(big.Float).SetInt(n).MantExp(fraction)
	f, _ := fraction.Float64()
	return float64(exponent) + math.Log2(f)
}

// ForBits returns the recipe with the fewest words that give at least so many bits;
// the Words that it had are of no account. The error wraps ErrWords if no allowed
// number of words does, and is that of Check if the recipe cannot be made.
func (r Recipe) ForBits(bits float64) (Recipe, error) {
	if !(bits > 0) || math.IsInf(bits, 0) {
		return Recipe{}, fmt.Errorf("%w: for %v bits; ask for a number above 0", ErrWords, bits)
	}
	most := MaxWords
	if r.NoRepeats {
		most = min(most, r.list().Len())
	}
	m := maker{forms: r.list().plain, digit: r.Digit, noRepeats: r.NoRepeats}
	words := 1 + sort.Search(most, func(i int) bool {
		m.words = i + 1
		return log2(m.count()) >= bits
	})
	if words > most {
		m.words = most
		return Recipe{}, fmt.Errorf("%w: %v bits are more than %d words of this list can have, %.2f; ask for at most that",
			ErrWords, bits, most, log2(m.count()))
	}
	r.Words = words
	return r, r.Check()
}

// String describes the recipe, as in `6 words of eff-large, joined by "-"` or `4
// words of a list of 1000, capitalized, joined by " ", a digit, no repeats`. It
// does not panic.
func (r Recipe) String() string {
	var b strings.Builder
	words := r.Words
	if words == 0 {
		words = defaultWords
	}
	b.WriteString(strconv.Itoa(words))
	b.WriteString(" word")
	if words != 1 {
		b.WriteByte('s')
	}
	if name := r.list().Name(); name != "" {
		b.WriteString(" of " + name)
	} else {
		fmt.Fprintf(&b, " of a list of %d", r.list().Len())
	}
	if r.Capitalize {
		b.WriteString(", capitalized")
	}
	switch {
	case r.NoSeparator:
		b.WriteString(", not separated")
	case r.Separator == "":
		fmt.Fprintf(&b, ", joined by %q", defaultSeparator)
	default:
		fmt.Fprintf(&b, ", joined by %q", r.Separator)
	}
	if r.Digit {
		b.WriteString(", a digit")
	}
	if r.NoRepeats {
		b.WriteString(", no repeats")
	}
	return b.String()
}
