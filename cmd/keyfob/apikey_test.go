package main

import (
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

// What is said of a version's use is from its first to its last.
func TestUsedText(t *testing.T) {
	at := func(second int) oas.OptTime {
		return oas.NewOptTime(oas.Time(time.Date(2030, 1, 2, 3, 4, second, 0, time.UTC)))
	}
	for want, v := range map[string]oas.Version{
		"never used": {},
		"used from 2030-01-02T03:04:05Z to 2030-01-02T03:04:09Z": {FirstUsedAt: at(5), LastUsedAt: at(9)},
	} {
		if got := usedText(&v); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
