package password

import (
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"
)

// A spec is a policy that has been checked, with its defaults filled in and its
// sets written over the alphabet.
type spec struct {
	length   int // 0: what shortest finds
	min, max int // bounds of the length

	alphabet []rune
	number   map[rune]int // the index of each character in alphabet

	limits      []limit
	variety     int // so many of the kinds at least
	kinds       []bitset
	run         int      // 0: no rule
	first, last bitset   // nil: no rule
	words       [][]rune // forbidden
}

// A limit bounds the number of characters of a set.
type limit struct {
	name     string
	set      bitset
	min, max int // max 0: none
}

// resolve checks the policy.
func (p Policy) resolve() (*spec, error) {
	s := &spec{variety: p.Variety.Min, run: p.MaxRun}
	if err := s.setLength(p); err != nil {
		return nil, err
	}
	if p.MaxRun < 0 {
		return nil, fmt.Errorf("longest run %d: use 1 or more, or 0 for no such rule", p.MaxRun)
	}
	classes := p.Classes
	if classes == nil {
		classes = AtLeast(0, Lower, Upper, Digits, Symbols)
	}
	if err := s.setAlphabet(p, classes); err != nil {
		return nil, err
	}
	for _, step := range []func() error{
		func() error { return s.setLimits(classes) },
		func() error { return s.setVariety(p.Variety, classes) },
		func() (err error) { s.first, err = s.end("first", p.First, p.NotFirst); return err },
		func() (err error) { s.last, err = s.end("last", p.Last, p.NotLast); return err },
		func() error { return s.setWords(p.Forbidden) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// setLength settles the length, or the bounds in which shortest looks for it.
func (s *spec) setLength(p Policy) error {
	s.min, s.max = max(1, p.MinLength), MaxLength
	if p.MaxLength > 0 {
		s.max = min(s.max, p.MaxLength)
	}
	switch {
	case p.MinLength < 0 || p.MinLength > MaxLength:
		return fmt.Errorf("minimum length %d: use 1 to %d, or 0 for no bound", p.MinLength, MaxLength)
	case p.MaxLength < 0:
		return fmt.Errorf("maximum length %d: use 1 or more, or 0 for no bound", p.MaxLength)
	case s.min > s.max:
		return fmt.Errorf("minimum length %d: is more than the maximum length %d", p.MinLength, p.MaxLength)
	case p.Length != 0 && p.Bits != 0:
		return fmt.Errorf("length %d and %v bits: give one of them; the other follows", p.Length, p.Bits)
	case p.Bits != 0:
		return CheckBits(p.Bits)
	case p.Length == 0:
		s.length = min(max(defaultLength, s.min), s.max)
		return nil
	case p.Length < s.min && p.Length > 0, p.Length > s.max && p.Length <= MaxLength:
		return fmt.Errorf("length %d: the policy allows %d to %d characters", p.Length, s.min, s.max)
	}
	s.length = p.Length
	return CheckLength(p.Length)
}

// setAlphabet collects the characters of all classes that are not excluded.
func (s *spec) setAlphabet(p Policy, classes []Class) error {
	if len(classes) > maxClasses {
		return fmt.Errorf("classes: there are %d; at most %d are allowed", len(classes), maxClasses)
	}
	excluded := map[rune]bool{}
	if err := eachChar("excluded characters", p.Exclude, func(r rune) { excluded[r] = true }); err != nil {
		return err
	}
	if p.NoLookAlikes {
		for _, r := range LookAlikes {
			excluded[r] = true
		}
	}
	s.number = map[rune]int{}
	for i, c := range classes {
		if err := c.check(i); err != nil {
			return err
		}
		for _, r := range c.Chars {
			if _, known := s.number[r]; !known && !excluded[r] {
				s.number[r] = len(s.alphabet)
				s.alphabet = append(s.alphabet, r)
			}
		}
	}
	switch {
	case len(s.alphabet) == 0:
		return fmt.Errorf("alphabet: has no characters; give classes with characters that are not excluded")
	case len(s.alphabet) == 1:
		return fmt.Errorf("alphabet: has one character, %q, so that there is one password of each length; give at least two", s.alphabet[0])
	case len(s.alphabet) > maxAlphabet:
		return fmt.Errorf("alphabet: has %d characters; at most %d are allowed", len(s.alphabet), maxAlphabet)
	}
	return nil
}

// check looks at one class by itself.
func (c Class) check(i int) error {
	if !utf8.ValidString(c.Name) || utf8.RuneCountInString(c.Name) > maxName || !printed(c.Name) {
		return fmt.Errorf("class %d: its name is not text of at most %d printed characters", i+1, maxName)
	}
	name := c.name(i)
	seen := map[rune]bool{}
	var twice error
	err := eachChar(name, c.Chars, func(r rune) {
		if seen[r] && twice == nil {
			twice = fmt.Errorf("%s: has %q twice; give each character once", name, r)
		}
		seen[r] = true
	})
	switch {
	case err != nil:
		return err
	case twice != nil:
		return twice
	case len(seen) == 0:
		return fmt.Errorf("%s: has no characters; give some, or leave the class out", name)
	case c.Min < 0 || c.Max < 0:
		return fmt.Errorf("%s: minimum %d, maximum %d; use 0 or more", name, c.Min, c.Max)
	case c.Max > 0 && c.Min > c.Max:
		return fmt.Errorf("%s: the minimum %d is more than the maximum %d", name, c.Min, c.Max)
	}
	return nil
}

// setLimits writes the bounds of the classes over the alphabet.
func (s *spec) setLimits(classes []Class) error {
	for i, c := range classes {
		l := limit{name: c.name(i), set: s.set(c.Chars), min: c.Min, max: c.Max}
		if l.set.empty() && l.min > 0 {
			return fmt.Errorf("%s: at least %d are asked for, and all of its characters are excluded; exclude fewer, or leave the class out", l.name, l.min)
		}
		s.limits = append(s.limits, l)
	}
	return nil
}

// setVariety writes the sets of a variety over the alphabet.
func (s *spec) setVariety(v Variety, classes []Class) error {
	sets := v.Of
	if sets == nil {
		for _, c := range classes {
			sets = append(sets, c.Chars)
		}
	}
	switch {
	case v.Min < 0, v.Min == 0 && v.Of != nil:
		return fmt.Errorf("variety: at least %d of %d sets; use 1 to %d", v.Min, len(sets), len(sets))
	case v.Min == 0:
		return nil
	case len(sets) > maxClasses:
		return fmt.Errorf("variety: has %d sets; at most %d are allowed", len(sets), maxClasses)
	}
	left := 0
	for i, chars := range sets {
		if err := eachChar(fmt.Sprintf("variety, set %d", i+1), chars, func(rune) {}); err != nil {
			return err
		}
		set := s.set(chars)
		if !set.empty() {
			left++
		}
		s.kinds = append(s.kinds, set)
	}
	if v.Min > left {
		return fmt.Errorf("variety: at least %d sets are asked for, and %d have characters of the alphabet", v.Min, left)
	}
	return nil
}

// end returns the set of characters that may be at one end, or nil for all.
func (s *spec) end(which, only, never string) (bitset, error) {
	allowed := newBitset(len(s.alphabet))
	if only == "" {
		for i := range s.alphabet {
			allowed.add(i)
		}
	}
	err := eachChar(which+" character", only, func(r rune) {
		if i, ok := s.number[r]; ok {
			allowed.add(i)
		}
	})
	if err == nil {
		err = eachChar(which+" character", never, func(r rune) {
			if i, ok := s.number[r]; ok {
				allowed.remove(i)
			}
		})
	}
	switch {
	case err != nil:
		return nil, err
	case allowed.empty():
		return nil, fmt.Errorf("%s character: no character of the alphabet may be there; allow at least one", which)
	case allowed.count() == len(s.alphabet):
		return nil, nil
	}
	return allowed, nil
}

// setWords keeps the forbidden substrings that could occur at all, each once.
func (s *spec) setWords(words []string) error {
	if len(words) > maxForbidden {
		return fmt.Errorf("forbidden substrings: there are %d; at most %d are allowed", len(words), maxForbidden)
	}
	total := 0
	seen := map[string]bool{}
	for i, w := range words {
		what := fmt.Sprintf("forbidden substring %d", i+1)
		if w == "" {
			return fmt.Errorf("%s: is empty, and so in every password; give at least one character", what)
		}
		word, possible := []rune{}, true
		err := eachChar(what, w, func(r rune) {
			_, known := s.number[r]
			possible = possible && known
			word = append(word, r)
		})
		if err != nil {
			return err
		}
		if total += len(word); total > maxAvoided {
			return fmt.Errorf("forbidden substrings: have more than %d characters together; give fewer", maxAvoided)
		}
		if possible && !seen[w] {
			seen[w] = true
			s.words = append(s.words, word)
		}
	}
	return nil
}

// set returns the characters of the alphabet that chars has.
func (s *spec) set(chars string) bitset {
	b := newBitset(len(s.alphabet))
	for _, r := range chars {
		if i, ok := s.number[r]; ok {
			b.add(i)
		}
	}
	return b
}

// eachChar calls f with the characters of a text, and refuses what is none.
func eachChar(what, text string, f func(rune)) error {
	if len(text) > utf8.UTFMax*maxAlphabet {
		return fmt.Errorf("%s: has more than %d characters; give fewer", what, maxAlphabet)
	}
	for i, r := range text {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return fmt.Errorf("%s: is not valid UTF-8 at byte %d; give text in UTF-8", what, i+1)
			}
		}
		if why := unfit(r); why != "" {
			return fmt.Errorf("%s: has %U, %s; give characters that are printed by themselves", what, r, why)
		}
		f(r)
	}
	return nil
}

// unfit says why a code point is no character for a password, or nothing.
func unfit(r rune) string {
	switch {
	case unicode.IsMark(r):
		return "a combining mark"
	case unicode.IsControl(r):
		return "a control character"
	case unicode.Is(joining, r):
		return "which joins with its neighbours"
	case unicode.Is(blank, r):
		return "which is not seen"
	case unicode.IsSpace(r) && r != ' ':
		return "a space other than U+0020"
	case !unicode.IsPrint(r):
		return "which is not printed"
	}
	return ""
}

// joining has letters and symbols that are drawn together with their neighbours
// although they are no marks: conjoining Hangul, emoji modifiers, regional
// indicators.
var joining = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x1100, Hi: 0x11ff, Stride: 1}, {Lo: 0xa960, Hi: 0xa97f, Stride: 1}, {Lo: 0xd7b0, Hi: 0xd7ff, Stride: 1}},
	R32: []unicode.Range32{{Lo: 0x1f1e6, Hi: 0x1f1ff, Stride: 1}, {Lo: 0x1f3fb, Hi: 0x1f3ff, Stride: 1}},
}

// blank has letters and symbols that leave no mark on paper.
var blank = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x2800, Hi: 0x2800, Stride: 1}, {Lo: 0x3164, Hi: 0x3164, Stride: 1}, {Lo: 0xffa0, Hi: 0xffa0, Stride: 1}},
}

// printed reports whether all of text can be shown.
func printed(text string) bool {
	return !slices.ContainsFunc([]rune(text), func(r rune) bool { return !unicode.IsPrint(r) })
}
