package password

import (
	"fmt"
	"slices"
	"strings"
)

// known are the names of the sets that have one.
var known = map[string]string{
	Lower: "lower", Upper: "upper", Digits: "digits", Symbols: "symbols", SafeSymbols: "safe symbols",
}

// shown is how many characters of a set stand for it where it has no name.
const shown = 16

// name is what a class goes by.
func (c Class) name(i int) string {
	if c.Name != "" {
		return c.Name
	}
	if name, ok := known[c.Chars]; ok {
		return name
	}
	if c.Chars == "" {
		return fmt.Sprintf("class %d", i+1)
	}
	return quoted([]rune(c.Chars))
}

// quoted quotes the beginning of a text.
func quoted(chars []rune) string {
	if len(chars) > shown {
		return fmt.Sprintf("%q…", string(chars[:shown]))
	}
	return fmt.Sprintf("%q", string(chars))
}

type ruleKind int

const (
	minimum ruleKind = iota
	maximum
	other
)

// A rule is one rule of a policy: what it says, and how to do without it.
type rule struct {
	kind ruleKind
	text string
	drop func(*spec)

	limit limit // of a minimum or maximum
}

// rules lists the rules that not every password of the alphabet satisfies.
func (s *spec) rules() []rule {
	var rules []rule
	for i, l := range s.limits {
		if l.min > 0 {
			rules = append(rules, rule{kind: minimum, text: fmt.Sprintf("at least %d of %s", l.min, l.name), limit: l, drop: func(s *spec) {
				s.limits = slices.Clone(s.limits)
				s.limits[i].min = 0
			}})
		}
		if l.max > 0 {
			rules = append(rules, rule{kind: maximum, text: fmt.Sprintf("at most %d of %s", l.max, l.name), limit: l, drop: func(s *spec) {
				s.limits = slices.Clone(s.limits)
				s.limits[i].max = 0
			}})
		}
	}
	add := func(is bool, text func() string, drop func(*spec)) {
		if is {
			rules = append(rules, rule{kind: other, text: text(), drop: drop})
		}
	}
	add(s.variety > 0, func() string {
		return fmt.Sprintf("characters of at least %d of %d sets", s.variety, len(s.kinds))
	}, func(s *spec) { s.variety, s.kinds = 0, nil })
	add(s.run > 0, func() string {
		return fmt.Sprintf("no character more than %s in a row", times(s.run))
	}, func(s *spec) { s.run = 0 })
	add(s.first != nil, func() string { return s.endText("first", s.first) }, func(s *spec) { s.first = nil })
	add(s.last != nil, func() string { return s.endText("last", s.last) }, func(s *spec) { s.last = nil })
	add(len(s.words) > 0, s.wordsText, func(s *spec) { s.words = nil })
	return rules
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// endText says which characters may be first or last, by the smaller half.
func (s *spec) endText(which string, allowed bitset) string {
	var in, out []rune
	for i, r := range s.alphabet {
		if allowed.has(i) {
			in = append(in, r)
		} else {
			out = append(out, r)
		}
	}
	switch {
	case len(out) < len(in) && len(out) <= shown:
		return fmt.Sprintf("the %s character none of %q", which, string(out))
	case len(in) <= shown:
		return fmt.Sprintf("the %s character one of %q", which, string(in))
	default:
		return fmt.Sprintf("the %s character one of %d", which, len(in))
	}
}

func (s *spec) wordsText() string {
	if len(s.words) > 3 {
		return fmt.Sprintf("without %d forbidden substrings", len(s.words))
	}
	var words []string
	for _, w := range s.words {
		words = append(words, quoted(w))
	}
	return "without " + strings.Join(words, ", ")
}

// recipe describes the policy in one line.
func (s *spec) recipe() string {
	text := fmt.Sprintf("%s of %d", counted(s.length, "character"), len(s.alphabet))
	for i, r := range s.rules() {
		if i == 0 {
			text += ": " + r.text
		} else {
			text += ", " + r.text
		}
	}
	return text
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
