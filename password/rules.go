package password

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxRules bounds the text that ParseRules reads, in bytes.
const maxRules = 1 << 16

// ParseRules reads a policy in the passwordrules syntax, which Apple's password
// generator and the passwordrules attribute of HTML use:
//
//	minlength: 8; maxlength: 32; required: lower, upper; required: digit; allowed: [-!#$]; max-consecutive: 2;
//
// Properties end with a semicolon, the last may go without.
//
//   - minlength and maxlength bound the length; of several, the strictest counts.
//     The length itself is left open: see [Policy].
//   - required asks for at least one character that is in any of the listed classes.
//     Each required counts by itself; the same classes required twice are two
//     characters of them.
//   - allowed has classes whose characters may occur as well. Without required and
//     allowed, ascii-printable is allowed.
//   - max-consecutive is the longest run of one character; of several, the strictest
//     counts.
//
// Classes are upper, lower, digit, special (the 32 symbols of ASCII and the space),
// ascii-printable (all of these) and unicode, in capitals or not, or characters in
// brackets: "-" is one of them right after the opening bracket only, and "]" right
// before the closing one only. Characters in brackets that are not ASCII are left
// out of the class, as the syntax has it. For unicode the passwords are of
// ascii-printable, all of which it allows.
//
// The error says what is wrong, at which character of the text, and what would be
// right. Unknown properties and classes, empty values, and whatever else is not of
// the syntax are refused, and nothing is skipped.
func ParseRules(text string) (Policy, error) {
	p := ruleParser{text: text, found: map[string]int{}}
	if len(text) > maxRules {
		return Policy{}, fmt.Errorf("password rules: have %d bytes; at most %d are allowed", len(text), maxRules)
	}
	if at := invalidUTF8(text); at >= 0 {
		p.at = at
		return Policy{}, p.fail("is not valid UTF-8; give text in UTF-8")
	}
	for p.space(); p.at < len(p.text); p.space() {
		if err := p.property(); err != nil {
			return Policy{}, err
		}
	}
	return p.result(), nil
}

func invalidUTF8(text string) int {
	for i, r := range text {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return i
			}
		}
	}
	return -1
}

// A ruleParser reads from text[at:].
type ruleParser struct {
	text string
	at   int

	policy   Policy
	allowed  string
	required []Class
	found    map[string]int // the index in required, by characters
}

// asciiPrintable is what the syntax calls ascii-printable.
const (
	special        = " " + Symbols
	asciiPrintable = Lower + Upper + Digits + special
)

var ruleClasses = map[string]string{
	"upper": Upper, "lower": Lower, "digit": Digits, "special": special,
	"ascii-printable": asciiPrintable, "unicode": asciiPrintable,
}

// fail returns an error about the place where the parser is.
func (p *ruleParser) fail(format string, args ...any) error {
	at := utf8.RuneCountInString(p.text[:p.at]) + 1
	return fmt.Errorf("password rules, character %d: %s", at, fmt.Sprintf(format, args...))
}

// space skips white space.
func (p *ruleParser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\n\f\r", p.text[p.at]) >= 0 {
		p.at++
	}
}

// take skips a byte if it comes next.
func (p *ruleParser) take(b byte) bool {
	if p.at < len(p.text) && p.text[p.at] == b {
		p.at++
		return true
	}
	return false
}

// next describes what comes next, for an error.
func (p *ruleParser) next() string {
	if p.at == len(p.text) {
		return "the end"
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.at:])
	return fmt.Sprintf("%q", string(r))
}

// word reads letters and hyphens.
func (p *ruleParser) word() string {
	from := p.at
	for p.at < len(p.text) {
		if c := p.text[p.at] | 0x20; (c < 'a' || c > 'z') && p.text[p.at] != '-' {
			break
		}
		p.at++
	}
	return p.text[from:p.at]
}

// property reads one property, with the semicolon after it.
func (p *ruleParser) property() error {
	from := p.at
	name := p.word()
	read := map[string]func() error{
		"minlength": func() error {
			return p.number(func(n int) { p.policy.MinLength = max(p.policy.MinLength, n) })
		},
		"maxlength": func() error { return p.bound(&p.policy.MaxLength) },
		"required":  p.require,
		"allowed": func() error {
			chars, _, err := p.classes()
			p.allowed = once(p.allowed + chars)
			return err
		},
		"max-consecutive": func() error { return p.bound(&p.policy.MaxRun) },
	}[name]
	if read == nil {
		p.at = from
		if name == "" {
			return p.fail("found %s; a property begins here: minlength, maxlength, required, allowed or max-consecutive", p.next())
		}
		return p.fail("%q is no property; use minlength, maxlength, required, allowed or max-consecutive", clip(name))
	}
	if !p.take(':') {
		return p.fail("found %s; %s is followed by a colon", p.next(), name)
	}
	p.space()
	if err := read(); err != nil {
		return err
	}
	p.space()
	if p.at < len(p.text) && !p.take(';') {
		return p.fail("found %s; a value ends with a semicolon", p.next())
	}
	return nil
}

