package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/password"
)

// classFlags are the classes that a policy of flags has, in the order of their
// flags.
var classFlags = [...]struct{ name, chars, of string }{
	{"lower", password.Lower, "lower-case letters"},
	{"upper", password.Upper, "upper-case letters"},
	{"digits", password.Digits, "digits"},
	{"symbols", password.Symbols, "symbols"},
}

const symbols = len(classFlags) - 1 // the index of the class whose set can be chosen

// policyFlags are the flags that say which passwords are allowed.
type policyFlags struct {
	length, bits    wholeValue
	spans           [len(classFlags)]spanValue
	without         [len(classFlags)]*bool
	symbolSet       *string
	variety, maxRun wholeValue
	exclude         *string
	noLookAlikes    *bool
	first, last     classesValue
	notFirst        *string
	notLast         *string
	forbid          *[]string
	rules           *string
}

func addPolicy(cmd *cobra.Command) *policyFlags {
	f := &policyFlags{
		length:  wholeValue{n: 20, least: 1, most: password.MaxLength},
		bits:    wholeValue{least: 1, most: 16 * password.MaxLength},
		variety: wholeValue{least: 1, most: int64(len(classFlags))},
		maxRun:  wholeValue{least: 1, most: password.MaxLength},
	}
	flags := cmd.Flags()
	flags.Var(&f.length, "length", "characters of each")
	flags.Var(&f.bits, "bits", "the shortest length that gives at least so many bits of entropy, instead of --length")
	for i, c := range classFlags {
		f.spans[i] = spanValue{least: 1}
		flags.Var(&f.spans[i], c.name, "at least N "+c.of+", and at most M")
	}
	for i, c := range classFlags {
		f.without[i] = flags.Bool("no-"+c.name, false, "no "+c.of)
	}
	f.symbolSet = addText(cmd, "symbol-set", "SET", "ascii", "which symbols: ascii, all 32; safe, which are "+password.SafeSymbols+"; or those of your own")
	flags.Var(&f.variety, "variety", "characters of at least N of the classes, no matter which, instead of one of each")
	f.exclude = addText(cmd, "exclude", "CHARS", "", "characters that do not occur")
	f.noLookAlikes = flags.Bool("no-lookalikes", false, "none of "+password.LookAlikes)
	flags.Var(&f.maxRun, "max-run", "no character more than N times in a row")
	flags.Var(&f.first, "first", "classes that the first character is of, as lower,upper")
	flags.Var(&f.last, "last", "classes that the last character is of")
	f.notFirst = addText(cmd, "not-first", "CHARS", "", "characters that are not first")
	f.notLast = addText(cmd, "not-last", "CHARS", "", "characters that are not last")
	f.forbid = flags.StringArray("forbid", nil, "a `TEXT` that does not occur, exactly as spelled; may be given many times")
	f.rules = addText(cmd, "rules", "RULES", "", "the classes and bounds of these passwordrules, instead of flags for classes")
	return f
}

// policy says which passwords are allowed, or what is wrong with the flags.
func (f *policyFlags) policy(cmd *cobra.Command) (p password.Policy, err error) {
	given := cmd.Flags().Changed
	if given("rules") {
		p, err = f.fromRules(given)
	} else {
		p, err = f.fromClasses(given)
	}
	if err != nil {
		return p, err
	}
	switch {
	case given("length") && given("bits"):
		return p, wrong("--bits and --length both say how long a password is; give one")
	case given("bits"):
		p.Bits = float64(f.bits.n)
	case given("length"):
		p.Length = int(f.length.n)
	}
	if n := int(f.maxRun.n); given("max-run") && (p.MaxRun == 0 || n < p.MaxRun) {
		p.MaxRun = n
	}
	p.Exclude, p.NoLookAlikes = *f.exclude, *f.noLookAlikes
	p.First, p.Last = f.chars(f.first), f.chars(f.last)
	p.NotFirst, p.NotLast = *f.notFirst, *f.notLast
	p.Forbidden = *f.forbid
	return p, nil
}

