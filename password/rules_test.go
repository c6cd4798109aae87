package password

import (
	"slices"
	"strings"
	"testing"
)

// sorted returns the characters of a set in order, so that sets compare.
func sorted(chars string) string {
	list := []rune(chars)
	slices.Sort(list)
	return string(list)
}

func TestParseRules(t *testing.T) {
	type class struct {
		chars string
		min   int
	}
	const all = Lower + Upper + Digits + Symbols + " "
	for _, c := range []struct {
		text             string
		min, max, run    int
		classes          []class
		length, alphabet int
	}{
		{"", 0, 0, 0, []class{{all, 0}}, 20, 95},
		{" \t\r\n\f", 0, 0, 0, []class{{all, 0}}, 20, 95},
		{"minlength: 8", 8, 0, 0, []class{{all, 0}}, 20, 95},
		{"minlength:30;", 30, 0, 0, []class{{all, 0}}, 30, 95},
		{"minlength: 6; maxlength: 16; minlength: 8; maxlength: 12", 8, 12, 0, []class{{all, 0}}, 12, 95},
		{"maxlength: 12; maxlength: 16; minlength: 8; minlength: 0", 8, 12, 0, []class{{all, 0}}, 12, 95},
		{"max-consecutive: 3; max-consecutive: 2;", 0, 0, 2, []class{{all, 0}}, 20, 95},
		{"allowed: unicode", 0, 0, 0, []class{{all, 0}}, 20, 95},
		{"allowed: ascii-printable; required: digit", 0, 0, 0, []class{{Digits, 1}, {all, 0}}, 20, 95},
		{"required: lower; required: UPPER; required: Digit", 0, 0, 0, []class{{Lower, 1}, {Upper, 1}, {Digits, 1}}, 20, 62},
		{"required: lower, upper; required: digit;allowed:[-!#]", 0, 0, 0, []class{{Lower + Upper, 1}, {Digits, 1}, {"-!#", 0}}, 20, 65},
		{"required: digit; required: lower; required: digit; required: [1234567890]", 0, 0, 0, []class{{Digits, 3}, {Lower, 1}}, 20, 36},
		{"allowed: lower; allowed: lower, upper", 0, 0, 0, []class{{Lower + Upper, 0}}, 20, 52},
		{"allowed: special", 0, 0, 0, []class{{Symbols + " ", 0}}, 20, 33},
		{"allowed: [abc]]", 0, 0, 0, []class{{"abc]", 0}}, 20, 4},
		{"allowed: []], [-], [[]", 0, 0, 0, []class{{"[]-", 0}}, 20, 3},
		{"allowed: [[]]", 0, 0, 0, []class{{"[]", 0}}, 20, 2},
		{"allowed: [aab a]", 0, 0, 0, []class{{"ab ", 0}}, 20, 3},
		{"allowed: [aäb’]", 0, 0, 0, []class{{"ab", 0}}, 20, 2},
		{"allowed: [;:,]; maxlength: 9", 0, 9, 0, []class{{";:,", 0}}, 9, 3},
		{`minlength: 8; maxlength: 16; required: lower; required: upper; required: digit; allowed: [-~!@#$%^&*_+=` + "`" + `|(){}[:;"'<>,.?/\]];`, 8, 16, 0,
			[]class{{Lower, 1}, {Upper, 1}, {Digits, 1}, {`-~!@#$%^&*_+=` + "`" + `|(){}[:;"'<>,.?/\]`, 0}}, 16, 94},
	} {
		p, err := ParseRules(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		var got []class
		for _, cl := range p.Classes {
			got = append(got, class{sorted(cl.Chars), cl.Min})
		}
		for i := range c.classes {
			c.classes[i].chars = sorted(c.classes[i].chars)
		}
		if !slices.Equal(got, c.classes) || p.MinLength != c.min || p.MaxLength != c.max || p.MaxRun != c.run {
			t.Errorf("%q: %+v", c.text, p)
		}
		g, err := p.Compile()
		if err != nil || g.Length() != c.length || len(g.spec.alphabet) != c.alphabet {
			t.Errorf("%q: %v, %v; want length %d of %d", c.text, g, err, c.length, c.alphabet)
		}
	}
}

func TestParseRulesRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"hello", `character 1: "hello" is no property; use minlength, maxlength, required, allowed or max-consecutive`},
		{"minlength: 8; Required: lower", `character 15: "Required" is no property`},
		{"minlength", "character 10: found the end; minlength is followed by a colon"},
		{"minlength : 8", `character 10: found " "; minlength is followed by a colon`},
		{"minlength:", "character 11: found the end; a whole number is due here"},
		{"minlength: -1", `character 12: found "-"; a whole number is due here`},
		{"minlength: 8.5", `character 13: found "."; a value ends with a semicolon`},
		{"minlength: 8 maxlength: 9", `character 14: found "m"; a value ends with a semicolon`},
		{"maxlength: 0", "character 12: 0 allows no password; use 1 or more"},
		{"max-consecutive: 0;", "character 18: 0 allows no password; use 1 or more"},
		{"max-consecutive: two", `character 18: found "t"; a whole number is due here`},
		{"minlength: 12345678901", "character 12: a number of 11 digits; at most 9 are allowed"},
		{";", `character 1: found ";"; a property begins here`},
		{"minlength: 8;;", `character 14: found ";"; a property begins here`},
		{"required:", "character 10: found the end; a class is due here: use upper, lower, digit"},
		{"required: ;", `character 11: found ";"; a class is due here`},
		{"required: digits", `character 11: "digits" is no class; use upper, lower, digit, special, ascii-printable, unicode or [characters]`},
		{"required: lower,", "character 17: found the end; a class is due here"},
		{"required: lower,,upper", `character 17: found ","; a class is due here`},
		{"required: lower upper", `character 17: found "u"; a value ends with a semicolon`},
		{"allowed: [abc", `character 14: found the end; a class in brackets ends with "]"`},
		{"allowed: [", `character 11: found the end; a class in brackets ends with "]"`},
		{"allowed: []", "character 11: the class in brackets has no ASCII characters; give at least one"},
		{"allowed: [äöü]", "character 14: the class in brackets has no ASCII characters"},
		{"allowed: [a-z]", `character 12: "-" is not the first in its brackets; put it right after "["`},
		{"allowed: [--]", `character 12: "-" is not the first in its brackets`},
		{"allowed: [a]b]", `character 13: found "b"; a value ends with a semicolon`},
		{"allowed: [a\tb]", "character 12: the control character U+0009 is in brackets; leave it out"},
		{"allowed: [é]; minlength: x", "character 12: the class in brackets has no ASCII"},
		{"allowed: [aé]; minlength: x", `character 27: found "x"`},
		{"minlength: 8\xff", "character 13: is not valid UTF-8; give text in UTF-8"},
		{"minlength: 8\x00", `character 13: found "\x00"; a value ends`},
		{strings.Repeat("x", 100), `"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…" is no property`},
		{strings.Repeat(" ", 1<<16+1), "have 65537 bytes; at most 65536 are allowed"},
		{manyRequired(64), "more than 63 different classes are required"},
	} {
		p, err := ParseRules(c.text)
		if err == nil || !strings.HasPrefix(err.Error(), "password rules") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.40q: error %v; want %q", c.text, err, c.want)
		}
		if p.Classes != nil || p.MinLength != 0 {
			t.Errorf("%.40q: an error, and %+v", c.text, p)
		}
	}
}

