package passphrase_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/keyfob-dev/keyfob/passphrase"
)

func ExampleRandom() {
	p := passphrase.Random(6) // such as gallery-unpaved-cozily-drop-down-mutt-rerun
	fmt.Println(len(p) >= 6*3+5)
	// Output: true
}

func ExampleRecipe() {
	r := passphrase.Recipe{Words: 5, Separator: " ", Capitalize: true, Digit: true}
	p := r.New() // such as Gallery Unpaved Cozily7 Mutt Rerun
	fmt.Println(len(strings.Split(p, " ")))
	fmt.Printf("%v: %.2f bits\n", r, r.Bits())
	// Output:
	// 5
	// 5 words of eff-large, capitalized, joined by " ", a digit: 70.27 bits
}

func ExampleRecipe_Many() {
	phrases := slices.Collect(passphrase.Recipe{Words: 7}.Many(100))
	fmt.Println(len(phrases))
	// Output: 100
}

func ExampleRecipe_Each() {
	lines := 0
	var out strings.Builder // stands for a file
	for text := range (passphrase.Recipe{}).Each(3) {
		out.Write(text)
		out.WriteByte('\n')
		lines++
	}
	fmt.Println(lines)
	// Output: 3
}

func ExampleRecipe_Check() {
	list, _ := passphrase.ParseList("the\nrapist\ntherapist\n")

	err := passphrase.Recipe{List: list, NoSeparator: true}.Check()
	fmt.Println(err)

	var ambiguous *passphrase.AmbiguousError
	if errors.As(err, &ambiguous) {
		fmt.Println(ambiguous.One, ambiguous.Other)
	}
	fmt.Println(passphrase.Recipe{NoSeparator: true}.Check()) // the large list can do without
	// Output:
	// ambiguous phrases: "therapist" and "the" + "rapist" both read "therapist"; use a separator that is in no word, such as a space
	// [therapist] [the rapist]
	// <nil>
}

func ExampleRecipe_Count() {
	fmt.Println(passphrase.Recipe{Words: 2}.Count())
	fmt.Println(passphrase.Recipe{Words: 2, NoRepeats: true}.Count())
	fmt.Println(passphrase.Recipe{Words: 2, Digit: true}.Count())
	// Output:
	// 60466176
	// 60458400
	// 1209323520
}

func ExampleRecipe_Bits() {
	fmt.Println(passphrase.Recipe{Words: 6}.Bits())
	// Output: 77.54887502163469
}

func ExampleRecipe_ForBits() {
	r, err := passphrase.Recipe{List: passphrase.EFFShort()}.ForBits(80)
	fmt.Println(r, err)
	fmt.Printf("%.2f\n", r.Bits())
	// Output:
	// 8 words of eff-short, joined by "-" <nil>
	// 82.72
}

func ExampleReadList() {
	list, err := passphrase.ReadList(strings.NewReader("11 abacus\n12 abdomen\n13 abide\n"))
	fmt.Println(list.Len(), list.Word(2), err)

	_, err = passphrase.ReadList(strings.NewReader("abacus\nabdomen\n\nabacus\n"))
	fmt.Println(err)

	// Every problem:
	var all *passphrase.ListError
	if errors.As(err, &all) {
		for _, p := range all.Problems {
			fmt.Fprintln(os.Stdout, p)
		}
	}
	// Output:
	// 3 abide <nil>
	// not a word list: line 3: is empty; leave it out (and 1 more problem)
	// line 3: is empty; leave it out
	// line 4: the word "abacus" is already on line 1; each may come once
}

func ExampleParseList() {
	list, err := passphrase.ParseList("ja\nnein\nvielleicht\n")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d words, %.2f bits each, %s to %s\n", list.Len(), list.Bits(), list.Shortest(), list.Longest())
	// Output: 3 words, 1.58 bits each, ja to vielleicht
}

func ExampleEFFLarge() {
	list := passphrase.EFFLarge()
	fmt.Printf("%d words of %d dice, %.6f bits each\n", list.Len(), list.Dice(), list.Bits())
	// Output: 7776 words of 5 dice, 12.924813 bits each
}

func ExampleEFFShort() {
	list := passphrase.EFFShort()
	fmt.Printf("%d words of %d dice, %.6f bits each\n", list.Len(), list.Dice(), list.Bits())
	// Output: 1296 words of 4 dice, 10.339850 bits each
}

func ExampleList_All() {
	for i, word := range passphrase.EFFLarge().All() {
		if i == 2 {
			break
		}
		fmt.Println(i, word)
	}
	// Output:
	// 0 abacus
	// 1 abdomen
}

func ExampleList_Prefix() {
	list, _ := passphrase.ParseList("the\nrapist\ntherapist\n")
	short, long, found := list.Prefix()
	fmt.Println(short, long, found)
	// Output: the therapist true
}

func ExampleList_Name() {
	own, _ := passphrase.ParseList("ja\nnein\n")
	fmt.Printf("%q %q\n", passphrase.EFFShort().Name(), own.Name())
	// Output: "eff-short" ""
}