// fromRules reads the policy of --rules, which leaves no room for flags that name
// classes.
func (f *policyFlags) fromRules(given func(string) bool) (password.Policy, error) {
	names := []string{"symbol-set", "variety"}
	for _, c := range classFlags {
		names = append(names, c.name, "no-"+c.name)
	}
	for _, name := range names {
		if given(name) {
			return password.Policy{}, wrong("--rules says which classes there are; leave out --%s", name)
		}
	}
	p, err := password.ParseRules(*f.rules)
	if err != nil {
		return p, wrong("--rules: %v", err)
	}
	return p, nil
}

// fromClasses is the policy of the flags that name classes.
func (f *policyFlags) fromClasses(given func(string) bool) (p password.Policy, err error) {
	if given("symbol-set") {
		if *f.without[symbols] {
			return p, wrong("--no-symbols and --symbol-set contradict each other; give one")
		}
		if err := checkSymbols(*f.symbolSet); err != nil {
			return p, err
		}
	}
	for i, c := range classFlags {
		if *f.without[i] {
			if given(c.name) {
				return p, wrong("--no-%s and --%[1]s contradict each other; give one", c.name)
			}
			continue
		}
		span := f.spans[i]
		if given("variety") && !given(c.name) {
			span.least = 0
		}
		p.Classes = append(p.Classes, password.Class{Chars: f.set(i), Min: span.least, Max: span.most})
	}
	if len(p.Classes) == 0 {
		return p, wrong("no class is left to make passwords of; leave out one of --no-lower, --no-upper, --no-digits and --no-symbols")
	}
	if given("variety") {
		p.Variety.Min = int(f.variety.n)
	}
	return p, nil
}

// set returns the characters of a class.
func (f *policyFlags) set(class int) string {
	if class != symbols || *f.symbolSet == "ascii" {
		return classFlags[class].chars
	}
	if *f.symbolSet == "safe" {
		return password.SafeSymbols
	}
	return *f.symbolSet
}

// checkSymbols refuses a set with letters or digits of ASCII: they have their own
// classes, and such a set is most often a mistyped word.
func checkSymbols(set string) error {
	if set != "ascii" && set != "safe" && strings.ContainsAny(set, password.Lower+password.Upper+password.Digits) {
		return wrong("--symbol-set is neither ascii nor safe, and has letters or digits, which are other classes; give a set of symbols")
	}
	return nil
}

// chars returns the characters of classes.
func (f *policyFlags) chars(classes classesValue) string {
	var b strings.Builder
	for _, class := range classes {
		b.WriteString(f.set(class))
	}
	return b.String()
}

// spanValue is a flag for a minimum, or a minimum and a maximum.
type spanValue struct{ least, most int } // most 0: no maximum

func (v *spanValue) String() string {
	if v.most > 0 {
		return fmt.Sprintf("%d-%d", v.least, v.most)
	}
	return strconv.Itoa(v.least)
}

func (v *spanValue) Type() string { return "N[-M]" }

func (v *spanValue) Set(text string) error {
	low, high, two := strings.Cut(text, "-")
	bound := wholeValue{most: password.MaxLength}
	if low == "" || bound.Set(low) != nil {
		return fmt.Errorf("is no minimum; give 0 to %d, or a minimum and a maximum as in 1-3", password.MaxLength)
	}
	span := spanValue{least: int(bound.n)}
	if two {
		bound.least = max(1, bound.n)
		if bound.Set(high) != nil {
			return fmt.Errorf("has a maximum that is none; give %d to %d after the -", bound.least, password.MaxLength)
		}
		span.most = int(bound.n)
	}
	*v = span
	return nil
}

// classesValue is a flag for classes, by their indexes, each once.
type classesValue []int

func (v *classesValue) String() string { return "" }
func (v *classesValue) Type() string   { return "CLASSES" }

func (v *classesValue) Set(text string) error {
	var classes classesValue
	var found [len(classFlags)]bool
	for name := range strings.SplitSeq(text, ",") {
		class := -1
		for i, c := range classFlags {
			if c.name == name {
				class = i
			}
		}
		if class < 0 || found[class] {
			return errors.New("is no list of classes, each once; give some of lower,upper,digits,symbols")
		}
		found[class] = true
		classes = append(classes, class)
	}
	*v = classes
	return nil
}
