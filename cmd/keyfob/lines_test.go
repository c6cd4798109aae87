package main

import (
	"errors"
	"strconv"
	"strings"
	"testing"
)

// refusal checks that an error is one of wrong input, in one line.
func refusal(t *testing.T, err error, input string) {
	t.Helper()
	f, ok := errors.AsType[*failure](err)
	if !ok || f.code != exitWrong || strings.Contains(f.text, "\n") {
		t.Fatalf("%q is refused with %v", input, err)
	}
}

// What is accepted as lines is all of the input, and each list has one spelling,
// but for the last newline.
func FuzzSplitLines(f *testing.F) {
	for _, seed := range []string{"", "a", "a\n", "a\nb", "a\nb\n", "\n", "a\n\n", "\na", "a\r\nb\r\n", "a\rb\n", " \n\t\n", "\x00\xff\n", "a\n\r"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines, err := splitLines(text)
		if err != nil {
			refusal(t, err, text)
			return
		}
		if joined := strings.Join(lines, "\n"); joined != text && joined+"\n" != text {
			t.Fatalf("%q has the lines %q", text, lines)
		}
		for _, line := range lines {
			if line == "" || strings.HasSuffix(line, "\r") || strings.Contains(line, "\n") {
				t.Fatalf("%q has the line %q", text, line)
			}
		}
	})
}

// A bound has one spelling.
func FuzzParseBound(f *testing.F) {
	for _, seed := range []string{"", "0", "1", "01", "-1", "+1", "6 ", "1e3", "0x1", "1_0", "18446744073709551616", "٦", "1.0", "Xk29fjQpa7Zz1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := parseBound(text)
		if err != nil {
			refusal(t, err, text)
		} else if n.Sign() < 1 || n.String() != text {
			t.Fatalf("%q is read as %v", text, n)
		}
	})
}

// A weighted line has one spelling, and its text is what stands behind the tab.
func FuzzCutWeights(f *testing.F) {
	for _, seed := range []string{"1\ta", "0\ta", "1\t", "\ta", "a", "01\ta", "-1\ta", "1\ta\tb", "1\t\t", "9223372036854775807\ta", "9223372036854775808\ta", "1 \ta"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		lines := []string{line, "1\tother"}
		weights, err := cutWeights(lines)
		if err != nil {
			refusal(t, err, line)
		} else if weights[0] < 0 || lines[0] == "" || strconv.Itoa(weights[0])+"\t"+lines[0] != line {
			t.Fatalf("%q is read as %d and %q", line, weights[0], lines[0])
		}
	})
}
