package passphrase

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	// MaxListBytes is the largest size of a list that is read.
	MaxListBytes = 16 << 20

	// MaxListWords is the largest number of words in a list.
	MaxListWords = 1 << 20

	// MaxWordLength is the longest word of a list, in characters (code points).
	MaxWordLength = 64

	// MaxProblems is how many problems a ListError names.
	MaxProblems = 20
)

// ErrList is wrapped by the errors for lists that cannot be used.
var ErrList = errors.New("not a word list")

// A Problem is one thing that is wrong with a list.
type Problem struct {
	Line int    // from 1; 0 if it concerns the whole
	Text string // what is wrong, and what would be right
}

func (p Problem) String() string {
	if p.Line == 0 {
		return p.Text
	}
	return fmt.Sprintf("line %d: %s", p.Line, p.Text)
}

// A ListError says what is wrong with a list. It wraps ErrList.
type ListError struct {
	Problems []Problem // the first MaxProblems, in the order of their lines
	Count    int       // of all
}

// Error returns the first problem, and how many there are, in one line.
func (e *ListError) Error() string {
	first := fmt.Sprintf("%v: %v", ErrList, e.Problems[0])
	switch e.Count {
	case 1:
		return first
	case 2:
		return first + " (and 1 more problem)"
	default:
		return fmt.Sprintf("%s (and %d more problems)", first, e.Count-1)
	}
}

// Unwrap returns ErrList.
func (e *ListError) Unwrap() error { return ErrList }

// ReadList reads a list from r, to its end. The error is that of r, or a
// [*ListError]; see [ParseList].
func ReadList(r io.Reader) (*List, error) {
	var text strings.Builder
	if _, err := io.Copy(&text, io.LimitReader(r, MaxListBytes+1)); err != nil {
		return nil, fmt.Errorf("read a word list: %w", err)
	}
	return ParseList(text.String())
}

// ParseList reads a list that is written in one of two forms, in UTF-8:
//
//	abacus        11111	abacus
//	abdomen       11112	abdomen
//
// One word a line, or dice numbers and a word, apart by blanks or tabs; all lines
// alike. Dice numbers are of the digits 1 to 6, equally long, and each comes once;
// some may be missing, since the words that are there are drawn without them. Lines
// end with LF, or all with CRLF; behind the last that may lack.
//
// Everything else is refused, with the number of the line: a byte order mark,
// empty lines, comments (a line that begins with #), white space within a word or
// behind it, a word that comes again, control characters and others that are not
// seen, letters that are followed by a combining accent. Words that differ in
// their case alone are different words; a [Recipe] that capitalises them refuses
// those that become one. The bounds are MaxListBytes, MaxListWords, MaxWordLength,
// and at least two words.
//
// The error is a [*ListError] with all problems. It quotes no more of the text
// than the words that come twice, so that a wrong file is not printed.
func ParseList(text string) (*List, error) {
	if len(text) > MaxListBytes {
		return nil, &ListError{[]Problem{{0, fmt.Sprintf("it has more than %d MiB, the most that a list may have", MaxListBytes>>20)}}, 1}
	}
	p := parser{seen: map[string]int{}, rolls: map[string]int{}}
	p.all(text)
	if p.err.Count > 0 {
		return nil, &p.err
	}
	return newList("", p.dice, p.words), nil
}

// A parser reads one list.
type parser struct {
	line  int
	words []string
	seen  map[string]int // the lines of words
	rolls map[string]int // the lines of dice numbers

	form    int // the first line with a word, which the others must be like; 0: none yet
	dice    int // the dice of that line
	ending  int // the first line with an end, which the others must be like
	crlf    bool
	overall bool // too many words: said once

	err ListError
}

// problem notes what is wrong with the present line.
func (p *parser) problem(format string, args ...any) { p.add(p.line, format, args...) }

func (p *parser) add(line int, format string, args ...any) {
	if p.err.Count++; len(p.err.Problems) < MaxProblems {
		p.err.Problems = append(p.err.Problems, Problem{line, fmt.Sprintf(format, args...)})
	}
}

// all reads all lines.
func (p *parser) all(text string) {
	if text == "" {
		p.add(0, "it is empty; write one word a line, at least two")
		return
	}
	if rest, ok := strings.CutPrefix(text, "\ufeff"); ok {
		p.add(1, "begins with a byte order mark (U+FEFF); save the list as UTF-8 without one")
		text = rest
	}
	for text != "" {
		line, rest, ended := strings.Cut(text, "\n")
		text = rest
		p.line++
		if ended {
			line = p.end(line)
		}
		p.entry(line)
	}
	if p.err.Count == 0 && len(p.words) < 2 {
		p.add(0, "it has one word; at least two are needed to draw from")
	}
}

// end takes the CR from a line that ended, and holds it against the first line.
func (p *parser) end(line string) string {
	line, crlf := strings.CutSuffix(line, "\r")
	if p.ending == 0 {
		p.ending, p.crlf = p.line, crlf
	}
	if crlf != p.crlf {
		names := map[bool]string{false: "LF", true: "CRLF"}
		p.problem("ends with %s, and line %d with %s; end all lines alike", names[crlf], p.ending, names[p.crlf])
	}
	return line
}

// entry reads the text of one line.
func (p *parser) entry(line string) {
	switch {
	case line == "":
		p.problem("is empty; leave it out")
		return
	case line[0] == '#':
		p.problem("begins with #; comments are not allowed")
		return
	case !utf8.ValidString(line):
		p.problem("is not UTF-8")
		return
	}
	number, word, hasDice := cutDice(line)
	if p.form == 0 {
		p.form, p.dice = p.line, len(number)
	}
	switch {
	case hasDice && p.dice == 0:
		p.problem("has a dice number, and line %d has none; write all lines alike", p.form)
	case !hasDice && p.dice > 0:
		p.problem("has no dice number and word, and line %d has; write all lines alike", p.form)
	case hasDice:
		p.roll(number)
		fallthrough
	default:
		p.word(word)
	}
}

// cutDice splits a line with a number in front. Without one, word is the line.
func cutDice(line string) (number, word string, found bool) {
	digits := strings.TrimLeft(line, "0123456789")
	number = line[:len(line)-len(digits)]
	word = strings.TrimLeft(digits, " \t")
	if number == "" || word == "" || len(word) == len(digits) {
		return "", line, false
	}
	return number, word, true
}

// roll checks the dice number of the present line.
func (p *parser) roll(number string) {
	before, again := p.rolls[number]
	switch {
	case strings.Trim(number, "123456") != "":
		p.problem("its dice number has a digit other than 1 to 6")
	case len(number) != p.dice:
		p.problem("its dice number is of %d dice, and that of line %d of %d; write all alike", len(number), p.form, p.dice)
	case again:
		p.problem("its dice number is that of line %d; each may come once", before)
	default:
		p.rolls[number] = p.line
	}
}

// word checks the word of the present line, and adds it.
func (p *parser) word(word string) {
	if why := checkText(word, false); why != "" {
		p.problem("the word %s", why)
		return
	}
	if n := utf8.RuneCountInString(word); n > MaxWordLength {
		p.problem("the word has %d characters; %d are allowed", n, MaxWordLength)
		return
	}
	if before, again := p.seen[word]; again {
		p.problem("the word %q is already on line %d; each may come once", word, before)
		return
	}
	if len(p.words) == MaxListWords {
		if !p.overall {
			p.overall = true
			p.problem("there are more than %d words, the most that a list may have", MaxListWords)
		}
		return
	}
	p.seen[word] = p.line
	p.words = append(p.words, word)
}
