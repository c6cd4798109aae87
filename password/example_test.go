package password_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/keyfob-dev/keyfob/password"
)

func Example() {
	g, err := password.Policy{
		Length:  16,
		Classes: password.AtLeast(1, password.Lower, password.Upper, password.Digits, password.Symbols),
	}.Compile()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(g.New()))
	fmt.Printf("%.2f bits: one of %v\n", g.Bits(), g.Count())
	// Output:
	// 16
	// 104.59 bits: one of 30583281110353122281067034705920
}

func ExampleRandom() {
	p := password.Random(20) // 131.09 bits
	fmt.Println(len(p))
	// Output: 20
}

func ExamplePolicy() {
	g, err := password.Policy{
		Length: 12,
		Classes: []password.Class{
			{Chars: password.Lower},
			{Chars: password.Upper, Min: 1},
			{Chars: password.Digits, Min: 2, Max: 4},
			{Chars: password.SafeSymbols, Min: 1, Max: 1},
		},
		NoLookAlikes: true,
		MaxRun:       2,
		First:        password.Lower + password.Upper,
		Forbidden:    []string{"admin", "root"},
	}.Compile()
	fmt.Println(err)
	fmt.Printf("%.2f bits\n", g.Bits())
	// Output:
	// <nil>
	// 69.70 bits
}

func ExamplePolicy_Compile() {
	_, err := password.Policy{
		Length:  10,
		Classes: []password.Class{{Chars: password.Lower, Min: 5}, {Chars: password.Digits, Min: 6}},
	}.Compile()
	fmt.Println(errors.Is(err, password.ErrUnsatisfiable))
	fmt.Println(err)
	// Output:
	// true
	// unsatisfiable policy: no password of 10 characters can have: at least 5 of lower; at least 6 of digits; relax one of these, or change the length
}

// A policy asks for bits; the length follows.
func ExamplePolicy_bits() {
	g := password.Policy{
		Bits:    128,
		Classes: password.AtLeast(1, password.Lower, password.Upper, password.Digits),
	}.MustCompile()
	fmt.Printf("%d characters, %.2f bits\n", g.Length(), g.Bits())
	// Output: 22 characters, 130.96 bits
}

func ExamplePolicy_MustCompile() {
	pin := password.Policy{Length: 6, Classes: password.AtLeast(0, password.Digits), MaxRun: 1}.MustCompile()
	fmt.Println(pin.Count())
	// Output: 590490
}

func ExampleAtLeast() {
	g := password.Policy{Length: 8, Classes: password.AtLeast(2, password.Upper, password.Digits)}.MustCompile()
	fmt.Println(g)
	// Output: 8 characters of 36: at least 2 of upper, at least 2 of digits
}

// At least three of four classes, as some systems ask for.
func ExampleVariety() {
	g := password.Policy{Length: 14, Variety: password.Variety{Min: 3}}.MustCompile()
	fmt.Println(g)
	fmt.Printf("%.2f bits\n", g.Bits())
	// Output:
	// 14 characters of 94: characters of at least 3 of 4 sets
	// 91.76 bits
}

func ExampleParseRules() {
	p, err := password.ParseRules("minlength: 8; maxlength: 16; required: lower, upper; required: digit; allowed: [-!#$]; max-consecutive: 2;")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.MustCompile())

	_, err = password.ParseRules("minlength: 8; required: digits")
	fmt.Println(err)
	// Output:
	// 16 characters of 66: at least 1 of lower, upper, at least 1 of digit, no character more than 2 times in a row
	// password rules, character 25: "digits" is no class; use upper, lower, digit, special, ascii-printable, unicode or [characters]
}

func ExampleCheckLength() {
	fmt.Println(password.CheckLength(20))
	fmt.Println(password.CheckLength(0))
	// Output:
	// <nil>
	// length 0: a password has 1 to 1024 characters
}

func ExampleCheckBits() {
	fmt.Println(password.CheckBits(128))
	fmt.Println(password.CheckBits(-1))
	// Output:
	// <nil>
	// -1 bits: use a number above 0
}

func ExampleGenerator_Many() {
	g := password.Policy{Length: 10, Classes: password.AtLeast(1, password.Lower, password.Digits)}.MustCompile()
	list := slices.Collect(g.Many(1000))
	fmt.Println(len(list))
	// Output: 1000
}

func ExampleGenerator_Each() {
	g := password.Policy{Length: 10, Classes: password.AtLeast(1, password.Lower, password.Digits)}.MustCompile()
	var out strings.Builder
	for text := range g.Each(3) {
		out.Write(append(text, '\n'))
	}
	fmt.Println(strings.Count(out.String(), "\n"))
	// Output: 3
}

func ExampleGenerator_Explain() {
	g := password.Policy{
		Length:  16,
		Classes: password.AtLeast(1, password.Lower, password.Upper, password.Digits, password.Symbols),
	}.MustCompile()
	e := g.Explain()
	fmt.Printf("%v passwords of %d characters of %d: %.2f bits\n", e.Count, e.Length, e.Alphabet, e.Bits)
	fmt.Printf("a plain draw passes with a chance of %.4f\n", e.Plain)
	fmt.Printf("one of each, then shuffle: distance %.4f, ratio %.1f\n", e.Shuffle.Distance, e.Shuffle.Ratio)
	// Output:
	// 30583281110353122281067034705920 passwords of 16 characters of 94: 104.59 bits
	// a plain draw passes with a chance of 0.8231
	// one of each, then shuffle: distance 0.1534, ratio 19.7
}
