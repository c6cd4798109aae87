package main

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/keyfob-dev/keyfob/internal/strictjson"
)

// momentValue is a flag that takes a time of RFC 3339, or how long it is until
// then; or a word for none.
type momentValue struct {
	none string        // the word
	zero string        // what is wrong with 0
	at   time.Time     // zero: d from now
	d    time.Duration // 0, with at zero: none
}

func (v *momentValue) String() string {
	switch {
	case !v.at.IsZero():
		return v.at.Format(time.RFC3339Nano)
	case v.d != 0:
		return formatDuration(v.d)
	}
	return v.none
}

func (v *momentValue) Type() string { return "WHEN" }

func (v *momentValue) Set(text string) error {
	v.at, v.d = time.Time{}, 0
	if text == v.none {
		return nil
	}
	if strings.LastIndexAny(text, "-:T") > 0 {
		if !strictjson.IsTime(text) {
			return errors.New("is not a time; give one as 2030-01-02T03:04:05Z, or how long it is until then, as 30d")
		}
		at, err := time.Parse(time.RFC3339, text)
		if err == nil && at.IsZero() {
			err = errors.New("is out of range; it is a time after the year 1")
		}
		v.at = at
		return err
	}
	d, err := parseDuration(text)
	if err == nil && d == 0 {
		err = errors.New(v.zero)
	}
	v.d = d
	return err
}

// when is the time, and whether there is one.
func (v *momentValue) when() (time.Time, bool) {
	switch {
	case !v.at.IsZero():
		return v.at, true
	case v.d != 0:
		return time.Now().Add(v.d).UTC(), true
	}
	return time.Time{}, false
}

// usesValue is a flag for how often something may be used; 0: without limit.
type usesValue int64

const unlimited = "unlimited"

func (v *usesValue) String() string {
	if *v == 0 {
		return unlimited
	}
	return itoa(int64(*v))
}

func (v *usesValue) Type() string { return "N" }

func (v *usesValue) Set(text string) error {
	if text == unlimited {
		*v = 0
		return nil
	}
	n := wholeValue{least: 1, most: math.MaxInt64}
	if err := n.Set(text); err != nil {
		return fmt.Errorf("%w, or %s", err, unlimited)
	}
	*v = usesValue(n.n)
	return nil
}
