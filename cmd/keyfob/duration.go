package main

import (
	"errors"
	"math"
	"strings"
	"time"
)

// The units of a duration, the greatest first.
var units = []struct {
	letter byte
	size   time.Duration
}{
	{'w', 7 * 24 * time.Hour},
	{'d', 24 * time.Hour},
	{'h', time.Hour},
	{'m', time.Minute},
	{'s', time.Second},
}

const durationHelp = "give numbers with units, the greatest first, as 30m, 7d, 2w or 1h30m (w, d, h, m, s)"

// parseDuration reads a duration: whole numbers, each with a unit, from great to
// small and each unit once; or a bare 0. It has one spelling for each number and
// unit: no sign, space, point or leading zero.
func parseDuration(text string) (time.Duration, error) {
	if text == "0" {
		return 0, nil
	}
	if text == "" {
		return 0, errors.New("is empty; " + durationHelp)
	}
	var sum time.Duration
	for rest, next := text, 0; rest != ""; {
		digits, n, err := leadingNumber(rest)
		if err != nil {
			return 0, err
		}
		if digits == len(rest) {
			return 0, errors.New("ends in a number without a unit; " + durationHelp)
		}
		unit := next
		for unit < len(units) && units[unit].letter != rest[digits] {
			unit++
		}
		if unit == len(units) {
			return 0, errors.New("has a unit that is unknown or out of order; " + durationHelp)
		}
		size := units[unit].size
		if n > int64((math.MaxInt64-sum)/size) {
			return 0, errTooLong
		}
		sum += time.Duration(n) * size
		rest, next = rest[digits+1:], unit+1
	}
	return sum, nil
}

var errTooLong = errors.New("is too long; at most 106751d are possible, or never where that is allowed")

// leadingNumber reads the number that text begins with, and returns its length.
func leadingNumber(text string) (length int, n int64, err error) {
	for length < len(text) && '0' <= text[length] && text[length] <= '9' {
		if n > (math.MaxInt64-9)/10 {
			return 0, 0, errTooLong
		}
		n = n*10 + int64(text[length]-'0')
		length++
	}
	switch {
	case length == 0 && strings.HasPrefix(text, "-"):
		return 0, 0, errors.New("is negative; " + durationHelp)
	case length == 0 && strings.ContainsAny(text, " \t\r\n"):
		return 0, 0, errors.New("holds white space; " + durationHelp)
	case length == 0:
		return 0, 0, errors.New("has no number where one should be; " + durationHelp)
	case length > 1 && text[0] == '0':
		return 0, 0, errors.New("has a number with a leading zero; " + durationHelp)
	}
	return length, n, nil
}

// formatDuration is the shortest text that parseDuration reads as d.
func formatDuration(d time.Duration) string {
	if d == 0 {
		return "0"
	}
	var b strings.Builder
	for _, u := range units {
		if n := d / u.size; n > 0 {
			b.WriteString(itoa(int64(n)))
			b.WriteByte(u.letter)
			d %= u.size
		}
	}
	return b.String()
}
