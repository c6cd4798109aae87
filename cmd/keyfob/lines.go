package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// What the commands read that draw lines: more is refused, and never cut.
const (
	maxInput = 64 << 20 // bytes
	maxLines = 10_000_000
)

// lines reads the lines of stdin.
func (u *ui) lines() ([]string, error) {
	if isTerminal(u.stdin) {
		fmt.Fprintln(u.stderr, "Lines, and Ctrl-D after the last:")
	}
	var b strings.Builder
	if _, err := io.Copy(&b, io.LimitReader(u.stdin, maxInput+1)); err != nil {
		return nil, undecided("cannot read stdin: %v", err)
	}
	return splitLines(b.String())
}

// splitLines takes apart what stdin holds. A line ends in LF, which the last may
// lack, and is otherwise kept byte for byte. Lines that are empty or end in CR are
// refused: nobody would see that one of them was drawn.
func splitLines(text string) ([]string, error) {
	if text == "" {
		return nil, wrong("stdin is empty; it has to have one line or more")
	}
	if len(text) > maxInput {
		return nil, wrong("stdin has over %d bytes; give that or less", maxInput)
	}
	text = strings.TrimSuffix(text, "\n")
	if strings.Count(text, "\n") >= maxLines {
		return nil, wrong("stdin has over %d lines; give that or fewer", maxLines)
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if line == "" {
			return nil, wrong("line %d of stdin is empty; leave it out", i+1)
		}
		if strings.HasSuffix(line, "\r") {
			return nil, wrong("line %d of stdin ends in CR; end lines in LF alone", i+1)
		}
	}
	return lines, nil
}

// linesFor is lines for a command that may have to print them as JSON, which
// cannot hold all bytes.
func (u *ui) linesFor(asJSON bool) ([]string, error) {
	lines, err := u.lines()
	if err != nil || !asJSON {
		return lines, err
	}
	for i, line := range lines {
		if !utf8.ValidString(line) {
			return nil, wrong("line %d of stdin is not UTF-8, which JSON cannot hold; leave out --json", i+1)
		}
	}
	return lines, nil
}

// drawn is what is printed with --json of something drawn: a secret, or several
// that are one outcome.
type drawn struct {
	Secret    string   `json:"secret,omitempty"`
	Secrets   []string `json:"secrets,omitempty"`
	Generator string   `json:"generator"`
	Bits      float64  `json:"bits"`
	Recipe    string   `json:"recipe"`
}

// printDrawn prints one secret.
func (u *ui) printDrawn(d drawn, asJSON bool) error {
	if asJSON {
		return u.out.json(d)
	}
	return u.out.line(d.Secret)
}

// printSequence prints lines that were drawn together.
func (u *ui) printSequence(lines []string, about drawn, asJSON bool) error {
	if err := u.out.mustBeOpen(); err != nil {
		return err
	}
	if asJSON {
		about.Secrets = lines
		return u.out.json(about)
	}
	for _, line := range lines {
		if err := u.out.line(line); err != nil {
			return err
		}
	}
	return nil
}

// decimal reports whether text is a whole number in its one spelling: digits,
// and no 0 in front.
func decimal(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == "" && (text == "0" || text[0] != '0')
}

// notWhole refuses an argument that has to be a whole number of 1 or more.
func notWhole(what string) error {
	return wrong("%s has to be a whole number of 1 or more, in digits without signs, spaces or zeros in front", what)
}