func manyRequired(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("required: [" + string(rune('!'+i)) + "~];")
	}
	return strings.NewReplacer("[-~]", "[-]", "[]~]", "[]]").Replace(b.String())
}

// TestRulesAsPolicies lists the passwords of small rules.
func TestRulesAsPolicies(t *testing.T) {
	for _, text := range []string{
		"minlength: 3; maxlength: 4; required: [ab]; allowed: [c]",
		"maxlength: 4; required: [ab]; required: [bc]; required: [ab]; max-consecutive: 2",
		"maxlength: 5; allowed: [xyz], []]; max-consecutive: 1",
	} {
		p, err := ParseRules(text)
		if err != nil {
			t.Fatal(err)
		}
		g := p.MustCompile()
		if err := againstOracle(p, g); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// seeds of the fuzz targets: rules as services publish them, and broken ones.
var ruleSeeds = []string{
	"", "minlength: 8;", "minlength: 20; required: lower; required: upper; required: digit; required: [-];",
	"minlength: 8; maxlength: 63; required: lower; required: upper; required: digit; allowed: ascii-printable;",
	"minlength: 6; maxlength: 20; required: lower; allowed: upper,digit,[!$%'()+,./:;=?@^_|~];",
	"minlength: 15; required: lower; required: lower; required: special; required: [-!@#$%^&*()_+|~=`{}[:\";'?,./.]];",
	"maxlength: 6; max-consecutive: 3; allowed: digit;", "allowed: [-äöüÄÖÜß!$%&/()=?+#,.:];", "required: upper; allowed: unicode",
	"required: [[]]; allowed: []]", "allowed: [a-z]", "required:;", "max-consecutive: 0", "minlength: 99999999999", "allowed: [", "\xff",
	"minlength: 1024; required: [ab]; required: [bc]; required: [cd]; required: [de]; max-consecutive: 2; maxlength: 9999",
}

// FuzzParseRules reads any text without panic, and what it accepts is a policy
// that compiles or is refused for a reason of its own.
func FuzzParseRules(f *testing.F) {
	for _, text := range ruleSeeds {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParseRules(text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "password rules") || strings.ContainsAny(err.Error(), "\n\x00") {
				t.Errorf("%q: error %q", text, err)
			}
			return
		}
		checkFuzzed(t, p)
	})
}

