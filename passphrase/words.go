package passphrase

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Tables of characters that words cannot have; see unfit.
var (
	// diacritics are the blocks of combining marks of European scripts, where a
	// letter and its mark have a second spelling as one character.
	diacritics = &unicode.RangeTable{R16: []unicode.Range16{
		{Lo: 0x0300, Hi: 0x036f, Stride: 1}, {Lo: 0x1ab0, Hi: 0x1aff, Stride: 1}, {Lo: 0x1dc0, Hi: 0x1dff, Stride: 1},
		{Lo: 0x20d0, Hi: 0x20ff, Stride: 1}, {Lo: 0xfe20, Hi: 0xfe2f, Stride: 1},
	}}

	// jamo are the letters that Hangul syllables are put together from.
	jamo = &unicode.RangeTable{R16: []unicode.Range16{
		{Lo: 0x1100, Hi: 0x11ff, Stride: 1}, {Lo: 0xa960, Hi: 0xa97f, Stride: 1}, {Lo: 0xd7b0, Hi: 0xd7ff, Stride: 1},
	}}

	unseen = []*unicode.RangeTable{unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector}
)

// unfit says why a character can be in no word, or returns "".
//
// A phrase has to be typed again, on another machine, from memory. So a word has
// nothing that is not seen, and nothing that keyboards and systems spell in
// another way than the list: what they normalise (to NFC) is refused where it is
// known here without the tables of Unicode, that is for European scripts and
// Hangul.
func unfit(r rune) string {
	switch {
	case unicode.IsSpace(r) && r != '\u0085' && (r >= ' ' || r == '\t'):
		return fmt.Sprintf("white space (%U)", r)
	case unicode.IsControl(r):
		return fmt.Sprintf("a control character (%U)", r)
	case r == utf8.RuneError:
		return "U+FFFD, which stands for characters that were lost; take the list from its source"
	case unicode.Is(jamo, r):
		return fmt.Sprintf("%U, a part of a Hangul syllable; write the syllable as one character (NFC)", r)
	case unicode.Is(diacritics, r):
		return fmt.Sprintf("a combining mark (%U); write the letter with its mark as one character (NFC)", r)
	case r == '\u2126', r == '\u212a', r == '\u212b':
		return fmt.Sprintf("%U, which is another spelling of the letter %q", r, map[rune]rune{'\u2126': 'Ω', '\u212a': 'K', '\u212b': 'Å'}[r])
	case unicode.In(r, unseen...), !unicode.IsPrint(r):
		return fmt.Sprintf("%U, which cannot be seen", r)
	}
	return ""
}

// checkText says what is wrong with a word or a separator, or returns "". A space
// may be in a separator.
func checkText(text string, spaces bool) string {
	if !utf8.ValidString(text) {
		return "is not UTF-8"
	}
	for i, r := range text {
		if spaces && r == ' ' {
			continue
		}
		if why := unfit(r); why != "" {
			return "holds " + why
		}
		if i == 0 && unicode.IsMark(r) {
			return fmt.Sprintf("begins with a mark (%U) that joins with what is before", r)
		}
	}
	return ""
}