// clip shortens a word that is shown in an error.
func clip(word string) string {
	const most = 32
	if len(word) > most {
		return word[:most] + "…"
	}
	return word
}

// number reads an integer.
func (p *ruleParser) number(use func(n int)) error {
	const most = 9 // digits
	from := p.at
	for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
		p.at++
	}
	digits := p.text[from:p.at]
	if digits == "" {
		return p.fail("found %s; a whole number is due here", p.next())
	}
	if len(digits) > most {
		p.at = from
		return p.fail("a number of %d digits; at most %d are allowed", len(digits), most)
	}
	n := 0
	for _, d := range digits {
		n = 10*n + int(d-'0')
	}
	use(n)
	return nil
}

// bound reads an upper bound, of which the strictest counts.
func (p *ruleParser) bound(to *int) error {
	from, zero := p.at, false
	err := p.number(func(n int) {
		zero = n == 0
		if *to == 0 || n < *to {
			*to = n
		}
	})
	if err == nil && zero {
		p.at = from
		return p.fail("0 allows no password; use 1 or more")
	}
	return err
}

// require reads the value of required.
func (p *ruleParser) require() error {
	chars, name, err := p.classes()
	if err != nil {
		return err
	}
	// Equal classes are equal sets, however they are written.
	key := newBitset(utf8.RuneSelf)
	for _, b := range []byte(chars) {
		key.add(int(b))
	}
	if i, ok := p.found[key.key()]; ok {
		p.required[i].Min++
		return nil
	}
	if len(p.required) == maxClasses-1 {
		return p.fail("more than %d different classes are required; require fewer", maxClasses-1)
	}
	p.found[key.key()] = len(p.required)
	p.required = append(p.required, Class{Name: name, Chars: chars, Min: 1})
	return nil
}

// classes reads a list of classes, and returns the characters of all, each once,
// and a name for them.
func (p *ruleParser) classes() (chars, name string, err error) {
	var names []string
	for {
		var more string
		from := p.at
		if p.take('[') {
			more, err = p.bracket()
			name = p.text[from:p.at]
		} else {
			more, err = p.named()
			name = strings.ToLower(p.text[from:p.at])
		}
		if err != nil {
			return "", "", err
		}
		names = append(names, name)
		chars = once(chars + more)
		p.space()
		if !p.take(',') {
			break
		}
		p.space()
	}
	name = strings.Join(names, ", ")
	if utf8.RuneCountInString(name) > maxName || !printed(name) {
		name = ""
	}
	return chars, name, nil
}

// named reads the name of a class.
func (p *ruleParser) named() (chars string, err error) {
	const use = "use upper, lower, digit, special, ascii-printable, unicode or [characters]"
	from := p.at
	name := p.word()
	chars, ok := ruleClasses[strings.ToLower(name)]
	if !ok {
		p.at = from
		if name == "" {
			return "", p.fail("found %s; a class is due here: %s", p.next(), use)
		}
		return "", p.fail("%q is no class; %s", clip(name), use)
	}
	return chars, nil
}

// bracket reads a class in brackets, after the opening one.
func (p *ruleParser) bracket() (chars string, err error) {
	opening := p.at
	var b strings.Builder
	for p.at < len(p.text) {
		r, size := utf8.DecodeRuneInString(p.text[p.at:])
		switch {
		case r == ']' && strings.HasPrefix(p.text[p.at:], "]]"):
			p.at += 2
			return once(b.String() + "]"), nil
		case r == ']' && b.Len() == 0:
			return "", p.fail("the class in brackets has no ASCII characters; give at least one")
		case r == ']':
			p.at++
			return once(b.String()), nil
		case r == '-' && p.at > opening:
			return "", p.fail(`"-" is not the first in its brackets; put it right after "["`)
		case unicode.IsControl(r):
			return "", p.fail("the control character %U is in brackets; leave it out", r)
		case r < utf8.RuneSelf:
			b.WriteByte(byte(r))
		}
		p.at += size
	}
	return "", p.fail(`found the end; a class in brackets ends with "]"`)
}

// once returns the characters of a text, each once.
func once(text string) string {
	seen := newBitset(utf8.RuneSelf)
	var b strings.Builder
	for _, c := range []byte(text) {
		if !seen.has(int(c)) {
			seen.add(int(c))
			b.WriteByte(c)
		}
	}
	return b.String()
}

// result makes the policy.
func (p *ruleParser) result() Policy {
	p.policy.Classes = p.required
	if p.allowed == "" && len(p.required) == 0 {
		p.allowed = asciiPrintable
	}
	if p.allowed != "" {
		p.policy.Classes = append(p.policy.Classes, Class{Name: "allowed", Chars: p.allowed})
	}
	return p.policy
}