// FuzzPolicy compiles policies of any texts and numbers without panic.
func FuzzPolicy(f *testing.F) {
	f.Add(16, 0.0, "abc", 1, 0, "012", 2, 3, 2, "b", "a", "", "ab", "01", 1, false)
	f.Add(0, 128.0, Lower, 1, 0, Symbols, 0, 5, 0, "", "", Lower, "pass", "word", 2, true)
	f.Add(1, 0.0, "ab", 0, 0, "b", 1, 1, 1, "", "a", "b", "ab", "b", 0, false)
	f.Add(-1, -1.0, "\xff", -1, -1, "e\u0301", 9, 8, -7, "\x00", "é", "€", "", "\n", 3, true)
	f.Add(1024, 0.0, "aé€😀", 300, 500, "é0", 3, 3, 900, "", "", "", "é€", "", 2, false)
	f.Fuzz(func(t *testing.T, length int, bits float64, chars1 string, min1, max1 int, chars2 string, min2, max2, run int,
		exclude, first, notLast, word1, word2 string, variety int, lookAlikes bool) {
		p := Policy{
			Length: length, Bits: bits, MaxRun: run, Exclude: exclude, First: first, NotLast: notLast, NoLookAlikes: lookAlikes,
			Classes:   []Class{{Chars: chars1, Min: min1, Max: max1}, {Chars: chars2, Min: min2, Max: max2}},
			Forbidden: []string{word1, word2}, Variety: Variety{Min: variety},
		}
		if length > 200 {
			p.Length = length % 200 // for speed
		}
		checkFuzzed(t, p)
	})
}

// checkFuzzed compiles a policy and draws of it.
func checkFuzzed(t *testing.T, p Policy) {
	g, err := p.Compile()
	if err != nil {
		if err.Error() == "" || strings.ContainsAny(err.Error(), "\n\x00") {
			t.Errorf("%+v: error %q", p, err)
		}
		return
	}
	e := g.Explain()
	if e.Count.BitLen() < 2 || e.Bits <= 0 || !(e.Plain >= 0 && e.Plain <= 1) || !(e.Shuffle.Distance >= 0 && e.Shuffle.Distance <= 1) {
		t.Errorf("%+v: %+v", p, e)
	}
	for text := range g.Many(3) {
		if len([]rune(text)) != g.Length() || !oracleAllows(p, text) {
			t.Errorf("%+v: makes %q", p, text)
		}
	}
}
