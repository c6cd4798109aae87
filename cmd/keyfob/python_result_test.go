package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// is says how outcomes differ from a result, as the document on Python writes it: a
// regular expression in quotes, or one of the phrases below. Outcomes are what
// fmt.Sprint makes of a value of Go, or what a command prints. With many, those that
// are ends of a range must both be there.
func is(result string, many bool, outcomes []string) error {
	if len(outcomes) == 0 {
		return fmt.Errorf("nothing")
	}
	check := phrase(result)
	if check == nil {
		return fmt.Errorf("a result that nobody can check: %q", result)
	}
	for _, text := range outcomes {
		if result != "32 bytes" { // of which the last may be a newline
			text = strings.TrimSuffix(text, "\n")
		}
		if !check(text) {
			return fmt.Errorf("%q, which is not %s", text, result)
		}
	}
	if ends := regexp.MustCompile(`^(\d+) to (\d+)$`).FindStringSubmatch(result); ends != nil && many {
		for _, end := range ends[1:] {
			if !slices.Contains(outcomes, end) {
				return fmt.Errorf("never %s in %d", end, len(outcomes))
			}
		}
	}
	return nil
}

// phrase returns the check of a result, or nil if there is none.
func phrase(result string) func(text string) bool {
	if pattern, ok := quoted(result); ok {
		return regexp.MustCompile(`^(` + pattern + `)$`).MatchString
	}
	switch result {
	case "yes":
		return func(text string) bool { return text == "true" || text == "equal" }
	case "no":
		return func(text string) bool { return text == "false" || text == "different" }
	case "a generator":
		return func(text string) bool { return strings.HasPrefix(text, "&{") }
	case "one of the items":
		return func(text string) bool { return items(text, 1, false) }
	case "32 different numbers":
		return func(text string) bool { return numbers(text, 32) }
	case "32 bytes":
		return func(text string) bool {
			return len(text) == 32 || len(list(text)) == 32 && strings.HasPrefix(text, "[")
		}
	case "a number":
		return func(text string) bool { return between(text, -1e300, 1e300) }
	}
	var low, high float64
	n := 0
	switch {
	case scans(result, "%v up to %v", &low, &high):
		return func(text string) bool { return between(text, low, high) && text != fmt.Sprint(high) }
	case scans(result, "%v to %v", &low, &high):
		return func(text string) bool { return between(text, low, high) && !strings.Contains(text, ".") }
	case scans(result, "a number above %v", &low):
		return func(text string) bool { return between(text, low, 1e300) }
	case scans(result, "%v of the items", &n):
		return func(text string) bool { return items(text, n, false) }
	case scans(result, "%v different items", &n):
		return func(text string) bool { return items(text, n, true) }
	}
	return nil
}

// scans reads values from a result that has exactly this form.
func scans(result, format string, into ...any) bool {
	n, err := fmt.Sscanf(result+"\n", format+"\n", into...)
	return err == nil && n == len(into)
}

func between(text string, low, high float64) bool {
	v, err := strconv.ParseFloat(text, 64)
	return err == nil && low <= v && v <= high
}

// list takes apart what Go prints of a slice, or a command in lines.
func list(text string) []string {
	return strings.Fields(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
}

// items reports whether text is n of the document's items.
func items(text string, n int, different bool) bool {
	drawn := list(text)
	slices.Sort(drawn)
	if different && len(slices.Compact(slices.Clone(drawn))) != n {
		return false
	}
	return len(drawn) == n && !slices.ContainsFunc(drawn, func(s string) bool { return !slices.Contains([]string{"ada", "bob", "cleo"}, s) })
}

// numbers reports whether text is the numbers of 0 to n-1 in any order.
func numbers(text string, n int) bool {
	drawn := list(text)
	for i := range n {
		if !slices.Contains(drawn, strconv.Itoa(i)) {
			return false
		}
	}
	return len(drawn) == n
}
