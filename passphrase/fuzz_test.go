package passphrase_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/keyfob-dev/keyfob/passphrase"
)

// FuzzParseList: what is accepted has words that are not empty, are printed and
// are unique, and has one spelling: writing the list out gives the text back, but
// for the blanks behind dice numbers, which are looked at apart. What is refused
// says where.
func FuzzParseList(f *testing.F) {
	for _, seed := range []string{
		"", "a\nb\n", "a\nb", "a\r\nb\r\n", "a\nb\r\n", "11\ta\n12\tb\n", "11 a\n12 b", "11111 abacus\n11112 abdomen\n", "1 a\n7 b\n",
		"a\na\n", "\ufeffa\nb\n", "# c\na\nb\n", "é\ne\u0301\n", "\xff\n", "a b\nc\n", "a\n\nb\n", "the\nrapist\ntherapist\n", "1\n2\n3\n",
		"1 #\n2 ##\n", strings.Repeat("x", 65) + "\na\n", "\u1112\na\n", "a\x00\nb\n", "11 a\n11 b\n", "1 1\n2 2\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := passphrase.ParseList(text)
		if err != nil {
			var list *passphrase.ListError
			if l != nil || !errors.As(err, &list) || len(list.Problems) == 0 || len(list.Problems) > passphrase.MaxProblems || list.Count < len(list.Problems) {
				t.Fatalf("%q: %v", text, err)
			}
			if strings.ContainsFunc(err.Error(), unicode.IsControl) || !utf8.ValidString(err.Error()) {
				t.Fatalf("%q: the error is %q", text, err)
			}
			return
		}
		seen := map[string]bool{}
		for _, word := range l.All() {
			if word == "" || seen[word] || !utf8.ValidString(word) || utf8.RuneCountInString(word) > passphrase.MaxWordLength {
				t.Fatalf("%q: the word %q", text, word)
			}
			seen[word] = true
			for _, r := range word {
				if unicode.IsSpace(r) || !unicode.IsPrint(r) {
					t.Fatalf("%q: the word %q holds %U", text, word, r)
				}
			}
		}
		if l.Len() < 2 || l.Len() != len(seen) {
			t.Fatalf("%q: %d words", text, l.Len())
		}
		if got := rewrite(text, l); got != text {
			t.Fatalf("%q has another spelling: %q", text, got)
		}
		if err := (passphrase.Recipe{List: l, Separator: " "}).Check(); err != nil {
			t.Fatalf("%q: a space does not keep words apart: %v", text, err)
		}
		checkNoSeparator(t, l)
	})
}

// rewrite writes the list in the manner of text: its line ends, and what is before
// the words.
func rewrite(text string, l *passphrase.List) string {
	end := "\n"
	if strings.Contains(text, "\r\n") {
		end = "\r\n"
	}
	lines := strings.Split(text, end)
	var b strings.Builder
	for i, word := range l.All() {
		if i > 0 {
			b.WriteString(end)
		}
		if l.Dice() > 0 {
			number := lines[i][:l.Dice()]
			blanks := lines[i][l.Dice() : len(lines[i])-len(word)]
			if strings.Trim(number, "123456") != "" || strings.Trim(blanks, " \t") != "" || blanks == "" {
				return "a dice number is wrong: " + lines[i]
			}
			b.WriteString(number + blanks)
		}
		b.WriteString(word)
	}
	if strings.HasSuffix(text, end) {
		b.WriteString(end)
	}
	return b.String()
}

// checkNoSeparator asks whether the list does without a separator, which must not
// panic; where the answer is no, the two sequences must read the same.
func checkNoSeparator(t *testing.T, l *passphrase.List) {
	err := (passphrase.Recipe{List: l, NoSeparator: true}).Check()
	var ambiguous *passphrase.AmbiguousError
	if errors.As(err, &ambiguous) {
		one, other := strings.Join(ambiguous.One, ""), strings.Join(ambiguous.Other, "")
		if one != ambiguous.Text || other != one || strings.Join(ambiguous.One, " ") == strings.Join(ambiguous.Other, " ") {
			t.Fatalf("%q: %v", words(l), err)
		}
	} else if err != nil {
		t.Fatalf("%q: %v", words(l), err)
	}
	if _, _, found := l.Prefix(); err != nil && !found {
		t.Fatalf("%q: no word begins another, and %v", words(l), err)
	}
}
