package main

import (
	"fmt"
	"strconv"
	"strings"
)

// instructions sums up what callgrind wrote: the instructions of each function that
// are its own, less those of functions that do not count.
func instructions(text string) (int, error) {
	sum, all, summary := 0, 0, -1
	var function string
	call := false // the next line is about a call, whose instructions are those of others
	for line := range strings.SplitSeq(text, "\n") {
		key, value, _ := strings.Cut(line, "=")
		switch {
		case key == "fn":
			function = value
		case key == "calls":
			call = true
		case line != "" && strings.IndexByte("0123456789+-*", line[0]) >= 0:
			_, cost, _ := strings.Cut(line, " ")
			n, err := strconv.Atoi(cost)
			if err != nil {
				return 0, fmt.Errorf("a line that is no count: %q", line)
			}
			if !call {
				all += n
				if counts(function) {
					sum += n
				}
			}
			call = false
		case strings.HasPrefix(line, "summary: "):
			n, err := strconv.Atoi(strings.TrimPrefix(line, "summary: "))
			if err != nil {
				return 0, fmt.Errorf("a summary that is none: %q", line)
			}
			summary = n
		}
	}
	if all != summary {
		return 0, fmt.Errorf("the functions have %d instructions, and the summary says %d", all, summary)
	}
	return sum, nil
}

// counts reports whether the instructions of a function count: all but the runtime's,
// of which those do that compare.
func counts(function string) bool {
	switch function {
	case "runtime.memequal", "runtime.memequal_varlen", "runtime.cmpstring":
		return true
	case "gosave_systemstack_switch":
		return false
	}
	return !strings.HasPrefix(function, "runtime.")
}
