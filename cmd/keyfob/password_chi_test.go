package main

import (
	"bufio"
	"math"
	"math/big"
	"os/exec"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/password"
)

// The tests below count what the command really prints. A test of chi-square is a
// false alarm now and then; these are so rarely that one is a reason to look.
//
// With k outcomes, the statistic X of a correct generator is nearly distributed as
// chi-square with d = k-1 degrees of freedom, since each outcome is expected more than
// 100 times. By Laurent and Massart (2000, lemma 1), for any x
//
//	P(X >= d + 2 sqrt(d x) + 2 x) <= exp(-x)
//	P(X <= d - 2 sqrt(d x))       <= exp(-x)
//
// With x = 24 each is 3.8e-11 at the most. There are three statistics, so that one run
// gives a false alarm with a probability below 3 * 2 * 3.8e-11 = 2.3e-10.
const passwordAlarm = 24

// passwordsFit compares counts with the expected ones.
func passwordsFit(t *testing.T, what string, counts []int, expected func(i int) float64) {
	t.Helper()
	x := 0.0
	for i, n := range counts {
		want := expected(i)
		if want < 100 {
			t.Fatalf("%s: only %.0f are expected", what, want)
		}
		x += (float64(n) - want) * (float64(n) - want) / want
	}
	d := float64(len(counts) - 1)
	low, high := d-2*math.Sqrt(d*passwordAlarm), d+2*math.Sqrt(d*passwordAlarm)+2*passwordAlarm
	if x < low || x > high {
		t.Errorf("%s: chi-square %.1f with %v degrees of freedom; want %.1f to %.1f", what, x, d, low, high)
	}
	t.Logf("%s: chi-square %.1f with %v degrees of freedom", what, x, d)
}

// eachPassword runs keyfob password and calls f with each line of its output.
func eachPassword(t *testing.T, f func(text string), args ...string) {
	t.Helper()
	cmd := exec.Command(keyfobBinary(t), append([]string{"password"}, args...)...)
	cmd.Env = environment()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		f(lines.Text())
	}
	if err := cmd.Wait(); err != nil || lines.Err() != nil {
		t.Fatal(err, lines.Err())
	}
}

const printable94 = password.Lower + password.Upper + password.Digits + password.Symbols

// A million characters without minimums are uniform.
func TestPasswordCharactersAreUniform(t *testing.T) {
	t.Parallel()
	counts, total := make([]int, 94), 0
	eachPassword(t, func(text string) {
		for i := range len(text) {
			counts[strings.IndexByte(printable94, text[i])]++
			total++
		}
	}, "--length", "1000", "--lower", "0", "--upper", "0", "--digits", "0", "--symbols", "0", "-n", "1000")
	if total != 1_000_000 {
		t.Fatalf("%d characters", total)
	}
	passwordsFit(t, "characters", counts, func(int) float64 { return 1e6 / 94 })
}

// The first characters of passwords of the usual policy are distributed as in the
// list of all passwords that it allows. Filling up what is missing and shuffling
// would make digits too frequent.
func TestPasswordFirstCharacters(t *testing.T) {
	t.Parallel()
	const n = 500_000
	classes := []string{password.Lower, password.Upper, password.Digits, password.Symbols}
	all := covering(20, classes)
	counts := make([]int, 94)
	eachPassword(t, func(text string) {
		if len(text) != 20 {
			t.Fatalf("%q", text)
		}
		counts[strings.IndexByte(printable94, text[0])]++
	}, "-n", "500000")
	expected := make([]float64, 94)
	for i := range expected {
		var others []string
		for _, chars := range classes {
			if strings.IndexByte(chars, printable94[i]) < 0 {
				others = append(others, chars)
			}
		}
		share, _ := new(big.Rat).SetFrac(covering(19, others), all).Float64()
		expected[i] = n * share
	}
	passwordsFit(t, "first characters", counts, func(i int) float64 { return expected[i] })
}

// covering returns how many texts of the 94 characters have one of each class, by
// inclusion and exclusion.
func covering(length int, classes []string) *big.Int {
	sum := new(big.Int)
	for without := range 1 << len(classes) {
		left, sign := int64(94), int64(1)
		for i, chars := range classes {
			if without>>i&1 == 1 {
				left, sign = left-int64(len(chars)), -sign
			}
		}
		texts := new(big.Int).Exp(big.NewInt(left), big.NewInt(int64(length)), nil)
		sum.Add(sum, texts.Mul(texts, big.NewInt(sign)))
	}
	return sum
}

// All 7,800 passwords of one lower-case letter and two digits, in any order, come,
// equally often, and no others.
func TestPasswordsAllCome(t *testing.T) {
	t.Parallel()
	index := map[string]int{}
	for _, letter := range strings.Split(password.Lower, "") {
		for _, one := range strings.Split(password.Digits, "") {
			for _, two := range strings.Split(password.Digits, "") {
				for _, text := range []string{letter + one + two, one + letter + two, one + two + letter} {
					index[text] = len(index)
				}
			}
		}
	}
	counts := make([]int, len(index))
	eachPassword(t, func(text string) {
		i, ok := index[text]
		if !ok {
			t.Fatalf("makes %q", text)
		}
		counts[i]++
	}, "--length", "3", "--lower", "1", "--digits", "2", "--no-upper", "--no-symbols", "-n", "998400")
	if len(counts) != 7800 {
		t.Fatalf("there are %d passwords", len(counts))
	}
	passwordsFit(t, "passwords", counts, func(int) float64 { return 998400 / 7800 })
}
