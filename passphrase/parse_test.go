package passphrase_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/keyfob-dev/keyfob/passphrase"
)

func TestParseList(t *testing.T) {
	for text, want := range map[string]string{
		"a\nb\n":       "a b",
		"a\nb":         "a b",
		"a\r\nb\r\n":   "a b",
		"a\r\nb":       "a b",
		"Ant\nant\n":   "Ant ant",
		"1\n22\n333\n": "1 22 333",
		"été\nпривет\n한글\nनमस्ते\n": "été привет 한글 नमस्ते",
		"don't\nyo-yo\na#\n":              "don't yo-yo a#",
		"1 a\n2 b\n":                      "a b",
		"11\ta\n66\tb\n":                  "a b",
		"11  a\n12 \t b":                  "a b",
		"111 1\r\n112 2\r\n":              "1 2",
		"1 #\n2 ##\n":                     "# ##",
		strings.Repeat("é", 64) + "\nb\n": strings.Repeat("é", 64) + " b",
	} {
		l, err := passphrase.ParseList(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := strings.Join(words(l), " "); got != want {
			t.Errorf("%q is read as %q", text, got)
		}
		dice := strings.IndexAny(text, " \t")
		if l.Dice() != max(0, dice) {
			t.Errorf("%q has %d dice", text, l.Dice())
		}
	}
}

// refusedLists has the problems of texts that are no lists, by their beginnings.
var refusedLists = map[string][]string{
	"":                                     {"it is empty"},
	"a":                                    {"it has one word"},
	"a\n":                                  {"it has one word"},
	"\n":                                   {"line 1: is empty"},
	"a\n\nb\n":                             {"line 2: is empty"},
	"a\nb\n\n":                             {"line 3: is empty"},
	"a\r\n\r\nb\r\n":                       {"line 2: is empty"},
	"\ufeffa\nb\n":                         {"line 1: begins with a byte order mark"},
	"a\n\ufeffb\n":                         {"line 2: the word holds U+FEFF, which cannot be seen"},
	"# words\na\nb\n":                      {"line 1: begins with #"},
	"a\nb\n#c\n":                           {"line 3: begins with #"},
	"a\nb c\n":                             {"line 2: the word holds white space (U+0020)"},
	"a\nb \n":                              {"line 2: the word holds white space (U+0020)"},
	"a\n b\n":                              {"line 2: the word holds white space (U+0020)"},
	"a\n \nb\n":                            {"line 2: the word holds white space (U+0020)"},
	"a\nb\tc\n":                            {"line 2: the word holds white space (U+0009)"},
	"a\nb\u00a0c\n":                        {"line 2: the word holds white space (U+00A0)"},
	"a\nb\na\n":                            {`line 3: the word "a" is already on line 1`},
	"a\nb\nb\na\nb\n":                      {`line 3: the word "b" is already on line 2`, `line 4: the word "a" is already on line 1`, `line 5: the word "b" is already on line 2`},
	"a\nb\x00\n":                           {"line 2: the word holds a control character (U+0000)"},
	"a\nb\x1bc\n":                          {"line 2: the word holds a control character (U+001B)"},
	"a\nb\u0085\n":                         {"line 2: the word holds a control character (U+0085)"},
	"a\rb\rc\n":                            {"line 1: the word holds a control character (U+000D)"},
	"a\nb\r":                               {"line 2: the word holds a control character (U+000D)"},
	"a\nb\r\nc\n":                          {"line 2: ends with CRLF, and line 1 with LF"},
	"a\r\nb\nc\r\n":                        {"line 2: ends with LF, and line 1 with CRLF"},
	"a\nb\xff\n":                           {"line 2: is not UTF-8"},
	"a\n\xc3\nb":                           {"line 2: is not UTF-8"},
	"a\nb\ufffd\n":                         {"line 2: the word holds U+FFFD"},
	"a\nb\u200bc\n":                        {"line 2: the word holds U+200B, which cannot be seen"},
	"a\nb\u00adc\n":                        {"line 2: the word holds U+00AD, which cannot be seen"},
	"a\nb\u3164\n":                         {"line 2: the word holds U+3164, which cannot be seen"},
	"a\nb\ufe0f\n":                         {"line 2: the word holds U+FE0F, which cannot be seen"},
	"a\nb\u202e\n":                         {"line 2: the word holds U+202E, which cannot be seen"},
	"a\nb\ue000\n":                         {"line 2: the word holds U+E000, which cannot be seen"},
	"cafe\u0301\ncafé\n":                   {"line 1: the word holds a combining mark (U+0301)"},
	"a\n\u1112\u1161\u11ab\n":              {"line 2: the word holds U+1112, a part of a Hangul syllable"},
	"a\n\u212b\n":                          {"line 2: the word holds U+212B, which is another spelling of the letter 'Å'"},
	"a\n\u093fb\n":                         {"line 2: the word begins with a mark (U+093F)"},
	"a\n" + strings.Repeat("é", 65) + "\n": {"line 2: the word has 65 characters; 64 are allowed"},
	"1 a\nb\n":                             {"line 2: has no dice number and word, and line 1 has"},
	"1 a\n2\n":                             {"line 2: has no dice number and word, and line 1 has"},
	"1 a\n2 \n":                            {"line 2: has no dice number and word, and line 1 has"},
	"1 a\n 2 b\n":                          {"line 2: has no dice number and word, and line 1 has"},
	"1 a\n2 b c\n":                         {"line 2: the word holds white space (U+0020)"},
	"1 a\n2 b\n3 a\n":                      {`line 3: the word "a" is already on line 1`},
	"11 a\n12 b\n11 c\n":                   {"line 3: its dice number is that of line 1"},
	"11 a\n111 b\n":                        {"line 2: its dice number is of 3 dice, and that of line 1 of 2"},
	"11 a\n17 b\n":                         {"line 2: its dice number has a digit other than 1 to 6"},
	"1 a\n0 b\n":                           {"line 2: its dice number has a digit other than 1 to 6"},
	"a\n1 b\nc\n":                          {"line 2: has a dice number, and line 1 has none"},
	"\n\xff\n1 a\n2 b\nc\n":                {"line 1: is empty", "line 2: is not UTF-8", "line 5: has no dice number and word, and line 3 has"},
	"\ufeff#\n\n1 a\n1 a\n7 b\n":           {"line 1: begins with a byte", "line 1: begins with #", "line 2: is empty", "line 4: its dice number is that of line 3", `line 4: the word "a" is already on line 3`, "line 5: its dice number has a digit"},
}

// TestParseListRefuses has a case for each rule: the problems, and nothing else.
func TestParseListRefuses(t *testing.T) {
	for text, want := range refusedLists {
		l, err := passphrase.ParseList(text)
		var list *passphrase.ListError
		if l != nil || !errors.As(err, &list) || !errors.Is(err, passphrase.ErrList) {
			t.Errorf("%q gives %v, %v", text, l, err)
			continue
		}
		ok := len(list.Problems) == len(want) && list.Count == len(want)
		for i, p := range list.Problems {
			ok = ok && strings.HasPrefix(p.String(), want[i])
		}
		if !ok {
			t.Errorf("%q gives %d problems, %q; want %q", text, list.Count, list.Problems, want)
		}
		if !strings.HasPrefix(err.Error(), "not a word list: "+want[0]) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestParseListBounds: the number of words, the size of the file and the number of
// problems have bounds.
func TestParseListBounds(t *testing.T) {
	many := strings.Repeat("a\n", 100)
	_, err := passphrase.ParseList(many)
	var list *passphrase.ListError
	if !errors.As(err, &list) || len(list.Problems) != passphrase.MaxProblems || list.Count != 99 {
		t.Errorf("a hundred equal words give %v", err)
	} else if !strings.HasSuffix(err.Error(), "(and 98 more problems)") {
		t.Errorf("a hundred equal words give %q", err)
	}
	if _, err = passphrase.ParseList("a\na\na\n"); err == nil || !strings.HasSuffix(err.Error(), "(and 1 more problem)") {
		t.Errorf("two problems give %q", err)
	}

	big := strings.Repeat("a\n", passphrase.MaxListBytes/2)
	if _, err = passphrase.ParseList(big + "\n"); err == nil || !strings.Contains(err.Error(), "more than 16 MiB") {
		t.Errorf("a list of 16 MiB and a byte gives %v", err)
	}
	if _, err = passphrase.ReadList(io.MultiReader(strings.NewReader(big), zeros{})); err == nil || !strings.Contains(err.Error(), "more than 16 MiB") {
		t.Errorf("a list without an end gives %v", err)
	}

	// Every word of five characters of an alphabet of 17 is more than enough.
	var b strings.Builder
	word := make([]byte, 5)
	for i := range passphrase.MaxListWords + 5 {
		for at := range word { // in order, which is quickly sorted
			word[len(word)-1-at] = byte('a' + i%17)
			i /= 17
		}
		b.Write(word)
		b.WriteByte('\n')
	}
	_, err = passphrase.ParseList(b.String())
	if !errors.As(err, &list) || list.Count != 1 || list.Problems[0].Line != passphrase.MaxListWords+1 {
		t.Errorf("too many words give %v", err)
	}
	text := b.String()[:6*passphrase.MaxListWords]
	if l, err := passphrase.ParseList(text); err != nil || l.Len() != passphrase.MaxListWords || l.Bits() != 20 {
		t.Errorf("the most words give %v", err)
	}
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestReadList(t *testing.T) {
	l, err := passphrase.ReadList(iotest.OneByteReader(strings.NewReader("b\na\n")))
	if err != nil || !slices.Equal(words(l), []string{"b", "a"}) {
		t.Errorf("a list that comes slowly gives %v", err)
	}
	broken := errors.New("broken")
	if _, err := passphrase.ReadList(iotest.ErrReader(broken)); !errors.Is(err, broken) || errors.Is(err, passphrase.ErrList) {
		t.Errorf("a broken reader gives %v", err)
	}
}

// TestErrorsPrintNoFile: a wrong file is not quoted.
func TestErrorsPrintNoFile(t *testing.T) {
	for _, text := range []string{"hunter2", "keyfob-root-1:hunter2\n", "hunter2\x00\nb", "hunter2 x\nhunter2 y\n", "1 hunter2\nhunter2"} {
		if _, err := passphrase.ParseList(text); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
