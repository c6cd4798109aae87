package main

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// rateValue is a flag that takes a number of uses in a time, as 100/1m, or
// unlimited.
type rateValue struct {
	uses int64 // 0: unlimited
	per  time.Duration
}

const rateHelp = "give uses in a time, as 100/1m or 5/10s, or unlimited"

func (v *rateValue) String() string {
	if v.uses == 0 {
		return "unlimited"
	}
	return itoa(v.uses) + "/" + formatDuration(v.per)
}

func (v *rateValue) Type() string { return "RATE" }

func (v *rateValue) Set(text string) error {
	if text == "unlimited" {
		*v = rateValue{}
		return nil
	}
	uses, per, ok := strings.Cut(text, "/")
	n, err := strconv.ParseInt(uses, 10, 64)
	if !ok || err != nil || itoa(n) != uses || n < 1 {
		return errors.New("is no rate; " + rateHelp)
	}
	d, err := parseDuration(per)
	if err != nil {
		return errors.New("has a time that " + err.Error())
	}
	if d == 0 {
		return errors.New("is of no time; " + rateHelp)
	}
	v.uses, v.per = n, d
	return nil
}

// seconds is the time of the rate, which has whole seconds by the units that
// there are.
func (v *rateValue) seconds() int64 { return int64(v.per / time.Second) }
