// Package passphrase makes phrases of words that people can remember and type.
//
//	p := passphrase.Random(6) // 77.55 bits, such as gallery-unpaved-cozily-drop-down-mutt-rerun
//
// The words come from the large list of the Electronic Frontier Foundation, which
// was made for this: 7776 words, each worth log2(7776) = 12.924812… bits. Six of
// them (77.55 bits) suit what is guessed at through a slow password hash; seven
// (90.47) or eight (103.40) suit what encrypts files. The strength is in how the
// words are drawn, not in how they look: keep what comes, and do not pick the
// nicest of several.
//
// A [Recipe] says what else is wanted: another [List], a separator, capitals, a
// digit, no word twice. It knows the exact number of its phrases, and makes many
// at once. [ReadList] reads a list from a file.
//
// # Exactly how many
//
// The entropy of a recipe is the logarithm of the number of its phrases, as long
// as no two ways to draw give the same text. They can: without a separator, "the"
// and "rapist" read as "therapist" does; and joined by "-", "drop" and "down" read
// as the word "drop-down". Such phrases are guessed with fewer attempts than the
// words say, and so [Recipe.Check] refuses every recipe whose texts cannot all be
// taken apart again in one way only, and gives two sequences of words that read
// the same. What it accepts has an entropy that is exact, and all of its phrases
// are equally likely.
//
// # What every generator here promises
//
//   - The randomness is that of crypto/rand, on every call. Nothing can be seeded,
//     and no random bytes are kept from one call to the next.
//   - Each word is drawn without bias: draws that would favour some are rejected
//     and repeated.
//   - It cannot fail, so there is no error. A number of words that only a
//     programmer can get wrong panics, with a sentence that says what would be
//     right; [Recipe.Check] judges the wishes of others beforehand, and lists are
//     read with errors that name the lines.
//   - It is safe for concurrent use.
package passphrase

// MaxWords is the largest number of words in a phrase.
const MaxWords = 1024

const (
	defaultWords     = 6
	defaultSeparator = "-"
)

// Random returns a phrase of n words of the EFF's large list, joined by "-": n
// times 12.924812503605781 bits of entropy, the logarithm to base 2 of 7776. It is
// Recipe{Words: n}.New(). A word can come more than once. It panics unless n is 1
// to MaxWords.
func Random(n int) string {
	m := wordsOf("Random", n)
	return m.text()
}

// wordsOf is the maker of the default recipe with n words, or panics.
func wordsOf(name string, n int) maker {
	if err := checkWords(n); err != nil {
		panic("passphrase: " + name + ": " + err.Error())
	}
	return maker{forms: EFFLarge().plain, words: n, separator: defaultSeparator}
}
