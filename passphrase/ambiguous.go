package passphrase

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// An AmbiguousError gives two different sequences of words that a recipe writes as
// the same text. It wraps ErrAmbiguous.
type AmbiguousError struct {
	// Text is what both read as, without a separator at the end.
	Text string

	// One and Other are the words, as they are in the phrase but for a digit, which
	// is set off by a space: "a 1" is the word "a" with the digit 1.
	One, Other []string

	list bool // the words are already one when they are capitalised
}

// Error spells out both sequences, the middle of very long ones left out.
func (e *AmbiguousError) Error() string {
	if e.list {
		return fmt.Sprintf("%v: the words %q and %q are both %q with a capital; leave one out of the list, or the capitals out of the recipe",
			ErrAmbiguous, e.One[0], e.Other[0], e.Text)
	}
	advice := "use a separator that is in no word, such as a space"
	if slices.ContainsFunc(e.One, hasDigit) || slices.ContainsFunc(e.Other, hasDigit) {
		advice = "leave the digit out, or use words and a separator that have none"
	}
	return fmt.Sprintf("%v: %s and %s both read %s; %s", ErrAmbiguous, spell(e.One), spell(e.Other), shorten(e.Text), advice)
}

// Unwrap returns ErrAmbiguous.
func (e *AmbiguousError) Unwrap() error { return ErrAmbiguous }

func hasDigit(word string) bool { return strings.Contains(word, " ") }

// spell writes a sequence of words as "the" + "rapist".
func spell(words []string) string {
	const most = 24
	var quoted []string
	for i, word := range words {
		if len(words) > most && i == most/2 {
			quoted = append(quoted, fmt.Sprintf("%d more", len(words)-most))
		}
		if len(words) > most && i >= most/2 && i < len(words)-most/2 {
			continue
		}
		word, digit, ok := strings.Cut(word, " ")
		quoted = append(quoted, strconv.Quote(word))
		if ok {
			quoted[len(quoted)-1] += " with the digit " + digit
		}
	}
	return strings.Join(quoted, " + ")
}

// shorten quotes a text, the middle of a very long one left out.
func shorten(text string) string {
	const most = 400
	if r := []rune(text); len(r) > most {
		return strconv.Quote(string(r[:most/2])) + " … " + strconv.Quote(string(r[len(r)-most/2:]))
	}
	return strconv.Quote(text)
}

// unambiguous says whether phrases of the words, written with the separator and
// perhaps a digit, read in one way only.
func (f *forms) unambiguous(separator string, digit bool) error {
	if f.obvious(separator, digit) {
		return nil
	}
	return f.judged.of(question{separator, digit}, func() error {
		c := newCode(f, separator, digit)
		one, other, decided := c.collision()
		if !decided {
			return fmt.Errorf("%w: whether two read the same takes too long to find out with the separator %q; use one that is in no word",
				ErrAmbiguous, separator)
		}
		if one == nil {
			return nil
		}
		e := &AmbiguousError{One: elements(one), Other: elements(other)}
		for i, element := range one {
			e.Text += c.write(element)
			if i == len(one)-1 {
				e.Text = strings.TrimSuffix(e.Text, separator)
			}
		}
		return e
	})
}

// obvious reports whether phrases read in one way only for a reason that is seen
// at once.
func (f *forms) obvious(separator string, digit bool) bool {
	// No word begins another, and words and digits cannot be mistaken for each other
	// since after a word there is the separator or a digit.
	if f.prefix[0] == "" && (!digit || separator != "" && !isDigit(separator[0])) {
		return true
	}
	// A word ends at the first byte that is in no word: that of the separator, or the
	// digit. If both are the same digit, what follows tells them apart, since no word
	// begins with a digit.
	if separator == "" || f.holds[separator[0]] {
		return false
	}
	for d := '0'; d <= '9'; d++ {
		if digit && f.holds[d] {
			return false
		}
	}
	return true
}

func elements(sequence []element) []string {
	var words []string
	for _, e := range sequence {
		if e.digit != 0 {
			words = append(words, e.word+" "+string(rune(e.digit)))
		} else {
			words = append(words, e.word)
		}
	}
	return words
}

// verdicts remembers what was found out about a list.
type verdicts struct {
	lock  sync.Mutex
	known map[question]error
}

type question struct {
	separator string
	digit     bool
}

// maxVerdicts bounds what is remembered: a list has few separators in its life.
const maxVerdicts = 64

// of returns the answer to the question, from judge if it is new.
func (v *verdicts) of(q question, judge func() error) error {
	v.lock.Lock()
	defer v.lock.Unlock()
	answer, ok := v.known[q]
	if !ok {
		answer = judge()
		if v.known == nil || len(v.known) >= maxVerdicts {
			v.known = map[question]error{}
		}
		v.known[q] = answer
	}
	return answer
}
