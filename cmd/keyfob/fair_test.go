package main

import (
	"io"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// fair bounds Pearson's statistic of what a command printed, which has outcomes
// with these weights.
//
// For fair draws the statistic is distributed as chi-square with k = outcomes-1
// degrees of freedom. By Laurent and Massart such a variable exceeds
// k + 2*sqrt(k*x) + 2*x with a probability of at most exp(-x). x = 25 gives 1.4e-11;
// with the 8 uses below, a false alarm in less than one of 10^9 runs. No outcome is
// expected less than 500 times, so that the approximation holds.
func fair(t *testing.T, printed []string, weights map[string]int) {
	t.Helper()
	const x = 25
	counts, total := map[string]int{}, 0
	for _, text := range printed {
		counts[text]++
	}
	for _, w := range weights {
		total += w
	}
	statistic, k := 0.0, float64(len(weights)-1)
	for text, w := range weights {
		want := float64(len(printed)) * float64(w) / float64(total)
		if want < 500 {
			t.Fatalf("%q is expected only %.0f times", text, want)
		}
		statistic += (float64(counts[text]) - want) * (float64(counts[text]) - want) / want
		delete(counts, text)
	}
	if len(counts) > 0 {
		t.Errorf("these are no outcomes: %v", counts)
	}
	if limit := k + 2*math.Sqrt(k*x) + 2*x; statistic > limit {
		t.Errorf("chi-square is %.1f, above %.1f", statistic, limit)
	}
}

// repeat runs a command many times in this process, each time on the same stdin,
// and returns what each run printed, without the last newline.
func repeat(t *testing.T, times int, stdin string, args ...string) []string {
	t.Helper()
	dir := t.TempDir()
	open := func(name, text string) *os.File {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	stdout := open("stdout", "")
	u := &ui{stdin: open("stdin", stdin), out: newOutput(stdout), stderr: os.Stderr}
	root := newRoot(u)
	root.SetArgs(args)
	for range times {
		if _, err := u.stdin.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if err := root.Execute(); err != nil {
			t.Fatal(err)
		}
		u.out.text("\x00") // no line of these tests has it
	}
	if err := u.out.flush(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(stdout.Name())
	if err != nil {
		t.Fatal(err)
	}
	printed := strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
	for i := range printed {
		printed[i] = strings.TrimSuffix(printed[i], "\n")
	}
	return printed
}

// The commands draw fairly: internal/draw proves that the samplers are exact, and
// this shows that each command asks the right one for the right range.
func TestDrawsAreFair(t *testing.T) {
	t.Parallel()
	many := func(stdin string, args ...string) []string {
		return strings.Split(repeat(t, 1, stdin, append(args, "-n", "60000")...)[0], "\n")
	}
	fair(t, many("", "int", "6"), map[string]int{"0": 1, "1": 1, "2": 1, "3": 1, "4": 1, "5": 1})
	// Bounds that remainders of a byte, of 8 bytes and of 16 would favour the lower
	// part of.
	each := map[string]int{}
	for i := range 171 {
		each[strconv.Itoa(i)] = 1
	}
	fair(t, append(many("", "int", "171"), many("", "int", "171")...), each)
	for _, bits := range []uint{62, 126} {
		thirds := many("", "int", new(big.Int).Lsh(big.NewInt(3), bits).String())
		for i, text := range thirds {
			n, _ := new(big.Int).SetString(text, 10)
			thirds[i] = n.Rsh(n, bits).String()
		}
		fair(t, thirds, map[string]int{"0": 1, "1": 1, "2": 1})
	}
	fair(t, many("a\nb\nc\na\n", "choice"), map[string]int{"a": 2, "b": 1, "c": 1})
	fair(t, many("5\ta\n0\tb\n2\tc\n1\ta\n", "choice", "--weighted"), map[string]int{"a": 6, "c": 2})
	fair(t, repeat(t, 12_000, "a\nb\nc\n", "shuffle"), map[string]int{
		"a\nb\nc": 1, "a\nc\nb": 1, "b\na\nc": 1, "b\nc\na": 1, "c\na\nb": 1, "c\nb\na": 1,
	})
	fair(t, repeat(t, 12_000, "a\nb\nc\nd\n", "sample", "2"), map[string]int{
		"a\nb": 1, "a\nc": 1, "a\nd": 1, "b\na": 1, "b\nc": 1, "b\nd": 1,
		"c\na": 1, "c\nb": 1, "c\nd": 1, "d\na": 1, "d\nb": 1, "d\nc": 1,
	})
}
